"""What people read: each code as a sentence in English and in Chinese."""

from typing import NamedTuple

from linkage.agents.desk import Desk
from linkage.events import deadlines, dispatch, information, reception, whistle
from linkage.events.assessment import IncidentAssessed
from linkage.events.base import Place
from linkage.events.inbound import Answer
from linkage.events.outbound import Briefing


class Text(NamedTuple):
    """The same sentence twice."""

    en: str
    zh: str


ANSWER_ZH = {
    Answer.RECEIVED: "签收",
    Answer.ACCEPTED: "接受",
    Answer.DECLINED: "不能出动",
    Answer.EN_ROUTE: "出发",
    Answer.REPORTED_IN: "报到",
    Answer.DONE: "完成",
}
ANSWER_EN = {
    Answer.RECEIVED: "received",
    Answer.ACCEPTED: "accepted",
    Answer.DECLINED: "declined",
    Answer.EN_ROUTE: "on the way",
    Answer.REPORTED_IN: "reported in",
    Answer.DONE: "done",
}
ROLE_ZH = {"lead": "牵头", "assist": "配合"}
OUTCOME = {
    "opened": Text("a new incident was opened", "已新建事件"),
    "merged": Text("merged into an incident that is open", "已并入在处事件"),
    "revised": Text("it replaces an earlier report", "已更正原报告"),
    "unplaced": Text("no certain township: the county's desk places it", "乡镇不明，县级值班席定位"),
    "recorded": Text("recorded", "已记录"),
}


def span(seconds: int) -> Text:
    """A span as people say it: whole minutes as minutes, anything else as seconds."""
    if seconds >= 120 and seconds % 60 == 0:
        return Text(f"{seconds // 60} min", f"{seconds // 60}分钟")
    return Text(f"{seconds} s", f"{seconds}秒")


def where(place: Place, desk: Desk) -> Text:
    """The place in words: the village's name where it is known, else the reporter's words."""
    content = desk.reference.content
    village = desk.reference.villages.get(place.village or (place.group or "")[:12])
    if village is None:
        return _township_and_words(place, desk)
    return Text(
        f"{village.label_en}, {content.label_en}" + (f" ({place.words})" if place.words else ""),
        f"{content.label_zh}{village.label_zh}" + (f"（{place.words}）" if place.words else ""),
    )


def _township_and_words(place: Place, desk: Desk) -> Text:
    post = desk.reference.posts.get(place.hub or "")
    words = place.words or ("" if post else "place unknown 地点不明")
    named = Text(post.label_en, post.label_zh) if post else Text("", "")
    return Text(f"{words} ({named.en})" if words and post else words or named.en, f"{named.zh}{words}")


def party(name: str, desk: Desk) -> Text:
    known = desk.reference.parties.get(name)
    return Text(known.label_en, known.label_zh) if known else Text(name, name)


def _what(briefing: Briefing, desk: Desk) -> Text:
    place = where(briefing.place, desk)
    exercise_en, exercise_zh = ("EXERCISE: ", "【演练】") if briefing.exercise else ("", "")
    sure_en, sure_zh = (" provisional", "（暂定）") if briefing.level_is_provisional else ("", "")
    kind = desk.reference.kind_en(briefing.kind)
    return Text(
        f"{exercise_en}{kind} at {place.en}, level {briefing.level}{sure_en}",
        f"{exercise_zh}{place.zh}{briefing.kind_zh}，{briefing.level}级{sure_zh}",
    )


def notified(briefing: Briefing, desk: Desk) -> Text:
    what = _what(briefing, desk)
    return Text(f"For your information: {what.en}. Come when asked.", f"通报：{what.zh}。听候通知。")


def whistled(fact: whistle.DepartmentWhistled, desk: Desk) -> Text:
    what, limits = _what(fact.briefing, desk), desk.policy.limits.department
    return Text(
        f"Whistle: {what.en}. Report in as {fact.role} within {span(limits.report_in.seconds).en}; "
        f"confirm receipt within {span(limits.receive.seconds).en}.",
        f"吹哨：{what.zh}。请以{ROLE_ZH[fact.role]}单位在{span(limits.report_in.seconds).zh}内报到，"
        f"{span(limits.receive.seconds).zh}内签收。",
    )


