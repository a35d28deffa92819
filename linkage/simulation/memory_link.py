"""A process's way to the broker and back: latency, requests lost or late, time-outs, points to crash at."""

from collections.abc import Callable
from typing import TypeVar

from linkage.errors import LogError
from linkage.simulation.memory_broker import MemoryBroker, Unavailable
from linkage.simulation.memory_faults import Fate
from linkage.simulation.virtual_time import VirtualProcess

Answer = TypeVar("Answer")


class NoAnswer(LogError):
    """The request timed out; whether the broker acted on it is not known."""


class Link:
    """What every port object of one process sends its requests through."""

    __slots__ = ("broker", "closed", "faults", "process", "timeout_ms")

    def __init__(self, broker: MemoryBroker, process: VirtualProcess) -> None:
        self.broker = broker
        self.process = process
        self.faults = broker.faults
        self.timeout_ms = broker.settings.request_timeout_ms
        self.closed = False

    def point(self, name: str) -> None:
        """A point at which a crash can be placed. Raises Killed in a dead process, LogError when the log is closed."""
        self.faults.point(self.process, name)
        if self.closed:
            raise LogError(f"{name}: the log is closed")

    async def call(self, name: str, act: Callable[[], Answer], operation: str | None = None) -> Answer:
        """One port call of one request, with the points `<name>.before` and `<name>.after`."""
        self.point(name + ".before")
        answer = await self.request(operation or name, act)
        self.point(name + ".after")
        return answer

    async def request(self, operation: str, act: Callable[[], Answer], deadline_ms: int | None = None) -> Answer:
        """What the broker answers or raises. Raises NoAnswer at the (monotonic) deadline, else the time-out."""
        broker, process = self.broker, self.process
        if deadline_ms is None:
            deadline_ms = process.monotonic_ms() + self.timeout_ms
        fate = self.faults.take(process, operation)
        if fate is not None:
            return await self._fated(fate, operation, act, deadline_ms)
        await process.sleep(broker.latency_ms())
        await self._reach(operation, deadline_ms)
        try:
            answer = act()
        except Unavailable as unavailable:
            if not unavailable.at_once:
                await process.sleep(deadline_ms - process.monotonic_ms())
            raise
        if not broker.instant:
            await process.sleep(broker.latency_ms())
            await self._reach(operation, deadline_ms)
        return answer

    async def _reach(self, operation: str, deadline_ms: int) -> None:
        """Tries until the broker is there again, or the time is out."""
        broker, process = self.broker, self.process
        while away_ms := broker.unreachable_ms(process):
            self.faults.struck(f"away:{process.name}")
            left_ms = deadline_ms - process.monotonic_ms()
            if left_ms <= 0:
                raise NoAnswer(f"{operation}: no broker in time")
            await process.sleep(min(away_ms, left_ms))

    async def _fated(self, fate: Fate, operation: str, act: Callable[[], Answer], deadline_ms: int) -> Answer:
        broker, process = self.broker, self.process
        arrived = broker.time.signal()
        answers: list[Answer] = []
        errors: list[LogError] = []

        def arrive() -> None:
            try:
                answers.append(act())
            except LogError as error:
                errors.append(error)
            arrived.set()

        if fate.arrives:
            broker.later(max(1, fate.delay_ms), arrive)
        answered = await arrived.wait(max(1, deadline_ms - process.monotonic_ms())) and fate.answered
        if answered and answers:
            return answers[0]
        if answered and errors:
            raise errors[0]
        await process.sleep(deadline_ms - process.monotonic_ms())
        raise NoAnswer(f"{operation}: no answer in time")
