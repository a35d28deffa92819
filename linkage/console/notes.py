"""What a hub's facts say beside its state: the engine forgets what it has told people, a board may not.

Pure: the same records give the same notes. What a fact does not concern stays as it is. Limits: of refusals,
undelivered messages and gaps KEPT_LIMIT_COUNT each, of the last facts LAST_LIMIT_COUNT; older ones go first.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from immutables import Map

from linkage import identity
from linkage.events import deadlines, dispatch, information, reception, whistle
from linkage.events.assessment import AssessmentEnded, IncidentAssessed
from linkage.events.envelope import JournalRecord, StagedFact
from linkage.topics import party_told

LAST_LIMIT_COUNT = 10
KEPT_LIMIT_COUNT = 100

Overdue = whistle.DepartmentOverdue | dispatch.TeamOverdue | dispatch.CountyUnanswered
Exhausted = whistle.DepartmentsExhausted | dispatch.TeamsExhausted
Successor = whistle.DepartmentWhistled | dispatch.TeamOrdered | dispatch.CountyTeamRequested
SeatKey = tuple[str, str, int]
"""(stage, incident, slot)"""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Dated:
    """A fact and when it was decided."""

    at: datetime
    fact: Any


@dataclass(frozen=True, slots=True)
class Late:
    """Overdue since then, past a limit of so many seconds. `fact`: the last rung."""

    since: datetime
    limit_s: int
    fact: Overdue


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that went to the rejected topic instead. `order_id` None: it was no order."""

    at: datetime
    party: str
    type: str
    order_id: str | None
    because: str


@dataclass(frozen=True, slots=True)
class LastFact:
    at: datetime
    staged: StagedFact


