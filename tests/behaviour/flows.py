"""The behaviour of the engine, flow by flow: given a small county, when this is said, then that is heard.

Every flow runs on the memory log and on Apache Kafka with the same name (`test_behaviour.py`).
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from linkage import identity
from linkage.events.assessment import IncidentAssessed
from linkage.events.base import Attested, Channel, Counts, Level, Place
from linkage.events.deadlines import DeadlineEnded, DeadlineSet
from linkage.events.dispatch import (
    CountyTeamPromised,
    CountyTeamRefused,
    CountyTeamRequested,
    LentTeamChanged,
    TeamAnswered,
    TeamOrdered,
    TeamOverdue,
    TeamReleased,
    TeamsExhausted,
)
from linkage.events.inbound import CloseIncident, JudgeLink, LoadReference, PlaceReport, RecordAnswer, WithdrawTeam
from linkage.events.information import (
    IncidentClosed,
    IncidentOpened,
    IncidentsLinked,
    LinkJudged,
    LinkNoted,
    LinkProposed,
    ReportMerged,
    ReportRevised,
    ReportStillUnplaced,
)
from linkage.events.outbound import DispatchTeam, IssueReceipt, IssueRefusal, StandDown
from linkage.events.reception import MessageRecorded, MessageRefused, MessageRepeated
from linkage.events.whistle import DepartmentAnswered, DepartmentOverdue, DepartmentsExhausted, DepartmentWhistled
from tests import small_county
from tests.behaviour.world import World
from tests.small_county import COUNTY, NORTH, SOUTH

Flow = Callable[[World], Awaitable[None]]
FLOWS: dict[str, Flow] = {}


def flow(function: Flow) -> Flow:
    """Registers a flow under its own name."""
    FLOWS[function.__name__] = function
    return function


async def _opened(world: World, message_id: str = "r1", **fields: object) -> str:
    """Given: a report has opened an incident in North; returns its id."""
    await world.report(message_id, **fields)  # type: ignore[arg-type]
    receipt = await world.receipt("grid", message_id, outcome="opened")
    assert receipt.incident_id is not None
    return receipt.incident_id


# information ----------------------------------------------------------------------------------------------------


@flow
async def a_report_opens_an_incident_and_sets_everything_off(world: World) -> None:
    """Given a county at rest, when a report comes, then receipt, whistle and order leave in one step."""
    incident = await _opened(world, counts=Counts(people_at_risk=120, dead=0))
    lead = await world.whistled("natural-resources")
    assert (lead.role, lead.briefing.incident_id, lead.briefing.level) == ("lead", incident, Level.III)
    assert (await world.whistled("health")).role == "assist"
    assert (await world.ordered("north-rescue")).hub == NORTH
    steps = [
        entry for entry in await world.journal() if any(isinstance(one.fact, IncidentOpened) for one in entry.facts)
    ]
    assert len(steps) == 1
    assert {"information", "assessment", "whistle", "dispatch"} <= {one.stage for one in steps[0].facts}


@flow
async def a_second_report_of_the_same_place_and_kind_is_merged(world: World) -> None:
    """Given an open incident, when another source reports the same, then it is merged and nobody is ordered twice."""
    incident = await _opened(world)
    await world.report("h1", sender="hotline")
    assert (await world.receipt("hotline", "h1")).outcome == "merged"
    merged = await world.fact(ReportMerged, incident_id=incident)
    assert merged.seconds_apart <= merged.window_s
    assert len([one for one in await world.facts() if isinstance(one, TeamOrdered)]) == 1


@flow
async def a_report_that_names_the_group_is_merged_with_one_that_names_only_the_village(world: World) -> None:
    """Given a report of group 2, then one of the village is the same event, one of group 3 is not."""
    village = small_county.VILLAGE[NORTH]
    await _opened(world, place=Place(township=NORTH, village=village, group=f"{village}02"))
    await world.report("h1", sender="hotline")
    assert (await world.receipt("hotline", "h1")).outcome == "merged"
    await world.report("h2", sender="hotline", place=Place(township=NORTH, village=village, group=f"{village}03"))
    assert (await world.receipt("hotline", "h2")).outcome == "opened"


@flow
async def the_same_report_again_gets_the_same_receipt_and_changes_nothing(world: World) -> None:
    """Given a report that was received, when it is delivered again, then the very receipt comes again, nothing else."""
    await _opened(world)
    await world.report("r1")
    await world.fact(MessageRepeated, message_id="r1")
    receipts = [one for one in await world.dispatched("grid") if isinstance(one, IssueReceipt)]
    assert len(receipts) == 2
    assert receipts[0] == receipts[1]
    assert len([one for one in await world.facts() if isinstance(one, TeamOrdered)]) == 1


@flow
async def the_same_id_with_other_content_is_refused(world: World) -> None:
    """Given a report, when other content comes under its id, then it is refused and what was stands."""
    await _opened(world)
    await world.report("r1", counts=Counts(people_at_risk=5000))
    refusal = await world.refusal("grid", "r1", code="same_id_other_content")
    assert refusal.fault == "sender"
    assert not [one for one in await world.facts() if isinstance(one, IncidentAssessed) and one.level is Level.I]


@flow
async def a_revision_replaces_the_numbers_and_raises_the_level(world: World) -> None:
    """Given an incident of level IV, when its reporter revises it to 120 people, then level III needs a second team."""
    incident = await _opened(world)
    await world.report("r2", supersedes="r1", revision=2, counts=Counts(people_at_risk=120))
    assert (await world.receipt("grid", "r2")).outcome == "revised"
    await world.fact(ReportRevised, incident_id=incident, supersedes="r1")
    assessed = await world.fact(IncidentAssessed, incident_id=incident, level=Level.III)
    assert assessed.previous is Level.IV
    await world.ordered("north-militia")


@flow
async def an_unknown_number_makes_the_level_provisional_and_is_asked_for(world: World) -> None:
    """Given a report without the number of dead, then the level is provisional and the post is asked for it."""
    await _opened(world, counts=Counts(people_at_risk=120))
    assessed = await world.fact(IncidentAssessed, is_provisional=True)
    assert assessed.unknown == ("dead",)
    assert "dead" in (await world.notice(NORTH, "numbers_wanted")).text_en


@flow
async def a_report_without_a_township_waits_at_the_county_until_it_is_placed(world: World) -> None:
    """Given a report without a township, when the county's desk places it, then the township opens the incident."""
    await world.report("lost", township=None)
    assert (await world.receipt("grid", "lost")).outcome == "unplaced"
    await world.notice(COUNTY, "report_unplaced")
    await world.command(COUNTY, PlaceReport(report_sender="grid", report_id="lost", township=SOUTH, reason="river"))
    receipt = await world.receipt("grid", "lost", outcome="opened")
    assert receipt.hub == SOUTH
    await world.fact(DeadlineEnded, outcome="met", reason=f"placed in {SOUTH}")


