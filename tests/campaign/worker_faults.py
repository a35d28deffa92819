"""What befalls workers. Each function does it, waits until it is over, and says by which evidence it happened."""

import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta

from linkage.errors import LinkageError
from linkage.events.deadlines import DeadlineDue
from linkage.events.envelope import InboxRecord
from tests import own_network
from tests.campaign.ground import FACT_LIMIT_S, SHARE_LIMIT_S, Ground, Strike
from tests.kafka_journal import Journal
from tests.kafka_worker import Doom, Plan, WorkerProcess

IN_TRANSACT = (
    "transact.begun",
    "transact.sent_first",
    "transact.sent_all",
    "transact.acknowledged",
    "transact.committing",
    "transact.committed",
)
IN_TAKE_OVER = ("initialise.before", "initialise.after")
UNDECIDED_AT_LEAST = 5
STEPS_OF_THE_OTHERS = 20
ENDED_IN_ORDER = (0, -signal.SIGTERM)
FATAL_EXIT_STATUS = 70
HOUR_MS = 3_600_000
LATE_LIMIT = timedelta(seconds=20)
"""How much later than its instant a deadline may end, under load and with the "due" said again each 5 s."""

KILL_BURST_RECORDS = 90
"""Enough that some of them wait when the second transaction is reached."""
KILL_TRIES_COUNT = 20
"""Bursts in which a backlog is looked for; then the kill strikes all the same, and its row says what it found."""

Fault = Callable[[Ground], Awaitable[Strike]]


async def killed_at_random(ground: Ground) -> Strike:
    """kill -9, some steps into a burst."""
    victim = ground.any_worker()
    share = ground.shares[victim.name]
    for _ in range(KILL_TRIES_COUNT):
        await ground.burst()
        await ground.grown(ground.chance.randint(1, 12))
        if await ground.field.undecided() >= 2 * UNDECIDED_AT_LEAST:
            break  # a quick machine may have decided a whole burst before anybody sees it grow
    at_ms = victim.kill()
    assert await victim.ended() == -signal.SIGKILL
    return Strike(at_ms, share, "exit status -9, records waited", UNDECIDED_AT_LEAST)


def killed_in_transact(point: str) -> Fault:
    async def killed(ground: Ground) -> Strike:
        """kill -9 at a named point of a transaction."""
        victim = ground.any_worker()
        share = ground.shares[victim.name]
        armed_ms = victim.now_ms()
        victim.arm(Doom(point, ground.chance.randint(1, 2)))
        await ground.burst(KILL_BURST_RECORDS)
        at_ms = await victim.reached(point, FACT_LIMIT_S, since_ms=armed_ms)
        assert await victim.ended() == -signal.SIGKILL
        return Strike(at_ms, share, f"{point} reached, exit status -9, records waited", UNDECIDED_AT_LEAST)

    return killed


def killed_in_take_over(point: str) -> Fault:
    async def killed(ground: Ground) -> Strike:
        """kill -9 before or after it has fenced whoever held the partition."""
        newcomer = ground.started(Plan(Doom(point)))
        await ground.burst()
        at_ms = await newcomer.reached(point, FACT_LIMIT_S)
        assert await newcomer.ended() == -signal.SIGKILL
        return Strike(at_ms, ground.every_partition, f"{point} reached, exit status -9")

    return killed


async def zombie_idle(ground: Ground) -> Strike:
    """SIGSTOP past the session timeout while nothing is to do, SIGCONT under load."""
    await ground.field.settled(FACT_LIMIT_S)
    zombie = ground.any_worker()
    share, at_ms = ground.shares[zombie.name], zombie.suspend()
    await ground.burst()
    return await _comes_back_fenced(ground, zombie, share, at_ms, "idle")


async def zombie_in_transaction(ground: Ground) -> Strike:
    """The same, stopped when everything of a transaction was sent and nothing committed."""
    zombie = ground.any_worker()
    share, armed_ms = ground.shares[zombie.name], zombie.now_ms()
    zombie.arm(Doom("transact.sent_all", ground.chance.randint(1, 5), "stop"))
    await ground.burst()
    at_ms = await zombie.reached("transact.sent_all", FACT_LIMIT_S, since_ms=armed_ms)
    return await _comes_back_fenced(ground, zombie, share, at_ms, "in an open transaction")


async def _comes_back_fenced(
    ground: Ground, zombie: WorkerProcess, share: frozenset[int], at_ms: int, when: str
) -> Strike:
    await ground.share(*ground.others(zombie))
    await ground.burst()
    await ground.grown(STEPS_OF_THE_OTHERS)
    resumed_ms = zombie.resume()
    await ground.burst()
    await ground.fenced(zombie, resumed_ms)
    await ground.share(*ground.pool)
    assert zombie.is_running
    return Strike(at_ms, share, f"stopped {when}, {(resumed_ms - at_ms) / 1000:.1f} s later fenced, then shared again")


async def worker_added(ground: Ground) -> Strike:
    """One more, under load: it gets its share."""
    await ground.burst()
    at_ms = ground.started().now_ms()
    await ground.share(*ground.pool)
    return Strike(at_ms, frozenset(), f"{len(ground.pool)} workers have shares")


async def worker_removed(ground: Ground) -> Strike:
    """SIGTERM under load: it ends in order, the others have its partitions at once."""
    if len(ground.pool) < 3:
        ground.started()
        await ground.share(*ground.pool)
    victim = ground.any_worker()
    share = ground.shares[victim.name]
    await ground.burst()
    await ground.grown(1)
    at_ms = victim.now_ms()
    assert await ground.retire(victim) in ENDED_IN_ORDER
    await ground.share(*ground.pool)
    return Strike(at_ms, share, "ended in order, its partitions have another owner")


