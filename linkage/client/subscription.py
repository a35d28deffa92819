"""Reading a dispatch topic: committed records only, from a stated position, in order, each as a typed message.

Positions are always sought explicitly: aiokafka's own reset races with a seek (its position ended up at the end).
"""

from collections import deque
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from linkage.client.connection import reaching, require_topic
from linkage.client.deliveries import Delivery, read_delivery
from linkage.client.errors import failure
from linkage.kafka_connection import client_kwargs
from linkage.settings import KafkaSettings

READ_LIMIT_RECORDS = 200
READ_WAIT_MS = 200
HEARTBEAT_INTERVAL_MS = 1_000
"""How soon a member of a group learns that another came or went."""


class Subscription:
    """An async iterator of deliveries; use it as `async with` so that its connection is closed when you break off.

    With a group, a delivery is committed when the next one is asked for: what you were handling when you stopped comes
    again. Without one, nothing is remembered and every reader sees everything.
    """

    def __init__(
        self,
        topic: str,
        settings: KafkaSettings,
        *,
        follow: bool,
        from_beginning: bool,
        group: str | None = None,
        start: Mapping[int, int] | None = None,
    ) -> None:
        self._topic = topic
        self._settings = settings
        self._follow = follow
        self._from_beginning = from_beginning
        self._group = group
        self._start = start
        self._consumer: AIOKafkaConsumer | None = None
        self._end: dict[TopicPartition, int] = {}
        self._read: deque[tuple[TopicPartition, Any]] = deque()
        self._handled: tuple[TopicPartition, int] | None = None

    async def __aenter__(self) -> Self:
        await self._opened()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delivery:
        """The next delivery. Raises LinkageError; ends when `follow` is False and all that was there is read."""
        consumer = await self._opened()
        try:
            await self._commit_handled(consumer)
            while not self._read:
                if not self._follow and await self._is_at_end(consumer):
                    await self.close()
                    raise StopAsyncIteration
                batches = await consumer.getmany(timeout_ms=READ_WAIT_MS, max_records=READ_LIMIT_RECORDS)
                self._read.extend((at, record) for at, records in batches.items() for record in records)
        except KafkaError as error:
            raise failure(error, f"reading topic {self._topic}", self._settings.bootstrap_servers) from error
        at, record = self._read.popleft()
        self._handled = (at, record.offset)
        return read_delivery(record.headers, record.value, offset=record.offset, timestamp_ms=record.timestamp)

    async def close(self) -> None:
        """Leaves the group and closes the connection. What was delivered last is not committed by it."""
        consumer, self._consumer = self._consumer, None
        self._read.clear()
        self._handled = None
        if consumer is not None:
            await consumer.stop()

    async def _opened(self) -> AIOKafkaConsumer:
        if self._consumer is not None:
            return self._consumer
        partitions_count = await require_topic(self._settings, self._topic)
        at = [TopicPartition(self._topic, partition) for partition in range(partitions_count)]
        async with reaching(self._settings):
            if self._group is not None:
                await self._place_group(at)
            consumer = _consumer(self._settings, self._group)
            await _start(consumer)
        self._consumer = consumer
        try:
            if not self._follow:
                self._end = await consumer.end_offsets(at)
            if self._group is None:
                await self._assign(consumer, at)
            else:
                consumer.subscribe(topics=[self._topic], listener=_DropsWhatIsRevoked(self._read))
        except KafkaError as error:
            await self.close()
            raise failure(error, f"reading topic {self._topic}", self._settings.bootstrap_servers) from error
        return consumer

    async def _assign(self, consumer: AIOKafkaConsumer, at: Collection[TopicPartition]) -> None:
        if self._start is not None:
            offsets = {partition: self._start.get(partition.partition, 0) for partition in at}
        elif self._from_beginning:
            offsets = await consumer.beginning_offsets(at)
        else:
            offsets = await consumer.end_offsets(at)
        consumer.assign(list(at))  # no await from here to the last seek: see the module's story
        for partition, offset in offsets.items():
            consumer.seek(partition, offset)

    async def _place_group(self, at: Collection[TopicPartition]) -> None:
        """Commits where a group that has never read begins, so that no reset decides it."""
        keeper = _consumer(self._settings, self._group)
        await _start(keeper)
        try:
            keeper.assign(list(at))
            fresh = [partition for partition in at if await keeper.committed(partition) is None]
            if fresh:
                first = await (keeper.beginning_offsets(fresh) if self._from_beginning else keeper.end_offsets(fresh))
                await keeper.commit(first)
        except KafkaError as error:
            raise failure(error, f"group {self._group}", self._settings.bootstrap_servers) from error
        finally:
            await keeper.stop()

    async def _commit_handled(self, consumer: AIOKafkaConsumer) -> None:
        handled, self._handled = self._handled, None
        if self._group is None or handled is None:
            return
        at, offset = handled
        try:
            following = offset + 1
            if not self._read:
                position = await consumer.position(at)
                if position < following:
                    consumer.seek(at, following)  # a rebalance put it back to what was committed
                following = max(following, position)  # past transaction markers, too
            await consumer.commit({at: following})
        except (CommitFailedError, IllegalStateError):
            self._read.clear()  # another member has the partition now and gets these again

    async def _is_at_end(self, consumer: AIOKafkaConsumer) -> bool:
        assigned = consumer.assignment()
        if self._group is not None and not assigned:
            return False
        for at in assigned:
            if await consumer.position(at) < self._end.get(at, 0):
                return False
        return True


