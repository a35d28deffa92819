"""The whole demo: bring up, play, show, report from the journal alone, audit, verify, leave nothing behind."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random  # noqa: TID251  seeded: it only spreads the answers
from typing import Any

from linkage import identity, local_kafka
from linkage.demo.deployment import PARTITIONS_COUNT, Deployment, Tell, demo_county
from linkage.demo.follower import Follower
from linkage.demo.outcome import outcome
from linkage.demo.players import Player, Scene
from linkage.demo.screen import Screen
from linkage.demo.story import DECLINING_TEAM, INCIDENT_ID, KILL_STEPS, SILENT_TEAM, TOWNSHIP, Story
from linkage.events.envelope import JournalRecord
from linkage.settings import KafkaSettings
from linkage.worker.kafka_log import KafkaLog


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run it. `kill_step` 0: nobody is killed. `settings` None: a broker of its own."""

    seed: int = 1
    kill_step: int = 5
    keep: bool = False
    settings: KafkaSettings | None = None
    namespace: str = "linkage"


@dataclass(frozen=True, slots=True)
class Played:
    """What a run leaves: its outcome, and whether report, audit and verify were clean."""

    outcome: dict[str, Any]
    exit_codes: dict[str, int]

    @property
    def is_clean(self) -> bool:
        return all(code == 0 for code in self.exit_codes.values())


def play(plan: Plan, screen: Screen) -> Played:
    """Runs the demo from nothing to nothing. Raises LinkageError."""
    with _deployed(plan, screen.tell) as deployment:
        performance = Performance(plan, deployment, screen)
        records = asyncio.run(performance.play())
        incident = INCIDENT_ID
        screen.heading("the report, from the journal alone", f"linkage replay incident {incident}")
        codes = {
            "replay incident": _linkage(deployment, "replay", "incident", incident),
            "audit": _linkage(deployment, "audit"),
            "replay verify": _linkage(deployment, "replay", "verify"),
        }
        performance.tell_of_the_kill()
        if plan.keep:
            _keep_hint(deployment, screen, incident)
        return Played(outcome(records), codes)


@contextmanager
def _deployed(plan: Plan, tell: Tell) -> Iterator[Deployment]:
    """A deployment that is gone afterwards, whatever happened, unless it is to be kept."""
    data_dir = Path(tempfile.mkdtemp(prefix="linkage-demo-"))
    settings = plan.settings
    if settings is None:
        kafka = local_kafka.start(local_kafka.KafkaSpec(data_dir / "kafka"), lambda text: tell(f"kafka: {text}"))
        settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, namespace=plan.namespace)
    deployment = Deployment(settings, demo_county(), data_dir, owns_kafka=plan.settings is None, tell=tell)
    try:
        asyncio.run(deployment.prepare())
        yield deployment
    except BaseException:
        deployment.stop()
        tell(f"the workers' logs are kept in {data_dir}")
        raise
    if not plan.keep:
        deployment.stop()
        shutil.rmtree(data_dir, ignore_errors=True)


@dataclass
class Performance:
    """One playing of the story, with everybody in it."""

    plan: Plan
    deployment: Deployment
    screen: Screen
    killed: str = ""
    killed_at: datetime | None = None
    follower: Follower | None = None

    async def play(self) -> list[JournalRecord]:
        """Everything that was journaled. Raises LinkageError when a fact does not come."""
        settings = self.deployment.settings
        log = KafkaLog(settings)
        self.follower = follower = Follower(log, settings.topics, PARTITIONS_COUNT, self.screen.show)
        scene = Scene(settings, TOWNSHIP, DECLINING_TEAM, SILENT_TEAM, Random(self.plan.seed))
        story = Story(settings, scene, follower, self._at_step, self.screen.tell)
        directory = self.deployment.county.directory
        answering = [party.id for party in directory if party.kind in ("department", "enterprise")] + [TOWNSHIP]
        tasks = [asyncio.create_task(follower.run()), asyncio.create_task(story.play())]
        tasks += [asyncio.create_task(Player(party, scene).run()) for party in answering]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await log.close()
        return follower.records

    def _at_step(self, step: int) -> None:
        if step != self.plan.kill_step:
            return
        self.killed = self.deployment.kill_owner_of(identity.partition_of(TOWNSHIP, PARTITIONS_COUNT))
        self.killed_at = datetime.now(UTC)  # noqa: TID251  to be told, not decided by
        where = KILL_STEPS[step]
        self.screen.alarm(f"worker {self.killed} was killed with -9, {where}; the other takes its hubs over")

    def tell_of_the_kill(self) -> None:
        """How long the dead worker's township stood still."""
        killed_at = self.killed_at
        if killed_at is None or self.follower is None:
            return
        written = zip(self.follower.records, self.follower.written_at, strict=True)
        after = [at for record, at in written if record.hub == TOWNSHIP and at > killed_at]
        went_on = f"after {(min(after) - killed_at).total_seconds():.1f} s" if after else "with nothing left to do"
        self.screen.tell(
            f"worker {self.killed} was killed with -9 at {killed_at.astimezone(self.screen.zone):%H:%M:%S}; "
            f"the other went on with its township {went_on}"
        )


def _linkage(deployment: Deployment, *command: str) -> int:
    """One command of ours, in a process of its own, as an operator would type it."""
    environment = {
        **os.environ,
        "LINKAGE_BOOTSTRAP_SERVERS": deployment.settings.bootstrap_servers,
        "LINKAGE_NAMESPACE": deployment.settings.namespace,
    }
    sys.stdout.flush()
    return subprocess.run([sys.executable, "-m", "linkage.cli", *command], env=environment, check=False).returncode


def _keep_hint(deployment: Deployment, screen: Screen, incident: str) -> None:
    settings = deployment.settings
    alive = [worker.process.pid for worker in deployment.workers if worker.process.poll() is None]
    screen.heading("it is left running; type next", f"data in {deployment.data_dir}")
    screen.tell(f"export LINKAGE_BOOTSTRAP_SERVERS={settings.bootstrap_servers} LINKAGE_NAMESPACE={settings.namespace}")
    screen.tell(f"linkage watch {TOWNSHIP}")
    screen.tell("linkage subscribe health --follow")
    screen.tell(f"linkage replay incident {incident} --timeline")
    if deployment.owns_kafka:
        screen.tell(
            f"to end it: kill {' '.join(map(str, alive))}; linkage kafka stop --data {deployment.data_dir / 'kafka'}"
        )
