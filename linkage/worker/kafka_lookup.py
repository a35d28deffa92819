"""Questions about topics and groups that move nothing: partitions, offsets, a group's committed positions."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, KafkaTimeoutError, NodeNotReadyError
from aiokafka.protocol.metadata import MetadataRequest

from linkage.errors import TopicUnknown
from linkage.runtime.ports import TopicPartition
from linkage.worker.kafka_faults import bounded, close_within, started
from linkage.worker.kafka_reader import consumer_kwargs

KNOWN_TOPIC_AGE_LIMIT_MS = 30_000
MISSING_TOPIC_AGE_LIMIT_MS = 1_000
RETRY_PAUSE_MS = 50
NAMED_LIMIT_TOPICS = 3

Client = TypeVar("Client")


class TopicLookup:
    """How many partitions a topic has. Asks for that topic alone and never lets the broker create it."""

    def __init__(self, kwargs: dict[str, Any], limit_ms: int) -> None:
        self._kwargs = kwargs
        self._limit_ms = limit_ms
        self._client: AIOKafkaClient | None = None
        self._found: dict[str, tuple[int, int]] = {}

    async def partitions(self, topic: str, *, fresh: bool = False) -> int:
        """0 when the topic does not exist or is denied. Remembered for KNOWN_ or MISSING_TOPIC_AGE_LIMIT_MS."""
        count, valid_until_ms = self._found.get(topic, (0, 0))
        if not fresh and _monotonic_ms() < valid_until_ms:
            return count
        async with bounded(f"looking up {topic}", self._limit_ms):
            count = await self._ask(topic)
        age_limit_ms = KNOWN_TOPIC_AGE_LIMIT_MS if count else MISSING_TOPIC_AGE_LIMIT_MS
        self._found[topic] = (count, _monotonic_ms() + age_limit_ms)
        return count

    async def close(self) -> None:
        if self._client is not None:
            await close_within(self._client.close, self._client.close)

    async def _ask(self, topic: str) -> int:
        if self._client is None:
            client = AIOKafkaClient(**self._kwargs)
            await client.bootstrap()
            self._client = client
        while True:
            try:
                answer = await self._client.send(
                    self._any_node(self._client), MetadataRequest([topic], allow_auto_topic_creation=False)
                )
            except KafkaError as error:
                if not error.retriable:
                    raise
                await self._client.force_metadata_update()
                await asyncio.sleep(RETRY_PAUSE_MS / 1000)
                continue
            (row,) = answer.to_object()["topics"]
            return len(row["partitions"])

    def _any_node(self, client: AIOKafkaClient) -> int:
        """None is known while every broker is away: asking again helps."""
        node: int | None = client.get_random_node()
        if node is None:
            raise NodeNotReadyError("no broker is known")
        return node


class OffsetLookup:
    """Where partitions begin and where a committed reader comes to an end, by one consumer without partitions."""

    def __init__(self, kwargs: dict[str, Any], limit_ms: int) -> None:
        self._kwargs = kwargs
        self._limit_ms = limit_ms
        self._consumer: AIOKafkaConsumer | None = None
        self._connecting = asyncio.Lock()

    async def beginnings(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        async with bounded(f"beginning offsets of {_named(partitions)}", self._limit_ms):
            consumer = await self._connected()
            await _told_topics(consumer, partitions)
            asked = [KafkaPartition(*at) for at in partitions]
            return _ours(await _retried(lambda: consumer.beginning_offsets(asked), consumer._client))

    async def ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Last stable offsets: the consumer is read_committed, so ListOffsets answers with these."""
        async with bounded(f"end offsets of {_named(partitions)}", self._limit_ms):
            consumer = await self._connected()
            await _told_topics(consumer, partitions)
            asked = [KafkaPartition(*at) for at in partitions]
            return _ours(await _retried(lambda: consumer.end_offsets(asked), consumer._client))

    async def close(self) -> None:
        if self._consumer is not None:
            await close_within(self._consumer.stop, self._consumer._client.close)

    async def _connected(self) -> AIOKafkaConsumer:
        async with self._connecting:
            if self._consumer is None:
                consumer = AIOKafkaConsumer(**self._kwargs, **consumer_kwargs())
                try:
                    await started(consumer)
                except BaseException:
                    await close_within(consumer.stop, consumer._client.close)
                    raise
                self._consumer = consumer
            return self._consumer