def team_ordered(fact: dispatch.TeamOrdered, desk: Desk) -> Text:
    what, limits = _what(fact.briefing, desk), desk.policy.limits.team
    label = desk.reference.teams[fact.team]
    return Text(
        f"Order to {label.label_en}: go to {what.en}. Confirm receipt within {span(limits.receive.seconds).en}, "
        f"be there within {span(limits.report_in.seconds).en}.",
        f"调令：{label.label_zh}赴{what.zh}。{span(limits.receive.seconds).zh}内签收，{span(limits.report_in.seconds).zh}内到场报到。",
    )


def stood_down(reason: str, team_zh: str | None, party_zh: str) -> Text:
    who = team_zh or party_zh
    return Text(
        f"Stand down: {reason}. Come back and answer `done` when you have.",
        f"{who}收队：{reason}。撤回后请回复“完成”。",
    )


def overdue(fact: whistle.DepartmentOverdue | dispatch.TeamOverdue, who: Text, told: Text | None) -> Text:
    also_en = f"; told: {told.en}" if told else ""
    also_zh = f"；已告知：{told.zh}" if told else ""
    limit = span(fact.limit_s)
    return Text(
        f"Overdue: {who.en} has not {ANSWER_EN[fact.awaited]} within {limit.en} (order {fact.order_id}){also_en}",
        f"逾期：{who.zh}{limit.zh}内未{ANSWER_ZH[fact.awaited]}（{fact.order_id}）{also_zh}",
    )


def numbers_wanted(fact: IncidentAssessed) -> Text:
    names = ", ".join(fact.unknown)
    return Text(
        f"Level {fact.level} is provisional: not known yet: {names}. Report them as soon as you know.",
        f"{fact.level}级为暂定，尚缺：{names}，请尽快补报。",
    )


def departments_exhausted(fact: whistle.DepartmentsExhausted) -> Text:
    tried = ", ".join(fact.tried)
    return Text(
        f"Nobody is left to whistle for in seat {fact.slot}: {tried} {fact.because}. A person must find one.",
        f"第{fact.slot}席无单位可吹哨（已试：{tried}），请人工指定。",
    )


def teams_exhausted(fact: dispatch.TeamsExhausted) -> Text:
    return Text(
        f"No team is left for seat {fact.slot} ({fact.reason}, asked {fact.asked} times). A person must find one.",
        f"第{fact.slot}席无队伍可调（{fact.reason}，已请求{fact.asked}次），请人工指定。",
    )


def county_unanswered(fact: dispatch.CountyUnanswered) -> Text:
    limit = span(fact.limit_s)
    return Text(
        f"The county has not answered request {fact.request_id} for a team within {limit.en}. Telephone it.",
        f"县级{limit.zh}内未答复调队请求{fact.request_id}，请电话联系。",
    )


def answer_awaited(fact: deadlines.AnswerAwaited) -> Text:
    return Text(
        f"Whether {fact.subject} was answered is not known for {span(fact.waited_s).en}: "
        "the answers' topic can't be read. Telephone them.",
        f"{fact.subject}是否已答复未知（{span(fact.waited_s).zh}无法读取回复），请电话确认。",
    )


def report_unplaced(fact: information.ReportUnplaced) -> Text:
    words = fact.content.place.words or fact.content.summary
    return Text(
        f"A report without a certain township: {fact.report.message_id} of {fact.report.sender}: {words}. "
        f"Place it: linkage command POST place {fact.report.sender} {fact.report.message_id} TOWNSHIP",
        f"乡镇不明的报告：{fact.report.sender} {fact.report.message_id}：{words}，请定位。",
    )


def still_unplaced(fact: information.ReportStillUnplaced) -> Text:
    return Text(
        f"Still not placed after {span(fact.limit_s).en}: report {fact.subject}.",
        f"{span(fact.limit_s).zh}仍未定位：{fact.subject}。",
    )


def source_gap(fact: reception.SourceGapRecorded) -> Text:
    return Text(
        f"Records {fact.from_offset} to {fact.to_offset - 1} of {fact.topic} were gone or could not be decoded: "
        "ask that source to send them again.",
        f"{fact.topic}第{fact.from_offset}至{fact.to_offset - 1}条已被清除或无法解码，请该来源重发。",
    )


def declined(who: Text, reason: str) -> Text:
    because_en, because_zh = (f": {reason}", f"：{reason}") if reason else ("", "")
    return Text(f"{who.en} declined{because_en}", f"{who.zh}不能出动{because_zh}")


def incident_opened(fact: information.IncidentOpened, desk: Desk) -> Text:
    place = where(fact.place, desk)
    return Text(
        f"Incident opened: {desk.reference.kind_en(fact.kind)} at {place.en}",
        f"新建事件：{place.zh}{desk.reference.kind_zh(fact.kind)}",
    )


