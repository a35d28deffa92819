"""What befalls brokers, topics and rights. Each function does it, waits until it is over, and says its evidence."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from confluent_kafka.admin import AclOperation

from linkage.events.deadlines import AnswerAwaited, DeadlineEnded, DeadlineSet
from tests.campaign.ground import FACT_LIMIT_S, Ground, Strike
from tests.campaign.worker_faults import Fault
from tests.kafka_journal import Journal

MOVE_LIMIT_S = 60.0
STEPS_WITHOUT_IT = 20
STOPPED_S = 15.0
DEADLINES_IN_OUTAGE_COUNT = 10
MEASURE_SLACK_MS = 500
RECOVERY_LIMIT_MS = 60_000
"""Until the log answers, hubs are taken over and "due" has been said and decided."""

Asked = Callable[[], Awaitable[int]]


def _leader(ground: Ground, partition: int) -> Asked:
    return lambda: ground.brokers.leader_of(ground.field.topics.journal, partition)


def _transaction_coordinator(ground: Ground, partition: int) -> Asked:
    transactional_id = ground.field.topics.transactional_id(partition)
    return lambda: ground.brokers.transaction_coordinator_of(transactional_id)


def _group_coordinator(ground: Ground, partition: int) -> Asked:
    group = (ground.field.topics.worker_group, ground.field.topics.ingress_group)[partition % 2]
    return lambda: ground.brokers.group_coordinator_of(group)


def broker_killed(name: str, who: Callable[[Ground, int], Asked]) -> Fault:
    async def killed(ground: Ground) -> Strike:
        """kill -9 of the broker that does this now; started again when another does it."""
        asked = who(ground, ground.chance.choice(sorted(ground.every_partition)))
        node_id = await asked()
        await ground.burst()
        await ground.grown(1)
        at_ms = await ground.brokers.kill(node_id)
        try:
            heir = await ground.brokers.moved_from(node_id, asked, MOVE_LIMIT_S)
            await ground.burst()
            await ground.grown(STEPS_WITHOUT_IT)
        finally:
            await ground.brokers.start(node_id)
        await ground.brokers.in_sync()
        evidence = f"broker {node_id}, the {name}, gone; broker {heir} is it; {STEPS_WITHOUT_IT} steps meanwhile"
        return Strike(at_ms, ground.every_partition, evidence)

    return killed


leader_killed = broker_killed("leader of a hub partition", _leader)
transaction_coordinator_killed = broker_killed("transaction coordinator", _transaction_coordinator)
group_coordinator_killed = broker_killed("group coordinator", _group_coordinator)


async def brokers_rolled(ground: Ground) -> Strike:
    """Each in turn: SIGTERM, started again, in sync."""
    at_ms = time.time_ns() // 1_000_000
    for node_id in ground.brokers.running.node_ids:
        await ground.burst(10)
        await ground.brokers.end(node_id)
        assert ground.brokers.state_of(node_id) == "stopped"
        await ground.brokers.start(node_id)
        await ground.brokers.in_sync()
    return Strike(at_ms, ground.every_partition, "each was stopped and came back in sync")


async def broker_stopped(ground: Ground) -> Strike:
    """SIGSTOP of the leader of a hub partition for 15 s: it keeps its connections and answers nothing."""
    asked = _leader(ground, ground.chance.choice(sorted(ground.every_partition)))
    node_id = await asked()
    await ground.burst()
    at_ms = await ground.brokers.pause(node_id)
    try:
        await asyncio.sleep(STOPPED_S)
        assert ground.brokers.state_of(node_id) == "paused"
        heir = await ground.brokers.moved_from(node_id, asked, MOVE_LIMIT_S)
        await ground.burst(10)
        await ground.grown(5)
    finally:
        await ground.brokers.resume(node_id)
    await ground.brokers.in_sync()
    return Strike(
        at_ms, ground.every_partition, f"broker {node_id} stood still {STOPPED_S:.0f} s, {heir} led meanwhile"
    )


def kafka_away(away_s: float) -> Fault:
    async def away(ground: Ground) -> Strike:
        """All three brokers killed, started again after a while: nobody is overdue because of it, a person is told."""
        await ground.burst()
        await ground.grown(30)
        await ground.under_bursts(
            lambda: _open_within(ground.field.journal, away_s) >= DEADLINES_IN_OUTAGE_COUNT,
            f"{DEADLINES_IN_OUTAGE_COUNT} deadlines that will end in the outage",
        )
        node_ids = ground.brokers.running.node_ids
        at_ms = time.time_ns() // 1_000_000
        await asyncio.gather(*(ground.brokers.kill(node_id) for node_id in node_ids))
        gone_ms = time.time_ns() // 1_000_000
        await asyncio.sleep(away_s)
        back_ms = time.time_ns() // 1_000_000
        await ground.brokers.start_all()
        await ground.brokers.in_sync()
        await ground.until(lambda journal: _told_unknown(journal, back_ms), FACT_LIMIT_S, "a post is told")
        await ground.field.settled(3 * FACT_LIMIT_S)
        told = _told_unknown(ground.field.journal, back_ms)
        touched = _net_spans(ground.field.journal, gone_ms, back_ms)
        evidence = f"away {away_s:.0f} s; {touched} deadlines lay in it, each lasted as much longer; {told} times told"
        return Strike(at_ms, ground.every_partition, evidence)

    return away


def _open_within(journal: Journal, span_s: float) -> int:
    """How many deadlines stand open now that end within that time."""
    due_s: dict[str, float] = {}
    for one in journal.records:
        for staged in one.entry.facts:
            match staged.fact:
                case DeadlineSet() as fact:
                    due_s[fact.deadline_id] = fact.due_at.timestamp()
                case DeadlineEnded() as fact:
                    due_s.pop(fact.deadline_id, None)
    now_s = time.time()
    return sum(now_s + 1 < at_s < now_s + span_s for at_s in due_s.values())


def _told_unknown(journal: Journal, since_ms: int) -> int:
    """How often a post was told that an answer is unknown."""
    return sum(
        isinstance(staged.fact, AnswerAwaited)
        for one in journal.records
        if one.appended_ms > since_ms
        for staged in one.entry.facts
    )


def _net_spans(journal: Journal, gone_ms: int, back_ms: int) -> int:
    """How many deadlines were to end in the outage. Each that is overdue had its span without it, and not much more."""
    deadlines: dict[tuple[str, int], DeadlineSet] = {}
    touched: set[str] = set()
    for one in journal.records:
        for staged in one.entry.facts:
            match staged.fact:
                case DeadlineSet() as fact:
                    deadlines[fact.deadline_id, fact.revision] = fact
                    if gone_ms <= fact.due_at.timestamp() * 1000 <= back_ms:
                        touched.add(fact.deadline_id)
                case DeadlineEnded() as fact if one.appended_ms < gone_ms:
                    touched.discard(fact.deadline_id)
                case DeadlineEnded(outcome="overdue") as fact:
                    _assert_had_its_span(deadlines[fact.deadline_id, fact.revision], one.appended_ms, gone_ms, back_ms)
    assert touched, "no deadline was to end while Kafka was away"
    return len(touched)


def _assert_had_its_span(deadline: DeadlineSet, ended_ms: int, gone_ms: int, back_ms: int) -> None:
    due_ms = deadline.due_at.timestamp() * 1000
    set_ms = due_ms - deadline.span_s * 1000
    stood_ms = max(0.0, min(ended_ms, back_ms) - max(set_ms, gone_ms))
    had_ms = ended_ms - set_ms - stood_ms
    told = f"{deadline} had {had_ms:.0f} ms without the outage"
    assert had_ms >= deadline.span_s * 1000 - MEASURE_SLACK_MS, told
    assert stood_ms == 0 or had_ms <= deadline.span_s * 1000 + RECOVERY_LIMIT_MS, told


async def topic_deleted(ground: Ground) -> Strike:
    """A department's dispatch topic: what is for it goes elsewhere and its post is told; then it is made again."""
    topic = await _busiest(ground)
    at_ms = time.time_ns() // 1_000_000
    ground.field.gone.add(topic)
    await ground.brokers.delete(topic)
    diverted = await _diverted(ground, topic, at_ms)
    await ground.field.make_topics()
    return Strike(at_ms, frozenset(), f"{topic.split('.')[-1]}: {diverted} messages for it went to `rejected`")


