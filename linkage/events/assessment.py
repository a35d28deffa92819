"""Facts of `assessment` 会商研判: the incident level, at once, from what is known."""

from typing import Literal

from linkage.events.base import CountName, Counts, Frozen, Identifier, Level, Words
from linkage.events.outbound import Briefing


class DecidingCriterion(Frozen):
    """One criterion that was looked at, and the level it asks for."""

    count: CountName
    value: float
    level: Level
    basis: Words


class IncidentAssessed(Frozen):
    """The level of an incident: the worst of all known criteria; provisional while a criterion is unknown."""

    type: Literal["linkage.IncidentAssessed.v0"] = "linkage.IncidentAssessed.v0"
    incident_id: Identifier
    counts: Counts
    level: Level
    previous: Level | None
    is_provisional: bool
    unknown: tuple[CountName, ...]
    """What the post is asked for; never taken for zero."""
    considered: tuple[DecidingCriterion, ...]
    rule: Identifier
    policy_version: Identifier
    briefing: Briefing


class AssessmentEnded(Frozen):
    """The incident is closed; this is the level it ended with."""

    type: Literal["linkage.AssessmentEnded.v0"] = "linkage.AssessmentEnded.v0"
    incident_id: Identifier
    level: Level
