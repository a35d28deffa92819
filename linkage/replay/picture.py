"""One incident's timeline as a picture, from its report alone: who came, who was late, who replaced whom, by stage.

Left who, right what came of it, between them time. Red is what a person must look at. `incident_svg` is all there is.
"""

from collections import Counter
from datetime import datetime, timedelta
from xml.etree import ElementTree as Xml
from zoneinfo import ZoneInfo

from linkage.replay import drawing
from linkage.replay.drawing import Scale, letters, node, titled
from linkage.replay.lane import Arrow, Band, Lane
from linkage.replay.lanes import arrows, bands
from linkage.replay.report import IncidentReport
from linkage.replay.tables import OUTCOME_ZH

WIDTH, MARGIN = 1_280.0, 24.0
LABEL_WIDTH, OUTCOME_WIDTH = 270.0, 300.0
HEADER_HEIGHT, AXIS_HEIGHT, BAND_HEIGHT, LANE_HEIGHT, LEGEND_HEIGHT = 130.0, 34.0, 26.0, 36.0, 100.0
BAR_HEIGHT, THIN_BAR_HEIGHT = 12.0, 18.0
LEAST_SPAN = timedelta(seconds=1)
STAGE_INK = {"information": "#7a4a00", "assessment": "#5b2a86", "whistle": "#0b4f8a", "dispatch": "#0b5f3c"}
STAGE_PAPER = {"information": "#fdf4e3", "assessment": "#f4ecfa", "whistle": "#e9f2fb", "dispatch": "#e8f6ee"}
LEGEND: tuple[tuple[str, str], ...] = (
    ("report", "report 报告"),
    ("ordered", "whistled for, ordered 吹哨、调动"),
    ("received", "received, accepted 签收、接受"),
    ("on_the_way", "on the way 出发"),
    ("reported_in", "reported in, arrived 报到、到场"),
    ("done", "done 完成"),
    ("declined", "declined 不能出动"),
    ("overdue", "overdue 逾期"),
    ("limit", "limit to report in 报到限时"),
    ("asked", "the county was asked 请求县级"),
    ("back", "called back 收队"),
)
BAR_LEGEND: tuple[tuple[str, str], ...] = (
    ("allowed", "time it had 限时"),
    ("waiting", "no answer yet 待应答"),
    ("going", "on the way 途中"),
    ("there", "there 在场"),
    ("late", "late 迟到"),
    ("unreachable", "silent, still held 失联占用"),
)


def incident_svg(report: IncidentReport, zone: ZoneInfo) -> str:
    """The picture as an SVG file's text; times of day in `zone`."""
    begins, ends = _span(report)
    shown = bands(report, ends)
    lanes_height = sum(BAND_HEIGHT + LANE_HEIGHT * len(band.lanes) for band in shown)
    height = HEADER_HEIGHT + AXIS_HEIGHT + lanes_height + LEGEND_HEIGHT
    left = MARGIN + LABEL_WIDTH
    scale = Scale(begins, ends, left + 12, WIDTH - MARGIN - OUTCOME_WIDTH - 16)
    svg = drawing.sheet(WIDTH, height, _title(report), described(report, shown, zone))
    _header(svg, report, zone)
    top = HEADER_HEIGHT + AXIS_HEIGHT
    paper = node(svg, "g")
    grid = node(svg, "g")
    middle: dict[str, float] = {}
    for band in shown:
        top = _band(svg, paper, band, top, scale, middle)
    _axis(grid, scale, zone, HEADER_HEIGHT, top)
    _moments(grid, report, scale, top)
    for one in arrows(report):
        _arrow(svg, one, scale, middle)
    _legend(svg, top + 24)
    return drawing.written(svg)


def _span(report: IncidentReport) -> tuple[datetime, datetime]:
    """From the first report to the last thing that happened, and to the limits that still run."""
    known = [report.opened_at, *(one.at for one in report.timeline), *(one.due_at for one in report.deadlines.open)]
    begins, ends = min(known), max(known)
    return begins, max(ends, begins + LEAST_SPAN)


