"""Deciding again: the journaled events give the journaled facts, byte for byte, and the same messages.

The state before each record is the fold of what the journal says, so every step is judged for itself. What another
rules version decided is folded and counted. Run it in a process of its own: nothing may hang on who decides.
"""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from linkage import engine, identity
from linkage.engine import Hub, Partition, Step, encoded_facts
from linkage.events.envelope import JournalRecord, LogIdentity, Sent
from linkage.events.reception import MessageRefused
from linkage.replay.journal import Entry, JournalSource, Progress, decoded, silent
from linkage.routing import Addressed, To
from linkage.runtime.outbox import JOURNAL_RECORD_LIMIT_BYTES, MESSAGE_RECORD_LIMIT_BYTES
from linkage.topics import Topics

TOO_LARGE = "step_too_large"
FRAMING_LIMIT_BYTES = 1_024
"""What a record has beside its inbox record, facts, sent messages, or beside the message it wraps."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where deciding again gave something else. `what`: facts, messages, or fold (the facts don't fit the state)."""

    partition: int
    offset: int
    position: int
    hub: str
    type: str
    stage: str
    what: str
    journaled: Any
    decided: Any

    def diff(self) -> list[str]:
        """The two as lines of JSON: `-` stands in the journal, `+` was decided now."""
        one, other = (
            json.dumps(item, indent=1, ensure_ascii=False, sort_keys=True).splitlines()
            for item in (self.journaled, self.decided)
        )
        return list(difflib.unified_diff(one, other, "journaled", "decided again", lineterm="", n=3))


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """`decided`: steps decided again. `folded_only`: steps of other rules versions (version -> steps)."""

    decided: int
    folded_only: dict[int, int]
    differences: int
    first: Difference | None
    unfolded: int
    """Records behind one whose facts could not be folded; nothing is said about them."""

    @property
    def is_exact(self) -> bool:
        return self.differences == 0


@dataclass(slots=True)
class Verifier:
    """Takes one entry after the other; `result` at any time."""

    states: dict[int, Partition] = field(default_factory=dict)
    decided: int = 0
    folded_only: dict[int, int] = field(default_factory=dict)
    differences: int = 0
    first: Difference | None = None
    unfolded: int = 0
    broken: set[int] = field(default_factory=set)

    def take(self, entry: Entry) -> None:
        record = entry.record
        if isinstance(record, LogIdentity):
            return
        if entry.partition in self.broken:
            self.unfolded += 1
            return
        state = self.states.get(entry.partition) or Partition()
        if record.rules == engine.RULES:
            self.decided += 1
            self._compare(entry, record, state.hub(record.hub))
        else:
            self.folded_only[record.rules] = self.folded_only.get(record.rules, 0) + 1
        try:
            self.states[entry.partition] = engine.fold(state, record)
        except Exception as error:
            self.broken.add(entry.partition)
            why = f"these facts don't fit the state before them: {type(error).__name__}: {error}"
            self._differs(entry, record, "-", "fold", [json.loads(encoded_facts(record.facts))], [why])

    def _compare(self, entry: Entry, record: JournalRecord, before: Hub) -> None:
        step = _decided_again(before, record)
        facts = encoded_facts(step.facts)
        if b'"facts":%b,"sent":[' % facts not in entry.raw and facts != encoded_facts(record.facts):
            stage = _first_differing_stage(step, record)
            decided, journaled = json.loads(facts), json.loads(encoded_facts(record.facts))
            self._differs(entry, record, stage, "facts", journaled, decided)
        elif not _is_as_sent(step.messages, record.sent) and (
            (expected := expected_sent(step.messages, record.sent)) != record.sent
        ):
            journaled, decided = ([one.model_dump(mode="json") for one in items] for items in (record.sent, expected))
            self._differs(entry, record, "routing", "messages", journaled, decided)

    def _differs(
        self, entry: Entry, record: JournalRecord, stage: str, what: str, journaled: Any, decided: Any
    ) -> None:
        self.differences += 1
        if self.first is None:
            self.first = Difference(
                entry.partition,
                entry.offset,
                record.position,
                record.hub,
                record.inbox.data.type,
                stage,
                what,
                journaled,
                decided,
            )

    def result(self) -> VerifyResult:
        return VerifyResult(self.decided, dict(self.folded_only), self.differences, self.first, self.unfolded)


def verify(source: JournalSource, progress: Progress = silent) -> VerifyResult:
    """Decides every journaled record again. Raises UnreadableJournal."""
    verifier = Verifier()
    for entry in decoded(source, progress):
        verifier.take(entry)
    return verifier.result()


def _decided_again(before: Hub, record: JournalRecord) -> Step:
    """The step as the hub's loop made it: decided, or refused because what followed could not be written."""
    step = engine.step(before, record.inbox, record.now)
    said = record.facts[0].fact if len(record.facts) == 1 else None
    if isinstance(said, MessageRefused) and said.code == TOO_LARGE and _is_too_large(step, record):
        return engine.refuse(before, record.inbox, record.now, TOO_LARGE, said.reason)
    return step


def _is_too_large(step: Step, record: JournalRecord) -> bool:
    sent = sum(len(one.model_dump_json()) for one in expected_sent(step.messages, record.sent))
    journal = len(record.inbox.model_dump_json().encode()) + len(encoded_facts(step.facts)) + sent
    largest = max((len(one.message.model_dump_json().encode()) for one in step.messages), default=0)
    return (
        journal + FRAMING_LIMIT_BYTES > JOURNAL_RECORD_LIMIT_BYTES
        or largest + FRAMING_LIMIT_BYTES > MESSAGE_RECORD_LIMIT_BYTES
    )


def _is_as_sent(messages: Sequence[Addressed], journaled: Sequence[Sent]) -> bool:
    """True when every message stands there, in order; when not, `expected_sent` says what should."""
    topics = _topics_of(journaled)
    return len(messages) == len(journaled) and all(
        (message.message_id, message.type, _topic(message, topics)) == (sent.message_id, sent.type, sent.topic)
        for message, sent in zip(messages, journaled, strict=True)
    )


def _topics_of(journaled: Sequence[Sent]) -> Topics:
    return Topics(journaled[0].topic.partition(".")[0]) if journaled else Topics()


def expected_sent(messages: Sequence[Addressed], journaled: Sequence[Sent]) -> tuple[Sent, ...]:
    """What the journal should say was sent. Whether a destination was missing then, only the journal knows."""
    topics = _topics_of(journaled)
    diverted = {one.message_id: one.diverted_because for one in journaled if one.diverted_because}
    told = {one.message_id: one for one in journaled}
    expected: list[Sent] = []
    for message in messages:
        because = diverted.get(message.message_id)
        expected.append(
            Sent(
                topic=_topic(message, topics),
                message_id=message.message_id,
                type=message.type,
                diverted_because=because,
            )
        )
        if because and (notice := told.get(identity.message_id("post_told", message.message_id))) is not None:
            expected.append(notice)
    return tuple(expected)


def _topic(message: Addressed, topics: Topics) -> str:
    match message.to:
        case To.PARTY:
            return topics.dispatch(message.name)
        case To.HUB:
            return topics.inbox
        case To.REJECTED:
            return topics.rejected


def _first_differing_stage(step: Step, record: JournalRecord) -> str:
    for decided, journaled in zip(step.facts, record.facts, strict=False):
        if encoded_facts([decided]) != encoded_facts([journaled]):
            return journaled.stage
    longer = max(step.facts, record.facts, key=len)
    return longer[min(len(step.facts), len(record.facts))].stage if longer else "-"