@flow
async def a_report_that_moved_is_remembered_where_it_went(world: World) -> None:
    """Given a report that was placed in South, when its id comes there with other content, then that is refused."""
    await world.report("lost", township=None)
    await world.notice(COUNTY, "report_unplaced")
    await world.command(COUNTY, PlaceReport(report_sender="grid", report_id="lost", township=SOUTH, reason="river"))
    await world.fact(IncidentOpened)
    await world.report("lost", township=SOUTH)
    await world.refusal("grid", "lost", code="same_id_other_content", hub=SOUTH)
    assert not [one for one in await world.facts() if isinstance(one, ReportMerged)]


@flow
async def an_unplaced_report_that_nobody_places_is_escalated(world: World) -> None:
    """Given an unplaced report, when its deadline passes, then the ladder is told, and the desk again."""
    await world.report("lost", township=None)
    await world.fact(ReportStillUnplaced, told="emergency", rung=1)
    await world.notice("emergency", "report_still_unplaced")
    await world.notice(COUNTY, "report_still_unplaced")


@flow
async def a_report_after_closing_opens_an_incident_that_follows_the_first(world: World) -> None:
    """Given a closed incident, when danger is reported there again, then a new one opens at once, linked to it."""
    incident = await _opened(world)
    await world.command(NORTH, CloseIncident(incident_id=incident, reason="over", signed_by="Li"), "close")
    await world.receipt(NORTH, "close")
    again = await _opened(world, "r9")
    assert again != incident
    assert (await world.fact(IncidentOpened, incident_id=again)).follows == incident


