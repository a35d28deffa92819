"""The facts about links between incidents, each in one line for the timeline."""

from collections.abc import Callable
from typing import Any

from linkage.events import information
from linkage.narration import RELATION, compared
from linkage.replay.labels import Labels


def _both(relation: str) -> str:
    word = RELATION[relation]
    return f"{word.en} {word.zh}"


def _linked(fact: information.IncidentsLinked, labels: Labels) -> str:
    named = " and ".join(f"{one.incident_id} of {labels.hub(one.hub).both}" for one in (fact.one, fact.other))
    ask = "; a person is asked 请研判" if fact.certainty == "unsure" else ""
    return f"linked 关联, {_both(fact.relation)}: {named}: {compared(fact.comparison).en}{ask}"


def _proposed(fact: information.LinkProposed, labels: Labels) -> str:
    theirs = f"{fact.theirs.incident_id} of {labels.hub(fact.theirs.hub).both}"
    return f"link with {theirs} proposed to the county 提请县级关联 ({fact.certainty}): {compared(fact.comparison).en}"


def _noted(fact: information.LinkNoted, labels: Labels) -> str:
    return (
        f"with {fact.other.incident_id} of {labels.hub(fact.other.hub).both}: {_both(fact.relation)}, says the county"
    )


def _judged(fact: information.LinkJudged, labels: Labels) -> str:
    named = f"{fact.one.incident_id} and {fact.other.incident_id}"
    return f"{named}: {_both(fact.relation)}, judged 研判 by {fact.signed_by}: {fact.reason}"


LINK_WORDS: dict[type, Callable[[Any, Labels], str]] = {
    information.IncidentsLinked: _linked,
    information.LinkProposed: _proposed,
    information.LinkNoted: _noted,
    information.LinkJudged: _judged,
}
