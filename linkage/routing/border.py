"""Which neighbours hear of an incident near their border, and what two hubs and the county tell each other of links."""

from collections.abc import Iterator
from math import cos, radians

from linkage import identity, narration
from linkage.agents.desk import Desk
from linkage.events import information
from linkage.events.base import Place
from linkage.events.between_hubs import CompareIncident, HandOverReport, NoteLink, ProposeLink
from linkage.events.inbound import ReportIncident
from linkage.events.reference import Extent
from linkage.routing.address import Addressed, Route, To, tell

METRES_PER_DEGREE = 111_195.0

Told = information.IncidentOpened | information.ReportMerged | information.ReportRevised


def beside_the_border(fact: Told, desk: Desk) -> Iterator[Addressed]:
    """A question to each neighbour near whom it lies."""
    for township, question in near_neighbours(fact, desk):
        message_id = identity.message_id("compare", fact.report.sender, fact.report.message_id, desk.hub, township)
        yield Addressed(To.HUB, township, message_id, fact.incident_id, question)


def near_neighbours(fact: Told, desk: Desk) -> Iterator[tuple[str, CompareIncident]]:
    """(township, question) of everybody who may have the same event among his own."""
    report = _report_of(desk)
    if report is None:
        return
    supersedes = report.supersedes if isinstance(fact, information.IncidentOpened) else None
    question = CompareIncident(
        theirs=information.LinkedIncident(hub=desk.hub, incident_id=fact.incident_id),
        report=fact.report,
        kind=report.kind,
        place=report.place,
        occurred_at=fact.occurred_at,
        supersedes=supersedes,
    )
    content = desk.reference.content
    near = {one.township for one in content.neighbours if is_near(report.place, one.extent, desk)}
    # What it replaces was placed with somebody else, who may be anywhere in the county.
    told = content.townships if supersedes is not None else sorted(near)
    yield from ((township, question) for township in told if township != desk.hub)


def is_near(place: Place, extent: Extent | None, desk: Desk) -> bool:
    """Whether a point lies in a neighbour's box, or so near to it as policy says. What has no point is not near."""
    if place.latitude is None or place.longitude is None:
        return False
    if extent is None:
        return True
    reach_m = max(desk.policy.merging.border_m, place.accuracy_m or 0.0)
    north = reach_m / METRES_PER_DEGREE
    east = north / max(0.01, cos(radians(place.latitude)))
    return (
        extent.south - north <= place.latitude <= extent.north + north
        and extent.west - east <= place.longitude <= extent.east + east
    )


def _report_of(desk: Desk) -> ReportIncident | None:
    match desk.letter.data:
        case ReportIncident() as report:
            return report
        case HandOverReport() as moved:
            return moved.report
    return None


def _linked(fact: information.IncidentsLinked, desk: Desk) -> Iterator[Addressed]:
    text = narration.incidents_linked(fact, desk)
    yield from tell("incidents_linked", (), fact.link_id, text, desk, fact.certainty)
    yield from _noted(fact, desk, fact.certainty)


def _judged(fact: information.LinkJudged, desk: Desk) -> Iterator[Addressed]:
    text = narration.link_judged(fact)
    yield from tell("link_judged", (), fact.link_id, text, desk, desk.letter.message_id)
    yield from _noted(fact, desk, desk.letter.message_id)


def _noted(
    fact: information.IncidentsLinked | information.LinkJudged, desk: Desk, *more: object
) -> Iterator[Addressed]:
    """Both townships hear of it, where it spans two."""
    for ours, other in ((fact.one, fact.other), (fact.other, fact.one)):
        if ours.hub == desk.hub:
            continue
        note = NoteLink(link_id=fact.link_id, ours=ours, other=other, relation=fact.relation, parent_id=fact.parent_id)
        message_id = identity.message_id("note_link", fact.link_id, ours.hub, *more)
        yield Addressed(To.HUB, ours.hub, message_id, fact.link_id, note)


def _proposed(fact: information.LinkProposed, desk: Desk) -> Iterator[Addressed]:
    proposal = ProposeLink(
        link_id=fact.link_id,
        one=fact.theirs,
        other=fact.ours,
        certainty=fact.certainty,
        comparison=fact.comparison,
    )
    message_id = identity.message_id("propose_link", fact.link_id, desk.hub, fact.certainty)
    yield Addressed(To.HUB, identity.county_of(desk.hub), message_id, fact.link_id, proposal)


def _note_taken(fact: information.LinkNoted, desk: Desk) -> Iterator[Addressed]:
    yield from tell("link_noted", (), fact.incident_id, narration.link_noted(fact), desk, fact.link_id, fact.relation)


ROUTES: dict[type, Route] = {
    information.IncidentsLinked: _linked,
    information.LinkJudged: _judged,
    information.LinkProposed: _proposed,
    information.LinkNoted: _note_taken,
}