# whistle ----------------------------------------------------------------------------------------------------


@flow
async def a_department_answers_step_by_step_until_it_is_done(world: World) -> None:
    """Given a whistle, when the department answers each step in time, then each deadline is met, none is overdue."""
    await _opened(world)
    order = await world.whistled("health")
    for answer in ("received", "accepted", "en_route", "reported_in", "done"):
        await world.answer(order, answer)
        await world.fact(DepartmentAnswered, order_id=order.order_id, answer=answer)
    ends = [one for one in await world.facts() if isinstance(one, DeadlineEnded) and one.outcome == "met"]
    assert [end.reason for end in ends][:5] == ["received", "accepted", "en_route", "reported_in", "done"]
    assert not [one for one in await world.facts() if isinstance(one, DepartmentOverdue) and one.party == "health"]


@flow
async def a_lead_department_that_declines_is_replaced_by_the_next_candidate(world: World) -> None:
    """Given a whistle, when the lead declines, then the next candidate is whistled for and the post told."""
    await _opened(world)
    order = await world.whistled("natural-resources")
    await world.answer(order, "declined", reason="all at another slide")
    second = await world.whistled("emergency")
    assert second.role == "lead"
    whistled = await world.fact(DepartmentWhistled, party="emergency")
    assert (whistled.because, whistled.replaces) == ("declined", order.order_id)
    assert "all at another slide" in (await world.notice(NORTH, "declined")).text_en


@flow
async def a_silent_department_is_escalated_and_replaced_but_may_still_come(world: World) -> None:
    """Given a silent lead, when its limit passes, then the ladder is told, the next is whistled, and it may come."""
    await _opened(world)
    order = await world.whistled("natural-resources")
    overdue = await world.fact(DepartmentOverdue, order_id=order.order_id, rung=1)
    assert overdue.told == "emergency"
    await world.whistled("emergency")
    own_silence = await world.fact(DepartmentOverdue, party="emergency", rung=1)
    assert own_silence.told == COUNTY
    await world.answer(order, "en_route")
    answered = await world.fact(DepartmentAnswered, order_id=order.order_id)
    assert answered.changed


@flow
async def a_seat_whose_candidates_are_used_up_is_given_to_a_person(world: World) -> None:
    """Given a seat with one candidate, when he declines, then the post is told that a person must find one."""
    await _opened(world)
    await world.answer(await world.whistled("health"), "declined")
    await world.fact(DepartmentsExhausted, slot=1, because="declined")
    await world.notice(NORTH, "departments_exhausted")


@flow
async def the_post_writes_down_what_it_heard_by_telephone(world: World) -> None:
    """Given a department that does not type, when the post records its answer, then it counts, marked attested."""
    await _opened(world)
    order = await world.whistled("health")
    heard = Attested(
        on_behalf_of="health", channel=Channel.PHONE, heard_at="2026-11-23T02:00:00+08:00", recorded_by="Wang"
    )
    command = RecordAnswer(order_id=order.order_id, answer="accepted", attested=heard)  # type: ignore[arg-type]
    await world.command(NORTH, command, "by-phone")
    await world.receipt(NORTH, "by-phone")
    answered = await world.fact(DepartmentAnswered, order_id=order.order_id)
    assert answered.attested is not None
    assert answered.attested.channel is Channel.PHONE


