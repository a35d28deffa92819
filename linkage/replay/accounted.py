"""What became of each report: one row for each source record, from the journal alone.

A record that ingress appended twice is one record and has one row; a report that its sender sent twice is two records,
the second `repeated`. A report that the county's desk handed to a township has the outcome it got there.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from linkage import engine
from linkage.events.between_hubs import HandOverReport
from linkage.events.envelope import Fact, JournalRecord
from linkage.events.information import (
    IncidentOpened,
    IncidentsLinked,
    LinkJudged,
    ReportHandedOver,
    ReportMerged,
    ReportRevised,
    ReportUnplaced,
)
from linkage.events.reception import MessageRefused, MessageRepeated
from linkage.narration import compared
from linkage.replay.accounted_rows import (
    OUTCOMES,
    AccountedRow,
    Decided,
    Links,
    Outcome,
    Report,
    SourceRecord,
    Verdict,
)
from linkage.replay.journal import JournalSource, Progress, RawEntry, decoded, silent
from linkage.topics import Family, Topics

SAYING = (
    IncidentOpened,
    ReportMerged,
    ReportRevised,
    ReportUnplaced,
    ReportHandedOver,
    IncidentsLinked,
    LinkJudged,
    MessageRefused,
    MessageRepeated,
)
"""The facts that say what became of a report."""
HEAD_LIMIT_BYTES = 300
_RULES = re.compile(rb'"rules":\s*(\d+)')
_SAYS_SOMETHING = re.compile("|".join(re.escape(kind.model_fields["type"].default) for kind in SAYING).encode())


@dataclass(slots=True)
class Accounting:
    """Takes one journal record after the other; `rows` may be asked at any time."""

    by_record: dict[SourceRecord, AccountedRow] = field(default_factory=dict)
    handed_over: dict[Report, str] = field(default_factory=dict)
    """To which township the county's desk gave an unplaced report."""
    placed: dict[Report, tuple[str, Decided, Verdict]] = field(default_factory=dict)
    """(hub, order, verdict) of what that township decided: its partition may be read before the county's."""
    links: Links = field(default_factory=Links)

    def take(self, record: JournalRecord, partition: int, offset: int) -> None:
        order = (record.now, partition, offset)
        for staged in record.facts:
            if isinstance(fact := staged.fact, ReportHandedOver):
                self.handed_over[fact.report.sender, fact.report.message_id] = fact.township
            elif isinstance(fact, IncidentsLinked | LinkJudged):
                self.links.take(fact)
        if (verdict := _verdict(staged.fact for staged in record.facts)) is None:
            return
        if isinstance(moved := record.inbox.data, HandOverReport):
            report = (moved.sender, moved.message_id)
            if _stands(verdict, report in self.placed):
                self.placed[report] = (record.hub, order, verdict)
        elif (source := _source_of(record)) is not None and _stands(verdict, source in self.by_record):
            self.by_record[source] = _row(record, source, order, verdict)

    def rows(self) -> list[AccountedRow]:
        """In the order in which the hubs decided them: in one hub what a row points to stands above it."""
        settled = sorted(map(self._settled, self.by_record.values()), key=lambda row: row.order)
        return self.links.applied(settled)

    def _settled(self, row: AccountedRow) -> AccountedRow:
        """An unplaced report that was handed over is what the township made of it."""
        report = (row.sender, row.report_id)
        if row.outcome != "unplaced" or (township := self.handed_over.get(report)) is None:
            return row
        if (found := self.placed.get(report)) is None:
            return replace(row, reason=f"handed over to {township}, which has not decided it yet")
        hub, order, (outcome, incident_id, reason) = found
        placed = f"placed in {township} by the county's desk" + (f"; {reason}" if reason else "")
        return replace(row, outcome=outcome, incident_id=incident_id, reason=placed, hub=hub, order=order)


def accounted(source: JournalSource, progress: Progress = silent) -> list[AccountedRow]:
    """One row for each report record that the journal has decided. Raises UnreadableJournal.

    What stands in a source topic and not in the journal yet has no row: `linkage audit` names it.
    """
    accounting = Accounting()
    for entry in decoded(_telling(source), progress):
        if isinstance(entry.record, JournalRecord):
            accounting.take(entry.record, entry.partition, entry.offset)
    return accounting.rows()


def _telling(source: JournalSource) -> Iterator[RawEntry]:
    """What may say something of a report; most records are answers to orders and say nothing, and need no decoding.

    What newer rules wrote goes on, so that it is named as unreadable, and never passed over.
    """
    for one in source:
        rules = _RULES.search(one.raw, 0, HEAD_LIMIT_BYTES)
        if rules is None or int(rules[1]) > engine.RULES or _SAYS_SOMETHING.search(one.raw) is not None:
            yield one


def totals(rows: Iterable[AccountedRow]) -> Mapping[Outcome, int]:
    """How many rows of each outcome, in the order of OUTCOMES; those without any are left out."""
    counted = Counter(row.outcome for row in rows)
    return {outcome: counted[outcome] for outcome in OUTCOMES if counted[outcome]}


def _verdict(facts: Iterable[Fact]) -> Verdict | None:
    """What a step says of the report that led to it; None when it led to something else."""
    for fact in facts:
        match fact:
            case IncidentOpened():
                follows = f"new after {fact.follows}, closed at the same place" if fact.follows else ""
                return Verdict("opened", fact.incident_id, follows)
            case ReportMerged():
                same = f"same place and kind, {fact.seconds_apart} s apart, at most {fact.window_s} s"
                reason = compared(fact.comparison).en if fact.comparison else same
                return Verdict("merged", fact.incident_id, reason)
            case ReportRevised():
                return Verdict("merged", fact.incident_id, f"revision {fact.revision} of {fact.supersedes}")
            case ReportUnplaced():
                return Verdict("unplaced", None, "no certain township: the county's desk places it")
            case MessageRefused():
                return Verdict("refused", None, f"{fact.code}: {fact.reason}")
            case MessageRepeated():
                return Verdict("repeated", fact.incident_id, f"the same message again: it was {fact.outcome}")
    return None


def _stands(verdict: Verdict, is_known: bool) -> bool:
    """The last decision stands; that ingress appended the record once more decides nothing."""
    return not is_known or verdict.outcome != "repeated"


def _source_of(record: JournalRecord) -> SourceRecord | None:
    """Where the report stands; None for everything that is not on a report topic."""
    if (origin := record.inbox.origin) is None:
        return None
    spoken = Topics(origin.topic.partition(".")[0]).inbound_of(origin.topic)
    if spoken is None or spoken[0] is not Family.REPORT:
        return None
    return origin.topic, origin.partition, origin.offset


def _row(record: JournalRecord, source: SourceRecord, order: Decided, verdict: Verdict) -> AccountedRow:
    letter = record.inbox
    return AccountedRow(letter.message_id, *verdict, letter.sender, *source, record.hub, order)


__all__ = ["OUTCOMES", "AccountedRow", "Accounting", "Outcome", "accounted", "totals"]
