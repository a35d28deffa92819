"""One leased hub partition: its hub loop, its clock, its stage publisher, started and stopped together."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from linkage.errors import ForeignLog, UnknownFact
from linkage.runtime.clock import Clock
from linkage.runtime.hub import HubLoop
from linkage.runtime.ports import Log, Task, Time
from linkage.runtime.progress import LoopLimits, Progress
from linkage.runtime.stage_publisher import StagePublisher
from linkage.runtime.standstill import Outages, Standstill
from linkage.topics import Topics

_LOG = structlog.get_logger("linkage.worker")

CANCEL_LIMIT_MS = 20_000
"""A loop that has not even ended so long after it was cancelled ends the process."""


@dataclass(slots=True)
class Lease:
    """What runs while a hub partition is assigned to this worker."""

    log: Log
    time: Time
    topics: Topics
    partition: int
    log_ids: dict[int, str]
    limits: LoopLimits
    is_assigned: Callable[[], bool]
    on_fatal: Callable[[BaseException], None]
    outages: Outages = field(default_factory=Outages)
    hub: HubLoop = field(init=False)
    clock: Clock = field(init=False)
    publisher: StagePublisher = field(init=False)
    tasks: dict[str, Task] = field(default_factory=dict)
    is_restarting: bool = False

    def __post_init__(self) -> None:
        log_id = self.log_ids[self.partition]
        self.clock = Clock(self.log, self.time, self.topics, self.partition, log_id, self.limits, outages=self.outages)
        self.hub = HubLoop(
            self.log,
            self.time,
            self.topics,
            self.partition,
            self.log_ids,
            self.limits,
            self.is_assigned,
            on_taken_over=self.clock.taken_over,
            on_committed=self.clock.committed,
            on_read=self.clock.heard,
        )
        self.publisher = StagePublisher(self.log, self.time, self.topics, self.partition, log_id, self.limits)

    def start(self) -> None:
        """Starts the three loops. Never waits: it is called from a rebalance."""
        for name in self._loops:
            self._spawn(name)

    @property
    def _loops(self) -> dict[str, tuple[Callable[[], Coroutine[Any, Any, None]], Progress]]:
        return {
            "hub": (self.hub.run, self.hub.progress),
            "clock": (self.clock.run, self.clock.progress),
            "publisher": (self.publisher.run, self.publisher.progress),
        }

    def _spawn(self, name: str) -> None:
        loop, _ = self._loops[name]
        self.tasks[name] = self.time.spawn(self._guarded(name, loop), f"{name}.{self.partition}")

    async def begin_stalled_anew(self, is_stalled: Callable[[Progress], bool]) -> list[str]:
        """Ends each of its loops that is stalled and spawns it again; the others go on. Returns their names."""
        stalled = [name for name, (_, progress) in self._loops.items() if is_stalled(progress)]
        for name in stalled:
            self.is_restarting = True
            try:
                await self._begin_anew(name)
            finally:
                self.is_restarting = False
        return stalled

    async def _begin_anew(self, name: str) -> None:
        _, progress = self._loops[name]
        _LOG.error("stalled", loop=progress.name, partition=self.partition, limit_ms=self.limits.stall_limit_ms)
        await cancelled(self.time, self.tasks[name], self.on_fatal)
        if not self.hub.is_stopping:
            progress.restarted(self.time.monotonic_ms())
            self._spawn(name)

    async def _guarded(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A partition that must be refused waits for a person; anything else unforeseen ends the process."""
        try:
            await loop()
        except (ForeignLog, UnknownFact) as error:
            _LOG.error("partition_refused", partition=self.partition, reason=str(error))
        except Exception as error:
            _LOG.exception("loop_failed", loop=name, partition=self.partition)
            self.on_fatal(error)

    @property
    def is_over(self) -> bool:
        """The hub loop has ended by itself: it lost its assignment, or the partition is refused."""
        return not self.is_restarting and self.tasks["hub"].done()

    @property
    def standstill(self) -> Standstill:
        return self.clock.standstill

    @property
    def progresses(self) -> tuple[Progress, Progress, Progress]:
        return self.hub.progress, self.clock.progress, self.publisher.progress

    async def stop(self, drain_limit_ms: int) -> None:
        """Lets the step in flight end, then ends what is left. Returns when nothing of it runs any more."""
        self.hub.is_stopping = self.clock.is_stopping = self.publisher.is_stopping = True
        await ended(self.time, list(self.tasks.values()), drain_limit_ms)


async def cancelled(time: Time, task: Task, on_fatal: Callable[[BaseException], None]) -> None:
    """Ends a task that hangs; when even that hangs, the process ends."""
    task.cancel()
    try:
        await time.within(CANCEL_LIMIT_MS, task.wait())
    except TimeoutError as error:
        on_fatal(error)


async def ended(time: Time, tasks: list[Task], limit_ms: int) -> None:
    """Waits for all of them within one limit, then cancels whoever is late and waits for that."""
    stop_at_ms = time.monotonic_ms() + limit_ms
    for task in tasks:
        try:
            await time.within(max(1, stop_at_ms - time.monotonic_ms()), task.wait())
        except TimeoutError:
            task.cancel()
            await task.wait()
