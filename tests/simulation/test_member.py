"""One worker's part of the work: what runs, and what has ended, when partitions come and go."""

from collections.abc import Callable

from linkage.runtime.log_identity import read_log_identities
from linkage.runtime.member import Member
from linkage.runtime.ports import Outgoing, Time
from linkage.runtime.progress import LoopLimits
from linkage.simulation.memory_broker import MemoryBroker
from linkage.simulation.memory_log import MemoryLog
from linkage.simulation.virtual_time import VirtualTime
from linkage.topics import Topics
from linkage.worker.topic_admin import write_log_identities
from tests import small_county as c

TOPICS = Topics("member")
PARTITIONS_COUNT = 2
WAIT_LIMIT_MS = 60_000
PAUSE_MS = 20


class OneMember:
    """A worker in memory, beside a process nothing happens to."""

    def __init__(self) -> None:
        self.virtual = VirtualTime(seed=1)
        broker = MemoryBroker(self.virtual, seed=1)
        for name, spec in TOPICS.of_parties([], [], c.HUBS):
            broker.create_topic(name, spec.partitions or PARTITIONS_COUNT)
        self.other = MemoryLog(broker, self.virtual.process("other"))
        self.process = self.virtual.process("worker")
        self.log = MemoryLog(broker, self.process)
        self.failures: list[BaseException] = []

    async def started(self) -> Member:
        await write_log_identities(self.other, TOPICS, PARTITIONS_COUNT)
        log_ids = await read_log_identities(self.other, TOPICS, PARTITIONS_COUNT)
        member = Member(self.log, self.process, TOPICS, log_ids, LoopLimits(), b"key", self.failures.append)
        member.start()
        member.rebalanced([0])
        await until(self.process, lambda: 0 in member.leases and member.leases[0].hub.progress.phase == "serving")
        return member


async def until(time: Time, fact: Callable[[], bool]) -> None:
    give_up_ms = time.monotonic_ms() + WAIT_LIMIT_MS
    while not fact():
        assert time.monotonic_ms() < give_up_ms
        await time.sleep(PAUSE_MS)


def test_a_lease_that_is_given_back_leaves_nothing_running_of_the_one_before() -> None:
    """Fenced within a rebalance its hub loop ends; its clock and its publisher must not go on beside the new ones."""
    world = OneMember()

    async def case() -> None:
        member = await world.started()
        lost = member.leases[0]
        member.revoked()
        await world.other.initialise(TOPICS.transactional_id(0))
        await world.other.append([Outgoing(TOPICS.inbox, 0, None, b"junk")])
        await until(world.process, lambda: lost.is_over)
        member.rebalanced([0])
        await until(world.process, lambda: member.leases.get(0, lost) is not lost)
        assert [name for name, task in lost.tasks.items() if not task.done()] == []
        await until(world.process, lambda: member.leases[0].hub.progress.phase == "serving")
        await member.stop()

    world.virtual.run_until(case())
    world.virtual.close()
    assert world.failures == []


def test_a_lease_that_stays_goes_on_when_the_group_speaks_again_while_others_end() -> None:
    """A second rebalance begins while the first is being settled: the partition that stays is not interrupted."""
    world = OneMember()

    async def case() -> None:
        member = await world.started()
        member.rebalanced([0, 1])
        await until(world.process, lambda: 1 in member.leases and member.leases[1].hub.progress.phase == "serving")
        staying = member.leases[0]
        member.rebalanced([0])
        await until(world.process, lambda: 1 not in member.leases)
        member.revoked()
        await world.process.sleep(LoopLimits().drain_limit_ms)
        member.rebalanced([0])
        await until(world.process, lambda: not member.is_settling)
        assert member.leases[0] is staying
        assert not staying.is_over
        await member.stop()

    world.virtual.run_until(case())
    world.virtual.close()
    assert world.failures == []
