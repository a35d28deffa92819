"""The Log port on a real Kafka, with aiokafka 0.14. `tests/contract/` holds it and the simulation to the same."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from linkage.kafka_connection import client_kwargs
from linkage.runtime.ports import Outgoing, TopicPartition
from linkage.settings import KafkaSettings
from linkage.worker.kafka_lookup import GroupPositions, OffsetLookup, TopicLookup, missing
from linkage.worker.kafka_reader import GROUP_METADATA_AGE_MS, KafkaGroupReader, KafkaReader, consumer_kwargs
from linkage.worker.kafka_writer import (
    BATCH_LIMIT_BYTES,
    RETRY_BACKOFF_MS,
    AtPoint,
    KafkaAppender,
    KafkaWriter,
    no_point,
)

APPEND_LIMIT_MS = 20_000
PRODUCER_METADATA_AGE_MS = 30_000
NODE_LIMIT_MS = 3_500
"""How long one broker may keep a request before its connection is closed and another is asked: one that hangs keeps its
connections open, and whoever waited for it as long as for the whole answer never came to ask another. Group members are
excepted: their coordinator answers a join only when all have joined."""


class KafkaLog:
    """`linkage.runtime.ports.Log` on a cluster. One for a process; the running loop's, close it when done.

    `at_point` is called with the name of each point at which a process may die (`initialise.before`,
    `initialise.after`, `transact.begun`, `.sent_first`, `.sent_all`, `.acknowledged`, `.committing`, `.committed`);
    only a test's entry point passes one.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        transaction_timeout_ms: int = 10_000,
        session_timeout_ms: int = 6_000,
        heartbeat_interval_ms: int = 1_000,
        at_point: AtPoint | None = None,
    ) -> None:
        self._kwargs = client_kwargs(settings)
        self._limit_ms = settings.request_timeout_ms
        self._impatient = {**self._kwargs, "request_timeout_ms": min(NODE_LIMIT_MS, settings.request_timeout_ms)}
        self._transaction_timeout_ms = transaction_timeout_ms
        self._session_timeout_ms = session_timeout_ms
        self._heartbeat_interval_ms = heartbeat_interval_ms
        self._at_point = at_point or no_point
        self._topics = TopicLookup(self._impatient, self._limit_ms)
        self._offsets = OffsetLookup(self._impatient, self._limit_ms)
        self._groups = GroupPositions(self._impatient, self._limit_ms)
        self._appender: KafkaAppender | None = None
        self._group_readers: dict[str, KafkaGroupReader] = {}
        """The last one of each group: what it met says how the next one reads."""
        self._connecting = asyncio.Lock()

    async def initialise(self, transactional_id: str) -> KafkaWriter:
        producer = AIOKafkaProducer(
            transactional_id=transactional_id,
            transaction_timeout_ms=self._transaction_timeout_ms,
            acks="all",
            max_batch_size=BATCH_LIMIT_BYTES,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            metadata_max_age_ms=PRODUCER_METADATA_AGE_MS,
            **self._impatient,
        )
        writer = KafkaWriter(producer, transactional_id, self._at_point)
        await writer.initialise()
        return writer

    async def reader(self, positions: Mapping[TopicPartition, int]) -> KafkaReader:
        """Raises LogError when a partition does not exist: aiokafka would wait for it in silence."""
        for topic in sorted({at.topic for at in positions}):
            count = await self._topics.partitions(topic, fresh=True)
            if any(at.partition >= count for at in positions if at.topic == topic):
                raise missing(topic)
        reader = KafkaReader(AIOKafkaConsumer(**self._impatient, **consumer_kwargs()), list(positions), self._limit_ms)
        await reader.start(positions)
        return reader

    async def group_reader(self, group: str, topic_prefixes: Sequence[str]) -> KafkaGroupReader:
        consumer = AIOKafkaConsumer(
            group_id=group,
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=self._heartbeat_interval_ms,
            metadata_max_age_ms=GROUP_METADATA_AGE_MS,
            **self._kwargs,
            **consumer_kwargs(),
        )
        before = self._group_readers.get(group)
        is_careful = before is not None and before.met_undecodable
        reader = KafkaGroupReader(consumer, topic_prefixes, self._limit_ms, careful=is_careful)
        self._group_readers[group] = reader
        await reader.start()
        return reader

    async def append(self, records: Sequence[Outgoing]) -> None:
        """As the port says; to a topic that does not exist it raises at once."""
        if records:
            await self._require({(record.topic, record.partition) for record in records})
            appender = await self._usable_appender()
            await appender.append(records, APPEND_LIMIT_MS)

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        await self._require(partitions)
        return await self._offsets.beginnings(partitions)

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        await self._require(partitions)
        return await self._offsets.ends(partitions)

    async def partitions(self, topic: str) -> int:
        return await self._topics.partitions(topic)

    async def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int | None]:
        return await self._groups.committed(group, partitions)

    async def commit_for(self, group: str, next_offsets: Mapping[TopicPartition, int]) -> None:
        await self._groups.commit(group, next_offsets)

    async def close(self) -> None:
        """Closes what this log opened for itself; writers and readers are closed by who asked for them."""
        if self._appender is not None:
            await self._appender.close()
        await self._groups.close()
        await self._offsets.close()
        await self._topics.close()

    async def _require(self, partitions: Iterable[tuple[str, int]]) -> None:
        for topic, partition in set(partitions):
            if partition >= await self._topics.partitions(topic):
                raise missing(topic)

    async def _usable_appender(self) -> KafkaAppender:
        async with self._connecting:
            if self._appender is None or not self._appender.usable:
                producer = AIOKafkaProducer(
                    enable_idempotence=True,
                    acks="all",
                    max_batch_size=BATCH_LIMIT_BYTES,
                    metadata_max_age_ms=PRODUCER_METADATA_AGE_MS,
                    **self._impatient,
                )
                appender = KafkaAppender(producer)
                await appender.start(self._limit_ms)
                self._appender = appender
            return self._appender
