"""The floor: two plain aiokafka loops with as many hops as the engine, and none of what it promises.

Hop 1 reads a source topic, validates, appends to an inbox, commits the offset. Hop 2 reads the inbox committed,
validates, updates a dict, and writes a record of state and a result in one transaction for each list.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pydantic import TypeAdapter

from linkage.events.inbound import AnswerOrder, ReportIncident

MESSAGE: TypeAdapter[ReportIncident | AnswerOrder] = TypeAdapter(ReportIncident | AnswerOrder)
LIST_LIMIT_RECORDS = 500
BATCH_LIMIT_BYTES = 524_288


class PlainLoop:
    """Both hops in one process. `source`, `inbox`, `journal`, `results`: topics of one partition."""

    def __init__(self, servers: str, source: str, inbox: str, journal: str, results: str) -> None:
        self.servers = servers
        self.source, self.inbox, self.journal, self.results = source, inbox, journal, results
        self.seen: dict[str, int] = {}
        self.done = 0

    async def run(self, events: int) -> None:
        """Until so many events are done."""
        admitting = asyncio.create_task(self._admit())
        deciding = asyncio.create_task(self._decide(events))
        await deciding
        admitting.cancel()
        await asyncio.gather(admitting, return_exceptions=True)

    async def _admit(self) -> None:
        consumer = AIOKafkaConsumer(
            self.source,
            bootstrap_servers=self.servers,
            group_id=f"{self.source}.group",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        producer = AIOKafkaProducer(
            bootstrap_servers=self.servers, enable_idempotence=True, max_batch_size=BATCH_LIMIT_BYTES
        )
        await consumer.start()
        await producer.start()
        try:
            while True:
                records = await _some(consumer)
                if records:
                    valid = [(record.key, MESSAGE.validate_json(record.value)) for record in records]
                    written = [(key, message.model_dump_json().encode()) for key, message in valid]
                    await _send(producer, self.inbox, written)
                    await consumer.commit()
        finally:
            await consumer.stop()
            await producer.stop()

    async def _decide(self, events: int) -> None:
        at = TopicPartition(self.inbox, 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.servers, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        producer = AIOKafkaProducer(
            bootstrap_servers=self.servers, transactional_id=f"{self.inbox}.plain", max_batch_size=BATCH_LIMIT_BYTES
        )
        await consumer.start()
        await producer.start()
        consumer.assign([at])
        try:
            while self.done < events:
                records = await _some(consumer)
                if not records:
                    continue
                journal, results = self._decided(records)
                async with producer.transaction():
                    await _send(producer, self.journal, journal)
                    await _send(producer, self.results, results)
                self.done += len(records)
        finally:
            await consumer.stop()
            await producer.stop()

    def _decided(self, records: Iterable[Any]) -> tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]:
        journal, results = [], []
        for record in records:
            message = MESSAGE.validate_json(record.value)
            subject = message.order_id if isinstance(message, AnswerOrder) else message.place.words
            self.seen[subject] = self.seen.get(subject, 0) + 1
            journal.append((record.key, b'{"position":%d,"inbox":%b}' % (record.offset, record.value)))
            results.append((record.key, b'{"subject":"%b","seen":%d}' % (subject.encode(), self.seen[subject])))
        return journal, results


async def _some(consumer: AIOKafkaConsumer) -> list[Any]:
    lists = await consumer.getmany(timeout_ms=100, max_records=LIST_LIMIT_RECORDS)
    return [record for records in lists.values() for record in records]


async def _send(producer: AIOKafkaProducer, topic: str, records: Iterable[tuple[bytes, bytes]]) -> None:
    """In batches built by hand: half the price of `send`."""
    futures = []
    builder = producer.create_batch()
    for key, value in records:
        if builder.append(timestamp=None, key=key, value=value) is None:
            futures.append(await producer.send_batch(builder, topic, partition=0))
            builder = producer.create_batch()
            builder.append(timestamp=None, key=key, value=value)
    futures.append(await producer.send_batch(builder, topic, partition=0))
    await asyncio.gather(*futures)
