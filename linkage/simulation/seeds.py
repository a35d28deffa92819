"""One run of a seed's plan: the county lives through its reports and faults, heals, ends everything, and is judged.

Afterwards nothing may be open: every message decided, every deadline ended, every team back. What else must hold, audit
and verify say; who calls gives them as `judge`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from linkage.events.inbound import Answer, AnswerOrder, CloseIncident, LoadReference
from linkage.runtime.hub import FencedOut
from linkage.runtime.progress import LoopLimits
from linkage.simulation import small_county
from linkage.simulation.cluster import Cluster, SimulatedWorker
from linkage.simulation.disorder import Fault, FaultLedger, Kind, publish
from linkage.simulation.memory_broker import BrokerSettings
from linkage.simulation.plans import PARTITIONS_COUNT, SPAN_MS, TOPICS, Plan
from linkage.simulation.players import Players, outgoing
from linkage.simulation.unleash import CrashAt, Ground, unleash
from linkage.simulation.virtual_time import VirtualProcess
from linkage.simulation.witness import Witness

Judge = Callable[[Cluster], list[str]]

LIMITS = LoopLimits(read_wait_ms=20_000, clock_tick_ms=1_000)
SPEED = BrokerSettings((0, 0), (0, 0))
HEALED_MS = 180_000
"""From the last beginning of a fault until all are over."""
SETTLE_LIMIT_MS = 1_200_000
LOOK_INTERVAL_MS = 5_000
RUN_LIMIT_VIRTUAL_MS = 10 * 3_600_000


@dataclass(slots=True)
class Outcome:
    """What a run came to. `wrong`: what does not hold; empty when all is well."""

    plan: Plan
    ledger: FaultLedger = field(default_factory=FaultLedger)
    wrong: list[str] = field(default_factory=list)
    steps: int = 0
    facts: int = 0
    answers: int = 0
    reports: int = 0
    fenced_out: int = 0
    types: dict[str, int] = field(default_factory=dict)
    """fact type -> how many"""


def run(plan: Plan, judge: Judge, inspect: Callable[[Cluster], None] = lambda cluster: None) -> Outcome:
    """Lives through the plan. Odd seeds have latencies and shuffled tasks, even ones none. Raises for no defect."""
    outcome = Outcome(plan)
    is_slow = plan.seed % 2 == 1
    rows = small_county.topic_rows(TOPICS)
    cluster = Cluster(
        *(plan.seed, TOPICS, rows, PARTITIONS_COUNT),
        limits=LIMITS,
        broker=BrokerSettings() if is_slow else SPEED,
        watch_interval_ms=5_000,
        shuffled=is_slow,
    )
    try:
        cluster.add_workers(plan.workers)
        witness = Witness(cluster)
        cluster.time.run_until(_life(plan, cluster, witness, outcome), RUN_LIMIT_VIRTUAL_MS)
        _count(cluster, witness, outcome)
        outcome.wrong += judge(cluster)
        inspect(cluster)
    except Exception as error:
        outcome.wrong.append(f"the run broke off: {type(error).__name__}: {error}")
    finally:
        cluster.close()
    return outcome


async def _life(plan: Plan, cluster: Cluster, witness: Witness, outcome: Outcome) -> None:
    await _load(cluster)
    players = Players(cluster, plan.seed)
    players.start()
    ground = Ground(cluster.broker, cluster.membership, _process_of(cluster), _restarting(cluster), outcome.ledger)
    unleash([fault for fault in plan.faults if fault.kind is not Kind.WORKER_CRASHED_AT_POINT], ground)
    for fault in plan.faults:
        if fault.kind is Kind.WORKER_CRASHED_AT_POINT:
            _crash_later(cluster, fault, outcome.ledger)
    for said in plan.said:
        for kind in said.kinds:
            outcome.ledger.plan(kind)
    begin_ms = cluster.time.monotonic_ms()
    later = [replace(said, at_ms=begin_ms + said.at_ms) for said in plan.said]
    await publish(later, cluster.outside, cluster.time, outcome.ledger)
    await cluster.time.sleep(max(0, begin_ms + SPAN_MS + HEALED_MS - cluster.time.monotonic_ms()))
    _heal(cluster)
    players.is_over = True
    await _end_everything(cluster, players, witness, outcome)
    outcome.answers, outcome.reports = players.said, len(plan.said)


async def _load(cluster: Cluster) -> None:
    topics, county = cluster.topics, small_county.COUNTY
    registry = [outgoing(topics.registry, entry, entry.party.id, county) for entry in small_county.registry()]
    await cluster.outside.append(registry)
    for hub in small_county.HUBS:
        load = LoadReference(hub=hub, reference=small_county.reference(hub))
        await cluster.outside.append([outgoing(topics.command(county), load, f"load-{hub}", county)])
    await cluster.time.sleep(15_000)


def _process_of(cluster: Cluster) -> Callable[[str], VirtualProcess | None]:
    return lambda name: _worker(cluster, name).process


def _restarting(cluster: Cluster) -> Callable[[str], None]:
    return lambda name: _worker(cluster, name).restart()


def _worker(cluster: Cluster, name: str) -> SimulatedWorker:
    """A smaller plan has fewer workers; what was meant for one it has not meets the first."""
    return next((worker for worker in cluster.workers if worker.name == name), cluster.workers[0])


def _crash_later(cluster: Cluster, fault: Fault, ledger: FaultLedger) -> None:
    """From its instant on the named worker dies at its n-th point."""
    name, _, nth = fault.target.partition(":")
    ledger.plan(fault.kind)

    def crashed(point: str) -> None:
        ledger.strike(fault.kind)
        cluster.time.call_later(fault.span_ms, _worker(cluster, name).restart)

    def arm() -> None:
        cluster.broker.faults.hook = CrashAt(_worker(cluster, name).name, int(nth), crashed)

    cluster.time.call_later(fault.at_ms, arm)


def _heal(cluster: Cluster) -> None:
    """Every fault is over by now; who is still dead begins anew, and nobody dies any more."""
    cluster.broker.faults.hook = None
    for worker in cluster.workers:
        worker.process.resume()
        worker.restart()


async def _end_everything(cluster: Cluster, players: Players, witness: Witness, outcome: Outcome) -> None:
    """Posts close what is open, teams say that they are back, until nothing is open and nothing is on its way."""
    give_up_at_ms = cluster.time.monotonic_ms() + SETTLE_LIMIT_MS
    closed: set[str] = set()
    while True:
        witness.look()
        behind = witness.behind()
        if not (witness.incidents or witness.deadlines or witness.held or behind):
            return
        if cluster.time.monotonic_ms() > give_up_at_ms:
            outcome.wrong += [f"still behind: {one}" for one in behind]
            outcome.wrong += [
                f"incident {one} of {hub} is still open" for one, hub in sorted(witness.incidents.items())
            ]
            outcome.wrong += [f"deadline {one} has not ended" for one in sorted(witness.deadlines)]
            outcome.wrong += [
                f"team {one.team} is still held by {order}" for order, one in sorted(witness.held.items())
            ]
            return
        await _say_the_last(cluster, players, witness, closed)
        await cluster.time.sleep(LOOK_INTERVAL_MS)


async def _say_the_last(cluster: Cluster, players: Players, witness: Witness, closed: set[str]) -> None:
    topics = cluster.topics
    for incident, hub in sorted(witness.incidents.items()):
        if incident not in closed:
            closed.add(incident)
            close = CloseIncident(incident_id=incident, reason="all is over", signed_by="Li")
            await players.say(outgoing(topics.command(hub), close, f"last.{incident}", hub))
    for order_id, ordered in sorted(witness.held.items()):
        if ordered.incident_id not in witness.incidents and order_id not in closed:
            closed.add(order_id)
            hub = witness.hub_of_order[order_id]
            done = AnswerOrder(order_id=order_id, hub=hub, answer=Answer.DONE)
            await players.say(outgoing(topics.reply(ordered.party), done, f"last.{order_id}", ordered.party))


def _count(cluster: Cluster, witness: Witness, outcome: Outcome) -> None:
    outcome.steps = len(witness.steps)
    for step in witness.steps:
        outcome.facts += len(step.facts)
        for staged in step.facts:
            name = type(staged.fact).__name__
            outcome.types[name] = outcome.types.get(name, 0) + 1
    for name, error in cluster.ends:
        if isinstance(error, FencedOut):
            outcome.fenced_out += 1
        else:
            outcome.wrong.append(f"{name} ended by itself: {type(error).__name__}: {error}")
