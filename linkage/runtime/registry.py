"""Who may speak: the parties of the county, read from the compacted registry topic, newest entry of each."""

from dataclasses import dataclass, field

import structlog
from pydantic import ValidationError

from linkage import identity
from linkage.events.envelope import REGISTRY
from linkage.events.reference import Party
from linkage.runtime.ports import Log, TopicPartition
from linkage.topics import Topics

_LOG = structlog.get_logger("linkage.registry")

READ_LIMIT_RECORDS = 1_000
READ_WAIT_MS = 100


@dataclass(slots=True)
class Registry:
    """The registered parties. `county` is the hub of last resort; None until the county has been loaded."""

    log: Log
    topics: Topics
    parties: dict[str, Party] = field(default_factory=dict)
    townships: frozenset[str] = frozenset()
    county: str | None = None
    next_offset: int = 0

    def hub_of(self, post: str) -> str | None:
        known = self.parties.get(post)
        return known.hub if known else None

    async def catch_up(self) -> None:
        """Reads what was registered since the last time, to the end as of now. Raises LogError."""
        at = TopicPartition(self.topics.registry, 0)
        end = (await self.log.end_offsets([at]))[at]
        begin = max(self.next_offset, (await self.log.beginning_offsets([at]))[at])
        if begin >= end:
            return
        reader = await self.log.reader({at: begin})
        try:
            while await reader.position(at) < end:
                for record in await reader.read(READ_LIMIT_RECORDS, READ_WAIT_MS):
                    self._register(record.key, record.value)
            self.next_offset = await reader.position(at)
            hubs = (party.hub for party in self.parties.values())
            self.townships = frozenset(hub for hub in hubs if hub is not None and identity.is_township(hub))
        finally:
            await reader.close()

    def _register(self, key: bytes | None, value: bytes | None) -> None:
        if value is None:
            self.parties.pop((key or b"").decode(errors="replace"), None)
            return
        try:
            entry = REGISTRY.validate_json(value)
        except ValidationError as error:
            _LOG.warning("registry_entry_unreadable", key=key, errors=error.error_count())
            return
        self.parties[entry.party.id] = entry.party
        self.county = entry.county
