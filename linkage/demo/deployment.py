"""A broker, the topics, two worker processes and the sample county: what a demo runs on."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from linkage import local_kafka
from linkage.client import Publisher
from linkage.client.registration import register
from linkage.county import County, events_to_load, sample_county
from linkage.errors import LinkageError
from linkage.events.outbound import IssueReceipt
from linkage.events.reference import Limit, Limits, OrderLimits
from linkage.settings import KafkaSettings
from linkage.topics import Family
from linkage.worker import topic_admin
from linkage.worker.kafka_log import KafkaLog

PARTITIONS_COUNT = 4
SESSION_TIMEOUT_MS = 3_000
READY_LIMIT_S = 40.0
LOAD_LIMIT_S = 40.0
STOP_LIMIT_S = 15.0
POLL_S = 0.2

Tell = Callable[[str], None]


def demo_county() -> County:
    """The sample county with every clock in seconds, so that an hour passes in half a minute."""
    county = sample_county()
    return replace(county, policy=county.policy.model_copy(update={"limits": _limits(county.policy.limits)}))


def _limits(limits: Limits) -> Limits:
    def span(seconds: int) -> Limit:
        return Limit(seconds=seconds, basis="a demo's clock [D]")

    department = OrderLimits(receive=span(8), accept=span(8), en_route=span(10), report_in=span(16), done=span(180))
    team = OrderLimits(receive=span(8), accept=span(8), en_route=span(12), report_in=span(40), done=span(180))
    return limits.model_copy(
        update={
            "department": department,
            "team": team,
            "stand_down": span(60),
            "escalation_step": span(6),
            "county_answer": span(30),
            "team_retry": span(30),
            "place_report": span(60),
        }
    )


@dataclass
class WorkerProcess:
    """One `linkage worker`, its log file and its web port."""

    name: str
    process: subprocess.Popen[bytes]
    web_port: int
    log_file: Path

    def assigned(self) -> list[int] | None:
        """The hub partitions it has and serves; None while it is not ready or does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/readyz", timeout=2) as answer:
                return list(json.loads(answer.read())["assigned"])
        except (urllib.error.URLError, OSError, ValueError):
            return None


@dataclass
class Deployment:
    """Everything that must be gone when the demo is over."""

    settings: KafkaSettings
    county: County
    data_dir: Path
    owns_kafka: bool
    tell: Tell
    workers: list[WorkerProcess] = field(default_factory=list)

    async def prepare(self) -> None:
        """Topics, log identities, workers, reference data. Raises LinkageError."""
        topics, county = self.settings.topics, self.county
        rows = topics.of_parties(county.sources, county.parties, county.posts)
        report = await topic_admin.apply(self.settings, rows, PARTITIONS_COUNT, 1, 1)
        log = KafkaLog(self.settings)
        try:
            await topic_admin.write_log_identities(log, topics, PARTITIONS_COUNT)
        finally:
            await log.close()
        self.tell(f"topics: {len(report.created)} created, {PARTITIONS_COUNT} hub partitions")
        for name in ("A", "B"):
            self.start_worker(name)
        await self._load()
        await self._until_ready()

    def start_worker(self, name: str) -> None:
        """A worker as its users start it."""
        web_port = _free_port()
        log_file = self.data_dir / f"worker-{name}.log"
        command = [sys.executable, "-m", "linkage.cli", "worker", "--web-port", str(web_port)]
        command += ["--session-timeout-ms", str(SESSION_TIMEOUT_MS), "--json"]
        environment = {
            **os.environ,
            "LINKAGE_BOOTSTRAP_SERVERS": self.settings.bootstrap_servers,
            "LINKAGE_NAMESPACE": self.settings.namespace,
        }
        with log_file.open("ab") as log:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.workers.append(WorkerProcess(name, process, web_port, log_file))
        self.tell(f"worker {name}: process {process.pid}, http://127.0.0.1:{web_port}/healthz")

    async def _load(self) -> None:
        county = self.county
        await register(self.settings, county.registry())
        async with Publisher(county.post, self.settings) as post:
            for _, message_id, message in events_to_load(county):
                await post.send(Family.COMMAND, message_id, message)
            for hub, message_id, _ in events_to_load(county):
                answer = await post.receipt(message_id, within_s=LOAD_LIMIT_S)
                if not isinstance(answer, IssueReceipt):
                    raise LinkageError(f"hub {hub} refused its reference data: {answer.text_en}")
        townships, teams = len(county.townships), sum(len(owned) for owned in county.teams.values())
        self.tell(f"county {county.label_en} {county.label_zh}: {townships} townships, {teams} teams, loaded")

    async def _until_ready(self) -> None:
        """Both workers have their share."""
        give_up_at = asyncio.get_running_loop().time() + READY_LIMIT_S
        while True:
            shares = [worker.assigned() for worker in self.workers]
            served = [share for share in shares if share]
            if len(served) == len(self.workers) and sum(map(len, served)) == PARTITIONS_COUNT:
                told = "; ".join(f"{one.name} has {share}" for one, share in zip(self.workers, shares, strict=True))
                self.tell(f"hub partitions: {told}")
                return
            if asyncio.get_running_loop().time() > give_up_at:
                raise LinkageError(f"the workers were not ready within {READY_LIMIT_S:.0f} s: see {self.data_dir}")
            await asyncio.sleep(POLL_S)

    def kill_owner_of(self, partition: int) -> str:
        """kill -9 of the worker that has this hub partition now; the first one alive when none says so."""
        alive = [worker for worker in self.workers if worker.process.poll() is None]
        owner = next((worker for worker in alive if partition in (worker.assigned() or [])), alive[0])
        os.kill(owner.process.pid, signal.SIGKILL)
        owner.process.wait(STOP_LIMIT_S)
        return owner.name

    def stop(self) -> None:
        """Ends the workers, then the broker if it is ours."""
        running = [worker.process for worker in self.workers if worker.process.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.owns_kafka:
            local_kafka.stop(self.data_dir / "kafka")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
