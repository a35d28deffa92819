"""The hub's loop: take over, read, step, transact, recover. One hub partition, one worker, one order.

Taking over initialises the partition's transactional id first: the broker then fences whoever held it and settles his
open transaction. Then the committed journal is folded to the end offset asked for after that, by position, and the
inbox is read from the journal's last position + 1. Any error whose outcome is not certain is handled the same way:
drop the state, close the writer, take over anew. That is the only recovery path there is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from linkage import engine
from linkage.engine import Partition, Step
from linkage.errors import Fenced, ForeignLog, LogError, NotWritten, OutcomeUnknown, UnknownFact
from linkage.events.base import instant
from linkage.events.envelope import StagedFact
from linkage.runtime.letters import read_letter
from linkage.runtime.outbox import Bundle, Outbox
from linkage.runtime.ports import Log, Outgoing, Reader, Record, Time, TopicPartition, Writer
from linkage.runtime.progress import Backoff, LoopLimits, Progress, rest
from linkage.runtime.recovery import fold_journal, inbox_position
from linkage.topics import Topics

_LOG = structlog.get_logger("linkage.hub")


class FencedOut(LogError):
    """Fenced too often running: another worker holds what this one believes to own. The process must end."""


Observer = Callable[[str, Sequence[StagedFact]], None]
"""Told (hub, facts) of each committed step."""


def _nobody(hub: str, facts: Sequence[StagedFact]) -> None:
    """Nobody watches."""


@dataclass(slots=True)
class HubLoop:
    """One hub partition while it is assigned here. `state` is what is committed, never what is merely decided."""

    log: Log
    time: Time
    topics: Topics
    partition: int
    log_ids: dict[int, str]
    limits: LoopLimits
    is_assigned: Callable[[], bool]
    on_taken_over: Callable[[Partition], None]
    on_committed: Observer = _nobody
    on_read: Callable[[int], None] = lambda appended_ms: None
    """Told the broker's append time of the last record of each list, wall clock milliseconds."""
    state: Partition = field(default_factory=Partition)
    progress: Progress = field(init=False)
    outbox: Outbox = field(init=False)
    list_limit_records: int = field(init=False)
    is_stopping: bool = False
    writer: Writer | None = None
    reader: Reader | None = None

    def __post_init__(self) -> None:
        self.progress = Progress(f"hub.{self.partition}")
        self.outbox = Outbox(self.log, self.time, self.topics, self.log_ids)
        self.list_limit_records = self.limits.list_limit_records

    @property
    def inbox(self) -> TopicPartition:
        return TopicPartition(self.topics.inbox, self.partition)

    @property
    def journal(self) -> TopicPartition:
        return TopicPartition(self.topics.journal, self.partition)

    async def run(self) -> None:
        """Until stopped or no longer assigned. Raises FencedOut, ForeignLog, UnknownFact: what it can't mend itself."""
        backoff = Backoff(self.limits.retry_first_ms, self.limits.retry_limit_ms)
        fenced = Backoff(self.limits.fenced_wait_ms, self.limits.fenced_wait_ms * 8)
        while not self.is_stopping and self.is_assigned():
            try:
                self.progress.prepared(self.time.monotonic_ms())
                await self.time.within(self.limits.take_over_limit_ms, self._take_over())
                while not self.is_stopping:
                    await self._serve_list()
                    backoff.succeeded()
                    fenced.succeeded()
            except Fenced as error:
                self._note("fenced", str(error))
                self.progress.fenced += 1
                if fenced.failures + 1 >= self.limits.fenced_limit_count:
                    raise FencedOut(
                        f"hub partition {self.partition} was fenced {fenced.failures + 1} times running"
                    ) from error
                await self._drop()
                await self._rest(fenced.next_ms(self.time.jitter()))
            except (ForeignLog, UnknownFact) as error:
                self._note("refused", str(error))
                raise
            except OutcomeUnknown as error:
                self._note("waiting", f"outcome unknown: {error}")
                await self._drop()
                await self._rest(self.limits.fenced_wait_ms)  # a zombie learns meanwhile that it is one
            except (LogError, TimeoutError) as error:
                self._note("waiting", f"{type(error).__name__}: {error}")
                await self._drop()
                await self._rest(backoff.next_ms(self.time.jitter()))
            finally:
                self.progress.ended()
                await self._drop()
        self.progress.phase = "stopped"

    async def _rest(self, span_ms: int) -> None:
        await rest(self.time, self.progress, span_ms)

    def _note(self, phase: str, detail: str) -> None:
        self.progress.phase = phase  # type: ignore[assignment]
        self.progress.detail = detail
        _LOG.warning(f"hub_{phase}", partition=self.partition, detail=detail, position=self.state.position)

    async def _drop(self) -> None:
        """Forgets everything that is not committed, and closes what was opened."""
        writer, reader, self.writer, self.reader = self.writer, self.reader, None, None
        if writer is not None:
            await writer.close()
        if reader is not None:
            await reader.close()

    async def _take_over(self) -> None:
        started = self.time.monotonic_ms()
        self.progress.phase = "taking_over"
        self.writer = await self.log.initialise(self.topics.transactional_id(self.partition))
        self.state = await fold_journal(
            self.log, self.time, self.journal, self.log_ids[self.partition], self.limits, self.progress
        )
        next_offset, end = await inbox_position(self.log, self.inbox, self.state.position)
        self.reader = await self.log.reader({self.inbox: next_offset})
        self.progress.moved(next_offset, self.time.monotonic_ms())
        self.progress.saw_end(end, self.time.monotonic_ms())
        self.on_taken_over(self.state)
        self.progress.taken_over += 1
        self.progress.phase, self.progress.detail = "serving", ""
        _LOG.info(
            "hub_taken_over",
            partition=self.partition,
            position=self.state.position,
            folded_records=self.progress.folded_records,
            took_ms=self.time.monotonic_ms() - started,
        )

    async def _serve_list(self) -> None:
        """Reads a list, decides it, commits it. The list is halved when it could not be written."""
        assert self.reader is not None
        assert self.writer is not None
        records = await self.reader.read(self.list_limit_records, self.limits.read_wait_ms)
        if not records:
            self.progress.moved(await self.reader.position(self.inbox), self.time.monotonic_ms())
            return
        self.on_read(records[-1].timestamp_ms)
        remaining = list(records)
        while remaining:
            taken = await self._commit_some(remaining)
            remaining = remaining[taken:]
        self.list_limit_records = self.limits.list_limit_records

    async def _commit_some(self, records: Sequence[Record]) -> int:
        """Decides as many records as fit one transaction, commits it, and only then believes it. Returns how many."""
        assert self.writer is not None
        state, size_bytes, taken = self.state, 0, 0
        outgoing: list[Outgoing] = []
        committed: list[tuple[str, Sequence[StagedFact]]] = []
        for record in records:
            decided, bundle = await self._decide(state, record)
            if bundle is not None:
                if taken and size_bytes + bundle.size_bytes > self.limits.list_limit_bytes:
                    break
                outgoing += bundle.records
                size_bytes += bundle.size_bytes
                state = Partition(state.hubs.set(decided.hub.code, decided.hub), record.offset)
                committed.append((decided.hub.code, decided.facts))
            taken += 1
        if outgoing:
            await self._transact(outgoing, taken)
        self.state = state
        for hub, facts in committed:
            self.on_committed(hub, facts)
        self.progress.done += taken
        self.progress.moved(records[taken - 1].offset + 1, self.time.monotonic_ms())
        return taken

    async def _transact(self, outgoing: Sequence[Outgoing], taken: int) -> None:
        assert self.writer is not None
        try:
            await self.writer.transact(outgoing)
        except LogError as error:
            self.list_limit_records = max(1, taken // 2)
            if isinstance(error, NotWritten):
                self.outbox.avoid(error.topic)
            raise

    async def _decide(self, state: Partition, record: Record) -> tuple[Step, Bundle | None]:
        """One record's step and what it writes; None when it changed nothing and nobody waits for an outcome."""
        started_ms = self.time.monotonic_ms()
        letter, raw = read_letter(record, self.log_ids[self.partition])
        appended_at = instant(record.timestamp_ms)
        step = engine.step(state.hub(letter.hub), letter, appended_at)
        if not step.facts:
            return step, None
        bundle = await self.outbox.bundle(step, record.offset, raw)
        if bundle.is_too_large:
            step = engine.refuse(state.hub(letter.hub), letter, appended_at, "step_too_large", bundle.is_too_large)
            bundle = await self.outbox.bundle(step, record.offset, raw)
        _LOG.debug(
            "step",
            hub=letter.hub,
            position=record.offset,
            type=letter.data.type,
            facts=len(step.facts),
            messages=len(bundle.records) - 1,
            took_ms=self.time.monotonic_ms() - started_ms,
        )
        return step, bundle
