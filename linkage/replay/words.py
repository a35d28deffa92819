"""Each fact in one line for the timeline: who, what, why, in English with the Chinese term beside it."""

from collections.abc import Callable
from typing import Any

from linkage.events import assessment, deadlines, dispatch, information, reception, whistle
from linkage.events.inbound import Answer
from linkage.narration import ANSWER_EN, ANSWER_ZH, ROLE_ZH, compared
from linkage.replay.labels import Labels
from linkage.replay.link_words import LINK_WORDS

STAGE_ZH = {
    "reception": "受理",
    "information": "信息交互",
    "assessment": "会商研判",
    "whistle": "吹哨报到",
    "dispatch": "队伍调动",
}
RELATION_ZH = {"commanded": "命令", "requested": "请求", "notified": "通知", "whistled": "吹哨"}
CHANNEL_ZH = {"phone": "电话", "radio": "电台", "paper": "书面", "chat": "聊天", "face_to_face": "当面"}
DEADLINE_ZH = {
    "stand_down": "收队",
    "county_answer": "县级答复",
    "county_retry": "再次请求县级",
    "place_report": "报告定位",
    **{answer.value: word for answer, word in ANSWER_ZH.items()},
}
LENT_ZH = {
    "ordered": "已调动",
    "received": "签收",
    "accepted": "接受",
    "en_route": "出发",
    "reported_in": "报到",
    "unreachable": "失联",
    "standing_down": "收队中",
    "released": "归建",
}
BECAUSE = {
    "first": "",
    "declined": "the one before declined 前者不能出动",
    "silent": "the one before stays silent 前者无应答",
}

Words = Callable[[Any, Labels], str]


def in_words(fact: Any, labels: Labels) -> str:
    """One line for a fact."""
    return WORDS[type(fact)](fact, labels)


