"""Checks of what came in: every source record has its outcome, its sender was told."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from linkage.events.envelope import JournalRecord
from linkage.events.reception import MessageRecorded, MessageRefused, MessageRepeated
from linkage.replay.audit.violation import Violation
from linkage.replay.journal import Entry
from linkage.runtime.ports import Record
from linkage.topics import Family, Topics

SourcePosition = tuple[str, int, int]
"""(topic, partition, offset) of a record of a party's topic."""
Outcome = MessageRecorded | MessageRefused | MessageRepeated
RECEIPTS = ("linkage.IssueReceipt.v0", "linkage.IssueRefusal.v0")


def origin_of(record: JournalRecord) -> SourcePosition | None:
    """Where ingress read it; None for what hubs, the clock and ingress itself write."""
    origin = record.inbox.origin
    return None if origin is None else (origin.topic, origin.partition, origin.offset)


def outcomes(record: JournalRecord) -> list[Outcome]:
    return [
        one.fact for one in record.facts if isinstance(one.fact, MessageRecorded | MessageRefused | MessageRepeated)
    ]


@dataclass(slots=True)
class OneOutcome:
    """Invariant 1: every source record ends in the journal, with one outcome that is no repetition.

    Ingress may append a record twice: the second time it must be a repetition. After a refusal it may be refused
    again, and after one that is not remembered (the engine's fault, or unreadable then) it may be decided anew.
    """

    name: str = "one outcome"
    invariant: int = 1
    first: dict[SourcePosition, Outcome] = field(default_factory=dict)

    def take(self, entry: Entry, record: JournalRecord) -> Iterator[Violation]:
        found = outcomes(record)
        said = record.inbox.kind in ("report", "reply", "command") or record.inbox.origin is not None
        if len(found) > 1 or (said and not found):
            text = f"{record.inbox.message_id} of {record.inbox.sender} has {len(found)} outcomes, must have one"
            yield Violation(self.name, self.invariant, entry.where, text)
        if (origin := origin_of(record)) is None or not found:
            return
        before = self.first.get(origin)
        if before is None or _is_forgotten(before):
            self.first[origin] = found[0]
        elif not _repeats(before, found[0]):
            text = f"{_named(origin)} was {_said(before)} already and is {_said(found[0])} here"
            yield Violation(self.name, self.invariant, entry.where, text)

    def at_end(self) -> Iterator[Violation]:
        yield from ()


def _is_forgotten(before: Outcome) -> bool:
    return isinstance(before, MessageRefused) and not before.remembered


def _repeats(before: Outcome, after: Outcome) -> bool:
    return isinstance(after, MessageRefused if isinstance(before, MessageRefused) else MessageRepeated)


def _said(outcome: Outcome) -> str:
    match outcome:
        case MessageRecorded():
            return f"recorded ({outcome.outcome})"
        case MessageRepeated():
            return "repeated"
        case MessageRefused():
            return f"refused ({outcome.code})"


def _named(origin: SourcePosition) -> str:
    return f"{origin[0]} {origin[1]}/{origin[2]}"


@dataclass(slots=True)
class SourcesArrived:
    """Invariant 1: every committed record of the parties' topics stands in the journal, and nothing else does."""

    outcomes: OneOutcome
    name: str = "every source record"
    invariant: int = 1
    present: set[SourcePosition] = field(default_factory=set)
    read_to: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """(topic, partition) -> the span that was read: older records have expired, newer ones came later."""

    def take_span(self, topic: str, partition: int, begin: int, end: int) -> None:
        """That this span of the topic is being read."""
        first, _ = self.read_to.get((topic, partition), (begin, end))
        self.read_to[topic, partition] = (first, end)

    def take_source(self, record: Record) -> None:
        self.present.add((record.topic, record.partition, record.offset))

    def at_end(self) -> Iterator[Violation]:
        for at in sorted(self.present - self.outcomes.first.keys()):
            text = "this record has no outcome in the journal"
            yield Violation(self.name, self.invariant, _named(at), text, may_settle=True)
        for at in sorted(self.outcomes.first.keys() - self.present):
            begin, end = self.read_to.get(at[:2], (0, 0))
            if begin <= at[2] < end:
                yield Violation(
                    self.name, self.invariant, _named(at), "the journal decided it; no such record is there"
                )


@dataclass(slots=True)
class RefusalStandsAlone:
    """Invariant 5: a refused record changes nothing else, and says why and whose fault it is."""

    name: str = "a refusal stands alone"
    invariant: int = 5

    def take(self, entry: Entry, record: JournalRecord) -> Iterator[Violation]:
        refusals = [one for one in outcomes(record) if isinstance(one, MessageRefused)]
        if refusals and len(record.facts) != 1:
            text = (
                f"{refusals[0].message_id} was refused ({refusals[0].code}), yet {len(record.facts) - 1} facts follow"
            )
            yield Violation(self.name, self.invariant, entry.where, text)
        if any(not one.reason for one in refusals):
            yield Violation(self.name, self.invariant, entry.where, "a refusal without a reason")

    def at_end(self) -> Iterator[Violation]:
        yield from ()


@dataclass(slots=True)
class ReportsAnswered:
    """Invariant 1: whoever sent a report was sent a receipt or a refusal, on his own dispatch topic."""

    name: str = "every report is answered"
    invariant: int = 1
    reports: int = 0

    def take(self, entry: Entry, record: JournalRecord) -> Iterator[Violation]:
        origin = record.inbox.origin
        if origin is None:
            return
        topics = Topics(origin.topic.partition(".")[0])
        spoken = topics.inbound_of(origin.topic)
        if spoken is None or spoken[0] is not Family.REPORT:
            return
        self.reports += 1
        topic = topics.dispatch(spoken[1])
        if not any(one.topic == topic and one.type in RECEIPTS for one in record.sent):
            text = f"report {record.inbox.message_id} of {spoken[1]} got neither receipt nor refusal on {topic}"
            yield Violation(self.name, self.invariant, entry.where, text)

    def at_end(self) -> Iterator[Violation]:
        yield from ()
