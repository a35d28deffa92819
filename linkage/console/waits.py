"""WAITS FOR YOU 待办: what needs a person at this post, the most pressing first, each with what to type next."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from linkage import narration
from linkage.agents.dispatch.state import TeamOrder
from linkage.agents.whistle import WhistleOrder
from linkage.console import typed
from linkage.console.notes import Undelivered
from linkage.console.rows import Wait
from linkage.console.scene import Scene
from linkage.console.seats import seat_waits
from linkage.events.assessment import IncidentAssessed
from linkage.events.deadlines import AnswerAwaited
from linkage.events.information import ReportUnplaced
from linkage.events.reception import MessageRefused

KEPT_FOR = timedelta(hours=1)
"""How long a refusal, an undelivered notice, a gap or an unmet request is shown."""

COUNT_WORDS = {
    "dead": "dead 死亡",
    "missing": "missing 失踪",
    "seriously_injured": "seriously injured 重伤",
    "trapped": "trapped 被困",
    "people_at_risk": "people at risk 受威胁",
    "loss_cny": "loss in CNY 经济损失(元)",
    "area_ha": "area in ha 面积(公顷)",
}
WORDS_LIMIT_CHARACTERS = 120


def waits(scene: Scene, now: datetime) -> tuple[Wait, ...]:
    """In order of rank, then longest first."""
    found = [
        *_without_reference(scene, now),
        *_unplaced(scene),
        *seat_waits(scene),
        *_unknown_answers(scene),
        *_undelivered_orders(scene),
        *_unreachable_teams(scene),
        *_unmet_requests(scene, now),
        *_doubts(scene, now),
        *_provisional_levels(scene),
        *_undelivered_notices(scene, now),
        *_refusals(scene, now),
        *_gaps(scene, now),
    ]
    return tuple(sorted(found, key=lambda wait: (wait.rank, wait.since, wait.kind, wait.subject)))


def _without_reference(scene: Scene, now: datetime) -> Iterator[Wait]:
    if scene.home.hub.reference is None:
        code = scene.home.hub.code
        text = f"hub {code} has no reference data: every message to it is refused until the county loads it"
        yield Wait("no_reference_data", "无基础数据", now, code, None, text, typed.load_county(), 0)


def _unplaced(scene: Scene) -> Iterator[Wait]:
    for (sender, message_id), fact in scene.home.information.unplaced.items():
        subject = f"{sender}/{message_id}"
        late = scene.home.notes.unplaced.get(subject)
        told = ""
        if late is not None:
            who = f", told 已告知 {scene.labels.party(late.fact.told).both}" if late.fact.told else ""
            told = f"; late 逾期, rung {late.fact.rung}{who}"
        text = f"report {message_id} of {scene.labels.party(sender).both}: {_content(scene, fact)}{told}"
        command = typed.place(scene.post, sender, message_id)
        yield Wait("unplaced", "待定位", fact.unplaced_at, subject, None, text, command, 1)


def _content(scene: Scene, fact: ReportUnplaced) -> str:
    content = fact.content
    exercise = "EXERCISE 演练 " if content.exercise else ""
    danger = ", LIFE AT RISK 危及生命" if content.life_at_risk else ""
    said = " · ".join(part for part in (content.place.words, content.summary) if part)
    return f"{exercise}{scene.labels.kind(content.kind).both}{danger}, “{_short(said)}”"


def _unknown_answers(scene: Scene) -> Iterator[Wait]:
    for noted in scene.home.notes.unknown.values():
        fact: AnswerAwaited = noted.fact
        who, party = scene.who(fact.subject), scene.party_of(fact.subject)
        text = (
            f"whether {who.both} answered {fact.subject} is not known for {fact.waited_s} s: "
            "the replies can't be read. Telephone them"
        )
        command = typed.record_answer(scene.post, fact.subject, party) if party else ""
        yield Wait("answer_unknown", "答复未知", noted.at, fact.subject, fact.incident_id, text, command, 3)


def _undelivered_orders(scene: Scene) -> Iterator[Wait]:
    """Until the party has answered all the same, or nothing is asked of it any more."""
    for one in scene.home.notes.undelivered:
        order = _order(scene, one)
        if order is None or order.said is not None or _is_over(order):
            continue
        who = scene.labels.party(one.party).both
        text = f"order {order.order_id} did not reach {who}: its topic is missing or denied. Telephone them"
        command = typed.record_answer(scene.post, order.order_id, order.party)
        yield Wait("undelivered", "未送达", one.at, order.order_id, order.incident_id, text, command, 3)


def _order(scene: Scene, one: Undelivered) -> WhistleOrder | TeamOrder | None:
    if one.order_id is None:
        return None
    return scene.home.whistle.orders.get(one.order_id) or scene.home.dispatch.orders.get(one.order_id)


def _is_over(order: WhistleOrder | TeamOrder) -> bool:
    return order.is_over if isinstance(order, WhistleOrder) else order.is_released


def _unreachable_teams(scene: Scene) -> Iterator[Wait]:
    state = scene.home.dispatch
    for team in sorted(state.holders):
        order = state.orders[state.holders[team]]
        if not order.is_unreachable:
            continue
        late = scene.home.notes.late.get(order.order_id)
        owner = "" if order.party == scene.post else f" of {scene.labels.party(order.party).both}"
        text = (
            f"team {scene.labels.team(team).both}{owner} does not answer {order.order_id}; "
            "held as unreachable until it does. Telephone them"
        )
        since = late.since if late is not None else order.ordered_at
        command = typed.record_answer(scene.post, order.order_id, order.party)
        yield Wait("unreachable", "失联", since, order.order_id, order.incident_id, text, command, 4)


def _unmet_requests(scene: Scene, now: datetime) -> Iterator[Wait]:
    """At the county: a township asked for a team and none was free."""
    for request_id, noted in scene.home.notes.unmet.items():
        if now - noted.at > KEPT_FOR:
            continue
        fact = noted.fact
        text = f"{scene.labels.hub(fact.township).both} asked for a county team for {fact.incident_id}: {fact.reason}"
        command = typed.look_up(fact.incident_id)
        yield Wait("county_team_wanted", "缺县级队", noted.at, request_id, fact.incident_id, text, command, 2)


def _doubts(scene: Scene, now: datetime) -> Iterator[Wait]:
    """Two incidents that may be one event, while one of them is open here, or for a while at the county."""
    information = scene.home.information
    for link_id, link in information.links.items():
        pair = (link.one.incident_id, link.other.incident_id)
        is_open = any(incident in information.incidents for incident in pair)
        if link.relation != "RELATED" or not (is_open or now - link.linked_at <= KEPT_FOR):
            continue
        text = f"{pair[0]} and {pair[1]} may be one event. Look at both and say so; --separate when they are two"
        command = typed.judge_link(scene.post, link_id)
        yield Wait("perhaps_one_event", "疑似同一事件", link.linked_at, link_id, pair[1], text, command, 4)


def _provisional_levels(scene: Scene) -> Iterator[Wait]:
    information = scene.home.information
    for incident_id, noted in scene.home.notes.levels.items():
        fact: IncidentAssessed = noted.fact
        incident = information.incidents.get(incident_id)
        if not fact.is_provisional or incident is None:
            continue
        sender, message_id = incident.reports[-1]
        if fact.unknown:
            asked = ", ".join(COUNT_WORDS[name] for name in fact.unknown)
            text = (
                f"level {fact.level} of {incident_id} is provisional, not known: {asked}. "
                f"Ask {scene.labels.party(sender).both} to revise report {message_id} (supersedes)"
            )
        else:
            text = f"level {fact.level} of {incident_id} is provisional: no rule of the county covers {incident.kind}"
        command = typed.revise(sender) if fact.unknown else typed.look_up(incident_id)
        yield Wait("provisional", "定级暂定", incident.opened_at, incident_id, incident_id, text, command, 5)


def _undelivered_notices(scene: Scene, now: datetime) -> Iterator[Wait]:
    """What was no order, counted for each party."""
    by_party: dict[str, list[Undelivered]] = {}
    for one in scene.home.notes.undelivered:
        if one.order_id is None and now - one.at <= KEPT_FOR:
            by_party.setdefault(one.party, []).append(one)
    for party, missed in sorted(by_party.items()):
        who = scene.labels.party(party).both
        text = f"{len(missed)} notices, receipts or refusals did not reach {who}: its topic is missing or denied"
        yield Wait("undelivered", "未送达", missed[0].at, party, None, text, typed.apply_topics(), 6)


def _refusals(scene: Scene, now: datetime) -> Iterator[Wait]:
    """Of this hub; and what the county's hub refused of this very post, because nobody could read it."""
    refused = list(scene.home.notes.refused)
    if not scene.is_county:
        refused += [one for one in scene.county.notes.refused if one.sender == scene.post]
    for fact in refused:
        if now - fact.refused_at <= KEPT_FOR:
            yield _refusal(scene, fact)


