"""The world on the memory log and virtual time."""

from collections.abc import Callable

from linkage.runtime.progress import LoopLimits
from linkage.simulation.cluster import Cluster
from linkage.topics import Topics
from tests import small_county
from tests.behaviour.flows import Flow
from tests.behaviour.world import PARTITIONS, World

SCALE = 0.2
FLOW_LIMIT_VIRTUAL_MS = 600_000


def cluster(seed: int, workers: int = 2, limits: LoopLimits | None = None) -> Cluster:
    """The small county's topics on a memory broker, and workers."""
    topics = Topics("sim")
    sources = [party.id for party in small_county.PARTIES if party.kind == "source"]
    parties = [party.id for party in small_county.PARTIES if party.kind != "source"]
    made = Cluster(seed, topics, topics.of_parties(sources, parties, small_county.HUBS), PARTITIONS, limits=limits)
    made.add_workers(workers)
    return made


def play(flow: Flow, seed: int = 1, after: Callable[[Cluster], None] | None = None) -> None:
    """Plays a flow to its end in virtual time."""
    made = cluster(seed)
    world = World(made.outside, made.time.world, made.topics, SCALE)

    async def whole() -> None:
        await world.load()
        await flow(world)

    try:
        made.time.run_until(whole(), FLOW_LIMIT_VIRTUAL_MS)
        if after is not None:
            after(made)
    finally:
        made.close()
