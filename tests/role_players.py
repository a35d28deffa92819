"""The parties of a test's county: they read their dispatch topics, committed, and answer on their reply topics."""

import heapq
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from linkage import wire
from linkage.events.envelope import PARTY_BOUND
from linkage.events.inbound import Answer, AnswerOrder
from linkage.events.outbound import DispatchTeam, StandDown, WhistleDepartment
from linkage.runtime.ports import Reader

Order = WhistleDepartment | DispatchTeam | StandDown
Script = Callable[[Order], Mapping[Answer, float]]
"""What is answered to an order, each after so many seconds. Empty: it stays silent."""
Send = Callable[[Sequence[tuple[str, BaseModel, str]]], Awaitable[None]]
"""Sends (party, reply, message id) on the parties' reply topics."""

READ_LIMIT_RECORDS = 500
READ_WAIT_MS = 50


def obedient(order: Order) -> Mapping[Answer, float]:
    """Received, accepted, on the way, reported in, done, at once one after another; called back: done."""
    if isinstance(order, StandDown):
        return {Answer.DONE: 0.0}
    return {
        Answer.RECEIVED: 0.0,
        Answer.ACCEPTED: 0.0,
        Answer.EN_ROUTE: 0.0,
        Answer.REPORTED_IN: 0.1,
        Answer.DONE: 0.2,
    }


@dataclass(slots=True)
class RolePlayers:
    """All parties of a county at once. Message ids derive from order, revision and answer."""

    script: Script
    send: Send
    orders: list[Order] = field(default_factory=list)
    answered: int = 0
    waiting: list[tuple[float, int, str, AnswerOrder, str]] = field(default_factory=list)
    are_silent: bool = False
    """While it is so nobody answers; what became ripe meanwhile is answered afterwards."""

    async def play(self, reader: Reader) -> None:
        """Until cancelled."""
        while True:
            for record in await reader.read(READ_LIMIT_RECORDS, READ_WAIT_MS):
                _attributes, data = wire.read(record.headers, record.value)
                message = PARTY_BOUND.validate_json(data)
                if isinstance(message, WhistleDepartment | DispatchTeam | StandDown):
                    self.orders.append(message)
                    self._plan(message)
            await self._answer()

    def _plan(self, order: Order) -> None:
        now = time.monotonic()
        for answer, after_s in self.script(order).items():
            reply = AnswerOrder(order_id=order.order_id, hub=order.hub, answer=answer)
            message_id = f"{order.order_id}.{order.revision}.{answer}"
            heapq.heappush(self.waiting, (now + after_s, self._next(), order.party, reply, message_id))

    def _next(self) -> int:
        self.answered += 1
        return self.answered

    async def _answer(self) -> None:
        ripe = []
        while not self.are_silent and self.waiting and self.waiting[0][0] <= time.monotonic():
            _, _, party, reply, message_id = heapq.heappop(self.waiting)
            ripe.append((party, reply, message_id))
        if ripe:
            await self.send(ripe)
