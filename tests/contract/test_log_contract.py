"""The Log port's contract, epochs and transactions: without it the simulation would prove nothing about Kafka.

Every case runs on every implementation in `worlds.RUNNERS`. What only a real broker or a real kill can show is in
`test_kafka_points.py`. Writing to an unknown topic in a transaction is no case: who transacts looks it up before.
"""

import pytest

from linkage.errors import Fenced, NotWritten, OutcomeUnknown
from linkage.runtime.ports import Outgoing, TopicPartition
from tests.contract.cases import WAIT_MS, on_every_log, outgoing, read_to_end, read_until, until, values
from tests.contract.worlds import LogWorld

# Epochs


@on_every_log
async def test_initialising_again_fences_the_writer_before(world: LogWorld) -> None:
    """Who lost the partition writes nothing more, and knows that it is certain."""
    topic = await world.topic()
    old = await world.log.initialise(world.name("id"))
    await old.transact(outgoing(topic, "old"))
    new = await (await world.another_log()).initialise(world.name("id"))
    with pytest.raises(Fenced):
        await old.transact(outgoing(topic, "zombie"))
    await new.transact(outgoing(topic, "new"))
    assert values(await read_to_end(world.log, TopicPartition(topic, 0))) == ["old", "new"]
    await old.close()
    await new.close()


@on_every_log
async def test_a_writer_that_failed_stays_closed(world: LogWorld) -> None:
    """After any failure only a new writer writes, so no later list can pass an earlier one."""
    topic = await world.topic()
    old = await world.log.initialise(world.name("id"))
    new = await world.log.initialise(world.name("id"))
    with pytest.raises(Fenced):
        await old.transact(outgoing(topic, "first"))
    with pytest.raises(NotWritten):
        await old.transact(outgoing(topic, "second"))
    assert values(await read_to_end(world.log, TopicPartition(topic, 0))) == []
    await new.close()


@on_every_log
async def test_a_zombie_with_a_long_list_is_fenced_too(world: LogWorld) -> None:
    """However many batches the list has and whichever of them is refused first."""
    topic = await world.topic(partitions=2)
    old = await world.log.initialise(world.name("id"))
    new = await world.log.initialise(world.name("id"))
    with pytest.raises(Fenced):
        await old.transact([Outgoing(topic, number % 2, None, b"z" * 600) for number in range(3_000)])
    await new.transact(outgoing(topic, "new"))
    assert values(await read_to_end(world.log, TopicPartition(topic, 0), TopicPartition(topic, 1))) == ["new"]
    await new.close()


@on_every_log
async def test_two_ids_do_not_fence_each_other(world: LogWorld) -> None:
    """A worker's partitions are independent of each other."""
    topic = await world.topic()
    first = await world.log.initialise(world.name("id-1"))
    second = await world.log.initialise(world.name("id-2"))
    await first.transact(outgoing(topic, "a"))
    await second.transact(outgoing(topic, "b"))
    assert values(await read_to_end(world.log, TopicPartition(topic, 0))) == ["a", "b"]
    await first.close()
    await second.close()


@on_every_log
async def test_initialising_settles_what_a_dead_writer_left_open(world: LogWorld) -> None:
    """The dead one's records are gone, and readers are no longer held up by them."""
    at = TopicPartition(await world.topic(), 0)
    await world.open_transaction(world.name("id"), outgoing(at.topic, "half", "done"))
    await world.log.append(outgoing(at.topic, "after"))
    assert (await world.log.end_offsets([at]))[at] == 0
    writer = await world.log.initialise(world.name("id"))

    async def settled() -> bool:
        return (await world.log.end_offsets([at]))[at] > 0

    await until(world, settled)
    assert values(await read_to_end(world.log, at)) == ["after"]
    await writer.close()


# Transactions


@on_every_log
async def test_reading_to_the_end_offset_passes_the_markers(world: LogWorld) -> None:
    """Markers take offsets: the end is past the last record + 1, and a reader gets there."""
    at = TopicPartition(await world.topic(), 0)
    writer = await world.log.initialise(world.name("id"))
    for number in range(5):
        await writer.transact(outgoing(at.topic, f"{number}a", f"{number}b"))
    found = await read_to_end(world.log, at)
    end = (await world.log.end_offsets([at]))[at]
    assert values(found) == [f"{number}{letter}" for number in range(5) for letter in "ab"]
    assert end > found[-1].offset + 1
    assert found[-1].offset > len(found) - 1
    await writer.close()


@on_every_log
async def test_a_committed_reader_stops_at_an_open_transaction(world: LogWorld) -> None:
    """End offsets are last stable ones: what comes after an open transaction waits for it, in order."""
    at = TopicPartition(await world.topic(), 0)
    await world.log.append(outgoing(at.topic, "before"))
    foreign = await world.open_transaction(world.name("id"), outgoing(at.topic, "open"))
    await world.log.append(outgoing(at.topic, "after"))
    assert (await world.log.end_offsets([at]))[at] == 1
    reader = await world.log.reader({at: 0})
    assert values(await read_until(world, reader, 1)) == ["before"]
    assert await reader.read(10, WAIT_MS) == []
    assert await reader.position(at) == 1
    await foreign.commit()
    assert values(await read_until(world, reader, 2)) == ["open", "after"]
    await reader.close()


