"""Publisher: what one party (a source, a department, a post) sends, and what the engine says about it."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from linkage import wire
from linkage.client.deliveries import EngineAnswer, Order
from linkage.client.outlet import IN_FLIGHT_LIMIT_MESSAGES, Outlet, encoded
from linkage.client.receipts import ReceiptDesk
from linkage.client.replies import NamedReply, answer_to
from linkage.client.subscription import Subscription, end_of, subscribe_from
from linkage.errors import LinkageError
from linkage.events.envelope import PartyMessage
from linkage.events.inbound import Answer, ReportIncident
from linkage.settings import KafkaSettings
from linkage.topics import INBOUND_FAMILIES, Family

MESSAGE_ID_LIMIT_CHARACTERS = 128
RECEIPT_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Published:
    """Kafka has it, on all in-sync replicas. Whether the engine acted on it, its receipt says."""

    message_id: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Outbound:
    """One message to publish. The same `message_id` is the same message; `time` is when the sender made it."""

    message_id: str
    message: PartyMessage
    time: datetime | None = None


class Publisher:
    """Sends for one party and reads what the engine answers; an async context manager.

    `source` is the party's id as the county registered it. Every send returns when all in-sync replicas have the
    message. Raises TopicMissing before anything is sent when the party has no topic, KafkaUnreachable, Denied,
    NotWritten (too large), LogError (not acknowledged: send it again with the same id).
    """

    def __init__(
        self,
        source: str,
        settings: KafkaSettings | None = None,
        *,
        in_flight_limit_messages: int = IN_FLIGHT_LIMIT_MESSAGES,
    ) -> None:
        self.source = source
        self._settings = settings or KafkaSettings()
        self._in_flight_limit_messages = in_flight_limit_messages
        self._open = AsyncExitStack()
        self._outlet: Outlet | None = None
        self._desk: ReceiptDesk | None = None
        self._answers_from: dict[int, int] = {}

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            outlet = Outlet(self._settings, in_flight_limit_messages=self._in_flight_limit_messages)
            self._outlet = await opening.enter_async_context(outlet)
            self._answers_from = await end_of(self.source, self._settings)
            self._desk = ReceiptDesk(self.source, self._settings, self._answers_from)
            opening.push_async_callback(self._desk.close)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._outlet = self._desk = None
        await self._open.aclose()

    async def report(self, message_id: str, report: ReportIncident, *, time: datetime | None = None) -> Published:
        """Something happened. The same id again is the same report and gets the same receipt."""
        return await self.send(Family.REPORT, message_id, report, time=time)

    async def reply(self, reply: NamedReply) -> Published:
        """Answers an order of this party's dispatch topic: `publisher.reply(answer_to(order, "received"))`."""
        return await self.send(Family.REPLY, reply.message_id, reply.message)

    async def send(
        self, family: Family, message_id: str, message: PartyMessage, *, time: datetime | None = None
    ) -> Published:
        """Any message of a party, on its own topic of that family (report, reply or command)."""
        async with aclosing(self.publish_many(family, [Outbound(message_id, message, time)])) as one:
            async for published in one:
                return published
        raise LinkageError(f"message {message_id} was not published")

    async def publish_many(
        self, family: Family, messages: Iterable[Outbound] | AsyncIterable[Outbound]
    ) -> AsyncGenerator[Published, None]:
        """Sends many, several under way at a time, and yields each in their order once it is acknowledged.

        After an error those under way may or may not be written: send them again with the same ids.
        """
        outlet, desk = self._opened()
        topic = self._topic(family)
        under_way: deque[tuple[str, Any]] = deque()
        async for item in _each(messages):
            _check_id(item.message_id)
            desk.forget(item.message_id)
            time = wire.rfc3339(item.time) if item.time is not None else None
            attributes = wire.Attributes(item.message_id, self.source, item.message.type, time)
            under_way.append((item.message_id, await outlet.post(topic, attributes, encoded(item.message))))
            while under_way and under_way[0][1].done():
                yield await _published(outlet, topic, under_way.popleft())
        while under_way:
            yield await _published(outlet, topic, under_way.popleft())

    def answers(self) -> Subscription:
        """What the engine tells this party from the moment the publisher was opened: receipts, refusals, orders."""
        self._opened()
        return subscribe_from(self.source, self._settings, self._answers_from, follow=True)

    async def receipt(self, message_id: str, *, within_s: float = RECEIPT_LIMIT_S) -> EngineAnswer:
        """The receipt or refusal of a message sent through this publisher. Raises Unanswered after `within_s`."""
        return await self._opened()[1].answer(message_id, within_s)

    def _opened(self) -> tuple[Outlet, ReceiptDesk]:
        if self._outlet is None or self._desk is None:
            raise LinkageError("the publisher is not open; use it as `async with Publisher(...) as publisher:`")
        return self._outlet, self._desk

    def _topic(self, family: Family) -> str:
        topics = self._settings.topics
        match family:
            case Family.REPORT:
                return topics.report(self.source)
            case Family.REPLY:
                return topics.reply(self.source)
            case Family.COMMAND:
                return topics.command(self.source)
        written = ", ".join(inbound.name for inbound in INBOUND_FAMILIES)
        raise LinkageError(f"parties write {written}; {family.name} is the engine's own")


async def reply(
    party: str,
    order: Order,
    answer: Answer | str,
    *,
    reason: str = "",
    eta_at: datetime | None = None,
    settings: KafkaSettings | None = None,
) -> Published:
    """Answers one order and closes the connection again; who answers often uses an open Publisher's `reply`."""
    async with Publisher(party, settings) as publisher:
        return await publisher.reply(answer_to(order, answer, reason=reason, eta_at=eta_at))


async def _each(messages: Iterable[Outbound] | AsyncIterable[Outbound]) -> AsyncIterator[Outbound]:
    if isinstance(messages, AsyncIterable):
        async for item in messages:
            yield item
    else:
        for item in messages:
            yield item


async def _published(outlet: Outlet, topic: str, under_way: tuple[str, Any]) -> Published:
    message_id, placed = under_way
    try:
        record = await placed
    except Exception as error:
        raise outlet.explained(error, topic, message_id) from error
    return Published(message_id, topic, record.partition, record.offset)


def _check_id(message_id: str) -> None:
    if not 0 < len(message_id) <= MESSAGE_ID_LIMIT_CHARACTERS:
        raise LinkageError(
            f"a message id has 1 to {MESSAGE_ID_LIMIT_CHARACTERS} characters, "
            f"this one {len(message_id)}: {message_id[:40]!r}"
        )
