"""Writing topics that parties write: one idempotent producer, acknowledged by all in-sync replicas, a bounded number
of messages under way."""

import asyncio
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from pydantic import BaseModel

from linkage import wire
from linkage.client.connection import partitions_by_topic, reaching
from linkage.client.errors import failure, missing, too_large
from linkage.errors import LinkageError
from linkage.kafka_connection import client_kwargs
from linkage.settings import KafkaSettings
from linkage.topics import MESSAGE_LIMIT_BYTES

IN_FLIGHT_LIMIT_MESSAGES = 500
BATCH_LIMIT_BYTES = 262_144
HEADERS_ALLOWANCE_BYTES = 4_096
"""What key, headers and the batch around a record may take of the topic's limit."""


def encoded(message: BaseModel) -> bytes:
    """The message's JSON: what is unknown (None) is left out, so that an optional field more changes no bytes."""
    return message.model_dump_json(exclude_none=True).encode()


class Outlet:
    """Posts encoded messages to any of the topics that parties write; looks each topic up before it writes there."""

    def __init__(self, settings: KafkaSettings, *, in_flight_limit_messages: int = IN_FLIGHT_LIMIT_MESSAGES) -> None:
        self._settings = settings
        self._under_way = asyncio.Semaphore(in_flight_limit_messages)
        self._known: dict[str, int] = {}
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        self._known = await partitions_by_topic(self._settings)
        producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_LIMIT_BYTES,
            max_request_size=MESSAGE_LIMIT_BYTES,
            **client_kwargs(self._settings),
        )
        async with reaching(self._settings):
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
        self._producer = producer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def require(self, topic: str) -> None:
        """Raises TopicMissing; sending to a topic that does not exist would block for longer than anybody waits."""
        if topic not in self._known:
            self._known = await partitions_by_topic(self._settings)
        if topic not in self._known:
            raise missing(topic)

    async def post(
        self, topic: str, attributes: wire.Attributes, data: bytes, *, key: str | None = None
    ) -> "asyncio.Future[Any]":
        """Hands the message to the producer and returns what will be its place in the topic (`.partition`, `.offset`).

        Waits while as many messages as the limit says are under way. The key is the message id unless told. The future
        raises aiokafka's errors: pass them through `explained`.
        """
        if len(data) + HEADERS_ALLOWANCE_BYTES > MESSAGE_LIMIT_BYTES:
            raise too_large(f"message {attributes.id} to {topic}", len(data))
        return await self._send(topic, key or attributes.id, data, wire.headers(attributes))

    async def erase(self, topic: str, key: str) -> "asyncio.Future[Any]":
        """In a compacted topic: nothing is true of this key any more."""
        return await self._send(topic, key, None, ())

    async def _send(self, topic: str, key: str, value: bytes | None, headers: wire.Headers) -> "asyncio.Future[Any]":
        if self._producer is None:
            raise LinkageError("the publisher is not open; use it as `async with`")
        await self.require(topic)
        await self._under_way.acquire()
        try:
            placed: asyncio.Future[Any] = await self._producer.send(
                topic, value=value, key=key.encode(), headers=list(headers)
            )
        except BaseException as error:
            self._under_way.release()
            if isinstance(error, KafkaError):
                raise self.explained(error, topic, key) from error
            raise
        placed.add_done_callback(lambda _: self._under_way.release())
        return placed

    def explained(self, error: Exception, topic: str, message_id: str) -> LinkageError:
        """Our error for a message that was not acknowledged; sent again with its id it is the same message."""
        return failure(error, f"message {message_id} to {topic}", self._settings.bootstrap_servers)
