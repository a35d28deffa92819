"""What is over is forgotten when its time has come, in the order in which it ended, whatever day that is."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from linkage.agents import over

BEGIN = datetime(2026, 7, 1, 22, 0, tzinfo=UTC)
HOURS = st.integers(0, 24 * 40)


class Listed:
    """The same, as one list that is looked through from end to end."""

    def __init__(self) -> None:
        self.entries: list[tuple[datetime, str]] = []

    def due(self, now: datetime) -> list[str]:
        return [subject for at, subject in self.entries if at <= now]

    def with_ended(self, subject: str, forget_at: datetime) -> None:
        self.without([subject])
        self.entries.append((forget_at, subject))

    def without(self, subjects: list[str]) -> None:
        self.entries = [entry for entry in self.entries if entry[1] not in subjects]


def _later(hours: int) -> datetime:
    return BEGIN + timedelta(hours=hours)


@given(st.lists(st.tuples(st.integers(0, 30), HOURS, HOURS, st.booleans()), max_size=60))
def test_it_is_a_list_that_is_not_looked_through(ends: list[tuple[int, int, int, bool]]) -> None:
    """Given ends in any order of instants, also of the same subject again, then it says what a list would say.

    Not everything that is due is forgotten at once: a team may still be out.
    """
    kept, listed = over.NOTHING, Listed()
    for number, forget_hours, now_hours, is_every_team_back in ends:
        due = kept.due(_later(now_hours))
        assert due == listed.due(_later(now_hours))
        gone = due if is_every_team_back else due[1::2]
        kept = kept.without(gone).with_ended(f"I-{number}", _later(forget_hours))
        listed.without(gone)
        listed.with_ended(f"I-{number}", _later(forget_hours))
    assert kept.due(_later(10_000)) == listed.due(_later(10_000))
    assert sum(map(len, kept.by_day.values())) == len(kept.day_of) == len(listed.entries)


def test_who_is_not_there_is_nobody_to_forget() -> None:
    kept = over.NOTHING.with_ended("I-1", _later(1))
    assert kept.without(["I-2"]) == kept
    assert kept.without(["I-1"]).by_day == over.NOTHING.by_day


def test_only_days_that_have_come_are_looked_at() -> None:
    """Given the instant of forgetting is the very day's, then not before it, and from then on."""
    kept = over.NOTHING.with_ended("I-1", _later(1))
    assert kept.due(_later(1) - timedelta(microseconds=1)) == []
    assert kept.due(_later(1)) == kept.due(_later(30)) == ["I-1"]
