"""The Time port on asyncio and this machine's clocks."""

import asyncio
import random  # noqa: TID251  spreads retries, decides nothing
import time
from collections.abc import Awaitable, Coroutine
from typing import Any


class AsyncioTask:
    """Something spawned on the running loop."""

    def __init__(self, task: asyncio.Task[None]) -> None:
        self._task = task

    def cancel(self) -> None:
        self._task.cancel()

    def done(self) -> bool:
        return self._task.done()

    async def wait(self) -> None:
        """Returns when it has ended, cancelled or not; raises what it raised. Who waits may be cancelled alone."""
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()


class AsyncioTime:
    """`linkage.runtime.ports.Time` for a real process."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    async def sleep(self, span_ms: int) -> None:
        await asyncio.sleep(span_ms / 1000)

    async def within(self, span_ms: int, awaitable: Awaitable[Any]) -> Any:
        async with asyncio.timeout(span_ms / 1000):
            return await awaitable

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> AsyncioTask:
        """Keeps a reference of its own: the loop alone would let a task be collected while it runs."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return AsyncioTask(task)

    def jitter(self) -> float:
        return random.random()
