"""The clock's loop: says "due" in the inbox when a deadline's instant has come, and again while it stays open.

It decides nothing. An outage makes nobody overdue: at or after `due_at` it takes the end offsets of the topics on which
the answer could come and waits until ingress has passed them; only then it says "due", so that every answer given in
time stands in the inbox before it. If that takes longer than a limit, a person is told that the answer is unknown.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from linkage import engine, identity
from linkage.engine import Partition
from linkage.errors import LogError
from linkage.events.base import milliseconds
from linkage.events.deadlines import AnswerUnknown, DeadlineDue, DeadlineEnded, DeadlineSet
from linkage.events.envelope import InboxRecord, StagedFact
from linkage.runtime.outbox import inbox_outgoing
from linkage.runtime.ports import Log, Time, TopicPartition
from linkage.runtime.progress import Backoff, LoopLimits, Progress
from linkage.topics import Topics

_LOG = structlog.get_logger("linkage.clock")


@dataclass(slots=True)
class Watched:
    """One open deadline. `ends`: what ingress must have passed before it may be called due. Instants are monotonic."""

    hub: str
    deadline: DeadlineSet
    ends: dict[TopicPartition, int] | None = None
    first_asked_ms: int | None = None
    told_unknown_ms: int = 0
    again_ms: int = 0


@dataclass(slots=True)
class Clock:
    """Watches the open deadlines of one hub partition; fed by the hub's loop with what it has committed."""

    log: Log
    time: Time
    topics: Topics
    partition: int
    log_id: str
    limits: LoopLimits
    watched: dict[str, Watched] = field(default_factory=dict)
    due: list[tuple[int, str]] = field(default_factory=list)
    """(wall clock, deadline): what has not been due yet"""
    again: list[tuple[int, str]] = field(default_factory=list)
    """(monotonic, deadline): what has been due and is still open; a wall clock that is set right must not delay it"""
    progress: Progress = field(init=False)
    is_stopping: bool = False

    def __post_init__(self) -> None:
        self.progress = Progress(f"clock.{self.partition}")

    def taken_over(self, state: Partition) -> None:
        """Starts anew from the committed state of a hub partition."""
        self.watched, self.due, self.again = {}, [], []
        for hub, deadline in engine.open_deadlines(state):
            self._watch(hub, deadline)

    def committed(self, hub: str, facts: Sequence[StagedFact]) -> None:
        """What a committed step opened and ended."""
        for staged in facts:
            match staged.fact:
                case DeadlineSet() as deadline:
                    self._watch(hub, deadline)
                case DeadlineEnded(deadline_id=ended):
                    self.watched.pop(ended, None)

    def _watch(self, hub: str, deadline: DeadlineSet) -> None:
        self.watched[deadline.deadline_id] = Watched(hub, deadline)
        heapq.heappush(self.due, (milliseconds(deadline.due_at), deadline.deadline_id))

    async def run(self) -> None:
        """Until stopped. What can't be appended now is appended later: the deadline stays open."""
        backoff = Backoff(self.limits.retry_first_ms, self.limits.retry_limit_ms)
        while not self.is_stopping:
            try:
                await self.tick()
                backoff.succeeded()
                await self.time.sleep(self.limits.clock_tick_ms)
            except (LogError, TimeoutError) as error:
                self.progress.detail = f"{type(error).__name__}: {error}"
                _LOG.warning("clock_waits", partition=self.partition, detail=self.progress.detail)
                await self.time.sleep(backoff.next_ms(self.time.jitter()))

    async def tick(self) -> None:
        """Says "due" for every deadline whose instant has come and whose answers are all in the inbox."""
        now_ms = self.time.monotonic_ms()
        ripe = self._ripe(self.time.now_ms(), now_ms)
        if ripe:
            try:
                await self._say(ripe, now_ms)
            finally:
                self._again_later(ripe)
        self.progress.done += len(ripe)
        self.progress.moved(self.progress.done, self.time.monotonic_ms())

    async def _say(self, ripe: Sequence[Watched], now_ms: int) -> None:
        await self._ask_ends(ripe, now_ms)
        passed = await self._passed(ripe)
        says = [self._says(one, now_ms, one.deadline.deadline_id in passed) for one in ripe]
        records = [inbox_outgoing(self.topics, self.partition, letter) for letter in says if letter]
        if records:
            await self.log.append(records)
        for one in ripe:
            if one.deadline.deadline_id in passed:
                one.again_ms, one.ends, one.first_asked_ms = now_ms + self.limits.due_repeat_ms, None, None

    def _ripe(self, wall_ms: int, now_ms: int) -> list[Watched]:
        """The open deadlines that are due by this worker's clock; those that ended meanwhile drop out."""
        ripe: dict[str, Watched] = {}
        while self.again and self.again[0][0] <= now_ms:
            _, deadline_id = heapq.heappop(self.again)
            if (one := self.watched.get(deadline_id)) is not None:
                heapq.heappush(self.due, (milliseconds(one.deadline.due_at), deadline_id))
        while self.due and self.due[0][0] <= wall_ms:
            _, deadline_id = heapq.heappop(self.due)
            if (one := self.watched.get(deadline_id)) is not None:
                ripe[deadline_id] = one
        return list(ripe.values())

    async def _ask_ends(self, ripe: Sequence[Watched], now_ms: int) -> None:
        """Takes, once for each deadline, the end offsets of the topics on which its answer could stand."""
        new = {one.deadline.deadline_id: one for one in ripe if one.ends is None}
        asked = {deadline_id: await self._answer_partitions(one) for deadline_id, one in new.items()}
        for one in new.values():
            if one.first_asked_ms is None:
                one.first_asked_ms = one.told_unknown_ms = now_ms
        ends = await self._ends(sorted({at for partitions in asked.values() for at in partitions}))
        for deadline_id, one in new.items():
            if all(at in ends for at in asked[deadline_id]):
                one.ends = {at: ends[at] for at in asked[deadline_id]}

    async def _ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Of those that can be asked: one topic that is away holds nobody else's deadline up."""
        try:
            return await self.log.end_offsets(partitions) if partitions else {}
        except LogError:
            ends: dict[TopicPartition, int] = {}
            for at in partitions:
                try:
                    ends |= await self.log.end_offsets([at])
                except LogError:
                    _LOG.warning("clock_cannot_ask", partition=self.partition, topic=at.topic)
            return ends

    async def _answer_partitions(self, one: Watched) -> list[TopicPartition]:
        """The party's reply topic, and the post's command topic: it may write down what it heard by telephone."""
        if one.deadline.answered_by is None:
            return []
        topics = (self.topics.reply(one.deadline.answered_by), self.topics.command(one.hub))
        return [
            TopicPartition(topic, partition)
            for topic in topics
            for partition in range(await self.log.partitions(topic))
        ]

    async def _passed(self, ripe: Sequence[Watched]) -> set[str]:
        """The ids of those for which ingress has passed every end that was taken."""
        wanted = sorted({at for one in ripe for at, end in (one.ends or {}).items() if end > 0})
        positions = await self.log.committed(self.topics.ingress_group, wanted) if wanted else {}
        return {
            one.deadline.deadline_id
            for one in ripe
            if one.ends is not None and all(end == 0 or (positions.get(at) or 0) >= end for at, end in one.ends.items())
        }

    def _says(self, one: Watched, now_ms: int, is_passed: bool) -> InboxRecord | None:
        deadline = one.deadline
        if is_passed:
            data: DeadlineDue | AnswerUnknown = DeadlineDue(
                deadline_id=deadline.deadline_id, revision=deadline.revision, due_at=deadline.due_at
            )
        elif now_ms - one.told_unknown_ms >= self.limits.answer_wait_limit_ms:
            one.told_unknown_ms = now_ms
            waited_s = (now_ms - (one.first_asked_ms or now_ms)) // 1000
            data = AnswerUnknown(deadline_id=deadline.deadline_id, revision=deadline.revision, waited_s=waited_s)
        else:
            return None
        return InboxRecord(
            log_id=self.log_id,
            hub=one.hub,
            kind="clock",
            sender="clock",
            message_id=identity.message_id("clock", deadline.deadline_id, deadline.revision, data.type),
            digest="-",
            data=data,
        )

    def _again_later(self, ripe: Sequence[Watched]) -> None:
        """Every deadline stays watched until the hub says that it ended: a "due" that got lost is said again.

        Then the ends are taken anew: what was said too early, by a wrong clock, says nothing about answers.
        """
        tick_ms = self.time.monotonic_ms() + self.limits.clock_tick_ms
        for one in ripe:
            if self.watched.get(one.deadline.deadline_id) is one:
                heapq.heappush(self.again, (max(tick_ms, one.again_ms), one.deadline.deadline_id))
