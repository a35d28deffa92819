"""Committed readers: of stated partitions by position, and as a member of a consumer group."""

from collections.abc import Callable, Mapping, Sequence

from linkage.errors import LogError
from linkage.runtime.ports import Record, TopicPartition
from linkage.simulation.memory_group import NO_GENERATION
from linkage.simulation.memory_link import Link
from linkage.simulation.memory_partition import Partition
from linkage.simulation.virtual_time import VirtualProcess


class Watch:
    """What a partition tells of its changes: one for each partition that a cursor reads."""

    __slots__ = ("_cursor", "at", "partition")

    def __init__(self, cursor: "Cursor", at: TopicPartition, partition: Partition) -> None:
        self._cursor = cursor
        self.at = at
        self.partition = partition

    def mark(self) -> None:
        """Looked at with the next read, which this does not hasten."""
        self._cursor.fresh.add(self.at)

    def set(self) -> None:
        """Looked at now, if somebody waits."""
        self._cursor.fresh.add(self.at)
        self._cursor.changed.set()


class Cursor:
    """Positions in partitions, and the taking turns between them.

    Only what is `fresh` is looked at: a county has hundreds of topics, and nearly all of them are silent.
    """

    __slots__ = ("_link", "_order", "_turn", "_watches", "changed", "fresh", "positions")

    def __init__(self, link: Link) -> None:
        self._link = link
        self._turn = 0
        self._order: dict[TopicPartition, int] = {}
        self._watches: dict[TopicPartition, Watch] = {}
        self.fresh: set[TopicPartition] = set()
        """Partitions that may hold something at their position, or may have lost it."""
        self.positions: dict[TopicPartition, int] = {}
        self.changed = link.broker.time.signal()

    def watch(self, positions: Mapping[TopicPartition, int]) -> None:
        """Reads these partitions from now on, and no others."""
        self.unwatch()
        self.positions = dict(positions)
        self._order = {at: index for index, at in enumerate(self.positions)}
        for at in self.positions:
            self.fresh.add(at)
            self._watch(at, self._partition(at))

    def unwatch(self) -> None:
        for watch in self._watches.values():
            watch.partition.watchers.remove(watch)
        self._watches.clear()
        self.fresh.clear()
        self.positions = {}

    def move(self, at: TopicPartition, position: int) -> None:
        """Goes on there."""
        self.positions[at] = position
        self.fresh.add(at)

    def drop(self, at: TopicPartition) -> None:
        """Reads this one no more."""
        del self.positions[at]
        self.fresh.discard(at)
        self._order = {left: index for index, left in enumerate(self.positions)}

    def lost(self) -> list[TopicPartition]:
        """Partitions that are gone or denied, or whose position is out of range."""
        broken = [at for at in self.fresh if not self._is_there(at)]
        return sorted(broken, key=self._order.__getitem__) if broken else broken

    def _is_there(self, at: TopicPartition) -> bool:
        partition = self._partition(at)
        return (
            partition is not None
            and not self._link.broker.topics[at.topic].denied
            and partition.holds(self.positions[at])
        )

    def _partition(self, at: TopicPartition) -> Partition | None:
        topic = self._link.broker.topics.get(at.topic)
        return topic.partitions[at.partition] if topic is not None and at.partition < len(topic.partitions) else None

    def _watch(self, at: TopicPartition, partition: Partition | None) -> None:
        if (before := self._watches.pop(at, None)) is not None:
            before.partition.watchers.remove(before)
        if partition is not None:
            watch = self._watches[at] = Watch(self, at, partition)
            partition.watchers.append(watch)

    def take(self, max_records: int) -> list[Record]:
        """What is there, in order in each partition; positions move past what is hidden, too."""
        taken: list[Record] = []
        self._turn += 1
        order, turn, count = self._order, self._turn, len(self.positions)
        for at in sorted(self.fresh, key=lambda one: (order[one] - turn) % count):
            topic = self._link.broker.topics[at.topic]
            if topic.unreachable:
                continue
            partition = topic.partitions[at.partition]
            if self._watches[at].partition is not partition:
                self._watch(at, partition)  # the topic was made anew
            found, position = partition.read(self.positions[at], max_records - len(taken))
            self.positions[at] = position
            if position == partition.stable_end:
                self.fresh.discard(at)
            taken += found
            if len(taken) >= max_records:
                break
        return taken

    async def read(self, max_records: int, wait_ms: int, check: Callable[[], None]) -> list[Record]:
        """What comes within `wait_ms`. `check` looks at the positions each time the broker could be asked."""
        broker, process = self._link.broker, self._link.process
        if self._link.faults.take(process, "read") is not None:
            await process.sleep(broker.latency_ms())
            raise LogError("reading: the connection was lost")
        deadline_ms = process.monotonic_ms() + wait_ms
        while True:
            await process.sleep(broker.latency_ms())
            away_ms = broker.unreachable_ms(process)
            if away_ms:
                self._link.faults.struck(f"away:{process.name}")
            else:
                check()
                taken = self.take(max_records)
                if taken:
                    return taken
            left_ms = deadline_ms - process.monotonic_ms()
            if left_ms <= 0:
                return []
            await self.changed.wait(min(left_ms, away_ms or left_ms))


