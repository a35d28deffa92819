"""The report as a tired person reads it: at most 110 columns, Chinese beside the codes, spans as mm:ss."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from linkage.narration import ROLE_ZH
from linkage.replay.labels import Label
from linkage.replay.report import (
    CountyAnswer,
    DepartmentLine,
    IncidentLine,
    IncidentReport,
    Moment,
    Overdue,
    Reached,
    ReportLine,
    TeamLine,
)
from linkage.replay.words import BECAUSE, CHANNEL_ZH, DEADLINE_ZH, said, span

WIDTH_COLUMNS = 110
CONSIDERED_SHOWN_COUNT = 4
HOW_ZH = {"opened": "opened 新建", "merged": "merged 并入", "revised": "revised 更正"}
OUTCOME_ZH = {
    "met": "met 按时",
    "late": "late 迟到",
    "not reported in": "not reported in 未报到",
    "silent": "silent 无应答",
    "declined": "declined 不能出动",
    "stood down": "stood down 撤回",
    "called back": "called back 收队",
    "arrived": "there 在场",
    "done": "done 完成",
    "open": "open 待办",
    "promised": "sends 派出",
    "refused": "none free 无队可派",
    "given back": "given back 归还",
}


def console() -> Console:
    """A console of the report's width, whatever the terminal's; colours only where there is a terminal."""
    return Console(width=WIDTH_COLUMNS, highlight=False, markup=False, emoji=False)


def clock(at: datetime | None, zone: ZoneInfo) -> str:
    """The time of day in the county's zone."""
    return at.astimezone(zone).strftime("%H:%M:%S") if at else ""


def incident_view(report: IncidentReport, zone: ZoneInfo) -> RenderableType:
    """The whole report, without the timeline."""
    parts: list[RenderableType] = [Text("\n".join(_header(report, zone))), ""]
    parts += _whistle(report, zone)
    parts += _teams(report, zone)
    parts += _listed("County teams 县级队伍", _requests(report, zone))
    parts += _listed("Told of silence and lateness 逾期告知", (_told(one, zone) for one in report.overdue))
    nobody = (
        f"{clock(one.at, zone)} no {one.what} left for seat {one.slot} 无人可派 ({one.reason})"
        for one in report.shortages
    )
    parts += _listed("Nobody left 无人可派: a person must find one", nobody)
    parts += _listed("Levels 级别", _levels(report, zone))
    refused = (
        f"{clock(one.at, zone)} {one.sender.both}, {one.message_id}: {one.code}: {one.reason}"
        for one in report.refusals
    )
    parts += _listed("Refused 拒收", refused)
    parts += [Text(line) for line in _deadlines(report, zone)]
    return Group(*parts)


def _header(report: IncidentReport, zone: ZoneInfo) -> Iterator[str]:
    exercise = "EXERCISE 演练 · " if report.exercise else ""
    when = f"{report.opened_at.astimezone(zone):%Y-%m-%d %H:%M:%S} to " + clock(
        report.closing.at if report.closing else None, zone
    )
    closing = report.closing
    by = f"closed 结束 (signed 签发 {closing.signed_by}: {closing.reason})" if closing else "open 在处"
    when = when if closing else when.removesuffix(" to ")
    yield f"{report.incident_id} · {exercise}{report.kind.both} · {report.place.zh} {report.place.en}"
    yield f"{report.hub.both} · {when} · {by}"
    if report.summary:
        yield f"“{report.summary}”"
    if report.follows:
        yield f"follows 续发 {report.follows}"
    yield f"Reports 报告: {len(report.reports)}"
    for line in report.reports:
        yield f"  {_report(line, zone)}"


def _report(line: ReportLine, zone: ZoneInfo) -> str:
    apart = "" if line.seconds_apart is None else f", {line.seconds_apart} s apart"
    again = f" · sent {line.sent_again + 1} times, same receipt 重复上报" if line.sent_again else ""
    placed = f", placed by the county 县级定位 {clock(line.placed_at, zone)}" if line.placed_at else ""
    return f"{clock(line.at, zone)} {line.sender.both} {line.message_id}: {HOW_ZH[line.how]}{apart}{placed}{again}"


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        width=WIDTH_COLUMNS,
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _whistle(report: IncidentReport, zone: ZoneInfo) -> list[RenderableType]:
    if report.blown_at is None:
        return [Text("No whistle was blown 未吹哨")]
    title = (
        f"Whistle 吹哨 blown {clock(report.blown_at, zone)} by rule {report.whistle_rule} ({report.whistle_basis}); "
        "times since then"
    )
    table = _table(
        title,
        "department 部门",
        "role",
        "received\n签收",
        "on the way\n出发",
        "reported in\n报到",
        "limit\n限时",
        "outcome 结果",
    )
    for line in report.departments:
        role = f"{line.role} {ROLE_ZH[line.role]}"
        reached = (_since(one) for one in (line.received, line.on_the_way, line.reported_in))
        table.add_row(line.party.both, role, *reached, span(line.limit_s), _department_outcome(line, report.blown_at))
    return [table]


