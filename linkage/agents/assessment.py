"""`assessment` 会商研判: kind and incident level, at once, from the facts.

The level is the worst of all criteria of the kind ("或者": one is enough). A criterion that is unknown makes the level
provisional and is asked for; it is never taken for zero. Numbers of several reports about one incident: the largest
stands; a revision's numbers replace what stood before.
"""

from collections.abc import Iterator
from typing import NamedTuple

from immutables import Map

from linkage.agents.desk import Decides, Desk, Evolves
from linkage.events.assessment import AssessmentEnded, DecidingCriterion, IncidentAssessed
from linkage.events.base import Counts, Level, Place
from linkage.events.envelope import Fact
from linkage.events.information import IncidentClosed, IncidentOpened, ReportMerged, ReportRevised
from linkage.events.outbound import Briefing
from linkage.events.reference import LevelCriterion

NO_RULE = "none"


class Assessed(NamedTuple):
    counts: Counts
    level: Level
    briefing: Briefing


class Assessment(NamedTuple):
    """The last assessment of each open incident."""

    incidents: Map[str, Assessed] = Map()


INITIAL = Assessment()


def on_opened(state: Assessment, opened: IncidentOpened, desk: Desk) -> Iterator[Fact]:
    yield _assessed(
        opened.incident_id,
        opened.kind,
        opened.place,
        opened.summary,
        opened.exercise,
        counts=opened.counts,
        previous=None,
        desk=desk,
    )


def on_merged(state: Assessment, merged: ReportMerged, desk: Desk) -> Iterator[Fact]:
    known = state.incidents[merged.incident_id]
    yield from _assessed_again(merged.incident_id, known, _largest(known.counts, merged.counts), desk)


def on_revised(state: Assessment, revised: ReportRevised, desk: Desk) -> Iterator[Fact]:
    known = state.incidents[revised.incident_id]
    newer = revised.counts.model_dump(exclude_none=True)
    yield from _assessed_again(revised.incident_id, known, known.counts.model_copy(update=newer), desk)


def on_closed(state: Assessment, closed: IncidentClosed, desk: Desk) -> Iterator[Fact]:
    known = state.incidents[closed.incident_id]
    yield AssessmentEnded(incident_id=closed.incident_id, level=known.level)


def _assessed_again(incident_id: str, known: Assessed, counts: Counts, desk: Desk) -> Iterator[Fact]:
    if counts == known.counts:
        return
    briefing = known.briefing
    yield _assessed(
        incident_id,
        briefing.kind,
        briefing.place,
        briefing.summary,
        briefing.exercise,
        counts=counts,
        previous=known.level,
        desk=desk,
    )


def _assessed(
    incident_id: str,
    kind: str,
    place: Place,
    summary: str,
    exercise: bool,
    *,
    counts: Counts,
    previous: Level | None,
    desk: Desk,
) -> IncidentAssessed:
    reference = desk.reference
    rule = reference.level_rule(kind)
    criteria = rule.criteria if rule else ()
    considered = tuple(judged for one in criteria if (judged := _judge(one, counts)) is not None)
    unknown = tuple(one.count for one in criteria if getattr(counts, one.count) is None)
    level = max((one.level for one in considered), key=lambda one: one.severity, default=Level.IV)
    is_provisional = bool(unknown) or not considered
    return IncidentAssessed(
        incident_id=incident_id,
        counts=counts,
        level=level,
        previous=previous,
        is_provisional=is_provisional,
        unknown=unknown,
        considered=considered,
        rule=rule.kind if rule else NO_RULE,
        policy_version=reference.policy.version,
        briefing=Briefing(
            incident_id=incident_id,
            kind=kind,
            kind_zh=reference.kind_zh(kind),
            level=level,
            level_is_provisional=is_provisional,
            place=place,
            summary=summary,
            exercise=exercise,
        ),
    )


def _judge(criterion: LevelCriterion, counts: Counts) -> DecidingCriterion | None:
    """The level that one known count asks for. Every band is `lo <= x < hi` (Reg. 493 Art. 3)."""
    value = getattr(counts, criterion.count)
    if value is None:
        return None
    bands = ((criterion.level_i, Level.I), (criterion.level_ii, Level.II), (criterion.level_iii, Level.III))
    level = next((level for floor, level in bands if value >= floor), Level.IV)
    return DecidingCriterion(count=criterion.count, value=value, level=level, basis=criterion.basis)


def _largest(one: Counts, other: Counts) -> Counts:
    """The larger of each count that both know, else the one that is known."""
    pairs = ((name, getattr(one, name), getattr(other, name)) for name in Counts.model_fields)
    return Counts(**{name: b if a is None else a if b is None else max(a, b) for name, a, b in pairs})


DECIDES: Decides = {
    IncidentOpened: on_opened,
    ReportMerged: on_merged,
    ReportRevised: on_revised,
    IncidentClosed: on_closed,
}


def assessed(state: Assessment, fact: IncidentAssessed) -> Assessment:
    known = Assessed(fact.counts, fact.level, fact.briefing)
    return state._replace(incidents=state.incidents.set(fact.incident_id, known))


def ended(state: Assessment, fact: AssessmentEnded) -> Assessment:
    return state._replace(incidents=state.incidents.delete(fact.incident_id))


EVOLVES: Evolves = {IncidentAssessed: assessed, AssessmentEnded: ended}
