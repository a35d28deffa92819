"""What must hold of a county at rest, from a dump alone. Each violation names the record that shows it.

What the contract allows, as it is read here:
- A source record's first journal record is its outcome: recorded or refused. Any further one repeats that outcome.
- A message (sender, id) is recorded once within the time that it is remembered; it is recorded again where the desk
  hands a report over to, and gets a second receipt from there.
- A question between hubs (CompareIncident) has a journal record only when something followed from it; a link that both
  townships propose (ProposeLink) has one, the other changes nothing.
- A message that was diverted because its destination is missing or denied is not there: it stands in `rejected`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.checker.contract import SENT_BY_PARTIES, Contract
from tests.checker.deadlines import deadline_faults
from tests.checker.dump import Entry
from tests.checker.evidence import Evidence, Step, Violation
from tests.checker.letters import letter_faults
from tests.checker.teams import team_faults

RECORDED, REPEATED, REFUSED = (f"linkage.Message{word}.v0" for word in ("Recorded", "Repeated", "Refused"))
OUTCOMES = (RECORDED, REPEATED, REFUSED)
LINKED = "linkage.IncidentsLinked.v0"
QUESTION, PROPOSAL = "linkage.CompareIncident.v0", "linkage.ProposeLink.v0"


def judge(entries: Iterable[Entry], contract: Contract, gone: frozenset[str] = frozenset()) -> list[Violation]:
    """Everything that is wrong. `gone`: topics deleted on purpose; what stood on them is not asked for.

    A record of the engine that is not what the contract says is named, and then looked at no more.
    """
    every = tuple(entries)
    evidence = Evidence(every, contract, gone)
    faulty = [*evidence.unknown, *values(evidence)]
    if faulty:
        unreadable = {(one.topic, one.partition, one.offset) for one in faulty}
        readable = (one for one in every if (one.topic, one.partition, one.offset) not in unreadable)
        evidence = Evidence(readable, contract, gone)
    return faulty + [violation for check in CHECKS for violation in check(evidence)]


def positions(evidence: Evidence) -> Iterator[Violation]:
    """Within each journal partition positions rise without repeats."""
    last: dict[int, int] = {}
    for step in evidence.steps:
        before = last.get(step.entry.partition, -1)
        if step.position <= before:
            yield step.violation("positions", f"position {step.position} comes after {before}")
        last[step.entry.partition] = max(before, step.position)


def identities(evidence: Evidence) -> Iterator[Violation]:
    """Each journal partition begins with the log's identity, has no other, and only records of that log follow."""
    for partition, (first, *others) in evidence.journal.items():
        log_id = first.value.get("log_id")
        if log_id is None:
            yield first.violation("identities", f"journal partition {partition} does not begin with its identity")
        for other in others:
            found = other.value.get("log_id", other.value.get("inbox", {}).get("log_id"))
            if "log_id" in other.value:
                yield other.violation("identities", "a second identity")
            elif found != log_id:
                yield other.violation("identities", f"belongs to log {found}, its partition to {log_id}")
    homes: dict[str, int] = {}
    for step in evidence.steps:
        if homes.setdefault(step.hub, step.entry.partition) != step.entry.partition:
            yield step.violation("identities", f"hub {step.hub} has another partition, {homes[step.hub]}")


def inboxes(evidence: Evidence) -> Iterator[Violation]:
    """The journal's inbox records stand where it says; each but the clock's and questions has its journal record."""
    steps = {(step.entry.partition, step.position): step for step in evidence.steps}
    inbox = {(one.entry.partition, one.entry.offset): one for one in evidence.on("inbox")}
    first = {partition: min(offset for p, offset in inbox if p == partition) for partition, _offset in inbox}
    for (partition, position), step in steps.items():
        found = inbox.get((partition, position))
        if found is None and position >= first.get(partition, 0):
            yield step.violation("inboxes", f"no inbox record stands at position {position}")
        elif found is not None and found.value != step.inbox:
            yield step.violation("inboxes", f"another record stands in the inbox at {position}")
    linked = {fact.get("link_id") for step in steps.values() for fact in step.facts if fact["type"] == LINKED}
    for at, one in inbox.items():
        if at not in steps and not _may_lead_to_nothing(one.value, linked):
            yield one.violation("inboxes", "was never decided")


