"""What aiokafka can raise, told as `LogError`, and the limit that every wait for the broker has."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import ConsumerStoppedError, IllegalOperation, KafkaError

from linkage.errors import LogError

FAULTS = (KafkaError, IllegalOperation, ConsumerStoppedError, AssertionError, OSError)
"""AssertionError, too: aiokafka raises it after fencing and for a partition it does not know. Never run with `-O`."""

CLOSE_LIMIT_MS = 3_000

Result = TypeVar("Result")


def told(error: BaseException) -> str:
    words = str(error)
    name = type(error).__name__
    return words if words.startswith(name) else f"{name}: {words}" if words else name


@asynccontextmanager
async def bounded(doing: str, limit_ms: int) -> AsyncIterator[None]:
    """Whatever goes wrong inside, or takes longer than the limit, is a LogError that says what was being done."""
    try:
        async with asyncio.timeout(limit_ms / 1000):
            yield
    except TimeoutError as error:
        raise LogError(f"{doing}: no answer within {limit_ms} ms") from error
    except FAULTS as error:
        raise LogError(f"{doing}: {told(error)}") from error


async def close_within(stop: Callable[[], Awaitable[object]], disconnect: Callable[[], Awaitable[object]]) -> None:
    """Closes a client in at most twice CLOSE_LIMIT_MS; when it can't stop in order, at least its connections end.

    Whatever a client raises while it closes is told to nobody: aiokafka's producer lets out a KeyError of its sender
    when a request that was under way failed after its batches were given up, its consumer whatever ended its fetching.
    A caller that is being cancelled stays cancelled, whatever the client raised instead.
    """
    try:
        async with asyncio.timeout(CLOSE_LIMIT_MS / 1000):
            await stop()
    except (Exception, asyncio.CancelledError) as error:
        with suppress(Exception):
            async with asyncio.timeout(CLOSE_LIMIT_MS / 1000):
                await disconnect()
        if being_cancelled():
            raise asyncio.CancelledError from error


def being_cancelled() -> bool:
    """False for the CancelledError of a background task of its own that aiokafka's `stop` lets out."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def started(consumer: AIOKafkaConsumer) -> None:
    """Starts it, and lets its background tasks begin: one cancelled before its first step breaks aiokafka's `stop`."""
    await consumer.start()
    await asyncio.sleep(0)


def raise_if_fetching_ended(consumer: AIOKafkaConsumer) -> None:
    """Whoever reads on would wait for ever: an error of its own ends aiokafka's fetch task, which only logs it.

    Seen: a partition's leader changes while its first position is asked for; the answer comes twice, and a second
    "no position" for the same partition fails an assertion there. Raises LogError.
    """
    fetching: asyncio.Task[None] = consumer._fetcher.error_future
    if fetching.done() and not fetching.cancelled() and (error := fetching.exception()) is not None:
        cause = error.__cause__ or error
        raise LogError(f"the client fetches no more: {told(cause)}") from error