def _since(reached: Reached | None) -> str:
    """The span, and how it was heard when somebody else wrote it down."""
    if reached is None:
        return ""
    if reached.attested is None:
        return span(reached.span_s)
    channel = reached.attested.channel.value
    return f"{span(reached.span_s)}\nby {channel.replace('_', ' ')} {CHANNEL_ZH[channel]}"


def _department_outcome(line: DepartmentLine, blown_at: datetime) -> str:
    late = f" {span(line.late_s)}" if line.late_s is not None else ""
    parts = [OUTCOME_ZH[line.outcome] + late + (f": {line.reason}" if line.reason else "")]
    if line.times_overdue:
        parts.append(f"escalated 逾期 {line.times_overdue}x")
    if line.replaces is not None:
        after = span(int((line.ordered_at - blown_at).total_seconds()))
        parts.append(f"whistled {after} for 替补 {line.replaces.both}")
    if line.replaced_by is not None:
        parts.append(f"-> {line.replaced_by.both}")
    return "\n".join(parts)


def _teams(report: IncidentReport, zone: ZoneInfo) -> list[RenderableType]:
    if not report.teams:
        return [Text("No team was ordered 未调动队伍")]
    table = _table(
        "Teams 队伍", "team 队伍", "ordered\n调动", "answer 答复", "arrived\n到场", "done\n完成", "why this one 理由"
    )
    for line in report.teams:
        people = f" ({line.people})" if line.people else ""
        county = "\ncounty 县级" if line.is_county else ""
        table.add_row(
            line.team.both + people + county,
            clock(line.ordered_at, zone),
            _team_answer(line, zone),
            clock(line.arrived.at if line.arrived else None, zone),
            clock(line.done.at if line.done else None, zone),
            _team_why(line),
        )
    return [table]


def _team_answer(line: TeamLine, zone: ZoneInfo) -> str:
    parts: list[str] = []
    if line.silent_at is not None:
        parts.append(f"no answer by 无应答 {clock(line.silent_at, zone)}, held as unreachable 失联")
    told = [(answer, when) for answer, when in line.answers if answer in ("accepted", "declined")]
    for answer, when in told or [one for one in line.answers if one[0] in ("received", "en_route")][:1]:
        heard = f" by {when.attested.channel.value}" if when.attested else ""
        reason = f": {when.reason}" if when.reason else ""
        parts.append(f"{said(answer)} {clock(when.at, zone)}{heard}{reason}")
    if line.stood_down_at is not None:
        parts.append(f"{OUTCOME_ZH['called back']} {clock(line.stood_down_at, zone)}")
    if line.stood_down_at is not None and line.released_at is None:
        parts.append("not back yet 未归建")
    return "\n".join(parts) or OUTCOME_ZH[line.outcome]


def _team_why(line: TeamLine) -> str:
    chosen = next((one for one in line.considered if one.verdict == "chosen"), None)
    parts: list[str] = []
    if chosen is not None:
        rest = [one for one in line.considered if one.team.code != line.team.code]
        skill = f"with {line.skill}" if chosen.has_skill else f"left, without {line.skill}"
        parts.append(f"nearest free 最近 {skill}, {chosen.minutes} min")
        parts += [f"  {one.team.zh}: {one.minutes} min, {one.verdict}" for one in rest[:CONSIDERED_SHOWN_COUNT]]
        if len(rest) > CONSIDERED_SHOWN_COUNT:
            parts.append(f"  and {len(rest) - CONSIDERED_SHOWN_COUNT} more (--json)")
    if line.because != "first":
        who = f" {line.replaces.both}" if line.replaces else ""
        parts.append(f"for 替补{who} ({line.because})")
    if line.replaced_by is not None:
        parts.append(f"-> {line.replaced_by.both}")
    return "\n".join(parts)


