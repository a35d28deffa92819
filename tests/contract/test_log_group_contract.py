"""The Log port's contract, groups: without it the simulation would prove nothing about Kafka.

Every case runs on every implementation in `worlds.RUNNERS`.
"""

from collections.abc import Sequence

import pytest

from linkage.errors import LogError
from linkage.runtime.ports import GroupReader, Record, TopicPartition
from tests.contract.cases import WAIT_MS, on_every_log, outgoing, read_until, until, values
from tests.contract.worlds import LogWorld

# Groups


@on_every_log
async def test_a_group_begins_at_the_beginning_and_resumes_at_its_commit(world: LogWorld) -> None:
    """Without a committed position nothing is skipped; with one nothing before it comes again."""
    at = TopicPartition(await world.topic(), 0)
    await world.log.append(outgoing(at.topic, *"abcd"))
    member = await world.log.group_reader(world.name("group"), [world.prefix()])
    assert values(await read_until(world, member, 4)) == list("abcd")
    assert list(member.assigned()) == [at]
    await member.commit({at: 3})
    await member.close()
    member = await (await world.another_log()).group_reader(world.name("group"), [world.prefix()])
    assert values(await read_until(world, member, 1)) == ["d"]
    assert list(member.gaps()) == []
    await member.close()


@on_every_log
async def test_a_group_sees_committed_records_only(world: LogWorld) -> None:
    """An upstream may be transactional, too."""
    at = TopicPartition(await world.topic(), 0)
    foreign = await world.open_transaction(world.name("id"), outgoing(at.topic, "never"))
    await foreign.abort()
    await world.log.append(outgoing(at.topic, "seen"))
    member = await world.log.group_reader(world.name("group"), [world.prefix()])
    assert values(await read_until(world, member, 1)) == ["seen"]
    await member.close()


@on_every_log
async def test_positions_are_behind_what_was_handed_out(world: LogWorld) -> None:
    """Not behind what was only fetched; past the sender's own markers in the end, so that nothing seems left over."""
    at = TopicPartition(await world.topic(), 0)
    await world.log.append(outgoing(at.topic, "a"))
    foreign = await world.open_transaction(world.name("id"), outgoing(at.topic, "b", "c"))
    await foreign.commit()
    member = await world.log.group_reader(world.name("group"), [world.prefix()])
    found: list[Record] = []
    while not found:
        found += await member.read(1, WAIT_MS)
    assert await member.positions() == {at: 1}
    await read_until(world, member, 2)

    async def at_the_end() -> bool:
        await member.read(10, 50)
        return await member.positions() == await world.log.end_offsets([at])

    await until(world, at_the_end)
    await member.commit(await member.positions())
    assert await world.log.committed(world.name("group"), [at]) == {at: 4}
    await member.close()


@on_every_log
async def test_a_group_reads_every_topic_with_the_prefix_and_no_other(world: LogWorld) -> None:
    """A topic made after the member joined is read, too, from its beginning."""
    first, second = await world.topic(), await world.topic()
    await world.log.append([*outgoing(first, "a"), *outgoing(second, "b")])
    only_first = await world.log.group_reader(world.name("one"), [first])
    both = await world.log.group_reader(world.name("both"), [first, second, world.prefix() + "topic-3"])
    assert values(await read_until(world, only_first, 1)) == ["a"]
    assert sorted(values(await read_until(world, both, 2))) == ["a", "b"]
    third = await world.topic()
    await world.log.append(outgoing(third, "c"))
    found: list[Record] = []
    while "c" not in values(found):
        found += await read_until(world, both, 1)
    assert await only_first.read(10, WAIT_MS) == []
    await only_first.close()
    await both.close()


async def shared(world: LogWorld, topic: str, members: Sequence[GroupReader], partitions: int) -> None:
    """Lets the members read until each partition is with exactly one of them and none is without."""

    async def settled() -> bool:
        for member in members:
            await member.read(100, 50)
        held = [at for member in members for at in member.assigned() if at.topic == topic]
        return len(held) == len(set(held)) == partitions and all(member.assigned() for member in members)

    await until(world, settled)


@on_every_log
async def test_two_members_share_the_partitions(world: LogWorld) -> None:
    """Each partition is with one member; when one leaves, the other has them all."""
    topic = await world.topic(partitions=4)
    first = await world.log.group_reader(world.name("group"), [topic])
    second = await (await world.another_log()).group_reader(world.name("group"), [topic])
    await shared(world, topic, [first, second], 4)
    await second.close()
    await shared(world, topic, [first], 4)
    await first.close()


@on_every_log
async def test_a_commit_for_a_partition_that_was_lost_is_refused(world: LogWorld) -> None:
    """Only who holds a partition moves its position; the records come again to the other."""
    topic = await world.topic(partitions=2)
    first = await world.log.group_reader(world.name("group"), [topic])
    await shared(world, topic, [first], 2)
    second = await (await world.another_log()).group_reader(world.name("group"), [topic])
    await shared(world, topic, [first, second], 2)
    (lost,) = second.assigned()
    with pytest.raises(LogError):
        await first.commit({lost: 1})
    assert await world.log.committed(world.name("group"), [lost]) == {lost: None}
    await first.close()
    await second.close()


@on_every_log
async def test_a_committed_position_out_of_range_is_a_gap(world: LogWorld) -> None:
    """The group goes on at the beginning and says what it missed, once."""
    at = TopicPartition(await world.topic(), 0)
    group = world.name("group")
    await world.log.append(outgoing(at.topic, *"abcdef"))
    await world.log.commit_for(group, {at: 1})
    await world.delete_records(at, 4)
    member = await world.log.group_reader(group, [world.prefix()])
    assert values(await read_until(world, member, 2)) == ["e", "f"]
    assert list(member.gaps()) == [(at, 1, 4)]
    assert list(member.gaps()) == []
    await member.close()


@on_every_log
async def test_positions_of_a_group_without_members(world: LogWorld) -> None:
    """Committed positions are kept for each partition of each group; None where there is none."""
    topic = await world.topic(partitions=3)
    first, second, third = (TopicPartition(topic, number) for number in range(3))
    group = world.name("group")
    assert await world.log.committed(group, [first, second]) == {first: None, second: None}
    await world.log.commit_for(group, {first: 5})
    await world.log.commit_for(group, {first: 6, second: 0})
    await (await world.another_log()).commit_for(group, {third: 7})
    expected = {first: 6, second: 0, third: 7}
    assert await world.log.committed(group, [first, second, third]) == expected
    assert await world.log.committed(world.name("other"), [first]) == {first: None}
