"""One worker's part of the work: the hub partitions that are assigned to it, each with its lease, and one ingress.

Who is assigned what comes from outside: Faust's group over the empty lease topic, or the simulation's. A lease that
stays here goes on through a rebalance, since only the broker's epoch decides who may write.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import structlog

from linkage.errors import LogError
from linkage.runtime.ends import ends_of_those_there
from linkage.runtime.ingress import Ingress
from linkage.runtime.lease import Lease, cancelled, ended
from linkage.runtime.ports import Log, Task, Time, TopicPartition
from linkage.runtime.progress import LoopLimits, Progress
from linkage.runtime.standstill import Outages
from linkage.topics import Topics

_LOG = structlog.get_logger("linkage.worker")


@dataclass(slots=True)
class Member:
    """Everything of the engine that runs in one worker."""

    log: Log
    time: Time
    topics: Topics
    log_ids: dict[int, str]
    limits: LoopLimits
    digest_key: bytes
    on_fatal: Callable[[BaseException], None]
    assigned: frozenset[int] = frozenset()
    is_rebalancing: bool = False
    spoken: int = 0
    """How often the group has said what is ours."""
    leases: dict[int, Lease] = field(default_factory=dict)
    ingress: Ingress = field(init=False)
    ingress_task: Task | None = None
    ingress_look: Task | None = None
    """Asks for the ends of what ingress reads, of hundreds of topics: the watch over our own partitions never waits for
    it, or an outage that began meanwhile would go unseen."""
    restarts: int = 0
    """How many stalled loops were begun anew."""
    outages: Outages = field(default_factory=Outages)
    ended_leases: dict[str, Progress] = field(default_factory=dict)
    """What leases that ended here did, by loop: counters begin with the process, not with a lease."""
    is_settling: bool = False
    is_stopping: bool = False

    def __post_init__(self) -> None:
        self.ingress = Ingress(self.log, self.time, self.topics, self.log_ids, self.digest_key, self.limits)

    def start(self) -> None:
        self.ingress_task = self.time.spawn(self._guarded_ingress(), "ingress")

    async def _guarded_ingress(self) -> None:
        try:
            await self.ingress.run()
        except Exception as error:
            _LOG.exception("loop_failed", loop="ingress")
            self.on_fatal(error)

    def rebalanced(self, partitions: Iterable[int]) -> None:
        """The group's word on what is ours from now on. Returns at once; the work is done beside it."""
        self.assigned, self.is_rebalancing = frozenset(partitions), False
        self.spoken += 1
        _LOG.info("assigned", partitions=sorted(self.assigned))
        if not self.is_settling and not self.is_stopping:
            self.is_settling = True
            self.time.spawn(self._settle(), "settle")

    def revoked(self) -> None:
        """A rebalance has begun: until it ends nobody here may take a partition over; what runs goes on."""
        self.is_rebalancing = True

    def _may_take_over(self, partition: int) -> bool:
        return not self.is_rebalancing and partition in self.assigned

    async def _settle(self) -> None:
        """Stops what is not ours any more, starts what is newly ours; once more if the group has spoken meanwhile."""
        heard = 0
        try:
            while heard != self.spoken and not self.is_stopping:
                heard, wanted = self.spoken, self.assigned
                gone = [at for at, lease in sorted(self.leases.items()) if at not in wanted or lease.is_over]
                for lease in [self.leases.pop(partition) for partition in gone]:
                    await self._end(lease)
                for partition in sorted((wanted & self.assigned) - self.leases.keys()):
                    self._begin(partition)
        finally:
            self.is_settling = False

    def _begin(self, partition: int) -> None:
        lease = Lease(
            self.log,
            self.time,
            self.topics,
            partition,
            self.log_ids,
            self.limits,
            is_assigned=lambda: self._may_take_over(partition),
            on_fatal=self.on_fatal,
            outages=self.outages,
        )
        self.leases[partition] = lease
        lease.start()

    async def _end(self, lease: Lease) -> None:
        await lease.stop(self.limits.drain_limit_ms)
        lease.standstill.remember()
        for one in lease.progresses:
            self.ended_leases.setdefault(one.name, Progress(one.name)).counted(one)

    def counted(self, name: str) -> Progress:
        """What a loop of that name has done since the process began, its lease of today apart."""
        return self.ended_leases.get(name) or Progress(name)

    async def stop(self) -> None:
        """Hands over: every loop ends its step, then closes what it holds."""
        self.is_stopping, self.assigned = True, frozenset()
        self.ingress.is_stopping = True
        leases, self.leases = list(self.leases.values()), {}
        for lease in leases:
            lease.hub.is_stopping = lease.clock.is_stopping = lease.publisher.is_stopping = True
        for lease in leases:
            await lease.stop(self.limits.drain_limit_ms)
        if self.ingress_look is not None:
            self.ingress_look.cancel()
        if self.ingress_task is not None:
            await ended(self.time, [self.ingress_task], self.limits.drain_limit_ms)

    def progresses(self) -> list[Progress]:
        """Every loop of this worker, for health and metrics."""
        return [self.ingress.progress] + [one for _, lease in sorted(self.leases.items()) for one in lease.progresses]

    @property
    def is_ready(self) -> bool:
        """Every assigned partition is served, the log answers for it, and ingress serves."""
        leases = self.leases.values()
        served = set(self.leases) == set(self.assigned) and all(
            lease.hub.progress.phase == "serving" and not lease.standstill.is_open for lease in leases
        )
        return served and not self.is_rebalancing and self.ingress.progress.phase == "serving"

    async def look(self) -> None:
        """Compares every loop with the end of what it reads; begins a stalled one anew. Raises LogError.

        While the log does not answer, nobody can say who has work: then only what hangs is begun anew.
        """
        limit_ms = self.limits.stall_limit_ms
        try:
            await self._see_ends()
        except (LogError, TimeoutError):
            await self._begin_anew(lambda one: one.hangs(self.time.monotonic_ms(), limit_ms))
            raise
        await self._begin_anew(lambda one: one.is_stalled(self.time.monotonic_ms(), limit_ms))

    async def _begin_anew(self, is_stalled: Callable[[Progress], bool]) -> None:
        for _, lease in sorted(self.leases.items()):
            self.restarts += len(await lease.begin_stalled_anew(is_stalled))
        if self.ingress_task is not None and not self.is_stopping and is_stalled(self.ingress.progress):
            _LOG.error("stalled", loop="ingress", limit_ms=self.limits.stall_limit_ms)
            await cancelled(self.time, self.ingress_task, self.on_fatal)
            if not self.is_stopping:
                self.restarts += 1
                self.ingress.progress.restarted(self.time.monotonic_ms())
                self.start()

    async def _see_ends(self) -> None:
        """Of all partitions at once; each by itself when that fails, so that one that is away hides no other."""
        leases = [lease for _, lease in sorted(self.leases.items())]
        try:
            await self._ask(leases)
        except (LogError, TimeoutError):
            apart = [self.time.spawn(self._ask_apart(lease), f"ends.{lease.partition}") for lease in leases]
            for task in apart:
                await task.wait()
            raise
        if self.ingress_look is None or self.ingress_look.done():
            self.ingress_look = self.time.spawn(self._look_at_ingress(), "ingress.ends")

    async def _ask_apart(self, lease: Lease) -> None:
        try:
            await self._ask([lease])
        except (LogError, TimeoutError) as error:
            lease.standstill.missed()
            _LOG.warning("no_answer", partition=lease.partition, detail=f"{type(error).__name__}: {error}")

    async def _ask(self, leases: list[Lease]) -> None:
        wanted: dict[TopicPartition, Progress] = {}
        for lease in leases:
            lease.standstill.asked()
            wanted[lease.hub.inbox] = lease.hub.progress
            wanted[lease.hub.journal] = lease.publisher.progress
        found = await self.log.end_offsets(sorted(wanted)) if wanted else {}
        now_ms = self.time.monotonic_ms()
        for at, end in found.items():
            wanted[at].saw_end(end, now_ms)
        for lease in leases:
            lease.standstill.heard()

    async def _look_at_ingress(self) -> None:
        """Ingress has work while its sources have records behind its committed positions; a denied one is none."""
        group = self.ingress.group
        denied = set(group.denied()) if group is not None else set()
        readable = sorted(at for at in self.ingress.committed if at.topic not in denied)
        try:
            ends = await ends_of_those_there(self.log, readable)
        except (LogError, TimeoutError) as error:
            _LOG.warning("no_answer", loop="ingress", detail=f"{type(error).__name__}: {error}")
            return
        committed = self.ingress.committed
        behind = sum(max(0, end - committed[at]) for at, end in ends.items() if at in committed)
        progress = self.ingress.progress
        progress.saw_end(progress.next_offset + behind, self.time.monotonic_ms())
