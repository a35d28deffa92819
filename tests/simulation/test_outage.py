"""An outage makes nobody overdue: the worker's watch measures it, its clock gives the time back, a person is told."""

from datetime import timedelta

import pytest

from linkage.events.base import instant
from linkage.events.deadlines import AnswerUnknown, DeadlineDue, DeadlineSet
from linkage.events.envelope import InboxRecord, StagedFact
from linkage.runtime.ports import Outgoing, TopicPartition
from linkage.simulation.cluster import Cluster
from linkage.simulation.small_county import COUNTY, registry, topic_rows
from linkage.topics import Topics

TOPICS = Topics("outage")
SOURCES = ("grid", "hotline")
SPAN_S, BEFORE_S, OUTAGE_S = 30, 10, 60
NOTICE_LIMIT_S = 15
"""A question that is under way when the log comes back, and the pause before the next."""


@pytest.mark.parametrize("away", [(), SOURCES])
def test_a_deadline_that_lay_in_an_outage_lasts_as_much_longer(away: tuple[str, ...]) -> None:
    """Ten seconds, an outage of a minute, then twenty more; neither ready nor due meanwhile.

    Sources that are `away` keep who asks for their ends waiting: the outage is seen all the same.
    """
    cluster = Cluster(1, TOPICS, topic_rows(TOPICS), 1)
    for entry in registry():
        value = entry.model_dump_json().encode()
        cluster.broker.append(
            TopicPartition(TOPICS.registry, 0), [Outgoing(TOPICS.registry, 0, entry.party.id.encode(), value)]
        )
    cluster.add_workers(1)
    member = cluster.workers[0].member
    cluster.run_until(lambda: 0 in member.leases and member.is_ready, 60_000)
    for name in SOURCES:
        cluster.broker.append(TopicPartition(TOPICS.report(name), 0), [Outgoing(TOPICS.report(name), 0, b"-", b"junk")])
    cluster.run_until(lambda: sum(member.ingress.committed.values()) == len(SOURCES), 60_000)
    for source in away:
        cluster.broker.set_unreachable(TOPICS.report(source), True)
    began_ms = cluster.time.world.now_ms()
    member.leases[0].clock.committed(COUNTY, [_deadline(began_ms)])
    cluster.time.run_for(BEFORE_S * 1_000)
    cluster.broker.stop_for(OUTAGE_S * 1_000)
    cluster.time.run_for(OUTAGE_S * 1_000)
    assert not member.is_ready
    for source in away:
        cluster.broker.set_unreachable(TOPICS.report(source), False)
    cluster.time.run_for((SPAN_S + NOTICE_LIMIT_S) * 1_000)
    assert member.is_ready
    due_s, unknown_s = _said(cluster, began_ms, DeadlineDue), _said(cluster, began_ms, AnswerUnknown)
    assert SPAN_S + OUTAGE_S <= due_s[0] <= SPAN_S + OUTAGE_S + NOTICE_LIMIT_S
    assert len(unknown_s) == 1
    assert BEFORE_S + OUTAGE_S <= unknown_s[0] <= BEFORE_S + OUTAGE_S + NOTICE_LIMIT_S
    cluster.close()


def _deadline(began_ms: int) -> StagedFact:
    deadline = DeadlineSet(
        deadline_id="D",
        name="received",
        incident_id=None,
        subject="D",
        span_s=SPAN_S,
        due_at=instant(began_ms) + timedelta(seconds=SPAN_S),
        answered_by="health",
    )
    return StagedFact(stage="dispatch", fact=deadline)


def _said(cluster: Cluster, began_ms: int, kind: type[DeadlineDue] | type[AnswerUnknown]) -> list[float]:
    """When the clock said it, in seconds from the deadline's setting."""
    records = cluster.broker.committed_records(TOPICS.inbox)
    return [
        (record.timestamp_ms - began_ms) / 1_000
        for record in records
        if isinstance(InboxRecord.model_validate_json(record.value or b"").data, kind)
    ]
