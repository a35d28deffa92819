"""911 calls become a county and its reports: one report for each row, whatever is in it."""

import gzip
import io
import json
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from linkage.agents.desk import Reference
from linkage.county import check_county, events_to_load, load_county
from linkage.edges.montcoalert import ImportSummary, NotMontcoalert, import_calls
from linkage.edges.montcoalert.rows import kind_of, local_instant, station_of
from linkage.edges.montcoalert.survey import TEAMS_OF_TOWNSHIP_LIMIT_COUNT
from linkage.edges.montcoalert.words import labels_of
from linkage.edges.report_lines import ReportLine, read_lines
from linkage.events.envelope import PARTY_MESSAGE
from linkage.events.inbound import ReportIncident

REAL = Path(__file__).resolve().parents[2] / "shared/data/montco911/calls_2015-12_2016-05.csv.gz"
needs_real_calls = pytest.mark.skipif(not REAL.exists(), reason="../shared/data/montco911 is not in this clone")

HEADER = "lat,lng,desc,zip,title,timeStamp,twp,addr,e"


def call(
    desc: str,
    title: str = "EMS: FEVER",
    fed: str = "2016-02-24 21:12:00",
    twp: str = "EAST HILLS",
    addr: str = "OAK",
    at: str = "40.1,-75.3",
    postcode: str = "",
) -> str:
    """A made-up row: places, streets and stations that the feed does not have."""
    return f"{at},{desc},{postcode},{title},{fed},{twp},{addr},1\n"


DAY = "2016-02-24"
ELM, PINE = "ELM WAY & OAK WAY", "PINE RD"
EAST, NORTH = "EAST HILLS", "NORTH HILLS"
ROWS = "".join(
    (
        call(
            f"{ELM}; Station 901; {DAY} @ 20:58:11;", "EMS: FALL VICTIM", f"{DAY} 21:02:00", addr=ELM, postcode="10001"
        ),
        call(
            f"{ELM}; {DAY} @ 20:59:40-Station:STA77;", "Fire: GAS-ODOR/LEAK", f"{DAY} 21:02:00", at="40.1004,-75.3003"
        ),
        call(
            f"{PINE}; {DAY} @ 21:00:02;", "Traffic: VEHICLE ACCIDENT -", f"{DAY} 21:07:00", NORTH, PINE, "40.13,-75.3"
        ),
        call(f"{PINE}; Station 901; {DAY} @ 21:01:00;", "EMS: VEHICLE ACCIDENT", twp=NORTH, at="40.1301,-75.3001"),
        call(f"{ELM}; Station 901; {DAY} @ 21:03:00;", "EMS: CVA/STROKE", twp="East Hills", at="40.0990,-75.3100"),
        call(f"FAR; Station 955; {DAY} @ 21:04:00;", "EMS: SEIZURES", twp="NEXT COUNTY", at="40.2,-75.9"),
        call(f"NO PLACE; Station 901; {DAY} @ 21:05:00;", twp="", addr=""),
    )
)
CALLED = f"OAK; Station 901; {DAY} @ 21:05:00;"


def imported(tmp_path: Path, text: str, name: str = "calls.csv") -> tuple[ImportSummary, list[dict[str, Any]]]:
    path = tmp_path / name
    path.write_bytes(text.encode())
    out = io.StringIO()
    summary = import_calls(path, tmp_path / "county", out)
    return summary, [json.loads(line) for line in out.getvalue().splitlines()]


def with_row(row: str) -> str:
    return f"{HEADER}\n{ROWS}{row}"


