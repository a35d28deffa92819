"""OVERDUE 逾期: who did not do in time what was asked, who was told on which rung, and who is told next, when."""

from collections.abc import Iterator
from typing import assert_never

from linkage.console import typed
from linkage.console.notes import Late, Overdue, Successor
from linkage.console.rows import OverdueRow
from linkage.console.scene import Scene, Seen, awaited
from linkage.events.dispatch import CountyTeamRequested, CountyUnanswered, TeamOrdered, TeamOverdue
from linkage.events.whistle import DepartmentOverdue, DepartmentWhistled
from linkage.replay.labels import Label


def overdue(scene: Scene) -> tuple[OverdueRow, ...]:
    """Longest first: of this hub, then a county team's that is late on its way here."""
    rows = [_row(scene, scene.home, subject, one) for subject, one in scene.home.notes.late.items()]
    rows += [_row(scene, scene.county, subject, one) for subject, one in _lent_here(scene)]
    return tuple(sorted(rows, key=lambda row: (row.at, row.subject)))


def _lent_here(scene: Scene) -> Iterator[tuple[str, Late]]:
    if scene.is_county:
        return
    for subject, one in sorted(scene.county.notes.late.items()):
        if scene.is_lent_here(subject):
            yield subject, one


def _row(scene: Scene, seen: Seen, subject: str, late: Late) -> OverdueRow:
    fact = late.fact
    is_lent = seen is not scene.home
    who, told, awaits = _said_of(scene, seen, fact)
    following = seen.deadline_of(subject)
    next_rung = following.rung if following is not None and following.rung > 0 else None
    is_next = next_rung is not None and next_rung < len(seen.escalation)
    successor = seen.notes.successors.get(subject)
    party = scene.party_of(subject)
    return OverdueRow(
        at=late.since,
        who=who,
        subject=subject,
        incident_id=fact.incident_id,
        awaited=awaits[0],
        awaited_zh=awaits[1],
        limit_s=late.limit_s,
        rung=fact.rung,
        told=scene.labels.party(told) if told else None,
        next_told=scene.labels.party(seen.escalation[next_rung or 0]) if is_next else None,
        next_at=following.due_at if following is not None and is_next else None,
        is_unreachable=isinstance(fact, TeamOverdue) and fact.is_unreachable,
        replaced_by=_successor(scene, successor) if successor is not None else None,
        is_lent=is_lent,
        command=typed.record_answer(scene.post, subject, party) if party is not None and not is_lent else "",
    )


def _said_of(scene: Scene, seen: Seen, fact: Overdue) -> tuple[Label, str | None, tuple[str, str]]:
    """(who is late, who was told, what is awaited)."""
    labels = scene.labels
    match fact:
        case DepartmentOverdue():
            return labels.party(fact.party), fact.told, awaited(fact.awaited.value)
        case TeamOverdue():
            return labels.team(fact.team), fact.told, awaited(fact.awaited.value)
        case CountyUnanswered():
            told = seen.escalation[fact.rung - 1] if fact.rung <= len(seen.escalation) else None
            return labels.hub(scene.county.hub.code), told, ("answered", "答复")
    assert_never(fact)


def _successor(scene: Scene, fact: Successor) -> Label:
    """Who goes instead: a department, a team, or whatever the county sends."""
    match fact:
        case DepartmentWhistled():
            return scene.labels.party(fact.party)
        case TeamOrdered():
            return scene.labels.team(fact.team, fact.team_zh)
        case CountyTeamRequested():
            request = scene.home.dispatch.requests.get(fact.request_id)
            sent = request.team if request else None
            return scene.labels.team(sent) if sent else scene.labels.hub(scene.county.hub.code)
    assert_never(fact)
