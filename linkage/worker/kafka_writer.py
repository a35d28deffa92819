"""The writing side of the Log port: one transaction for each list, and the shared producer behind `append`.

What is certain after a failure follows from one thing, whether EndTxn(commit) may have been sent:
before that nothing of the list can ever become visible (`NotWritten`, `Fenced`); from then on only the broker knows
(`OutcomeUnknown`), even when the answer is "fenced": a resent EndTxn is fenced, too, after the first one committed.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidProducerEpoch, ProducerClosed, ProducerFenced
from aiokafka.producer import sender

from linkage.errors import Fenced, LogError, NotWritten, OutcomeUnknown
from linkage.runtime.ports import Outgoing
from linkage.worker.kafka_faults import FAULTS, bounded, close_within, told

BATCH_LIMIT_BYTES = 524_288
"""Below any topic's record limit, which the broker applies to whole batches. A larger record goes alone."""
RETRY_BACKOFF_MS = 5
NEXT_TRANSACTION_BACKOFF_MS = 2
sender.BACKOFF_OVERRIDE = NEXT_TRANSACTION_BACKOFF_MS / 1000
"""How often a transaction asks again while the broker still ends the last one. aiokafka's own 20 ms, which no argument
changes, made the slowest hundredth of back-to-back transactions 28 ms instead of 7."""
PRODUCE_LIMIT_MS = 8_000
COMMIT_LIMIT_MS = 10_000
ABORT_LIMIT_MS = 2_000
INITIALISE_LIMIT_MS = 20_000

AtPoint = Callable[[str], None]
Batch = tuple[str, int, Any]
"""Topic, partition and aiokafka's filled builder."""


def no_point(_name: str) -> None:
    """The product stops nowhere; only a test's entry point puts something else here."""


def fill(producer: AIOKafkaProducer, records: Sequence[Outgoing]) -> list[Batch]:
    """The records as batches, in order in each partition. A builder that is full returns None: a new one follows."""
    batches: list[Batch] = []
    filling: dict[tuple[str, int], Any] = {}
    for record in records:
        at = (record.topic, record.partition)
        builder = filling.get(at)
        if builder is None or not _appended(builder, record):
            builder = producer.create_batch()
            if not _appended(builder, record):
                raise NotWritten(
                    f"a record of {len(record.value)} bytes for {record.topic} fits into no batch", record.topic
                )
            filling[at] = builder
            batches.append((record.topic, record.partition, builder))
    return batches


def _appended(builder: Any, record: Outgoing) -> bool:
    added = builder.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
    return added is not None


def first_fault(futures: Iterable[asyncio.Future[Any]]) -> BaseException | None:
    """The fencing among the failures, else the first failure, else None. Every exception is looked at."""
    faults = [fault for future in futures if future.done() and (fault := future.exception()) is not None]
    fenced = [fault for fault in faults if isinstance(fault, ProducerFenced | InvalidProducerEpoch)]
    return next(iter(fenced or faults), None)


def raise_first_fault(futures: Iterable[asyncio.Future[Any]]) -> None:
    fault = first_fault(futures)
    if fault is not None:
        raise fault


async def abandon(producer: AIOKafkaProducer) -> None:
    """Closes a producer that failed. What it still holds is given up first, or closing would wait for its delivery."""
    given_up = ProducerClosed("given up after a failure")
    accumulator = producer._message_accumulator
    waiting = [batch._drain_waiter for batches in accumulator._batches.values() for batch in batches]
    if producer._txn_manager is not None:
        waiting.append(producer._txn_manager.wait_for_transaction_end())
    accumulator.fail_all(given_up)
    await close_within(producer.stop, producer.client.close)
    for future in waiting:
        if future is not None and future.done() and not future.cancelled():
            future.exception()  # looked at, or asyncio logs a traceback for each when they are collected


