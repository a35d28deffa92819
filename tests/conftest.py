"""What all tests share: one real Kafka for the session, started when the first test asks for it."""

import asyncio
import logging
import secrets
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog
from aiokafka.admin import AIOKafkaAdminClient

from linkage import local_kafka
from linkage.settings import KafkaSettings

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
"""A test that fails shows what went wrong, not every step."""


SESSION_HEAP_MIB = 384
"""More than a user's broker needs: this one sees some thousand topics come and go."""


@pytest.fixture(scope="session")
def kafka() -> Iterator[local_kafka.RunningKafka]:
    """A real broker with an empty log, stopped at the end of the session, whatever happened in it."""
    with tempfile.TemporaryDirectory(prefix="linkage-kafka-") as folder:
        data_dir = Path(folder)
        try:
            yield local_kafka.start(local_kafka.KafkaSpec(data_dir, brokers=1, heap_mib=SESSION_HEAP_MIB), print)
        finally:
            local_kafka.stop(data_dir, print)


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own, so that tests share the broker without meeting. Its topics go with the test."""
    name = f"t{secrets.token_hex(5)}"
    yield name
    if "kafka" in request.fixturenames:
        running: local_kafka.RunningKafka = request.getfixturevalue("kafka")
        with ThreadPoolExecutor(1) as beside:
            beside.submit(asyncio.run, _delete_topics(running.bootstrap_servers, name)).result()


async def _delete_topics(bootstrap_servers: str, namespace: str) -> None:
    """One small broker can't hold the topics of hundreds of tests: it gets slower with each."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        left = [topic for topic in await admin.list_topics() if topic.startswith(f"{namespace}.")]
        if left:
            await admin.delete_topics(left)
    finally:
        await admin.close()


@pytest.fixture
def kafka_settings(kafka: local_kafka.RunningKafka, namespace: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, namespace=namespace)
