"""Which faults, how often, in which order: every kind once first, then the rest by seeded chance."""

from collections.abc import Iterator, Sequence
from random import Random

from tests import own_network
from tests.campaign import disk_faults
from tests.campaign.kinds import KINDS

SHARES = {
    "worker killed at random": 40,
    "worker added": 14,
    "worker removed (SIGTERM)": 14,
    "zombie, in a transaction": 12,
    "zombie, idle": 8,
    "worker killed at initialise.before": 6,
    "worker killed at initialise.after": 6,
    "broker killed: leader": 6,
    "broker killed: transaction coordinator": 5,
    "broker killed: group coordinator": 5,
    "workers rolled": 5,
    "second deployment, same namespace": 4,
    "worker cut off in its own network": 4,
    "second deployment, another group": 3,
    "brokers rolled": 3,
    "broker stopped for 15 s": 3,
    "Kafka away for 3 minutes": 1,
    "disk full under a broker": 1,
}
"""Of 200 faults; a kill at a point of a transaction happens 8 times, every other kind twice."""
KILLED_IN_TRANSACT_SHARE = 8
OTHER_SHARE = 2


def share_of(kind: str) -> int:
    return SHARES.get(kind, KILLED_IN_TRANSACT_SHARE if "killed at transact." in kind else OTHER_SHARE)


def possible() -> list[str]:
    """The kinds that can be done on this machine."""
    without = set()
    if not disk_faults.is_possible():
        without.add("disk full under a broker")
    if not own_network.is_possible():
        without.add("worker cut off in its own network")
    return [kind for kind in KINDS if kind not in without]


def planned(seed: int, faults: int, kinds: Sequence[str]) -> list[str]:
    """So many: each kind once, in a seeded order, the long ones not first; then by their shares."""
    chance = Random(f"{seed}/plan")
    first = list(kinds)
    chance.shuffle(first)
    rest = [kind for kind in kinds for _ in range(share_of(kind) - 1)]
    chance.shuffle(rest)
    plan = first + rest
    while len(plan) < faults:
        plan += chance.choices(kinds, [share_of(kind) for kind in kinds], k=faults - len(plan))
    return plan[:faults]


def rounds(plan: Sequence[str], faults_per_round: int) -> Iterator[Sequence[str]]:
    for first in range(0, len(plan), faults_per_round):
        yield plan[first : first + faults_per_round]
