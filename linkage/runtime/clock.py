"""The clock's loop: says "due" in the inbox when a deadline's instant has come, and again while it stays open.

It decides nothing. An outage makes nobody overdue: at or after `due_at` it takes the end offsets of the topics on which
the answer could come and waits until ingress has passed them; only then it says "due", so that every answer given in
time stands in the inbox before it. If that takes longer than a limit, a person is told that the answer is unknown. So
he is when the log stood still before `due_at`: then "due" is said as much later (`standstill.py`).
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
from linkage.runtime.ends import ends_of_those_there
from linkage.runtime.outbox import inbox_outgoing
from linkage.runtime.ports import Log, Time, TopicPartition
from linkage.runtime.progress import Backoff, LoopLimits, Progress, rest
from linkage.runtime.standstill import Outages, Standstill
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
    told_stood_s: int = 0
    """For how long the log stood still before its end, as a person was told."""


@dataclass(slots=True)
class Clock:
    """Watches the open deadlines of one hub partition; fed by the hub's loop with what it has committed."""

    log: Log
    time: Time
    topics: Topics
    partition: int
    log_id: str
    limits: LoopLimits
    standstill: Standstill = field(init=False)
    outages: Outages = field(default_factory=Outages)
    broker_ahead_ms: int | None = None
    """The broker's wall clock less our monotonic one, at least: of the freshest record that was read."""
    watched: dict[str, Watched] = field(default_factory=dict)
    due: list[tuple[int, str]] = field(default_factory=list)
    """(wall clock, deadline): what has not been due yet"""
    again: list[tuple[int, str]] = field(default_factory=list)
    """(monotonic, deadline): what has been due and is still open; a wall clock that is set right must not delay it"""
    progress: Progress = field(init=False)
    is_stopping: bool = False

    def __post_init__(self) -> None:
        self.progress = Progress(f"clock.{self.partition}")
        self.standstill = Standstill(self.time, self.outages, self.partition)

    def heard(self, appended_ms: int) -> None:
        """The hub has read a record of that append time: now is later, whatever this machine's clock says."""
        ahead_ms = appended_ms - self.time.monotonic_ms()
        self.broker_ahead_ms = max(ahead_ms, ahead_ms if self.broker_ahead_ms is None else self.broker_ahead_ms)

    def _now_ms(self) -> int:
        """The wall clock, or what the broker's must be when ours is behind."""
        now_ms = self.time.now_ms()
        if self.broker_ahead_ms is not None:
            now_ms = max(now_ms, self.time.monotonic_ms() + self.broker_ahead_ms)
        return now_ms

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
        try:
            while not self.is_stopping:
                self.progress.turned_at_ms = self.time.monotonic_ms()
                try:
                    await self.tick()
                    backoff.succeeded()
                    await rest(self.time, self.progress, self.limits.clock_tick_ms)
                except (LogError, TimeoutError) as error:
                    self.progress.detail = f"{type(error).__name__}: {error}"
                    _LOG.warning("clock_waits", partition=self.partition, detail=self.progress.detail)
                    await rest(self.time, self.progress, backoff.next_ms(self.time.jitter()))
        finally:
            self.progress.ended()

    async def tick(self) -> None:
        """Says "due" for every deadline whose instant has come and whose answers are all in the inbox."""
        now_ms = self.time.monotonic_ms()
        ripe = [] if self.standstill.is_open else self._ripe(self._now_ms(), now_ms)
        if ripe:
            self.progress.saw_end(self.progress.done + len(ripe), now_ms)
            try:
                await self._say(ripe, now_ms)
            finally:
                self._again_later(ripe)
        self.progress.done += len(ripe)
        self.progress.moved(self.progress.done, self.time.monotonic_ms())

    async def _say(self, ripe: Sequence[Watched], now_ms: int) -> None:
        ripe = await self._without_extended(ripe)
        await self._ask_ends(ripe, now_ms)
        passed = await self._passed(ripe)
        says = [self._says(one, now_ms, one.deadline.deadline_id in passed) for one in ripe]
        records = [inbox_outgoing(self.topics, self.partition, letter) for letter in says if letter]
        if records:
            await self.log.append(records)
        for one in ripe:
            if one.deadline.deadline_id in passed:
                one.again_ms, one.ends, one.first_asked_ms = now_ms + self.limits.due_repeat_ms, None, None

    async def _without_extended(self, ripe: Sequence[Watched]) -> list[Watched]:
        """Those whose time is up although the log stood still; of the others a person is told, once for each outage."""
        wall_ms, up, letters = self._now_ms(), [], []
        for one in ripe:
            due_ms = milliseconds(one.deadline.due_at)
            extended_ms = self.outages.extended(due_ms - one.deadline.span_s * 1_000, due_ms)
            if extended_ms <= wall_ms:
                up.append(one)
                continue
            one.again_ms = self.time.monotonic_ms() + extended_ms - wall_ms
            stood_s = (extended_ms - due_ms) // 1_000
            if stood_s > one.told_stood_s:
                one.told_stood_s = stood_s
                letters.append(self._letter(one, self._unknown(one, stood_s)))
        if letters:
            await self.log.append([inbox_outgoing(self.topics, self.partition, letter) for letter in letters])
        return up

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
        ends = await ends_of_those_there(self.log, sorted({at for partitions in asked.values() for at in partitions}))
        for deadline_id, one in new.items():
            if all(at in ends for at in asked[deadline_id]):
                one.ends = {at: ends[at] for at in asked[deadline_id]}

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
            data = self._unknown(one, (now_ms - (one.first_asked_ms or now_ms)) // 1000)
        else:
            return None
        return self._letter(one, data)

    def _unknown(self, one: Watched, waited_s: int) -> AnswerUnknown:
        deadline = one.deadline
        return AnswerUnknown(deadline_id=deadline.deadline_id, revision=deadline.revision, waited_s=waited_s)

    def _letter(self, one: Watched, data: DeadlineDue | AnswerUnknown) -> InboxRecord:
        return InboxRecord(
            log_id=self.log_id,
            hub=one.hub,
            kind="clock",
            sender="clock",
            message_id=identity.message_id("clock", data.deadline_id, data.revision, data.type),
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
