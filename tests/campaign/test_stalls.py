"""No silent stall in a real process: planted in each loop, told by `/healthz`, begun anew, gone on."""

import asyncio
import json
from pathlib import Path

import pytest

from linkage import local_kafka
from tests.kafka.exactness import assert_exact
from tests.kafka_county import KafkaCounty
from tests.kafka_worker import Doom, WorkerProcess

pytestmark = pytest.mark.kafka

LOOPS = ("hub", "ingress", "clock", "publisher")
STALL_LIMIT_MS = 4_000
STALL_TOLD_MS = 3_000
NOTICE_LIMIT_S = 30.0
POLL_S = 0.1
REACH_LIMIT_S = 20.0
SETTLE_LIMIT_S = 60.0
SPANS_SCALE = 30.0


async def test_a_stall_in_any_loop_is_told_and_ends(
    kafka: local_kafka.RunningKafka, namespace: str, tmp_path: Path
) -> None:
    """One loop of each kind hangs: 503 after the stated limit and not before, then 200 again, and nothing was lost."""
    limits = {"stall_limit_ms": STALL_LIMIT_MS, "stall_told_ms": STALL_TOLD_MS}
    async with KafkaCounty(kafka.bootstrap_servers, namespace, tmp_path, scale=SPANS_SCALE, **limits) as county:
        worker = county.start_worker("hangs")
        await county.shared(worker)
        await county.play()
        async with county.under_load(undecided=100):
            await until_healthy(worker)
            hung_ms = {loop: await hung(worker, loop) for loop in LOOPS}
            told_ms = await told_as_stalled(worker)
            print("told, ms after the hang:", {loop: told_ms[loop] - hung_ms[loop] for loop in LOOPS})
            assert all(told_ms[loop] - hung_ms[loop] >= STALL_LIMIT_MS - 1_000 for loop in LOOPS)
            await until_healthy(worker)
            for loop in LOOPS:
                worker.arm(Doom(f"{loop}.turn", 1, "tell"))
                await worker.reached(f"{loop}.turn", REACH_LIMIT_S, since_ms=told_ms[loop])
        await county.settled(SETTLE_LIMIT_S)
        _, metrics = await worker.ask("/metrics")
        assert "linkage_restarts_total 4.0" in metrics, metrics
        await assert_exact(county)


async def hung(worker: WorkerProcess, loop: str) -> int:
    worker.arm(Doom(f"{loop}.turn", 1, "hang"))
    return await worker.reached(f"{loop}.turn", REACH_LIMIT_S)


async def told_as_stalled(worker: WorkerProcess) -> dict[str, int]:
    """When `/healthz` first told of each kind of loop, with 503; wall clock, milliseconds since 1970."""
    told: dict[str, int] = {}
    async with asyncio.timeout(NOTICE_LIMIT_S):
        while len(told) < len(LOOPS):
            at_ms, (status, body) = worker.now_ms(), await worker.ask("/healthz")
            if status:  # else it was too busy to answer in time
                stalled = [one["loop"].split(".")[0] for one in json.loads(body)["loops"] if one["is_stalled"]]
                assert (status == 503) == bool(stalled), (status, body)
                told |= {loop: at_ms for loop in stalled if loop not in told}
            await asyncio.sleep(POLL_S)
    return told


async def until_healthy(worker: WorkerProcess) -> None:
    async with asyncio.timeout(NOTICE_LIMIT_S):
        while (await worker.ask("/healthz"))[0] != 200:  # noqa: ASYNC110  a page tells nobody
            await asyncio.sleep(POLL_S)