@flow
async def nobody_answers_for_another(world: World) -> None:
    """Given an order to one department, when another answers it, then that is refused and nothing changes."""
    await _opened(world)
    order = await world.whistled("natural-resources")
    message_id = await world.answer(order, "declined", sender="health")
    assert (await world.refusal("health", message_id)).code == "not_your_order"
    assert not [one for one in await world.facts() if isinstance(one, DepartmentAnswered)]


# dispatch ----------------------------------------------------------------------------------------------------


@flow
async def a_team_comes_works_and_is_free_again(world: World) -> None:
    """Given an order, when the team answers until it is done, then it is released and can be ordered again."""
    await _opened(world)
    order = await world.ordered("north-rescue")
    for answer in ("accepted", "en_route", "reported_in", "done"):
        await world.answer(order, answer)
    released = await world.fact(TeamReleased, order_id=order.order_id)
    assert released.reason == "done"
    await world.report("other", place=Place(township=NORTH, words="quarry"))
    await world.receipt("grid", "other", outcome="opened")
    orders = [one for one in await world.dispatched(NORTH) if isinstance(one, DispatchTeam)]
    assert [one.team for one in orders] == ["north-rescue", "north-rescue"]
    assert orders[0].order_id != orders[1].order_id


@flow
async def a_team_that_declines_is_replaced_and_free(world: World) -> None:
    """Given an order, when the team declines, then the next team goes and the first is nobody's."""
    await _opened(world)
    order = await world.ordered("north-rescue")
    await world.answer(order, "declined", reason="no vehicle")
    second = await world.fact(TeamOrdered, team="north-militia")
    assert (second.because, second.replaces) == ("declined", order.order_id)
    assert [(one.team, one.verdict) for one in second.considered] == [
        ("north-rescue", "excluded"),
        ("north-militia", "chosen"),
    ]
    await world.fact(TeamReleased, team="north-rescue", reason="declined")


@flow
async def a_silent_team_is_replaced_but_stays_held(world: World) -> None:
    """Given a silent team, when its limit passes, then the next goes, and the silent one is not ordered elsewhere."""
    await _opened(world)
    await world.fact(TeamOverdue, team="north-rescue", is_unreachable=True)
    await world.ordered("north-militia")
    await world.report("other", place=Place(township=NORTH, words="quarry"))
    await world.receipt("grid", "other", outcome="opened")
    orders = [one for one in await world.facts() if isinstance(one, TeamOrdered) and one.team == "north-rescue"]
    assert len(orders) == 1
    await world.fact(CountyTeamPromised, team="county-brigade")


@flow
async def a_team_that_is_late_on_the_way_is_escalated(world: World) -> None:
    """Given a team that accepted, when it does not set out in time, then the ladder is told, nobody replaces it."""
    await _opened(world)
    order = await world.ordered("north-rescue")
    await world.answer(order, "accepted")
    overdue = await world.fact(TeamOverdue, order_id=order.order_id)
    assert (overdue.awaited, overdue.is_unreachable) == ("en_route", False)
    await world.notice("emergency", "overdue")
    assert not [one for one in await world.facts() if isinstance(one, TeamOrdered) and one.team == "north-militia"]


@flow
async def the_county_orders_its_team_when_the_township_has_none_left(world: World) -> None:
    """Given both own teams declined, when the county is asked, then its brigade goes and the township hears how."""
    await _opened(world)
    await world.answer(await world.ordered("north-rescue"), "declined")
    await world.answer(await world.ordered("north-militia"), "declined")
    order = await world.ordered("county-brigade", "fire-rescue")
    assert order.hub == COUNTY
    await world.fact(CountyTeamPromised, team="county-brigade", order_id=order.order_id)
    for answer in ("accepted", "en_route", "reported_in"):
        await world.answer(order, answer)
        await world.fact(LentTeamChanged, order_id=order.order_id, state=answer)
    await world.answer(order, "done")
    await world.fact(LentTeamChanged, order_id=order.order_id, state="released")


