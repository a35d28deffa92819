"""Faust's side of membership: it hears what is assigned and hands it to `runtime.member`, which does the work.

Nothing waits inside a rebalance callback: heartbeats rest there.
"""

from collections.abc import Callable, Iterable
from typing import Any

import structlog
from mode import Service

from linkage.errors import LogError
from linkage.runtime.log_identity import read_log_identities
from linkage.runtime.member import Member
from linkage.runtime.progress import LoopLimits
from linkage.settings import WorkerSettings
from linkage.worker.asyncio_time import AsyncioTime
from linkage.worker.kafka_log import KafkaLog

_LOG = structlog.get_logger("linkage.worker")

WATCH_INTERVAL_S = 1.0
START_RETRY_S = 1.0


class Leases(Service):
    """The service in which a worker's `Member` lives."""

    def __init__(
        self,
        settings: WorkerSettings,
        on_fatal: Callable[[BaseException], None],
        at_point: Callable[[str], None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.settings = settings
        self.time = AsyncioTime()
        self.member: Member | None = None
        self._kafka: KafkaLog | None = None
        self._on_fatal = on_fatal
        self._at_point = at_point
        self._assigned_early: frozenset[int] = frozenset()

    async def on_start(self) -> None:
        settings = self.settings
        self._kafka = KafkaLog(
            settings,
            transaction_timeout_ms=settings.transaction_timeout_ms,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.heartbeat_interval_ms,
            at_point=self._at_point,
        )
        log_ids = await self._identities(self._kafka)
        if log_ids is None:
            return
        digest_key = (settings.digest_key or settings.namespace).encode()
        self.member = Member(
            self._kafka, self.time, settings.topics, log_ids, loop_limits(settings), digest_key, self._on_fatal
        )
        self.member.start()
        self.member.rebalanced(self._assigned_early)

    async def _identities(self, kafka: KafkaLog) -> dict[int, str] | None:
        """The identity of each journal partition's log; waits, and says so, until the topics are there.

        None when the worker is told to stop meanwhile.
        """
        topics = self.settings.topics
        while not self.should_stop:
            try:
                if partitions := await kafka.partitions(topics.journal):
                    return await read_log_identities(kafka, topics, partitions)
                detail = f"topic {topics.journal} does not exist: run `linkage topics apply`"
            except LogError as error:
                detail = str(error)
            _LOG.warning("worker_waits_for_topics", detail=detail)
            await self.sleep(START_RETRY_S)
        return None

    def rebalanced(self, partitions: Iterable[int]) -> None:
        """The group's word; what comes before the start is kept for it."""
        self._assigned_early = frozenset(partitions)
        if self.member is not None:
            self.member.rebalanced(self._assigned_early)

    def revoked(self) -> None:
        """A rebalance has begun."""
        self._assigned_early = frozenset()
        if self.member is not None:
            self.member.revoked()

    async def on_stop(self) -> None:
        """Hands over before the group is left."""
        if self.member is not None:
            await self.member.stop()
        if self._kafka is not None:
            await self._kafka.close()

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            await self.sleep(WATCH_INTERVAL_S)
            try:
                if self.member is not None:
                    await self.member.look()
            except (LogError, TimeoutError) as error:
                _LOG.warning("watch_failed", detail=f"{type(error).__name__}: {error}")


def loop_limits(settings: WorkerSettings) -> LoopLimits:
    """The limits of the loops, from a worker's settings."""
    return LoopLimits(
        list_limit_records=settings.list_limit_records,
        list_limit_bytes=settings.list_limit_bytes,
        read_wait_ms=settings.read_wait_ms,
        fold_yield_records=settings.fold_yield_records,
        take_over_limit_ms=settings.take_over_limit_ms,
        clock_tick_ms=settings.clock_tick_ms,
        due_repeat_ms=settings.due_repeat_ms,
        answer_wait_limit_ms=settings.answer_wait_limit_ms,
        stall_limit_ms=settings.stall_limit_ms,
        stall_told_ms=settings.stall_told_ms,
        drain_limit_ms=settings.drain_limit_ms,
    )
