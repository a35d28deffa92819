"""How facts change what `information` knows. Nothing is judged here."""

from datetime import timedelta

from immutables import Map

from linkage.agents import deadlines
from linkage.agents.desk import Evolves
from linkage.agents.information.sighting import Sighting, keys_of, sighting_of
from linkage.agents.information.state import (
    SIGHTINGS_LIMIT_COUNT,
    Closed,
    ClosedDay,
    Incident,
    Information,
    Link,
    LinkDay,
    place_key,
    visits_key,
)
from linkage.events.base import EPOCH
from linkage.events.deadlines import AnswerAwaited, DeadlineEnded, DeadlineSet
from linkage.events.information import (
    IncidentClosed,
    IncidentOpened,
    IncidentsLinked,
    LinkJudged,
    LinkNoted,
    LinkProposed,
    ReportHandedOver,
    ReportMerged,
    ReportRevised,
    ReportStillUnplaced,
    ReportUnplaced,
)


def opened(state: Information, fact: IncidentOpened) -> Information:
    report = (fact.report.sender, fact.report.message_id)
    first = sighting_of(report, fact.kind, fact.place, fact.occurred_at)
    keys = keys_of(first)
    incident = Incident(
        fact.incident_id,
        fact.kind,
        fact.place,
        fact.occurred_at,
        fact.occurred_at,
        fact.opened_at,
        (report,),
        (first,),
        keys,
    )
    visits = visits_key(first)
    return state._replace(
        incidents=state.incidents.set(fact.incident_id, incident),
        at_place=_indexed(state.at_place, keys, fact.incident_id),
        of_report=state.of_report.set(report, fact.incident_id),
        visits=state.visits.set(visits, state.visits.get(visits, 0) + 1),
    )


def told_again(state: Information, fact: ReportMerged | ReportRevised) -> Information:
    incident = state.incidents[fact.incident_id]
    report = (fact.report.sender, fact.report.message_id)
    seen = sighting_of(report, fact.kind or incident.kind, fact.place or incident.place, fact.occurred_at)
    new_keys = tuple(key for key in keys_of(seen) if key not in incident.keys)
    grown = incident._replace(
        reports=(*incident.reports, report),
        first_occurred_at=min(incident.first_occurred_at, fact.occurred_at),
        last_occurred_at=max(incident.last_occurred_at, fact.occurred_at),
        sightings=_kept(incident.sightings, seen),
        keys=(*incident.keys, *new_keys),
    )
    return state._replace(
        incidents=state.incidents.set(fact.incident_id, grown),
        at_place=_indexed(state.at_place, new_keys, fact.incident_id),
        of_report=state.of_report.set(report, fact.incident_id),
    )


def _kept(seen: tuple[Sighting, ...], new: Sighting) -> tuple[Sighting, ...]:
    return (*seen, new) if len(seen) < SIGHTINGS_LIMIT_COUNT else (seen[0], *seen[2:], new)


def _indexed(at: Map[str, tuple[str, ...]], keys: tuple[str, ...], incident_id: str) -> Map[str, tuple[str, ...]]:
    for key in keys:
        at = at.set(key, (*at.get(key, ()), incident_id))
    return at


def unplaced(state: Information, fact: ReportUnplaced) -> Information:
    return state._replace(unplaced=state.unplaced.set((fact.report.sender, fact.report.message_id), fact))


def handed_over(state: Information, fact: ReportHandedOver) -> Information:
    return state._replace(unplaced=state.unplaced.delete((fact.report.sender, fact.report.message_id)))


def closed(state: Information, fact: IncidentClosed) -> Information:
    """The incident leaves; a trace of it stays so that what follows is linked, and goes with the memory's span."""
    incident = state.incidents[fact.incident_id]
    key = place_key(incident.place, incident.kind)
    at_place = state.at_place
    for indexed in incident.keys:
        others = tuple(one for one in at_place[indexed] if one != fact.incident_id)
        at_place = at_place.set(indexed, others) if others else at_place.delete(indexed)
    today = (fact.closed_at - EPOCH).days
    state = _forgotten(state, today)
    forget_on = (fact.closed_at + timedelta(seconds=fact.kept_s) - EPOCH).days + 1
    is_same_day = bool(state.closed) and state.closed[-1].forget_on == forget_on
    before = state.closed[-1].last if is_same_day else None
    trace = Closed(fact.incident_id, key, visits_key(incident.sightings[0]), incident.reports, before)
    return state._replace(
        incidents=state.incidents.delete(fact.incident_id),
        at_place=at_place,
        closed=(*(state.closed[:-1] if is_same_day else state.closed), ClosedDay(forget_on, trace)),
        closed_at=state.closed_at.set(key, fact.incident_id),
    )