def span(seconds: int) -> str:
    """A span as mm:ss, longer than an hour as h:mm:ss."""
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    hours, minutes = divmod(seconds // 60, 60)
    return f"{sign}{hours}:{minutes:02d}:{seconds % 60:02d}" if hours else f"{sign}{minutes:02d}:{seconds % 60:02d}"


def said(answer: str) -> str:
    """An answer in both languages."""
    return f"{ANSWER_EN[Answer(answer)]} {ANSWER_ZH[Answer(answer)]}"


def _because(because: str, replaces: str | None, labels: Labels) -> str:
    why = BECAUSE[because]
    return f"; {why}" + (f", {labels.about(replaces)}" if replaces else "") if why else ""


def _reason(reason: str) -> str:
    return f": {reason}" if reason else ""


def _attested(fact: whistle.DepartmentAnswered | dispatch.TeamAnswered) -> str:
    if fact.attested is None:
        return ""
    channel = fact.attested.channel
    return f" (by {channel} {CHANNEL_ZH[channel]}, written down by {fact.attested.recorded_by})"


def _answered(fact: whistle.DepartmentAnswered | dispatch.TeamAnswered, who: str) -> str:
    nothing_new = "" if fact.changed else " (changes nothing)"
    return f"{who} {said(fact.answer)}{_reason(fact.reason)}{_attested(fact)}{nothing_new}"


def _overdue(fact: whistle.DepartmentOverdue | dispatch.TeamOverdue, who: str, labels: Labels) -> str:
    told = f"; told 已告知: {labels.party(fact.told).both}" if fact.told else ""
    return f"{who} overdue 逾期: not {said(fact.awaited)} within {span(fact.limit_s)}{told}"


def _recorded(fact: reception.MessageRecorded, labels: Labels) -> str:
    return f"{fact.kind} {fact.message_id} of {labels.party(fact.sender).both} {fact.outcome}, receipt 回执"


def _repeated(fact: reception.MessageRepeated, labels: Labels) -> str:
    return f"{fact.kind} {fact.message_id} of {labels.party(fact.sender).both} came again, same receipt 重复上报"


def _refused(fact: reception.MessageRefused, labels: Labels) -> str:
    return f"refused 拒收 {fact.message_id} of {labels.party(fact.sender).both} ({fact.code}): {fact.reason}"


def _gap(fact: reception.SourceGapRecorded, labels: Labels) -> str:
    return f"records {fact.from_offset} to {fact.to_offset - 1} of {fact.topic} were gone unread 来源缺口"


def _set(fact: deadlines.DeadlineSet, labels: Labels) -> str:
    rung = f", rung {fact.rung}" if fact.rung else ""
    what = f"{fact.name} {DEADLINE_ZH.get(fact.name, '')}"
    return f"deadline 期限 {what} of {labels.about(fact.subject)}: {span(fact.span_s)}{rung}"


def _ended(fact: deadlines.DeadlineEnded, labels: Labels) -> str:
    word = {"met": "met 按时", "overdue": "overdue 逾期", "lifted": "lifted 解除"}[fact.outcome]
    return f"deadline 期限 of {labels.about(fact.deadline_id)} {word}{_reason(fact.reason)}"


def _awaited(fact: deadlines.AnswerAwaited, labels: Labels) -> str:
    return f"whether {labels.about(fact.subject)} answered is not known for {span(fact.waited_s)} 是否答复未知"


def _opened(fact: information.IncidentOpened, labels: Labels) -> str:
    follows = f", follows {fact.follows}" if fact.follows else ""
    kind, place, sender = labels.kind(fact.kind), labels.place(fact.place), labels.party(fact.report.sender)
    return f"incident opened 新建事件: {kind.both}, {place.both}, reported by {sender.both}{follows}"


def _merged(fact: information.ReportMerged, labels: Labels) -> str:
    why = compared(fact.comparison).en if fact.comparison else f"{fact.seconds_apart} s apart"
    return f"report of {labels.party(fact.report.sender).both} merged 并入: {why}"


def _revised(fact: information.ReportRevised, labels: Labels) -> str:
    return f"report of {labels.party(fact.report.sender).both} revised 更正 {fact.supersedes}"


def _unplaced(fact: information.ReportUnplaced, labels: Labels) -> str:
    return f"report of {labels.party(fact.report.sender).both} without a certain township 乡镇不明"


def _still_unplaced(fact: information.ReportStillUnplaced, labels: Labels) -> str:
    told = f"; told 已告知: {labels.party(fact.told).both}" if fact.told else ""
    return f"report {fact.subject} still not placed after {span(fact.limit_s)} 仍未定位{told}"


def _handed_over(fact: information.ReportHandedOver, labels: Labels) -> str:
    return f"report of {labels.party(fact.report.sender).both} placed in {labels.hub(fact.township).both} 已定位"


def _closed(fact: information.IncidentClosed, labels: Labels) -> str:
    return f"closed 结束, signed 签发 by {fact.signed_by}{_reason(fact.reason)}"


def _assessed(fact: assessment.IncidentAssessed, labels: Labels) -> str:
    sure = " provisional 暂定" if fact.is_provisional else ""
    asked = f"; asked 待补报: {', '.join(fact.unknown)}" if fact.unknown else ""
    before = f" (before: {fact.previous})" if fact.previous and fact.previous != fact.level else ""
    return f"level {fact.level}{before}{sure}{asked}"


def _assessment_ended(fact: assessment.AssessmentEnded, labels: Labels) -> str:
    return f"assessment ended at level {fact.level} 研判结束"


def _blown(fact: whistle.WhistleBlown, labels: Labels) -> str:
    return f"whistle blown 吹哨: {len(fact.slots)} seats, rule {fact.rule} ({fact.basis})"


def _briefing(fact: whistle.WhistleBriefingChanged, labels: Labels) -> str:
    return f"who is whistled for from here on is told level {fact.briefing.level} 通报更新"


def _whistled(fact: whistle.DepartmentWhistled, labels: Labels) -> str:
    role = f"{fact.role} {ROLE_ZH[fact.role]}"
    return f"{labels.party(fact.party).both} whistled for 吹哨, {role}{_because(fact.because, fact.replaces, labels)}"


def _notified(fact: whistle.DepartmentNotified, labels: Labels) -> str:
    return f"{labels.party(fact.party).both} notified 通知, comes when asked"


def _departments_exhausted(fact: whistle.DepartmentsExhausted, labels: Labels) -> str:
    tried = ", ".join(labels.party(one).both for one in fact.tried)
    return f"nobody left for seat {fact.slot} 无单位可吹哨 (tried {tried})"


def _department_stood_down(fact: whistle.DepartmentStoodDown, labels: Labels) -> str:
    return f"{labels.party(fact.party).both} stood down 撤回{_reason(fact.reason)}"


def _whistle_ended(fact: whistle.WhistleEnded, labels: Labels) -> str:
    return "whistle ended 吹哨结束"


def _required(fact: dispatch.TeamsRequired, labels: Labels) -> str:
    return f"{fact.needed} teams needed 需队伍, skill {fact.skill}, rule {fact.rule} ({fact.basis})"


def _ordered(fact: dispatch.TeamOrdered, labels: Labels) -> str:
    lent = f" for {labels.hub(fact.lent.township).both}" if fact.lent else ""
    team = labels.team(fact.team, fact.team_zh).both
    return f"{team} {fact.relation} {RELATION_ZH[fact.relation]}{lent}{_because(fact.because, fact.replaces, labels)}"


def _team_stood_down(fact: dispatch.TeamStoodDown, labels: Labels) -> str:
    return f"{labels.team(fact.team).both} called back 收队{_reason(fact.reason)}"


def _released(fact: dispatch.TeamReleased, labels: Labels) -> str:
    return f"{labels.team(fact.team).both} free again 归建{_reason(fact.reason)}"


def _teams_exhausted(fact: dispatch.TeamsExhausted, labels: Labels) -> str:
    return f"no team left for seat {fact.slot} 无队伍可调{_reason(fact.reason)}"


def _requested(fact: dispatch.CountyTeamRequested, labels: Labels) -> str:
    return f"county asked for a team 请求县级队伍 ({fact.request_id}){_because(fact.because, fact.replaces, labels)}"


def _promised(fact: dispatch.CountyTeamPromised, labels: Labels) -> str:
    return f"county sends 县级派出 {labels.team(fact.team, fact.team_zh).both} ({fact.order_id})"


def _request_refused(fact: dispatch.CountyTeamRefused, labels: Labels) -> str:
    again = f"; asked again in {span(fact.retry_s)}" if fact.retry_s else ""
    return f"county has none 县级无队伍可派{_reason(fact.reason)}{again}"


def _unanswered(fact: dispatch.CountyUnanswered, labels: Labels) -> str:
    return f"county has not answered {fact.request_id} within {span(fact.limit_s)} 县级未答复"


def _lent_changed(fact: dispatch.LentTeamChanged, labels: Labels) -> str:
    return f"county's {labels.team(fact.team).both} {fact.state} {LENT_ZH[fact.state]}{_reason(fact.reason)}"


def _given_back(fact: dispatch.LentTeamGivenBack, labels: Labels) -> str:
    return f"county's team needed no longer 归还县级队伍 ({fact.request_id}){_reason(fact.reason)}"


def _taken(fact: dispatch.TeamRequestTaken, labels: Labels) -> str:
    return f"{labels.hub(fact.township).both} asks for a team 乡镇请求队伍, skill {fact.skill}"


def _unmet(fact: dispatch.TeamRequestUnmet, labels: Labels) -> str:
    return f"no county team for {labels.hub(fact.township).both} 无县级队伍可派{_reason(fact.reason)}"


def _withdrawn(fact: dispatch.TeamRequestWithdrawn, labels: Labels) -> str:
    return f"request {fact.request_id} over 请求结束{_reason(fact.reason)}"


WORDS: dict[type, Words] = {
    reception.MessageRecorded: _recorded,
    reception.MessageRepeated: _repeated,
    reception.MessageRefused: _refused,
    reception.ReferenceAdopted: lambda fact, labels: f"reference data {fact.reference.version} rules 启用基础数据",
    reception.SourceGapRecorded: _gap,
    deadlines.DeadlineSet: _set,
    deadlines.DeadlineEnded: _ended,
    deadlines.AnswerAwaited: _awaited,
    information.IncidentOpened: _opened,
    information.ReportMerged: _merged,
    information.ReportRevised: _revised,
    information.ReportUnplaced: _unplaced,
    information.ReportStillUnplaced: _still_unplaced,
    information.ReportHandedOver: _handed_over,
    information.IncidentClosed: _closed,
    **LINK_WORDS,
    assessment.IncidentAssessed: _assessed,
    assessment.AssessmentEnded: _assessment_ended,
    whistle.WhistleBlown: _blown,
    whistle.WhistleBriefingChanged: _briefing,
    whistle.DepartmentWhistled: _whistled,
    whistle.DepartmentNotified: _notified,
    whistle.DepartmentAnswered: lambda fact, labels: _answered(fact, labels.party(fact.party).both),
    whistle.DepartmentOverdue: lambda fact, labels: _overdue(fact, labels.party(fact.party).both, labels),
    whistle.DepartmentsExhausted: _departments_exhausted,
    whistle.DepartmentStoodDown: _department_stood_down,
    whistle.WhistleEnded: _whistle_ended,
    dispatch.TeamsRequired: _required,
    dispatch.TeamOrdered: _ordered,
    dispatch.TeamAnswered: lambda fact, labels: _answered(fact, labels.team(fact.team).both),
    dispatch.TeamOverdue: lambda fact, labels: _overdue(fact, labels.team(fact.team).both, labels),
    dispatch.TeamStoodDown: _team_stood_down,
    dispatch.TeamReleased: _released,
    dispatch.TeamsExhausted: _teams_exhausted,
    dispatch.CountyTeamRequested: _requested,
    dispatch.CountyTeamPromised: _promised,
    dispatch.CountyTeamRefused: _request_refused,
    dispatch.CountyUnanswered: _unanswered,
    dispatch.LentTeamChanged: _lent_changed,
    dispatch.LentTeamGivenBack: _given_back,
    dispatch.TeamRequestTaken: _taken,
    dispatch.TeamRequestUnmet: _unmet,
    dispatch.TeamRequestWithdrawn: _withdrawn,
    dispatch.DispatchEnded: lambda fact, labels: f"dispatch ended 调动结束 ({fact.subject})",
}
"""Every fact of the vocabulary; a test holds that none is missing."""
