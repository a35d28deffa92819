"""The board for a terminal of 110 columns or more. Nothing is decided here, and nothing a party wrote is markup."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from rich.console import Console, Group, RenderableType
from rich.text import Text

from linkage.console.board import Board
from linkage.console.layout import clock, countdown, indented, table_of, typed_lines
from linkage.console.rows import (
    ComingBack,
    Header,
    InboxGauge,
    IncidentRow,
    IngressGauge,
    NextDeadline,
    OverdueRow,
    Said,
    TeamCount,
    Wait,
    WhistleCount,
)
from linkage.replay.labels import Label
from linkage.replay.words import span

LOG_ID_SHOWN_CHARACTERS = 8
INCIDENT_SHOWN_CHARACTERS = 8
ALL_ROWS = 1_000_000
TEAM_WORDS = (
    ("ordered", "ordered 已下令"),
    ("going", "going 出动"),
    ("at_the_scene", "at the scene 到场"),
    ("silent", "silent 失联"),
    ("asked_of_county", "asked of county 请县级"),
    ("standing_down", "standing down 收队"),
    ("done", "done 完成"),
)

Row = TypeVar("Row")
Made = Callable[[Sequence[Row]], RenderableType]


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows of each section are shown."""

    waits: int = ALL_ROWS
    incidents: int = ALL_ROWS
    coming_back: int = ALL_ROWS
    overdue: int = ALL_ROWS
    last: int = ALL_ROWS


WHOLE = Rows()
CUTS: tuple[dict[str, int], ...] = (
    {"last": 6},
    {"last": 3},
    {"overdue": 4, "coming_back": 3},
    {"incidents": 4},
    {"waits": 5},
    {"overdue": 2, "coming_back": 1},
    {"last": 1, "incidents": 2},
    {"waits": 3, "overdue": 1},
    {"waits": 2, "incidents": 1},
)
"""What a small terminal goes without, first the last facts, at the end what waits for a person."""


def rendered(board: Board, rows: Rows = WHOLE) -> RenderableType:
    """The board; of a section that is cut it says how many rows are missing."""
    now, commands = board.header.at, {wait.command for wait in board.waits}
    parts: list[RenderableType] = [_header(board.header)]
    parts += _section("WAITS FOR YOU 待办", board.waits, rows.waits, "bold red", lambda some: _waits(some, now))
    parts += _section(
        "OPEN INCIDENTS 在处事件", board.incidents, rows.incidents, "bold", lambda some: _incidents(some, now)
    )
    if board.coming_back:
        parts += _section(
            "COMING BACK 收队", board.coming_back, rows.coming_back, "bold", lambda some: _coming(some, now)
        )
    parts += _section(
        "OVERDUE 逾期", board.overdue, rows.overdue, "bold yellow", lambda some: _overdue(some, now, commands)
    )
    parts += _section("LAST 最近", board.last, rows.last, "bold", lambda some: _last(some, now))
    return Group(*parts)


