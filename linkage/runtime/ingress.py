"""Ingress: from the parties' topics into the inboxes, at least once, and nothing else.

Offsets are committed in order after the inbox has acknowledged, so a record may come twice and never not at all; the
hub's memory makes twice into once. Each worker is a member of the one ingress group.
"""

from dataclasses import dataclass, field

import structlog

from linkage import identity
from linkage.errors import LogError
from linkage.events.envelope import InboxRecord
from linkage.events.reception import SourceGap
from linkage.runtime.admission import admitted
from linkage.runtime.outbox import inbox_outgoing
from linkage.runtime.ports import GroupReader, Log, Outgoing, Record, Time, TopicPartition
from linkage.runtime.progress import Backoff, LoopLimits, Progress, rest
from linkage.runtime.registry import Registry
from linkage.topics import INBOUND_FAMILIES, Topics

_LOG = structlog.get_logger("linkage.ingress")


@dataclass(slots=True)
class Ingress:
    """One member of the ingress group."""

    log: Log
    time: Time
    topics: Topics
    log_ids: dict[int, str]
    digest_key: bytes
    limits: LoopLimits
    registry: Registry = field(init=False)
    progress: Progress = field(init=False)
    group: GroupReader | None = None
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    is_stopping: bool = False

    def __post_init__(self) -> None:
        self.registry = Registry(self.log, self.topics)
        self.progress = Progress("ingress")

    async def run(self) -> None:
        """Until stopped. After any error it joins the group anew: what was not committed comes again."""
        backoff = Backoff(self.limits.retry_first_ms, self.limits.retry_limit_ms)
        while not self.is_stopping:
            self.progress.prepared(self.time.monotonic_ms())
            try:
                await self._await_county()
                prefixes = [f"{self.topics.namespace}.{family.value}" for family in INBOUND_FAMILIES]
                self.group = await self.log.group_reader(self.topics.ingress_group, prefixes)
                self.progress.phase, self.progress.detail = "serving", ""
                while not self.is_stopping:
                    await self._admit_list()
                    backoff.succeeded()
            except (LogError, TimeoutError) as error:
                self.progress.phase, self.progress.detail = "waiting", f"{type(error).__name__}: {error}"
                _LOG.warning("ingress_waits", detail=self.progress.detail)
                await rest(self.time, self.progress, backoff.next_ms(self.time.jitter()))
            finally:
                self.progress.ended()
                await self._leave()
        self.progress.phase = "stopped"

    async def _leave(self) -> None:
        group, self.group, self.committed = self.group, None, {}
        if group is not None:
            await group.close()

    async def _await_county(self) -> None:
        """Nothing is read before the county is registered: there would be no hub to refuse to."""
        while self.registry.county is None and not self.is_stopping:
            await self.registry.catch_up()
            if self.registry.county is None:
                self.progress.detail = "no county is registered yet: run `linkage county load DIR`"
                await rest(self.time, self.progress, self.limits.retry_limit_ms // 5)

    async def _admit_list(self) -> None:
        """One list: admit, append, then commit what was appended."""
        assert self.group is not None
        records = await self.group.read(self.limits.list_limit_records, self.limits.read_wait_ms)
        gaps = [self._gap(*gap) for gap in self.group.gaps()]
        outgoing = gaps + [await self._admitted(record) for record in records]
        if outgoing:
            await self.log.append(outgoing)
            _LOG.debug("admitted", records=len(records), gaps=len(gaps))
        await self._commit(self.group)
        self.progress.done += len(records)
        self.progress.moved(self.progress.done, self.time.monotonic_ms())

    async def _commit(self, group: GroupReader) -> None:
        """Commits positions, not last record + 1: a sender's own transaction markers count as passed."""
        positions = await group.positions()
        news = {at: position for at, position in positions.items() if self.committed.get(at) != position}
        if news:
            await group.commit(news)
        self.committed = positions

    async def _admitted(self, record: Record) -> Outgoing:
        spoken = self.topics.inbound_of(record.topic)
        assert spoken is not None, f"{record.topic} is no topic of a party"
        family, party = spoken
        if party not in self.registry.parties:
            await self.registry.catch_up()
        partition, letter = admitted(record, family, party, self.registry, self.digest_key, self.log_ids)
        return inbox_outgoing(self.topics, partition, letter)

    def _gap(self, at: TopicPartition, wanted: int, went_on_at: int) -> Outgoing:
        county = self.registry.county
        assert county is not None
        _LOG.error("source_gap", topic=at.topic, partition=at.partition, from_offset=wanted, to_offset=went_on_at)
        partition = identity.partition_of(county, len(self.log_ids))
        letter = InboxRecord(
            log_id=self.log_ids[partition],
            hub=county,
            kind="ingress",
            sender="ingress",
            message_id=f"{at.topic}/{at.partition}/{wanted}-{went_on_at}",
            digest="-",
            data=SourceGap(topic=at.topic, partition=at.partition, from_offset=wanted, to_offset=went_on_at),
        )
        return inbox_outgoing(self.topics, partition, letter)
