"""Publishing many lines of many sources: several under way, each answer matched to its line, everything accounted for.

A line ends in one of: bad (named, not sent), published and answered (receipt or refusal), published and unanswered.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, TypeVar

from linkage.client.deliveries import EngineAnswer
from linkage.client.errors import TopicMissing
from linkage.client.outlet import Outlet
from linkage.client.subscription import end_of, subscribe_from
from linkage.edges.report_lines import BadLine, ReportLine
from linkage.errors import LinkageError, NotWritten
from linkage.events.outbound import IssueReceipt, IssueRefusal
from linkage.settings import KafkaSettings

READ_AHEAD_LIMIT_LINES = 1_000
Item = TypeVar("Item")


@dataclass(slots=True)
class Tally:
    """What became of the lines so far."""

    published: int = 0
    bad: int = 0
    receipts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    unanswered: dict[tuple[str, str], int] = field(default_factory=dict)
    """(source, message id) -> how often it was sent without an answer yet."""

    @property
    def unanswered_count(self) -> int:
        return sum(self.unanswered.values())

    @property
    def is_clean(self) -> bool:
        return not (self.bad or self.refusals or self.unanswered)


@dataclass(frozen=True, slots=True)
class Shows:
    """Where what happens is shown."""

    bad: Callable[[BadLine], None]
    answer: Callable[[str, EngineAnswer], None]
    status: Callable[[Tally], None]


class Publishing:
    """Takes one line after the other; `finish` waits for acknowledgements, `wait_for_answers` for the engine."""

    def __init__(self, settings: KafkaSettings, outlet: Outlet, shows: Shows, *, follows_answers: bool) -> None:
        self.tally = Tally()
        self._settings = settings
        self._outlet = outlet
        self._shows = shows
        self._follows_answers = follows_answers
        self._under_way: deque[tuple[str, str, asyncio.Future[Any]]] = deque()
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._closed_sources: dict[str, str] = {}
        self._answered = asyncio.Event()

    async def take(self, line: ReportLine | BadLine) -> None:
        """Sends a line, or names what is wrong with it. Raises LinkageError when Kafka does not acknowledge."""
        if isinstance(line, BadLine):
            self._name_bad(line)
            return
        source = line.attributes.source
        problem = await self._opened(source)
        if problem is not None:
            self._name_bad(BadLine(line.line_no, f"source {source}: {problem}", "then publish this line again"))
            return
        key = (source, line.attributes.id)
        topic = self._settings.topics.report(source)
        if self._follows_answers:
            self.tally.unanswered[key] = self.tally.unanswered.get(key, 0) + 1
        try:
            placed = await self._outlet.post(topic, line.attributes, line.data)
        except NotWritten as error:
            self._settle(key)
            self._name_bad(BadLine(line.line_no, str(error), "then publish this line again"))
            return
        self._under_way.append((topic, line.attributes.id, placed))
        while self._under_way and self._under_way[0][2].done():
            await self._acknowledge()

    async def finish(self) -> None:
        """Returns when every line sent is acknowledged."""
        while self._under_way:
            await self._acknowledge()

    async def wait_for_answers(self, limit_s: float) -> None:
        """Until every line is answered, or none was for `limit_s` seconds. What is left stays in `unanswered`."""
        while self.tally.unanswered:
            self._answered.clear()
            answered = asyncio.create_task(self._answered.wait())
            done, _ = await asyncio.wait(
                [answered, *self._followers.values()], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
            )
            answered.cancel()
            if not done:
                return
            for follower in done - {answered}:
                follower.result()

    async def close(self) -> None:
        for follower in self._followers.values():
            follower.cancel()
        if self._followers:
            await asyncio.wait(self._followers.values())

    async def _opened(self, source: str) -> str | None:
        """None, or why nothing can be sent for this source."""
        if source in self._closed_sources or source in self._followers:
            return self._closed_sources.get(source)
        try:
            await self._outlet.require(self._settings.topics.report(source))
            if self._follows_answers:
                start = await end_of(source, self._settings)
                self._followers[source] = asyncio.create_task(self._follow(source, start), name=f"answers to {source}")
        except TopicMissing as error:
            self._closed_sources[source] = " ".join(str(error).split())
            return self._closed_sources[source]
        return None

    async def _follow(self, source: str, start: dict[int, int]) -> None:
        async with subscribe_from(source, self._settings, start, follow=True) as deliveries:
            async for delivery in deliveries:
                message = delivery.message
                if isinstance(message, IssueReceipt | IssueRefusal) and self._settle((source, message.message_id)):
                    self._count(source, message)

    def _count(self, source: str, answer: EngineAnswer) -> None:
        if isinstance(answer, IssueReceipt):
            self.tally.receipts[answer.outcome] += 1
        else:
            self.tally.refusals[answer.code] += 1
        self._shows.answer(source, answer)
        self._shows.status(self.tally)
        self._answered.set()

    def _settle(self, key: tuple[str, str]) -> bool:
        """False when nobody waits for it: an earlier run's, or somebody else's."""
        left = self.tally.unanswered.get(key, 0)
        if left > 1:
            self.tally.unanswered[key] = left - 1
        else:
            self.tally.unanswered.pop(key, None)
        return left > 0

    def _name_bad(self, line: BadLine) -> None:
        self.tally.bad += 1
        self._shows.bad(line)

    async def _acknowledge(self) -> None:
        topic, message_id, placed = self._under_way.popleft()
        try:
            await placed
        except Exception as error:
            reason = self._outlet.explained(error, topic, message_id)
            raise LinkageError(
                f"{reason}\n{self.tally.published} lines are published, of the others it is not certain: publish the "
                "file again, the same ids are the same messages (shifted anew they are not, and are refused)"
            ) from error
        self.tally.published += 1
        self._shows.status(self.tally)


async def from_thread(items: Iterator[Item]) -> AsyncIterator[Item]:
    """The items of an iterator that may wait (standard input); neither the loop nor the process's end waits for it."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[Item] | BaseException | None] = asyncio.Queue(READ_AHEAD_LIMIT_LINES)

    def read() -> None:
        last: BaseException | None = None
        try:
            for item in items:
                asyncio.run_coroutine_threadsafe(queue.put((item,)), loop).result()
        except Exception as error:
            last = error
        if not loop.is_closed():
            asyncio.run_coroutine_threadsafe(queue.put(last), loop)

    Thread(target=read, name="lines to publish", daemon=True).start()
    while (entry := await queue.get()) is not None:
        if isinstance(entry, BaseException):
            raise entry
        yield entry[0]