class TestReports:
    def test_each_row_is_one_report_under_its_row_number(self, tmp_path: Path) -> None:
        """What `linkage publish` reads: structured CloudEvents whose data is a report that the engine accepts."""
        summary, events = imported(tmp_path, f"{HEADER}\n{ROWS}")
        assert summary.rows == summary.reports == len(events) == 7
        assert [event["id"] for event in events] == [f"montco-{row}" for row in range(7)]
        assert {event["source"] for event in events} == {"montcoalert"}
        reports = [PARTY_MESSAGE.validate_python(event["data"]) for event in events]
        assert all(isinstance(report, ReportIncident) for report in reports)
        lines = list(read_lines(io.BytesIO("".join(json.dumps(event) + "\n" for event in events).encode())))
        assert all(isinstance(line, ReportLine) for line in lines)
        first = events[0]
        assert first["time"] == "2016-02-24T21:02:00-05:00"
        assert first["data"]["occurred_at"] == "2016-02-24T20:58:11-05:00"
        assert first["data"]["kind"] == "ems.fall_victim"
        assert first["data"]["summary"] == "EMS: FALL VICTIM"
        assert first["data"]["place"] == {
            "township": "990201101",
            "words": "ELM WAY & OAK WAY, EAST HILLS, 10001",
            "latitude": 40.1,
            "longitude": -75.3,
            "coordinate_system": "WGS84",
        }

    def test_another_county_or_no_township_stays_unplaced(self, tmp_path: Path) -> None:
        summary, events = imported(tmp_path, f"{HEADER}\n{ROWS}")
        townships = [event["data"]["place"].get("township") for event in events]
        assert townships == ["990201101", "990201101", "990201102", "990201102", "990201101", None, None]
        assert summary.unplaced == 2
        assert "NEXT COUNTY" in events[5]["data"]["place"]["words"]

    def test_a_point_that_can_not_be_is_left_out_and_told(self, tmp_path: Path) -> None:
        row = call(CALLED, at="91.5,-75.3")
        summary, events = imported(tmp_path, with_row(row))
        place = events[7]["data"]["place"]
        assert "latitude" not in place
        assert "coordinates 91.5 -75.3 are none and were left out" in place["words"]
        (problem,) = summary.problems
        assert (problem.file, problem.line) == ("calls.csv", 9)
        assert problem.remedy

    def test_a_point_in_another_state_is_left_out_and_told(self, tmp_path: Path) -> None:
        row = call(CALLED, at="32.0,-86.0")
        summary, events = imported(tmp_path, with_row(row))
        assert "longitude" not in events[7]["data"]["place"]
        assert "km away and were left out" in events[7]["data"]["place"]["words"]
        assert events[7]["data"]["place"]["township"] == "990201101"
        assert summary.problems_count == 1

    @pytest.mark.parametrize(
        ("row", "complaints", "known"),
        [
            (call("OAK; -- @ ::;"), 1, {"occurred_at": "2016-02-24T21:12:00-05:00"}),
            (call(CALLED, fed="soon"), 1, {"occurred_at": "2016-02-24T21:05:00-05:00"}),
            (call("OAK; 2016-02-31 @ 21:05:00;", fed="soon"), 2, {"kind": "ems.fever", "occurred_at": None}),
            (call(CALLED, title=""), 1, {"kind": "unknown"}),
            (call(CALLED, at="x,y"), 1, {"kind": "ems.fever"}),
            (call(CALLED, at="nan,inf"), 1, {"kind": "ems.fever"}),
            ("40.1,-75.3\n", 4, {"kind": "unknown"}),
            (call("d" * 140_000), 2, {"kind": "unknown"}),
        ],
    )
    def test_a_damaged_row_is_a_report_of_what_is_known(
        self, tmp_path: Path, row: str, complaints: int, known: dict[str, str]
    ) -> None:
        """Nothing is dropped: the row is reported, its line and remedy are named, the rows after it go on."""
        summary, events = imported(tmp_path, with_row(row) + call(CALLED))
        assert summary.reports == summary.rows == 9
        assert [event["id"] for event in events][-2:] == ["montco-7", "montco-8"]
        assert {name: events[7]["data"].get(name) for name in known} == known
        assert {problem.line for problem in summary.problems} == {9}
        assert summary.problems_count == complaints
        assert events[8]["data"]["place"]["township"] == "990201101"
        assert all(PARTY_MESSAGE.validate_python(event["data"]) for event in events)

    def test_text_that_runs_wild_is_cut_to_what_a_report_holds(self, tmp_path: Path) -> None:
        row = call(CALLED, title=f"EMS: {'X' * 5000}", addr="Y" * 5000)
        _, events = imported(tmp_path, with_row(row))
        report = PARTY_MESSAGE.validate_python(events[7]["data"])
        assert isinstance(report, ReportIncident)
        assert len(report.summary) == len(report.place.words) == 2000
        assert check_county(tmp_path / "county") == []

    def test_gzip_reads_the_same(self, tmp_path: Path) -> None:
        plain = imported(tmp_path, f"{HEADER}\n{ROWS}")
        path = tmp_path / "calls.csv.gz"
        path.write_bytes(gzip.compress(f"{HEADER}\n{ROWS}".encode()))
        out = io.StringIO()
        summary = import_calls(path, tmp_path / "other", out)
        assert [json.loads(line) for line in out.getvalue().splitlines()] == plain[1]
        assert summary.version == plain[0].version


