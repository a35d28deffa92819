"""A whole cluster on virtual time: one broker, any number of workers that run the real loops, and their membership.

A worker here is a process of its own: it can be killed, stopped, resumed, begun anew. Faust's part, membership, is
played by `MemoryMembership`; everything else is the code that runs in production.
"""

from collections.abc import Callable, Sequence

from linkage.errors import LogError
from linkage.events.envelope import LogIdentity
from linkage.identity import derive
from linkage.runtime.member import Member
from linkage.runtime.ports import Outgoing, TopicPartition
from linkage.runtime.progress import LoopLimits
from linkage.simulation.memory_broker import BrokerSettings, MemoryBroker
from linkage.simulation.memory_log import MemoryLog
from linkage.simulation.memory_membership import LeaseMember, MemoryMembership
from linkage.simulation.virtual_time import START_MS, VirtualProcess, VirtualTime
from linkage.topics import Topics, TopicSpec

WATCH_INTERVAL_MS = 1_000


class SimulatedWorker:
    """One worker process: the real loops on the memory log."""

    def __init__(self, cluster: "Cluster", name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.process: VirtualProcess
        self.member: Member
        self.lease: LeaseMember
        self.ended_by: BaseException | None = None
        self.start()

    def start(self) -> None:
        """Begins the process, anew when it has died."""
        self.process = self.cluster.time.process(self.name)
        log = MemoryLog(self.cluster.broker, self.process)
        self.member = Member(
            log,
            self.process,
            self.cluster.topics,
            self.cluster.log_ids,
            self.cluster.limits,
            b"simulation",
            self._fatal,
        )
        self.lease = self.cluster.membership.join(self.process, self._assigned, self._revoked)
        self.member.start()
        if self.cluster.watch_interval_ms is not None:
            self.process.spawn(self._watch(self.member, self.cluster.watch_interval_ms), "watch")

    async def _assigned(self, partitions: Sequence[int]) -> None:
        self.member.rebalanced(partitions)

    async def _revoked(self, partitions: Sequence[int]) -> None:
        self.member.revoked()

    async def _watch(self, member: Member, interval_ms: int) -> None:
        while not member.is_stopping:
            await self.process.sleep(interval_ms)
            try:
                await member.look()
            except (LogError, TimeoutError):
                continue

    def _fatal(self, error: BaseException) -> None:
        """As in production: the process ends at once; whoever supervises it begins it anew."""
        self.ended_by = error
        self.cluster.ends.append((self.name, error))
        self.process.kill()
        self.cluster.time.call_later(self.cluster.restart_ms, self.restart)

    def restart(self) -> None:
        """Begins the process anew, if it is dead."""
        if not self.process.alive:
            self.start()

    def kill(self, restart_ms: int | None = None) -> None:
        """kill -9; begun anew after `restart_ms`, or never when None."""
        self.process.kill()
        if restart_ms is not None:
            self.cluster.time.call_later(restart_ms, self.restart)

    async def stop(self) -> None:
        """SIGTERM: hands over, leaves the group, ends."""
        await self.member.stop()
        await self.lease.leave()
        self.process.kill()


class Cluster:
    """Topics, broker, workers and the world outside, on one virtual time."""

    def __init__(
        self,
        seed: int,
        topics: Topics,
        rows: Sequence[tuple[str, TopicSpec]],
        partitions: int,
        *,
        limits: LoopLimits | None = None,
        broker: BrokerSettings | None = None,
        start_ms: int | None = None,
        restart_ms: int = 2_000,
        watch_interval_ms: int | None = WATCH_INTERVAL_MS,
        shuffled: bool = False,
    ) -> None:
        """`watch_interval_ms` None: no worker looks for stalled loops. `shuffled`: see `VirtualTime`."""
        self.time = VirtualTime(seed, START_MS if start_ms is None else start_ms, shuffled=shuffled)
        self.broker = MemoryBroker(self.time, seed, broker)
        self.topics = topics
        self.partitions = partitions
        self.limits = limits or LoopLimits()
        self.restart_ms = restart_ms
        self.watch_interval_ms = watch_interval_ms
        for name, spec in rows:
            self.broker.create_topic(name, spec.partitions or partitions, spec.message_limit_bytes)
        self.log_ids = {number: derive("log", seed, number).hex[:16] for number in range(partitions)}
        for number, log_id in self.log_ids.items():
            identity = LogIdentity(log_id=log_id).model_dump_json().encode()
            at = TopicPartition(topics.journal, number)
            self.broker.append(at, [Outgoing(topics.journal, number, None, identity)])
        self.membership = MemoryMembership(self.broker, topics.lease, topics.worker_group)
        self.workers: list[SimulatedWorker] = []
        self.ends: list[tuple[str, BaseException]] = []
        """(worker, error) of each process that ended by itself."""
        self.outside = MemoryLog(self.broker, self.time.world)

    def add_workers(self, count: int) -> None:
        for _ in range(count):
            self.workers.append(SimulatedWorker(self, f"worker-{len(self.workers)}"))

    def run_until(self, predicate: Callable[[], bool], limit_virtual_ms: int) -> None:
        """Lets virtual time pass until it holds. Raises LimitReached."""
        self.time.run_until(predicate, limit_virtual_ms)

    def close(self) -> None:
        self.time.close()
