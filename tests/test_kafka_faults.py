"""What aiokafka raises where nobody expects it ends nothing of ours."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from linkage.errors import LogError
from linkage.runtime.ports import GroupReader, Reader, TopicPartition
from linkage.settings import KafkaSettings
from linkage.topics import Family, spec_of
from linkage.worker import topic_admin
from linkage.worker.kafka_faults import close_within
from linkage.worker.kafka_log import KafkaLog

NOTICED_LIMIT_S = 5


async def test_what_a_client_raises_while_it_closes_is_told_to_nobody() -> None:
    """Seen with all brokers away: a KeyError of aiokafka's sender came out of `stop`, and the worker ended."""
    disconnected = []

    async def stop() -> None:
        raise KeyError("a batch that was given up")

    async def disconnect() -> None:
        disconnected.append(True)

    await close_within(stop, disconnect)
    assert disconnected == [True]


async def test_a_stalled_loop_that_closes_a_broken_client_is_cancelled_and_no_more() -> None:
    """Seen: the client's own error replaced the cancellation, a loop that was to begin anew ended the worker."""
    closes, is_closing = asyncio.Event(), asyncio.Event()

    async def stop() -> None:
        raise KeyError("what ended its fetching")

    async def disconnect() -> None:
        is_closing.set()

    async def stalled() -> None:
        try:
            await closes.wait()
        finally:
            await close_within(stop, disconnect)

    loop = asyncio.create_task(stalled())
    await asyncio.sleep(0)
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop
    assert is_closing.is_set()
    assert loop.cancelled()


async def _reader(log: KafkaLog, topic: str) -> Reader:
    return await log.reader({TopicPartition(topic, 0): 0})


async def _group_reader(log: KafkaLog, topic: str) -> GroupReader:
    reader = await log.group_reader("fetching", [topic])
    async with asyncio.timeout(30):
        while not reader.assigned():
            await reader.read(1, 100)
    return reader


async def _read_on(reader: Reader | GroupReader) -> None:
    async with asyncio.timeout(NOTICED_LIMIT_S):
        while True:
            await reader.read(1, 100)


@pytest.mark.kafka
@pytest.mark.parametrize("opened", [_reader, _group_reader])
async def test_a_client_that_fetches_no_more_is_noticed_at_the_next_read(
    kafka_settings: KafkaSettings, opened: Callable[[KafkaLog, str], Awaitable[Any]]
) -> None:
    """Given an error that ends aiokafka's fetch task, then `read` says so; before, it found nothing for ever."""
    topic = kafka_settings.topics.report("grid")
    await topic_admin.apply(kafka_settings, [(topic, spec_of(Family.REPORT))], 1, 1, 1)
    log = KafkaLog(kafka_settings)
    try:
        reader = await opened(log, topic)
        fetcher = reader._consumer._fetcher

        async def breaks(*_: object) -> bool:
            raise AssertionError("a second error for one partition")

        fetcher._pending_tasks.add(asyncio.ensure_future(breaks()))
        fetcher._notify(fetcher._wait_consume_future)
        with pytest.raises(LogError, match="fetches no more: AssertionError: a second error"):
            await _read_on(reader)
        await reader.close()
    finally:
        await log.close()