class _DropsWhatIsRevoked(ConsumerRebalanceListener):  # type: ignore[misc]
    """What was read and not yet handed over belongs to whoever gets the partition next."""

    def __init__(self, read: deque[tuple[TopicPartition, Any]]) -> None:
        self._read = read

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._read.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Positions come from the group's commits."""


def _consumer(settings: KafkaSettings, group: str | None) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        group_id=group,
        isolation_level="read_committed",
        auto_offset_reset="none",
        enable_auto_commit=False,
        heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
        **client_kwargs(settings),
    )


async def _start(consumer: AIOKafkaConsumer) -> None:
    try:
        await consumer.start()
    except BaseException:
        await consumer.stop()
        raise


def subscribe(
    party: str,
    settings: KafkaSettings | None = None,
    *,
    follow: bool = True,
    from_beginning: bool = True,
    group: str | None = None,
) -> Subscription:
    """What the engine tells a party: orders, notices, receipts, refusals, in order, committed ones only.

    `follow` False ends at what is there now. With `group`, the group's position is kept in Kafka: a delivery is
    committed once the next is asked for, so each is handled at least once; `from_beginning` then says only where a
    group that has never read begins. Handle the same (order_id, revision) once.

    Raises, while reading, TopicMissing, KafkaUnreachable, Denied, RecordsGone.
    """
    settings = settings or KafkaSettings()
    return Subscription(
        settings.topics.dispatch(party), settings, follow=follow, from_beginning=from_beginning, group=group
    )


async def end_of(party: str, settings: KafkaSettings) -> dict[int, int]:
    """Where a committed reader of the party's dispatch topic comes to an end now, by partition."""
    topic = settings.topics.dispatch(party)
    partitions_count = await require_topic(settings, topic)
    at = [TopicPartition(topic, partition) for partition in range(partitions_count)]
    consumer = _consumer(settings, None)
    async with reaching(settings):
        await _start(consumer)
    try:
        offsets = await consumer.end_offsets(at)
    except KafkaError as error:
        raise failure(error, f"reading topic {topic}", settings.bootstrap_servers) from error
    finally:
        await consumer.stop()
    return {partition.partition: offset for partition, offset in offsets.items()}


def subscribe_from(party: str, settings: KafkaSettings, start: Mapping[int, int], *, follow: bool) -> Subscription:
    """The same from stated offsets, by partition: what `end_of` returned earlier."""
    return Subscription(
        settings.topics.dispatch(party), settings, follow=follow, from_beginning=True, start=dict(start)
    )
