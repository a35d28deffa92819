"""A worker may be started before its brokers: it waits for them, and says so."""

import asyncio
from pathlib import Path

import pytest

from linkage import local_kafka
from linkage.local_kafka import KafkaSpec
from linkage.local_kafka.processes import is_port_free
from linkage.settings import WorkerSettings
from tests.kafka_worker import WorkerProcess

pytestmark = pytest.mark.kafka

PORTS = range(29_092, 29_592)
SAID_LIMIT_S = 60


async def _says(worker: WorkerProcess, event: str) -> dict[str, object]:
    """The fields of its first event of that name."""
    return (await worker.logged(lambda line: line.event == event, event, SAID_LIMIT_S)).fields


async def test_a_worker_started_before_its_broker_waits_for_it_and_goes_on(tmp_path: Path) -> None:
    """Given nobody on that port, then it names whom it waits for and what to do; when a broker comes, it goes on."""
    port = next(one for one in PORTS if is_port_free(one) and is_port_free(one + 1))
    settings = WorkerSettings(bootstrap_servers=f"127.0.0.1:{port}")
    worker = WorkerProcess.start(settings, "early", tmp_path, hash_seed=1)
    try:
        told = await _says(worker, "worker_waits_for_broker")
        assert told["servers"] == f"127.0.0.1:{port}"
        assert "--bootstrap-servers" in str(told["remedy"])
        await asyncio.to_thread(local_kafka.start, KafkaSpec(tmp_path / "kafka", first_port=port))
        told = await _says(worker, "worker_waits_for_topics")
        assert "linkage topics apply" in str(told["detail"])
    finally:
        await worker.end()
        await asyncio.to_thread(local_kafka.stop, tmp_path / "kafka")
    assert worker.exit_status == 0, "it is told to stop while it waits for its topics"
    assert "Traceback" not in worker.stderr(last_lines=1_000)