class TestPlaces:
    def test_a_record_published_again_supersedes_its_first(self, tmp_path: Path) -> None:
        """The call's own second and its title stay; place and township may be corrected."""
        again = call("ELM; Station 901; 2016-02-24 @ 21:06:01;", fed=f"{DAY} 21:20:00")
        moved = again.replace("EAST HILLS", "NORTH HILLS")
        _, events = imported(
            tmp_path, with_row(again) + moved + call("ELM; 2016-02-24 @ 21:06:01;", title="Fire: OTHER")
        )
        first, second, other = (event["data"] for event in events[7:10])
        assert "supersedes" not in first
        assert (second["supersedes"], second["revision"]) == ("montco-7", 2)
        assert "supersedes" not in other

    def test_how_far_off_a_point_may_be_is_said(self, tmp_path: Path) -> None:
        """A crossing is exact, a road lies at its middle, one point of many addresses is none of theirs."""
        shared = "".join(call(CALLED, at="40.5,-75.5", addr=f"ROAD {n} & OAK") for n in range(8))
        rows = (
            shared + call(CALLED, addr="ELM") + call(CALLED, addr="") + call(CALLED, addr="ELM & OAK", at="40.2,-75.2")
        )
        _, events = imported(tmp_path, f"{HEADER}\n{rows}")
        accuracies = [event["data"]["place"].get("accuracy_m") for event in events]
        assert accuracies == [20_000.0] * 8 + [2_000.0, 20_000.0, None]
        assert events[9]["data"]["place"]["words"].startswith("no address, ")

    def test_one_crossing_named_from_both_ends_is_one_address(self, tmp_path: Path) -> None:
        """Eight ways to write two roads at one point make no fallback point of it."""
        rows = "".join(call(CALLED, at="40.5,-75.5", addr=addr) for addr in ["ELM & OAK", "OAK & ELM"] * 8)
        _, events = imported(tmp_path, f"{HEADER}\n{rows}")
        assert all("accuracy_m" not in event["data"]["place"] for event in events)

    def test_townships_have_a_box_that_their_neighbours_know(self, tmp_path: Path) -> None:
        imported(tmp_path, f"{HEADER}\n{ROWS}")
        county = load_county(tmp_path / "county")
        box = county.neighbours["990201101"][0].extent
        assert box is not None
        assert box.south <= box.north


class TestTimes:
    @pytest.mark.parametrize(
        ("local", "instant"),
        [
            ("2016-03-13 01:59:59", "2016-03-13T01:59:59-05:00"),
            ("2016-03-13 02:30:00", "2016-03-13T03:30:00-04:00"),  # left out that night: read by the clock before
            ("2016-03-13 03:00:00", "2016-03-13T03:00:00-04:00"),
            ("2016-11-06 01:30:00", "2016-11-06T01:30:00-04:00"),  # given twice: the first
            ("2016-07-01 12:00:00", "2016-07-01T12:00:00-04:00"),
        ],
    )
    def test_local_time_gets_the_offset_of_its_day(self, local: str, instant: str) -> None:
        assert local_instant(local).isoformat() == instant

    def test_of_an_hour_given_twice_the_feed_follows_its_call(self) -> None:
        """A call at 01:50 EDT, published at 01:05, was published in the second 01:05."""
        called = local_instant("2016-11-06 01:50:00")
        assert local_instant("2016-11-06 01:05:00", called).isoformat() == "2016-11-06T01:05:00-05:00"