def _requests(report: IncidentReport, zone: ZoneInfo) -> Iterator[str]:
    for one in report.county_requests:
        why = "again 再次" if one.refusals else BECAUSE[one.because] or "own teams used up 本级队伍已用尽"
        said_then = [_county_answer(answer, zone) for answer in one.answers] or [OUTCOME_ZH[one.outcome]]
        yield f"{clock(one.asked_at, zone)} asked 请求, seat {one.slot}: {why} · {' · '.join(said_then)}"


def _county_answer(answer: CountyAnswer, zone: ZoneInfo) -> str:
    team = f" {answer.team.both}" if answer.team else ""
    reason = f" ({answer.reason})" if answer.reason else ""
    return f"{OUTCOME_ZH[answer.outcome]} {clock(answer.at, zone)}{team}{reason}"


def _told(one: Overdue, zone: ZoneInfo) -> str:
    awaited = f"{one.awaited.replace('_', ' ')} {DEADLINE_ZH.get(one.awaited, '定位')}"
    told = one.told.both if one.told else "the post 指挥所 (end of the ladder)"
    return f"{clock(one.at, zone)} {one.who.both}: not {awaited} within {span(one.limit_s)} · told 已告知: {told}"


def _levels(report: IncidentReport, zone: ZoneInfo) -> Iterator[str]:
    for one in report.levels:
        before = f"{one.previous} → " if one.previous and one.previous != one.level else ""
        sure = " provisional 暂定" if one.is_provisional else ""
        why = f" · {'; '.join(one.deciding)}" if one.deciding else ""
        asked = f" · asked the post for 待补报: {', '.join(one.unknown)}" if one.unknown else ""
        yield f"{clock(one.at, zone)} {before}{one.level}{sure}{why}{asked}"


def _deadlines(report: IncidentReport, zone: ZoneInfo) -> Iterator[str]:
    known = report.deadlines
    because = f" ({'; '.join(known.lifted_because)})" if known.lifted_because else ""
    left = f"{len(known.open)} open 未结" if known.open else "none open"
    yield (
        f"Deadlines 期限: {known.ended} ended: {known.met} met 按时, {known.overdue} overdue 逾期, "
        f"{known.lifted} lifted 解除{because} · {left}"
    )
    for one in known.open:
        yield f"  {one.name} {DEADLINE_ZH.get(one.name, '')} of {one.subject}, due {clock(one.due_at, zone)}"


def _listed(title: str, lines: Iterable[str]) -> list[RenderableType]:
    found = list(lines)
    if not found:
        return []
    return [Text(title, style="bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in found), ""]


def timeline_view(moments: Sequence[Moment], home: Label, zone: ZoneInfo) -> RenderableType:
    """Every fact in order: time, stage, words. What another hub decided says which."""
    table = _table("Timeline 时间线", "time", "stage 环节", "what")
    for one in moments:
        elsewhere = "" if one.hub.code == home.code else f"[{one.hub.zh}] "
        table.add_row(clock(one.at, zone), f"{one.stage} {one.stage_zh}", Text(elsewhere + one.words))
    return table


def incidents_view(lines: Sequence[IncidentLine], zone: ZoneInfo) -> RenderableType:
    """The list of incidents. A level with ? is provisional."""
    open_count = sum(one.closed_at is None for one in lines)
    table = _table(f"Incidents 事件: {len(lines)}, open 在处: {open_count}")
    for column in ("incident 事件", "opened", "closed"):
        table.add_column(column, no_wrap=True)
    table.add_column("what 何事, where 何地", overflow="fold", min_width=22)
    for column in ("level", "reports", "came\n报到", "teams", "late\n逾期"):
        table.add_column(column)
    for one in lines:
        table.add_row(
            one.incident_id,
            f"{one.opened_at.astimezone(zone):%m-%d %H:%M}",
            f"{one.closed_at.astimezone(zone):%m-%d %H:%M}" if one.closed_at else "open 在处",
            f"{one.kind.zh} {one.place.zh or one.place.en}",
            one.level + ("?" if one.is_provisional else ""),
            str(one.reports),
            f"{one.departments_reported_in} of {one.departments}",
            str(one.teams),
            str(one.deadlines_overdue),
        )
    return table
