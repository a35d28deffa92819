"""`linkage watch` as operators run it: a process of its own on a real Kafka, beside the loops of one worker."""

import asyncio
import gc
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from linkage.runtime.log_identity import read_log_identities
from linkage.runtime.member import Member
from linkage.runtime.progress import LoopLimits
from linkage.settings import KafkaSettings
from linkage.worker import topic_admin
from linkage.worker.asyncio_time import AsyncioTime
from linkage.worker.kafka_log import KafkaLog
from tests import small_county
from tests.behaviour.world import PARTITIONS, World
from tests.command_line import LIMIT_S, run, started
from tests.small_county import NORTH

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module", autouse=True)
def collected() -> Iterator[None]:
    """What aiokafka leaves behind is collected, and its tracebacks logged, here: not within whatever parses next, which
    CPython 3.11 does not survive (gh-106905)."""
    yield
    gc.collect()


@asynccontextmanager
async def county(settings: KafkaSettings, scale: float) -> AsyncIterator[World]:
    """The small county with one worker's loops in this process."""
    topics = settings.topics
    sources = [party.id for party in small_county.PARTIES if party.kind == "source"]
    parties = [party.id for party in small_county.PARTIES if party.kind != "source"]
    await topic_admin.apply(settings, topics.of_parties(sources, parties, small_county.HUBS), PARTITIONS, 1, 1)
    log, time = KafkaLog(settings), AsyncioTime()
    failures: list[BaseException] = []
    await topic_admin.write_log_identities(log, topics, PARTITIONS)
    log_ids = await read_log_identities(log, topics, PARTITIONS)
    member = Member(log, time, topics, log_ids, LoopLimits(), b"watch", failures.append)
    try:
        member.start()
        member.rebalanced(range(PARTITIONS))
        world = World(log, time, topics, scale)
        await world.load()
        yield world
        assert not failures, failures
    finally:
        await member.stop()
        await log.close()


async def test_watch_shows_the_board_once_and_follows_it(kafka_settings: KafkaSettings) -> None:
    """`--once --json` is the board now; without a terminal the board is text; `--json` alone gives a line for each
    change, and Ctrl-C ends it with 0."""
    async with county(kafka_settings, scale=10) as world:
        await world.report("r1")
        receipt = await world.receipt("grid", "r1", outcome="opened")
        done = await run(kafka_settings, "watch", NORTH, "--once", "--json")
        (board,) = done.entries
        assert done.code == 0, done.err
        assert [row["incident_id"] for row in board["incidents"]] == [receipt.incident_id]
        assert board["header"]["inbox"] == {"behind_records": 0, "is_at_least": False, "oldest_s": 0}
        assert board["header"]["ingress"] == {"behind_records": 0, "topics": []}
        text = await run(kafka_settings, "watch", NORTH)
        assert (text.code, "OPEN INCIDENTS 在处事件  1" in text.out, "滑坡险情" in text.out) == (0, True, True)
        async with started(kafka_settings, "watch", NORTH, "--json") as process:
            assert process.stdout is not None
            first = json.loads(await asyncio.wait_for(process.stdout.readline(), LIMIT_S))
            assert len(first["incidents"]) == 1
            await world.report("r2", kind="fire")
            while len(json.loads(await asyncio.wait_for(process.stdout.readline(), LIMIT_S))["incidents"]) < 2:
                pass
            process.send_signal(signal.SIGINT)
            _, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
            assert (process.returncode, err) == (0, b"")


async def test_watch_names_the_posts_when_it_is_none(kafka_settings: KafkaSettings) -> None:
    """A department is no post, nor is a misspelt code: exit 1, and what to type instead."""
    async with county(kafka_settings, scale=10):
        department = await run(kafka_settings, "watch", "health", "--once")
        assert (department.code, "linkage subscribe health" in department.err) == (1, True)
        misspelt = await run(kafka_settings, "watch", "990909009", "--once")
        assert (misspelt.code, NORTH in misspelt.err, "北镇指挥部" in misspelt.err) == (1, True, True)


async def test_watch_says_what_to_run_when_there_is_nothing(kafka_settings: KafkaSettings) -> None:
    """Without topics it names `topics apply`; without Kafka it exits 3."""
    nothing = await run(kafka_settings, "watch", NORTH, "--once")
    assert (nothing.code, "linkage topics apply" in nothing.err) == (1, True)
    away = await run(None, "watch", NORTH, "--once", "--bootstrap-servers", "127.0.0.1:1")
    assert (away.code, away.out) == (3, "")
