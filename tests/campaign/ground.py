"""What every fault stands on: a county at work, its workers, three brokers, seeded chance; and what is measured."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

from tests.campaign.brokers import Brokers
from tests.campaign.field import Field
from tests.kafka_journal import Journal, Journaled
from tests.kafka_worker import NOTHING, LogLine, Plan, WorkerProcess

WORKERS_COUNT = 2
SHARE_LIMIT_S = 90.0
FACT_LIMIT_S = 60.0
BURST_RECORDS = 32
"""So that 200 faults are struck over 5,000 calls and more."""
UNDER_BURSTS_LIMIT_S = 90.0
"""A party's topic that failed is not tried again for 30 s, and then something must be sent there."""
POLL_S = 0.1
TAKEN_OVER_LIMIT_MS = 30_000
"""What comes later than this after a fault is no take-over, but the next thing to do."""


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that happened. `concerned`: the hub partitions that somebody had to take over."""

    at_ms: int
    concerned: frozenset[int]
    evidence: str
    undecided_at_least: int = 0
    """So many records had come and were not decided at that instant; looked at when the county has settled."""


@dataclass(slots=True)
class Ground:
    field: Field
    brokers: Brokers
    chance: Random
    tell: Callable[[str], None] = print
    pool: list[WorkerProcess] = field(default_factory=list)
    shares: dict[str, frozenset[int]] = field(default_factory=dict)
    _names: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def every_partition(self) -> frozenset[int]:
        return frozenset(range(self.field.settings.partitions_count))

    # Workers

    def started(self, plan: Plan = NOTHING) -> WorkerProcess:
        """A worker more, which the pool counts on."""
        worker = self.field.start_worker(f"worker-{next(self._names)}", plan)
        self.pool.append(worker)
        return worker

    async def whole(self) -> None:
        """Two workers are ready and share the partitions; every broker is up and in sync.

        Not more: of six partitions Faust gives each of four workers two, and the fourth none.
        """
        self.pool = [worker for worker in self.pool if worker.is_running]
        while len(self.pool) > WORKERS_COUNT:
            await self.retire(self.pool[0])
        while len(self.pool) < WORKERS_COUNT:
            self.started()
        await self.share(*self.pool)
        await self.brokers.in_sync()

    async def share(self, *workers: WorkerProcess) -> None:
        shares = await self.field.shared(*workers, limit_s=SHARE_LIMIT_S)
        self.shares = {worker.name: share for worker, share in zip(workers, shares, strict=True)}

    def any_worker(self) -> WorkerProcess:
        return self.chance.choice(self.pool)

    def others(self, worker: WorkerProcess) -> list[WorkerProcess]:
        return [one for one in self.pool if one is not worker]

    async def retire(self, worker: WorkerProcess) -> int:
        """SIGTERM. Returns its exit status."""
        worker.terminate()
        self.pool = self.others(worker)
        return await worker.ended()

    async def covered(self, *workers: WorkerProcess) -> None:
        """All are ready and every partition has one owner among them; some may have none."""
        shares: list[tuple[bool, frozenset[int]]] = []
        try:
            async with asyncio.timeout(SHARE_LIMIT_S):
                while True:
                    shares = await asyncio.gather(*(worker.share() for worker in workers))
                    owned = sorted(partition for _, share in shares for partition in share)
                    if owned == sorted(self.every_partition) and all(is_ready for is_ready, _ in shares):
                        return
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise AssertionError(f"shares stay {shares}\n{self.field.told()}") from None

    async def fenced_any(self, workers: Sequence[WorkerProcess], since_ms: int) -> str:
        """The name of the first of them that was fenced."""
        waiting = {asyncio.create_task(self.fenced(one, since_ms)): one.name for one in workers}
        done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        first = done.pop()
        first.result()
        return waiting[first]

    # Load and facts

    async def burst(self, records: int = BURST_RECORDS) -> None:
        await self.field.burst(records)

    async def grown(self, records: int, limit_s: float = FACT_LIMIT_S) -> None:
        """So many more journal records."""
        wanted = len(self.field.journal.records) + records
        await self.until(lambda journal: len(journal.records) >= wanted, limit_s, f"{records} more steps")

    async def until(self, fact: Callable[[Journal], object], limit_s: float, what: str) -> None:
        try:
            await self.field.journal.until(fact, limit_s)
        except TimeoutError:
            raise AssertionError(f"no evidence within {limit_s} s: {what}\n{self.field.told()}") from None

    async def under_bursts(self, is_so: Callable[[], bool], what: str) -> None:
        """Reports keep coming until it is so."""
        try:
            async with asyncio.timeout(UNDER_BURSTS_LIMIT_S):
                while not is_so():
                    await self.burst(10)
                    await asyncio.sleep(1.0)
        except TimeoutError:
            raise AssertionError(f"no evidence within {UNDER_BURSTS_LIMIT_S} s: {what}\n{self.field.told()}") from None

    async def logged(self, worker: WorkerProcess, wanted: Callable[[LogLine], bool], what: str) -> LogLine:
        """The first such line of a worker's log."""
        return await worker.logged(wanted, what, FACT_LIMIT_S)

    async def fenced(self, worker: WorkerProcess, since_ms: int) -> LogLine:
        """It was refused by the broker as no longer the owner."""
        return await self.logged(
            worker,
            lambda line: line.at_ms >= since_ms and "Fenced" in str(line.fields.get("detail")),
            "fenced",
        )


# What can be read of the journal afterwards


def undecided_at(journal: Journal, at_ms: int) -> int:
    """Source records that had come and were decided only later."""
    return sum(_came_ms(one) <= at_ms < one.appended_ms for one in journal.records if one.entry.inbox.origin)


def _came_ms(one: Journaled) -> int:
    assert one.entry.inbox.origin is not None
    return int(one.entry.inbox.origin.appended_at.timestamp() * 1000)


def taken_over_ms(journal: Journal, strike: Strike) -> list[int]:
    """From the fault to the first decided record, for each partition concerned that had work soon."""
    first: dict[int, int] = {}
    for one in journal.records:
        if strike.at_ms < one.appended_ms <= strike.at_ms + TAKEN_OVER_LIMIT_MS and one.partition in strike.concerned:
            first.setdefault(one.partition, one.appended_ms - strike.at_ms)
    return sorted(first.values())


def waited_ms(journal: Journal, strike: Strike, over_ms: int, every: frozenset[int]) -> int | None:
    """The longest that a record of another hub lay in its inbox before it was decided; None if there was none."""
    others = every - strike.concerned
    waits = [
        one.appended_ms - int(one.entry.now.timestamp() * 1000)
        for one in journal.records
        if one.partition in others and strike.at_ms <= one.entry.now.timestamp() * 1000 <= over_ms
    ]
    return max(waits, default=None)
