"""The front desk's memory: how long a message id is known, record in, facts out."""

from datetime import UTC, datetime, timedelta

from linkage import engine
from linkage.engine import Hub, Step
from linkage.events.base import Counts, Place
from linkage.events.envelope import InboxRecord
from linkage.events.inbound import LoadReference, ReportIncident, WithdrawTeam
from linkage.events.reception import MessageRecorded, MessageRefused, MessageRepeated
from tests.small_county import COUNTY, NORTH, SLIDE, VILLAGE, reference

BEGIN = datetime(2026, 7, 1, tzinfo=UTC)
KEPT_DAYS = reference(NORTH).policy.limits.message_memory.seconds // 86_400


class Desk:
    """A township's hub that has its reference data, and is spoken to at stated days."""

    def __init__(self) -> None:
        self.hub = Hub(NORTH)
        self.says(0, "command", COUNTY, "load", "l", LoadReference(hub=NORTH, reference=reference(NORTH)))

    def says(self, day: float, kind: str, sender: str, message_id: str, digest: str, data: object) -> list[type]:
        """The types of the facts that follow."""
        letter = InboxRecord(
            log_id="log", hub=NORTH, kind=kind, sender=sender, message_id=message_id, digest=digest, data=data
        )
        step: Step = engine.step(self.hub, letter, BEGIN + timedelta(days=day))
        self.hub = step.hub
        return [type(staged.fact) for staged in step.facts]

    def reports(self, day: float, message_id: str, digest: str = "d") -> list[type]:
        place = Place(township=NORTH, village=VILLAGE[NORTH])
        report = ReportIncident(kind=SLIDE, place=place, counts=Counts(people_at_risk=3))
        return self.says(day, "report", "grid", message_id, digest, report)

    def withdraws(self, day: float) -> list[type]:
        """A command that names no order of this hub: refused, and remembered."""
        return self.says(day, "command", NORTH, "w-1", "bad", WithdrawTeam(order_id="O-0", reason="mistaken"))


def test_a_message_is_known_for_the_span_and_forgotten_after_it() -> None:
    """Given a report, then the same again is a repetition as long as the memory's span lasts, and new a day later."""
    desk = Desk()
    assert MessageRecorded in desk.reports(0, "r-1")
    assert desk.reports(KEPT_DAYS, "r-1") == [MessageRepeated]
    desk.reports(KEPT_DAYS + 2, "another")
    assert MessageRecorded in desk.reports(KEPT_DAYS + 2, "r-1")


def test_a_mended_message_is_known_from_the_day_on_which_it_was_mended() -> None:
    """Given a refusal and, days later, the mended message under its id: when the refusal is forgotten, it is not."""
    desk, mended = Desk(), ReportIncident(kind=SLIDE, place=Place(township=NORTH))
    assert desk.withdraws(0) == [MessageRefused]
    assert MessageRecorded in desk.says(KEPT_DAYS - 1, "report", NORTH, "w-1", "good", mended)
    desk.reports(KEPT_DAYS + 2, "another day")
    assert desk.says(KEPT_DAYS + 2, "report", NORTH, "w-1", "good", mended) == [MessageRepeated]


def test_a_refusal_is_the_same_until_it_is_forgotten() -> None:
    """Given a refused message, then the same bytes are refused for the same reason."""
    desk = Desk()
    assert desk.withdraws(0) == [MessageRefused]
    assert desk.withdraws(KEPT_DAYS) == [MessageRefused]
