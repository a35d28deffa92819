"""What is hard about "is this one event?", one test for each: times, crossings, fallback points, homes, borders."""

from datetime import UTC, datetime, timedelta

import pytest

from linkage.agents import information
from linkage.agents.desk import Desk, Reference
from linkage.agents.information import Information
from linkage.agents.information.decide import DECIDES
from linkage.agents.information.roads import roads
from linkage.edges.montcoalert.merging import merging_of
from linkage.events.base import Place
from linkage.events.envelope import Fact, InboxRecord
from linkage.events.inbound import CloseIncident, ReportIncident
from linkage.events.information import IncidentOpened, IncidentsLinked, ReportMerged, ReportRevised
from linkage.events.reference import Merging
from linkage.routing.border import is_near
from tests import small_county
from tests.small_county import NORTH, SOUTH

AT = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
KINDS = (
    "ems",
    "ems.vehicle_accident",
    "ems.fall_victim",
    "ems.head_injury",
    "fire.vehicle_accident",
    "fire.fire_alarm",
    "traffic.vehicle_accident",
    "traffic.road_obstruction",
)
CROSSING = Place(township=NORTH, words="ELM ST & OAK AVE, NORTH", latitude=30.15, longitude=110.05)
CRASH, AMBULANCE, FALL = "traffic.vehicle_accident", "ems.vehicle_accident", "ems.fall_victim"


class Hub:
    """The stage `information` of one township, by the imported county's rules of merging."""

    def __init__(self) -> None:
        known = small_county.reference(NORTH)
        merging = Merging.model_validate(merging_of(KINDS))
        policy = known.policy.model_copy(update={"merging": merging})
        self.reference = Reference.of(known.model_copy(update={"policy": policy}))
        self.state: Information = information.INITIAL
        self.number = 0

    def hears(self, kind: str, place: Place = CROSSING, after_s: float = 0, **fields: object) -> list[Fact]:
        """What a report leads to; it is published an hour after it happened. Its id is `r<n>`, from 1."""
        self.number += 1
        report = ReportIncident.model_validate(
            {"kind": kind, "place": place, "occurred_at": AT + timedelta(seconds=after_s), **fields}
        )
        return self._step(report, f"r{self.number}", AT + timedelta(hours=1, seconds=self.number))

    def closes(self, incident_id: str, at: datetime) -> None:
        self._step(CloseIncident(incident_id=incident_id, reason="over", signed_by="Li"), "close", at)

    def _step(self, event: ReportIncident | CloseIncident, message_id: str, now: datetime) -> list[Fact]:
        letter = InboxRecord(
            log_id="log", hub=NORTH, kind="report", sender="calls", message_id=message_id, digest="d", data=event
        )
        desk = Desk(NORTH, now, letter, self.reference)
        facts: list[Fact] = []
        for fact in DECIDES[type(event)](self.state, event, desk):
            self.state = information.EVOLVES[type(fact)](self.state, fact)
            facts.append(fact)
        return facts


def told(facts: list[Fact]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


OPENED, MERGED, ASKED = ["IncidentOpened"], ["ReportMerged"], ["IncidentOpened", "IncidentsLinked"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ELM ST & OAK AVE", "OAK AVE & ELM ST, NORTH, 100"),
        ("W ELM ST & OAK AVE", "OAK AVE & ELM ST"),
        ("RT422 EB & OAK AVE UNDERPASS", "OAK AVE & RT422"),
        ("人民路与解放路交叉口", "解放路/人民路"),
    ],
)
def test_roads_are_the_same_whichever_end_names_them(one: str, other: str) -> None:
    assert roads(one) == roads(other)
    assert len(roads(one)) == 2


def test_what_stands_in_a_roads_place_is_no_road() -> None:
    """Two dead ends, or two railroad crossings, share nothing."""
    assert roads("ELM ST & DEAD END") == ("elm st",)
    assert roads("no address, NORTH") == ()


def test_the_events_own_time_is_compared() -> None:
    """Published together, but an hour and a half apart: two crashes. A minute apart: one."""
    hub = Hub()
    assert told(hub.hears(CRASH)) == OPENED
    assert told(hub.hears(CRASH, after_s=5400)) == OPENED
    assert told(hub.hears(AMBULANCE, after_s=60)) == MERGED


def test_a_merge_says_what_tipped_it() -> None:
    hub = Hub()
    hub.hears(CRASH)
    (merged,) = hub.hears(AMBULANCE, after_s=-60)
    assert isinstance(merged, ReportMerged)
    assert merged.comparison is not None
    assert merged.comparison.compared_with.message_id == "r1"
    assert merged.comparison.rule == "crash_crash"
    assert merged.comparison.reasons == ("kinds_fit", "same_address", "own_times_close")
    assert (merged.comparison.seconds_apart, merged.comparison.limit_s) == (60, 1800)
    assert (merged.comparison.distance_m, merged.comparison.candidates) == (0, 1)


def test_a_road_alone_lies_at_its_middle_and_is_still_the_same_crash() -> None:
    """1.1 km off: the road's point may be so far off, a crossing's may not."""
    hub = Hub()
    hub.hears(CRASH)
    middle = Place(township=NORTH, words="ELM ST", latitude=30.16, longitude=110.05, accuracy_m=2000)
    assert told(hub.hears(AMBULANCE, middle, 40)) == MERGED
    exact = middle.model_copy(update={"words": "ELM ST & PINE ST", "accuracy_m": None})
    other = Hub()
    other.hears(CRASH)
    assert told(other.hears(AMBULANCE, exact, 40)) == OPENED


