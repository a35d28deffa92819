"""Who hears of the whistle: the departments, the post, the ladder."""

from collections.abc import Iterator

from linkage import identity, narration
from linkage.agents.desk import Desk
from linkage.events import whistle
from linkage.events.inbound import Answer
from linkage.events.outbound import (
    WhistleDepartment,
)
from linkage.routing.address import Addressed, Route, To, notice, stand_down, tell


def _whistled(fact: whistle.DepartmentWhistled, desk: Desk) -> Iterator[Addressed]:
    text = narration.whistled(fact, desk)
    order = WhistleDepartment(
        order_id=fact.order_id,
        hub=desk.hub,
        relation=fact.relation,
        ordered_at=fact.ordered_at,
        text_en=text.en,
        text_zh=text.zh,
        party=fact.party,
        role=fact.role,
        briefing=fact.briefing,
        receive_by=fact.receive_by,
        report_in_by=fact.report_in_by,
    )
    yield Addressed(To.PARTY, fact.party, identity.message_id(fact.order_id, 1), fact.order_id, order)


def _notified(fact: whistle.DepartmentNotified, desk: Desk) -> Iterator[Addressed]:
    text = narration.notified(fact.briefing, desk)
    yield notice("incident", fact.party, fact.incident_id, text, desk)


def _department_answered(fact: whistle.DepartmentAnswered, desk: Desk) -> Iterator[Addressed]:
    if fact.changed and fact.answer is Answer.DECLINED:
        text = narration.declined(narration.party(fact.party, desk), fact.reason)
        yield from tell("declined", (), fact.order_id, text, desk)


def _department_overdue(fact: whistle.DepartmentOverdue, desk: Desk) -> Iterator[Addressed]:
    told = narration.party(fact.told, desk) if fact.told else None
    text = narration.overdue(fact, narration.party(fact.party, desk), told)
    yield from tell("overdue", (fact.party, fact.told), fact.order_id, text, desk, fact.awaited, fact.rung)


def _departments_exhausted(fact: whistle.DepartmentsExhausted, desk: Desk) -> Iterator[Addressed]:
    text = narration.departments_exhausted(fact)
    first = desk.policy.escalation[:1] or (None,)
    yield from tell("departments_exhausted", first, fact.incident_id, text, desk, fact.slot, fact.because)


def _department_stood_down(fact: whistle.DepartmentStoodDown, desk: Desk) -> Iterator[Addressed]:
    yield stand_down(
        fact, fact.party, None, narration.stood_down(fact.reason, None, narration.party(fact.party, desk).zh), desk
    )


ROUTES: dict[type, Route] = {
    whistle.DepartmentWhistled: _whistled,
    whistle.DepartmentNotified: _notified,
    whistle.DepartmentAnswered: _department_answered,
    whistle.DepartmentOverdue: _department_overdue,
    whistle.DepartmentsExhausted: _departments_exhausted,
    whistle.DepartmentStoodDown: _department_stood_down,
}