def _refusal(scene: Scene, fact: MessageRefused) -> Wait:
    sender = scene.labels.parties.get(fact.sender)
    whose = "the sender's 发送方" if fact.fault == "sender" else "the engine's 系统"
    again = "mended, the same id may be used again" if fact.fault == "sender" else "the same may be sent again"
    reason_zh = narration.REFUSAL_ZH.get(fact.code, fact.code)
    text = (
        f"{fact.message_id} of {scene.labels.party(fact.sender).both} refused: {reason_zh}, "
        f"{_short(fact.reason)}; fault {whose}; {again}"
    )
    command = typed.send_again(sender, fact.message_id)
    subject = f"{fact.sender}/{fact.message_id}"
    return Wait("refused", "拒收", fact.refused_at, subject, None, text, command, 7, fact.fault)


def _gaps(scene: Scene, now: datetime) -> Iterator[Wait]:
    for noted in scene.home.notes.gaps:
        if now - noted.at <= KEPT_FOR:
            text = (
                f"records {noted.fact.from_offset} to {noted.fact.to_offset - 1} of {noted.fact.topic} "
                "were gone before they were read: ask that source to send them again"
            )
            yield Wait("source_gap", "来源缺口", noted.at, noted.fact.topic, None, text, "", 6)


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= WORDS_LIMIT_CHARACTERS else one_line[: WORDS_LIMIT_CHARACTERS - 1] + "…"
