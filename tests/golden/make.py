"""Writes the golden journal of the current rules version: `python -m tests.golden.make`.

Run it once for each new rules version (with its ADR), and never change an older file: `verify` folds those for ever. As
few flows of the behaviour suite as hold every type of fact between them, and one story for what no flow has. Each story
has partitions of its own in the file, so that one file is one journal.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import structlog

from linkage import engine
from linkage.events import envelope
from linkage.events.base import Counts, Frozen, Place
from linkage.events.deadlines import AnswerAwaited, AnswerUnknown, DeadlineSet
from linkage.events.dispatch import CountyUnanswered
from linkage.events.envelope import JOURNAL, InboxKind, InboxRecord, JournalRecord
from linkage.events.inbound import LoadReference, ReportIncident
from linkage.events.reception import SourceGap, SourceGapRecorded
from linkage.events.reference import WhistleRule, WhistleSlot
from linkage.events.whistle import DepartmentNotified
from linkage.identity import partition_of
from linkage.replay.journal import RawEntry, write_file
from linkage.runtime.outbox import inbox_outgoing
from linkage.runtime.ports import Record
from linkage.simulation.cluster import Cluster
from tests import small_county
from tests.behaviour import simulated
from tests.behaviour.flows import FLOWS
from tests.behaviour.world import PARTITIONS, World
from tests.small_county import COUNTY, NORTH, SLIDE, VILLAGE

FOLDER = Path(__file__).parent
SEED = 1
STORY_LIMIT_VIRTUAL_MS = 600_000
TYPES_OF_FACT = frozenset(kind.__name__ for kind in get_args(get_args(envelope.Fact)[0]))


def path_of(rules: int) -> Path:
    return FOLDER / f"rules-{rules}.jsonl"


@dataclass(frozen=True)
class Story:
    """What one story left in the journal, and which types of facts that holds."""

    name: str
    records: Sequence[Record]
    types: frozenset[str]


def story(name: str, records: Sequence[Record]) -> Story:
    entries = [JOURNAL.validate_json(record.value or b"") for record in records]
    facts = [staged.fact for entry in entries if isinstance(entry, JournalRecord) for staged in entry.facts]
    return Story(name, records, frozenset(type(fact).__name__ for fact in facts))


def flow_story(name: str) -> Story:
    found: list[Record] = []

    def after(cluster: Cluster) -> None:
        found.extend(cluster.broker.committed_records(cluster.topics.journal))

    simulated.play(FLOWS[name], SEED, after)
    return story(name, found)


def other_story() -> Story:
    """A county whose hub has no reference data and so never answers, a department that is only told, a source's gap,
    and an answer of which nobody can know whether it came."""
    cluster = simulated.cluster(SEED)
    world = World(cluster.outside, cluster.time.world, cluster.topics, simulated.SCALE)

    async def told() -> None:
        for entry in small_county.registry():
            await world.say(cluster.topics.registry, entry, entry.party.id, entry.party.id)
        known = small_county.reference(NORTH, simulated.SCALE)
        slots = (
            *known.policy.whistles[0].slots,
            WhistleSlot(role="assist", relation="notified", candidates=("health",)),
        )
        rule = WhistleRule(kind="nat.geo", slots=slots, basis="a test's rule")
        policy = known.policy.model_copy(update={"whistles": (rule,)})
        loaded = known.model_copy(update={"policy": policy})
        await world.command(COUNTY, LoadReference(hub=NORTH, reference=loaded), "load")
        await world.receipt(COUNTY, "load")
        place = Place(township=NORTH, village=VILLAGE[NORTH])
        report = ReportIncident(kind=SLIDE, place=place, counts=Counts(people_at_risk=600))
        await world.say(cluster.topics.report("grid"), report, "many-at-risk", "grid")
        await world.fact(DepartmentNotified)
        deadline = await world.fact(DeadlineSet)
        unknown = AnswerUnknown(deadline_id=deadline.deadline_id, revision=deadline.revision, waited_s=60)
        await into_inbox(cluster, "clock", "unknown", unknown)
        await world.fact(AnswerAwaited)
        gap = SourceGap(topic=cluster.topics.report("grid"), partition=0, from_offset=1, to_offset=3)
        await into_inbox(cluster, "ingress", "gap", gap)
        await world.fact(SourceGapRecorded)
        await world.fact(CountyUnanswered, 120)

    try:
        cluster.time.run_until(told(), STORY_LIMIT_VIRTUAL_MS)
        return story("other", cluster.broker.committed_records(cluster.topics.journal))
    finally:
        cluster.close()


async def into_inbox(cluster: Cluster, kind: InboxKind, message_id: str, data: Frozen) -> None:
    """What clock and ingress write when something outside is wrong."""
    partition = partition_of(NORTH, cluster.partitions)
    letter = InboxRecord.model_validate(
        {
            "log_id": cluster.log_ids[partition],
            "hub": NORTH,
            "kind": kind,
            "sender": kind,
            "message_id": message_id,
            "digest": "-",
            "data": data,
        }
    )
    await cluster.outside.append([inbox_outgoing(cluster.topics, partition, letter)])


def chosen(stories: Sequence[Story]) -> list[Story]:
    """As few stories as have every type of fact. Raises ValueError when all of them have not."""
    missing = set(TYPES_OF_FACT)
    taken: list[Story] = []
    while missing:
        best = max(stories, key=lambda one: (len(one.types & missing), -len(one.records), one.name))
        if not best.types & missing:
            raise ValueError(f"no story has {', '.join(sorted(missing))}: write one")
        taken.append(best)
        missing -= best.types
    return taken


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    taken = chosen([other_story(), *(flow_story(name) for name in FLOWS)])
    entries = [
        RawEntry(number * PARTITIONS + one.partition, one.offset, one.timestamp_ms, one.value or b"")
        for number, told in enumerate(taken)
        for one in told.records
    ]
    write_file(entries, path_of(engine.RULES))
    print(f"{path_of(engine.RULES).name}: {len(entries)} records of {', '.join(told.name for told in taken)}")


if __name__ == "__main__":
    main()
