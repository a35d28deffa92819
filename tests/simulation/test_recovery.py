"""Recovery reads the journal to the end it asked for, however long that takes."""

from linkage.cli.judging import judged
from linkage.runtime.progress import LoopLimits
from linkage.simulation.cluster import Cluster
from linkage.simulation.small_county import topic_rows
from linkage.simulation.virtual_time import VirtualProcess
from linkage.simulation.witness import Witness
from linkage.topics import Topics
from tests.behaviour.flows import FLOWS
from tests.simulation.quick_world import playing

CUT_OFF_MS = 3_000
CUT_OFF_TIMES = 10
LIMIT_MS = 3_600_000


def test_a_poll_that_is_empty_is_not_the_end_of_the_journal() -> None:
    """The broker is away while the journal is folded: polls come back empty, and nothing is decided a second time."""
    topics = Topics("sim")
    limits = LoopLimits(read_wait_ms=100, clock_tick_ms=1_000)
    cluster = Cluster(1, topics, topic_rows(topics), 2, limits=limits, watch_interval_ms=None)
    cluster.add_workers(1)
    witness = Witness(cluster)
    cut_off: list[str] = []

    def cut(process: VirtualProcess, point: str) -> None:
        """After each of the first looks at a position: what is read next comes back empty."""
        is_new = process.name == "worker-0" and process.incarnation == 2 and not cluster.broker.unreachable_ms(process)
        if is_new and point == "position.after" and len(cut_off) < CUT_OFF_TIMES:
            cut_off.append(point)
            cluster.broker.cut_off(process, CUT_OFF_MS)

    async def case() -> None:
        await playing(FLOWS["a_team_comes_works_and_is_free_again"])(cluster)
        cluster.broker.faults.hook = cut
        cluster.workers[0].kill(restart_ms=0)
        await playing(FLOWS["a_report_that_moved_is_remembered_where_it_went"])(cluster)
        while witness.look() or witness.behind():
            await cluster.time.sleep(1_000)

    try:
        cluster.time.run_until(case(), LIMIT_MS)
        assert len(cut_off) == CUT_OFF_TIMES
        assert judged(cluster) == []
    finally:
        cluster.close()
