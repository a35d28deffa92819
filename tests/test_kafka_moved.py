"""Every client that aiokafka keeps goes back to its bootstrap servers when no broker that it knows answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from linkage import local_kafka
from linkage.client.subscription import subscribe
from linkage.errors import LinkageError
from linkage.local_kafka import KafkaSpec
from linkage.local_kafka.processes import is_port_free
from linkage.runtime.ports import Outgoing, TopicPartition
from linkage.settings import KafkaSettings
from linkage.worker.kafka_log import KafkaLog

pytestmark = pytest.mark.kafka

FOUND_LIMIT_S = 30
PAUSE_S = 0.1
WAIT_MS = 200
GROUP = "moved-group"
PARTY = "fire"

Found = TypeVar("Found")


class MovingKafka:
    """One broker with the same records on one of two ports; every client was told of both."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        first = local_kafka.start(KafkaSpec(data_dir)).bootstrap_servers
        port = int(first.split(":")[1])
        self.next_port = next(one for one in range(port + 2, port + 200) if is_port_free(one) and is_port_free(one + 1))
        servers = f"{first},127.0.0.1:{self.next_port}"
        self.settings = KafkaSettings(bootstrap_servers=servers, namespace="moved", request_timeout_ms=5_000)
        self.at = TopicPartition(self.settings.topics.dispatch(PARTY), 0)

    async def make_topic(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.bootstrap_servers)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(self.at.topic, 1, 1)])
        finally:
            await admin.close()

    async def move(self) -> None:
        await asyncio.to_thread(local_kafka.stop, self.data_dir)
        await asyncio.to_thread(local_kafka.start, KafkaSpec(self.data_dir, first_port=self.next_port))

    def told(self, number: int) -> Outgoing:
        headers = (
            ("ce_specversion", b"1.0"),
            ("ce_id", b"m-%d" % number),
            ("ce_source", b"/hub/330100"),
            ("ce_type", b"x"),
        )
        return Outgoing(self.at.topic, 0, b"k", b'{"number":%d}' % number, headers)


@pytest.fixture
async def moving(tmp_path: Path) -> AsyncIterator[MovingKafka]:
    data_dir = tmp_path / "kafka"
    try:
        moving = await asyncio.to_thread(MovingKafka, data_dir)
        await moving.make_topic()
        yield moving
    finally:
        await asyncio.to_thread(local_kafka.stop, data_dir)


async def until_found(ask: Callable[[], Awaitable[Found]], wanted: Callable[[Found], bool]) -> Found:
    """Asks on, as the loops do, whatever is raised meanwhile."""
    last: object = None
    try:
        async with asyncio.timeout(FOUND_LIMIT_S):
            while True:
                try:
                    if wanted(found := await ask()):
                        return found
                    last = found
                except LinkageError as error:
                    last = error
                await asyncio.sleep(PAUSE_S)
    except TimeoutError:
        raise AssertionError(f"not within {FOUND_LIMIT_S} s; last: {last!r}") from None


async def test_no_client_holds_on_to_brokers_that_are_gone(moving: MovingKafka) -> None:
    """Lookups, readers, group members, the appending producer: all go on where the cluster answers now."""
    log, at = KafkaLog(moving.settings), moving.at
    try:
        await log.append([moving.told(0)])
        await log.commit_for(GROUP, {at: 1})
        assert await log.committed(GROUP, [at]) == {at: 1}
        assert await log.end_offsets([at]) == {at: 1}
        reader = await log.reader({at: 1})
        member = await log.group_reader("moved-members", [at.topic])
        await until_found(lambda: member.read(10, WAIT_MS), lambda records: len(records) == 1)
        assert list(await reader.read(10, WAIT_MS)) == []

        await moving.move()

        await until_found(lambda: log.partitions(at.topic), lambda count: count == 1)
        await until_found(lambda: log.end_offsets([at]), lambda ends: ends == {at: 1})
        await until_found(lambda: log.committed(GROUP, [at]), lambda positions: positions == {at: 1})
        await until_found(lambda: done(log.append([moving.told(1)])), bool)
        await until_found(lambda: done(log.commit_for(GROUP, {at: 2})), bool)
        await until_found(lambda: reader.read(10, WAIT_MS), lambda records: len(records) >= 1)
        await until_found(lambda: member.read(10, WAIT_MS), lambda records: len(records) >= 1)
        await reader.close()
        await member.close()
    finally:
        await log.close()


async def test_a_subscriber_hears_on_when_the_cluster_has_moved(moving: MovingKafka) -> None:
    """A department's `subscribe` is one client for weeks."""
    log = KafkaLog(moving.settings)
    await log.append([moving.told(0)])
    await log.close()
    async with subscribe(PARTY, moving.settings) as subscription:
        assert (await anext(subscription)).attributes.id == "m-0"
        await moving.move()
        log = KafkaLog(moving.settings)
        await log.append([moving.told(1)])
        await log.close()
        async with asyncio.timeout(FOUND_LIMIT_S):
            assert (await anext(subscription)).attributes.id == "m-1"


async def done(doing: Awaitable[None]) -> bool:
    await doing
    return True
