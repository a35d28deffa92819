"""What audit and verify say about what a simulated run has left behind."""

from collections.abc import Sequence
from datetime import datetime

from linkage.engine import RULES
from linkage.events.deadlines import DeadlineEnded, DeadlineSet
from linkage.events.envelope import JournalRecord
from linkage.events.inbound import AnswerOrder
from linkage.events.reception import MessageRecorded, MessageRefused
from linkage.replay.audit import Audit, SourceView
from linkage.replay.journal import RawEntry, decoded
from linkage.replay.verify import Verifier
from linkage.runtime.ports import Record
from linkage.simulation.cluster import Cluster
from linkage.topics import Topics

SHOWN_LIMIT_VIOLATIONS = 10


def judged(cluster: Cluster) -> list[str]:
    """Every invariant that does not hold, in words; empty when all do. Each record is decoded once for both."""
    view, session, verifier = topics_of(cluster), Audit(with_topics=True), Verifier()
    steps: list[JournalRecord] = []
    for span in view.spans:
        session.sources.take_span(*span)
    for record in view.sources:
        session.take_source(record)
    for record in view.dispatch:
        session.take_dispatch(record)
    for entry in decoded(journal_of(cluster)):
        session.take(entry)
        verifier.take(entry)
        if isinstance(entry.record, JournalRecord):
            steps.append(entry.record)
    wrong = [*failed(steps), *overdue_before_due(steps), *overdue_though_answered(steps)]
    wrong += [f"audit: {one}" for one in session.result().violations[:SHOWN_LIMIT_VIOLATIONS]]
    verified = verifier.result()
    if not verified.is_exact:
        wrong.append(f"verify: {verified.differences} differences, the first: {verified.first}")
    if verified.folded_only or verified.unfolded:
        wrong.append(f"verify: {verified.folded_only} steps were not of rules {RULES}, {verified.unfolded} unfolded")
    return wrong


def failed(steps: Sequence[JournalRecord]) -> list[str]:
    """Refusals that are the engine's own fault: something in it raised, or did not come to an end."""
    return [
        f"position {step.position} of {step.hub} was refused by the engine's fault: {staged.fact.reason}"
        for step in steps
        for staged in step.facts
        if isinstance(staged.fact, MessageRefused) and staged.fact.fault == "engine"
    ]


def overdue_before_due(steps: Sequence[JournalRecord]) -> list[str]:
    """Deadlines that ended overdue before their instant, judged by the journal's own time."""
    due_at: dict[str, datetime] = {}
    wrong: list[str] = []
    for step in steps:
        for staged in step.facts:
            match staged.fact:
                case DeadlineSet() as deadline:
                    due_at[deadline.deadline_id] = deadline.due_at
                case DeadlineEnded(outcome="overdue", deadline_id=ended) if step.now < due_at[ended]:
                    wrong.append(f"deadline {ended} was due at {due_at[ended]} and ended overdue at {step.now}")
    return wrong


def overdue_though_answered(steps: Sequence[JournalRecord]) -> list[str]:
    """Orders overdue although what was awaited stood on the party's own topic before the instant."""
    deadlines: dict[str, DeadlineSet] = {}
    overdue: dict[tuple[str, str], list[DeadlineSet]] = {}
    wrong: list[str] = []
    for step in steps:
        said, origin = step.inbox.data, step.inbox.origin
        if isinstance(said, AnswerOrder) and origin is not None and _is_answered(step):
            wrong += [
                f"order {said.order_id}: {deadline.name} was due at {deadline.due_at}, {said.answer} stood on "
                f"{origin.topic} at {origin.appended_at}, and it ended overdue before that was decided at {step.now}"
                for deadline in overdue.get((said.order_id, said.answer.value), ())
                if origin.appended_at < deadline.due_at
            ]
        for staged in step.facts:
            if isinstance(staged.fact, DeadlineSet):
                deadlines[staged.fact.deadline_id] = staged.fact
            elif isinstance(staged.fact, DeadlineEnded) and staged.fact.outcome == "overdue":
                deadline = deadlines[staged.fact.deadline_id]
                overdue.setdefault((deadline.subject, deadline.name), []).append(deadline)
    return wrong


def _is_answered(step: JournalRecord) -> bool:
    return any(isinstance(one.fact, MessageRecorded) for one in step.facts)


def journal_of(cluster: Cluster) -> list[RawEntry]:
    """The committed journal."""
    records = cluster.broker.committed_records(cluster.topics.journal)
    return [RawEntry(one.partition, one.offset, one.timestamp_ms, one.value or b"") for one in records]


def topics_of(cluster: Cluster) -> SourceView:
    """What a committed reader finds on the parties' topics."""
    topics, broker = cluster.topics, cluster.broker
    inbound = [name for name in sorted(broker.topics) if topics.inbound_of(name) is not None]
    spans = [
        (name, partition.number, partition.begin, partition.stable_end)
        for name in inbound
        for partition in broker.topics[name].partitions
    ]
    told = [name for name in sorted(broker.topics) if _is_dispatch(name, topics)]
    return SourceView(tuple(spans), _records(cluster, inbound), _records(cluster, told))


def _is_dispatch(name: str, topics: Topics) -> bool:
    return name.startswith(topics.dispatch(""))


def _records(cluster: Cluster, names: list[str]) -> list[Record]:
    return [record for name in names for record in cluster.broker.committed_records(name)]