class TestCounty:
    def test_a_reserve_stands_in_for_a_skill_that_no_station_of_the_county_has(self, tmp_path: Path) -> None:
        """A township with an EMS station alone, outsiders that are EMS, too: the reserve can be lent for a fire."""
        rows = call(f"ELM; Station 901; {DAY} @ 21:00:00;") + call(
            f"FAR; Station 955; {DAY} @ 21:04:00;", twp="X COUNTY"
        )
        imported(tmp_path, f"{HEADER}\n{rows}")
        assert check_county(tmp_path / "county") == []
        county = load_county(tmp_path / "county")
        assert [team.id for team in county.teams["990201"]] == ["county-reserve", "ems-955"]

    def test_is_one_that_loads(self, tmp_path: Path) -> None:
        """Townships by name, stations where they answer most, a crew where none is named, outsiders with the county."""
        imported(tmp_path, f"{HEADER}\n{ROWS}")
        county = load_county(tmp_path / "county")
        assert {township.id: township.label_en for township in county.townships} == {
            "990201101": "East Hills",
            "990201102": "North Hills",
        }
        assert [team.id for team in county.teams["990201101"]] == ["ems-901", "fire-77"]
        assert [team.id for team in county.teams["990201102"]] == ["crew-990201102"]
        assert [team.id for team in county.teams["990201"]] == ["ems-955"]
        assert [n.township for n in county.neighbours["990201101"]] == ["990201102"]
        assert county.sources == ("montcoalert",)
        assert {party.time_zone for party in county.directory} == {"America/New_York"}
        assert county.directory[0].coordinate_system.value == "WGS84"

    def test_every_kind_that_is_reported_has_its_rules(self, tmp_path: Path) -> None:
        _, events = imported(tmp_path, f"{HEADER}\n{ROWS}")
        reference = Reference.of(load_county(tmp_path / "county").reference_for("990201101"))
        for event in events:
            kind = event["data"]["kind"]
            assert kind in reference.kinds
            assert reference.whistle_rule(kind) is not None
            assert reference.team_rule(kind) is not None
        assert reference.kind_zh("ems.cva_stroke") == "急救:脑卒中"

    def test_adjacency_beside_the_file_is_used(self, tmp_path: Path) -> None:
        row = call(CALLED, twp="WEST HILLS", at="40.3,-75.7")
        (tmp_path / "derived_adjacency.csv").write_text("a,b,n\nEAST HILLS,WEST HILLS,9\nEAST HILLS,ELSEWHERE,9\n")
        summary, _ = imported(tmp_path, with_row(row))
        county = load_county(tmp_path / "county")
        assert summary.neighbours_from == "derived_adjacency.csv"
        pairs = {(here, n.township) for here, beside in county.neighbours.items() for n in beside if here < n.township}
        assert pairs == {("990201101", "990201102"), ("990201101", "990201103")}  # the lonely one joins its nearest

    def test_close_calls_make_neighbours_when_nothing_is_given(self, tmp_path: Path) -> None:
        """Several calls within a few hundred metres of each other; a single misplaced one makes none."""
        close = [
            call(CALLED, twp=twp, at=f"{latitude},-75.3{n}0")
            for n in range(4)
            for latitude, twp in (("40.1001", "A"), ("40.1003", "B"), ("40.5000", "C"))
        ]
        misplaced = [call(CALLED, twp=twp, at="40.5010,-75.300") for twp in ("A", "D")]
        others = [call(CALLED, twp="D", at=f"40.5012,-75.{n}00") for n in (31, 32, 33)]
        summary, _ = imported(tmp_path, "".join([HEADER, "\n", *close, *misplaced, *others]))
        county = load_county(tmp_path / "county")
        pairs = {(here, n.township) for here, beside in county.neighbours.items() for n in beside if here < n.township}
        assert summary.neighbours_from == "close calls"
        assert pairs == {("990201101", "990201102"), ("990201103", "990201104")}

    def test_another_county_is_never_overwritten(self, tmp_path: Path) -> None:
        (tmp_path / "county").mkdir()
        (tmp_path / "county" / "county.yaml").write_text("code: 990101\n")
        with pytest.raises(NotMontcoalert, match="another county"):
            imported(tmp_path, f"{HEADER}\n{ROWS}")
        (tmp_path / "county" / "county.yaml").rename(tmp_path / "county" / "letter.txt")
        with pytest.raises(NotMontcoalert, match="not empty"):
            imported(tmp_path, f"{HEADER}\n{ROWS}")

    def test_the_same_calls_again_give_the_same_county(self, tmp_path: Path) -> None:
        first = imported(tmp_path, f"{HEADER}\n{ROWS}")
        loaded = events_to_load(load_county(tmp_path / "county"))
        assert imported(tmp_path, f"{HEADER}\n{ROWS}") == first
        assert events_to_load(load_county(tmp_path / "county")) == loaded


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"a,b\n1,2\n", "no column lat, lng"),
        (b"", "no column lat"),
        (f"{HEADER}\n".encode(), "no row names a municipality"),
        (gzip.compress(f"{HEADER}\n{ROWS}".encode())[:-200], "gzip file is broken"),
        (b"\x1f\x8bnothing", "gzip file is broken"),
    ],
)
def test_a_file_that_is_none_is_refused_before_anything_is_written(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(content)
    out = io.StringIO()
    with pytest.raises(NotMontcoalert, match=what):
        import_calls(path, tmp_path / "county", out)
    assert out.getvalue() == ""
    assert not (tmp_path / "county").exists()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotMontcoalert, match="can't be read"):
        import_calls(tmp_path / "calls.csv", tmp_path / "county", io.StringIO())