class GroupPositions:
    """Committed positions of groups, read by the admin client, written by a consumer that fetches nothing."""

    def __init__(self, kwargs: dict[str, Any], limit_ms: int) -> None:
        self._kwargs = kwargs
        self._limit_ms = limit_ms
        self._admin: AIOKafkaAdminClient | None = None
        self._committers: dict[str, AIOKafkaConsumer] = {}
        self._connecting = asyncio.Lock()
        self._committing = asyncio.Lock()
        """One at a time: to be assigned anew while its coordinator is still sought kills aiokafka's task."""

    async def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int | None]:
        async with bounded(f"committed positions of {group}", self._limit_ms):
            admin = await self._admin_client()
            asked = [KafkaPartition(*at) for at in partitions]
            found = await _retried(lambda: admin.list_consumer_group_offsets(group, partitions=asked), admin._client)
        positions: dict[TopicPartition, int | None] = dict.fromkeys(partitions)
        positions.update({TopicPartition(*at): row.offset for at, row in found.items() if row.offset >= 0})
        return positions

    async def commit(self, group: str, next_offsets: Mapping[TopicPartition, int]) -> None:
        if not next_offsets:
            return
        offsets = {KafkaPartition(*at): offset for at, offset in next_offsets.items()}
        async with bounded(f"committing for {group}", self._limit_ms), self._committing:
            consumer = await self._committer(group)
            if not consumer.assignment() >= offsets.keys():
                everything = consumer.assignment() | offsets.keys()
                consumer.assign(list(everything))
                for at in everything:
                    consumer.seek(at, offsets.get(at, 0))
                    consumer.pause(at)
            await consumer.commit(offsets)

    async def close(self) -> None:
        for consumer in self._committers.values():
            await close_within(consumer.stop, consumer._client.close)
        if self._admin is not None:
            await close_within(self._admin.close, self._admin.close)

    async def _admin_client(self) -> AIOKafkaAdminClient:
        async with self._connecting:
            if self._admin is None:
                admin = AIOKafkaAdminClient(**self._kwargs)
                try:
                    await admin.start()
                except BaseException:
                    await close_within(admin.close, admin.close)
                    raise
                self._admin = admin
            return self._admin

    async def _committer(self, group: str) -> AIOKafkaConsumer:
        async with self._connecting:
            if group not in self._committers:
                consumer = AIOKafkaConsumer(group_id=group, **self._kwargs, **consumer_kwargs())
                try:
                    await started(consumer)
                except BaseException:
                    await close_within(consumer.stop, consumer._client.close)
                    raise
                self._committers[group] = consumer
            return self._committers[group]


async def _told_topics(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
    """Names all topics to the client at once. Asked for offsets it would learn one new topic each retry, in 0.1 s."""
    client = consumer._client
    unknown = {at.topic for at in partitions if client.cluster.partitions_for_topic(at.topic) is None}
    learnt = [client.add_topic(topic) for topic in sorted(unknown)]
    if learnt:
        await asyncio.wait(learnt)


async def _retried(ask: Callable[[], Awaitable[Any]], client: AIOKafkaClient) -> Any:
    """Asked again, of whoever leads by then, when a broker hangs or only just loads; the caller's limit ends it."""
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not error.retriable and not isinstance(error, KafkaTimeoutError):
                raise
        client.force_metadata_update()
        await asyncio.sleep(RETRY_PAUSE_MS / 1000)


def _ours(offsets: Mapping[KafkaPartition, int]) -> dict[TopicPartition, int]:
    return {TopicPartition(*at): offset for at, offset in offsets.items()}


def _named(partitions: Sequence[TopicPartition]) -> str:
    topics = sorted({at.topic for at in partitions})
    more = f" and {len(topics) - NAMED_LIMIT_TOPICS} more topics" if len(topics) > NAMED_LIMIT_TOPICS else ""
    return ", ".join(topics[:NAMED_LIMIT_TOPICS]) + more


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def missing(topic: str) -> TopicUnknown:
    return TopicUnknown(f"{topic} does not exist or is denied: `linkage topics apply` makes the topics of a county")
