"""The transactional writer: all records or none, and how each failure is told apart."""

from collections.abc import Sequence

from linkage.errors import Fenced, LogError, NotWritten, OutcomeUnknown
from linkage.runtime.ports import Outgoing, TopicPartition
from linkage.simulation.memory_link import Link, NoAnswer


def by_partition(records: Sequence[Outgoing]) -> dict[TopicPartition, list[Outgoing]]:
    """In the order in which partitions first occur."""
    lists: dict[TopicPartition, list[Outgoing]] = {}
    for record in records:
        lists.setdefault(TopicPartition(record.topic, record.partition), []).append(record)
    return lists


class MemoryWriter:
    """Implements `Writer`. Points, named as the Kafka log names them: transact.before, .sent_first (one partition is
    written, the others not), .acknowledged (all are, the commit is not sent), .committed."""

    def __init__(self, link: Link, transactional_id: str, epoch: int) -> None:
        self._link = link
        self._id = transactional_id
        self.epoch = epoch
        self._closed = False

    async def transact(self, records: Sequence[Outgoing]) -> None:
        self._link.point("transact.before")
        if self._closed:
            raise NotWritten(f"{self._id}: the writer is closed: initialise anew")
        if not records:
            await self._link.process.sleep(0)
            return
        self._closed = True
        await self._write(records)
        self._link.point("transact.acknowledged")
        await self._commit()
        self._closed = False
        self._link.point("transact.committed")

    async def _write(self, records: Sequence[Outgoing]) -> None:
        link = self._link
        deadline_ms = link.process.monotonic_ms() + link.broker.settings.produce_limit_ms
        lists = by_partition(records)
        left = len(lists)
        try:
            for at, items in lists.items():
                await self._produce(at, items, deadline_ms)
                left -= 1
                if left == len(lists) - 1 and left:
                    link.point("transact.sent_first")
        except Fenced:
            raise
        except LogError as error:
            await self._abort()
            raise NotWritten(str(error), getattr(error, "topic", None)) from error

    async def _produce(self, at: TopicPartition, items: list[Outgoing], deadline_ms: int) -> None:
        link = self._link

        def produce() -> bool:
            return link.broker.produce(self._id, self.epoch, at, items)

        while not await link.request("produce", produce, deadline_ms):
            if link.process.monotonic_ms() >= deadline_ms:
                raise NoAnswer(f"{self._id}: the transaction before is still being settled")
            await link.process.sleep(link.broker.settings.retry_ms)

    async def _commit(self) -> None:
        """Fenced is no certainty here: a commit sent again after its answer was lost meets the same error."""
        link = self._link
        try:
            await link.request("end", lambda: link.broker.end(self._id, self.epoch, committed=True))
        except LogError as error:
            raise OutcomeUnknown(f"{self._id}: committing: {error}") from error

    async def _abort(self) -> None:
        """Tries to; if that fails, a successor's initialising or the time-out does it."""
        link = self._link
        try:
            await link.request("abort", lambda: link.broker.end(self._id, self.epoch, committed=False))
        except LogError:
            link.faults.struck("abort_failed")

    async def close(self) -> None:
        self._closed = True
        await self._link.process.sleep(0)
