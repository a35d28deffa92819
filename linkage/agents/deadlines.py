"""Deadlines, the same in every stage: a book of the open ones, how one is set, when the clock's word counts.

A deadline lives in the hub that gets the answer. It ends once: met, overdue or lifted, in inbox order.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from immutables import Map

from linkage.agents.desk import Desk
from linkage.events.deadlines import (
    AnswerAwaited,
    AnswerUnknown,
    DeadlineDue,
    DeadlineEnded,
    DeadlineOutcome,
    DeadlineSet,
)
from linkage.identity import deadline_id


class Book(NamedTuple):
    """The open deadlines of one stage. A subject (an order, a request, a report) has at most one at a time."""

    by_id: Map[str, DeadlineSet] = Map()
    of_subject: Map[str, str] = Map()


EMPTY = Book()


def opened(
    desk: Desk,
    *,
    name: str,
    subject: str,
    incident_id: str | None,
    span_s: int,
    answered_by: str | None,
    since: datetime | None = None,
    rung: int = 0,
) -> DeadlineSet:
    """A deadline `span_s` seconds after `since` (now when None). One set in the past is due at once."""
    return DeadlineSet(
        deadline_id=deadline_id(subject, name, rung),
        name=name,
        incident_id=incident_id,
        subject=subject,
        span_s=span_s,
        due_at=(since or desk.now) + timedelta(seconds=span_s),
        answered_by=answered_by,
        rung=rung,
    )


def ended(book: Book, subject: str, outcome: DeadlineOutcome, reason: str) -> Iterator[DeadlineEnded]:
    """The end of the subject's open deadline; nothing when none is open, so that none ends twice."""
    if (found := book.of_subject.get(subject)) is not None:
        open_one = book.by_id[found]
        yield DeadlineEnded(deadline_id=found, revision=open_one.revision, outcome=outcome, reason=reason)


def overdue(book: Book, due: DeadlineDue, desk: Desk) -> DeadlineSet | None:
    """The deadline that is overdue now, or None: not ours, ended, of another revision, or the clock spoke too early."""
    open_one = book.by_id.get(due.deadline_id)
    if open_one is None or open_one.revision != due.revision or desk.now < open_one.due_at:
        return None
    return open_one


def awaited(book: Book, unknown: AnswerUnknown) -> Iterator[AnswerAwaited]:
    """What a person is told when the clock can't know whether the answer came; the deadline stays open."""
    open_one = book.by_id.get(unknown.deadline_id)
    if open_one is not None and open_one.revision == unknown.revision:
        yield AnswerAwaited(
            deadline_id=unknown.deadline_id,
            revision=unknown.revision,
            incident_id=open_one.incident_id,
            subject=open_one.subject,
            waited_s=unknown.waited_s,
        )


def evolve(book: Book, fact: DeadlineSet | DeadlineEnded) -> Book:
    if isinstance(fact, DeadlineSet):
        return Book(book.by_id.set(fact.deadline_id, fact), book.of_subject.set(fact.subject, fact.deadline_id))
    open_one = book.by_id[fact.deadline_id]
    return Book(book.by_id.delete(fact.deadline_id), book.of_subject.delete(open_one.subject))
