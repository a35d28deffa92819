"""Membership in memory: sessions, generations, and workers that believe what is no longer so."""

from collections.abc import Sequence

import pytest

from linkage.errors import LogError
from linkage.runtime.ports import GroupReader, TopicPartition
from linkage.simulation.memory_faults import Fate
from linkage.simulation.memory_group import share
from linkage.simulation.memory_membership import LeaseMember, MemoryMembership
from linkage.simulation.virtual_time import VirtualProcess
from tests.simulation.worlds import World, outgoing, values

PARTITIONS = [TopicPartition("journal", number) for number in range(4)]


async def settle(world: World, *members: GroupReader) -> None:
    """Lets rebalances finish, with everyone reading nothing."""
    for member in members:
        await member.read(0, 500)


def test_a_killed_members_partitions_pass_on_when_its_session_ends() -> None:
    """After six seconds, not before; what it had read and not committed comes again."""
    world = World()
    process, log = world.worker()

    async def case() -> None:
        await world.log.append([record for at in PARTITIONS for record in outgoing(at, f"to {at.partition}")])
        doomed = await log.group_reader("group", ["journal"])
        steady = await world.log.group_reader("group", ["journal"])
        await settle(world, doomed, steady)
        assert len(doomed.assigned()) == len(steady.assigned()) == 2
        assert len(await steady.read(10, 100)) == 2
        await steady.commit(await steady.positions())
        assert len(await doomed.read(10, 100)) == 2
        killed_ms = world.time.monotonic_ms()
        process.kill()
        found = values(await steady.read(10, 20_000))
        assert 6_000 <= world.time.monotonic_ms() - killed_ms <= 6_500
        assert len(found + values(await steady.read(10, 1_000))) == 2
        assert list(steady.assigned()) == PARTITIONS

    world.run(case())


@pytest.mark.parametrize(("stopped_ms", "survives"), [(4_000, True), (9_000, False)])
def test_a_stopped_member_finds_out_when_it_runs_again(stopped_ms: int, survives: bool) -> None:
    """Shorter than its session nothing changes; longer, its commit is refused and it joins anew."""
    world = World()
    process, log = world.worker()

    async def case() -> None:
        zombie = await log.group_reader("group", ["journal"])
        steady = await world.log.group_reader("group", ["journal"])
        await settle(world, zombie, steady)
        before = zombie.assigned()
        process.pause()
        await world.time.sleep(stopped_ms)
        assert zombie.assigned() == before
        assert len(steady.assigned()) == (2 if survives else 4)
        process.resume()
        if survives:
            await zombie.commit({before[0]: 0})
        else:
            with pytest.raises(LogError):
                await zombie.commit({before[0]: 0})
        await settle(world, zombie, steady)
        await world.time.sleep(2_000)
        assert sorted([*zombie.assigned(), *steady.assigned()]) == PARTITIONS
        assert len(zombie.assigned()) == 2

    world.run(case())


def test_a_commit_of_an_older_generation_is_refused() -> None:
    """It was on its way when the group rebalanced: the partition may be another's by now, and is read again."""
    world = World()

    async def case() -> None:
        first = await world.log.group_reader("group", ["journal"])
        await settle(world, first)
        await world.log.append(outgoing(PARTITIONS[0], "a"))
        assert values(await first.read(1, 1_000)) == ["a"]

        async def commit() -> None:
            with pytest.raises(LogError):
                await first.commit({PARTITIONS[0]: 1})

        world.faults.inject("commit", Fate(delay_ms=500))
        late = world.time.spawn(commit(), "commit")
        second = await world.log.group_reader("group", ["journal"])
        await late.wait()
        assert await world.log.committed("group", [PARTITIONS[0]]) == {PARTITIONS[0]: None}
        again = [*await first.read(1, 1_000), *await second.read(1, 1_000)]
        assert values(again) == ["a"]
        with pytest.raises(LogError):
            await world.log.commit_for("group", {PARTITIONS[0]: 1})

    world.run(case())


def test_nobodys_session_ends_while_the_broker_is_down() -> None:
    """There is nobody to end it, and heartbeats go on when it is back."""
    world = World()

    async def case() -> None:
        member = await world.log.group_reader("group", ["journal"])
        await settle(world, member)
        world.broker.stop_for(30_000)
        await world.time.sleep(31_000)
        await member.commit({PARTITIONS[0]: 0})

    world.run(case())
    assert "session_expired" not in world.faults.strikes