def test_a_fallback_point_says_nothing_of_what_lies_there() -> None:
    """Distance 0, other roads: two crashes where the map put what it did not find; one where the points are good."""
    elsewhere = CROSSING.model_copy(update={"words": "PINE ST & FIR ST"})
    hub = Hub()
    hub.hears(CRASH)
    assert told(hub.hears(AMBULANCE, elsewhere, 40)) == MERGED
    far_off = {"accuracy_m": 20_000.0}
    hub = Hub()
    hub.hears(CRASH, CROSSING.model_copy(update=far_off))
    assert told(hub.hears(AMBULANCE, elsewhere.model_copy(update=far_off), 40)) == OPENED


def test_a_home_with_several_patients_a_day_is_not_one_patient() -> None:
    """A second fall within ten minutes is the same one, until the address is busy: then a person is asked."""
    hub = Hub()
    hub.hears(FALL)
    assert told(hub.hears(FALL, after_s=600)) == MERGED
    assert told(hub.hears("ems.head_injury", after_s=6000)) == OPENED
    assert told(hub.hears("ems.head_injury", after_s=12000)) == OPENED
    assert told(hub.hears(FALL, after_s=12600)) == OPENED
    asked = hub.hears(FALL, after_s=13200)
    assert told(asked) == ASKED
    linked = asked[1]
    assert isinstance(linked, IncidentsLinked)
    assert (linked.certainty, linked.relation) == ("unsure", "RELATED")
    assert "busy_address" in linked.comparison.reasons


def test_who_says_only_the_township_says_the_same_place() -> None:
    """Nothing else is known of either; a second township's is never the same."""
    hub = Hub()
    hub.hears(CRASH, Place(township=NORTH))
    assert told(hub.hears(AMBULANCE, Place(township=NORTH), 60)) == MERGED
    assert told(hub.hears(AMBULANCE, Place(township=NORTH, words="no address, NORTH"), 90)) == OPENED


def test_a_crash_and_an_alarm_at_one_corner_are_two_events() -> None:
    hub = Hub()
    hub.hears("fire.fire_alarm")
    assert told(hub.hears("traffic.road_obstruction", after_s=60)) == OPENED


def test_a_record_published_again_with_another_place_is_a_revision() -> None:
    hub = Hub()
    hub.hears(CRASH)
    corrected = CROSSING.model_copy(update={"words": "PINE ST & FIR ST", "latitude": 30.17})
    (revised,) = hub.hears(CRASH, corrected, supersedes="r1", revision=2)
    assert isinstance(revised, ReportRevised)
    assert told(hub.hears(AMBULANCE, corrected, 60)) == MERGED, "what is told of the corrected place is found there"


def test_the_nearest_of_several_is_taken_and_the_order_of_reports_decides_nothing_else() -> None:
    hub = Hub()
    near, far = CROSSING, CROSSING.model_copy(update={"words": "ELM ST & PINE ST", "latitude": 30.153})
    first, second = hub.hears(CRASH, far)[0], hub.hears(CRASH, near, 1000)[0]
    assert isinstance(first, IncidentOpened)
    assert isinstance(second, IncidentOpened)
    (merged,) = hub.hears(AMBULANCE, near, 600)
    assert isinstance(merged, ReportMerged)
    assert merged.incident_id == second.incident_id


def test_closed_incidents_leave_every_index_when_their_memory_is_over() -> None:
    """Memory is bounded: after the span nothing of an incident is left, and its address is not busy any more."""
    hub = Hub()
    (opened,) = hub.hears(FALL)
    assert isinstance(opened, IncidentOpened)
    hub.closes(opened.incident_id, AT + timedelta(hours=2))
    assert not hub.state.at_place
    (again,) = hub.hears(FALL, after_s=40_000)
    assert isinstance(again, IncidentOpened)
    assert again.follows == opened.incident_id
    hub.closes(again.incident_id, AT + timedelta(days=40))
    assert set(hub.state.of_report.values()) == {again.incident_id}
    assert set(hub.state.visits.values()) == {1}
    assert set(hub.state.closed_at.values()) == {again.incident_id}


def test_a_neighbour_hears_of_what_lies_near_its_box() -> None:
    hub = Hub()
    desk = Desk(NORTH, AT, None, hub.reference)  # type: ignore[arg-type]
    box = small_county.EXTENT[SOUTH]
    at_the_border = CROSSING.model_copy(update={"latitude": 30.104})
    assert is_near(at_the_border, box, desk), "440 m"
    assert not is_near(CROSSING, box, desk)
    assert is_near(CROSSING.model_copy(update={"accuracy_m": 20_000.0}), box, desk), "it may lie there"
    assert not is_near(Place(township=NORTH, words="ELM ST"), box, desk)
    assert is_near(CROSSING, None, desk)


def test_the_same_reports_give_the_same_facts_whatever_stands_in_the_index() -> None:
    """Deciding again gives the same: no order of a set or map shows."""
    first, second = Hub(), Hub()
    for hub in (first, second):
        hub.hears(CRASH)
        hub.hears(FALL, after_s=30)
    second.state = second.state._replace(visits=second.state.visits.set("x", 1).delete("x"))
    assert first.hears(AMBULANCE, after_s=60) == second.hears(AMBULANCE, after_s=60)
