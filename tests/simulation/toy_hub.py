"""The smallest loop that must be exact: leases, one transaction for each list, recovery from the journal.

It stands for `runtime.hub` where the simulation itself is under test: each inbox record becomes one journal record that
names it, and one order; a message that came before changes nothing. What a sender sent is passed on to the other hub.
"""

from collections.abc import Sequence
from zlib import crc32

from linkage.errors import LogError
from linkage.runtime.ports import Log, Outgoing, Reader, TopicPartition
from linkage.simulation.disorder import FaultLedger, Publication, SenderDisorder, disturbed, planned, publish
from linkage.simulation.memory_broker import BrokerSettings, MemoryBroker
from linkage.simulation.memory_log import MemoryLog
from linkage.simulation.memory_membership import MemoryMembership
from linkage.simulation.unleash import Ground, unleash
from linkage.simulation.virtual_time import VirtualProcess, VirtualTask, VirtualTime

LEASES = 2
WORKERS = ("worker-0", "worker-1")
FAULTS_MS = 120_000
QUIET_MS = 180_000
ECHO = b"echo of "


class ToyWorker:
    """One process: a loop for each lease it believes in."""

    def __init__(self, broker: MemoryBroker, membership: MemoryMembership, name: str) -> None:
        self.process: VirtualProcess = broker.time.process(name)
        self._log: Log = MemoryLog(broker, self.process)
        self._loops: dict[int, VirtualTask] = {}
        membership.join(self.process, self._assigned, self._revoked)

    async def _assigned(self, partitions: Sequence[int]) -> None:
        for number in partitions:
            self._loops[number] = self.process.spawn(self._run(number), f"hub {number}")

    async def _revoked(self, partitions: Sequence[int]) -> None:
        for number in partitions:
            self._loops.pop(number).cancel()

    async def _run(self, number: int) -> None:
        while True:
            try:
                await self._serve(number)
            except LogError:
                await self.process.sleep(200 + int(self.process.jitter() * 800))

    async def _serve(self, number: int) -> None:
        """Takes over, then list after list. Its deadlines are wall clock readings, so that clock jumps are met."""
        journal, inbox = TopicPartition("journal", number), TopicPartition("inbox", number)
        writer = await self._log.initialise(f"hub.{number}")
        seen, next_offset = await self.fold(journal)
        reader = await self._log.reader({inbox: next_offset})
        while True:
            self.process.now_ms()
            fresh: list[Outgoing] = []
            for record in await reader.read(5, 200):
                value = record.value or b""
                position = str(record.offset).encode()
                news = value not in seen
                seen.add(value)
                fresh.append(Outgoing("journal", number, position, value if news else b""))
                if news:
                    fresh.append(Outgoing("orders", 0, None, value))
                if news and not value.startswith(ECHO):
                    fresh.append(Outgoing("inbox", 1 - number, None, ECHO + value))
            await writer.transact(fresh)
            if fresh:
                await self._log.append([Outgoing("notes", 0, None, b"noted")])

    async def fold(self, journal: TopicPartition) -> tuple[set[bytes], int]:
        end = (await self._log.end_offsets([journal]))[journal]
        reader: Reader = await self._log.reader({journal: 0})
        seen: set[bytes] = set()
        next_offset = 0
        while await reader.position(journal) < end:
            for record in await reader.read(100, 200):
                seen.add(record.value or b"")
                next_offset = int(record.key or b"0") + 1
        await reader.close()
        return seen, next_offset


class ToyRun:
    """One seed: publications, workers, faults, then quiet until everything must be through."""

    def __init__(
        self, seed: int, faults_count: int, publications_count: int = 60, worker: type[ToyWorker] = ToyWorker
    ) -> None:
        self._worker = worker
        self.time = VirtualTime(seed, shuffled=True)
        self.trace = self.time.traced()
        self.broker = MemoryBroker(self.time, seed, BrokerSettings(latency_ms=(1, 9)))
        for name, partitions in [
            ("inbox", LEASES),
            ("journal", LEASES),
            ("orders", 1),
            ("notes", 1),
            ("lease", LEASES),
        ]:
            self.broker.create_topic(name, partitions)
        self.membership = MemoryMembership(self.broker, "lease", "workers")
        self.workers = {name: self._start(name) for name in WORKERS}
        self.ledger = FaultLedger()
        self.faults = planned(seed, faults_count, FAULTS_MS, WORKERS, ["journal", "orders"], LEASES)
        messages = [f"message {number}" for number in range(publications_count)]
        self.expected = sorted([*messages, *(f"{ECHO.decode()}{message}" for message in messages)])
        self.publications = [self._publication(number) for number in range(publications_count)]
        self._seed = seed

    def run(self) -> None:
        unleash(self.faults, Ground(self.broker, self.membership, self._process, self._restart, self.ledger))
        disorder = SenderDisorder(late_limit_ms=30_000)
        sent = disturbed(self.publications, self._seed, disorder, self.ledger)
        outside = MemoryLog(self.broker, self.time.process("outside"))
        sending = self.time.spawn(publish(sent, outside, self.time, self.ledger), "senders")
        self.time.run_until(sending.done)
        self.time.run_for(QUIET_MS)
        self.time.close()

    def orders(self) -> list[str]:
        return [(record.value or b"").decode() for record in self.broker.committed_records("orders")]

    def digest(self) -> int:
        """Of every step and every byte: equal only if the runs were."""
        return crc32(repr((self.trace, self.broker.committed_records("journal"), self.orders())).encode())

    def _publication(self, number: int) -> Publication:
        record = Outgoing("inbox", number % LEASES, None, f"message {number}".encode())
        return Publication(number * 2_000, f"sender-{number % 3}", (record,))

    def _start(self, name: str) -> ToyWorker:
        return self._worker(self.broker, self.membership, name)

    def _process(self, name: str) -> VirtualProcess | None:
        return self.workers[name].process

    def _restart(self, name: str) -> None:
        if not self.workers[name].process.alive:
            self.workers[name] = self._start(name)