def _forgotten(state: Information, today: int) -> Information:
    """Days whose memory is over leave whole, with everything that only they held."""
    over = [day for day in state.closed if day.forget_on <= today]
    if not over:
        return state
    of_report, closed_at, visits = state.of_report.mutate(), state.closed_at.mutate(), state.visits.mutate()
    for day in over:
        trace: Closed | None = day.last
        while trace is not None:
            for report in trace.reports:
                if of_report.get(report) == trace.incident_id:
                    del of_report[report]
            if closed_at.get(trace.place_key) == trace.incident_id:
                del closed_at[trace.place_key]
            left = visits.get(trace.visits_key, 0) - 1
            if left > 0:
                visits[trace.visits_key] = left
            else:
                visits.pop(trace.visits_key, None)
            trace = trace.before
    return state._replace(
        closed=tuple(day for day in state.closed if day.forget_on > today),
        of_report=of_report.finish(),
        closed_at=closed_at.finish(),
        visits=visits.finish(),
    )


def linked(state: Information, fact: IncidentsLinked) -> Information:
    today = (fact.linked_at - EPOCH).days
    forget_on = (fact.linked_at + timedelta(seconds=fact.kept_s) - EPOCH).days + 1
    state = _links_forgotten(state, today)
    days, is_new = state.link_days, fact.link_id not in state.links
    if is_new and days and days[-1].forget_on == forget_on:
        days = (*days[:-1], LinkDay(forget_on, (*days[-1].link_ids, fact.link_id)))
    elif is_new:
        days = (*days, LinkDay(forget_on, (fact.link_id,)))
    link = Link(fact.one, fact.other, fact.relation, fact.parent_id, fact.linked_at)
    return state._replace(
        links=state.links.set(fact.link_id, link), link_days=days, parents=_joined(state.parents, link)
    )


def _joined(parents: Map[str, str], link: Link) -> Map[str, str]:
    if link.parent_id is None or link.relation != "CHILD":
        return parents
    return parents.set(link.one.incident_id, link.parent_id).set(link.other.incident_id, link.parent_id)


def _links_forgotten(state: Information, today: int) -> Information:
    over = [day for day in state.link_days if day.forget_on <= today]
    if not over:
        return state
    links, parents = state.links.mutate(), state.parents.mutate()
    for link_id in (found for day in over for found in day.link_ids):
        if (link := links.pop(link_id, None)) is not None:
            parents.pop(link.one.incident_id, None)
            parents.pop(link.other.incident_id, None)
    kept = tuple(day for day in state.link_days if day.forget_on > today)
    return state._replace(links=links.finish(), parents=parents.finish(), link_days=kept)


def proposed(state: Information, fact: LinkProposed) -> Information:
    incident = state.incidents.get(fact.incident_id)
    if incident is None:
        return state
    grown = incident._replace(links=(*incident.links, (fact.link_id, fact.certainty)))
    return state._replace(incidents=state.incidents.set(fact.incident_id, grown))


def judged(state: Information, fact: LinkJudged) -> Information:
    link = Link(fact.one, fact.other, fact.relation, fact.parent_id, fact.judged_at)
    return state._replace(links=state.links.set(fact.link_id, link), parents=_joined(state.parents, link))


def unchanged(state: Information, fact: ReportStillUnplaced | AnswerAwaited | LinkNoted) -> Information:
    """What was told to people changes nothing here."""
    return state


def deadline(state: Information, fact: DeadlineSet | DeadlineEnded) -> Information:
    return state._replace(deadlines=deadlines.evolve(state.deadlines, fact))


EVOLVES: Evolves = {
    IncidentOpened: opened,
    ReportMerged: told_again,
    ReportRevised: told_again,
    ReportUnplaced: unplaced,
    ReportHandedOver: handed_over,
    IncidentClosed: closed,
    IncidentsLinked: linked,
    LinkProposed: proposed,
    LinkNoted: unchanged,
    LinkJudged: judged,
    DeadlineSet: deadline,
    DeadlineEnded: deadline,
    ReportStillUnplaced: unchanged,
    AnswerAwaited: unchanged,
}