class MemoryReader:
    """Implements `Reader`."""

    def __init__(self, link: Link, positions: Mapping[TopicPartition, int]) -> None:
        self._link = link
        self._cursor = Cursor(link)
        self._cursor.watch(positions)
        self._closed = False

    async def read(self, max_records: int, wait_ms: int) -> Sequence[Record]:
        self._begin("read.before")
        taken = await self._cursor.read(max_records, wait_ms, self._raise_if_lost)
        self._link.point("read.after")
        return taken

    async def seek(self, at: TopicPartition, offset: int) -> None:
        self._begin("seek.before")
        await self._link.process.sleep(0)
        if at not in self._cursor.positions:
            raise LogError(f"{at} is not read here")
        self._cursor.move(at, offset)
        self._link.point("seek.after")

    async def position(self, at: TopicPartition) -> int:
        self._begin("position.before")
        await self._link.process.sleep(0)
        if at not in self._cursor.positions:
            raise LogError(f"{at} is not read here")
        self._link.point("position.after")
        return self._cursor.positions[at]

    async def close(self) -> None:
        self._closed = True
        self._cursor.unwatch()
        await self._link.process.sleep(0)

    def _raise_if_lost(self) -> None:
        broken = self._cursor.lost()
        if broken:
            raise LogError(f"out of range or gone: {[(at, self._cursor.positions[at]) for at in broken]}")

    def _begin(self, point: str) -> None:
        self._link.point(point)
        if self._closed:
            raise LogError("the reader is closed")


class MemoryGroupReader:
    """Implements `GroupReader`. What it believes to be assigned is what its last contact with the group said."""

    def __init__(self, link: Link, group: str, topic_prefixes: Sequence[str]) -> None:
        self._link = link
        self._group = link.broker.group(group)
        self._prefixes = tuple(topic_prefixes)
        self._cursor = Cursor(link)
        self._gaps: list[tuple[TopicPartition, int, int]] = []
        self._generation = NO_GENERATION
        self._closed = False
        self._name = self._group.join(self)

    @property
    def process(self) -> VirtualProcess:
        return self._link.process

    def wanted(self) -> Sequence[TopicPartition]:
        return [
            TopicPartition(name, number)
            for name, topic in sorted(self._link.broker.topics.items())
            if name.startswith(self._prefixes) and not topic.denied
            for number in range(len(topic.partitions))
        ]

    def revoke(self) -> None:
        self._cursor.unwatch()
        self._cursor.changed.set()

    def assign(self, partitions: Sequence[TopicPartition], generation: int) -> None:
        self._generation = generation
        self._cursor.watch({at: self._group.committed.get(at, 0) for at in partitions})
        for at in partitions:
            if at not in self._group.committed:
                self._cursor.move(at, self._link.broker.topics[at.topic].partitions[at.partition].begin)
        self._cursor.changed.set()

    async def read(self, max_records: int, wait_ms: int) -> Sequence[Record]:
        """Up to `max_records` of what is assigned; what its committed positions lost is in `gaps`."""
        self._begin("group_read.before")
        taken = await self._cursor.read(max_records, wait_ms, self._mend)
        self._link.point("group_read.after")
        return taken

    async def commit(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Raises LogError when the membership, or that generation of it, is lost."""
        self._begin("commit.before")
        foreign = [at for at in next_offsets if at not in self._cursor.positions]
        if foreign:
            await self._link.process.sleep(0)
            raise LogError(f"{foreign} are not assigned to {self._name}")
        offsets = dict(next_offsets)
        generation = self._generation
        await self._link.request("commit", lambda: self._group.commit(offsets, self._name, generation))
        self._link.point("commit.after")

    def gaps(self) -> Sequence[tuple[TopicPartition, int, int]]:
        seen, self._gaps = self._gaps, []
        return seen

    async def positions(self) -> dict[TopicPartition, int]:
        """Behind everything that `read` handed out, for each partition that is assigned now."""
        self._begin("positions.before")
        await self._link.process.sleep(0)
        self._link.point("positions.after")
        return dict(self._cursor.positions)

    def assigned(self) -> Sequence[TopicPartition]:
        return sorted(self._cursor.positions)

    def denied(self) -> Sequence[str]:
        topics = self._link.broker.topics
        return sorted({at.topic for at in self._cursor.positions if at.topic in topics and topics[at.topic].denied})

    async def close(self) -> None:
        """Leaves the group, if the broker can hear it; else its session ends by itself."""
        if self._closed:
            return
        self._closed = True
        self._cursor.unwatch()
        await self._link.process.sleep(self._link.broker.latency_ms())
        if self._link.broker.unreachable_ms(self._link.process):
            self._group.abandon(self._name)
        else:
            self._group.leave(self._name)

    def _begin(self, point: str) -> None:
        self._link.point(point)
        if self._closed:
            raise LogError("the group reader is closed")

    def _mend(self) -> None:
        """Goes on at the beginning where a position is out of range, and says so."""
        for at in self._cursor.lost():
            topic = self._link.broker.topics.get(at.topic)
            if topic is None or topic.denied or at.partition >= len(topic.partitions):
                self._cursor.drop(at)
                continue
            went_on_at = topic.partitions[at.partition].begin
            self._gaps.append((at, self._cursor.positions[at], went_on_at))
            self._cursor.move(at, went_on_at)
