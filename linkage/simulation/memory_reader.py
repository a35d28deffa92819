"""Committed readers: of stated partitions by position, and as a member of a consumer group."""

from collections.abc import Callable, Mapping, Sequence

from linkage.errors import LogError
from linkage.runtime.ports import Record, TopicPartition
from linkage.simulation.memory_group import NO_GENERATION
from linkage.simulation.memory_link import Link
from linkage.simulation.virtual_time import VirtualProcess


class Cursor:
    """Positions in partitions, and the taking turns between them."""

    __slots__ = ("_link", "_turn", "changed", "positions")

    def __init__(self, link: Link) -> None:
        self._link = link
        self._turn = 0
        self.positions: dict[TopicPartition, int] = {}
        self.changed = link.broker.time.signal()

    def watch(self, positions: Mapping[TopicPartition, int]) -> None:
        """Reads these partitions from now on, and no others."""
        self.unwatch()
        self.positions = dict(positions)
        for at in self.positions:
            topic = self._link.broker.topics.get(at.topic)
            if topic is not None and at.partition < len(topic.partitions):
                topic.partitions[at.partition].watchers.append(self.changed)

    def unwatch(self) -> None:
        for at in self.positions:
            topic = self._link.broker.topics.get(at.topic)
            watchers = topic.partitions[at.partition].watchers if topic and at.partition < len(topic.partitions) else []
            if self.changed in watchers:
                watchers.remove(self.changed)
        self.positions = {}

    def lost(self) -> list[TopicPartition]:
        """Partitions that are gone or denied, or whose position is out of range."""
        broken: list[TopicPartition] = []
        topics = self._link.broker.topics
        for at, position in self.positions.items():
            name, number = at
            topic = topics.get(name)
            there = topic is not None and not topic.denied and number < len(topic.partitions)
            if topic is None or not there or not topic.partitions[number].holds(position):
                broken.append(at)
        return broken

    def take(self, max_records: int) -> list[Record]:
        """What is there, in order in each partition; positions move past what is hidden, too."""
        self._turn += 1
        taken: list[Record] = []
        for at in self._with_more():
            topic = self._link.broker.topics[at.topic]
            if topic.unreachable:
                continue
            found, self.positions[at] = topic.partitions[at.partition].read(
                self.positions[at], max_records - len(taken)
            )
            taken += found
            if len(taken) >= max_records:
                break
        return taken

    def _with_more(self) -> list[TopicPartition]:
        """The partitions that reach beyond their position, whose turn it is first. Most of many have nothing new."""
        topics = self._link.broker.topics
        every = list(self.positions.items())
        turn = self._turn % len(every) if every else 0
        return [
            at
            for at, position in (*every[turn:], *every[:turn])
            if topics[at[0]].partitions[at[1]].reaches_beyond(position)
        ]

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
        self._cursor.positions[at] = offset
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
                self._cursor.positions[at] = self._link.broker.topics[at.topic].partitions[at.partition].begin
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
                del self._cursor.positions[at]
                continue
            went_on_at = topic.partitions[at.partition].begin
            self._gaps.append((at, self._cursor.positions[at], went_on_at))
            self._cursor.positions[at] = went_on_at
