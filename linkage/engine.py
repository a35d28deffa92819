"""`step` and `fold`: what everything else runs on. Pure: the same state and record give the same facts, byte for byte.

One inbox record goes to the front desk, then to each stage that listens; what a stage writes is handed to every stage
that listens to that, in a fixed order, until nothing more follows. A step happens whole or becomes one refusal.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from immutables import Map

from linkage import reception, routing
from linkage.agents import STAGES, deadlines
from linkage.agents.deadlines import Book
from linkage.agents.desk import Desk, Reference
from linkage.errors import Refusal, UnknownFact
from linkage.events.base import EPOCH, filled
from linkage.events.deadlines import DeadlineSet
from linkage.events.envelope import Fact, InboxRecord, JournalRecord, StagedFact, StageName
from linkage.reception import Reception
from linkage.routing import Addressed

RULES = 2
"""The version of the rules. Raised, with an ADR, whenever the same records would give other facts."""

STEP_LIMIT_FACTS = 2_000
"""A step with more facts is refused: something in the rules does not come to an end."""

_LISTENERS = {
    event: tuple((index, one.name, one.decides[event]) for index, one in enumerate(STAGES) if event in one.decides)
    for stage in STAGES
    for event in stage.decides
}
"""A message's or fact's type -> (index, name, decide) of every stage that listens to it, in the order of STAGES."""
_EVOLVES = {
    (stage.name, fact): (index, evolve) for index, stage in enumerate(STAGES) for fact, evolve in stage.evolves.items()
}
_INITIAL: tuple[Any, ...] = tuple(stage.initial for stage in STAGES)


class Hub(NamedTuple):
    """One hub's state: its clock, its front desk, its stages' states in the order of STAGES."""

    code: str
    now: datetime = EPOCH
    reception: Reception = reception.INITIAL
    stages: tuple[Any, ...] = _INITIAL

    @property
    def reference(self) -> Reference | None:
        return self.reception.reference

    def stage(self, name: StageName) -> Any:
        """The state of one stage, for those who show it."""
        return next(state for stage, state in zip(STAGES, self.stages, strict=True) if stage.name == name)


class Partition(NamedTuple):
    """Every hub of one partition, and the last inbox position that stands in the journal."""

    hubs: Map[str, Hub] = Map()
    position: int = -1

    def hub(self, code: str) -> Hub:
        return self.hubs.get(code) or Hub(code)


class Step(NamedTuple):
    """What one inbox record led to: the state after it, its facts, the messages that follow from them."""

    hub: Hub
    facts: tuple[StagedFact, ...]
    messages: tuple[Addressed, ...]


@dataclass(slots=True)
class Draft:
    """A hub in the middle of a step: states change fact by fact here, and `hub` is made once, at the end."""

    before: Hub
    now: datetime
    reception: Reception
    stages: list[Any]
    facts: list[StagedFact]

    @classmethod
    def of(cls, before: Hub, now: datetime) -> "Draft":
        return cls(before, now, before.reception, list(before.stages), [])

    def note(self, stage: StageName, fact: Fact) -> None:
        """A fact that was just decided. Raises UnknownFact."""
        self.facts.append(filled(StagedFact, stage=stage, fact=fact))
        self.evolve(stage, fact)

    def evolve(self, stage: StageName, fact: Fact) -> None:
        """Folds a fact into the stage that decided it. Raises UnknownFact."""
        if stage == reception.STAGE:
            apply = reception.EVOLVES.get(type(fact))
            if apply is None:
                raise UnknownFact(f"reception does not know {fact.type}")
            self.reception = apply(self.reception, fact)
            return
        found = _EVOLVES.get((stage, type(fact)))
        if found is None:
            raise UnknownFact(f"stage {stage} does not know {fact.type}: a newer worker wrote it; upgrade this one")
        index, apply_to_stage = found
        self.stages[index] = apply_to_stage(self.stages[index], fact)

    def hub(self) -> Hub:
        return Hub(self.before.code, self.now, self.reception, tuple(self.stages))


def step(before: Hub, letter: InboxRecord, appended_at: datetime) -> Step:
    """Decides one inbox record. Never raises for what it holds: what can't be decided is refused, with its reason."""
    now = max(before.now, appended_at)
    desk = Desk(before.code, now, letter, before.reference)
    try:
        return _decided(Draft.of(before, now), desk)
    except Refusal as refusal:
        return _refused(before, desk, refusal.code, refusal.reason, refusal.fault)
    except Exception as error:
        reason = f"the engine could not decide it: {type(error).__name__}: {error}"
        return _refused(before, desk, "engine_failed", reason, "engine")


