"""The whistle table: what each department that was whistled for said, when, and whether that was in time."""

from collections.abc import Sequence
from datetime import datetime

from linkage.events.base import Attested
from linkage.events.inbound import Answer
from linkage.events.whistle import DepartmentAnswered, DepartmentOverdue, DepartmentStoodDown, DepartmentWhistled
from linkage.replay.chronicle import Noted, of_type
from linkage.replay.labels import Labels
from linkage.replay.report import DepartmentLine, Reached


def department_lines(noted: Sequence[Noted], blown_at: datetime | None, labels: Labels) -> tuple[DepartmentLine, ...]:
    """One line for each order, by seat and attempt."""
    whistled = [one.fact for one in of_type(noted, DepartmentWhistled)]
    by_id = {fact.order_id: fact for fact in whistled}
    replaced = {fact.replaces: fact for fact in whistled if fact.replaces is not None}
    lines = [_line(fact, noted, blown_at, by_id, replaced.get(fact.order_id), labels) for fact in whistled]
    return tuple(sorted(lines, key=lambda line: (line.slot, line.attempt)))


def _line(
    order: DepartmentWhistled,
    noted: Sequence[Noted],
    blown_at: datetime | None,
    by_id: dict[str, DepartmentWhistled],
    successor: DepartmentWhistled | None,
    labels: Labels,
) -> DepartmentLine:
    since = blown_at or order.ordered_at
    answers = [one.fact for one in of_type(noted, DepartmentAnswered) if one.fact.order_id == order.order_id]
    said = {fact.answer: _reached(fact, since) for fact in answers if fact.changed}
    overdue = [one.fact for one in of_type(noted, DepartmentOverdue) if one.fact.order_id == order.order_id]
    is_down = any(one.fact.order_id == order.order_id for one in of_type(noted, DepartmentStoodDown))
    outcome, late_s = _outcome(order, said, overdue, is_down)
    declined = said.get(Answer.DECLINED)
    before = by_id.get(order.replaces or "")
    return DepartmentLine(
        order_id=order.order_id,
        slot=order.slot,
        attempt=order.attempt,
        party=labels.party(order.party),
        role=order.role,
        relation=order.relation,
        ordered_at=order.ordered_at,
        received=said.get(Answer.RECEIVED) or said.get(Answer.ACCEPTED),
        on_the_way=said.get(Answer.EN_ROUTE),
        reported_in=said.get(Answer.REPORTED_IN),
        done=said.get(Answer.DONE),
        limit_s=int((order.report_in_by - order.ordered_at).total_seconds()),
        outcome=outcome,
        late_s=late_s,
        reason=declined.reason if declined else "",
        times_overdue=len(overdue),
        because=order.because,
        replaces=labels.party(before.party) if before else None,
        replaced_by=labels.party(successor.party) if successor else None,
    )


def _reached(fact: DepartmentAnswered, since: datetime) -> Reached:
    return reached(fact.answered_at, since, fact.attested, fact.reason)


def reached(at: datetime, since: datetime, attested: Attested | None, reason: str) -> Reached:
    return Reached(at, int((at - since).total_seconds()), attested, reason)


def _outcome(
    order: DepartmentWhistled, said: dict[Answer, Reached], overdue: Sequence[DepartmentOverdue], is_down: bool
) -> tuple[str, int | None]:
    """(outcome, seconds late). In time is what the deadline's end says, by inbox order, never another clock."""
    if Answer.DECLINED in said:
        return "declined", None
    arrived = said.get(Answer.REPORTED_IN) or said.get(Answer.DONE)
    was_late = any(fact.awaited is Answer.REPORTED_IN for fact in overdue)
    if arrived is not None:
        late_s = max(0, int((arrived.at - order.report_in_by).total_seconds()))
        is_late = was_late or (late_s > 0 and any(fact.awaited is not Answer.DONE for fact in overdue))
        return ("late", late_s) if is_late else ("met", None)
    if not said:
        return ("silent" if overdue else "stood down" if is_down else "open"), None
    if was_late:
        return "not reported in", None
    return ("stood down" if is_down else "open"), None
