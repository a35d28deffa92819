"""No silent stall: a loop that hangs, or has work and makes none, is noticed and begun anew, alone, and goes on."""

from collections.abc import Callable
from typing import Any

import pytest

from linkage.events.base import instant
from linkage.events.deadlines import DeadlineDue, DeadlineSet
from linkage.events.envelope import InboxRecord, JournalRecord, StagedFact
from linkage.runtime.clock import Clock
from linkage.runtime.hub import HubLoop
from linkage.runtime.ingress import Ingress
from linkage.runtime.ports import Outgoing, TopicPartition
from linkage.runtime.progress import LoopLimits, Progress
from linkage.runtime.stage_publisher import StagePublisher
from linkage.simulation.cluster import Cluster
from linkage.simulation.small_county import COUNTY, registry, topic_rows
from linkage.topics import Topics

TOPICS = Topics("stalls")
LIMITS = LoopLimits(stall_limit_ms=25_000)
FOR_EVER_MS = 10**9
LOOK_LIMIT_MS = 3_000
"""The watch comes round each second, and asks the log."""
LOOPS = {
    "ingress": (Ingress, "_admit_list"),
    "hub.0": (HubLoop, "_serve_list"),
    "clock.0": (Clock, "tick"),
    "publisher.0": (StagePublisher, "_publish_list"),
}


class OneWorker:
    """A worker with one partition; one of its loops hangs, once, from when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, loop: str) -> None:
        self.cluster = Cluster(1, TOPICS, topic_rows(TOPICS), 1, limits=LIMITS)
        self.hangs_next = False
        self.is_hung = False
        self._plant(monkeypatch, *LOOPS[loop])
        self.loop = loop
        self.cluster.broker.append(TopicPartition(TOPICS.registry, 0), self._registry())
        self.cluster.add_workers(1)
        member = self.cluster.workers[0].member
        self.cluster.run_until(lambda: 0 in member.leases and member.is_ready, 60_000)

    def _registry(self) -> list[Outgoing]:
        return [
            Outgoing(TOPICS.registry, 0, entry.party.id.encode(), entry.model_dump_json().encode())
            for entry in registry()
        ]

    def _plant(self, monkeypatch: pytest.MonkeyPatch, kind: type[Any], method: str) -> None:
        original = getattr(kind, method)

        async def planted(one: Any, *arguments: Any) -> None:
            if self.hangs_next:
                self.hangs_next, self.is_hung = False, True
                await one.time.sleep(FOR_EVER_MS)
            await original(one, *arguments)

        monkeypatch.setattr(kind, method, planted)

    @property
    def progress(self) -> Progress:
        return next(one for one in self.cluster.workers[0].member.progresses() if one.name == self.loop)

    @property
    def is_stalled(self) -> bool:
        return self.progress.is_stalled(self.cluster.workers[0].process.monotonic_ms(), LIMITS.stall_limit_ms)

    def give_work(self) -> Callable[[], bool]:
        """For the loop that hangs. Returns whether it is done."""
        if self.loop == "clock.0":
            self.cluster.workers[0].member.leases[0].clock.committed(COUNTY, [self._deadline()])
            return lambda: any(isinstance(one.data, DeadlineDue) for one in self.inbox())
        report = Outgoing(TOPICS.report("grid"), 0, b"grid", b"junk")
        self.cluster.broker.append(TopicPartition(report.topic, 0), [report])
        if self.loop == "publisher.0":
            return lambda: bool(self.cluster.broker.committed_records(TOPICS.stage("reception")))
        return lambda: bool(self.journaled())

    def _deadline(self) -> StagedFact:
        due_at = instant(self.cluster.time.world.now_ms())
        deadline = DeadlineSet(
            deadline_id="D", name="n", incident_id=None, subject="s", span_s=0, due_at=due_at, answered_by=None
        )
        return StagedFact(stage="dispatch", fact=deadline)

    def inbox(self) -> list[InboxRecord]:
        records = self.cluster.broker.committed_records(TOPICS.inbox)
        return [InboxRecord.model_validate_json(one.value or b"") for one in records]

    def journaled(self) -> list[JournalRecord]:
        records = self.cluster.broker.committed_records(TOPICS.journal)[1:]
        return [JournalRecord.model_validate_json(one.value or b"") for one in records]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_that_hangs_is_begun_anew_and_goes_on(monkeypatch: pytest.MonkeyPatch, loop: str) -> None:
    """Stalled after the limit and not before; begun anew within the watch's next round; its work is done."""
    one = OneWorker(monkeypatch, loop)
    member = one.cluster.workers[0].member
    one.hangs_next = True
    one.cluster.run_until(lambda: one.is_hung, 1_000)
    hung_ms = one.cluster.time.world.monotonic_ms()
    is_done = one.give_work()
    one.cluster.run_until(lambda: one.is_stalled, LIMITS.stall_limit_ms + LOOK_LIMIT_MS)
    assert one.cluster.time.world.monotonic_ms() - hung_ms > LIMITS.stall_limit_ms - LOOK_LIMIT_MS
    assert not is_done()
    one.cluster.run_until(lambda: member.restarts == 1, LOOK_LIMIT_MS)
    one.cluster.run_until(is_done, LOOK_LIMIT_MS)
    assert one.progress.is_told_as_stalled(member.time.monotonic_ms(), LIMITS.stall_limit_ms, LIMITS.stall_told_ms)
    one.cluster.time.run_for(2 * LIMITS.stall_limit_ms)
    assert member.restarts == 1
    assert not one.progress.is_told_as_stalled(member.time.monotonic_ms(), LIMITS.stall_limit_ms, LIMITS.stall_told_ms)
    one.cluster.close()


def test_only_the_stalled_loop_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage publisher that hangs holds no hub up: the hub's loop goes on with the epoch it has."""
    one = OneWorker(monkeypatch, "publisher.0")
    member = one.cluster.workers[0].member
    hub, taken_over = member.leases[0].tasks["hub"], member.leases[0].hub.progress.taken_over
    one.hangs_next = True
    one.give_work()
    one.cluster.run_until(lambda: member.restarts == 1, LIMITS.stall_limit_ms + 2 * LOOK_LIMIT_MS)
    assert member.leases[0].tasks["hub"] is hub
    assert member.leases[0].hub.progress.taken_over == taken_over
    one.cluster.close()


def test_reading_nothing_while_there_is_something_is_no_progress() -> None:
    """A reader that comes back empty for ever has stalled, however often it comes back."""
    progress = Progress("hub.0")
    progress.moved(5, 0)
    progress.saw_end(9, 0)
    for now_ms in range(0, 31_000, 100):
        progress.moved(5, now_ms)
    assert progress.is_stalled(30_001, 30_000)
    progress.moved(6, 31_000)
    assert not progress.is_stalled(31_001, 30_000)


def test_a_long_recovery_is_no_stall() -> None:
    """Folding a journal takes as long as it takes: it comes round with every list."""
    progress = Progress("hub.0")
    progress.saw_end(9, 0)
    progress.prepared(29_000)
    assert not progress.is_stalled(58_000, 30_000)
    assert progress.is_stalled(60_000, 30_000)
