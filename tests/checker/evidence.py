"""A dump taken apart: records with their values, journal records as steps, what stands on which channel."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.checker.contract import Contract, Place
from tests.checker.dump import Entry

At = tuple[str, int, int]
"""(topic, partition, offset)"""
Message = dict[str, Any]
STRUCTURED = "application/cloudevents+json"
NOT_ATTRIBUTES = ("data", "data_base64", "datacontenttype")


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with one record."""

    rule: str
    topic: str
    partition: int
    offset: int
    says: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.topic}/{self.partition}/{self.offset}: {self.says}"


@dataclass(frozen=True, slots=True)
class Found:
    """One record; `value` is empty where there is no JSON object."""

    entry: Entry
    value: Message

    @property
    def at(self) -> At:
        return self.entry.topic, self.entry.partition, self.entry.offset

    @property
    def message(self) -> tuple[Mapping[str, str], Any]:
        """(headers, data) as in binary mode; of a structured event, the attributes are named as headers are."""
        if self.entry.headers.get("content-type", "").startswith(STRUCTURED):
            named = {f"ce_{name}": said for name, said in self.value.items() if name not in NOT_ATTRIBUTES}
            return named, self.value.get("data")
        return self.entry.headers, self.value

    @property
    def message_id(self) -> str | None:
        return self.message[0].get("ce_id")

    def violation(self, rule: str, says: str) -> Violation:
        return Violation(rule, *self.at, says)


@dataclass(frozen=True, slots=True)
class Step(Found):
    """One journal record."""

    @property
    def position(self) -> int:
        return self.value["position"]

    @property
    def hub(self) -> str:
        return self.value["hub"]

    @property
    def inbox(self) -> Message:
        return self.value["inbox"]

    @property
    def origin(self) -> At | None:
        found = self.inbox.get("origin")
        return (found["topic"], found["partition"], found["offset"]) if found else None

    @property
    def sent(self) -> list[Message]:
        return self.value["sent"]

    @property
    def facts(self) -> list[Message]:
        return [staged["fact"] for staged in self.value["facts"]]

    def facts_of(self, *types: str) -> list[Message]:
        return [fact for fact in self.facts if fact["type"] in types]


@dataclass(slots=True)
class Evidence:
    """`steps` and `records` are in order in each partition; `unknown`: what stands on no topic of the contract."""

    entries: Iterable[Entry]
    contract: Contract
    gone: frozenset[str] = frozenset()
    """Topics deleted on purpose: what stood there is not asked for, nor what stands there if they were made again."""
    records: list[Found] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    journal: dict[int, list[Found]] = field(default_factory=dict)
    unknown: list[Violation] = field(default_factory=list)
    _places: dict[str, Place | None] = field(default_factory=dict)
    _first: dict[tuple[str, int], int] = field(default_factory=dict)
    _on: defaultdict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for entry in self.entries:
            if entry.topic in self.gone:
                continue
            found = Found(entry, _object(entry.value))
            self._first.setdefault((entry.topic, entry.partition), entry.offset)
            if self.place(entry.topic) is None:
                self.unknown.append(found.violation("values", "the contract has no such topic"))
                continue
            self.records.append(found)
            self._on[self.place(entry.topic).channel].append(found)
        for found in self._on["journal"]:
            self.journal.setdefault(found.entry.partition, []).append(found)
            if "position" in found.value:
                self.steps.append(Step(found.entry, found.value))

    def place(self, topic: str) -> Place | None:
        if topic not in self._places:
            self._places[topic] = self.contract.place(topic)
        return self._places[topic]

    def on(self, channel: str) -> list[Found]:
        """The records of a channel of the contract, all its topics together."""
        return self._on.get(channel, [])

    def first_offset(self, topic: str, partition: int) -> int:
        """The lowest offset that is still there; 0 where nothing is, but none of a topic that is gone."""
        return 1 << 62 if topic in self.gone else self._first.get((topic, partition), 0)


def _object(value: str | None) -> Message:
    try:
        found = json.loads(value or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
