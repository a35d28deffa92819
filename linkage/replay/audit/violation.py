"""What a check finds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from linkage.events.envelope import JournalRecord
from linkage.replay.journal import Entry


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise broken. `where`: journal partition/offset, or topic partition/offset."""

    check: str
    invariant: int
    where: str
    text: str
    may_settle: bool = False
    """True when it is what a record on its way looks like: on a running system it must be gone a moment later."""


class Check(Protocol):
    """One promise. Sees every journal record once, in order; what can only be said at the end it says in `at_end`."""

    @property
    def name(self) -> str: ...

    @property
    def invariant(self) -> int:
        """Its number under "What must always hold"."""
        ...

    def take(self, entry: Entry, record: JournalRecord) -> Iterator[Violation]: ...

    def at_end(self) -> Iterator[Violation]:
        """May be asked more than once, with more records between."""
        ...
