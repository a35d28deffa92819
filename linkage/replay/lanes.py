"""What a picture of an incident shows: bands by stage, in each a lane for every report, department and team.

A lane has bars (spans), marks (instants) and its outcome in words; an arrow goes from a lane to its replacement.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from linkage.replay.labels import Label
from linkage.replay.lane import Arrow, Band, Bar, Lane, Mark
from linkage.replay.report import CountyRequest, DepartmentLine, IncidentReport, LevelLine, Overdue, Reached, TeamLine
from linkage.replay.tables import HOW_ZH, OUTCOME_ZH
from linkage.replay.words import CHANNEL_ZH, STAGE_ZH, said, span

BAD = {"late", "not reported in", "silent", "declined", "refused"}
MARK_OF_ANSWER = {
    "received": "received",
    "accepted": "received",
    "en_route": "on_the_way",
    "reported_in": "reported_in",
    "done": "done",
    "declined": "declined",
}
AWAITED_ZH = {"county_answer": "county's answer 县级答复", "placed": "placed 定位"}


def bands(report: IncidentReport, ends: datetime) -> tuple[Band, ...]:
    """The stages that had a part in it, top to bottom. `ends`: the picture's last instant."""
    found = (
        ("information", tuple(_reports(report))),
        ("assessment", tuple(_levels(report, ends))),
        ("whistle", tuple(_department(line, report, ends) for line in report.departments)),
        ("dispatch", (*(_team(line, report, ends) for line in _by_seat(report)), *_unmet(report, ends))),
    )
    return tuple(Band(stage, STAGE_ZH[stage], lanes) for stage, lanes in found if lanes)


def arrows(report: IncidentReport) -> tuple[Arrow, ...]:
    """Who took whose place, and when."""
    found = []
    for line in report.departments:
        before = [one for one in report.departments if one.slot == line.slot and one.attempt == line.attempt - 1]
        found += [_arrow(line.ordered_at, one, line) for one in before if line.replaces is not None]
    asked = {one.request_id: one for one in report.county_requests}
    for team in report.teams:
        request = asked.get(team.request_id or "")
        replaces = request.replaces if request else team.replaces
        if replaces is None:
            continue
        earlier = [one for one in report.teams if one.team == replaces and one.ordered_at <= team.ordered_at]
        found += [_arrow(request.asked_at if request else team.ordered_at, one, team) for one in earlier[-1:]]
    return tuple(found)


def _arrow(at: datetime, before: DepartmentLine | TeamLine, after: DepartmentLine | TeamLine) -> Arrow:
    names = [one.party if isinstance(one, DepartmentLine) else one.team for one in (after, before)]
    return Arrow(at, before.order_id, after.order_id, f"{names[0].both} replaces 替补 {names[1].both}")


def _reports(report: IncidentReport) -> Iterator[Lane]:
    for number, line in enumerate(report.reports):
        apart = "" if line.seconds_apart is None else f", {line.seconds_apart} s apart"
        again = f" · sent {line.sent_again + 1} times 重复上报" if line.sent_again else ""
        words = f"{line.sender.both}: {HOW_ZH[line.how]}{apart}"
        yield Lane(
            f"report-{number}",
            line.sender,
            (),
            (Mark(line.at, "report", words),),
            f"{HOW_ZH[line.how]}{apart}",
            line.message_id + again,
        )


def _levels(report: IncidentReport, ends: datetime) -> Iterator[Lane]:
    if not report.levels:
        return
    until = [one.at for one in report.levels[1:]] + [report.closing.at if report.closing else ends]
    bars = tuple(
        Bar(one.at, max(end, one.at), one.level, f"{_level(one)}: {'; '.join(one.deciding)}", _level(one))
        for one, end in zip(report.levels, until, strict=True)
    )
    last = report.levels[-1]
    way: list[str] = []
    for one in report.levels:
        way += [one.level] if one.level not in way[-1:] else []
    asked = f"asked for 待补报: {', '.join(last.unknown)}" if last.unknown else ""
    sure = " provisional 暂定" if last.is_provisional else ""
    yield Lane("level", Label("level", "Incident level", "事件级别"), bars, (), " → ".join(way) + sure, asked)


def _level(line: LevelLine) -> str:
    return line.level + ("?" if line.is_provisional else "")


