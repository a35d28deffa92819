"""Folding a long journal lets others run: heartbeats go on while a worker takes over."""

from linkage.runtime.ports import TopicPartition
from linkage.runtime.progress import LoopLimits, Progress
from linkage.runtime.recovery import fold_journal
from tests.behaviour import simulated
from tests.behaviour.world import World
from tests.small_county import NORTH

REPORTS_COUNT = 30
YIELD_RECORDS = 5


def test_a_long_fold_gives_way() -> None:
    """Given a journal of many records, while it is folded, then others get their turn after every few of them."""
    made = simulated.cluster(seed=7)
    world = World(made.outside, made.time.world, made.topics, simulated.SCALE)
    partition = int(NORTH) % made.partitions
    turns = 0

    class Counted:
        """The world's time; counts how often it was given way to."""

        def monotonic_ms(self) -> int:
            return int(made.time.world.monotonic_ms())

        async def sleep(self, span_ms: int) -> None:
            nonlocal turns
            turns += 1
            await made.time.world.sleep(span_ms)

    async def folded() -> int:
        await world.load()
        for number in range(REPORTS_COUNT):
            await world.report(f"r{number}", summary=f"report {number}")
        await world.receipt("grid", f"r{REPORTS_COUNT - 1}")
        progress, limits = Progress("fold"), LoopLimits(fold_yield_records=YIELD_RECORDS)
        journal = TopicPartition(made.topics.journal, partition)
        await fold_journal(made.outside, Counted(), journal, made.log_ids[partition], limits, progress)
        return progress.folded_records

    try:
        records = made.time.run_until(folded(), 120_000)
        assert records > REPORTS_COUNT
        assert turns >= records // YIELD_RECORDS
    finally:
        made.close()
