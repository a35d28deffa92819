"""The report on an incident says who was asked, came, was late, was replaced, and why: from the journal alone."""

import io
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from rich.console import Console

from linkage.events.envelope import Fact
from linkage.replay.chronicle import NoSuchIncident
from linkage.replay.incident import incident_report
from linkage.replay.labels import Labels
from linkage.replay.listing import incidents
from linkage.replay.report import DepartmentLine, IncidentReport, TeamLine
from linkage.replay.tables import WIDTH_COLUMNS, incident_view, incidents_view, timeline_view
from linkage.replay.words import WORDS, span
from tests import small_county as county
from tests.replay.doctored import find_fact, items
from tests.replay.landslide import landslide

SHANGHAI = ZoneInfo("Asia/Shanghai")


def in_north() -> IncidentReport:
    journal = landslide().journal
    opened = next(fact for item in items(journal) if (fact := find_fact(item, "IncidentOpened", follows=None)))
    assert opened["place"]["village"] == county.VILLAGE[county.NORTH]
    return incident_report(journal, opened["incident_id"])


def in_south() -> IncidentReport:
    line = next(one for one in incidents(landslide().journal) if one.hub.code == county.SOUTH)
    return incident_report(landslide().journal, line.incident_id)


def shown(view: Any) -> str:
    """What a terminal of the report's width shows."""
    out = io.StringIO()
    Console(file=out, width=WIDTH_COLUMNS, markup=False, emoji=False, highlight=False).print(view)
    return out.getvalue()


def department(report: IncidentReport, party: str) -> DepartmentLine:
    return next(one for one in report.departments if one.party.code == party)


def team(report: IncidentReport, name: str) -> TeamLine:
    return next(one for one in report.teams if one.team.code == name)


def test_the_header_says_what_where_when_and_who_closed_it() -> None:
    report = in_north()
    assert (report.kind.en, report.kind.zh) == ("landslide danger", "滑坡险情")
    assert report.place.zh == "北镇云台村"
    assert report.closing is not None
    assert (report.closing.signed_by, report.closing.reason) == ("Li 李", "slope holds")
    assert report.closing.post.code == county.NORTH
    assert report.opened_at < report.closing.at
    assert in_south().closing is None


def test_every_report_says_what_became_of_it() -> None:
    """Opened, merged with the seconds between, revised; the one that came twice counts as one, sent twice."""
    report = in_north()
    assert [(one.message_id, one.how, one.sent_again) for one in report.reports] == [
        ("g-1", "opened", 1),
        ("h-1", "merged", 0),
        ("g-1-bis", "revised", 0),
    ]
    assert report.reports[1].seconds_apart == 2
    (placed,) = in_south().reports
    assert (placed.message_id, placed.placed_at is not None) == ("h-2", True)


def test_the_whistle_table_says_who_came_late_by_phone_or_not_at_all() -> None:
    report = in_north()
    silent = department(report, "natural-resources")
    assert (silent.outcome, silent.received, silent.times_overdue) == ("silent", None, 2)
    assert silent.replaced_by is not None
    assert silent.replaced_by.code == "emergency"
    successor = department(report, "emergency")
    assert (successor.because, successor.outcome) == ("silent", "met")
    assert successor.replaces is not None
    assert successor.replaces.code == "natural-resources"
    late = department(report, "health")
    assert (late.outcome, late.limit_s) == ("late", county.REPORT_IN_S)
    assert late.reported_in is not None
    assert late.late_s == late.reported_in.span_s - county.REPORT_IN_S > 0
    assert late.received is not None
    assert late.received.attested is not None
    assert late.received.attested.channel == "phone"


def test_the_teams_table_says_why_this_one_and_who_took_its_place() -> None:
    report = in_north()
    declined = team(report, "north-rescue")
    assert (declined.outcome, declined.reason, declined.because) == ("declined", "no vehicle", "first")
    chosen = next(one for one in declined.considered if one.verdict == "chosen")
    assert (chosen.minutes, chosen.has_skill, declined.skill) == (10, True, "slope_rescue")
    silent = team(report, "north-militia")
    assert silent.silent_at is not None
    assert silent.done is not None
    assert (silent.outcome, silent.released_at) == ("done", silent.done.at)
    brigade = team(report, "county-brigade")
    assert (brigade.is_county, brigade.outcome) == (True, "done")
    assert [answer for answer, _ in brigade.answers] == ["received", "accepted", "en_route", "reported_in", "done"]
    assert brigade.arrived is not None
    assert brigade.arrived.span_s == int((brigade.arrived.at - brigade.ordered_at).total_seconds())
    south = in_south()
    assert team(south, "south-militia").because == "silent"
    successor = team(south, "south-rescue").replaced_by
    assert successor is not None
    assert successor.code == "south-militia"


def test_what_was_asked_of_the_county_and_what_it_said() -> None:
    first = in_north().county_requests[0]
    assert [one.outcome for one in first.answers] == ["promised", "refused", "given back"]
    assert first.answers[0].team is not None
    assert first.answers[0].team.code == "county-brigade"
    assert any(one.refusals == 1 for one in in_north().county_requests)


