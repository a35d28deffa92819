"""The in-memory log where it goes beyond the contract suite: troubles that a real broker shows only by luck."""

import pytest

from linkage.errors import LogError, OutcomeUnknown
from linkage.runtime.ports import TopicPartition
from linkage.simulation.memory_faults import ANSWER_LOST, LOST, Fate
from linkage.simulation.unleash import CrashAt
from linkage.simulation.virtual_time import Killed, VirtualProcess
from tests.simulation.worlds import JOURNAL, ORDERS, SPEED, World, outgoing, values


def test_a_process_dead_in_a_transaction_holds_readers_up_until_the_time_out() -> None:
    """Ten seconds after its first record the broker aborts it, and its epoch is no good any more."""
    world = World()
    process, log = world.worker()
    world.faults.hook = lambda dying, point: dying.kill() if point == "transact.acknowledged" else None

    async def die() -> None:
        writer = await log.initialise("id")
        await writer.transact(outgoing(JOURNAL, "half"))

    process.spawn(die(), "die")

    async def case() -> None:
        await world.time.sleep(100)
        assert not process.alive
        began_ms = world.time.monotonic_ms()
        await world.log.append(outgoing(JOURNAL, "after"))
        reader = await world.log.reader({JOURNAL: 0})
        assert await reader.read(10, 5_000) == []
        assert values(await reader.read(10, 20_000)) == ["after"]
        assert 9_000 <= world.time.monotonic_ms() - began_ms <= 10_100

    world.run(case())
    assert world.faults.strikes["transaction_timed_out"] == 1


def test_a_writer_slower_than_its_transaction_may_last_is_not_believed() -> None:
    """Stopped between its records and its commit until the broker had aborted: the commit can't come through."""
    world = World()
    process, log = world.worker()

    def stop(stopped: VirtualProcess, point: str) -> None:
        if point == "transact.acknowledged":
            stopped.pause()
            world.time.call_later(15_000, stopped.resume)

    async def slow() -> None:
        writer = await log.initialise("id")
        world.faults.hook = stop
        with pytest.raises(OutcomeUnknown):
            await writer.transact(outgoing(JOURNAL, "too late"))

    world.run(process.spawn(slow(), "slow").wait())
    assert world.time.monotonic_ms() >= 15_000
    assert world.seen("journal") == []


@pytest.mark.parametrize(("successor_ms", "expected"), [(5_000, ["next"]), (12_000, ["delayed", "next"])])
def test_a_commit_that_comes_late_counts_unless_a_successor_initialised(successor_ms: int, expected: list[str]) -> None:
    """An EndTxn on its way when its sender died commits, if it meets its own epoch, and only then."""
    world = World()
    process, log = world.worker()
    world.faults.inject("end", Fate(delay_ms=9_000))

    async def die() -> None:
        writer = await log.initialise("id")
        await writer.transact(outgoing(JOURNAL, "delayed"))

    process.spawn(die(), "die")

    async def case() -> None:
        await world.time.sleep(1_000)
        process.kill()
        await world.time.sleep(successor_ms)
        writer = await world.log.initialise("id")
        await writer.transact(outgoing(JOURNAL, "next"))
        await world.time.sleep(20_000)

    world.run(case())
    assert world.seen("journal") == expected


@pytest.mark.parametrize(("fate", "written"), [(LOST, False), (ANSWER_LOST, True)])
def test_an_append_without_an_answer_may_be_written(fate: Fate, written: bool) -> None:
    """The caller gets one error in both cases; sending again doubles what was written and nothing else."""
    world = World()
    world.faults.inject("append", fate)

    async def case() -> None:
        with pytest.raises(LogError):
            await world.log.append(outgoing(ORDERS, "a"))
        await world.log.append(outgoing(ORDERS, "a"))

    world.run(case())
    assert world.seen("orders") == (["a", "a"] if written else ["a"])


def test_an_append_on_its_way_comes_after_its_sender_died() -> None:
    """What was sent is sent."""
    world = World()
    process, log = world.worker()
    world.faults.inject("append", Fate(delay_ms=3_000))
    process.spawn(log.append(outgoing(ORDERS, "posthumous")), "append")
    world.time.run_for(10)
    process.kill()
    world.time.run_for(2_000)
    assert world.seen("orders") == []
    world.time.run_for(2_000)
    assert world.seen("orders") == ["posthumous"]


