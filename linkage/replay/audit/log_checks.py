"""Checks of the journal as a log: its identity, its positions, its hubs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from linkage.events.envelope import JournalRecord, LogIdentity
from linkage.replay.audit.violation import Violation
from linkage.replay.journal import Entry


@dataclass(slots=True)
class OneLogIdentity:
    """Invariant 1: every partition begins with one log identity, at offset 0 only, and decides that log's inbox."""

    name: str = "one log identity"
    invariant: int = 1
    log_ids: dict[int, str] = field(default_factory=dict)

    def take_identity(self, entry: Entry, record: LogIdentity) -> Iterator[Violation]:
        if entry.offset != 0:
            yield Violation(self.name, self.invariant, entry.where, f"log identity {record.log_id} stands not at 0")
        if entry.partition in self.log_ids:
            yield Violation(self.name, self.invariant, entry.where, f"a second log identity, {record.log_id}")
        self.log_ids.setdefault(entry.partition, record.log_id)

    def take(self, entry: Entry, record: JournalRecord) -> Iterator[Violation]:
        known = self.log_ids.get(entry.partition)
        if known is None:
            text = "a record before any log identity: the journal's beginning is gone, or the file is not whole"
            yield Violation(self.name, self.invariant, entry.where, text)
            self.log_ids[entry.partition] = record.inbox.log_id
        elif record.inbox.log_id != known:
            text = f"it decides a record of log {record.inbox.log_id}, this journal is {known}"
            yield Violation(self.name, self.invariant, entry.where, text)

    def at_end(self) -> Iterator[Violation]:
        yield from ()


@dataclass(slots=True)
class PositionsRise:
    """Invariants 1 and 2: in each partition inbox positions and journal offsets rise, none comes twice."""

    name: str = "positions rise"
    invariant: int = 2
    last: dict[int, tuple[int, int]] = field(default_factory=dict)
    """partition -> (offset, inbox position)"""

    def take(self, entry: Entry, record: JournalRecord) -> Iterator[Violation]:
        offset, position = self.last.get(entry.partition, (-1, -1))
        if entry.offset <= offset:
            text = f"offset {entry.offset} comes after {offset}"
            yield Violation(self.name, self.invariant, entry.where, text)
        if record.position <= position:
            word = "is decided twice" if record.position == position else f"is decided after {position}"
            yield Violation(self.name, self.invariant, entry.where, f"inbox position {record.position} {word}")
        self.last[entry.partition] = (max(offset, entry.offset), max(position, record.position))

    def at_end(self) -> Iterator[Violation]:
        yield from ()


@dataclass(slots=True)
class HubsKeepTheirOrder:
    """Invariant 2: a hub lives in one partition, and its now never goes back."""

    name: str = "a hub has one order"
    invariant: int = 2
    homes: dict[str, int] = field(default_factory=dict)
    now: dict[str, datetime] = field(default_factory=dict)

    def take(self, entry: Entry, record: JournalRecord) -> Iterator[Violation]:
        home = self.homes.setdefault(record.hub, entry.partition)
        if home != entry.partition:
            text = f"hub {record.hub} is decided here and in partition {home}"
            yield Violation(self.name, self.invariant, entry.where, text)
        before = self.now.get(record.hub)
        if before is not None and record.now < before:
            text = f"hub {record.hub} was at {before.isoformat()} already, now {record.now.isoformat()}"
            yield Violation(self.name, self.invariant, entry.where, text)
        self.now[record.hub] = record.now
        if record.inbox.hub != record.hub:
            text = f"hub {record.hub} decided a record of hub {record.inbox.hub}"
            yield Violation(self.name, self.invariant, entry.where, text)

    def at_end(self) -> Iterator[Violation]:
        yield from ()
