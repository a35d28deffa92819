"""The committed journal as it grows, all partitions of it: what the screen shows and what the story waits for."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from linkage.errors import LinkageError
from linkage.events.base import Frozen, instant
from linkage.events.envelope import JOURNAL, JournalRecord
from linkage.runtime.ports import Log, TopicPartition
from linkage.topics import Topics

READ_LIMIT_RECORDS = 500
READ_WAIT_MS = 200
WAIT_LIMIT_S = 60.0

FactType = TypeVar("FactType", bound=Frozen)


@dataclass
class Follower:
    """Reads from the beginning on; tells `show` of each record once."""

    log: Log
    topics: Topics
    partitions: int
    show: Callable[[JournalRecord], None]
    records: list[JournalRecord] = field(default_factory=list)
    written_at: list[datetime] = field(default_factory=list)
    """When the broker appended each of them."""
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        reader = await self.log.reader({TopicPartition(self.topics.journal, one): 0 for one in range(self.partitions)})
        try:
            while True:
                for record in await reader.read(READ_LIMIT_RECORDS, READ_WAIT_MS):
                    entry = JOURNAL.validate_json(record.value or b"")
                    if isinstance(entry, JournalRecord):
                        self.records.append(entry)
                        self.written_at.append(instant(record.timestamp_ms))
                        self.show(entry)
                self._grown.set()
        finally:
            await reader.close()

    def facts(self, kind: type[FactType]) -> Iterator[FactType]:
        """Every fact of a kind that has been read."""
        for record in self.records:
            for staged in record.facts:
                if isinstance(staged.fact, kind):
                    yield staged.fact

    async def until(self, what: str, holds: Callable[[], bool], limit_s: float = WAIT_LIMIT_S) -> None:
        """Waits for a fact. Raises LinkageError, which says what did not come."""
        try:
            async with asyncio.timeout(limit_s):
                while not holds():
                    self._grown.clear()
                    await self._grown.wait()
        except TimeoutError:
            raise LinkageError(f"the demo waited {limit_s:.0f} s in vain for: {what}") from None
