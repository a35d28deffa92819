"""The worker: a Faust app whose consumer is membership only, and the services that do the work.

Faust has the life cycle, the signals, the group over the empty lease topic, the web. No record that must be exact goes
through its streams (docs/adr/0002).
"""

import asyncio
import logging
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faust
import structlog
from faust.worker import Worker as FaustWorker

from linkage.errors import LogError
from linkage.settings import WorkerSettings
from linkage.worker.collection import collect_rarely
from linkage.worker.kafka_log import KafkaLog
from linkage.worker.leases import START_RETRY_S, Leases
from linkage.worker.logging import LIBRARY_LOGGING, configure_logging
from linkage.worker.web import add_pages

_LOG = structlog.get_logger("linkage.worker")

FATAL_EXIT_STATUS = 70
"""What the process ends with when it was fenced too often or a loop failed: whoever supervises it starts it anew."""


def make_app(settings: WorkerSettings, at_point: Callable[[str], None] | None = None) -> tuple[faust.App, Leases]:
    """A Faust app of this worker, and its leases. `at_point`: for a test's entry point only."""
    app = faust.App(
        settings.topics.worker_group,
        broker=[f"kafka://{server}" for server in settings.bootstrap_servers.split(",")],
        broker_credentials=_credentials(settings),
        broker_session_timeout=settings.session_timeout_ms / 1000,
        broker_heartbeat_interval=settings.heartbeat_interval_ms / 1000,
        broker_request_timeout=max(settings.request_timeout_ms, settings.session_timeout_ms + 4_000) / 1000,
        broker_rebalance_timeout=settings.session_timeout_ms / 1000,
        topic_allow_declare=False,
        topic_disable_leader=True,
        reply_create_topic=False,
        store="memory://",
        stream_wait_empty=False,
        web_port=settings.web_port or _free_port(),
        web_bind="127.0.0.1",
        web_tables_enabled=False,
        worker_redirect_stdouts=False,
        datadir=str(Path(tempfile.gettempdir()) / "linkage-worker"),
    )

    def on_fatal(error: BaseException) -> None:
        """Ends the process at once: what is committed stands, what is not will be decided by whoever takes over."""
        _LOG.error("worker_ends", reason=f"{type(error).__name__}: {error}")
        os._exit(FATAL_EXIT_STATUS)

    leases = Leases(settings, on_fatal, at_point, loop=app.loop, beacon=app.beacon)
    _follow_membership(app, leases, settings)
    add_pages(app, leases)
    return app, leases


def _follow_membership(app: faust.App, leases: Leases, settings: WorkerSettings) -> None:
    lease_topic = settings.topics.lease

    @app.agent(app.topic(lease_topic, value_type=bytes, value_serializer="raw"))
    async def lease(records: Any) -> None:
        async for _ in records:
            _LOG.warning("record_on_lease_topic", topic=lease_topic)

    @app.on_partitions_assigned.connect
    async def assigned(_app: Any, /, assigned: Any = (), *_: Any, signal: Any = None, **__: Any) -> None:
        leases.rebalanced(at.partition for at in assigned if at.topic == lease_topic)

    @app.on_partitions_revoked.connect
    async def revoked(_app: Any, /, *_: Any, signal: Any = None, **__: Any) -> None:
        leases.revoked()

    @app.service
    class _Engine(faust.Service):
        async def on_start(self) -> None:
            await self.add_runtime_dependency(leases)
            _LOG.info("worker_started", web_port=app.conf.web_port, namespace=settings.namespace)


def _credentials(settings: WorkerSettings) -> Any:
    if settings.security_protocol == "PLAINTEXT":
        return None
    from linkage.kafka_connection import client_kwargs

    context = client_kwargs(settings).get("ssl_context")
    if settings.security_protocol == "SSL":
        return faust.SSLCredentials(context=context)
    return faust.SASLCredentials(
        username=settings.sasl_username,
        password=settings.sasl_password,
        mechanism=settings.sasl_mechanism,
        ssl_context=context,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _until_a_broker_answers(settings: WorkerSettings) -> None:
    """A worker may be started before its brokers: it waits for them, and says so. Faust would end with a traceback."""
    kafka = KafkaLog(settings)
    try:
        while not await _answers(kafka, settings):  # noqa: ASYNC110  a broker that comes tells nobody
            await asyncio.sleep(START_RETRY_S)
    finally:
        await kafka.close()


async def _answers(kafka: KafkaLog, settings: WorkerSettings) -> bool:
    try:
        await kafka.partitions(settings.topics.journal)
    except LogError as error:
        remedy = "start it, or name another one: --bootstrap-servers"
        _LOG.warning("worker_waits_for_broker", servers=settings.bootstrap_servers, detail=str(error), remedy=remedy)
        return False
    return True


def run(settings: WorkerSettings, at_point: Callable[[str], None] | None = None) -> None:
    """Runs a worker until it is told to stop. Ends the process (SystemExit)."""
    configure_logging(json=settings.log_json, level=getattr(logging, settings.log_level.upper()))
    asyncio.run(_until_a_broker_answers(settings))
    app, _ = make_app(settings, at_point)
    collect_rarely()
    worker = FaustWorker(app, quiet=True, redirect_stdouts=False, loglevel="WARNING", logging_config=LIBRARY_LOGGING)
    worker.spinner = None  # it writes escape codes to standard output
    worker.execute_from_commandline()
