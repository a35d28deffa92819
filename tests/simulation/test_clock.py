"""The clock alone: it says "due" in time, whatever its own wall clock, a lost request or a topic does to it."""

from datetime import timedelta

import pytest

from linkage.events.base import instant
from linkage.events.deadlines import DeadlineDue, DeadlineSet
from linkage.events.envelope import InboxRecord, StagedFact
from linkage.runtime.clock import Clock
from linkage.runtime.progress import LoopLimits
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
        records = self.broker.committed_records(TOPICS.inbox)
        letters = [(one.timestamp_ms, InboxRecord.model_validate_json(one.value or b"")) for one in records]
        return [
            (at_ms - self.time.start_ms) // 1_000
            for at_ms, letter in letters
            if isinstance(letter.data, DeadlineDue) and letter.data.deadline_id == deadline_id
        ]


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