@dataclass(frozen=True, slots=True)
class Notes:
    """Of one hub. Maps iterate by hash: who reads them sorts."""

    hub: str
    levels: Map[str, Dated] = Map()
    """incident -> IncidentAssessed, the last"""
    late: Map[str, Late] = Map()
    """order or request -> what it is late with; nothing has answered it"""
    seats: Map[SeatKey, Dated] = Map()
    """seat -> Exhausted"""
    unknown: Map[str, Dated] = Map()
    """deadline -> AnswerAwaited"""
    unplaced: Map[str, Dated] = Map()
    """`sender/message id` -> ReportStillUnplaced, the last rung"""
    unmet: Map[str, Dated] = Map()
    """request -> TeamRequestUnmet"""
    successors: Map[str, Successor] = Map()
    """order that is late -> the fact that names who goes instead"""
    refused: tuple[reception.MessageRefused, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    gaps: tuple[Dated, ...] = ()
    last: tuple[LastFact, ...] = ()


def noted(notes: Notes, record: JournalRecord) -> Notes:
    """The notes after a record of the hub's journal; a record of another hub changes nothing."""
    if record.hub != notes.hub:
        return notes
    for staged in record.facts:
        fact = staged.fact
        if (change := _CHANGES.get(type(fact))) is not None:
            notes = change(notes, fact, record.now)
        if type(fact) not in _QUIET and getattr(fact, "changed", True):
            notes = replace(notes, last=_kept(notes.last, LastFact(record.now, staged), LAST_LIMIT_COUNT))
    return _undelivered(notes, record)


def _undelivered(notes: Notes, record: JournalRecord) -> Notes:
    diverted = [sent for sent in record.sent if sent.diverted_because is not None]
    if not diverted:
        return notes
    orders = {
        identity.message_id(found, getattr(staged.fact, "revision", 1)): found
        for staged in record.facts
        if (found := getattr(staged.fact, "order_id", None)) is not None
    }
    kept = notes.undelivered
    for sent in diverted:
        party = party_told(sent.topic) or sent.topic
        because = sent.diverted_because or ""
        one = Undelivered(record.now, party, sent.type, orders.get(sent.message_id), because)
        kept = _kept(kept, one, KEPT_LIMIT_COUNT)
    return replace(notes, undelivered=kept)


def _kept(items: tuple[Item, ...], item: Item, limit_count: int) -> tuple[Item, ...]:
    return (*items, item)[-limit_count:]


def _without(items: Map[Any, Any], key: Any) -> Map[Any, Any]:
    return items.delete(key) if key in items else items


def _assessed(notes: Notes, fact: IncidentAssessed, at: datetime) -> Notes:
    return replace(notes, levels=notes.levels.set(fact.incident_id, Dated(at, fact)))


def _assessment_ended(notes: Notes, fact: AssessmentEnded, at: datetime) -> Notes:
    return replace(notes, levels=_without(notes.levels, fact.incident_id))


def _closed(notes: Notes, fact: information.IncidentClosed, at: datetime) -> Notes:
    over = [key for key in notes.seats if key[1] == fact.incident_id]
    seats = notes.seats
    for key in over:
        seats = seats.delete(key)
    return replace(notes, seats=seats)


def _late(notes: Notes, fact: Overdue, at: datetime) -> Notes:
    subject = fact.request_id if isinstance(fact, dispatch.CountyUnanswered) else fact.order_id
    before = notes.late.get(subject)
    late = replace(before, fact=fact) if before is not None else Late(at, fact.limit_s, fact)
    return replace(notes, late=notes.late.set(subject, late))


def _order_moved(notes: Notes, fact: Any, at: datetime) -> Notes:
    """The order's party spoke, or nothing is asked of it any more."""
    if not getattr(fact, "changed", True):
        return notes
    return _late_no_more(notes, fact.order_id)


def _request_moved(notes: Notes, fact: Any, at: datetime) -> Notes:
    return _late_no_more(notes, fact.request_id)


def _late_no_more(notes: Notes, subject: str) -> Notes:
    return replace(notes, late=_without(notes.late, subject), successors=_without(notes.successors, subject))


def _whistled(notes: Notes, fact: whistle.DepartmentWhistled, at: datetime) -> Notes:
    return _seat_taken(notes, "whistle", fact)


def _team_ordered(notes: Notes, fact: dispatch.TeamOrdered, at: datetime) -> Notes:
    if fact.lent is None:
        return _seat_taken(notes, "dispatch", fact)
    return _seat_taken(_met(notes, fact.incident_id), "lent", fact)


def _requested(notes: Notes, fact: dispatch.CountyTeamRequested, at: datetime) -> Notes:
    return _seat_taken(notes, "dispatch", fact)


def _seat_taken(notes: Notes, stage: str, fact: Successor) -> Notes:
    successors = notes.successors
    if fact.replaces is not None and fact.replaces in notes.late:
        successors = successors.set(fact.replaces, fact)
    return replace(notes, successors=successors, seats=_without(notes.seats, (stage, fact.incident_id, fact.slot)))


def _departments_exhausted(notes: Notes, fact: whistle.DepartmentsExhausted, at: datetime) -> Notes:
    return replace(notes, seats=notes.seats.set(("whistle", fact.incident_id, fact.slot), Dated(at, fact)))


def _teams_exhausted(notes: Notes, fact: dispatch.TeamsExhausted, at: datetime) -> Notes:
    return replace(notes, seats=notes.seats.set(("dispatch", fact.incident_id, fact.slot), Dated(at, fact)))


def _awaited(notes: Notes, fact: deadlines.AnswerAwaited, at: datetime) -> Notes:
    return replace(notes, unknown=notes.unknown.set(fact.deadline_id, Dated(at, fact)))


def _deadline_ended(notes: Notes, fact: deadlines.DeadlineEnded, at: datetime) -> Notes:
    return replace(notes, unknown=_without(notes.unknown, fact.deadline_id))


def _still_unplaced(notes: Notes, fact: information.ReportStillUnplaced, at: datetime) -> Notes:
    return replace(notes, unplaced=notes.unplaced.set(fact.subject, Dated(at, fact)))


def _handed_over(notes: Notes, fact: information.ReportHandedOver, at: datetime) -> Notes:
    return replace(notes, unplaced=_without(notes.unplaced, f"{fact.report.sender}/{fact.report.message_id}"))


def _unmet(notes: Notes, fact: dispatch.TeamRequestUnmet, at: datetime) -> Notes:
    return replace(notes, unmet=notes.unmet.set(fact.request_id, Dated(at, fact)))


def _withdrawn(notes: Notes, fact: dispatch.TeamRequestWithdrawn, at: datetime) -> Notes:
    return _met(notes, fact.incident_id)


def _met(notes: Notes, incident_id: str) -> Notes:
    """A team goes, or none is wanted any more: earlier requests of that incident are answered by that."""
    kept = {key: one for key, one in notes.unmet.items() if one.fact.incident_id != incident_id}
    return notes if len(kept) == len(notes.unmet) else replace(notes, unmet=Map(kept))


def _refused(notes: Notes, fact: reception.MessageRefused, at: datetime) -> Notes:
    others = _other_messages(notes.refused, fact)
    return replace(notes, refused=_kept(others, fact, KEPT_LIMIT_COUNT))


def _recorded(notes: Notes, fact: reception.MessageRecorded, at: datetime) -> Notes:
    """A refused message may be mended under its id: then nobody waits for it any more."""
    others = _other_messages(notes.refused, fact)
    return notes if len(others) == len(notes.refused) else replace(notes, refused=others)


def _other_messages(refused: tuple[reception.MessageRefused, ...], fact: Any) -> tuple[reception.MessageRefused, ...]:
    return tuple(one for one in refused if (one.sender, one.message_id) != (fact.sender, fact.message_id))


def _gap(notes: Notes, fact: reception.SourceGapRecorded, at: datetime) -> Notes:
    return replace(notes, gaps=_kept(notes.gaps, Dated(at, fact), KEPT_LIMIT_COUNT))


_CHANGES: dict[type, Callable[[Notes, Any, datetime], Notes]] = {
    IncidentAssessed: _assessed,
    AssessmentEnded: _assessment_ended,
    information.IncidentClosed: _closed,
    information.ReportStillUnplaced: _still_unplaced,
    information.ReportHandedOver: _handed_over,
    whistle.DepartmentOverdue: _late,
    whistle.DepartmentAnswered: _order_moved,
    whistle.DepartmentStoodDown: _order_moved,
    whistle.DepartmentWhistled: _whistled,
    whistle.DepartmentsExhausted: _departments_exhausted,
    dispatch.TeamOverdue: _late,
    dispatch.TeamAnswered: _order_moved,
    dispatch.TeamStoodDown: _order_moved,
    dispatch.TeamReleased: _order_moved,
    dispatch.TeamOrdered: _team_ordered,
    dispatch.TeamsExhausted: _teams_exhausted,
    dispatch.CountyTeamRequested: _requested,
    dispatch.CountyUnanswered: _late,
    dispatch.CountyTeamPromised: _request_moved,
    dispatch.CountyTeamRefused: _request_moved,
    dispatch.LentTeamGivenBack: _request_moved,
    dispatch.TeamRequestUnmet: _unmet,
    dispatch.TeamRequestWithdrawn: _withdrawn,
    deadlines.AnswerAwaited: _awaited,
    deadlines.DeadlineEnded: _deadline_ended,
    reception.MessageRefused: _refused,
    reception.MessageRecorded: _recorded,
    reception.SourceGapRecorded: _gap,
}

_QUIET: frozenset[type] = frozenset(
    {
        AssessmentEnded,
        deadlines.DeadlineSet,
        deadlines.DeadlineEnded,
        dispatch.DispatchEnded,
        dispatch.TeamsRequired,
        reception.MessageRecorded,
        whistle.WhistleBriefingChanged,
        whistle.WhistleEnded,
    }
)
"""What a person need not read: every one of them stands beside a fact that says the same in his words."""