def fitted(board: Board, console: Console) -> RenderableType:
    """The board, cut so far as this terminal has too few lines for it."""
    most = max(1, console.height // 2)  # a row has two lines or more, but for the last facts, which are few
    tried = [Rows(most, most, most, most, most)]
    for cut in CUTS:
        tried.append(replace(tried[-1], **{name: min(most, limit) for name, limit in cut.items()}))

    def fits(rows: Rows) -> bool:
        return len(console.render_lines(rendered(board, rows))) < console.height

    first = bisect_left(tried, True, key=fits)
    return rendered(board, tried[min(first, len(tried) - 1)])


def _header(header: Header) -> Text:
    line = Text(f"{header.post.zh} {header.post.en} · {header.at:%H:%M:%S}", style="bold")
    line.append(f"\npartition {header.partition} ", style="not bold")
    line.append_text(_inbox(header.inbox))
    line.append(" · ", style="not bold")
    line.append_text(_ingress(header.ingress))
    version = header.reference_version or "none"
    log_id = header.log_id[:LOG_ID_SHOWN_CHARACTERS]
    line.append(f" · data {version} · log {log_id}", style="not bold")
    if header.problem is not None:
        line.append(f"\nTHIS BOARD MAY BE OLD 数据可能过时: {header.problem}", style="bold red")
    return line


def _inbox(gauge: InboxGauge | None) -> Text:
    if gauge is None:
        return Text("unknown", style="not bold yellow")
    if gauge.behind_records == 0:
        return Text("ok, 0 behind", style="not bold green")
    more = " or more" if gauge.is_at_least else ""
    return Text(f"{gauge.behind_records}{more} behind for {span(gauge.oldest_s)}", style="bold yellow")


def _ingress(gauge: IngressGauge | None) -> Text:
    if gauge is None:
        return Text("ingress unknown", style="not bold yellow")
    if gauge.behind_records == 0:
        return Text("ingress ok", style="not bold green")
    most = max(gauge.topics, key=lambda item: (item[1], item[0]))
    return Text(f"ingress {gauge.behind_records} behind (most {most[0]})", style="bold yellow")


def _section(
    title: str, rows: Sequence[Row], rows_limit: int, style: str, made_of: Made[Row]
) -> Iterator[RenderableType]:
    yield Text()
    yield Text(f"{title}  {len(rows) or 'none 无'}", style=style if rows else "dim")
    shown = rows[:rows_limit]
    if shown:
        yield made_of(shown)
    if len(shown) < len(rows):
        yield Text(f"  … {len(rows) - len(shown)} more: linkage watch POST --once shows all", style="dim")


def _waits(waits: Sequence[Wait], now: datetime) -> RenderableType:
    parts: list[RenderableType] = []
    for wait in waits:
        table = table_of(8, 13, None)
        kind = Text(f"{wait.kind.replace('_', ' ')}\n{wait.kind_zh}")
        table.add_row(Text(clock(wait.since, now)), kind, Text(wait.text))
        parts += [indented(table), *typed_lines(wait.command, "bold cyan")]
    return Group(*parts)


def _incidents(incidents: Sequence[IncidentRow], now: datetime) -> RenderableType:
    table = table_of(36, 12, 14, 20, None)
    heads = ("", "level 级别", "whistle 吹哨", "teams 队伍", "next deadline 下一期限")
    table.add_row(*(Text(head, style="dim") for head in heads))
    for incident in incidents:
        level = Text(f"{incident.level}", style="bold")
        if incident.level_is_provisional:
            level.append("?\nprovisional\n暂定", style="yellow")
        table.add_row(
            _incident(incident, now),
            level,
            _whistle(incident.whistle),
            _teams(incident.teams),
            _next_deadline(incident.next_deadline, now),
        )
    return indented(table)


def _incident(incident: IncidentRow, now: datetime) -> Text:
    text = Text(incident.incident_id, style="bold")
    if incident.exercise:
        text.append(" EXERCISE 演练", style="bold magenta")
    plain = [incident.kind.both, _place(incident.place)]
    if incident.township is not None:
        plain.insert(0, f"of {incident.township.both}, county teams lent")
    if incident.opened_at is not None:
        reports = "1 report" if incident.reports == 1 else f"{incident.reports} reports"
        plain.append(f"since {clock(incident.opened_at, now)}, {reports}")
    text.append("\n" + "\n".join(plain), style="not bold")
    return text


def _place(place: Label) -> str:
    return place.en if place.en == place.zh else f"{place.zh} {place.en}"


def _whistle(count: WhistleCount | None) -> Text:
    if count is None:
        return Text("–", style="dim")
    style = "green" if count.reported_in >= count.seats else ""
    return Text(f"{count.reported_in} of {count.seats}\nreported in\n报到", style=style)


def _teams(count: TeamCount) -> Text:
    text = Text(f"{count.needed} needed 需要", style="dim" if count.needed else "")
    for name, words in TEAM_WORDS:
        if number := getattr(count, name):
            text.append(f"\n{number} {words}", style="not dim red" if name == "silent" else "not dim")
    return text


def _next_deadline(deadline: NextDeadline | None, now: datetime) -> Text:
    if deadline is None:
        return Text("none 无", style="dim")
    text = Text(countdown(deadline.due_at, now), style="bold")
    text.append(f"\n{deadline.who.both}\n{deadline.awaited} {deadline.awaited_zh}", style="not bold")
    return text


def _coming(rows: Sequence[ComingBack], now: datetime) -> RenderableType:
    parts: list[RenderableType] = []
    for row in rows:
        table = table_of(36, None)
        due = f"back by {countdown(row.due_at, now)}" if row.due_at is not None else "no limit is left"
        table.add_row(Text(row.team.both), Text(f"{due}, order {row.order_id}"))
        parts += [indented(table), *typed_lines(row.command, "dim cyan")]
    return Group(*parts)


def _overdue(rows: Sequence[OverdueRow], now: datetime, shown: Collection[str]) -> RenderableType:
    """What to type is left out where it stands among `shown` already."""
    parts: list[RenderableType] = []
    for row in rows:
        table = table_of(8, 32, 24, None)
        who = Text(row.who.both, style="bold")
        who.append(f"\n{row.subject}", style="not bold")
        what = Text(f"not {row.awaited} 未{row.awaited_zh}\nwithin {span(row.limit_s)}")
        if row.is_unreachable:
            what.append("\nheld as unreachable 失联", style="red")
        table.add_row(Text(clock(row.at, now)), who, what, _told(row, now))
        parts.append(indented(table))
        if row.command not in shown:
            parts += typed_lines(row.command, "dim cyan")
    return Group(*parts)


def _told(row: OverdueRow, now: datetime) -> Text:
    text = Text(f"rung {row.rung}: told 已告知 {row.told.both if row.told else 'nobody is left to tell'}")
    if row.next_at is not None and row.next_told is not None:
        text.append(f"\nnext {row.next_told.both}, {countdown(row.next_at, now)}")
    else:
        text.append("\nnobody further is told: it stays with you", style="yellow")
    if row.replaced_by is not None:
        text.append(f"\nreplaced by 由其接替: {row.replaced_by.both}")
    if row.is_lent:
        text.append("\na county team: the county's post sees to it", style="dim")
    return text


def _last(rows: Sequence[Said], now: datetime) -> RenderableType:
    table = table_of(8, 8, INCIDENT_SHOWN_CHARACTERS, None)
    for row in rows:
        table.add_row(
            Text(clock(row.at, now)),
            Text(row.stage_zh),
            Text((row.incident_id or "")[:INCIDENT_SHOWN_CHARACTERS], style="dim"),
            Text(row.words),
        )
    return indented(table)