def test_every_call_of_a_dead_process_is_refused() -> None:
    """Whoever still holds its log gets Killed, and the broker gets nothing."""
    world = World()
    process, log = world.worker()

    async def case() -> None:
        writer = await log.initialise("id")
        reader = await log.reader({JOURNAL: 0})
        member = await log.group_reader("group", ["orders"])
        process.kill()
        appended = [log.append(outgoing(ORDERS, "a")), writer.transact(outgoing(ORDERS, "a"))]
        others = [log.initialise("id"), reader.read(1, 1), reader.position(JOURNAL), reader.seek(JOURNAL, 0)]
        closes = [reader.close(), writer.close(), member.close(), member.read(1, 1), member.commit({ORDERS: 1})]
        for call in [*appended, *others, *closes, log.partitions("orders"), log.end_offsets([ORDERS])]:
            with pytest.raises(Killed):
                await call

    world.run(case())
    assert world.broker.entries(ORDERS) == []


def _crash_at(nth: int) -> tuple[str | None, list[str], list[str]]:
    """(where it struck, the journal, the orders) of a worker killed at its n-th point, and of a successor."""
    world = World()
    process, log = world.worker()
    crash = CrashAt("worker", nth)
    world.faults.hook = crash

    async def work() -> None:
        writer = await log.initialise("id")
        await writer.transact([*outgoing(JOURNAL, "j"), *outgoing(ORDERS, "o")])
        await log.append(outgoing(ORDERS, "a"))

    process.spawn(work(), "work")
    world.time.run_for(1_000)
    world.run(world.log.initialise("id"))
    world.time.run_for(100)
    return crash.point, world.seen("journal"), world.seen("orders")


def test_a_crash_can_be_placed_before_and_after_every_port_call() -> None:
    """Points are counted; killed at each in turn, a transaction is there whole or not at all, never in part."""
    assert [_crash_at(nth) for nth in range(1, 10)] == [
        ("initialise.before", [], []),
        ("initialise.after", [], []),
        ("transact.before", [], []),
        ("transact.sent_first", [], []),
        ("transact.acknowledged", [], []),
        ("transact.committed", ["j"], ["o"]),
        ("append.before", ["j"], ["o"]),
        ("append.after", ["j"], ["o", "a"]),
        (None, ["j"], ["o", "a"]),
    ]


def test_markers_come_to_partitions_at_different_instants() -> None:
    """A transaction is decided at once and seen a little later: on one partition before the other, in some runs."""
    apart = 0
    for seed in range(20):
        world = World(seed)

        async def write(world: World = world) -> None:
            writer = await world.log.initialise("id")
            await writer.transact([*outgoing(JOURNAL, "j"), *outgoing(ORDERS, "o")])

        def apart_now(world: World = world) -> bool:
            return len(world.seen("journal")) != len(world.seen("orders"))

        task = world.time.spawn(write(), "write")
        while not task.done() or not world.seen("journal") or not world.seen("orders"):
            world.time.run_for(1)
            apart += apart_now()
    assert apart > 5


def test_append_time_is_the_brokers_whatever_a_process_believes() -> None:
    """And never steps back."""
    world = World()
    process, log = world.worker()
    process.clock_offset_ms = -3_600_000

    async def case() -> None:
        await world.log.append(outgoing(ORDERS, "a"))
        await log.append(outgoing(ORDERS, "b"))

    world.run(case())
    first, second = world.broker.committed_records("orders")
    assert world.time.start_ms <= first.timestamp_ms <= second.timestamp_ms <= world.time.now_ms()


def test_in_speed_mode_every_call_still_gives_way_and_costs_no_virtual_time() -> None:
    """Two workers interleave call by call."""
    world = World(settings=SPEED)

    async def write(number: int) -> None:
        for _ in range(3):
            await world.log.append(outgoing(TopicPartition("journal", 1), str(number)))

    for number in range(2):
        world.time.spawn(write(number), f"writer {number}")
    world.time.run_for(0)
    assert world.seen("journal") == ["0", "1"] * 3
    assert world.time.monotonic_ms() == 0