RELATION = {
    "CHILD": Text("one event", "同一事件"),
    "RELATED": Text("perhaps one event", "疑似同一事件"),
    "UNLINK": Text("two events", "不是同一事件"),
}


def compared(comparison: information.Comparison) -> Text:
    """What was compared and what tipped it: seconds, metres, roads."""
    metres_en = f", {comparison.distance_m} m" if comparison.distance_m is not None else ""
    metres_zh = f"、{comparison.distance_m}米" if comparison.distance_m is not None else ""
    roads = f" ({', '.join(comparison.roads)})" if comparison.roads else ""
    how = "; ".join(comparison.reasons)
    return Text(
        f"{comparison.rule}: {how}; {comparison.seconds_apart} s{metres_en} apart, at most "
        f"{comparison.limit_s} s{roads}",
        f"{comparison.rule}：相隔{comparison.seconds_apart}秒{metres_zh}，上限{comparison.limit_s}秒{roads}",
    )


def incidents_linked(fact: information.IncidentsLinked, desk: Desk) -> Text:
    why, relation = compared(fact.comparison), RELATION[fact.relation]
    one, other = (party(named.hub, desk) for named in (fact.one, fact.other))
    ask_en = f" Is it? linkage command {desk.hub} judge-link {fact.link_id} --one-event or --separate"
    ask_zh = f"请研判：{fact.link_id}。"
    is_open = fact.certainty == "unsure"
    return Text(
        f"{relation.en}: {fact.one.incident_id} ({one.en}) and {fact.other.incident_id} ({other.en}): {why.en}."
        + (ask_en if is_open else ""),
        f"{relation.zh}：{fact.one.incident_id}（{one.zh}）与{fact.other.incident_id}（{other.zh}），{why.zh}。"
        + (ask_zh if is_open else ""),
    )


def link_judged(fact: information.LinkJudged) -> Text:
    relation = RELATION[fact.relation]
    named = f"{fact.one.incident_id}, {fact.other.incident_id}"
    return Text(
        f"Judged by {fact.signed_by}: {relation.en}: {named}: {fact.reason}",
        f"{fact.signed_by}研判：{relation.zh}（{named}）：{fact.reason}",
    )


def link_noted(fact: information.LinkNoted) -> Text:
    relation = RELATION[fact.relation]
    return Text(
        f"{fact.incident_id} and {fact.other.incident_id} of {fact.other.hub}: {relation.en}. The county leads.",
        f"{fact.incident_id}与{fact.other.hub}的{fact.other.incident_id}：{relation.zh}，由县级牵头。",
    )


def receipt(outcome: str, incident_id: str | None) -> Text:
    said = OUTCOME[outcome]
    named = f" ({incident_id})" if incident_id else ""
    return Text(f"Received: {said.en}{named}.", f"已收到：{said.zh}{named}。")


REFUSAL_ZH = {
    "unreadable": "无法解析",
    "not_valid": "内容不合格式",
    "not_registered": "发送方未登记",
    "not_allowed_here": "该主题不允许此类消息",
    "no_such_hub": "指挥所代码不存在",
    "same_id_other_content": "同一编号内容不同",
    "nothing_to_act_on": "没有对应的指令",
    "not_your_order": "不是发给贵单位的指令",
    "order_is_over": "指令已结束",
    "no_such_order": "没有该指令",
    "no_such_open_incident": "没有该在处事件",
    "no_such_unplaced_report": "没有该待定位报告",
    "no_such_link": "没有该关联",
    "no_such_township": "没有该乡镇",
    "no_reference_data": "本指挥所尚无基础数据",
    "engine_failed": "系统处理失败",
    "step_too_large": "处理步骤过大",
    "too_large": "消息过大",
}


def refusal(fact: reception.MessageRefused) -> Text:
    """Whose fault it is and what comes next."""
    whose_en, whose_zh = ("the sender's", "发送方") if fact.fault == "sender" else ("the engine's", "系统")
    again = "Send it again with the same id once mended." if fact.fault == "sender" else "Send the same again later."
    again_zh = "更正后可用同一编号重发。" if fact.fault == "sender" else "请稍后重发。"
    return Text(
        f"Refused ({fact.code}): {fact.reason}. Whose fault: {whose_en}. {again}"[:2000],
        f"不予受理（{REFUSAL_ZH.get(fact.code, fact.code)}）：责任在{whose_zh}。{again_zh}",
    )
