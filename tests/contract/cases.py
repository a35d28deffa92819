"""What the cases of the Log port's contract share."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from linkage.runtime.ports import GroupReader, Log, Outgoing, Reader, Record, TopicPartition
from tests.contract.worlds import RUNNERS, LogWorld, Runner

WAIT_MS = 200
PATIENCE_MS = 20_000


def on_every_log(case: Callable[[LogWorld], Awaitable[None]]) -> Callable[[Runner, pytest.FixtureRequest], None]:
    @pytest.mark.parametrize("run", RUNNERS)
    def test(run: Runner, request: pytest.FixtureRequest) -> None:
        run(case, request)

    test.__doc__ = case.__doc__
    return test


def outgoing(topic: str, *values: str, partition: int = 0) -> list[Outgoing]:
    return [Outgoing(topic, partition, b"key", value.encode()) for value in values]


def values(records: Sequence[Record]) -> list[str]:
    return [(record.value or b"").decode() for record in records]


async def read_to_end(log: Log, *partitions: TopicPartition) -> list[Record]:
    """Everything a committed reader finds, by position, never until a read was empty."""
    ends = await log.end_offsets(partitions)
    reader = await log.reader(await log.beginning_offsets(partitions))
    found: list[Record] = []
    for at in partitions:
        while await reader.position(at) < ends[at]:
            found += await reader.read(500, WAIT_MS)
    await reader.close()
    return found


async def read_until(world: LogWorld, reader: Reader | GroupReader, count: int) -> list[Record]:
    """Reads on until that many records came; fails when they do not."""
    found: list[Record] = []
    give_up_ms = world.time.monotonic_ms() + PATIENCE_MS
    while len(found) < count:
        assert world.time.monotonic_ms() < give_up_ms, f"only {values(found)} of {count} records came"
        found += await reader.read(500, WAIT_MS)
    return found


async def until(world: LogWorld, holds: Callable[[], Awaitable[bool]]) -> None:
    give_up_ms = world.time.monotonic_ms() + PATIENCE_MS
    while not await holds():
        assert world.time.monotonic_ms() < give_up_ms, "waited in vain"
        await world.time.sleep(20)
