"""The clock alone: it says "due" in time, whatever its own wall clock, a lost request or a topic does to it."""

from datetime import timedelta

import pytest

from linkage.events.base import instant
from linkage.events.deadlines import AnswerUnknown, DeadlineDue, DeadlineSet
from linkage.events.envelope import InboxRecord, StagedFact
from linkage.runtime.clock import Clock
from linkage.runtime.progress import LoopLimits
from linkage.runtime.standstill import Outages, Standstill
from linkage.simulation.memory_broker import BrokerSettings, MemoryBroker
from linkage.simulation.memory_faults import LOST
from linkage.simulation.memory_log import MemoryLog
from linkage.simulation.small_county import NORTH, topic_rows
from linkage.simulation.virtual_time import VirtualTime
from linkage.topics import Topics

TOPICS = Topics("clock")
LIMITS = LoopLimits(clock_tick_ms=1_000, due_repeat_ms=5_000)
SPAN_S = 60
HOUR_MS = 3_600_000
OUTAGE_S = 40


class OneClock:
    """A clock that runs for one partition; nobody ends its deadlines."""

    def __init__(self) -> None:
        self.time = VirtualTime(1)
        self.broker = MemoryBroker(self.time, 1, BrokerSettings((0, 0), (0, 0)))
        for name, spec in topic_rows(TOPICS):
            self.broker.create_topic(name, spec.partitions or 1)
        self.process = self.time.process("worker")
        self.clock = Clock(MemoryLog(self.broker, self.process), self.process, TOPICS, 0, "log-0", LIMITS)
        self.process.spawn(self.clock.run(), "clock")

    def watch(self, deadline_id: str, answered_by: str) -> None:
        deadline = DeadlineSet(
            deadline_id=deadline_id,
            name="received",
            incident_id=None,
            subject=deadline_id,
            span_s=SPAN_S,
            due_at=instant(self.time.start_ms) + timedelta(seconds=SPAN_S),
            answered_by=answered_by,
        )
        self.clock.committed(NORTH, [StagedFact(stage="dispatch", fact=deadline)])

    def said(self, deadline_id: str) -> list[int]:
        """When it was said to be due, in seconds from the start."""
        return [
            (at_ms - self.time.start_ms) // 1_000
            for at_ms, letter in self._letters()
            if isinstance(letter.data, DeadlineDue) and letter.data.deadline_id == deadline_id
        ]

    def told_unknown(self, deadline_id: str) -> list[int]:
        """For how many seconds the answer was unknown, each time a person was told."""
        said = (letter.data for _, letter in self._letters())
        return [one.waited_s for one in said if isinstance(one, AnswerUnknown) and one.deadline_id == deadline_id]

    def _letters(self) -> list[tuple[int, InboxRecord]]:
        records = self.broker.committed_records(TOPICS.inbox)
        return [(one.timestamp_ms, InboxRecord.model_validate_json(one.value or b"")) for one in records]


def test_a_clock_that_was_fast_and_is_set_right_says_due_in_time() -> None:
    """What it said an hour early counts for nothing, and it does not wait an hour to say it again."""
    one = OneClock()
    one.process.clock_offset_ms = HOUR_MS
    one.watch("D-1", "health")
    one.time.run_for(20_000)
    one.process.clock_offset_ms = 0
    one.time.run_for(60_000)
    assert one.said("D-1")[0] < SPAN_S
    assert any(SPAN_S <= at < SPAN_S + 2 for at in one.said("D-1"))


@pytest.mark.parametrize("operation", ["append", "offsets", "partitions", "committed"])
def test_a_request_that_fails_loses_no_deadline(operation: str) -> None:
    """Whichever request of the tick fails, the deadline is said to be due soon after."""
    one = OneClock()
    one.watch("D-1", "health")
    for _ in range(2):
        one.broker.faults.inject(operation, LOST)
    one.time.run_for(150_000)
    assert one.said("D-1")


def test_a_topic_that_is_away_holds_up_only_its_own_deadlines() -> None:
    """Who answers on another topic is overdue in time; of this one nobody can know yet."""
    one = OneClock()
    one.watch("D-away", "health")
    one.watch("D-there", "emergency")
    one.broker.set_unreachable(TOPICS.reply("health"), True)
    one.time.run_for((SPAN_S + 40) * 1_000)
    assert one.said("D-there")
    assert not one.said("D-away")


def test_a_clock_that_is_an_hour_behind_says_due_in_time() -> None:
    """The append times that the hub reads say how late it is at least, whatever this machine's clock says."""
    one = OneClock()
    one.process.clock_offset_ms = -HOUR_MS
    one.watch("D-1", "health")
    one.time.run_for(20_000)
    one.clock.heard(one.time.start_ms + 20_000)
    one.time.run_for(60_000)
    assert any(SPAN_S <= at < SPAN_S + 2 for at in one.said("D-1"))


@pytest.mark.parametrize("began_s", [0, 30, 50])
def test_an_outage_makes_a_deadline_last_as_much_longer_and_a_person_is_told(began_s: int) -> None:
    """Nobody could answer meanwhile: of a minute in which the log was away for 40 s there are 40 s left, whenever."""
    one = OneClock()
    one.watch("D-1", "health")
    one.time.run_for(began_s * 1_000)
    each = [one.clock.standstill, *(Standstill(one.process, one.clock.outages, other) for other in (1, 2))]
    for standstill in each:
        standstill.asked()
        standstill.heard()
        standstill.asked()
    one.broker.stop_for(OUTAGE_S * 1_000)
    one.time.run_for(OUTAGE_S * 1_000)
    assert one.clock.standstill.is_open
    for standstill in each:
        standstill.heard()
    one.time.run_for(SPAN_S * 2_000)
    due_s = SPAN_S + OUTAGE_S
    assert due_s <= one.said("D-1")[0] <= due_s + 2
    assert one.told_unknown("D-1") == [OUTAGE_S]


def test_nothing_is_due_while_the_log_is_known_to_stand_still() -> None:
    """Asked and not answered: it may have stood still for long when it answers again."""
    one = OneClock()
    one.watch("D-1", "health")
    one.clock.standstill.missed()
    one.time.run_for(SPAN_S * 2_000)
    assert one.said("D-1") == []


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], 100),
        ([(20, 50)], 130),
        ([(20, 50), (20, 50), (21, 51)], 131),  # three partitions, one outage
        ([(-30, 10)], 110),  # it began before the deadline was set
        ([(20, 50), (110, 120)], 140),  # the second lies in what the first gave back
        ([(20, 50), (130, 140)], 130),
        ([(20, 90), (30, 40), (80, 95)], 175),
    ],
)
def test_an_outage_counts_once_however_many_partitions_it_had(spans: list[tuple[int, int]], expected: int) -> None:
    """A deadline set at 0 for 100 ms."""
    outages = Outages()
    outages.spans.extend(spans)
    assert outages.extended(0, 100) == expected