async def workers_rolled(ground: Ground) -> Strike:
    """Each in turn: a new one beside it, then SIGTERM."""
    before, at_ms = list(ground.pool), ground.pool[0].now_ms()
    for old in before:
        await ground.burst(10)
        ground.started()
        assert await ground.retire(old) in ENDED_IN_ORDER
        await ground.share(*ground.pool)
    return Strike(at_ms, ground.every_partition, f"{len(before)} ended in order, {len(before)} new ones share")


async def clock_ahead(ground: Ground) -> Strike:
    """A worker whose clock is an hour fast: it says due too early, and nobody is overdue by that."""
    at_ms, share = await _with_wrong_clock(ground, HOUR_MS)
    early = await _said_early(ground, at_ms)
    assert early, "it said nothing too early"
    return Strike(at_ms, share, f"said due {len(early)} times too early, nothing ended early")


async def clock_behind(ground: Ground) -> Strike:
    """A worker whose clock is an hour slow: deadlines end in time all the same."""
    at_ms, share = await _with_wrong_clock(ground, -HOUR_MS)
    late = [seconds for partition, seconds in _lateness(ground.field.journal, at_ms) if partition in share]
    assert late, "no deadline ended in its partitions"
    assert max(late) <= LATE_LIMIT.total_seconds(), late
    return Strike(at_ms, share, f"{len(late)} deadlines ended, the latest {max(late):.1f} s after its instant")


async def _with_wrong_clock(ground: Ground, offset_ms: int) -> tuple[int, frozenset[int]]:
    """Until a deadline has become overdue in a partition of such a worker; it is retired then."""
    old = ground.any_worker()
    wrong = ground.started(Plan(clock_offset_ms=offset_ms))
    assert await ground.retire(old) in ENDED_IN_ORDER
    await ground.share(*ground.pool)
    at_ms, share = wrong.now_ms(), ground.shares[wrong.name]
    await ground.burst()
    await ground.under_bursts(
        lambda: any(partition in share for partition, _ in _lateness(ground.field.journal, at_ms)),
        "a deadline overdue in its partitions",
    )
    await ground.retire(wrong)
    return at_ms, share


def _lateness(journal: Journal, since_ms: int) -> list[tuple[int, float]]:
    """(partition, seconds after its instant) of each "due" that ended its deadline since then."""
    found = []
    for one in journal.records:
        due = one.entry.inbox.data
        if isinstance(due, DeadlineDue) and one.appended_ms > since_ms and due.due_at.timestamp() * 1000 > since_ms:
            found.append((one.partition, one.appended_ms / 1000 - due.due_at.timestamp()))
    return found


async def _said_early(ground: Ground, since_ms: int) -> list[DeadlineDue]:
    found = []
    for record in await ground.field.records(ground.field.topics.inbox):
        due = InboxRecord.model_validate_json(record.value or b"").data
        if isinstance(due, DeadlineDue) and since_ms < record.timestamp_ms < due.due_at.timestamp() * 1000:
            found.append(due)
    return found


async def deployed_twice(ground: Ground) -> Strike:
    """A second deployment started by mistake on the same namespace: it is the same group, so it shares the work."""
    at_ms = ground.pool[0].now_ms()
    second = [ground.started() for _ in range(2)]
    await ground.burst()
    await ground.covered(*ground.pool)
    for worker in second:
        assert await ground.retire(worker) in ENDED_IN_ORDER
    await ground.share(*ground.pool)
    return Strike(at_ms, frozenset(), "all of both deployments were ready, each partition had one owner")


async def two_groups(ground: Ground) -> Strike:
    """Worse: a deployment whose membership does not know of the other's. Both believe to own everything."""
    at_ms = ground.pool[0].now_ms()
    before = list(ground.pool)
    foreign = ground.started(Plan(group_suffix="-other"))
    await ground.burst()
    rivals = [*before, foreign]
    fenced = await ground.fenced_any(rivals, at_ms)
    await ground.grown(STEPS_OF_THE_OTHERS)
    foreign.kill()
    await foreign.ended()
    ended = [worker.exit_status for worker in before if not worker.is_running]
    assert set(ended) <= {FATAL_EXIT_STATUS}, ended
    return Strike(at_ms, ground.every_partition, f"{fenced} was fenced, {len(ended)} gave up with exit status 70")


async def cut_off(ground: Ground) -> Strike:
    """A worker alone in its own network, cut off while it believes itself owner; then the network is mended."""
    if not own_network.is_possible():
        raise LinkageError("needs Linux and root")
    alone = ground.started(Plan(own_network=True))
    await alone.is_in_own_network(FACT_LIMIT_S)
    relay = own_network.Relay(alone.process.pid, ground.brokers.ports, [alone.web_port])
    try:
        await ground.share(*ground.pool)
        share = ground.shares[alone.name]
        await ground.burst()
        await ground.grown(1)
        relay.cut()
        at_ms = alone.now_ms()
        await ground.share(*ground.others(alone))
        await ground.burst()
        await ground.grown(STEPS_OF_THE_OTHERS)
        believed = [line for line in alone.log("assigned") if line.at_ms > at_ms]
        assert alone.is_running
        assert not believed, "it noticed that it was cut off"
        relay.mend()
        mended_ms = alone.now_ms()
        await ground.logged(alone, lambda line: line.at_ms > mended_ms and _met_the_cut(line.event), "it noticed")
        await ground.field.shared(*ground.pool, limit_s=SHARE_LIMIT_S)
        await ground.retire(alone)
    finally:
        relay.close()
    return Strike(
        at_ms, share, f"cut off for {(mended_ms - at_ms) / 1000:.1f} s as owner of {sorted(share)}, then shared"
    )


def _met_the_cut(event: str) -> bool:
    return event in ("hub_fenced", "hub_waiting", "assigned")
