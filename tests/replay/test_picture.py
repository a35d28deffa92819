"""The picture of an incident: everybody stands in it, nothing leaves its lane, and any XML reader can open it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as Xml
from zoneinfo import ZoneInfo

import pytest

from linkage.replay.drawing import Scale, fitted, width_px
from linkage.replay.journal import write_file
from linkage.replay.lanes import arrows
from linkage.replay.picture import LABEL_WIDTH, MARGIN, OUTCOME_WIDTH, WIDTH, incident_svg
from tests.replay.landslide import landslide
from tests.replay.test_incident import in_north, in_south
from tests.replay.test_verify import run

SHANGHAI = ZoneInfo("Asia/Shanghai")
SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> Xml.Element:
    return Xml.fromstring(svg)


def lanes(picture: Xml.Element) -> dict[str, Xml.Element]:
    return {one.get("id", ""): one for one in picture.iter(f"{SVG}g") if one.get("class") == "lane"}


def words(element: Xml.Element) -> str:
    return "\n".join(element.itertext())


@pytest.mark.parametrize("report", [in_north, in_south], ids=["closed", "open"])
def test_every_report_department_and_team_has_a_lane(report: object) -> None:
    """By its Chinese and its English name, with its outcome."""
    told = report()  # type: ignore[operator]
    found = lanes(drawn(incident_svg(told, SHANGHAI)))
    for line in told.departments:
        assert line.party.zh in words(found[line.order_id])
        assert line.party.en in words(found[line.order_id])
        assert line.outcome in words(found[line.order_id])
    for line in told.teams:
        assert line.team.zh in words(found[line.order_id])
    assert sum(name.startswith("report-") for name in found) == len(told.reports)


def test_lateness_and_replacement_are_drawn() -> None:
    """A red mark for each time overdue, an arrow for each replacement, and whom that was."""
    report = in_north()
    picture = drawn(incident_svg(report, SHANGHAI))
    of_lanes = [mark for lane in lanes(picture).values() for mark in lane.iter(f"{SVG}g")]
    orders = {one.order_id for one in (*report.departments, *report.teams)}
    expected = sum(one.subject in orders for one in report.overdue)
    assert sum(mark.get("class") == "mark overdue" for mark in of_lanes) == expected > 0
    drawn_arrows = [one for one in picture.iter(f"{SVG}g") if one.get("class") == "arrow"]
    assert len(drawn_arrows) == len(arrows(report)) > 0
    assert any("自然资源局" in words(one) and "应急管理局" in words(one) for one in drawn_arrows)


def _spans(lane: Xml.Element) -> Iterator[tuple[float, float]]:
    """(top, bottom) of every shape: rectangles, circles, lines of text, and paths by their moves."""
    for one in lane.iter():
        match one.tag.removeprefix(SVG):
            case "rect":
                top = float(one.get("y", "nan"))
                yield top, top + float(one.get("height", "nan"))
            case "circle":
                y, radius = float(one.get("cy", "nan")), float(one.get("r", "nan"))
                yield y - radius, y + radius
            case "text":
                y, size = float(one.get("y", "nan")), float(one.get("font-size", "nan"))
                yield y - 0.9 * size, y + 0.25 * size
            case "path":
                yield from _path(one.get("d", ""))


def _path(said: str) -> Iterator[tuple[float, float]]:
    y = 0.0
    for step, numbers in re.findall(r"([MmLlVvHh])([-\d. ]*)", said):
        found = [float(number) for number in re.findall(r"-?\d*\.?\d+", numbers)]
        vertical = found if step in "Vv" else [] if step in "Hh" else found[1::2]
        for number in vertical:
            y = number if step.isupper() else y + number
            yield y, y


@pytest.mark.parametrize("report", [in_north, in_south], ids=["closed", "open"])
def test_nothing_leaves_its_lane_and_lanes_do_not_overlap(report: object) -> None:
    """Also sideways: names and outcomes end before the next column begins."""
    found = list(lanes(drawn(incident_svg(report(), SHANGHAI))).values())  # type: ignore[operator]
    below = 0.0
    for lane in found:
        top, bottom = float(lane.get("data-top", "nan")), float(lane.get("data-bottom", "nan"))
        assert below <= top < bottom
        below = bottom
        for begins, ends in _spans(lane):
            assert top <= begins <= ends <= bottom, Xml.tostring(lane, "unicode")
        for text in lane.iter(f"{SVG}text"):
            x, limit = float(text.get("x", "nan")), width_px(text.text or "", float(text.get("font-size", "nan")))
            column_end = MARGIN + LABEL_WIDTH if x < MARGIN + LABEL_WIDTH else WIDTH - MARGIN - OUTCOME_WIDTH
            assert x + limit <= (WIDTH if x >= column_end else column_end)


def test_what_people_wrote_is_escaped() -> None:
    """Markup stays text, and what XML can't carry at all is replaced."""
    hostile = "<script>alert('x')</script> & \x00\x0b ]]> \"quoted\""
    report = replace(in_north(), summary=hostile)
    svg = incident_svg(report, SHANGHAI)
    assert "<script" not in svg
    assert "<script>alert('x')</script> & ��" in words(drawn(svg))


def test_it_stands_by_itself_and_says_what_it_shows() -> None:
    """No font, script or image from elsewhere; a title and a description with every outcome in words."""
    svg = incident_svg(in_north(), SHANGHAI)
    picture = drawn(svg)
    assert re.findall(r"(?:https?:)?//[^\s\"']+", svg) == ["http://www.w3.org/2000/svg"]
    assert {one.tag.removeprefix(SVG) for one in picture.iter()} & {"script", "image", "style", "use"} == set()
    described = picture.find(f"{SVG}desc")
    assert described is not None
    assert picture.get("role") == "img"
    assert "卫健局" in (described.text or "")
    assert "late 迟到" in (described.text or "")


def test_the_same_journal_gives_the_same_picture() -> None:
    assert incident_svg(in_north(), SHANGHAI) == incident_svg(in_north(), SHANGHAI)


@pytest.mark.parametrize("span_s", [1, 20, 3_600, 86_400, 40 * 86_400])
def test_ticks_are_few_and_in_order(span_s: int) -> None:
    """From a second to weeks."""
    begins = in_north().opened_at
    ticks = Scale(begins, begins + timedelta(seconds=span_s), 0, 600).ticks(SHANGHAI)
    assert len(ticks) <= 10
    assert [x for x, _ in ticks] == sorted({x for x, _ in ticks})


def test_text_that_is_too_wide_ends_in_an_ellipsis() -> None:
    assert fitted("应急管理局", 10, 50) == "应急管理局"
    assert fitted("应急管理局", 10, 30) == "应急…"


def test_the_command_writes_the_picture(tmp_path: Path) -> None:
    """`linkage replay incident ID FILE --svg OUT`, and where it can't be written it says so."""
    journal, picture = tmp_path / "journal.jsonl", tmp_path / "incident.svg"
    write_file(landslide().journal, journal)
    incident = in_north().incident_id
    told = run(("replay", "incident", incident, str(journal), "--svg", str(picture), "--json"))
    assert json.loads(told.stdout) == {
        "incident_id": incident,
        "file": str(picture),
        "bytes": len(picture.read_bytes()),
    }
    assert lanes(drawn(picture.read_text(encoding="utf-8")))
    refused = run(("replay", "incident", incident, str(journal), "--svg", str(tmp_path / "no" / "where.svg")))
    assert refused.returncode == 2
    assert "can't be written" in refused.stderr
