"""The audit: what must always hold, asked of the journal, and on the cluster of the parties' topics, too.

Each promise is a check of its own: `log_checks`, `record_checks`, `order_checks`, `state_checks`. That replay is exact
(invariant 3) is `linkage replay verify`'s.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from linkage.events.envelope import LogIdentity
from linkage.replay.audit.log_checks import HubsKeepTheirOrder, OneLogIdentity, PositionsRise
from linkage.replay.audit.order_checks import MessagesAsSent, OrdersInTopics, OrdersOnce
from linkage.replay.audit.record_checks import OneOutcome, RefusalStandsAlone, ReportsAnswered, SourcesArrived
from linkage.replay.audit.state_checks import DeadlinesEndOnce, OneHolder
from linkage.replay.audit.violation import Check, Violation
from linkage.replay.journal import Entry, JournalSource, Progress, decoded, silent
from linkage.runtime.ports import Record

KEPT_LIMIT_VIOLATIONS = 1_000
"""So many are kept with their words; the others are counted."""


@dataclass(frozen=True, slots=True)
class SourceView:
    """What a committed reader finds on the parties' topics: report, reply and command topics, and dispatch topics.

    `spans`: (topic, partition, begin, end) of the source topics; what is older has expired, what is newer came later.
    """

    spans: tuple[tuple[str, int, int, int], ...]
    sources: Iterable[Record]
    dispatch: Iterable[Record]


@dataclass(frozen=True, slots=True)
class AuditResult:
    """Counts of what was looked at, and every violation (the first so many with their words)."""

    records: int
    source_records: int
    outcomes: int
    orders: int
    teams: int
    deadlines_ended: int
    deadlines_open: int
    reports: int
    with_topics: bool
    violations: tuple[Violation, ...]
    violations_count: int

    @property
    def is_clean(self) -> bool:
        return self.violations_count == 0

    @property
    def may_settle(self) -> bool:
        """Everything found is what records on their way look like: look again a moment later."""
        return self.violations_count == len(self.violations) and all(one.may_settle for one in self.violations)

    def still(self, earlier: "AuditResult") -> "AuditResult":
        """This look, without what was not yet missing at an earlier one: what came since then may be on its way."""
        known = set(earlier.violations)
        kept = tuple(one for one in self.violations if not one.may_settle or one in known)
        return replace(self, violations=kept, violations_count=self.violations_count - len(self.violations) + len(kept))


@dataclass(slots=True)
class Audit:
    """Takes journal entries and, with topics, their records; `result` at any time, also with more taken after it."""

    with_topics: bool = False
    gone: frozenset[str] = frozenset()
    """Dispatch topics that were deleted, perhaps made again: what was sent there is not asked for."""
    records: int = 0
    identities: OneLogIdentity = field(default_factory=OneLogIdentity)
    outcomes: OneOutcome = field(default_factory=OneOutcome)
    reports: ReportsAnswered = field(default_factory=ReportsAnswered)
    orders: OrdersOnce = field(default_factory=OrdersOnce)
    holders: OneHolder = field(default_factory=OneHolder)
    deadlines: DeadlinesEndOnce = field(default_factory=DeadlinesEndOnce)
    messages: MessagesAsSent = field(init=False)
    sources: SourcesArrived = field(init=False)
    dispatched: OrdersInTopics = field(init=False)
    checks: tuple[Check, ...] = field(init=False)
    found: list[Violation] = field(default_factory=list)
    found_count: int = 0

    def __post_init__(self) -> None:
        self.sources = SourcesArrived(self.outcomes)
        self.dispatched = OrdersInTopics(self.orders, self.gone)
        self.messages = MessagesAsSent(self.gone)
        journal: tuple[Check, ...] = (
            self.identities,
            PositionsRise(),
            HubsKeepTheirOrder(),
            self.outcomes,
            RefusalStandsAlone(),
            self.reports,
            self.orders,
            self.holders,
            self.deadlines,
        )
        self.checks = (*journal, self.messages) if self.with_topics else journal

    def take(self, entry: Entry) -> None:
        """One journal record."""
        self.records += 1
        record = entry.record
        if isinstance(record, LogIdentity):
            self._note(self.identities.take_identity(entry, record))
            return
        for check in self.checks:
            self._note(check.take(entry, record))

    def take_source(self, record: Record) -> None:
        """One record of a report, reply or command topic."""
        self.sources.take_source(record)

    def take_dispatch(self, record: Record) -> None:
        """One record of a dispatch topic."""
        if record.topic in self.gone:
            return
        self._note(self.dispatched.take_dispatch(record))
        self._note(self.messages.take_dispatch(record))

    def _note(self, violations: Iterable[Violation]) -> None:
        for violation in violations:
            self.found_count += 1
            if len(self.found) < KEPT_LIMIT_VIOLATIONS:
                self.found.append(violation)

    def result(self) -> AuditResult:
        at_end = [violation for check in self.checks for violation in check.at_end()]
        if self.with_topics:
            at_end += [*self.sources.at_end(), *self.dispatched.at_end()]
        outcomes = self.outcomes.first
        return AuditResult(
            records=self.records,
            source_records=len(outcomes.keys() | self.sources.present),
            outcomes=len(outcomes),
            orders=len(self.orders.orders),
            teams=len(self.holders.teams),
            deadlines_ended=sum(self.deadlines.outcomes.values()),
            deadlines_open=len(self.deadlines.open),
            reports=self.reports.reports,
            with_topics=self.with_topics,
            violations=(*self.found, *at_end)[:KEPT_LIMIT_VIOLATIONS],
            violations_count=self.found_count + len(at_end),
        )


def audit(journal: JournalSource, topics: SourceView | None = None, progress: Progress = silent) -> AuditResult:
    """Every check, in one pass. Without `topics` only what the journal says is looked at. Raises UnreadableJournal."""
    session = Audit(with_topics=topics is not None)
    if topics is not None:
        for span in topics.spans:
            session.sources.take_span(*span)
        for record in topics.sources:
            session.take_source(record)
        for record in topics.dispatch:
            session.take_dispatch(record)
    for entry in decoded(journal, progress):
        session.take(entry)
    return session.result()


__all__ = ["Audit", "AuditResult", "Check", "SourceView", "Violation", "audit"]
