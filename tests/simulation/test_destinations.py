"""One party whose topic is missing or can't be written blocks nobody, and the post is told."""

import pytest

from linkage.events.outbound import GiveNotice
from linkage.simulation.cluster import Cluster
from tests.behaviour import simulated
from tests.behaviour.world import World
from tests.small_county import NORTH


async def _reported(world: World) -> None:
    """When a report comes, then all but the health bureau are reached, and the post hears which one was not."""
    await world.load()
    await world.report("r1")
    await world.receipt("grid", "r1", outcome="opened")
    await world.whistled("natural-resources")
    await world.ordered("north-rescue")
    notice = await world.heard(NORTH, GiveNotice, code="no_destination")
    assert "health" in notice.text_en
    diverted = [sent for entry in await world.journal() for sent in entry.sent if sent.diverted_because]
    assert [sent.type for sent in diverted] == ["linkage.WhistleDepartment.v0"]
    assert "health" in diverted[0].topic


def _missing(cluster: Cluster) -> None:
    cluster.broker.delete_topic(cluster.topics.dispatch("health"))


def _denied(cluster: Cluster) -> None:
    cluster.broker.topics[cluster.topics.dispatch("health")].denied = True


def _takes_only_tiny_records(cluster: Cluster) -> None:
    cluster.broker.topics[cluster.topics.dispatch("health")].message_limit_bytes = 100


@pytest.mark.parametrize("trouble", [_missing, _denied, _takes_only_tiny_records])
def test_a_destination_that_fails_is_diverted(trouble: object) -> None:
    """Given a dispatch topic that is missing, denied or fails the transaction, then everybody else is served."""
    made = simulated.cluster(seed=3)
    assert callable(trouble)
    trouble(made)
    world = World(made.outside, made.time.world, made.topics, simulated.SCALE)
    try:
        made.time.run_until(_reported(world), 120_000)
        dispatched = made.broker.topics.get(made.topics.dispatch("health"))
        assert dispatched is None or not made.broker.committed_records(dispatched.name)
    finally:
        made.close()
