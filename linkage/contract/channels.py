"""Which message stands on which topic: one channel for each row of the topic table."""

from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from linkage import reception
from linkage.agents import STAGES
from linkage.events import envelope
from linkage.events.outbound import RejectRecord
from linkage.events.reference import RegisterParty
from linkage.runtime.admission import ALLOWED
from linkage.topics import TABLE, Family, Topics, TopicSpec

Message = type[BaseModel]

PARAMETER_OF = {
    Family.REPORT: "source",
    Family.REPLY: "party",
    Family.COMMAND: "post",
    Family.DISPATCH: "party",
}
"""The topics of which there is one for each party: what the last part of the name stands for."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One row of the table: its address, what it carries, and the facts that a stage's topic publishes."""

    spec: TopicSpec
    address: str
    messages: tuple[Message, ...]
    facts: tuple[Message, ...] = ()

    @property
    def name(self) -> str:
        """The channel's key in the AsyncAPI document."""
        return self.spec.family.name.lower()


def members(union: Any) -> tuple[Message, ...]:
    """The types of one of the envelope's unions, in its order."""
    return get_args(get_args(union)[0])


def _facts_by_stage() -> dict[str, tuple[Message, ...]]:
    """Stage -> the facts it folds, in the order of the vocabulary. Facts about deadlines stand on several topics."""
    folded = {stage.name: set(stage.evolves) for stage in STAGES} | {reception.STAGE: set(reception.EVOLVES)}
    facts = members(envelope.Fact)
    return {stage: tuple(fact for fact in facts if fact in own) for stage, own in folded.items()}


_CARRIED: dict[Family, tuple[Message, ...]] = {
    **ALLOWED,
    Family.INBOX: (envelope.InboxRecord,),
    Family.JOURNAL: (envelope.LogIdentity, envelope.JournalRecord),
    Family.LEASE: (),
    Family.DISPATCH: members(envelope.PartyBound),
    Family.REGISTRY: (RegisterParty,),
    Family.REJECTED: (RejectRecord,),
}


def _channel(spec: TopicSpec, facts_by_stage: dict[str, tuple[Message, ...]]) -> Channel:
    stem = f"{Topics().namespace}.{spec.family.value}"
    parameter = PARAMETER_OF.get(spec.family)
    address = f"{stem}{{{parameter}}}" if parameter else stem
    if (facts := facts_by_stage.get(spec.family.value)) is not None and parameter is None:
        return Channel(spec, address, (envelope.PublishedFact,), facts)
    return Channel(spec, address, _CARRIED[spec.family])


def channels() -> tuple[Channel, ...]:
    """One for each row, in the table's order."""
    facts_by_stage = _facts_by_stage()
    return tuple(_channel(spec, facts_by_stage) for spec in TABLE)
