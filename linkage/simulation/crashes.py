"""Crash exhaustion: one worker runs a scenario, and dies at one point of one port call, at every one in turn.

Recovery takes no virtual time, so the facts must be those of the run without a crash. What may differ is where they
stand and when they were written; what was delivered twice by the crash is answered by a repetition, and nothing else.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from linkage import identity, wire
from linkage.events.envelope import PARTY_BOUND, JournalRecord
from linkage.events.outbound import DispatchTeam, StandDown, WhistleDepartment
from linkage.events.reception import MessageRefused, MessageRepeated
from linkage.runtime.progress import LoopLimits
from linkage.simulation.cluster import Cluster
from linkage.simulation.memory_broker import BrokerSettings
from linkage.simulation.small_county import topic_rows
from linkage.simulation.unleash import CrashAt
from linkage.simulation.witness import Witness
from linkage.topics import Topics

Play = Callable[[Cluster], Coroutine[Any, Any, None]]
"""A scenario: what is said, and what is waited for. It must not depend on exact instants."""
Judge = Callable[[Cluster], list[str]]
"""What is wrong with what a run has left behind; empty when nothing is."""

WORKER = "worker-0"
AT_ONCE = BrokerSettings((0, 0), (0, 0), session_timeout_ms=1, heartbeat_ms=4, rebalance_ms=0, retry_ms=1)
LIMITS = LoopLimits(read_wait_ms=60_000, clock_tick_ms=200)
PARTITIONS_COUNT = 2
"""The county's hub shares one with a township, the other township has its own."""
RUN_LIMIT_VIRTUAL_MS = 3_600_000
LOOK_INTERVAL_MS = 1_000
NEVER = 1 << 60
MEASURED = ("seconds_apart", "waited_s")
"""Spans that were measured, so that they hang on instants."""

Substance = Counter[str]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run left: its facts without positions and instants, its orders, how many points it passed."""

    facts: Substance
    orders: Counter[tuple[str, int]]
    points: int
    crashed_at: str | None
    repeats: int
    wrong: tuple[str, ...]


def run(play: Play, nth: int = NEVER, judge: Judge | None = None) -> Run:
    """Plays the scenario to its end and until nothing is open; the worker dies at its n-th point, counted from 1."""
    topics = Topics("sim")
    rows = topic_rows(topics)
    cluster = Cluster(1, topics, rows, PARTITIONS_COUNT, limits=LIMITS, broker=AT_ONCE, watch_interval_ms=None)
    crash = CrashAt(WORKER, nth, lambda point: cluster.workers[0].kill(restart_ms=0))
    cluster.broker.faults.hook = crash
    cluster.add_workers(1)
    witness = Witness(cluster)
    try:
        cluster.time.run_until(_whole(play, cluster, witness), RUN_LIMIT_VIRTUAL_MS)
        facts, repeats = substance(witness.steps)
        wrong = [*(judge(cluster) if judge is not None else ()), *unpublished(cluster, witness)]
        if (ended_by := cluster.workers[0].ended_by) is not None:
            wrong.append(f"the worker ended by itself: {ended_by!r}")
        points = cluster.broker.faults.points[WORKER]
        return Run(facts, orders(cluster), points, crash.point, repeats, tuple(wrong))
    finally:
        cluster.close()


async def _whole(play: Play, cluster: Cluster, witness: Witness) -> None:
    await play(cluster)
    while True:
        witness.look()
        if not witness.deadlines and not witness.behind():
            return
        await cluster.time.sleep(LOOK_INTERVAL_MS)


def differences(expected: Run, found: Run) -> list[str]:
    """How a run with a crash differs from the one without; empty when it is exact."""
    wrong = [f"lost: {fact}" for fact in sorted((expected.facts - found.facts).elements())]
    wrong += [f"doubled or other: {fact}" for fact in sorted((found.facts - expected.facts).elements())]
    wrong += [f"order {order} stands there {count} times" for order, count in sorted(found.orders.items()) if count > 1]
    wrong += [f"order {order} differs" for order in sorted(expected.orders.keys() ^ found.orders.keys())]
    return wrong + list(found.wrong)


def substance(steps: Iterable[JournalRecord]) -> tuple[Substance, int]:
    """(facts without positions and instants, how many repetitions were left out).

    A refused message that is delivered again is refused again; such a refusal counts once.
    """
    facts: Substance = Counter()
    repeats = 0
    for step in steps:
        for staged in step.facts:
            if isinstance(staged.fact, MessageRepeated):
                repeats += 1
                continue
            key = f"{step.hub} {staged.stage} {_timeless(staged.fact.model_dump(mode='json'))}"
            if isinstance(staged.fact, MessageRefused):
                key = f"{step.hub} refused {staged.fact.sender} {staged.fact.message_id} {staged.fact.code}"
                repeats += min(facts[key], 1)
                facts[key] = 0
            facts[key] += 1
    return facts, repeats


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: _timeless(item) for name, item in value.items() if not name.endswith(("_at", "_by"))}
        return {name: item for name, item in kept.items() if name not in MEASURED}
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    return value


def orders(cluster: Cluster) -> Counter[tuple[str, int]]:
    """(order id, revision) -> how often a committed reader finds it on the dispatch topics."""
    found: Counter[tuple[str, int]] = Counter()
    for name in sorted(cluster.broker.topics):
        if not name.startswith(cluster.topics.dispatch("")):
            continue
        for record in cluster.broker.committed_records(name):
            message = PARTY_BOUND.validate_json(record.value or b"")
            if isinstance(message, WhistleDepartment | DispatchTeam | StandDown):
                found[message.order_id, message.revision] += 1
    return found


def unpublished(cluster: Cluster, witness: Witness) -> list[str]:
    """Facts of the journal that are not on their stage's topic. There they may be more than once, under one id."""
    expected: dict[str, set[str]] = {}
    for step in witness.steps:
        log_id = step.inbox.log_id
        for index, staged in enumerate(step.facts):
            topic = cluster.topics.stage(staged.stage)
            expected.setdefault(topic, set()).add(identity.message_id("fact", log_id, step.position, index))
    wrong = []
    for topic, ids in sorted(expected.items()):
        records = cluster.broker.committed_records(topic)
        there = {wire.read(record.headers, record.value)[0].id for record in records}
        if there != ids:
            wrong.append(f"{topic}: {len(ids - there)} facts were not published, {len(there - ids)} are unknown")
    return wrong
