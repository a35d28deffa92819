"""What `information` decides on each event."""

from collections.abc import Iterator
from datetime import datetime

from linkage import identity
from linkage.agents import deadlines, orders
from linkage.agents.desk import Decides, Desk
from linkage.agents.information import comparing, linking
from linkage.agents.information.sighting import sighting_of
from linkage.agents.information.state import Information, place_key
from linkage.errors import Refusal
from linkage.events.between_hubs import CompareIncident, HandOverReport, NoteLink, ProposeLink
from linkage.events.deadlines import AnswerUnknown, DeadlineDue
from linkage.events.envelope import Fact
from linkage.events.inbound import CloseIncident, JudgeLink, PlaceReport, ReportIncident
from linkage.events.information import (
    Comparison,
    IncidentClosed,
    IncidentOpened,
    ReportHandedOver,
    ReportMerged,
    ReportReference,
    ReportRevised,
    ReportStillUnplaced,
    ReportUnplaced,
)

PLACE_REPORT = "place_report"


def on_report(state: Information, report: ReportIncident, desk: Desk) -> Iterator[Fact]:
    letter = desk.letter
    reference = ReportReference(sender=letter.sender, message_id=letter.message_id)
    if report.place.hub != desk.hub:
        yield ReportUnplaced(
            report=reference, digest=letter.digest, sent_at=letter.sent_at, content=report, unplaced_at=desk.now
        )
        yield deadlines.opened(
            desk,
            name=PLACE_REPORT,
            subject=f"{letter.sender}/{letter.message_id}",
            incident_id=None,
            span_s=desk.policy.limits.place_report.seconds,
            answered_by=desk.reference.content.post,
        )
        return
    yield from placed(state, report, reference, letter.sent_at, desk)


def on_hand_over(state: Information, moved: HandOverReport, desk: Desk) -> Iterator[Fact]:
    """The county's desk placed it here: it is decided as if it had come here at once."""
    reference = ReportReference(sender=moved.sender, message_id=moved.message_id)
    yield from placed(state, moved.report, reference, moved.sent_at, desk)


def placed(
    state: Information, report: ReportIncident, reference: ReportReference, sent_at: datetime | None, desk: Desk
) -> Iterator[Fact]:
    """What a report of this township is: a revision, one more about an open incident, or the first of a new one."""
    occurred_at = report.occurred_at or sent_at or desk.now
    sighting = sighting_of((reference.sender, reference.message_id), report.kind, report.place, occurred_at)
    if (earlier := _revised(state, report, reference)) is not None:
        yield ReportRevised(
            incident_id=earlier,
            report=reference,
            supersedes=report.supersedes or "",
            revision=report.revision,
            counts=report.counts,
            summary=report.summary,
            occurred_at=occurred_at,
            revised_at=desk.now,
            kind=report.kind,
            place=report.place,
        )
        yield from linking.corrected(state, earlier, sighting, desk)
        return
    match, candidates = comparing.best(state, sighting, desk.reference)
    comparison = match.comparison(sighting, candidates) if match else None
    if match is not None and comparison is not None and match.certainty == "sure":
        yield _merged(report, reference, occurred_at, match.incident_id, comparison, desk)
        return
    opened = _first(state, report, reference, occurred_at, desk)
    yield opened
    if match is not None and comparison is not None:
        yield linking.linked(match.incident_id, opened.incident_id, "unsure", comparison, desk)


def _merged(
    report: ReportIncident,
    reference: ReportReference,
    occurred_at: datetime,
    incident_id: str,
    comparison: Comparison,
    desk: Desk,
) -> ReportMerged:
    return ReportMerged(
        incident_id=incident_id,
        report=reference,
        counts=report.counts,
        summary=report.summary,
        occurred_at=occurred_at,
        merged_at=desk.now,
        seconds_apart=comparison.seconds_apart,
        window_s=comparison.limit_s,
        kind=report.kind,
        place=report.place,
        comparison=comparison,
    )


def _first(
    state: Information, report: ReportIncident, reference: ReportReference, occurred_at: datetime, desk: Desk
) -> IncidentOpened:
    return IncidentOpened(
        incident_id=identity.incident_id(desk.hub, reference.sender, reference.message_id),
        report=reference,
        kind=report.kind,
        place=report.place,
        counts=report.counts,
        summary=report.summary,
        life_at_risk=report.life_at_risk,
        exercise=report.exercise,
        occurred_at=occurred_at,
        opened_at=desk.now,
        follows=_follows(state, report),
    )


def _revised(state: Information, report: ReportIncident, reference: ReportReference) -> str | None:
    """The open incident of the report that this one supersedes; of the same sender only."""
    if report.supersedes is None:
        return None
    incident = state.of_report.get((reference.sender, report.supersedes))
    return incident if incident in state.incidents else None


def on_place(state: Information, command: PlaceReport, desk: Desk) -> Iterator[Fact]:
    key = (command.report_sender, command.report_id)
    waiting = state.unplaced.get(key)
    if waiting is None:
        raise Refusal(
            "no_such_unplaced_report",
            f"no unplaced report {command.report_id} of {command.report_sender} waits at hub {desk.hub}: "
            "it was placed already, or the sender's name or id is misspelt",
        )
    if command.township not in desk.reference.content.townships:
        raise Refusal(
            "no_such_township",
            f"{command.township} is no township of county {desk.hub}; its townships are "
            f"{desk.reference.content.townships[0]} to {desk.reference.content.townships[-1]}",
        )
    yield ReportHandedOver(
        report=waiting.report,
        digest=waiting.digest,
        sent_at=waiting.sent_at,
        content=waiting.content,
        township=command.township,
        reason=command.reason,
    )
    subject = f"{key[0]}/{key[1]}"
    yield from deadlines.ended(state.deadlines, subject, "met", f"placed in {command.township}")


def on_close(state: Information, command: CloseIncident, desk: Desk) -> Iterator[Fact]:
    if command.incident_id not in state.incidents:
        raise Refusal(
            "no_such_open_incident",
            f"hub {desk.hub} has no open incident {command.incident_id}: it is closed already, or another hub's",
        )
    yield IncidentClosed(
        incident_id=command.incident_id,
        reason=command.reason,
        signed_by=command.signed_by,
        closed_at=desk.now,
        kept_s=desk.policy.limits.incident_memory.seconds,
    )


def on_due(state: Information, due: DeadlineDue, desk: Desk) -> Iterator[Fact]:
    if (deadline := deadlines.overdue(state.deadlines, due, desk)) is None:
        return
    reason = f"not placed within {deadline.span_s} s"
    yield from deadlines.ended(state.deadlines, deadline.subject, "overdue", reason)
    told, following = orders.escalated(deadline, desk)
    yield ReportStillUnplaced(subject=deadline.subject, rung=deadline.rung + 1, told=told, limit_s=deadline.span_s)
    yield from following


def on_unknown(state: Information, unknown: AnswerUnknown, desk: Desk) -> Iterator[Fact]:
    yield from deadlines.awaited(state.deadlines, unknown)


def _follows(state: Information, report: ReportIncident) -> str | None:
    """The latest closed incident of the same place and kind."""
    return state.closed_at.get(place_key(report.place, report.kind))


DECIDES: Decides = {
    ReportIncident: on_report,
    HandOverReport: on_hand_over,
    PlaceReport: on_place,
    CloseIncident: on_close,
    CompareIncident: linking.on_compare,
    ProposeLink: linking.on_proposal,
    NoteLink: linking.on_note,
    JudgeLink: linking.on_judgement,
    DeadlineDue: on_due,
    AnswerUnknown: on_unknown,
}
