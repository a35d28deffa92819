"""A record that the client library can't even decode blocks nobody: it is passed over and named."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer import message_accumulator
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from linkage.errors import LogError
from linkage.kafka_connection import client_kwargs
from linkage.runtime.ports import TopicPartition
from linkage.settings import KafkaSettings
from linkage.topics import Family, spec_of
from linkage.worker import topic_admin
from linkage.worker.kafka_log import KafkaLog

READ_LIMIT_S = 30


class NoUtf8(str):
    """A header's name as only a broken or hostile client writes it."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff\xfe"


async def _published(settings: KafkaSettings, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """good, undecodable, after: each in a batch of its own."""
    monkeypatch.setattr(message_accumulator, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    producer = AIOKafkaProducer(**client_kwargs(settings))
    await producer.start()
    try:
        for value, headers in ((b"good", []), (b"bad", [(NoUtf8("name"), b"x")]), (b"after", [])):
            batch = producer.create_batch()
            batch.append(timestamp=None, key=None, value=value, headers=headers)
            await (await producer.send_batch(batch, topic, partition=0))
    finally:
        await producer.stop()


@pytest.mark.kafka
async def test_an_undecodable_record_is_passed_over_and_named(
    kafka_settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a header's name that is no UTF-8, then what stands before and after it is read, and it is a gap."""
    topic = kafka_settings.topics.report("grid")
    await topic_admin.apply(kafka_settings, [(topic, spec_of(Family.REPORT))], 1, 1, 1)
    await _published(kafka_settings, topic, monkeypatch)
    log = KafkaLog(kafka_settings)
    at, read, gaps = TopicPartition(topic, 0), [], []
    try:
        async with asyncio.timeout(READ_LIMIT_S):
            while b"after" not in read:
                reader = await log.group_reader("undecodable", [topic])
                try:
                    while b"after" not in read:
                        read += [record.value for record in await reader.read(100, 100)]
                        gaps += reader.gaps()
                        if positions := await reader.positions():
                            await reader.commit(positions)
                except LogError:
                    continue
                finally:
                    await reader.close()
    finally:
        await log.close()
    assert read == [b"good", b"after"] or read == [b"good", b"good", b"after"]
    assert gaps == [(at, 1, 2)]
