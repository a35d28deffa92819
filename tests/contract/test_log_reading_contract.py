"""The Log port's contract, reading, topics and appending: without it the simulation would prove nothing about Kafka.

Every case runs on every implementation in `worlds.RUNNERS`.
"""

import pytest

from linkage.errors import LogError
from linkage.runtime.ports import Outgoing, TopicPartition
from tests.contract.cases import PATIENCE_MS, WAIT_MS, on_every_log, outgoing, read_to_end, read_until, until, values
from tests.contract.worlds import LogWorld

# Records and readers


@on_every_log
async def test_a_record_comes_back_as_it_was_written(world: LogWorld) -> None:
    """Key, value, headers (with their order and repetitions), and the broker's append time."""
    topic = await world.topic(partitions=2)
    headers = (("b", b"1"), ("a", "值".encode()), ("b", b""))
    before_ms = world.time.now_ms()
    await world.log.append([Outgoing(topic, 1, "键".encode(), b"\x00\xff", headers), Outgoing(topic, 1, None, b"")])
    first, second = await read_to_end(world.log, TopicPartition(topic, 1))
    assert (first.topic, first.partition, first.offset) == (topic, 1, 0)
    assert (first.key, first.value, first.headers) == ("键".encode(), b"\x00\xff", headers)
    assert (second.offset, second.key, second.value, second.headers) == (1, None, b"", ())
    assert before_ms - 1_000 <= first.timestamp_ms <= second.timestamp_ms <= world.time.now_ms() + 1_000


@on_every_log
async def test_a_read_brings_at_most_what_was_asked_for(world: LogWorld) -> None:
    """A position moves by what was read, not by what was fetched."""
    at = TopicPartition(await world.topic(), 0)
    await world.log.append(outgoing(at.topic, *"abcde"))
    reader = await world.log.reader({at: 1})
    assert values(await reader.read(2, PATIENCE_MS)) == ["b", "c"]
    assert await reader.position(at) == 3
    assert values(await reader.read(1, PATIENCE_MS)) == ["d"]
    await reader.seek(at, 0)
    assert await reader.position(at) == 0
    assert values(await reader.read(10, PATIENCE_MS)) == list("abcde")
    await reader.close()


@on_every_log
async def test_a_read_at_the_end_waits_and_brings_nothing(world: LogWorld) -> None:
    """Empty after the wait, neither at once nor much later."""
    at = TopicPartition(await world.topic(), 0)
    await world.log.append(outgoing(at.topic, "a"))
    reader = await world.log.reader({at: 1})
    began_ms = world.time.monotonic_ms()
    assert await reader.read(10, 300) == []
    assert 280 <= world.time.monotonic_ms() - began_ms < 2_000
    assert await reader.position(at) == 1
    await reader.close()


@on_every_log
async def test_a_waiting_read_returns_when_something_comes(world: LogWorld) -> None:
    """The wait is a limit, not a pace."""
    at = TopicPartition(await world.topic(), 0)
    reader = await world.log.reader({at: 0})
    await reader.read(1, 50)

    async def write_soon() -> None:
        await world.time.sleep(100)
        await world.log.append(outgoing(at.topic, "a"))

    began_ms = world.time.monotonic_ms()
    writing = world.time.spawn(write_soon(), "write soon")
    assert values(await reader.read(10, PATIENCE_MS)) == ["a"]
    assert world.time.monotonic_ms() - began_ms < PATIENCE_MS / 2
    await writing.wait()
    await reader.close()


@on_every_log
async def test_a_position_past_the_end_is_an_error(world: LogWorld) -> None:
    """A reader never jumps silently."""
    at = TopicPartition(await world.topic(), 0)
    await world.log.append(outgoing(at.topic, "a"))
    reader = await world.log.reader({at: 7})
    with pytest.raises(LogError):
        await reader.read(10, PATIENCE_MS)
    await reader.close()


@on_every_log
async def test_a_position_before_the_beginning_is_an_error(world: LogWorld) -> None:
    """What retention took is a gap that somebody must be told about."""
    at = TopicPartition(await world.topic(), 0)
    await world.log.append(outgoing(at.topic, *"abcd"))
    await world.delete_records(at, 2)
    assert await world.log.beginning_offsets([at]) == {at: 2}
    reader = await world.log.reader({at: 1})
    with pytest.raises(LogError):
        await reader.read(10, PATIENCE_MS)
    await reader.seek(at, 2)
    assert values(await read_until(world, reader, 2)) == ["c", "d"]
    await reader.close()


@on_every_log
async def test_an_unknown_topic_is_an_error_at_once(world: LogWorld) -> None:
    """Readers, offsets and appends say it; `partitions` says 0."""
    at = TopicPartition(world.name("nowhere"), 0)
    assert await world.log.partitions(at.topic) == 0
    with pytest.raises(LogError):
        await world.log.reader({at: 0})
    with pytest.raises(LogError):
        await world.log.end_offsets([at])
    with pytest.raises(LogError):
        await world.log.beginning_offsets([at])
    with pytest.raises(LogError):
        await world.log.append(outgoing(at.topic, "a"))
    known = await world.topic()
    await world.log.append(outgoing(known, "a"))
    assert values(await read_to_end(world.log, TopicPartition(known, 0))) == ["a"]


@on_every_log
async def test_an_unknown_partition_is_an_error(world: LogWorld) -> None:
    """Partition numbers beyond the topic's are refused, not waited for."""
    at = TopicPartition(await world.topic(partitions=2), 2)
    with pytest.raises(LogError):
        await world.log.reader({at: 0})
    with pytest.raises(LogError):
        await world.log.end_offsets([at])


@on_every_log
async def test_a_topic_is_seen_soon_after_it_was_made(world: LogWorld) -> None:
    """A missing topic is not remembered as missing."""
    assert await world.log.partitions(world.prefix() + "topic-1") == 0
    topic = await world.topic(partitions=3)

    async def seen() -> bool:
        return await world.log.partitions(topic) == 3

    await until(world, seen)


@on_every_log
async def test_a_reader_of_a_deleted_topic_fails(world: LogWorld) -> None:
    """Silence would look like an idle partition."""
    at = TopicPartition(await world.topic(), 0)
    await world.log.append(outgoing(at.topic, "a"))
    reader = await world.log.reader({at: 0})
    await read_until(world, reader, 1)
    assert await reader.read(1, WAIT_MS) == []
    await world.delete_topic(at.topic)
    give_up_ms = world.time.monotonic_ms() + PATIENCE_MS
    with pytest.raises(LogError):  # noqa: PT012  it takes the reader's metadata a moment to know
        while world.time.monotonic_ms() < give_up_ms:
            await reader.read(1, WAIT_MS)
    await reader.close()


# Appending


@on_every_log
async def test_appends_keep_their_order(world: LogWorld) -> None:
    """At least once: a record may come twice, but the first times are in order and none is missing."""
    topic = await world.topic(partitions=2)
    expected = [str(number) for number in range(50)]
    for value in expected:
        await world.log.append([*outgoing(topic, value), *outgoing(topic, value, partition=1)])
    for partition in (0, 1):
        found = values(await read_to_end(world.log, TopicPartition(topic, partition)))
        assert list(dict.fromkeys(found)) == expected