@on_every_log
async def test_what_was_aborted_is_never_seen(world: LogWorld) -> None:
    """An aborted transaction leaves a gap in the offsets and nothing else."""
    at = TopicPartition(await world.topic(), 0)
    foreign = await world.open_transaction(world.name("id"), outgoing(at.topic, "never", "never"))
    await foreign.abort()
    await world.log.append(outgoing(at.topic, "seen"))

    async def stable() -> bool:
        return (await world.log.end_offsets([at]))[at] >= 3

    await until(world, stable)
    found = await read_to_end(world.log, at)
    assert values(found) == ["seen"]
    assert found[0].offset >= 3


@on_every_log
async def test_a_transaction_is_whole_on_every_partition(world: LogWorld) -> None:
    """One list, several topics and partitions: all of it is there when `transact` returns."""
    topics = [await world.topic(partitions=3), await world.topic(partitions=2)]
    partitions = [TopicPartition(topics[0], 2), TopicPartition(topics[0], 0), TopicPartition(topics[1], 1)]
    writer = await world.log.initialise(world.name("id"))
    await writer.transact([record for at in partitions for record in outgoing(at.topic, "x", partition=at.partition)])
    for at in partitions:

        async def stable(at: TopicPartition = at) -> bool:
            return (await world.log.end_offsets([at]))[at] >= 2

        await until(world, stable)
        assert values(await read_to_end(world.log, at)) == ["x"]
    assert values(await read_to_end(world.log, TopicPartition(topics[0], 1))) == []
    await writer.close()


@on_every_log
async def test_a_record_too_large_takes_the_whole_list_with_it(world: LogWorld) -> None:
    """Certain: nothing of the list is there, on no partition; who initialises anew writes on."""
    narrow = TopicPartition(await world.topic(message_limit_bytes=2_000), 0)
    wide = TopicPartition(await world.topic(), 0)
    writer = await world.log.initialise(world.name("id"))
    with pytest.raises(NotWritten) as failure:
        await writer.transact([*outgoing(wide.topic, "small"), *outgoing(narrow.topic, "x" * 3_000)])
    assert failure.value.topic == narrow.topic
    writer = await world.log.initialise(world.name("id"))
    await writer.transact(outgoing(wide.topic, "next"))
    assert values(await read_to_end(world.log, wide)) == ["next"]
    assert values(await read_to_end(world.log, narrow)) == []
    await writer.close()


@on_every_log
async def test_an_unknown_outcome_that_did_not_commit(world: LogWorld) -> None:
    """The writer says that it does not know; after the next initialising it is known: nothing was written."""
    at = TopicPartition(await world.topic(), 0)
    writer = await (await world.log_without_answers(committed=False)).initialise(world.name("id"))
    with pytest.raises(OutcomeUnknown):
        await writer.transact(outgoing(at.topic, "lost"))
    successor = await world.log.initialise(world.name("id"))
    await successor.transact(outgoing(at.topic, "next"))
    assert values(await read_to_end(world.log, at)) == ["next"]
    await successor.close()


@on_every_log
async def test_an_unknown_outcome_that_did_commit(world: LogWorld) -> None:
    """The same error, and after the next initialising the whole list is there, once."""
    at = TopicPartition(await world.topic(), 0)
    writer = await (await world.log_without_answers(committed=True)).initialise(world.name("id"))
    with pytest.raises(OutcomeUnknown):
        await writer.transact(outgoing(at.topic, "kept"))
    successor = await world.log.initialise(world.name("id"))
    await successor.transact(outgoing(at.topic, "next"))
    assert values(await read_to_end(world.log, at)) == ["kept", "next"]
    await successor.close()


@on_every_log
async def test_order_is_kept_in_lists_larger_than_a_batch(world: LogWorld) -> None:
    """3,000 records of 600 bytes in one transaction come in the order in which they were given, each once."""
    at = TopicPartition(await world.topic(), 0)
    writer = await world.log.initialise(world.name("id"))
    expected = [f"{number:0600}" for number in range(3_000)]
    await writer.transact(outgoing(at.topic, *expected))
    assert values(await read_to_end(world.log, at)) == expected
    await writer.close()


@on_every_log
async def test_an_empty_list_writes_nothing(world: LogWorld) -> None:
    """No record, no transaction: not even a marker."""
    at = TopicPartition(await world.topic(), 0)
    writer = await world.log.initialise(world.name("id"))
    await writer.transact([])
    await world.log.append([])
    assert await world.log.end_offsets([at]) == {at: 0}
    await writer.close()
