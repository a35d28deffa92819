"""What is over and may still be asked about: until when, in the order in which it ended.

A county's hub has thousands of them, its whole memory of incidents. Each one that ends asks which of them may be
forgotten now, so they are kept by day: what is looked at is what may be forgotten by today, however long the memory is.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from immutables import Map

from linkage.events.base import EPOCH


class Entry(NamedTuple):
    """One incident or request. `number`: how many had ended before it."""

    forget_at: datetime
    subject: str
    number: int


class Over(NamedTuple):
    """Of one stage in one hub. A subject is in here once."""

    by_day: Map[int, tuple[Entry, ...]] = Map()
    """The day on which they may be forgotten, since 1970."""
    day_of: Map[str, int] = Map()
    ended: int = 0

    def due(self, now: datetime) -> list[str]:
        """The subjects that may be forgotten, in the order in which they ended."""
        today = (now - EPOCH).days
        entries = (one for day, entries in self.by_day.items() if day <= today for one in entries)
        found = [one for one in entries if one.forget_at <= now]
        return [one.subject for one in sorted(found, key=lambda one: one.number)]

    def with_ended(self, subject: str, forget_at: datetime) -> "Over":
        """The subject is over now, and remembered until then."""
        day = (forget_at - EPOCH).days
        before = self.without((subject,))
        entries = (*before.by_day.get(day, ()), Entry(forget_at, subject, self.ended))
        return Over(before.by_day.set(day, entries), before.day_of.set(subject, day), self.ended + 1)

    def without(self, subjects: Iterable[str]) -> "Over":
        """What is left when these are forgotten; who is not in here is nobody to forget."""
        gone = {subject: self.day_of[subject] for subject in subjects if subject in self.day_of}
        by_day, day_of = self.by_day, self.day_of
        for day in sorted(set(gone.values())):
            left = tuple(one for one in by_day[day] if one.subject not in gone)
            by_day = by_day.set(day, left) if left else by_day.delete(day)
        for subject in gone:
            day_of = day_of.delete(subject)
        return Over(by_day, day_of, self.ended)


NOTHING = Over()
