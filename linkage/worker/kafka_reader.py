"""The reading side of the Log port: committed records only, from explicit positions or as a member of a group.

`auto_offset_reset` is `none` everywhere, so that no position is ever chosen silently.
"""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import (
    IllegalStateError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)

from linkage.errors import LogError
from linkage.runtime.ports import Record, TopicPartition
from linkage.worker.kafka_faults import FAULTS, bounded, close_within, raise_if_fetching_ended, started, told

FETCH_WAIT_MS = 250
"""How long the broker holds an idle fetch; data ends the wait at once, only a seek may wait for it."""
PARTITION_FETCH_LIMIT_BYTES = 1_048_576
GROUP_METADATA_AGE_MS = 5_000
"""How soon a group reader sees a topic that was made after it started."""
REBALANCE_SLACK_MS = 50

log = structlog.get_logger(__name__)


def consumer_kwargs() -> dict[str, Any]:
    return {
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": "read_committed",
        "fetch_max_wait_ms": FETCH_WAIT_MS,
        "max_partition_fetch_bytes": PARTITION_FETCH_LIMIT_BYTES,
    }


def record_of(found: ConsumerRecord[bytes, bytes]) -> Record:
    """A header without a value, which other clients can write, is an empty one here."""
    headers = found.headers
    for _name, value in headers:
        if value is None:
            headers = tuple((name, value or b"") for name, value in headers)
            break
    return Record(found.topic, found.partition, found.offset, found.timestamp, found.key, found.value, headers)


