"""The world on Apache Kafka: the same loops, in this process, on real topics and real seconds.

Flows wait for real deadlines, so several are played side by side, each in a namespace of its own.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from aiokafka.admin import AIOKafkaAdminClient

from linkage.kafka_connection import client_kwargs
from linkage.runtime.log_identity import read_log_identities
from linkage.runtime.member import Member
from linkage.runtime.progress import LoopLimits
from linkage.settings import KafkaSettings
from linkage.worker import topic_admin
from linkage.worker.asyncio_time import AsyncioTime
from linkage.worker.kafka_log import KafkaLog
from tests import small_county
from tests.behaviour.flows import FLOWS
from tests.behaviour.world import PARTITIONS, World

SCALE = 0.2
SIDE_BY_SIDE_COUNT = 8
FLOW_LIMIT_S = 90


async def play_all(names: Iterable[str], bootstrap_servers: str, prefix: str) -> dict[str, BaseException | None]:
    """Plays the flows, some at a time; what each ended with, None when it held."""
    results: dict[str, BaseException | None] = {}
    places = asyncio.Semaphore(SIDE_BY_SIDE_COUNT)

    async def one(number: int, name: str) -> None:
        async with places:
            settings = KafkaSettings(bootstrap_servers=bootstrap_servers, namespace=f"{prefix}-{number}")
            try:
                await asyncio.wait_for(_play(name, settings), FLOW_LIMIT_S)
                results[name] = None
            except BaseException as error:
                results[name] = error

    await asyncio.gather(*(one(number, name) for number, name in enumerate(names)))
    return results


async def _play(name: str, settings: KafkaSettings) -> None:
    topics = settings.topics
    sources = [party.id for party in small_county.PARTIES if party.kind == "source"]
    parties = [party.id for party in small_county.PARTIES if party.kind != "source"]
    rows = topics.of_parties(sources, parties, small_county.HUBS)
    await topic_admin.apply(settings, rows, PARTITIONS, 1, 1)
    log, time = KafkaLog(settings), AsyncioTime()
    member: Member | None = None
    try:
        await topic_admin.write_log_identities(log, topics, PARTITIONS)
        log_ids = await read_log_identities(log, topics, PARTITIONS)
        failures: list[BaseException] = []
        member = Member(log, time, topics, log_ids, LoopLimits(), b"behaviour", failures.append)
        member.start()
        member.rebalanced(range(PARTITIONS))
        world = World(log, time, topics, SCALE)
        await world.load()
        await FLOWS[name](world)
        assert not failures, failures
    finally:
        if member is not None:
            await member.stop()
        await log.close()
        with suppress(Exception):
            await _delete(settings, [topic for topic, _ in rows])


async def _delete(settings: KafkaSettings, topics: list[str]) -> None:
    """Topics of a flow that has ended: one small broker need not hold them all at once."""
    admin = AIOKafkaAdminClient(**client_kwargs(settings))
    await admin.start()
    try:
        await admin.delete_topics(topics)
    finally:
        await admin.close()
