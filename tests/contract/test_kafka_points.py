"""What only a real broker and a real kill can show of `worker/kafka_log.py` and `worker/topic_admin.py`."""

import asyncio
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.producer import sender

from linkage import local_kafka
from linkage.errors import LogError, NotWritten, OutcomeUnknown
from linkage.runtime.log_identity import read_log_identities
from linkage.runtime.ports import Log, Outgoing, TopicPartition
from linkage.settings import KafkaSettings
from linkage.topics import Topics
from linkage.worker import kafka_writer
from linkage.worker.kafka_log import KafkaLog
from linkage.worker.topic_admin import apply, write_log_identities
from tests.contract.cases import read_to_end
from tests.contract.worlds import KafkaWorld

pytestmark = pytest.mark.kafka

POINTS = {
    "initialise.before": 0,
    "initialise.after": 0,
    "transact.begun": 0,
    "transact.sent_first": 0,
    "transact.sent_all": 0,
    "transact.acknowledged": 0,
    "transact.committing": 0,
    "transact.committed": 3_000,
}
"""Each point at which a process can be killed, and how many of the list's 3,000 records are there afterwards."""


@pytest.mark.parametrize("point", POINTS)
async def test_a_writer_killed_at_a_point_leaves_all_or_nothing(kafka_settings: KafkaSettings, point: str) -> None:
    """kill -9 at each named point: the successor finds the whole list or none of it, and reads past what is left."""
    async with KafkaWorld(kafka_settings) as world:
        topic = await world.topic(partitions=2)
        script = str(Path(__file__).with_name("dying_writer.py"))
        arguments = [kafka_settings.bootstrap_servers, kafka_settings.namespace, topic, point]
        child = await asyncio.create_subprocess_exec(sys.executable, script, *arguments)
        assert await asyncio.wait_for(child.wait(), 30) == -signal.SIGKILL
        writer = await world.log.initialise(f"{kafka_settings.namespace}.id")
        await writer.transact([Outgoing(topic, partition, None, b"after") for partition in (0, 1)])
        found = await read_to_end(world.log, TopicPartition(topic, 0), TopicPartition(topic, 1))
        assert len(found) == POINTS[point] + 2
        await writer.close()


@pytest.mark.parametrize("point", ["transact.sent_first", "transact.committing"])
async def test_a_cancelled_transaction_is_whole_or_not_there(kafka_settings: KafkaSettings, point: str) -> None:
    """Cancelling ends the writer within its limits; before the commit was asked for, nothing is written."""
    cancelled = 0

    def cancel(at: str) -> None:
        nonlocal cancelled
        task = asyncio.current_task()
        if at == point and task is not None:
            cancelled += 1
            task.cancel()

    log = KafkaLog(kafka_settings, at_point=cancel)
    async with KafkaWorld(kafka_settings) as world:
        at = TopicPartition(await world.topic(), 0)
        writer = await log.initialise(f"{kafka_settings.namespace}.id")
        task = asyncio.create_task(writer.transact([Outgoing(at.topic, 0, None, b"x" * 600)] * 1_500))
        await asyncio.wait([task], timeout=10)
        assert task.cancelled()
        assert cancelled == 1
        with pytest.raises(NotWritten):
            await writer.transact([Outgoing(at.topic, 0, None, b"later")])
        successor = await world.log.initialise(f"{kafka_settings.namespace}.id")
        await successor.transact([Outgoing(at.topic, 0, None, b"after")])
        count = len(await read_to_end(world.log, at))
        assert count in ({1, 1_501} if point == "transact.committing" else {1})
        await successor.close()
    await log.close()


@pytest.fixture
def stopping(kafka: local_kafka.RunningKafka) -> Iterator[local_kafka.RunningKafka]:
    """The session's broker, running again afterwards whatever the test did to it."""
    yield kafka
    local_kafka.resume_broker(kafka.data_dir, 1)