@flow
async def the_county_is_asked_again_and_then_a_person_must_find_a_team(world: World) -> None:
    """Given the county's only team declines, when it is asked again in vain, then post and county are told so."""
    await _opened(world)
    await world.answer(await world.ordered("north-rescue"), "declined")
    await world.answer(await world.ordered("north-militia"), "declined")
    await world.answer(await world.ordered("county-brigade", "fire-rescue"), "declined")
    refused = await world.fact(CountyTeamRefused)
    assert refused.retry_s is not None
    await world.fact(TeamsExhausted)
    await world.notice(NORTH, "teams_exhausted")


@flow
async def a_county_team_that_was_silent_and_came_is_called_back_on_closing(world: World) -> None:
    """Given the county's only team stays silent and then comes, when the incident is closed, it stands down, too."""
    incident = await _opened(world)
    await world.answer(await world.ordered("north-rescue"), "declined")
    await world.answer(await world.ordered("north-militia"), "declined")
    order = await world.ordered("county-brigade", "fire-rescue")
    await world.fact(CountyTeamRefused)
    await world.answer(order, "reported_in")
    await world.fact(LentTeamChanged, order_id=order.order_id, state="reported_in")
    await world.command(NORTH, CloseIncident(incident_id=incident, reason="over", signed_by="Li"))
    await world.answer(await world.heard("fire-rescue", StandDown, order_id=order.order_id), "done")
    await world.fact(TeamReleased, team="county-brigade", reason="done")


@flow
async def a_silent_county_team_that_is_withdrawn_is_not_asked_for_twice(world: World) -> None:
    """Given a silent county team whose seat was asked for anew, when it is withdrawn, then nobody asks a third time."""
    await _opened(world)
    await world.answer(await world.ordered("north-rescue"), "declined")
    await world.answer(await world.ordered("north-militia"), "declined")
    order = await world.ordered("county-brigade", "fire-rescue")
    await world.fact(CountyTeamRefused)
    await world.fact(CountyTeamRequested, refusals=1)
    command = WithdrawTeam(order_id=order.order_id, reason="no answer", replace=True)
    await world.command(NORTH, command, "withdraw")
    await world.receipt(NORTH, "withdraw")
    requests = [one.request_id for one in await world.facts() if isinstance(one, CountyTeamRequested)]
    assert len(requests) == len(set(requests)) == 2


@flow
async def a_withdrawn_team_is_held_until_it_says_done(world: World) -> None:
    """Given a team on its way, when the post withdraws it, then it stands down and is free once it says so."""
    await _opened(world)
    order = await world.ordered("north-rescue")
    await world.answer(order, "en_route")
    await world.fact(TeamAnswered, order_id=order.order_id)
    await world.command(NORTH, WithdrawTeam(order_id=order.order_id, reason="road closed"))
    stand_down = await world.heard(NORTH, StandDown, order_id=order.order_id)
    assert stand_down.revision == 2
    assert not [one for one in await world.facts() if isinstance(one, TeamReleased)]
    await world.answer(stand_down, "done")
    await world.fact(TeamReleased, team="north-rescue", reason="done")


@flow
async def a_withdrawn_team_is_replaced_when_the_post_asks_for_it(world: World) -> None:
    """Given a team that goes, when the post withdraws it with `replace`, then the next one goes."""
    await _opened(world)
    order = await world.ordered("north-rescue")
    await world.command(NORTH, WithdrawTeam(order_id=order.order_id, reason="wrong gear", replace=True))
    assert (await world.fact(TeamOrdered, team="north-militia")).replaces == order.order_id


