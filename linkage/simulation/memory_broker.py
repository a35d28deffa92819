"""The broker's side of the in-memory log: topics, transactions with epochs and markers, groups, and its own troubles.

Every method here is what the broker does at the instant a request reaches it; the way there and back is `memory_link`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random  # noqa: TID251 (the simulation's own seeded chance)

from linkage.errors import Fenced, LogError, NotWritten
from linkage.runtime.ports import Outgoing, Record, TopicPartition
from linkage.simulation.memory_faults import Faults
from linkage.simulation.memory_group import Group
from linkage.simulation.memory_partition import Entry, Partition, Topic, size_bytes
from linkage.simulation.memory_transaction import Transaction
from linkage.simulation.virtual_time import VirtualProcess, VirtualTime
from linkage.topics import MESSAGE_LIMIT_BYTES


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Spans as in production. A `latency_ms` of (0, 0) is the speed mode: each request still gives way once."""

    latency_ms: tuple[int, int] = (1, 5)
    marker_latency_ms: tuple[int, int] = (1, 5)
    """From a transaction's decision to its marker on a partition. Until then a committed reader does not see it."""
    request_timeout_ms: int = 10_000
    transaction_timeout_ms: int = 10_000
    session_timeout_ms: int = 6_000
    heartbeat_ms: int = 1_000
    rebalance_ms: int = 50
    metadata_age_ms: int = 1_000
    retry_ms: int = 5
    produce_limit_ms: int = 8_000
    """For all of a transaction's records; less than the transaction time-out."""


class Unavailable(LogError):
    """The topic can't be written or read now. `at_once`: the broker says so; else the client waits its time out."""

    def __init__(self, text: str, *, at_once: bool) -> None:
        super().__init__(text)
        self.at_once = at_once