def refuse(before: Hub, letter: InboxRecord, appended_at: datetime, code: str, reason: str) -> Step:
    """The same record, refused because what follows from it can't be written: the engine's fault, not remembered."""
    desk = Desk(before.code, max(before.now, appended_at), letter, before.reference)
    return _refused(before, desk, code, reason, "engine")


def _decided(draft: Draft, desk: Desk) -> Step:
    said = reception.screened(draft.reception, desk)
    for fact in said or ():
        draft.note(reception.STAGE, fact)
    reference = draft.reception.reference
    adopted = said is not None and desk.letter.kind == "command" and reference is not desk.loaded
    if said is not None and not adopted:
        return _routed(draft, desk)
    if adopted:
        desk = desk._replace(loaded=reference)
    else:
        _until_nothing_follows(draft, desk)
    for fact in reception.recorded(desk, [staged.fact for staged in draft.facts]):
        draft.note(reception.STAGE, fact)
    return _routed(draft, desk)


def _routed(draft: Draft, desk: Desk) -> Step:
    return Step(draft.hub(), tuple(draft.facts), tuple(routing.messages(draft.facts, desk)))


def _until_nothing_follows(draft: Draft, desk: Desk) -> None:
    """Hands the message, then each fact, to every stage that listens, first in, first out."""
    waiting: deque[Any] = deque([desk.letter.data])
    while waiting:
        event = waiting.popleft()
        for index, name, decide in _LISTENERS.get(type(event), ()):
            for fact in decide(draft.stages[index], event, desk):
                draft.note(name, fact)
                waiting.append(fact)
                if len(draft.facts) > STEP_LIMIT_FACTS:
                    raise Refusal(
                        "step_too_large", f"more than {STEP_LIMIT_FACTS} facts follow from it", fault="engine"
                    )


def _refused(before: Hub, desk: Desk, code: str, reason: str, fault: str) -> Step:
    draft = Draft.of(before, desk.now)
    draft.note(reception.STAGE, reception.refused(desk, code, reason, fault, is_remembered=True))
    return _routed(draft, desk)


def fold(partition: Partition, record: JournalRecord) -> Partition:
    """A journal record, folded: what recovery, replay and verify do. Decides nothing."""
    draft = Draft.of(partition.hub(record.hub), record.now)
    for staged in record.facts:
        draft.evolve(staged.stage, staged.fact)
    return Partition(partition.hubs.set(record.hub, draft.hub()), record.position)


def folded(records: Iterable[JournalRecord]) -> Partition:
    """The state that a whole journal partition stands for."""
    partition = Partition()
    for record in records:
        partition = fold(partition, record)
    return partition


def open_deadlines(partition: Partition) -> Iterator[tuple[str, DeadlineSet]]:
    """(hub, deadline) of everything the clock must watch, in the order of hubs and ids."""
    for code in sorted(partition.hubs):
        for state in partition.hubs[code].stages:
            book: Book = getattr(state, "deadlines", deadlines.EMPTY)
            for deadline_id in sorted(book.by_id):
                yield code, book.by_id[deadline_id]


def encoded_facts(facts: Sequence[StagedFact]) -> bytes:
    """The canonical bytes of a step's facts: what verify compares."""
    parts = (
        b'{"stage":"%b","fact":%b}' % (staged.stage.encode(), staged.fact.__pydantic_serializer__.to_json(staged.fact))
        for staged in facts
    )
    return b"[" + b",".join(parts) + b"]"