def test_deadlines_levels_refusals_and_who_was_told() -> None:
    """Every deadline of the incident is counted once, with the county's for the team it lent."""
    report = in_north()
    journal = items(landslide().journal)
    facts = [one["fact"] for item in journal for one in item.get("facts", ())]
    ours = {
        one["deadline_id"]
        for one in facts
        if one["type"] == "linkage.DeadlineSet.v0" and one["incident_id"] == report.incident_id
    }
    ended = [one for one in facts if one["type"] == "linkage.DeadlineEnded.v0" and one["deadline_id"] in ours]
    assert report.deadlines.ended == len(ended) == len(ours)
    assert report.deadlines.overdue == sum(one["outcome"] == "overdue" for one in ended) > 0
    assert report.deadlines.open == ()
    assert in_south().deadlines.open != ()
    assert [(one.level, one.is_provisional, one.unknown) for one in report.levels] == [
        ("II", True, ("dead",)),
        ("II", False, ()),
    ]
    (refusal,) = report.refusals
    assert (refusal.sender.code, refusal.code) == ("natural-resources", "not_your_order")
    told = [(one.who.code, one.awaited, one.told.code if one.told else None) for one in report.overdue]
    assert ("natural-resources", "received", "emergency") in told
    assert ("natural-resources", "received", county.COUNTY) in told


def test_an_id_may_be_shortened_until_it_is_ambiguous() -> None:
    journal = landslide().journal
    report = in_north()
    assert incident_report(journal, report.incident_id[:8]) == report
    with pytest.raises(NoSuchIncident, match="begins 2 incidents"):
        incident_report(journal, "I-")
    with pytest.raises(NoSuchIncident, match="replay incidents"):
        incident_report(journal, "I-nothing")


def test_the_order_of_the_partitions_changes_nothing() -> None:
    """The county's part may come before the township's or after it."""
    journal = landslide().journal
    turned = sorted(journal, key=lambda one: -one.partition)
    report = in_north()
    assert incident_report(turned, report.incident_id) == report
    assert incidents(turned) == incidents(journal)


def test_the_report_fits_its_width_and_shows_what_matters() -> None:
    """At most 110 columns, Chinese counted as two; the words a tired person looks for are there."""
    report = in_north()
    text = shown(incident_view(report, SHANGHAI))
    assert max(cell_len(line.rstrip()) for line in text.splitlines()) <= WIDTH_COLUMNS
    for words in (
        "滑坡险情",
        "签发 Li 李",
        "late 迟到",
        "by phone",
        "silent 无应答",
        "none open",
        "no vehicle",
        "same receipt",
    ):
        assert words in " ".join(text.split()), words
    listed = shown(incidents_view(incidents(landslide().journal), SHANGHAI))
    assert report.incident_id in listed
    assert all(words in listed for words in ("reports", "2 of 3", "teams", "逾期", "IV?"))
    assert (
        f"{report.deadlines.overdue}" in next(line for line in listed.splitlines() if report.incident_id in line)[-8:]
    )
    assert max(cell_len(line.rstrip()) for line in listed.splitlines()) <= WIDTH_COLUMNS


def test_times_are_those_of_the_zone() -> None:
    report = in_north()
    for zone in ("Asia/Shanghai", "America/St_Johns"):
        local = report.opened_at.astimezone(ZoneInfo(zone))
        assert f"{local:%Y-%m-%d %H:%M:%S}" in shown(incident_view(report, ZoneInfo(zone)))


def test_the_timeline_holds_every_fact_of_the_incident_in_order() -> None:
    """What the county did for it stands in it, in the order of time, each in words."""
    report = in_north()
    assert [one.at for one in report.timeline] == sorted(one.at for one in report.timeline)
    stages = {(one.hub.code, one.stage) for one in report.timeline}
    assert {
        (county.NORTH, stage) for stage in ("reception", "information", "assessment", "whistle", "dispatch")
    } <= stages
    assert (county.COUNTY, "dispatch") in stages
    assert all(one.words for one in report.timeline)
    text = shown(timeline_view(report.timeline, report.hub, SHANGHAI))
    assert "whistle blown 吹哨" in text
    assert "D-" not in text


def test_every_fact_of_the_vocabulary_has_words() -> None:
    """A fact without words would end a replay with an error in the worst moment."""
    union, _discriminator = get_args(Fact)
    assert set(get_args(union)) == set(WORDS)


def test_words_without_reference_data_are_codes() -> None:
    labels = Labels()
    assert labels.party("health").both == "health"
    assert labels.team("t1", "一队").both == "t1 一队"
    assert labels.kind("nat.geo").both == "nat.geo"


@pytest.mark.parametrize(("seconds", "words"), [(0, "00:00"), (75, "01:15"), (3_600, "1:00:00"), (-61, "-01:01")])
def test_spans_are_minutes_and_seconds(seconds: int, words: str) -> None:
    assert span(seconds) == words