def _may_lead_to_nothing(letter: dict[str, Any], linked: set[str]) -> bool:
    said = letter.get("data", {})
    is_known = said.get("type") == PROPOSAL and said.get("link_id") in linked
    return letter.get("kind") == "clock" or said.get("type") == QUESTION or is_known


def outcomes(evidence: Evidence) -> Iterator[Violation]:
    """Each source record has exactly one outcome, under its sender's name and its id."""
    decided: dict[tuple[str, int, int], list[Step]] = {}
    for step in evidence.steps:
        if step.origin is not None and step.inbox["data"]["type"] != "linkage.SourceGap.v0":
            decided.setdefault(step.origin, []).append(step)
    sources = {one.at: one for channel in SENT_BY_PARTIES for one in evidence.on(channel)}
    for at, source in sources.items():
        steps = [step for step in decided.get(at, ()) if step.facts_of(*OUTCOMES)]
        if not steps:
            yield source.violation("outcomes", "has no outcome")
            continue
        yield from _one_outcome(steps)
        place = evidence.place(source.entry.topic)
        for step in steps:
            kind, message_id = step.inbox["kind"], step.inbox["message_id"]
            if step.inbox["sender"] != place.party or kind not in (place.channel, "ingress"):
                yield step.violation("outcomes", f"{kind} of {step.inbox['sender']} came on {source.entry.topic}")
            if kind != "ingress" and message_id != source.message_id:
                yield step.violation("outcomes", f"names message {message_id}, it is {source.message_id}")
    for (topic, partition, offset), steps in decided.items():
        if (topic, partition, offset) not in sources and offset >= evidence.first_offset(topic, partition):
            yield steps[0].violation("outcomes", f"decides {topic}/{partition}/{offset}, which does not exist")


def _one_outcome(steps: list[Step]) -> Iterator[Violation]:
    """The first decides; the others say the same again."""
    first: object = None
    for step in steps:
        found = step.facts_of(*OUTCOMES)
        fact = found[0]
        if len(found) != 1:
            yield step.violation("outcomes", f"{len(found)} outcomes at once")
        if any(one[name] != step.inbox[name] for one in found for name in ("sender", "message_id")):
            yield step.violation("outcomes", "the outcome is another message's")
        said = fact.get("code") or (fact.get("outcome"), fact.get("incident_id"))
        if first is not None and (fact["type"] == RECORDED or said != first):
            yield step.violation("outcomes", f"decides again what had its outcome: {said}, it was {first}")
        first = first or said


def memories(evidence: Evidence) -> Iterator[Violation]:
    """A message is recorded once while it is remembered, and only what was recorded can be repeated."""
    recorded: dict[tuple[str, str], datetime] = {}
    for step in evidence.steps:
        for fact in step.facts_of(RECORDED) if step.origin is not None else ():
            at, message = datetime.fromisoformat(fact["recorded_at"]), (fact["sender"], fact["message_id"])
            until = recorded.get(message)
            if until is not None and at < until:
                yield step.violation("memories", f"message {message} was recorded before")
            recorded[message] = at + timedelta(seconds=fact["kept_s"])
    for step in evidence.steps:
        for fact in step.facts_of(REPEATED):
            if (fact["sender"], fact["message_id"]) not in recorded:
                yield step.violation("memories", "repeats what was never recorded")


def values(evidence: Evidence) -> Iterator[Violation]:
    """Every value that the engine or the county's desk wrote is what the contract says."""
    for one in evidence.records:
        channel = evidence.place(one.entry.topic).channel
        is_removal = channel == "registry" and one.entry.value is None
        if channel not in SENT_BY_PARTIES and not is_removal:
            yield from (one.violation("values", fault) for fault in evidence.contract.faults(channel, *one.message))


def acted_on_values(evidence: Evidence) -> Iterator[Violation]:
    """So is what parties wrote, wherever it was acted on; what was refused may be anything."""
    acted_on = {step.origin for step in evidence.steps if step.facts_of(RECORDED)}
    for channel in SENT_BY_PARTIES:
        for one in evidence.on(channel):
            if one.at in acted_on:
                yield from (one.violation("values", fault) for fault in evidence.contract.faults(channel, *one.message))


CHECKS = (
    positions,
    identities,
    inboxes,
    outcomes,
    memories,
    letter_faults,
    team_faults,
    deadline_faults,
    acted_on_values,
)