@flow
async def closing_stands_everybody_down_and_lifts_what_is_open(world: World) -> None:
    """Given an incident with orders out, when the post closes it, then all stand down and no deadline of it is left."""
    incident = await _opened(world)
    team = await world.ordered("north-rescue")
    await world.command(NORTH, CloseIncident(incident_id=incident, reason="slope stable", signed_by="Li"), "close")
    await world.receipt(NORTH, "close")
    await world.heard("natural-resources", StandDown)
    stand_down = await world.heard(NORTH, StandDown, team="north-rescue")
    await world.answer(stand_down, "done")
    await world.fact(TeamReleased, order_id=team.order_id)
    facts = await world.facts()
    ended = {one.deadline_id for one in facts if isinstance(one, DeadlineEnded)}
    assert {one.deadline_id for one in facts if isinstance(one, DeadlineSet)} == ended


@flow
async def closing_gives_the_countys_team_back(world: World) -> None:
    """Given a county team in a township, when the incident is closed, then the county stands it down."""
    incident = await _opened(world)
    await world.answer(await world.ordered("north-rescue"), "declined")
    await world.answer(await world.ordered("north-militia"), "declined")
    order = await world.ordered("county-brigade", "fire-rescue")
    await world.fact(CountyTeamPromised)
    await world.command(NORTH, CloseIncident(incident_id=incident, reason="over", signed_by="Li"))
    stand_down = await world.heard("fire-rescue", StandDown, order_id=order.order_id)
    await world.answer(stand_down, "done")
    await world.fact(TeamReleased, team="county-brigade", reason="done")


# the front desk -----------------------------------------------------------------------------------------------


@flow
async def bytes_that_are_no_event_are_refused_with_the_reason(world: World) -> None:
    """Given anything on a source's topic, when it can't be read, then the source hears why and the next goes on."""
    await world.bytes(world.topics.report("grid"), b"\xff\xfe not json")
    refused = await world.fact(MessageRefused, code="unreadable")
    assert refused.fault == "sender"
    await world.heard("grid", IssueRefusal, code="unreadable")
    await _opened(world)


@flow
async def an_invalid_field_is_named(world: World) -> None:
    """Given a report with an impossible latitude, then the refusal names the field."""
    event = '{"specversion":"1.0","id":"bad","source":"grid","type":"linkage.ReportIncident.v0","data":%s}'
    value = (event % '{"kind":"x","place":{"latitude":200}}').encode()
    await world.bytes(world.topics.report("grid"), value)
    refusal = await world.refusal("grid", "bad", code="not_valid")
    assert "place.latitude" in refusal.text_en


@flow
async def a_refused_message_may_be_mended_under_its_id(world: World) -> None:
    """Given a refused command, when it is sent again with the same id and other content, then it is acted on."""
    incident = await _opened(world)
    await world.command(NORTH, CloseIncident(incident_id="I-none", reason="over", signed_by="Li"), "close")
    assert (await world.refusal(NORTH, "close")).code == "no_such_open_incident"
    await world.command(NORTH, CloseIncident(incident_id=incident, reason="over", signed_by="Li"), "close")
    await world.receipt(NORTH, "close")


@flow
async def a_refused_message_stays_refused_when_the_world_has_changed(world: World) -> None:
    """Given a command that was refused, when it comes again and would now be possible, then it is refused as before."""
    incident = identity.incident_id(NORTH, "grid", "r1")
    await world.command(NORTH, CloseIncident(incident_id=incident, reason="over", signed_by="Li"), "early")
    await world.refusal(NORTH, "early", code="no_such_open_incident")
    assert await _opened(world) == incident
    await world.command(NORTH, CloseIncident(incident_id=incident, reason="over", signed_by="Li"), "early")
    await world.command(NORTH, CloseIncident(incident_id="I-none", reason="over", signed_by="Li"), "behind-it")
    await world.refusal(NORTH, "behind-it")
    assert not [one for one in await world.facts() if isinstance(one, IncidentClosed)]


