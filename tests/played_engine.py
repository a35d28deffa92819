"""The engine, played by a test: it writes dispatch topics in transactions of its own, committed or aborted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pydantic import BaseModel

from linkage import wire
from linkage.client import Delivery, subscribe
from linkage.client.outlet import encoded
from linkage.events.base import Level, Place
from linkage.events.outbound import Briefing, IssueReceipt, IssueRefusal, WhistleDepartment
from linkage.settings import KafkaSettings

HUB = "990101002"
LIMIT_S = 20.0
AT = datetime(2026, 11, 23, 2, 31, 14, tzinfo=UTC)
_transactional = count(1)


def order_to(party: str, order_id: str = "O-91d0aa", revision: int = 1, *, exercise: bool = False) -> WhistleDepartment:
    """The whistle for a department."""
    return WhistleDepartment(
        order_id=order_id,
        revision=revision,
        hub=HUB,
        relation="whistled",
        ordered_at=AT,
        text_en="landslide near Yuntai, report in by 03:01",
        text_zh="云台村滑坡险情,03:01前报到",
        party=party,
        role="lead",
        briefing=Briefing(
            incident_id="I-4e21",
            kind="nat.geo.landslide",
            kind_zh="滑坡",
            level=Level.III,
            level_is_provisional=True,
            place=Place(township=HUB),
            summary="slope moves",
            exercise=exercise,
        ),
        receive_by=AT,
        report_in_by=AT,
    )


def receipt_for(party: str, message_id: str) -> IssueReceipt:
    return IssueReceipt(
        hub=HUB,
        party=party,
        message_id=message_id,
        outcome="opened",
        incident_id="I-4e21",
        text_en="opened I-4e21",
        text_zh="已立案 I-4e21",
    )


def refusal_for(party: str, message_id: str) -> IssueRefusal:
    return IssueRefusal(
        hub=HUB,
        party=party,
        message_id=message_id,
        code="unknown_order",
        fault="sender",
        may_be_sent_again=False,
        text_en="there is no such order; look at your dispatch topic",
        text_zh="无此指令",
    )


async def create_topics(settings: KafkaSettings, *names: str) -> None:
    """One partition each, append time of the broker, as for parties. Returns when the broker shows them all."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    try:
        configs = {"message.timestamp.type": "LogAppendTime"}
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=configs) for name in names])
        async with asyncio.timeout(LIMIT_S):
            while not all(row["partitions"] for row in await admin.describe_topics(list(names))):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        await admin.close()


class PlayedEngine:
    """Writes to parties in transactions. `tell` commits, `almost_tell` aborts."""

    def __init__(self, settings: KafkaSettings, producer: AIOKafkaProducer) -> None:
        self._settings = settings
        self._producer = producer
        self._ids = count(1)

    async def tell(self, party: str, *messages: BaseModel) -> None:
        async with self._producer.transaction():
            await self._write(party, messages)

    async def almost_tell(self, party: str, *messages: BaseModel) -> None:
        await self._producer.begin_transaction()
        await self._write(party, messages)
        await self._producer.abort_transaction()

    async def tell_raw(self, party: str, value: bytes, headers: wire.Headers = ()) -> None:
        async with self._producer.transaction():
            await self._producer.send_and_wait(self._topic(party), value, headers=list(headers))

    async def answer(self, topic: str, party: str, say: Callable[[str, str], BaseModel], limit: int) -> None:
        """Answers the first `limit` messages of a topic, each with `say(party, message_id)`."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._settings.bootstrap_servers, auto_offset_reset="none")
        await consumer.start()
        try:
            consumer.assign([TopicPartition(topic, 0)])
            consumer.seek(TopicPartition(topic, 0), 0)
            for _ in range(limit):
                record = await consumer.getone()
                attributes, _data = wire.read(record.headers, record.value)
                await self.tell(party, say(party, attributes.id))
        finally:
            await consumer.stop()

    async def _write(self, party: str, messages: tuple[BaseModel, ...]) -> None:
        for message in messages:
            kind = str(message.model_dump()["type"])
            attributes = wire.Attributes(f"engine-{next(self._ids)}", HUB, kind)
            await self._producer.send_and_wait(
                self._topic(party), encoded(message), headers=list(wire.headers(attributes))
            )

    def _topic(self, party: str) -> str:
        return self._settings.topics.dispatch(party)


@asynccontextmanager
async def playing_engine(settings: KafkaSettings) -> AsyncIterator[PlayedEngine]:
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap_servers,
        transactional_id=f"{settings.namespace}.played.{next(_transactional)}",
    )
    await producer.start()
    try:
        yield PlayedEngine(settings, producer)
    finally:
        await producer.stop()


async def records_of(settings: KafkaSettings, topic: str) -> list[tuple[wire.Attributes, bytes]]:
    """Everything a topic holds now, as events."""
    at = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap_servers, auto_offset_reset="none")
    await consumer.start()
    try:
        end = (await consumer.end_offsets([at]))[at]
        consumer.assign([at])
        consumer.seek(at, 0)
        found: list[tuple[wire.Attributes, bytes]] = []
        async with asyncio.timeout(20):
            while await consumer.position(at) < end:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [wire.read(record.headers, record.value) for record in records]
        return found
    finally:
        await consumer.stop()


async def all_now(party: str, settings: KafkaSettings, group: str | None = None) -> list[Delivery]:
    """Everything a party is told until now."""
    async with asyncio.timeout(LIMIT_S), subscribe(party, settings, follow=False, group=group) as deliveries:
        return [delivery async for delivery in deliveries]
