"""The hub's front desk: what is known already, what can't be acted on, which reference data rules.

It looks at a message before the stages do and writes down, after them, that it was acted on. What is remembered: who
sent which message id with which digest, and what he was told. The same again gets the same receipt again and changes
nothing; the same id with other content is refused, unless the first was refused: then it is the mended message. A
refusal that was the engine's fault is not remembered, so it may be sent again.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from immutables import Map

from linkage.agents.desk import Desk, Evolves, Reference
from linkage.errors import Refusal
from linkage.events.base import EPOCH
from linkage.events.between_hubs import HandOverReport
from linkage.events.envelope import Fact, InboxRecord, StageName
from linkage.events.inbound import LoadReference
from linkage.events.information import IncidentOpened, ReportMerged, ReportRevised, ReportUnplaced
from linkage.events.outbound import ReceiptOutcome
from linkage.events.reception import (
    InboundKind,
    MessageRecorded,
    MessageRefused,
    MessageRepeated,
    ReferenceAdopted,
    SourceGap,
    SourceGapRecorded,
    UnreadableRecord,
)

STAGE: StageName = "reception"
KIND_OF: dict[str, InboundKind] = {"report": "report", "reply": "reply", "command": "command"}

MessageKey = tuple[str, str]
"""(sender, message id)"""


class Remembered(NamedTuple):
    """What was said to a message: a receipt's outcome, or a refusal's code and reason."""

    day: int
    """Since 1970: a message refused first and mended later is remembered from the day on which it was mended."""
    digest: str
    outcome: ReceiptOutcome | None
    incident_id: str | None
    code: str = ""
    reason: str = ""


class Day(NamedTuple):
    """The keys remembered on one day, as a linked list, so that a day is forgotten at once."""

    ordinal: int
    keys: "Cell | None"


class Cell(NamedTuple):
    key: MessageKey
    before: "Cell | None"


class Reception(NamedTuple):
    reference: Reference | None = None
    memory: Map[MessageKey, Remembered] = Map()
    days: tuple[Day, ...] = ()


INITIAL = Reception()


def identity_of(letter: InboxRecord) -> tuple[str, str, str, InboundKind] | None:
    """(sender, message id, digest, kind) of what is remembered; None for what hubs, clock and ingress write."""
    if isinstance(letter.data, HandOverReport):
        moved = letter.data
        return moved.sender, moved.message_id, moved.digest, "report"
    if (kind := KIND_OF.get(letter.kind)) is None:
        return None
    return letter.sender, letter.message_id, letter.digest, kind


def screened(state: Reception, desk: Desk) -> list[Fact] | None:
    """What the desk says without asking the stages; None when it is theirs."""
    letter = desk.letter
    match letter.data:
        case UnreadableRecord() as unreadable:
            return [refused(desk, unreadable.code, unreadable.reason, unreadable.fault, is_remembered=False)]
        case SourceGap() as gap:
            return [SourceGapRecorded(**gap.model_dump(exclude={"type"}))]
    if (known_as := identity_of(letter)) is None:
        return None
    sender, message_id, digest, kind = known_as
    remembered = state.memory.get((sender, message_id))
    if remembered is None:
        return [ReferenceAdopted(reference=letter.data.reference)] if isinstance(letter.data, LoadReference) else None
    if remembered.outcome is None:
        if remembered.digest == digest:
            return [refused(desk, remembered.code, remembered.reason, "sender", is_remembered=False)]
        return None
    if remembered.digest == digest:
        return [
            MessageRepeated(
                sender=sender,
                message_id=message_id,
                kind=kind,
                outcome=remembered.outcome,
                incident_id=remembered.incident_id,
            )
        ]
    reason = (
        f"message id {message_id} of {sender} was used before with other content: "
        "send new content under a new id, with `supersedes` when it replaces the first"
    )
    return [refused(desk, "same_id_other_content", reason, "sender", is_remembered=False)]


def recorded(desk: Desk, facts: Sequence[Fact]) -> Iterator[Fact]:
    """What the sender is told when the stages have acted on his message. Raises Refusal when no stage had to."""
    if (known_as := identity_of(desk.letter)) is None:
        return
    if not facts:
        raise Refusal("nothing_to_act_on", _nothing_to_act_on(desk))
    sender, message_id, digest, kind = known_as
    outcome, incident_id = _outcome(facts)
    yield MessageRecorded(
        sender=sender,
        message_id=message_id,
        digest=digest,
        kind=kind,
        outcome=outcome,
        incident_id=incident_id,
        recorded_at=desk.now,
        kept_s=desk.policy.limits.message_memory.seconds,
    )


def refused(desk: Desk, code: str, reason: str, fault: str, *, is_remembered: bool) -> MessageRefused:
    """A refusal of the message on the desk."""
    known_as = identity_of(desk.letter)
    sender, message_id, digest = known_as[:3] if known_as else _as_stated(desk.letter)
    return MessageRefused(
        sender=sender,
        message_id=message_id,
        digest=digest,
        code=code,
        reason=reason[:2000],
        fault="sender" if fault == "sender" else "engine",
        remembered=is_remembered and fault == "sender",
        refused_at=desk.now,
        kept_s=desk.loaded.policy.limits.message_memory.seconds if desk.loaded else 0,
    )


def _as_stated(letter: InboxRecord) -> tuple[str, str, str]:
    return letter.sender, letter.message_id, letter.digest


def _nothing_to_act_on(desk: Desk) -> str:
    subject = getattr(desk.letter.data, "order_id", None)
    if subject is not None:
        return f"hub {desk.hub} knows no order {subject}: repeat the `hub` and `order_id` that the order named"
    return f"hub {desk.hub} has nothing to do for {desk.letter.data.type}"


def _outcome(facts: Sequence[Fact]) -> tuple[ReceiptOutcome, str | None]:
    for fact in facts:
        match fact:
            case IncidentOpened():
                return "opened", fact.incident_id
            case ReportMerged():
                return "merged", fact.incident_id
            case ReportRevised():
                return "revised", fact.incident_id
            case ReportUnplaced():
                return "unplaced", None
    return "recorded", getattr(facts[0], "incident_id", None)


def evolve_adopted(state: Reception, fact: ReferenceAdopted) -> Reception:
    return state._replace(reference=Reference.of(fact.reference))


def evolve_recorded(state: Reception, fact: MessageRecorded) -> Reception:
    day = (fact.recorded_at - EPOCH).days
    remembered = Remembered(day, fact.digest, fact.outcome, fact.incident_id)
    return _remember(state, (fact.sender, fact.message_id), remembered, fact.kept_s)


def evolve_refused(state: Reception, fact: MessageRefused) -> Reception:
    if not fact.remembered:
        return state
    day = (fact.refused_at - EPOCH).days
    remembered = Remembered(day, fact.digest, None, None, fact.code, fact.reason)
    return _remember(state, (fact.sender, fact.message_id), remembered, fact.kept_s)


def _remember(state: Reception, key: MessageKey, value: Remembered, kept_s: int) -> Reception:
    """Remembers a message under its day; days older than the memory's span are forgotten whole."""
    ordinal, days, memory = value.day, state.days, state.memory.set(key, value)
    if days and days[-1].ordinal == ordinal:
        return state._replace(memory=memory, days=(*days[:-1], Day(ordinal, Cell(key, days[-1].keys))))
    oldest = ordinal - timedelta(seconds=kept_s).days - 1
    for day in (day for day in days if day.ordinal < oldest):
        memory = _forgotten(memory, day)
    kept = tuple(day for day in days if day.ordinal >= oldest)
    return state._replace(memory=memory, days=(*kept, Day(ordinal, Cell(key, None))))


def _forgotten(memory: Map[MessageKey, Remembered], day: Day) -> Map[MessageKey, Remembered]:
    changing = memory.mutate()
    cell = day.keys
    while cell is not None:
        known = changing.get(cell.key)
        if known is not None and known.day == day.ordinal:
            del changing[cell.key]
        cell = cell.before
    return changing.finish()


def unchanged(state: Reception, fact: MessageRepeated | SourceGapRecorded) -> Reception:
    """What was told to people changes nothing here."""
    return state


EVOLVES: Evolves = {
    ReferenceAdopted: evolve_adopted,
    MessageRecorded: evolve_recorded,
    MessageRefused: evolve_refused,
    MessageRepeated: unchanged,
    SourceGapRecorded: unchanged,
}
