"""A deadline, known by its hub, its id and its revision, is set and then ends, once."""

from collections.abc import Iterator
from datetime import datetime

from tests.checker.evidence import Evidence, Message, Violation

SET, ENDED = "linkage.DeadlineSet.v0", "linkage.DeadlineEnded.v0"


def deadline_faults(evidence: Evidence) -> Iterator[Violation]:
    """Every deadline ends at most once, none that was never set, and none is overdue before it is due."""
    due_at: dict[tuple[str, str, int], str] = {}
    ended: dict[tuple[str, str], int] = {}
    for step in evidence.steps:
        for fact in step.facts_of(SET, ENDED):
            name = (step.hub, fact["deadline_id"])
            key = (*name, fact.get("revision", 1))
            if fact["type"] == SET:
                if key in due_at:
                    yield step.violation("deadlines", f"deadline {key} is set twice")
                due_at[key] = fact["due_at"]
                continue
            if key not in due_at:
                yield step.violation("deadlines", f"deadline {key} ends and was never set")
            elif _is_early(fact, step.value["now"], due_at[key]):
                yield step.violation("deadlines", f"deadline {key} is overdue before {due_at[key]}")
            if ended.get(name, 0) >= key[2]:
                yield step.violation("deadlines", f"deadline {key} ends twice")
            ended[name] = max(ended.get(name, 0), key[2])


def _is_early(fact: Message, now: str, due_at: str) -> bool:
    return fact["outcome"] == "overdue" and datetime.fromisoformat(now) < datetime.fromisoformat(due_at)
