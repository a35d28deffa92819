"""What a run came to, without instants and positions: two runs of the same seed must have the same."""

from collections.abc import Iterable
from typing import Any

from linkage.events.deadlines import DeadlineEnded, DeadlineSet
from linkage.events.dispatch import TeamAnswered, TeamOrdered, TeamReleased, TeamStoodDown
from linkage.events.envelope import JournalRecord
from linkage.events.information import IncidentClosed, IncidentOpened, ReportMerged
from linkage.events.whistle import DepartmentAnswered, DepartmentStoodDown, DepartmentWhistled


def outcome(records: Iterable[JournalRecord]) -> dict[str, Any]:
    """Orders with who got them and why, last answers, how each deadline ended, incidents."""
    orders: dict[str, dict[str, Any]] = {}
    answers: dict[str, list[str]] = {}
    deadlines: dict[str, str] = {}
    names: dict[str, str] = {}
    incidents: list[str] = []
    for record in records:
        for staged in record.facts:
            match staged.fact:
                case DepartmentWhistled() | TeamOrdered() as fact:
                    who = fact.team if isinstance(fact, TeamOrdered) else fact.party
                    orders[fact.order_id] = {"to": who, "because": fact.because, "replaces": fact.replaces}
                case DepartmentStoodDown() | TeamStoodDown() as fact:
                    orders[fact.order_id]["stood_down"] = fact.revision
                case DepartmentAnswered() | TeamAnswered() as fact:
                    if fact.changed:
                        answers.setdefault(fact.order_id, []).append(fact.answer.value)
                case TeamReleased() as fact:
                    orders[fact.order_id]["released"] = fact.reason
                case DeadlineSet() as fact:
                    names[fact.deadline_id] = f"{fact.subject} {fact.name} {fact.rung}"
                case DeadlineEnded() as fact:
                    deadlines[names[fact.deadline_id]] = fact.outcome
                case IncidentOpened() | IncidentClosed() | ReportMerged() as fact:
                    incidents.append(f"{fact.type} {fact.incident_id}")
    return {
        "incidents": sorted(incidents),
        "orders": dict(sorted(orders.items())),
        "answers": dict(sorted(answers.items())),
        "deadlines": dict(sorted(deadlines.items())),
    }
