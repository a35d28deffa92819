"""Brokers that are down, processes that are cut off, topics that can't be written."""

import pytest

from linkage.errors import Fenced, LogError, NotWritten
from linkage.simulation.virtual_time import VirtualProcess
from tests.simulation.worlds import JOURNAL, ORDERS, SPEED, World, outgoing, values


def test_a_broker_that_is_down_answers_late_or_not_at_all() -> None:
    """Shorter than the request time-out it costs only time; longer, the caller is told, and nothing is written."""
    world = World()

    async def case() -> None:
        world.broker.stop_for(4_000)
        await world.log.append(outgoing(ORDERS, "late"))
        assert 4_000 <= world.time.monotonic_ms() < 4_100
        writer = await world.log.initialise("id")
        world.broker.stop_for(30_000)
        with pytest.raises(NotWritten):
            await writer.transact(outgoing(ORDERS, "never"))
        with pytest.raises(LogError):
            await world.log.append(outgoing(ORDERS, "never"))
        reader = await world.log.reader({ORDERS: 0})
        assert values(await reader.read(10, 60_000)) == ["late"]

    world.run(case())


def test_one_process_can_be_cut_off_alone() -> None:
    """The others go on; it hears nothing, and comes back."""
    world = World()
    process, log = world.worker()

    async def case() -> None:
        world.broker.cut_off(process, 12_000)
        await world.log.append(outgoing(ORDERS, "steady"))
        assert world.time.monotonic_ms() < 100
        with pytest.raises(LogError):
            await log.append(outgoing(ORDERS, "cut off"))
        await log.append(outgoing(ORDERS, "back"))

    world.run(case())
    assert world.seen("orders") == ["steady", "back"]


def test_a_topic_without_a_leader_or_denied_takes_the_whole_list_with_it() -> None:
    """Both are told apart by `partitions`: without a leader it is still there. The time passes, then it is certain."""
    world = World()

    async def case() -> None:
        world.broker.set_unreachable("orders", True)
        assert await world.log.partitions("orders") == 1
        writer = await world.log.initialise("id")
        began_ms = world.time.monotonic_ms()
        with pytest.raises(NotWritten):
            await writer.transact([*outgoing(JOURNAL, "j"), *outgoing(ORDERS, "o")])
        assert world.time.monotonic_ms() - began_ms >= 5_000
        world.broker.set_unreachable("orders", False)
        world.broker.topics["orders"].denied = True
        assert await world.log.partitions("orders") == 0
        with pytest.raises(LogError):
            await world.log.append(outgoing(ORDERS, "o"))

    world.run(case())
    assert world.seen("journal") == []
    assert world.seen("orders") == []


def test_markers_wait_for_a_topic_without_a_leader() -> None:
    """A commit decided while a partition has no leader is seen there when it has one; a successor waits for it."""
    world = World(settings=SPEED)

    def lose(process: VirtualProcess, point: str) -> None:
        if point == "transact.acknowledged":
            world.broker.set_unreachable("orders", True)

    async def case() -> None:
        writer = await world.log.initialise("id")
        world.faults.hook = lose
        await writer.transact([*outgoing(JOURNAL, "j"), *outgoing(ORDERS, "o")])
        world.faults.hook = None
        assert (world.seen("journal"), world.seen("orders")) == (["j"], [])
        world.time.call_later(3_000, lambda: world.broker.set_unreachable("orders", False))
        successor = await world.log.initialise("id")
        assert world.time.monotonic_ms() >= 3_000
        assert world.seen("orders") == ["o"]
        with pytest.raises(Fenced):
            await writer.transact(outgoing(JOURNAL, "zombie"))
        await successor.transact(outgoing(JOURNAL, "k"))

    world.run(case())
    assert world.seen("journal") == ["j", "k"]
