"""Follows the committed journal of a post's hub, and the county's beside it, and makes boards of it. On the Log port.

follower = await Follower.of(log, topics, "990101002")
await follower.catch_up()
await follower.look(now_ms)
board = follower.board(now)
while True:
    await follower.advance(wait_ms)
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from linkage import engine, identity
from linkage.console.board import Board, board_of
from linkage.console.gauges import InboxTail, ingress_gauge, source_topics
from linkage.console.notes import Notes, noted
from linkage.console.rows import Header, InboxGauge, IngressGauge
from linkage.console.scene import Scene, Seen
from linkage.engine import Partition
from linkage.errors import ForeignLog, LinkageError, LogError, UnknownFact
from linkage.events.envelope import JOURNAL, JournalRecord, LogIdentity
from linkage.events.reference import Party
from linkage.replay.labels import Label
from linkage.runtime.log_identity import first_identity
from linkage.runtime.ports import Log, Reader, Record, TopicPartition
from linkage.runtime.registry import Registry
from linkage.topics import Topics

READ_LIMIT_RECORDS = 500
READ_WAIT_MS = 200
POSTS_SHOWN_COUNT = 8


class NoSuchPost(LinkageError):
    """What was typed is no command post of this county."""


@dataclass(slots=True)
class Follower:
    """One post's view of the log. `states` holds only what is committed."""

    log: Log
    topics: Topics
    registry: Registry
    post: Party
    county: str
    partitions: int
    log_ids: dict[int, str]
    tail: InboxTail
    states: dict[int, Partition] = field(default_factory=dict)
    notes: dict[str, Notes] = field(default_factory=dict)
    next_offsets: dict[TopicPartition, int] = field(default_factory=dict)
    reader: Reader | None = None
    inbox: InboxGauge | None = None
    ingress: IngressGauge | None = None
    problem: str | None = None

    @classmethod
    async def of(cls, log: Log, topics: Topics, typed: str) -> "Follower":
        """Raises NoSuchPost; LogError, which says what to run, when the topics are not there."""
        partitions = await log.partitions(topics.journal)
        if partitions == 0:
            raise LogError(f"{topics.journal} does not exist or is denied: run `linkage topics apply --county DIR`")
        registry = Registry(log, topics)
        await registry.catch_up()
        post = _post_named(registry, typed)
        assert post.hub is not None
        county = registry.county or identity.county_of(post.hub)
        at = TopicPartition(topics.inbox, identity.partition_of(post.hub, partitions))
        log_ids: dict[int, str] = {}
        for number in {identity.partition_of(hub, partitions) for hub in (post.hub, county)}:
            found = await first_identity(log, TopicPartition(topics.journal, number))
            if found is None:
                raise LogError(f"{topics.journal} [{number}] has no log identity: run `linkage topics apply`")
            log_ids[number] = found
        tail = InboxTail(log, at, log_ids[at.partition])
        return cls(log, topics, registry, post, county, partitions, log_ids, tail)

    def __post_init__(self) -> None:
        for hub in (self.hub, self.county):
            self.notes[hub] = Notes(hub)
        for number in sorted(self.log_ids):
            self.states[number] = Partition()

    @property
    def hub(self) -> str:
        assert self.post.hub is not None
        return self.post.hub

    @property
    def partition(self) -> int:
        return self._partition_of(self.hub)

    @property
    def zone(self) -> ZoneInfo:
        """The county's."""
        parties = sorted(self.registry.parties.values(), key=lambda party: party.id)
        return ZoneInfo(next((one.time_zone for one in parties if one.hub == self.county), self.post.time_zone))

    async def catch_up(self) -> None:
        """Folds the journal to its end as of now. Raises LogError, UnknownFact, ForeignLog."""
        reader = await self._connected()
        for at, end in (await self.log.end_offsets(sorted(self.next_offsets))).items():
            while await reader.position(at) < end:
                self._take(await reader.read(READ_LIMIT_RECORDS, READ_WAIT_MS))

    async def advance(self, wait_ms: int) -> bool:
        """Folds what has been committed since; False when nothing came within `wait_ms`. Raises as `catch_up`."""
        reader = await self._connected()
        records = await reader.read(READ_LIMIT_RECORDS, wait_ms)
        self._take(records)
        return bool(records)

    async def look(self, now_ms: int) -> None:
        """Reads the gauges; the journal is folded to its end before and meanwhile. Raises as `catch_up`.

        Before: the tail is what follows the journal, at the first look, too. A gauge that can't be read is None: one
        source without a leader hides nothing of what the journal says.
        """
        await self.catch_up()
        is_tail_read = await self._could(self.tail.read(self.states[self.partition].position))
        await self.catch_up()
        self.inbox = self.tail.gauge(self.states[self.partition], now_ms) if is_tail_read else None
        self.ingress = None
        await self._could(self._look_at_ingress())
        self.problem = None

    async def _look_at_ingress(self) -> None:
        await self.registry.catch_up()
        sources = source_topics(self.topics, self.registry.parties.values())
        self.ingress = await ingress_gauge(self.log, self.topics, sources)

    async def _could(self, reading: Awaitable[None]) -> bool:
        try:
            await reading
        except ForeignLog:
            raise
        except LogError:
            return False
        return True

    async def failed(self, error: Exception) -> None:
        """The board says from here on that it may be old; readers are opened anew, from where they were."""
        self.problem, self.inbox, self.ingress = str(error), None, None
        await self.close()

    async def close(self) -> None:
        """Closes what this opened; the log is closed by who opened it."""
        reader, self.reader = self.reader, None
        await self.tail.close()
        if reader is not None:
            await reader.close()

    def scene(self) -> Scene:
        return Scene.of(self.post.id, self._seen(self.hub), self._seen(self.county))

    def board(self, now: datetime) -> Board:
        """The board as of `now`, whose zone is the one that it shows."""
        scene = self.scene()
        reference = scene.home.hub.reference
        header = Header(
            post=Label(self.post.id, self.post.label_en, self.post.label_zh),
            hub=self.hub,
            at=now,
            partition=self.partition,
            log_id=self.log_ids[self.partition],
            reference_version=reference.version if reference is not None else None,
            position=self.states[self.partition].position,
            inbox=self.inbox,
            ingress=self.ingress,
            problem=self.problem,
        )
        return board_of(scene, header)

    def _seen(self, hub: str) -> Seen:
        return Seen(self.states[self._partition_of(hub)].hub(hub), self.notes[hub])

    def _partition_of(self, hub: str) -> int:
        return identity.partition_of(hub, self.partitions)

    async def _connected(self) -> Reader:
        if not self.next_offsets:
            at = [TopicPartition(self.topics.journal, number) for number in sorted(self.log_ids)]
            self.next_offsets = await self.log.beginning_offsets(at)
        if self.reader is None:
            self.reader = await self.log.reader(self.next_offsets)
        return self.reader

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            match _parsed(record):
                case JournalRecord() as entry:
                    self.states[record.partition] = engine.fold(self.states[record.partition], entry)
                    if entry.hub in self.notes:
                        self.notes[entry.hub] = noted(self.notes[entry.hub], entry)
                case LogIdentity(log_id=found):
                    if found != self.log_ids[record.partition]:
                        raise ForeignLog(f"journal {record.partition} is another log now ({found}): watch it anew")
            self.next_offsets[TopicPartition(record.topic, record.partition)] = record.offset + 1


def _parsed(record: Record) -> JournalRecord | LogIdentity:
    try:
        return JOURNAL.validate_json(record.value or b"")
    except ValidationError as error:
        raise UnknownFact(
            f"journal record {record.partition}/{record.offset} can't be read by this version "
            f"({error.errors()[0]['msg']}): a newer worker wrote it; upgrade this one"
        ) from error


def _post_named(registry: Registry, typed: str) -> Party:
    """By the party's id or by its hub's code."""
    posts = sorted((one for one in registry.parties.values() if one.hub is not None), key=lambda one: one.id)
    if not posts:
        raise NoSuchPost("no county is registered yet: run `linkage county load DIR`")
    found = next((one for one in posts if typed in (one.id, one.hub)), None)
    if found is not None:
        return found
    if typed in registry.parties:
        raise NoSuchPost(
            f"{typed} is no command post but a {registry.parties[typed].kind}: `linkage subscribe {typed}`"
        )
    shown = ", ".join(f"{one.id} {one.label_zh}" for one in posts[:POSTS_SHOWN_COUNT])
    raise NoSuchPost(
        f"no command post {typed}; there are {len(posts)}: {shown}{' ...' * (len(posts) > POSTS_SHOWN_COUNT)}"
    )
