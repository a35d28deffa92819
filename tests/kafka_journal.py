"""The journal as a test sees it: decoded, with the instants of the broker, followed while it grows."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel

from linkage.events.envelope import JOURNAL, JournalRecord, LogIdentity, Origin
from linkage.events.reception import MessageRepeated
from linkage.runtime.ports import Reader
from linkage.topics import Family

READ_LIMIT_RECORDS = 500
READ_WAIT_MS = 50
OWE_NOTHING = ("linkage.CompareIncident.v0", "linkage.ProposeLink.v0")
"""Journaled only when something follows: a neighbour finds nothing, and both townships propose the same link."""
ORDER_TYPES = ("linkage.WhistleDepartment.v0", "linkage.DispatchTeam.v0", "linkage.StandDown.v0")

Found = TypeVar("Found")
FactType = TypeVar("FactType", bound=BaseModel)
Place = tuple[str, int, int]
"""(topic, partition, offset)"""


def place_of(origin: Origin) -> Place:
    return origin.topic, origin.partition, origin.offset


@dataclass(frozen=True, slots=True)
class Journaled:
    """One journal record. `appended_ms`: the broker's, milliseconds since 1970."""

    partition: int
    offset: int
    appended_ms: int
    entry: JournalRecord

    @property
    def is_repetition(self) -> bool:
        """It repeats what was decided before, and decides nothing."""
        return all(isinstance(staged.fact, MessageRepeated) for staged in self.entry.facts)


@dataclass(slots=True)
class Journal:
    """Every journal record so far, in order in each partition; `decided`: the source records that have an outcome.

    `hubs_are_owed`: how many messages between hubs were sent and are not decided, those apart that OWE_NOTHING.
    """

    records: list[Journaled] = field(default_factory=list)
    decided: set[Place] = field(default_factory=set)
    orders_sent: int = 0
    orders_by_topic: Counter[str] = field(default_factory=Counter)
    hubs_are_owed: int = 0
    log_ids: list[tuple[int, str]] = field(default_factory=list)
    _grown: asyncio.Condition = field(default_factory=asyncio.Condition)

    def facts(self, kind: type[FactType], hub: str | None = None) -> Iterator[FactType]:
        """The facts of one kind, of one hub or of all."""
        for found in self.records:
            if hub in (None, found.entry.hub):
                for staged in found.entry.facts:
                    if isinstance(staged.fact, kind):
                        yield staged.fact

    def count_after(self, at_ms: int) -> int:
        """How many records were appended after that instant."""
        return sum(found.appended_ms > at_ms for found in self.records)

    async def follow(self, reader: Reader) -> None:
        """Until cancelled."""
        while True:
            if records := await reader.read(READ_LIMIT_RECORDS, READ_WAIT_MS):
                for record in records:
                    entry = JOURNAL.validate_json(record.value or b"")
                    match entry:
                        case JournalRecord():
                            self._add(Journaled(record.partition, record.offset, record.timestamp_ms, entry))
                        case LogIdentity():
                            self.log_ids.append((record.partition, entry.log_id))
                async with self._grown:
                    self._grown.notify_all()

    def _add(self, found: Journaled) -> None:
        self.records.append(found)
        if found.entry.inbox.origin is not None:
            self.decided.add(place_of(found.entry.inbox.origin))
        to_hubs = sum(sent.topic.endswith(Family.INBOX) and sent.type not in OWE_NOTHING for sent in found.entry.sent)
        is_of_hub = found.entry.inbox.kind == "hub" and found.entry.inbox.data.type not in OWE_NOTHING
        self.hubs_are_owed += to_hubs - is_of_hub
        for sent in found.entry.sent:
            if sent.type in ORDER_TYPES and not sent.diverted_because:
                self.orders_sent += 1
                self.orders_by_topic[sent.topic] += 1

    async def until(self, fact: Callable[["Journal"], Found | None], limit_s: float) -> Found:
        """What `fact` finds, as soon as it finds something true. Raises TimeoutError."""
        async with asyncio.timeout(limit_s), self._grown:
            while not (found := fact(self)):
                await self._grown.wait()
            return found