def _heard(reached: Reached) -> str:
    if reached.attested is None:
        return ""
    channel = reached.attested.channel.value
    return f" by {channel.replace('_', ' ')} {CHANNEL_ZH[channel]}"


def _overdue(report: IncidentReport, order_id: str) -> tuple[list[Mark], str]:
    """(red marks, whom the first silence was told)."""
    late = [one for one in report.overdue if one.subject == order_id]
    marks = [Mark(one.at, "overdue", f"overdue 逾期: no {_awaited(one)} within {span(one.limit_s)}") for one in late]
    told = [f"{one.told.zh} {one.told.en}" for one in late if one.told is not None]
    return marks, f"told 已告知: {told[0]}" if told else ""


def _awaited(one: Overdue) -> str:
    return AWAITED_ZH.get(one.awaited) or said(one.awaited)


def _department(line: DepartmentLine, report: IncidentReport, ends: datetime) -> Lane:
    """The outlined bar is the time it had; red is what it took beyond."""
    limit_at = line.ordered_at + timedelta(seconds=line.limit_s)
    told = {
        "received": line.received,
        "on_the_way": line.on_the_way,
        "reported_in": line.reported_in,
        "done": line.done,
    }
    there = line.reported_in
    over_at = line.done.at if line.done else report.closing.at if report.closing else ends
    bars = [Bar(line.ordered_at, limit_at, "allowed", f"had 限时 {span(line.limit_s)} to report in 报到")]
    if line.outcome != "declined":
        bars += _department_bars(line, limit_at, over_at)
    marks = [Mark(line.ordered_at, "ordered", "whistled for 吹哨"), Mark(limit_at, "limit", "limit 限时")]
    marks += [Mark(one.at, shape, said_words(shape, one)) for shape, one in told.items() if one is not None]
    if line.outcome == "declined":
        declined_at = _declined_at(report, line)
        bars[0] = Bar(line.ordered_at, declined_at, "allowed", "until it declined")
        marks = [marks[0], *marks[2:], Mark(declined_at, "declined", f"declined 不能出动: {line.reason}")]
    late, told_to = _overdue(report, line.order_id)
    spans = f" {span(line.late_s)}" if line.outcome == "late" and line.late_s else ""
    after = f" · after {span(there.span_s)}" if there and line.outcome == "met" else ""
    heard = next((_heard(one) for one in (there, line.received) if one is not None), "")
    return Lane(
        line.order_id,
        line.party,
        tuple(bars),
        (*marks, *late),
        OUTCOME_ZH[line.outcome] + spans + after,
        (line.reason or told_to or heard.strip())
        if line.outcome in BAD
        else " · ".join(filter(None, (heard.strip(), told_to))),
        line.outcome in BAD,
    )


def _department_bars(line: DepartmentLine, limit_at: datetime, over_at: datetime) -> Iterator[Bar]:
    """No answer, on the way, there; red beyond the limit."""
    there, heard = line.reported_in, line.received or line.on_the_way or line.reported_in
    coming_until = there.at if there else over_at
    if heard is not None:
        yield Bar(line.ordered_at, min(heard.at, limit_at), "waiting", "no answer yet 待应答")
        yield Bar(min(heard.at, limit_at), max(min(coming_until, limit_at), heard.at), "going", "on the way 途中")
    if there is not None:
        yield Bar(there.at, max(over_at, there.at), "there", "there 在场")
    if line.outcome in ("late", "not reported in", "silent") and coming_until > limit_at:
        late_s = int((coming_until - limit_at).total_seconds())
        yield Bar(limit_at, coming_until, "late", f"late 迟到 {span(late_s)}")


def said_words(shape: str, reached: Reached) -> str:
    """A mark's words: what was said, after how long, and how it was heard."""
    words = {"on_the_way": "en_route"}.get(shape, shape)
    return f"{said(words)} +{span(reached.span_s)}{_heard(reached)}"


def _declined_at(report: IncidentReport, line: DepartmentLine) -> datetime:
    """When the next in the seat was whistled for: the same step in which it declined; else its last word."""
    after = [one for one in report.departments if one.slot == line.slot and one.attempt == line.attempt + 1]
    known = [one.at for one in (line.received, line.on_the_way) if one is not None]
    return after[0].ordered_at if after else max(known, default=line.ordered_at)