async def rights_taken(ground: Ground) -> Strike:
    """WRITE on a department's dispatch topic denied, later given back: then it is used again."""
    topic = await _busiest(ground)
    at_ms = time.time_ns() // 1_000_000
    await ground.brokers.deny(topic, AclOperation.WRITE)
    try:
        diverted = await _diverted(ground, topic, at_ms)
    finally:
        await ground.brokers.allow(topic)
    allowed_ms = time.time_ns() // 1_000_000
    await _used_again(ground, topic, allowed_ms)
    return Strike(at_ms, frozenset(), f"{diverted} messages went to `rejected`; it was used again when allowed")


async def _busiest(ground: Ground) -> str:
    """The dispatch topic with the most orders; the first fault of a namespace waits until somebody has one."""

    def there() -> list[str]:
        return [topic for topic in sorted(ground.field.journal.orders_by_topic) if topic not in ground.field.gone]

    await ground.under_bursts(lambda: bool(there()), "somebody is ordered out")
    return max(there(), key=lambda topic: ground.field.journal.orders_by_topic[topic])


async def _diverted(ground: Ground, topic: str, since_ms: int) -> int:
    def diverted(journal: Journal) -> int:
        return sum(
            sent.topic == topic and sent.diverted_because is not None
            for one in journal.records
            if one.appended_ms > since_ms
            for sent in one.entry.sent
        )

    await ground.under_bursts(lambda: diverted(ground.field.journal) > 0, f"something for {topic} goes elsewhere")
    return diverted(ground.field.journal)


async def _used_again(ground: Ground, topic: str, since_ms: int) -> None:
    def is_used() -> bool:
        return any(
            sent.topic == topic and sent.diverted_because is None
            for one in ground.field.journal.records
            if one.appended_ms > since_ms
            for sent in one.entry.sent
        )

    await ground.under_bursts(is_used, f"{topic} is used again")


async def source_unreachable(ground: Ground) -> Strike:
    """READ on a source's topic denied, later allowed: its reports wait, then are decided; replies go on meanwhile."""
    topic = ground.field.topics.report(ground.field.sources()[0])
    at_ms = time.time_ns() // 1_000_000
    await ground.brokers.deny(topic, AclOperation.READ)
    try:
        await ground.burst()
        denied = [
            asyncio.create_task(
                ground.logged(one, lambda line: line.event == "topic_denied" and line.at_ms >= at_ms, "denied")
            )
            for one in ground.pool
        ]
        done, others = await asyncio.wait(denied, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        next(iter(done)).result()
        waiting = await ground.field.undecided()
        assert waiting, "nothing waited for it"
    finally:
        await ground.brokers.allow(topic)
    await ground.field.settled(3 * FACT_LIMIT_S)
    return Strike(
        at_ms, frozenset(), f"a worker was denied it, {waiting} records waited, all were decided when allowed"
    )
