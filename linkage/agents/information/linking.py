"""Incidents that are one event, or may be, and are not merged: in doubt, or across a township's border.

A hub tells its neighbour of an incident near the border; the neighbour compares it with its own by the same rule as any
report, keeps nothing of it, and proposes the link to the county's hub, which records it and tells both townships. Both
may propose the same link: its id is made of the two incidents, and the county records it once.
"""

from collections.abc import Iterator

from linkage import identity
from linkage.agents.desk import Desk
from linkage.agents.information import comparing
from linkage.agents.information.sighting import Sighting, sighting_of
from linkage.agents.information.state import Information, Link
from linkage.errors import Refusal
from linkage.events.between_hubs import CompareIncident, NoteLink, ProposeLink
from linkage.events.envelope import Fact
from linkage.events.inbound import JudgeLink
from linkage.events.information import (
    Certainty,
    Comparison,
    IncidentsLinked,
    LinkedIncident,
    LinkJudged,
    LinkNoted,
    LinkProposed,
    Relation,
    ReportReference,
)


def linked(open_one: str, other: str, certainty: Certainty, comparison: Comparison, desk: Desk) -> IncidentsLinked:
    """Two incidents of this hub: in doubt they are related and a person is asked, else they are one event."""
    link_id = identity.link_id(open_one, other)
    return IncidentsLinked(
        link_id=link_id,
        one=LinkedIncident(hub=desk.hub, incident_id=open_one),
        other=LinkedIncident(hub=desk.hub, incident_id=other),
        relation="RELATED" if certainty == "unsure" else "CHILD",
        parent_id=None if certainty == "unsure" else identity.parent_id(link_id),
        certainty=certainty,
        comparison=comparison,
        linked_at=desk.now,
        kept_s=desk.policy.limits.incident_memory.seconds,
    )


def corrected(state: Information, incident_id: str, sighting: Sighting, desk: Desk) -> Iterator[Fact]:
    """A revision whose corrected place lies with another open incident: teams may be under way to both, so they are
    linked, not merged."""
    match, candidates = comparing.best(state, sighting, desk.reference, apart_from=incident_id)
    if match is None or match.certainty == "unsure":
        return
    if identity.link_id(match.incident_id, incident_id) not in state.links:
        comparison = match.comparison(sighting, candidates)
        yield linked(match.incident_id, incident_id, "sure", comparison, desk)


def on_compare(state: Information, asked: CompareIncident, desk: Desk) -> Iterator[Fact]:
    """A neighbour's incident beside our own. What is not near any of ours changes nothing and is not kept."""
    found = _ours(state, asked, desk)
    if found is None:
        return
    incident_id, certainty, comparison = found
    link_id = identity.link_id(incident_id, asked.theirs.incident_id)
    incident = state.incidents.get(incident_id)
    known = incident.links if incident is not None else ()
    if (link_id, "sure") in known or (link_id, certainty) in known:
        return
    yield LinkProposed(
        link_id=link_id,
        incident_id=incident_id,
        ours=LinkedIncident(hub=desk.hub, incident_id=incident_id),
        theirs=asked.theirs,
        certainty=certainty,
        comparison=comparison,
    )


def _ours(state: Information, asked: CompareIncident, desk: Desk) -> tuple[str, Certainty, Comparison] | None:
    earlier = state.of_report.get((asked.report.sender, asked.supersedes or ""))
    if earlier is not None:
        superseded = ReportReference(sender=asked.report.sender, message_id=asked.supersedes or "")
        revision = Comparison(
            compared_with=superseded, rule="revision", reasons=("supersedes",), seconds_apart=0, limit_s=0
        )
        return earlier, "sure", revision
    sighting = sighting_of((asked.report.sender, asked.report.message_id), asked.kind, asked.place, asked.occurred_at)
    match, candidates = comparing.best(state, sighting, desk.reference)
    return (match.incident_id, match.certainty, match.comparison(sighting, candidates)) if match else None


def on_proposal(state: Information, proposed: ProposeLink, desk: Desk) -> Iterator[Fact]:
    """The county records a link once; a sure one replaces an unsure one that nobody has judged."""
    known = state.links.get(proposed.link_id)
    if known is not None and not (known.relation == "RELATED" and proposed.certainty == "sure"):
        return
    parent_id = _parent_of(state, proposed) if proposed.certainty == "sure" else None
    yield IncidentsLinked(
        link_id=proposed.link_id,
        one=proposed.one,
        other=proposed.other,
        relation="CHILD" if proposed.certainty == "sure" else "RELATED",
        parent_id=parent_id,
        certainty=proposed.certainty,
        comparison=proposed.comparison,
        linked_at=desk.now,
        kept_s=desk.policy.limits.incident_memory.seconds,
    )


def _parent_of(state: Information, link: ProposeLink | Link, link_id: str = "") -> str:
    """The parent that one of them has already, or a new one."""
    known = state.parents.get(link.one.incident_id) or state.parents.get(link.other.incident_id)
    return known or identity.parent_id(link.link_id if isinstance(link, ProposeLink) else link_id)


def on_note(state: Information, note: NoteLink, desk: Desk) -> Iterator[Fact]:
    """What the county says of a link is written down beside the incident, open or closed."""
    yield LinkNoted(
        link_id=note.link_id,
        incident_id=note.ours.incident_id,
        other=note.other,
        relation=note.relation,
        parent_id=note.parent_id,
    )


def on_judgement(state: Information, judged: JudgeLink, desk: Desk) -> Iterator[Fact]:
    link = state.links.get(judged.link_id)
    if link is None:
        raise Refusal(
            "no_such_link",
            f"hub {desk.hub} has no link {judged.link_id}: it is forgotten, or another hub's "
            "(links across a border are the county's)",
        )
    relation: Relation = "CHILD" if judged.is_one_event else "UNLINK"
    spans = link.one.hub != link.other.hub
    yield LinkJudged(
        link_id=judged.link_id,
        one=link.one,
        other=link.other,
        relation=relation,
        parent_id=_parent_of(state, link, judged.link_id) if judged.is_one_event and spans else None,
        reason=judged.reason,
        signed_by=judged.signed_by,
        judged_at=desk.now,
    )