class KafkaReader:
    """Reads the partitions it was given, each from where it was told to begin."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], limit_ms: int) -> None:
        self._consumer = consumer
        self._partitions = tuple(partitions)
        self._seen: set[TopicPartition] = set()
        self._limit_ms = limit_ms

    async def start(self, positions: Mapping[TopicPartition, int]) -> None:
        try:
            async with bounded("connecting a reader", self._limit_ms):
                await started(self._consumer)
                self._consumer.assign([KafkaPartition(*at) for at in positions])
                for at, offset in positions.items():
                    self._consumer.seek(KafkaPartition(*at), offset)
        except BaseException:
            await self.close()
            raise

    async def read(self, max_records: int, wait_ms: int) -> Sequence[Record]:
        """As the port says. Markers at the very end of what was read are passed by the next read."""
        raise_if_fetching_ended(self._consumer)
        try:
            found = await self._consumer.getmany(timeout_ms=wait_ms, max_records=max_records)
        except OffsetOutOfRangeError as error:
            ((at, offset),) = error.args[0].items()
            raise LogError(
                f"{at.topic} [{at.partition}] has no offset {offset}: it begins later or ends earlier"
            ) from error
        except FAULTS as error:
            raise LogError(f"reading: {told(error)}") from error
        if not found:
            self._raise_if_gone()
        return [record_of(record) for records in found.values() for record in records]

    async def seek(self, at: TopicPartition, offset: int) -> None:
        async with bounded(f"seeking {at.topic} [{at.partition}]", self._limit_ms):
            self._consumer.seek(KafkaPartition(*at), offset)

    async def position(self, at: TopicPartition) -> int:
        async with bounded(f"position of {at.topic} [{at.partition}]", self._limit_ms):
            return int(await self._consumer.position(KafkaPartition(*at)))

    async def close(self) -> None:
        await close_within(self._consumer.stop, self._consumer._client.close)

    def _raise_if_gone(self) -> None:
        """Else a deleted topic would be read for ever, in silence."""
        for at in self._partitions:
            if at.partition in (self._consumer.partitions_for_topic(at.topic) or ()):
                self._seen.add(at)
            elif at in self._seen:
                raise LogError(f"{at.topic} [{at.partition}] is gone")


CAREFUL_READS_COUNT = 2_000
"""After so many careful reads without a failure a group member reads lists again."""
CAREFUL_WAIT_MS = 20

Found = dict[KafkaPartition, list[ConsumerRecord[bytes, bytes]]]


class KafkaGroupReader:
    """A group member over the topics whose names begin with one of the prefixes.

    A partition without a committed position is read from its beginning; one whose position is out of range goes on at
    its beginning and is named by `gaps`. A failed read ends the reader: close it, make a new one.

    `careful`: after a record that aiokafka can't even decode (a header's name that is no UTF-8) ended a reader, the
    next one reads one record of one partition at a time, passes over the one that fails, and names it as a gap.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, topic_prefixes: Sequence[str], limit_ms: int, *, careful: bool = False
    ) -> None:
        self._consumer = consumer
        self._careful_reads = CAREFUL_READS_COUNT if careful else 0
        self.met_undecodable = False
        self._pattern = "^(" + "|".join(re.escape(prefix) for prefix in topic_prefixes) + ")"
        self._limit_ms = limit_ms
        self._gaps: list[tuple[TopicPartition, int, int]] = []
        self._denied: set[str] = set()
        self._fault: str | None = None

    async def start(self) -> None:
        try:
            async with bounded("joining the group", self._limit_ms * 2):  # the first broker asked may hang
                await started(self._consumer)
                self._consumer.subscribe(pattern=self._pattern)
        except BaseException:
            await self.close()
            raise

    async def read(self, max_records: int, wait_ms: int) -> Sequence[Record]:
        """As the port says; empty, too, while the group rebalances."""
        self._raise_if_ended()
        give_up_at = time.monotonic() + wait_ms / 1000
        while True:
            left_ms = max(0, round((give_up_at - time.monotonic()) * 1000))
            found = await self._poll(max_records, left_ms)
            self._denied -= {at.topic for at in found}
            if found or left_ms == 0:
                return [record_of(record) for records in found.values() for record in records]

    async def commit(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """As the port says. A topic that may not be read may not be committed for: it keeps nobody else's from it."""
        self._raise_if_ended()
        async with bounded("committing", self._limit_ms):
            while wanted := {at: offset for at, offset in next_offsets.items() if at.topic not in self._denied}:
                try:
                    await self._consumer.commit({KafkaPartition(*at): offset for at, offset in wanted.items()})
                except TopicAuthorizationFailedError as error:
                    self._name_all_denied(error, sorted({at.topic for at in wanted}))
                    continue
                return

    def gaps(self) -> Sequence[tuple[TopicPartition, int, int]]:
        gaps, self._gaps = self._gaps, []
        return gaps

    async def positions(self) -> dict[TopicPartition, int]:
        """As the port says; without partitions of which it is not known yet where they begin: nothing waits for it."""
        self._raise_if_ended()
        subscription = self._consumer._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None:
            return {}
        # `consumer.position` waits, so it needs a time limit for each of a county's hundreds of topics, for every list
        states = ((at, assignment.state_value(at)) for at in sorted(assignment.tps))
        return {TopicPartition(*at): state.position for at, state in states if state.has_valid_position}

    def assigned(self) -> Sequence[TopicPartition]:
        return sorted(TopicPartition(*at) for at in self._consumer.assignment())

    def denied(self) -> Sequence[str]:
        return sorted(self._denied)

    async def close(self) -> None:
        await close_within(self._consumer.stop, self._consumer._client.close)

    async def _poll(self, max_records: int, wait_ms: int) -> Found:
        raise_if_fetching_ended(self._consumer)
        try:
            async with asyncio.timeout((wait_ms + REBALANCE_SLACK_MS) / 1000):
                if self._careful_reads:
                    return await self._next_one(wait_ms)
                found: Found = await self._consumer.getmany(timeout_ms=wait_ms, max_records=max_records)
                return found
        except TimeoutError:
            return {}
        except NoOffsetForPartitionError as error:
            await self._go_on_at_beginning(error.args[0], None)
        except OffsetOutOfRangeError as error:
            for at, offset in error.args[0].items():
                await self._go_on_at_beginning(at, offset)
        except TopicAuthorizationFailedError as error:
            self._name_all_denied(error, sorted({at.topic for at in self._consumer.assignment()}))
        except (*FAULTS, UnicodeDecodeError) as error:
            self._fault, self.met_undecodable = told(error), isinstance(error, UnicodeDecodeError)
            raise LogError(f"reading as a group member: {self._fault}") from error
        return {}

    async def _next_one(self, wait_ms: int) -> Found:
        """The next record of the first partition that has one; a record that can't be decoded is passed over."""
        self._careful_reads -= 1
        for at in sorted(self._consumer.assignment()):
            try:
                found: Found = await self._consumer.getmany(at, timeout_ms=0, max_records=1)
            except UnicodeDecodeError:
                undecodable = await self._consumer.position(at)
                self._consumer.seek(at, undecodable + 1)
                self._gaps.append((TopicPartition(*at), undecodable, undecodable + 1))
                self._careful_reads = CAREFUL_READS_COUNT
                return {}
            if found:
                return found
        await asyncio.sleep(min(wait_ms, CAREFUL_WAIT_MS) / 1000)
        return {}

    async def _go_on_at_beginning(self, at: KafkaPartition, wanted: int | None) -> None:
        async with bounded(f"finding the beginning of {at.topic} [{at.partition}]", self._limit_ms):
            begins_at = (await self._consumer.beginning_offsets([at]))[at]
            try:
                self._consumer.seek(at, begins_at)
            except IllegalStateError:
                return  # taken from us meanwhile: whoever has it now finds the same
        if wanted is not None:
            self._gaps.append((TopicPartition(*at), wanted, begins_at))

    def _raise_if_ended(self) -> None:
        """The failed read may have passed records that it never handed out: their positions must not be committed."""
        if self._fault is not None:
            raise LogError(f"this group reader ended: {self._fault}")

    def _name_all_denied(self, error: TopicAuthorizationFailedError, possible: Sequence[str]) -> None:
        """aiokafka names one topic or a set of them. Raises the error when it names none that we know."""
        named = error.args[0] if error.args else ()
        denied = {named} if isinstance(named, str) else set(named)
        if not denied & set(possible):
            raise error
        for topic in sorted(denied):
            self._name_denied(topic)

    def _name_denied(self, topic: str) -> None:
        if topic not in self._denied:
            self._denied.add(topic)
            log.warning("topic_denied", topic=topic, remedy="allow READ to this worker's user")