class MemoryBroker:
    """One broker for all simulated processes. Its clock is the virtual time, which never jumps."""

    def __init__(self, time: VirtualTime, seed: int, settings: BrokerSettings | None = None) -> None:
        self.time = time
        self.settings = settings or BrokerSettings()
        self.topics: dict[str, Topic] = {}
        self.faults = Faults()
        self.groups: dict[str, Group] = {}
        self.transactions: dict[str, Transaction] = {}
        self._partitions: dict[tuple[str, int], Partition] = {}
        self._chance = Random(f"{seed}:broker").random
        self._shortest_ms, longest_ms = self.settings.latency_ms
        self._spread_ms = longest_ms - self._shortest_ms + 1
        self.instant = longest_ms == 0
        self._down_until_ms = 0
        self._cut_until_ms: dict[VirtualProcess, int] = {}

    def latency_ms(self) -> int:
        """One way of one request."""
        return 0 if self.instant else self._shortest_ms + int(self._chance() * self._spread_ms)

    def marker_latency_ms(self) -> int:
        shortest_ms, longest_ms = self.settings.marker_latency_ms
        return 0 if self.instant else shortest_ms + int(self._chance() * (longest_ms - shortest_ms + 1))

    def chance(self) -> float:
        """A number in [0, 1): the broker's own."""
        return self._chance()

    # Topics ------------------------------------------------------------------------------------------------------

    def create_topic(self, name: str, partitions: int, message_limit_bytes: int = MESSAGE_LIMIT_BYTES) -> Topic:
        if name in self.topics:
            raise ValueError(f"topic {name} exists")
        topic = self.topics[name] = Topic(name, partitions, message_limit_bytes)
        for partition in topic.partitions:
            self._partitions[name, partition.number] = partition
        for group in self.groups.values():
            self.time.call_later(self.settings.metadata_age_ms, group.refresh)
        return topic

    def delete_topic(self, name: str) -> None:
        for partition in self.topics.pop(name).partitions:
            del self._partitions[name, partition.number]
            for watcher in partition.watchers:
                watcher.set()
        for group in self.groups.values():
            self.time.call_later(self.settings.metadata_age_ms, group.refresh)

    def set_unreachable(self, name: str, unreachable: bool) -> None:
        """Its partitions lose their leader, or get one again."""
        topic = self.topics[name]
        topic.unreachable = unreachable
        for partition in topic.partitions:
            for watcher in partition.watchers:
                watcher.set()

    def delete_records(self, at: TopicPartition, before_offset: int) -> None:
        self._partitions[at].delete_before(before_offset)

    def require(self, at: tuple[str, int]) -> Partition:
        """Raises Unavailable when it does not exist or is denied."""
        found = self._partitions.get(at)
        if found is None or self.topics[at[0]].denied:
            raise Unavailable(f"{at[0]} [{at[1]}] does not exist or is denied", at_once=True)
        return found

    def partition(self, at: tuple[str, int]) -> Partition:
        """For a request that needs its leader now. Raises Unavailable."""
        found = self.require(at)
        topic = self.topics[at[0]]
        if topic.unreachable:
            self.faults.struck(f"unreachable:{topic.name}")
            raise Unavailable(f"{at[0]}[{at[1]}] has no leader", at_once=False)
        return found

    def entries(self, at: TopicPartition) -> Sequence[Entry]:
        """Everything kept, markers and aborted records too: for who judges a run from outside."""
        return self._partitions[at].entries

    def committed_records(self, topic: str) -> list[Record]:
        """What a committed reader would see by now, partition after partition."""
        known = self.topics.get(topic)
        partitions = known.partitions if known is not None else []
        return [record for each in partitions for record in each.read(each.begin, each.end)[0]]

    # Requests ----------------------------------------------------------------------------------------------------

    def append(self, at: TopicPartition, items: Sequence[Outgoing]) -> None:
        partition = self.partition(at)
        self._check_sizes(items)
        partition.append(items, self.time.now_ms(), None)

    def initialise(self, transactional_id: str) -> int | None:
        """The new epoch, or None while the last transaction is still being settled: ask again."""
        transaction = self.transactions.get(transactional_id)
        if transaction is None:
            transaction = self.transactions[transactional_id] = Transaction(self, transactional_id)
        return transaction.initialise()

    def produce(self, transactional_id: str, epoch: int, at: TopicPartition, items: Sequence[Outgoing]) -> bool:
        """False while the last transaction is being settled: ask again. Raises Fenced, Unavailable, NotWritten."""
        transaction = self._of_epoch(transactional_id, epoch)
        if transaction.settling:
            return False
        partition = self.partition(at)
        self._check_sizes(items)
        transaction.add(at, partition.append(items, self.time.now_ms(), transactional_id))
        return True

    def end(self, transactional_id: str, epoch: int, *, committed: bool) -> None:
        """EndTxn. Decided when this returns; the markers may come later. Raises Fenced."""
        self._of_epoch(transactional_id, epoch).end(committed=committed)

    def group(self, name: str) -> Group:
        found = self.groups.get(name)
        if found is None:
            found = self.groups[name] = Group(self, name)
        return found

    def _of_epoch(self, transactional_id: str, epoch: int) -> Transaction:
        transaction = self.transactions[transactional_id]
        if transaction.epoch != epoch:
            raise Fenced(f"{transactional_id}: epoch {epoch}, the newest is {transaction.epoch}")
        return transaction

    def _check_sizes(self, items: Sequence[Outgoing]) -> None:
        for item in items:
            if size_bytes(item) > self.topics[item.topic].message_limit_bytes:
                raise NotWritten(f"a record of {size_bytes(item)} bytes is too large for {item.topic}", item.topic)

    # Troubles ----------------------------------------------------------------------------------------------------

    def stop_for(self, span_ms: int) -> None:
        """Nobody gets an answer for a while. No session ends meanwhile: who would end it?"""
        self._down_until_ms = max(self._down_until_ms, self.time.monotonic_ms() + span_ms)
        self._reconsider_members()
        self.time.call_later(span_ms, self._reconsider_members)

    def cut_off(self, process: VirtualProcess, span_ms: int) -> None:
        """One process can't reach the broker for a while; the others can, and its sessions end."""
        self._cut_until_ms[process] = self.time.monotonic_ms() + span_ms
        self._reconsider_members()
        self.time.call_later(span_ms, self._reconsider_members)

    def _reconsider_members(self) -> None:
        for group in self.groups.values():
            group.reconsider()

    def down_ms(self) -> int:
        """How long the broker will still be down."""
        return max(0, self._down_until_ms - self.time.monotonic_ms())

    def unreachable_ms(self, process: VirtualProcess) -> int:
        """How long this process will still be without the broker."""
        if not self._cut_until_ms and not self._down_until_ms:
            return 0
        until_ms = max(self._down_until_ms, self._cut_until_ms.get(process, 0))
        return max(0, until_ms - self.time.monotonic_ms())

    def later(self, span_ms: int, act: Callable[[], None]) -> None:
        """What the broker does by itself after a span; while it is down it does nothing."""

        def due() -> None:
            if self.down_ms():
                self.later(self.down_ms(), act)
            else:
                act()

        self.time.call_later(span_ms, due)