@flow
async def a_refused_message_sent_again_unchanged_gets_the_same_refusal(world: World) -> None:
    """Given a refused command, when the very same comes again, then the very same refusal does."""
    await world.command(NORTH, CloseIncident(incident_id="I-none", reason="over", signed_by="Li"), "close")
    first = await world.refusal(NORTH, "close")
    await world.command(NORTH, CloseIncident(incident_id="I-none", reason="over", signed_by="Li"), "close")
    await _opened(world)
    refusals = [one for one in await world.dispatched(NORTH) if isinstance(one, IssueRefusal)]
    assert refusals == [first, first]


@flow
async def an_answer_to_an_unknown_order_is_refused(world: World) -> None:
    """Given no order, when a department answers one, then it hears that this hub knows none."""
    await world.answer_nobody("a1")
    assert (await world.refusal("health", "a1")).code == "nothing_to_act_on"


@flow
async def a_command_may_not_come_on_a_sources_topic(world: World) -> None:
    """Given a source, when it sends a command on its topic, then that is refused: topics say who may say what."""
    command = CloseIncident(incident_id="I-1", reason="x", signed_by="x")
    await world.say(world.topics.report("grid"), command, "c1", "grid")
    assert (await world.refusal("grid", "c1")).code == "not_allowed_here"


@flow
async def new_reference_data_rules_from_then_on(world: World) -> None:
    """Given a county, when a version is loaded with another team nearest, then the next order goes to it."""
    reference = small_county.reference(NORTH, world.scale, version="small-2")
    teams = tuple(
        team.model_copy(update={"skills": ("slope_rescue",), "travel_minutes": 1})
        if team.id == "north-militia"
        else team
        for team in reference.teams
    )
    newer = reference.model_copy(update={"teams": teams})
    await world.command(COUNTY, LoadReference(hub=NORTH, reference=newer), "load-2")
    await world.receipt(COUNTY, "load-2")
    await _opened(world)
    await world.ordered("north-militia")
    recorded = [one for one in await world.facts() if isinstance(one, MessageRecorded) and one.message_id == "load-2"]
    assert len(recorded) == 1


# merging ---------------------------------------------------------------------------------------------------------

HAPPENED_AT = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
ON_THE_BORDER = {"latitude": 30.1, "longitude": 110.05}


@flow
async def a_crossing_named_from_both_ends_is_one_place(world: World) -> None:
    """Given a report of a crossing, when another names its roads the other way round, then it is merged, and why."""
    place = Place(township=NORTH, words="River Rd & N Mill Ln, North", latitude=30.15, longitude=110.05)
    incident = await _opened(world, place=place, occurred_at=HAPPENED_AT)
    again = place.model_copy(update={"words": "Mill Ln & River Rd"})
    await world.report(
        "h1", sender="hotline", place=again, kind="nat.geo.rockfall", occurred_at=HAPPENED_AT + timedelta(seconds=90)
    )
    merged = await world.fact(ReportMerged, incident_id=incident)
    assert merged.comparison is not None
    assert merged.comparison.reasons == ("kinds_fit", "same_address", "own_times_close")
    assert (merged.comparison.rule, merged.comparison.seconds_apart, merged.comparison.distance_m) == (
        "slope_slope",
        90,
        0,
    )


@flow
async def what_may_be_the_same_is_linked_and_a_person_is_asked(world: World) -> None:
    """Given an incident, when a report of its place comes 15 min later, then it opens its own, and a person decides."""
    incident = await _opened(world, occurred_at=HAPPENED_AT)
    await world.report("h1", sender="hotline", occurred_at=HAPPENED_AT + timedelta(seconds=900))
    other = (await world.receipt("hotline", "h1", outcome="opened")).incident_id
    linked = await world.fact(IncidentsLinked, certainty="unsure")
    assert (linked.one.incident_id, linked.other.incident_id, linked.relation) == (incident, other, "RELATED")
    assert linked.link_id in (await world.notice(NORTH, "incidents_linked")).text_en
    judge = JudgeLink(link_id=linked.link_id, is_one_event=False, reason="two slopes", signed_by="Li")
    await world.command(NORTH, judge, "judge-1")
    assert (await world.receipt(NORTH, "judge-1")).outcome == "recorded"
    assert (await world.fact(LinkJudged)).relation == "UNLINK"


