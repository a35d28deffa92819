"""Who hears of reports, incidents and levels."""

from collections.abc import Iterator

from linkage import identity, narration
from linkage.agents.desk import Desk
from linkage.events import information
from linkage.events.assessment import IncidentAssessed
from linkage.events.between_hubs import (
    HandOverReport,
)
from linkage.routing.address import Addressed, Route, To, tell
from linkage.routing.border import beside_the_border


def _incident_opened(fact: information.IncidentOpened, desk: Desk) -> Iterator[Addressed]:
    yield from tell("incident_opened", (), fact.incident_id, narration.incident_opened(fact, desk), desk)
    yield from beside_the_border(fact, desk)


def _unplaced(fact: information.ReportUnplaced, desk: Desk) -> Iterator[Addressed]:
    subject = f"{fact.report.sender}/{fact.report.message_id}"
    yield from tell("report_unplaced", (), subject, narration.report_unplaced(fact), desk)


def _still_unplaced(fact: information.ReportStillUnplaced, desk: Desk) -> Iterator[Addressed]:
    text = narration.still_unplaced(fact)
    yield from tell("report_still_unplaced", (fact.told,), fact.subject, text, desk, fact.rung)


def _handed_over(fact: information.ReportHandedOver, desk: Desk) -> Iterator[Addressed]:
    message = HandOverReport(
        sender=fact.report.sender,
        message_id=fact.report.message_id,
        digest=fact.digest,
        sent_at=fact.sent_at,
        report=fact.content.model_copy(
            update={
                "place": fact.content.place.model_copy(
                    update={"township": fact.township, "village": None, "group": None}
                )
            }
        ),
        reason=fact.reason,
    )
    message_id = identity.message_id("hand_over", fact.report.sender, fact.report.message_id, fact.township)
    yield Addressed(To.HUB, fact.township, message_id, fact.report.message_id, message)


def _assessed(fact: IncidentAssessed, desk: Desk) -> Iterator[Addressed]:
    if fact.unknown and fact.previous is None:
        yield from tell("numbers_wanted", (), fact.incident_id, narration.numbers_wanted(fact), desk)


ROUTES: dict[type, Route] = {
    information.IncidentOpened: _incident_opened,
    information.ReportMerged: beside_the_border,
    information.ReportRevised: beside_the_border,
    information.ReportUnplaced: _unplaced,
    information.ReportStillUnplaced: _still_unplaced,
    information.ReportHandedOver: _handed_over,
    IncidentAssessed: _assessed,
}
