"""What a contract case may arrange around the Log port, and how a case is run on each implementation.

To add an implementation: a subclass of `LogWorld` and one function in `RUNNERS` that makes it and runs a case in it,
on whatever scheduler it has.
"""

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from zlib import crc32

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from linkage.kafka_connection import client_kwargs
from linkage.runtime.ports import Log, Outgoing, Time, TopicPartition
from linkage.settings import KafkaSettings
from linkage.worker.asyncio_time import AsyncioTime
from linkage.worker.kafka_log import KafkaLog
from tests.contract.memory_world import MemoryClusters


class OpenTransaction(Protocol):
    """A transaction of a foreign writer, its records written and acknowledged, not ended."""

    async def commit(self) -> None: ...

    async def abort(self) -> None: ...


class LogWorld(ABC):
    """One cluster, empty but for this case. `log` is this process's; the behaviour under test goes through `Log`."""

    log: Log
    time: Time

    @abstractmethod
    async def topic(self, partitions: int = 1, message_limit_bytes: int = 1_048_576) -> str:
        """Makes a topic whose name begins with `prefix()`."""

    @abstractmethod
    async def delete_topic(self, topic: str) -> None: ...

    @abstractmethod
    async def delete_records(self, at: TopicPartition, before_offset: int) -> None: ...

    @abstractmethod
    async def another_log(self) -> Log:
        """The same cluster seen by another process. Closed with the world."""

    @abstractmethod
    async def log_without_answers(self, *, committed: bool) -> Log:
        """A process whose commits never learn their outcome: the broker did commit them, or never got the request."""

    @abstractmethod
    async def open_transaction(self, transactional_id: str, records: Sequence[Outgoing]) -> OpenTransaction: ...

    @abstractmethod
    def prefix(self) -> str:
        """The beginning of this world's topic names, of no other's."""

    def name(self, of: str) -> str:
        """A group or a transactional id of this world's own."""
        return f"{self.prefix()}{of}"


Case = Callable[[Any], Awaitable[None]]
Runner = Callable[[Case, pytest.FixtureRequest], None]


class AnswerLost(Exception):
    """Stands for a connection that broke at a named point."""


class KafkaTransaction:
    """By aiokafka alone: nothing of ours takes part."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.producer = producer

    async def commit(self) -> None:
        await self.producer.commit_transaction()

    async def abort(self) -> None:
        await self.producer.abort_transaction()


class KafkaWorld(LogWorld):
    """A real broker shared with other tests, in a namespace of its own."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._kwargs = client_kwargs(settings)
        self._topics = 0
        self._logs: list[KafkaLog] = []
        self._producers: list[AIOKafkaProducer] = []

    async def __aenter__(self) -> "KafkaWorld":
        self._admin = AIOKafkaAdminClient(**self._kwargs)
        await self._admin.start()
        self.log = await self.another_log()
        self.time = AsyncioTime()
        return self

    async def __aexit__(self, *_: object) -> None:
        for log in self._logs:
            await log.close()
        for producer in self._producers:
            await producer.stop()
        await self._admin.close()

    async def topic(self, partitions: int = 1, message_limit_bytes: int = 1_048_576) -> str:
        self._topics += 1
        name = f"{self.prefix()}topic-{self._topics}"
        configs = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(message_limit_bytes)}
        answer = await self._admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])
        assert [row[1] for row in answer.topic_errors] == [0], answer
        while not (await self._admin.describe_topics([name]))[0]["partitions"]:  # noqa: ASYNC110  Kafka tells nobody
            await asyncio.sleep(0.01)
        return name

    async def delete_topic(self, topic: str) -> None:
        await self._admin.delete_topics([topic])

    async def delete_records(self, at: TopicPartition, before_offset: int) -> None:
        await self._admin.delete_records({KafkaPartition(*at): RecordsToDelete(before_offset)})

    async def another_log(self) -> KafkaLog:
        return self._log(lambda _point: None)

    async def log_without_answers(self, *, committed: bool) -> KafkaLog:
        lost_at = "transact.committed" if committed else "transact.committing"

        def lose(point: str) -> None:
            if point == lost_at:
                raise AnswerLost(point)

        return self._log(lose)

    async def open_transaction(self, transactional_id: str, records: Sequence[Outgoing]) -> KafkaTransaction:
        producer = AIOKafkaProducer(transactional_id=transactional_id, transaction_timeout_ms=10_000, **self._kwargs)
        await producer.start()
        self._producers.append(producer)
        await producer.begin_transaction()
        for record in records:
            await producer.send_and_wait(record.topic, record.value, record.key, record.partition)
        return KafkaTransaction(producer)

    def prefix(self) -> str:
        return f"{self._settings.namespace}."

    def _log(self, at_point: Callable[[str], None]) -> KafkaLog:
        log = KafkaLog(self._settings, at_point=at_point)
        self._logs.append(log)
        return log


def run_on_kafka(case: Case, request: pytest.FixtureRequest) -> None:
    kafka = request.getfixturevalue("kafka")
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, namespace=f"t{secrets.token_hex(5)}")

    async def run() -> None:
        async with KafkaWorld(settings) as world:
            await case(world)

    asyncio.run(run())


class MemoryWorld(MemoryClusters, LogWorld):
    """The simulation's log. Its seed is the case's name: the same case, the same interleaving."""


def run_in_memory(case: Case, request: pytest.FixtureRequest) -> None:
    world = MemoryWorld(seed=crc32(request.node.name.encode()))

    async def run() -> None:
        await case(world)

    try:
        world.virtual.run_until(run())
    finally:
        world.virtual.close()


RUNNERS = [
    pytest.param(run_in_memory, id="memory"),
    pytest.param(run_on_kafka, id="kafka", marks=pytest.mark.kafka),
]
"""A row for each implementation of the Log port."""