class KafkaWriter:
    """A transactional writer on its own producer: `initialise` starts it, the first failure ends it."""

    def __init__(self, producer: AIOKafkaProducer, transactional_id: str, at_point: AtPoint = no_point) -> None:
        self._producer = producer
        self._transactional_id = transactional_id
        self._at_point = at_point
        self._usable = False
        self._futures: list[asyncio.Future[Any]] = []
        self._topics: list[str] = []
        """Of each batch that was handed over, and of the one that is being."""

    async def initialise(self) -> None:
        """Fences whoever held the id. Raises LogError; the producer is closed then."""
        self._at_point("initialise.before")
        try:
            async with bounded(f"initialising {self._transactional_id}", INITIALISE_LIMIT_MS):
                await self._producer.start()
        except BaseException:
            await abandon(self._producer)
            raise
        self._usable = True
        self._at_point("initialise.after")

    async def transact(self, records: Sequence[Outgoing]) -> None:
        """Writes all records or none; an empty list is no transaction. Errors as the port says."""
        if not self._usable:
            raise NotWritten(f"the writer of {self._transactional_id} is closed: initialise anew")
        if not records:
            return
        self._usable = False
        try:
            async with asyncio.timeout(PRODUCE_LIMIT_MS / 1000):
                await self._produce(records)
        except BaseException as fault:
            await self._fail_before_commit(fault)
        try:
            self._at_point("transact.committing")
            async with asyncio.timeout(COMMIT_LIMIT_MS / 1000):
                await self._producer.commit_transaction()
            self._at_point("transact.committed")
        except BaseException as fault:
            await self._fail_in_commit(fault)
        self._usable = True

    async def close(self) -> None:
        self._usable = False
        await close_within(self._producer.stop, self._producer.client.close)

    async def _produce(self, records: Sequence[Outgoing]) -> None:
        """Returns when every batch is acknowledged: aiokafka itself would commit with a failed one, too."""
        batches = fill(self._producer, records)
        self._futures, self._topics = [], []
        await self._producer.begin_transaction()
        self._at_point("transact.begun")
        for topic, partition, builder in batches:
            self._topics.append(topic)
            self._futures.append(await self._producer.send_batch(builder, topic, partition=partition))
            if len(self._futures) == 1:
                self._at_point("transact.sent_first")
        self._at_point("transact.sent_all")
        await asyncio.wait(self._futures, return_when=asyncio.FIRST_EXCEPTION)
        raise_first_fault(self._futures)
        self._at_point("transact.acknowledged")

    async def _fail_before_commit(self, fault: BaseException) -> NoReturn:
        cause = first_fault(self._futures) or fault
        fenced = isinstance(cause, ProducerFenced | InvalidProducerEpoch)
        topic = self._failed_topic()
        if not fenced and isinstance(fault, Exception):
            await self._abort()
        await abandon(self._producer)
        first_fault(self._futures)
        if fenced:
            raise Fenced(f"{self._transactional_id} was initialised by another: {told(cause)}") from fault
        if isinstance(fault, NotWritten):
            raise fault
        if isinstance(fault, TimeoutError):
            raise NotWritten(
                f"{self._transactional_id}: not acknowledged within {PRODUCE_LIMIT_MS} ms", topic
            ) from fault
        if isinstance(fault, Exception):
            raise NotWritten(f"{self._transactional_id}: {told(cause)}", topic) from fault
        raise fault

    def _failed_topic(self) -> str | None:
        """The topic that refused a batch, or the one that could not even be handed its batch."""
        for future, topic in zip(self._futures, self._topics, strict=False):
            if future.done() and future.exception() is not None:
                return topic
        return self._topics[-1] if len(self._topics) > len(self._futures) else None

    async def _fail_in_commit(self, fault: BaseException) -> NoReturn:
        await abandon(self._producer)
        if isinstance(fault, TimeoutError):
            words = f"{self._transactional_id}: no answer to the commit within {COMMIT_LIMIT_MS} ms"
            raise OutcomeUnknown(words) from fault
        if isinstance(fault, Exception):
            raise OutcomeUnknown(f"{self._transactional_id}: committing: {told(fault)}") from fault
        raise fault

    async def _abort(self) -> None:
        """Ends the transaction now, so that readers need not wait for the successor; he settles it otherwise."""
        try:
            async with asyncio.timeout(ABORT_LIMIT_MS / 1000):
                await self._producer.abort_transaction()
        except (TimeoutError, *FAULTS):
            return


class KafkaAppender:
    """At least once, by one idempotent producer that all callers share. The first failure ends it."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._usable = False

    @property
    def usable(self) -> bool:
        return self._usable

    async def start(self, limit_ms: int) -> None:
        try:
            async with bounded("connecting the appending producer", limit_ms):
                await self._producer.start()
        except BaseException:
            await abandon(self._producer)
            raise
        self._usable = True

    async def append(self, records: Sequence[Outgoing], limit_ms: int) -> None:
        """Returns when every record is acknowledged by all in-sync replicas. Raises LogError: some may be written."""
        futures: list[asyncio.Future[Any]] = []
        try:
            async with bounded(f"appending {len(records)} records", limit_ms):
                for topic, partition, builder in fill(self._producer, records):
                    futures.append(await self._producer.send_batch(builder, topic, partition=partition))
                await asyncio.wait(futures)
                raise_first_fault(futures)
        except BaseException as error:
            self._usable = False
            await abandon(self._producer)
            first_fault(futures)
            if isinstance(error, LogError) or not isinstance(error, Exception):
                raise
            raise LogError(f"appending: {told(error)}") from error

    async def close(self) -> None:
        self._usable = False
        await close_within(self._producer.stop, self._producer.client.close)
