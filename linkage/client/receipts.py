"""Waiting for what the engine says about one message: a receipt or a refusal, by message id."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping

from linkage.client.deliveries import EngineAnswer
from linkage.client.errors import Unanswered
from linkage.client.subscription import subscribe_from
from linkage.events.outbound import IssueReceipt, IssueRefusal
from linkage.settings import KafkaSettings

ANSWERS_KEPT_LIMIT_MESSAGES = 10_000
"""Answers nobody has asked for yet; the oldest are forgotten, and asking for one of those ends unanswered."""


class ReceiptDesk:
    """Follows one party's dispatch topic from where it stood when the publisher was opened."""

    def __init__(self, party: str, settings: KafkaSettings, start: Mapping[int, int]) -> None:
        self._party = party
        self._settings = settings
        self._start = start
        self._came: OrderedDict[str, EngineAnswer] = OrderedDict()
        self._awaited: dict[str, list[asyncio.Future[EngineAnswer]]] = {}
        self._reading: asyncio.Task[None] | None = None

    def forget(self, message_id: str) -> None:
        """The message is sent again: its earlier answer does not count any more."""
        self._came.pop(message_id, None)

    async def answer(self, message_id: str, within_s: float) -> EngineAnswer:
        """Raises Unanswered after `within_s` seconds, LinkageError when the topic cannot be read."""
        if message_id in self._came:
            return self._came[message_id]
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name=f"receipts of {self._party}")
        elif self._reading.done():
            self._reading.result()
        came: asyncio.Future[EngineAnswer] = asyncio.get_running_loop().create_future()
        self._awaited.setdefault(message_id, []).append(came)
        try:
            return await asyncio.wait_for(came, within_s)
        except TimeoutError as late:
            raise Unanswered(
                f"Kafka has message {message_id} of {self._party}; the engine has said nothing about it in "
                f"{within_s:g} s.\nIs a worker running? Sent again with the same id it is the same message"
            ) from late
        finally:
            self._drop(message_id, came)

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    def _drop(self, message_id: str, came: "asyncio.Future[EngineAnswer]") -> None:
        waiting = [future for future in self._awaited.get(message_id, []) if future is not came]
        if waiting:
            self._awaited[message_id] = waiting
        else:
            self._awaited.pop(message_id, None)

    async def _read(self) -> None:
        try:
            async with subscribe_from(self._party, self._settings, self._start, follow=True) as deliveries:
                async for delivery in deliveries:
                    if isinstance(delivery.message, IssueReceipt | IssueRefusal):
                        self._keep(delivery.message)
        except Exception as error:
            for future in [future for waiting in self._awaited.values() for future in waiting]:
                if not future.done():
                    future.set_exception(error)
            raise

    def _keep(self, answer: EngineAnswer) -> None:
        self._came[answer.message_id] = answer
        self._came.move_to_end(answer.message_id)
        while len(self._came) > ANSWERS_KEPT_LIMIT_MESSAGES:
            self._came.popitem(last=False)
        for future in self._awaited.pop(answer.message_id, []):
            if not future.done():
                future.set_result(answer)