def test_who_closes_before_he_has_joined_anew_does_not_join_any_more() -> None:
    """Given a member whose session ended, who is about to hear of it, and a broker that can't be told that he leaves,
    then nobody looks for him later (seed 51070)."""
    world = World()
    process, log = world.worker()

    async def case() -> None:
        leaving = await log.group_reader("group", ["journal"])
        steady = await world.log.group_reader("group", ["journal"])
        await settle(world, leaving, steady)
        process.pause()
        await world.time.sleep(9_000)
        process.resume()
        world.broker.stop_for(500)
        await leaving.close()
        await world.time.sleep(20_000)
        assert steady.assigned() == PARTITIONS

    world.run(case())


def test_shares_are_even_to_within_one_and_stay_where_they_were() -> None:
    """Only what must move moves; what is pinned is where it is pinned."""
    wanted = {name: frozenset(PARTITIONS) for name in "abc"}
    first = share(["a", "b"], {name: wanted[name] for name in "ab"}, {}, {})
    assert sorted(first.values()) == ["a", "a", "b", "b"]
    joined = share(["a", "b", "c"], wanted, first, {})
    assert sorted(joined.values()) in (["a", "a", "b", "c"], ["a", "b", "b", "c"])
    assert sum(first[at] != joined[at] for at in PARTITIONS) == 1
    left = share(["b", "c"], {name: wanted[name] for name in "bc"}, joined, {})
    assert all(left[at] == joined[at] for at in PARTITIONS if joined[at] != "a")
    pinned = share(["a", "b"], {name: wanted[name] for name in "ab"}, first, {PARTITIONS[0]: "b"})
    assert pinned[PARTITIONS[0]] == "b"
    assert sorted(pinned.values()) == ["a", "a", "b", "b"]


class LeaseWorld(World):
    """Workers that note what their membership tells them."""

    def __init__(self) -> None:
        super().__init__()
        self.broker.create_topic("lease", 4)
        self.membership = MemoryMembership(self.broker, "lease", "workers")
        self.told: list[tuple[str, str, list[int]]] = []

    def join(self, name: str) -> tuple[VirtualProcess, LeaseMember]:
        process = self.time.process(name)

        async def assigned(partitions: Sequence[int]) -> None:
            await process.sleep(0)
            self.told.append((name, "assigned", list(partitions)))

        async def revoked(partitions: Sequence[int]) -> None:
            await process.sleep(0)
            self.told.append((name, "revoked", list(partitions)))

        return process, self.membership.join(process, assigned, revoked)


def test_a_killed_workers_leases_pass_on_after_its_session() -> None:
    """As Faust does it: six seconds after kill -9 the other is told; everything is revoked and assigned anew."""
    world = LeaseWorld()
    first, _ = world.join("first")
    world.join("second")
    world.time.run_for(1_000)
    assert sorted(world.membership.holders().values()) == ["first", "first", "second", "second"]
    world.told.clear()
    first.kill()
    world.time.run_for(5_900)
    assert world.told == []
    world.time.run_for(600)
    assert [(name, what) for name, what, _ in world.told] == [("second", "revoked"), ("second", "assigned")]
    assert world.told[-1] == ("second", "assigned", [0, 1, 2, 3])


def test_a_zombie_believes_in_its_leases_until_it_hears_otherwise() -> None:
    """Stopped past its session: two workers believe in one lease, until the stopped one runs again and is told."""
    world = LeaseWorld()
    zombie, lease = world.join("zombie")
    _, other = world.join("other")
    world.time.run_for(1_000)
    believed = lease.assigned()
    zombie.pause()
    world.time.run_for(10_000)
    assert list(other.assigned()) == [0, 1, 2, 3]
    assert lease.assigned() == believed
    world.told.clear()
    zombie.resume()
    assert lease.assigned() == believed
    world.time.run_for(3_000)
    assert ("zombie", "revoked", list(believed)) in world.told
    assert sorted([*lease.assigned(), *other.assigned()]) == [0, 1, 2, 3]


def test_an_orderly_leave_hands_over_at_once() -> None:
    """SIGTERM does not wait for a session to end."""
    world = LeaseWorld()
    process, lease = world.join("first")
    _, other = world.join("second")
    world.time.run_for(1_000)
    process.spawn(lease.leave(), "leave")
    world.time.run_for(200)
    assert list(other.assigned()) == [0, 1, 2, 3]
    assert lease.assigned() == ()


def test_a_lease_can_be_moved() -> None:
    """To another living worker; with nobody else there is nothing to move."""
    world = LeaseWorld()
    world.join("first")
    world.time.run_for(1_000)
    assert not world.membership.move(0)
    world.join("second")
    world.time.run_for(1_000)
    before = world.membership.holders()
    assert world.membership.move(2)
    world.time.run_for(1_000)
    after = world.membership.holders()
    assert after[2] != before[2]
    assert sorted(after.values()) == ["first", "first", "second", "second"]
