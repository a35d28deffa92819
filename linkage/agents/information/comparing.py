"""Is it one event? Two sightings compared by the policy's pairing of their kinds, cheapest question first.

Three ways of being near, each with its own span: one address (the same village, or the same roads in any order), one
road (a crossing named from one end, or a road alone), nearby (points that both can be trusted). Nothing is scanned:
`candidates` come from the index by place, and those whose times are too far apart are passed over first.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from linkage.agents.desk import Reference
from linkage.agents.information.sighting import Sighting, keys_to_search, metres_between
from linkage.agents.information.state import Incident, Information, visits_key
from linkage.events.information import Certainty, Comparison, ReportReference
from linkage.events.reference import Merging, Pairing

CANDIDATES_LIMIT_COUNT = 64
"""Open incidents compared with one report: the latest at its place. More than that at one place is one disaster."""
ONE_POINT_M = 150
"""A road named without a crossing is one address only where the points are this near."""

How = Literal["same_address", "one_road", "nearby"]
RANK: dict[How, int] = {"same_address": 0, "one_road": 1, "nearby": 2}


class Match(NamedTuple):
    """Two sightings that are one event, or may be."""

    certainty: Certainty
    how: How
    incident_id: str
    old: Sighting
    rule: str
    seconds_apart: int
    limit_s: int
    distance_m: int | None
    limit_m: int | None
    is_busy: bool = False

    @property
    def order(self) -> tuple[bool, int, int, str]:
        """The best first: sure ones, the nearest way of being near, the fewest seconds, then by id."""
        return self.certainty == "unsure", RANK[self.how], self.seconds_apart, self.incident_id

    def comparison(self, new: Sighting, candidates: int) -> Comparison:
        reasons = ["kinds_fit" if self.old.kind != new.kind else "same_kind", self.how, "own_times_close"]
        reasons += ["busy_address"] if self.is_busy else []
        sender, message_id = self.old.report
        return Comparison(
            compared_with=ReportReference(sender=sender, message_id=message_id),
            rule=self.rule,
            reasons=tuple(reasons),
            seconds_apart=self.seconds_apart,
            limit_s=self.limit_s,
            distance_m=self.distance_m,
            limit_m=self.limit_m,
            roads=tuple(road for road in new.roads if road in self.old.roads),
            candidates=candidates,
        )


def best(
    state: Information, new: Sighting, reference: Reference, apart_from: str | None = None
) -> tuple[Match | None, int]:
    """The open incident that the report is most likely about, and how many were looked at."""
    found: list[Match] = []
    looked_at = 0
    for incident in _candidates(state, new, reference.merge_reach_s):
        if incident.incident_id == apart_from or _is_another_group(incident, new):
            continue
        looked_at += 1
        matches = (compared(state, incident.incident_id, old, new, reference) for old in incident.sightings)
        found += (match for match in matches if match is not None)
    return min(found, key=lambda match: match.order, default=None), looked_at


def _candidates(state: Information, new: Sighting, reach_s: int) -> Iterator[Incident]:
    reach = timedelta(seconds=reach_s)
    ids = dict.fromkeys(found for key in keys_to_search(new) for found in reversed(state.at_place.get(key, ())))
    near = (state.incidents[found] for found in ids)
    in_time = [one for one in near if one.first_occurred_at - reach <= new.occurred_at <= one.last_occurred_at + reach]
    return iter(in_time[:CANDIDATES_LIMIT_COUNT])


def compared(state: Information, incident_id: str, old: Sighting, new: Sighting, reference: Reference) -> Match | None:
    """What the policy says of two sightings; None: two events."""
    pairing = reference.pairing(old.kind, new.kind)
    seconds = seconds_apart_of(old.occurred_at, new.occurred_at)
    if pairing is None:
        window_s = reference.policy.limits.merge_window.seconds
        if old.kind != new.kind or seconds > window_s or not _is_one_place(old, new):
            return None
        return Match("sure", "same_address", incident_id, old, "same_kind", seconds, window_s, None, None)
    merging = reference.policy.merging
    is_busy = pairing.counts_people and _is_busy(state, new, merging)
    for how, limit_s, ask_s, limit_m, distance_m in _ways(pairing, old, new, merging):
        sure_s = min(limit_s, merging.busy_address_s) if is_busy else limit_s
        if seconds > max(sure_s, ask_s):
            continue
        certainty: Certainty = "sure" if sure_s and seconds <= sure_s else "unsure"
        limit = sure_s if certainty == "sure" else ask_s
        return Match(
            certainty, how, incident_id, old, pairing.name, seconds, limit, distance_m, limit_m, is_busy=is_busy
        )
    return None


def _ways(
    pairing: Pairing, old: Sighting, new: Sighting, merging: Merging
) -> Iterator[tuple[How, int, int, int | None, int | None]]:
    """(how near, the span in which it is one event, in which it may be one, metres allowed, metres apart)"""
    raw_m = metres_between(old, new)
    is_trusted = max(old.accuracy_m, new.accuracy_m) <= merging.trusted_accuracy_m
    distance_m = raw_m if is_trusted else None
    if _is_one_address(old, new, raw_m):
        yield "same_address", pairing.same_address_s, pairing.ask_same_address_s, None, distance_m
    if any(road in new.roads for road in old.roads):
        slack_m = 0 if is_trusted else old.accuracy_m + new.accuracy_m
        if raw_m is None or raw_m <= pairing.one_road_m + slack_m:
            yield "one_road", pairing.one_road_s, pairing.ask_one_road_s, pairing.one_road_m, distance_m
    if distance_m is not None and pairing.nearby_m and distance_m <= pairing.nearby_m:
        yield "nearby", pairing.nearby_s, 0, pairing.nearby_m, distance_m


def _is_one_address(old: Sighting, new: Sighting, distance_m: int | None) -> bool:
    if old.village or new.village:
        return _is_one_place(old, new)
    if not (old.words or new.words):
        # Both say the township and nothing else, which is all that there is to go by.
        return distance_m is None and _is_one_place(old, new)
    if not old.roads or old.named != new.named:
        return False
    return len(old.named) > 1 or distance_m is None or distance_m <= ONE_POINT_M


def _is_one_place(old: Sighting, new: Sighting) -> bool:
    """The village; where none is known the words count. Two groups of one village are two places."""
    if (old.village, old.township) != (new.village, new.township) or (not old.village and old.named != new.named):
        return False
    return old.group is None or new.group is None or old.group == new.group


def _is_another_group(incident: Incident, new: Sighting) -> bool:
    """Somebody named another group of the village for it; those who named only the village do not make them one."""
    if new.group is None:
        return False
    return any(one.group not in (None, new.group) for one in incident.sightings if one.village == new.village)


def _is_busy(state: Information, new: Sighting, merging: Merging) -> bool:
    return state.visits.get(visits_key(new), 0) >= merging.busy_address_count


def seconds_apart_of(one: datetime, other: datetime) -> int:
    return int(abs((one - other).total_seconds()))
