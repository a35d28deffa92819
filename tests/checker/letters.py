"""What left is there, and what is there had left: by the journal's list of it, by its facts, and by the receipts."""

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any

from tests.checker.evidence import Evidence, Found, Message, Step, Violation

WHISTLE, DISPATCH, STAND_DOWN = (f"linkage.{name}.v0" for name in ("WhistleDepartment", "DispatchTeam", "StandDown"))
ORDER_OF = {
    "linkage.DepartmentWhistled.v0": WHISTLE,
    "linkage.TeamOrdered.v0": DISPATCH,
    "linkage.DepartmentStoodDown.v0": STAND_DOWN,
    "linkage.TeamStoodDown.v0": STAND_DOWN,
}
"""Fact -> the order that it sends."""
RECEIPT, REFUSAL = "linkage.IssueReceipt.v0", "linkage.IssueRefusal.v0"
ANSWERED_WITH = {
    "linkage.MessageRecorded.v0": RECEIPT,
    "linkage.MessageRepeated.v0": RECEIPT,
    "linkage.MessageRefused.v0": REFUSAL,
}
STAGES = ("reception", "information", "assessment", "whistle", "dispatched")

Told = list[tuple[Hashable, Found]]
"""What something says, and the record in which it says so."""


def letter_faults(evidence: Evidence) -> Iterator[Violation]:
    """Every rule of this module."""
    yield from _orders_once(evidence)
    yield from _orders_are_facts(evidence)
    yield from _sent_arrives(evidence)
    yield from _receipts(evidence)
    yield from _published(evidence)


def _orders_once(evidence: Evidence) -> Iterator[Violation]:
    """Every (order, revision) stands in the dispatch topics exactly once."""
    seen: dict[Hashable, Found] = {}
    for one in evidence.on("dispatch"):
        if one.value.get("type") in ORDER_OF.values():
            order = (one.value["order_id"], one.value.get("revision", 1))
            if order in seen:
                yield one.violation("orders", f"{order} stands at {seen[order].at} too")
            seen.setdefault(order, one)


def _orders_are_facts(evidence: Evidence) -> Iterator[Violation]:
    """Every order was decided in the journal, and every order decided there was sent."""
    arrived: Told = [
        ((one.value["type"], one.value["order_id"], one.value.get("revision", 1), _party(evidence, one)), one)
        for one in evidence.on("dispatch")
        if one.value.get("type") in ORDER_OF.values()
    ]
    decided: Told = [
        ((ORDER_OF[fact["type"]], fact["order_id"], fact.get("revision", 1), fact["party"]), step)
        for step in evidence.steps
        for fact in step.facts_of(*ORDER_OF)
        if not _is_gone(evidence, step, fact["party"])
    ]
    yield from _differ("orders", decided, arrived, "was decided and not sent", "was sent and not decided")


def _sent_arrives(evidence: Evidence) -> Iterator[Violation]:
    """The journal's list of what left, and what a committed reader finds: each message id as often, on each topic."""
    sent: Told = []
    for step in evidence.steps:
        for one in step.sent:
            if one.get("diverted_because"):
                sent.append(("rejected", step))
            elif one["topic"] not in evidence.gone:
                sent.append(((one["topic"], one["message_id"]), step))
    arrived: Told = [((one.entry.topic, one.message_id), one) for one in evidence.on("dispatch")]
    arrived += [
        ((one.entry.topic, one.value["message_id"]), one)
        for one in evidence.on("inbox")
        if one.value.get("kind") == "hub"
    ]
    listed = {said for said, _step in sent}
    for one in evidence.on("rejected"):
        said = (one.entry.topic, one.message_id)
        arrived.append((said if said in listed else "rejected", one))
    yield from _differ("sent", sent, arrived, "left and did not arrive", "arrived and never left")


def _receipts(evidence: Evidence) -> Iterator[Violation]:
    """Every outcome of a report or a command is answered with its receipt, every refusal with its own, no other is."""
    owed: Told = [
        ((step.hub, fact["sender"], *_answer(ANSWERED_WITH[fact["type"]], fact)), step)
        for step in evidence.steps
        for fact in step.facts_of(*ANSWERED_WITH)
        if fact.get("kind") != "reply" and not _is_gone(evidence, step, fact["sender"])
    ]
    given: Told = [
        ((one.value["hub"], _party(evidence, one), *_answer(one.value["type"], one.value)), one)
        for one in evidence.on("dispatch")
        if one.value.get("type") in (RECEIPT, REFUSAL)
    ]
    yield from _differ("receipts", owed, given, "is owed and missing", "answers nothing")


def _answer(kind: str, said: Message) -> tuple[Any, ...]:
    if kind == RECEIPT:
        return kind, said["message_id"], said["outcome"], said.get("incident_id")
    return kind, said["message_id"], said["code"], said["fault"]


def _published(evidence: Evidence) -> Iterator[Violation]:
    """What the stages' topics say stands in the journal; how far they have come is asked of nobody."""
    steps = {(step.hub, step.position): step for step in evidence.steps}
    for channel in STAGES:
        for one in evidence.on(channel):
            step = steps.get((one.value.get("hub"), one.value.get("position")))
            staged = step.value["facts"] if step else []
            index = one.value.get("index", len(staged))
            if index >= len(staged) or staged[index] != {"stage": one.value["stage"], "fact": one.value["fact"]}:
                yield one.violation("published", "stands not so in the journal")


def _party(evidence: Evidence, one: Found) -> str | None:
    return evidence.place(one.entry.topic).party


def _is_gone(evidence: Evidence, step: Step, party: str) -> bool:
    """What this step said to a party went elsewhere, or to a topic that is gone."""
    topics = [topic for topic in evidence.gone if _names(evidence, topic, party)]
    diverted = [one["topic"] for one in step.sent if one.get("diverted_because")]
    return bool(topics) or any(_names(evidence, topic, party) for topic in diverted)


def _names(evidence: Evidence, topic: str, party: str) -> bool:
    place = evidence.place(topic)
    return place is not None and (place.channel, place.party) == ("dispatch", party)


def _differ(rule: str, wanted: Told, found: Told, missing: str, surplus: str) -> Iterator[Violation]:
    """One violation for each that is on one side only, at the record that says it."""
    for here, there, words in ((wanted, found, missing), (found, wanted, surplus)):
        left = Counter(said for said, _one in there)
        for said, one in here:
            if left[said] > 0:
                left[said] -= 1
            else:
                yield one.violation(rule, f"{said} {words}")