@flow
async def a_link_that_nobody_knows_can_not_be_judged(world: World) -> None:
    """Given no link, when a post judges one, then it hears that its hub has none."""
    judge = JudgeLink(link_id="L-none", is_one_event=True, reason="x", signed_by="Li")
    await world.command(NORTH, judge, "judge-1")
    assert (await world.refusal(NORTH, "judge-1")).code == "no_such_link"


@flow
async def one_event_told_on_both_sides_of_a_border_is_linked_by_the_county(world: World) -> None:
    """Given an incident of North at the border, when South opens the same, then the county links them."""
    here = Place(township=NORTH, words="Ridge Rd", **ON_THE_BORDER)
    one = await _opened(world, place=here, occurred_at=HAPPENED_AT)
    there = here.model_copy(update={"township": SOUTH})
    await world.report("s1", sender="hotline", place=there, occurred_at=HAPPENED_AT + timedelta(seconds=60))
    other = (await world.receipt("hotline", "s1", outcome="opened")).incident_id
    proposed = await world.fact(LinkProposed, incident_id=one)
    linked = await world.fact(IncidentsLinked, link_id=proposed.link_id)
    assert {linked.one.incident_id, linked.other.incident_id} == {one, other}
    assert (linked.relation, linked.certainty) == ("CHILD", "sure")
    for incident in (one, other):
        noted = await world.fact(LinkNoted, incident_id=incident)
        assert noted.parent_id == linked.parent_id
    await world.notice(COUNTY, "incidents_linked")
    await world.notice(SOUTH, "link_noted")


@flow
async def what_is_far_from_the_border_is_not_told_to_the_neighbour(world: World) -> None:
    """Given the same road named in both townships, when the points lie far from the border, then nothing is linked."""
    here = Place(township=NORTH, words="Ridge Rd", latitude=30.18, longitude=110.05)
    await _opened(world, place=here, occurred_at=HAPPENED_AT)
    there = Place(township=SOUTH, words="Ridge Rd", latitude=30.02, longitude=110.05)
    await world.report("s1", sender="hotline", place=there, occurred_at=HAPPENED_AT)
    await world.receipt("hotline", "s1", outcome="opened")
    await world.quiet("q1")
    assert not [one for one in await world.facts() if isinstance(one, LinkProposed | IncidentsLinked)]


@flow
async def a_report_published_again_in_another_township_is_linked_to_its_first(world: World) -> None:
    """Given a report in North, when its sender corrects its township to South, then the county links both."""
    one = await _opened(world, occurred_at=HAPPENED_AT)
    place = Place(township=SOUTH, village=small_county.VILLAGE[SOUTH])
    await world.report("r2", supersedes="r1", revision=2, place=place, occurred_at=HAPPENED_AT)
    other = (await world.receipt("grid", "r2", outcome="opened")).incident_id
    linked = await world.fact(IncidentsLinked)
    assert {linked.one.incident_id, linked.other.incident_id} == {one, other}
    assert linked.comparison.rule == "revision"


@flow
async def a_corrected_place_shows_two_incidents_to_be_one(world: World) -> None:
    """Given two incidents, when the second's report is corrected to the first's place, then they are linked."""
    one = await _opened(world, occurred_at=HAPPENED_AT)
    elsewhere = Place(township=NORTH, words="Mill Ln & River Rd")
    other = await _opened(world, "r2", place=elsewhere, occurred_at=HAPPENED_AT)
    assert other != one
    place = Place(township=NORTH, village=small_county.VILLAGE[NORTH])
    await world.report("r3", supersedes="r2", revision=2, place=place, occurred_at=HAPPENED_AT)
    linked = await world.fact(IncidentsLinked, certainty="sure")
    assert (linked.one.incident_id, linked.other.incident_id) == (one, other)
    assert (await world.fact(ReportRevised)).incident_id == other