def _title(report: IncidentReport) -> str:
    exercise = "EXERCISE 演练 · " if report.exercise else ""
    return f"{exercise}{report.kind.both} · {report.place.zh} {report.place.en}"


def _came_to(report: IncidentReport) -> str:
    """One line: how many came, and how many did not."""
    parts = []
    for what, found in (
        ("departments 部门", Counter(one.outcome for one in report.departments)),
        ("teams 队伍", Counter(one.outcome for one in report.teams)),
    ):
        if found:
            counted = ", ".join(f"{found[outcome]} {OUTCOME_ZH[outcome]}" for outcome in OUTCOME_ZH if found[outcome])
            parts.append(f"{found.total()} {what}: {counted}")
    parts.append(f"{len(report.overdue)} times overdue 逾期" if report.overdue else "nobody overdue 无逾期")
    return " · ".join(parts)


def _when(report: IncidentReport, zone: ZoneInfo) -> str:
    opened, closing = f"{report.opened_at.astimezone(zone):%Y-%m-%d %H:%M:%S}", report.closing
    if closing is None:
        return f"{opened}, open 在处"
    by = f"closed 结束 (signed 签发 {closing.signed_by}: {closing.reason})"
    return f"{opened} to {closing.at.astimezone(zone):%H:%M:%S}, {by}"


def described(report: IncidentReport, shown: tuple[Band, ...], zone: ZoneInfo) -> str:
    """The whole picture in words, for those who can't see it."""
    lines = [f"{report.incident_id}, {report.hub.both}, {_when(report, zone)}.", _came_to(report) + "."]
    for band in shown:
        lines += [
            f"{band.stage} {band.zh}: {lane.label.both}: {lane.outcome} {lane.detail}".rstrip() for lane in band.lanes
        ]
    lines += [one.words for one in arrows(report)]
    return "\n".join(lines)


def _header(svg: Xml.Element, report: IncidentReport, zone: ZoneInfo) -> None:
    header, room = node(svg, "g", class_="header"), WIDTH - 2 * MARGIN
    letters(header, MARGIN, 36, _title(report), 22, room, font_weight=700)
    letters(header, MARGIN, 59, f"{report.incident_id} · {report.hub.both} · {_when(report, zone)}", 13, room)
    letters(header, MARGIN, 79, f"“{report.summary}”" if report.summary else "", 13, room, fill=drawing.FAINT)
    colour = drawing.RED if report.overdue or report.shortages else drawing.GREEN
    letters(header, MARGIN, 101, _came_to(report), 14, room, font_weight=700, fill=colour)
    nobody = [f"no {one.what} left for seat {one.slot} ({one.reason})" for one in report.shortages]
    if nobody:
        said = "a person must find one 无人可派: " + "; ".join(nobody)
        letters(header, MARGIN, 121, said, 13, room, font_weight=600, fill=drawing.RED)


def _axis(grid: Xml.Element, scale: Scale, zone: ZoneInfo, top: float, bottom: float) -> None:
    for x, words in scale.ticks(zone):
        node(grid, "path", d=f"M{x} {top + AXIS_HEIGHT - 6}V{bottom}", stroke=drawing.RULE, stroke_width=1)
        if scale.left + 26 <= x <= scale.right - 26:
            letters(grid, x, top + 24, words, 11, 90, text_anchor="middle", fill=drawing.FAINT)


def _moments(grid: Xml.Element, report: IncidentReport, scale: Scale, bottom: float) -> None:
    """The whistle and the closing, through all lanes."""
    blown = (report.blown_at, "whistle 吹哨", "start")
    closed = (report.closing.at if report.closing else None, "closed 结束", "end")
    for at, words, anchor in (blown, closed):
        if at is None:
            continue
        x = scale.x(at)
        line = node(grid, "path", d=f"M{x} {HEADER_HEIGHT + 12}V{bottom}", stroke=drawing.INK, stroke_width=1.2)
        line.set("stroke-dasharray", "2 3")
        beside = x - 4 if anchor == "start" else x + 4
        letters(grid, beside, HEADER_HEIGHT + 10, words, 11, 140, text_anchor=anchor, font_weight=700)