@pytest.mark.parametrize(
    ("title", "kind", "label"),
    [
        ("EMS: CARDIAC EMERGENCY", "ems.cardiac_emergency", "急救:心脏急症"),
        ("Fire: GAS-ODOR/LEAK", "fire.gas_odor_leak", "消防:燃气异味或泄漏"),
        ("Traffic: VEHICLE ACCIDENT -", "traffic.vehicle_accident", "交通:车辆事故"),
        ("EMS: RESCUE - WATER", "ems.rescue_water", "急救:水上救援"),
        ("Fire: NEW THING", "fire.new_thing", "消防:new thing"),
        ("", "unknown", "类别不明"),
        (" : ", "other", "其他"),
        ("LOST", "other.lost", "其他:lost"),
    ],
)
def test_titles_have_stable_keys_and_chinese_labels(title: str, kind: str, label: str) -> None:
    assert kind_of(title) == kind
    assert labels_of(kind, title)[1] == label


@pytest.mark.parametrize(
    ("desc", "station"),
    [
        ("X; Station 308A; 2016", "308A"),
        ("X; 2016-01-01 @ 01:01:01-Station:STA27;", "27"),
        ("X; Station EMS; 2016", None),
        ("X-Station:FIRE;", None),
        ("STATION RD & MAIN ST; 2016", None),
    ],
)
def test_stations_are_those_with_a_number(desc: str, station: str | None) -> None:
    assert station_of(desc) == station


@needs_real_calls
def test_the_real_calls_of_half_a_year(tmp_path: Path) -> None:
    """66,491 rows: as many reports, in time, 62 townships, and a county that loads (aggregates only)."""
    reported: list[tuple[str, int]] = []
    began = time.monotonic()
    with (tmp_path / "reports.jsonl").open("w", encoding="utf-8") as out:
        summary = import_calls(REAL, tmp_path / "county", out, lambda *done: reported.append(done))
    assert time.monotonic() - began < 30
    assert summary.rows == summary.reports == 66_491
    assert (summary.townships, summary.neighbours_from) == (62, "derived_adjacency.csv")
    assert reported[-1] == ("reports", 66_491)
    assert len(reported) == 28
    assert summary.problems_count == 14

    county = load_county(tmp_path / "county")
    assert all(1 <= len(county.teams[t.id]) <= TEAMS_OF_TOWNSHIP_LIMIT_COUNT for t in county.townships)
    kinds = {rule.key for rule in county.policy.kinds}
    ids: set[str] = set()
    per_township: Counter[str | None] = Counter()
    earliest = timedelta.max
    with (tmp_path / "reports.jsonl").open("rb") as lines:
        for line in read_lines(lines):
            assert isinstance(line, ReportLine)
            ids.add(line.attributes.id)
            data = json.loads(line.data)
            assert data["kind"] in kinds
            per_township[data["place"].get("township")] += 1
            assert line.attributes.time is not None
            age = datetime.fromisoformat(line.attributes.time) - datetime.fromisoformat(data["occurred_at"])
            earliest = min(earliest, age)
    assert ids == {f"montco-{row}" for row in range(66_491)}
    assert per_township[None] == summary.unplaced
    assert set(per_township) - {None} == {township.id for township in county.townships}
    assert earliest >= timedelta(0), "no call is published before it is made, clock change or not"
