"""The campaign's short version: three brokers, the small county, a few of the faults that no other test has.

`make soak-faults` runs every kind, many times, on the imported county with real calls.
"""

import secrets
from pathlib import Path
from random import Random

import pytest

from tests.campaign.brokers import three_brokers
from tests.campaign.field import small_field
from tests.campaign.ground import Ground
from tests.campaign.rounds import Tally, fight

pytestmark = pytest.mark.kafka

SEED = 5
FAULTS = (
    "broker killed: leader",
    "department's topic deleted",
    "source's topic unreachable",
    "Kafka away for 20 s",
)


async def test_nothing_is_lost_whatever_befalls_brokers_topics_and_rights(tmp_path: Path) -> None:
    """Each fault happened, by its evidence; after each everything settles, and checker, audit, verify find it exact."""
    tally = Tally()
    with three_brokers(tmp_path / "kafka") as brokers:
        async with small_field(brokers.bootstrap_servers, f"t{secrets.token_hex(5)}", tmp_path) as field:
            ground = Ground(field, brokers, Random(SEED))
            for kind in FAULTS:
                await fight(ground, [kind], tally)
    for row in tally.rows:
        print(row)
    assert tally.is_clean, (tally.wrong, [row for row in tally.rows if row.failure])
    assert len(tally.rows) == tally.judged == len(FAULTS)
