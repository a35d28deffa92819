"""How facts change what `information` knows. Nothing is judged here."""

from dataclasses import replace
from datetime import timedelta

from linkage.agents import deadlines
from linkage.agents.desk import Evolves
from linkage.agents.information.state import Closed, Incident, Information, place_key
from linkage.events.deadlines import AnswerAwaited, DeadlineEnded, DeadlineSet
from linkage.events.information import (
    IncidentClosed,
    IncidentOpened,
    ReportHandedOver,
    ReportMerged,
    ReportRevised,
    ReportStillUnplaced,
    ReportUnplaced,
)


def opened(state: Information, fact: IncidentOpened) -> Information:
    key = place_key(fact.place, fact.kind)
    report = (fact.report.sender, fact.report.message_id)
    incident = Incident(fact.incident_id, fact.kind, fact.place, fact.occurred_at, fact.opened_at, (report,))
    return replace(
        state,
        incidents=state.incidents.set(fact.incident_id, incident),
        at_place=state.at_place.set(key, (*state.at_place.get(key, ()), fact.incident_id)),
        of_report=state.of_report.set(report, fact.incident_id),
    )


def told_again(state: Information, fact: ReportMerged | ReportRevised) -> Information:
    incident = state.incidents[fact.incident_id]
    report = (fact.report.sender, fact.report.message_id)
    grown = replace(
        incident,
        reports=(*incident.reports, report),
        last_occurred_at=max(incident.last_occurred_at, fact.occurred_at),
    )
    return replace(
        state,
        incidents=state.incidents.set(fact.incident_id, grown),
        of_report=state.of_report.set(report, fact.incident_id),
    )


def unplaced(state: Information, fact: ReportUnplaced) -> Information:
    return replace(state, unplaced=state.unplaced.set((fact.report.sender, fact.report.message_id), fact))


def handed_over(state: Information, fact: ReportHandedOver) -> Information:
    return replace(state, unplaced=state.unplaced.delete((fact.report.sender, fact.report.message_id)))


def closed(state: Information, fact: IncidentClosed) -> Information:
    """The incident leaves; a trace of it stays so that what follows is linked, and goes with the memory's span."""
    incident = state.incidents[fact.incident_id]
    key = place_key(incident.place, incident.kind)
    others = tuple(one for one in state.at_place[key] if one != fact.incident_id)
    trace = Closed(fact.incident_id, fact.closed_at + timedelta(seconds=fact.kept_s), key, incident.reports)
    forgotten = [one for one in state.closed if one.forget_at <= fact.closed_at]
    of_report = state.of_report
    for report in (report for one in forgotten for report in one.reports):
        of_report = of_report.delete(report) if report in of_report else of_report
    return replace(
        state,
        incidents=state.incidents.delete(fact.incident_id),
        at_place=state.at_place.set(key, others) if others else state.at_place.delete(key),
        of_report=of_report,
        closed=(*(one for one in state.closed if one.forget_at > fact.closed_at), trace),
    )


def unchanged(state: Information, fact: ReportStillUnplaced | AnswerAwaited) -> Information:
    """What was told to people changes nothing here."""
    return state


def deadline(state: Information, fact: DeadlineSet | DeadlineEnded) -> Information:
    return replace(state, deadlines=deadlines.evolve(state.deadlines, fact))


EVOLVES: Evolves = {
    IncidentOpened: opened,
    ReportMerged: told_again,
    ReportRevised: told_again,
    ReportUnplaced: unplaced,
    ReportHandedOver: handed_over,
    IncidentClosed: closed,
    DeadlineSet: deadline,
    DeadlineEnded: deadline,
    ReportStillUnplaced: unchanged,
    AnswerAwaited: unchanged,
}