@pytest.mark.parametrize(
    ("stop_at", "error"), [("transact.begun", NotWritten), ("transact.committing", OutcomeUnknown)]
)
async def test_a_broker_that_stands_still_ends_a_transaction_in_time(
    stopping: local_kafka.RunningKafka,
    kafka_settings: KafkaSettings,
    monkeypatch: pytest.MonkeyPatch,
    stop_at: str,
    error: type[LogError],
) -> None:
    """Every phase has its limit; before the commit nothing is written for certain, from then on it is not known.

    And nothing of the failed writer runs on.
    """
    tasks_before = asyncio.all_tasks()
    monkeypatch.setattr(kafka_writer, "PRODUCE_LIMIT_MS", 1_000)
    monkeypatch.setattr(kafka_writer, "COMMIT_LIMIT_MS", 1_000)

    def stop(point: str) -> None:
        if point == stop_at:
            local_kafka.pause_broker(stopping.data_dir, 1)

    log = KafkaLog(kafka_settings, at_point=stop)
    async with KafkaWorld(kafka_settings) as world:
        at = TopicPartition(await world.topic(), 0)
        writer = await log.initialise(f"{kafka_settings.namespace}.id")
        began = time.monotonic()
        with pytest.raises(error):
            await writer.transact([Outgoing(at.topic, 0, None, b"x")])
        assert time.monotonic() - began < 10
        local_kafka.resume_broker(stopping.data_dir, 1)
        successor = await world.log.initialise(f"{kafka_settings.namespace}.id")
        await successor.transact([Outgoing(at.topic, 0, None, b"after")])
        found = [record.value for record in await read_to_end(world.log, at)]
        assert found in ([[b"after"]] if error is NotWritten else [[b"after"], [b"x", b"after"]])
        await successor.close()
    await log.close()
    assert asyncio.all_tasks() == tasks_before


def test_aiokafka_still_has_the_backoff_that_we_shorten() -> None:
    """If aiokafka renames it, back-to-back transactions silently take 28 ms again."""
    assert Path(sender.__file__).read_text(encoding="utf-8").count("return BACKOFF_OVERRIDE") == 1
    assert sender.BACKOFF_OVERRIDE == kafka_writer.NEXT_TRANSACTION_BACKOFF_MS / 1000


# Topics


async def test_topics_are_made_once_and_then_found_as_wanted(kafka_settings: KafkaSettings) -> None:
    """The second run creates nothing and finds no difference."""
    rows = kafka_settings.topics.of_parties(["grid"], ["police"], ["330000"])
    first = await apply(kafka_settings, rows, partitions=4, replication=1, min_insync=1)
    assert sorted(first.created) == sorted(name for name, _ in rows)
    assert first.differences == ()
    second = await apply(kafka_settings, rows, partitions=4, replication=1, min_insync=1)
    assert (second.created, second.altered, second.differences) == ((), (), ())


async def test_differences_are_said_and_only_altered_when_told(kafka_settings: KafkaSettings) -> None:
    """Partitions can't be changed and stay a difference; settings are set with `alter`."""
    rows = [row for row in kafka_settings.topics.of_parties([], [], []) if row[0] == kafka_settings.topics.inbox]
    await apply(kafka_settings, rows, partitions=2, replication=1, min_insync=1)
    told = await apply(kafka_settings, rows, partitions=4, replication=1, min_insync=2)
    assert told.altered == ()
    assert [line.split(": ", 1)[1] for line in told.differences] == [
        "2 partitions, wanted 4; they can't be changed",
        "min.insync.replicas is 1, wanted 2",
    ]
    changed = await apply(kafka_settings, rows, partitions=4, replication=1, min_insync=2, alter=True)
    assert changed.altered == (kafka_settings.topics.inbox,)
    assert [line.split(": ", 1)[1] for line in changed.differences] == ["2 partitions, wanted 4; they can't be changed"]


async def test_a_topic_the_cluster_refuses_is_named(kafka_settings: KafkaSettings) -> None:
    """Three replicas on one broker."""
    rows = kafka_settings.topics.of_parties([], [], [])
    with pytest.raises(LogError, match=kafka_settings.namespace):
        await apply(kafka_settings, rows, partitions=1, replication=3, min_insync=2)


async def identities_by_two(first: Log, second: Log, topics: Topics) -> None:
    """Two at once: one of them may be fenced, neither writes a second identity."""
    results = await asyncio.gather(
        write_log_identities(first, topics, 2), write_log_identities(second, topics, 2), return_exceptions=True
    )
    assert all(isinstance(result, dict | LogError) for result in results), results


async def test_each_journal_partition_gets_one_identity(kafka_settings: KafkaSettings) -> None:
    """Also when two run at once; and reading them without says what to run."""
    topics = kafka_settings.topics
    await apply(kafka_settings, topics.of_parties([], [], []), partitions=2, replication=1, min_insync=1)
    first, second = KafkaLog(kafka_settings), KafkaLog(kafka_settings)
    with pytest.raises(LogError, match="linkage topics apply"):
        await read_log_identities(first, topics, 2)
    await identities_by_two(first, second, topics)
    written = await write_log_identities(first, topics, 2)
    assert await read_log_identities(second, topics, 2) == written
    assert len(set(written.values())) == 2
    journal = await read_to_end(first, *(TopicPartition(topics.journal, partition) for partition in (0, 1)))
    assert len(journal) == 2
    await first.close()
    await second.close()