def _band(
    svg: Xml.Element, paper: Xml.Element, band: Band, top: float, scale: Scale, middle: dict[str, float]
) -> float:
    """Draws a stage from `top` on and returns where the next begins; notes each lane's middle."""
    room = WIDTH - 2 * MARGIN
    height = BAND_HEIGHT + LANE_HEIGHT * len(band.lanes)
    fill = STAGE_PAPER[band.stage]
    node(paper, "rect", x=MARGIN, y=top, width=room, height=BAND_HEIGHT, fill=fill)
    node(paper, "path", d=f"M{MARGIN} {top + height}h{room}", stroke=drawing.RULE, stroke_width=1)
    head = f"{band.zh} {band.stage}"
    group = node(svg, "g", class_=f"band {band.stage}")
    letters(group, MARGIN + 8, top + 18, head, 13, LABEL_WIDTH - 8, font_weight=700, fill=STAGE_INK[band.stage])
    at = top + BAND_HEIGHT
    for number, lane in enumerate(band.lanes):
        if number % 2:
            node(paper, "rect", x=MARGIN, y=at, width=room, height=LANE_HEIGHT, fill="#f8f9fb")
        middle[lane.key] = at + LANE_HEIGHT / 2
        _lane(group, lane, at, scale)
        at += LANE_HEIGHT
    return top + height


def _lane(parent: Xml.Element, lane: Lane, top: float, scale: Scale) -> None:
    group = node(parent, "g", class_="lane", id=lane.key, data_top=top, data_bottom=top + LANE_HEIGHT)
    titled(group, f"{lane.label.both}: {lane.outcome}{f' ({lane.detail})' if lane.detail else ''}")
    y, room = top + LANE_HEIGHT / 2, LABEL_WIDTH - 16
    letters(group, MARGIN + 8, top + 16, lane.label.zh, 13, room, font_weight=600)
    if lane.label.en != lane.label.zh:
        letters(group, MARGIN + 8, top + 30, lane.label.en, 11, room, fill=drawing.FAINT)
    for one in lane.bars:
        height = THIN_BAR_HEIGHT if one.label or one.look == "allowed" else BAR_HEIGHT
        x, to_x = scale.x(one.begins), scale.x(one.ends)
        titled(drawing.bar(group, x, to_x, y, height, one.look), one.words)
        if one.label and to_x - x > drawing.width_px(one.label, 12) + 6:
            letters(group, x + 5, y + 4.5, one.label, 12, to_x - x, font_weight=700)
    for mark in lane.marks:
        if mark.shape == "limit" and mark.at > scale.ends:
            continue
        titled(drawing.mark(group, mark.shape, scale.x(mark.at), y), mark.words)
    x, room = WIDTH - MARGIN - OUTCOME_WIDTH, OUTCOME_WIDTH - 4
    colour = drawing.RED if lane.is_bad else drawing.INK
    letters(group, x, top + 16, lane.outcome, 12.5, room, font_weight=600, fill=colour)
    letters(group, x, top + 30, lane.detail, 11, room, fill=drawing.RED if lane.is_bad else drawing.FAINT)


def _arrow(svg: Xml.Element, one: Arrow, scale: Scale, middle: dict[str, float]) -> None:
    if one.begin in middle and one.to in middle:
        titled(drawing.arrow(svg, scale.x(one.at), middle[one.begin], middle[one.to]), one.words)


def _legend(svg: Xml.Element, top: float) -> None:
    """Three rows: what happened, twice, and what time was spent on."""
    group = node(svg, "g", class_="legend")
    for row, marks in enumerate((LEGEND[:7], LEGEND[7:])):
        x, y = MARGIN + 8, top + 26 * row
        for shape, words in marks:
            drawing.mark(group, shape, x, y)
            letters(group, x + 12, y + 4, words, 11, 300, fill=drawing.FAINT)
            x += drawing.width_px(words, 11) + 36
    x, y = MARGIN + 2, top + 52
    for look, words in BAR_LEGEND:
        drawing.bar(group, x, x + 18, y, BAR_HEIGHT, look)
        letters(group, x + 24, y + 4, words, 11, 300, fill=drawing.FAINT)
        x += drawing.width_px(words, 11) + 48