def _seat(line: TeamLine, requests: dict[str, CountyRequest]) -> tuple[int, datetime]:
    request = requests.get(line.request_id or "")
    return (request.slot if request else line.slot), line.ordered_at


def _by_seat(report: IncidentReport) -> list[TeamLine]:
    """Teams seat by seat, in each in the order in which they were sent: who replaces stands below whom it replaces."""
    requests = {one.request_id: one for one in report.county_requests}
    return sorted(report.teams, key=lambda line: _seat(line, requests))


def _team(line: TeamLine, report: IncidentReport, ends: datetime) -> Lane:
    answers = dict(line.answers)
    marks = [Mark(line.ordered_at, "ordered", "ordered 调动")]
    request = next((one for one in report.county_requests if one.request_id == line.request_id), None)
    if request is not None:
        marks.insert(0, Mark(request.asked_at, "asked", "the county was asked 请求县级"))
    marks += [Mark(one.at, MARK_OF_ANSWER[name], f"{said(name)} +{span(one.span_s)}") for name, one in line.answers]
    if line.stood_down_at is not None:
        marks.append(Mark(line.stood_down_at, "back", "called back 收队"))
    late, told_to = _overdue(report, line.order_id)
    declined = answers.get("declined")
    arrived = f" · there 到场 +{span(line.arrived.span_s)}" if line.arrived else ""
    silent = "silent 无应答, then " if line.silent_at and line.outcome != "silent" else ""
    return Lane(
        line.order_id,
        line.team,
        tuple(_team_bars(line, ends)),
        (*marks, *late),
        silent + OUTCOME_ZH[line.outcome] + arrived,
        declined.reason if declined else told_to or ("of the county 县级" if line.is_county else ""),
        line.outcome in BAD or line.silent_at is not None,
    )


def _team_bars(line: TeamLine, ends: datetime) -> Iterator[Bar]:
    """Waiting for its answer, on the way, there; hatched while it is silent and held."""
    answers = dict(line.answers)
    last = line.released_at or ends
    first = min((one.at for _, one in line.answers), default=last)
    taken = answers.get("accepted") or answers.get("en_route") or answers.get("reported_in")
    waiting_until = min(line.silent_at or last, taken.at if taken else last)
    yield Bar(line.ordered_at, max(waiting_until, line.ordered_at), "waiting", "ordered, no answer yet 待应答")
    if line.silent_at is not None and not (taken and taken.at < line.silent_at):
        heard = min(taken.at if taken else last, last)
        yield Bar(line.silent_at, max(heard, first, line.silent_at), "unreachable", "silent, held as unreachable 失联")
    over_at = line.done.at if line.done else line.stood_down_at or last
    if taken is not None:
        there_at = line.arrived.at if line.arrived else over_at
        yield Bar(taken.at, max(there_at, taken.at), "going", "on the way 途中")
        if line.arrived is not None:
            yield Bar(line.arrived.at, max(over_at, line.arrived.at), "there", "there 在场")


def _unmet(report: IncidentReport, ends: datetime) -> Iterator[Lane]:
    """Requests to the county that brought no team, a lane for each seat."""
    sent = {one.request_id for one in report.teams}
    in_vain = [one for one in report.county_requests if one.request_id not in sent]
    for slot in sorted({one.slot for one in in_vain}):
        asked = [one for one in in_vain if one.slot == slot]
        marks = [Mark(one.asked_at, "asked", "the county was asked 请求县级") for one in asked]
        late = [mark for one in asked for mark in _overdue(report, one.request_id)[0]]
        last = asked[-1]
        times = f"asked {len(asked)} times 请求{len(asked)}次" if len(asked) > 1 else ""
        reason = last.answers[-1].reason if last.answers else ""
        yield Lane(
            f"seat-{slot}",
            Label(last.request_id, f"a county team, seat {slot}", f"县级队伍 席位{slot}"),
            tuple(_asking_bars(asked, ends)),
            (*marks, *late),
            OUTCOME_ZH[last.outcome],
            " · ".join(filter(None, (reason, times))),
            last.outcome in BAD,
        )


def _asking_bars(asked: list[CountyRequest], ends: datetime) -> Iterator[Bar]:
    for one in asked:
        answered_at = one.answers[-1].at if one.answers else ends
        yield Bar(one.asked_at, max(answered_at, one.asked_at), "waiting", "asked, no answer yet 待县级答复")
