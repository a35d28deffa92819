"""The imported county on a real Kafka, run by nothing but its commands: `linkage import`, `topics`, `worker`, `county`.

    async with RealCounty(settings, folder) as county:
        calls = await county.imported(CALLS)
        await county.set_up()
        async with county.publishing(calls) as published: ...

Its parties answer on their reply topics; its journal is followed. What it started has ended when it is left.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from random import Random
from typing import Any, Self

import yaml
from aiohttp.test_utils import unused_port
from pydantic import BaseModel

from linkage import wire
from linkage.client.outlet import encoded
from linkage.county import County, load_county
from linkage.events.inbound import Answer
from linkage.events.outbound import StandDown
from linkage.runtime.ports import Outgoing, Record, TopicPartition
from linkage.settings import KafkaSettings
from linkage.topics import Topics
from linkage.worker.kafka_log import KafkaLog
from tests.kafka_journal import Journal
from tests.kafka_worker import ROOT, WorkerProcess
from tests.role_players import Order, RolePlayers

PARTITIONS_COUNT = 4
SESSION_TIMEOUT_MS = 3_000
LIST_LIMIT_RECORDS = 10
"""Small lists, so that a burst takes many transactions."""
TIMES_FASTER = 30
"""A team that has three minutes to say that it heard has six seconds."""
NOT_FASTER = {"merge_window", "message_memory", "incident_memory"}
"""What compares what reporters say, or keeps memories, is no clock that anybody waits for."""
COMMAND_LIMIT_S = 90.0
SHARE_LIMIT_S = 30.0
PAUSE_S = 0.05
READ_WAIT_MS = 100

SILENT_SHARE, DECLINING_SHARE = 0.05, 0.10
COMES = {
    Answer.RECEIVED: 0.0,
    Answer.ACCEPTED: 0.1,
    Answer.EN_ROUTE: 0.3,
    Answer.REPORTED_IN: 1.0,
    Answer.DONE: 2.0,
}
DECLINES = {Answer.RECEIVED: 0.0, Answer.DECLINED: 0.2}
SILENT: Mapping[Answer, float] = {}


def as_people_do(seed: int) -> Callable[[Order], Mapping[Answer, float]]:
    """Most come, some decline, some stay silent: it follows from the order's id, whenever and wherever it is read."""

    def script(order: Order) -> Mapping[Answer, float]:
        if isinstance(order, StandDown):
            return {Answer.DONE: 0.0}
        share = Random(f"{seed}/{order.order_id}").random()
        if share < SILENT_SHARE:
            return SILENT
        return DECLINES if share < SILENT_SHARE + DECLINING_SHARE else COMES

    return script


class RealCounty:
    """One namespace on the session's broker."""

    partitions_count = PARTITIONS_COUNT

    def __init__(self, settings: KafkaSettings, folder: Path, seed: int) -> None:
        self.settings = settings
        self.folder = folder
        self.script = as_people_do(seed)
        self.players = RolePlayers(self.script, self._reply)
        self.journal = Journal()
        self.workers: list[WorkerProcess] = []
        self.replies_sent = 0
        self._log = KafkaLog(settings)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def topics(self) -> Topics:
        return self.settings.topics

    @property
    def county_folder(self) -> Path:
        return self.folder / "county"

    @property
    def county(self) -> County:
        return load_county(self.county_folder)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        ended += await asyncio.gather(*(worker.end() for worker in self.workers), return_exceptions=True)
        await self._log.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def imported(self, calls: Path) -> list[str]:
        """Makes the county's folder, its clocks TIMES_FASTER; returns the lines of its reports, in the feed's order."""
        reports = self.folder / "reports.jsonl"
        await self.ran(
            "import", "montcoalert", str(calls), "--county-out", str(self.county_folder), "--out", str(reports)
        )
        _faster(self.county_folder)
        return reports.read_text(encoding="utf-8").splitlines()

    async def set_up(self) -> tuple[WorkerProcess, WorkerProcess]:
        """Topics, two workers that share the partitions, reference data adopted by every hub, parties that answer."""
        folder = str(self.county_folder)
        await self.ran(
            "topics", "apply", "--county", folder, "--partitions", str(self.partitions_count), on_cluster=True
        )
        workers = self.start_worker("one"), self.start_worker("two")
        await self.ran("county", "load", folder, on_cluster=True)
        await self.shared(*workers)
        county = self.county
        every = sorted({*county.sources, *county.parties, *county.posts})
        journal = {TopicPartition(self.topics.journal, number): 0 for number in range(self.partitions_count)}
        await self._follow(journal, self.journal.follow)
        await self._follow({TopicPartition(self.topics.dispatch(one), 0): 0 for one in every}, self.players.play)
        return workers

    async def _follow(
        self, positions: dict[TopicPartition, int], read: Callable[[Any], Coroutine[Any, Any, None]]
    ) -> None:
        reader = await self._log.reader(positions)

        async def following() -> None:
            try:
                await read(reader)
            finally:
                await reader.close()

        self._tasks.append(asyncio.create_task(following()))

    def start_worker(self, name: str) -> WorkerProcess:
        """A process of `linkage worker`. Returns at once."""
        port = unused_port()
        arguments = ["worker", "--web-port", str(port), "--session-timeout-ms", str(SESSION_TIMEOUT_MS), "--json"]
        out, err = self.folder / f"{name}.out", self.folder / f"{name}.err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "linkage.cli", *arguments, *self._cluster()],
                cwd=self.folder,
                env=self._environment(len(self.workers), LINKAGE_LIST_LIMIT_RECORDS=str(LIST_LIMIT_RECORDS)),
                stdout=stdout,
                stderr=stderr,
            )
        worker = WorkerProcess(process, name, self.folder, port)
        self.workers.append(worker)
        return worker

    async def shared(self, *workers: WorkerProcess, limit_s: float = SHARE_LIMIT_S) -> list[frozenset[int]]:
        """Their shares, once all are ready, each has one, and together they have every partition once."""
        shares: list[tuple[bool, frozenset[int]]] = []
        try:
            async with asyncio.timeout(limit_s):
                while True:
                    shares = await asyncio.gather(*(worker.share() for worker in workers))
                    owned = sorted(partition for _, share in shares for partition in share)
                    if owned == list(range(self.partitions_count)) and all(ready and share for ready, share in shares):
                        return [share for _, share in shares]
                    await asyncio.sleep(PAUSE_S)
        except TimeoutError:
            raise AssertionError(f"shares stay {shares}\n{self.told()}") from None

    async def ran(self, *arguments: str, on_cluster: bool = False) -> str:
        """The output of a `linkage` command that must succeed; its hash seed and time zone are not the workers'."""
        async with self.running(*arguments, on_cluster=on_cluster) as process:
            async with asyncio.timeout(COMMAND_LIMIT_S):
                out, err = await process.communicate()
        named = f"linkage {' '.join(arguments[:2])}: exit code {process.returncode}"
        assert process.returncode == 0, f"{named}\n{out.decode()[-3000:]}\n{err.decode()[-3000:]}\n{self.told()}"
        return out.decode()

    @asynccontextmanager
    async def running(self, *arguments: str, on_cluster: bool = True) -> AsyncIterator[asyncio.subprocess.Process]:
        """A `linkage` command while it runs; killed at the end if it is still there."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "linkage.cli", *arguments, *(self._cluster() if on_cluster else ())),
            cwd=self.folder,
            env=self._environment(4711, TZ="Pacific/Chatham"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def _cluster(self) -> tuple[str, ...]:
        return "--bootstrap-servers", self.settings.bootstrap_servers, "--namespace", self.settings.namespace

    def _environment(self, hash_seed: int, **more: str) -> dict[str, str]:
        return {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT), **more}

    async def _reply(self, messages: Sequence[tuple[str, BaseModel, str]]) -> None:
        """(party, answer, message id) each, on the party's reply topic."""
        sent_at = wire.rfc3339(datetime.now(UTC))
        outgoing = []
        for party, said, message_id in messages:
            attributes = wire.Attributes(message_id, party, said.model_dump()["type"], sent_at)
            headers = tuple(wire.headers(attributes))
            outgoing.append(Outgoing(self.topics.reply(party), 0, None, encoded(said), headers))
        await self._log.append(outgoing)
        self.replies_sent += len(outgoing)

    async def sources(self) -> list[Record]:
        """Every report and reply record that stands on its topic now."""
        county = self.county
        names = [self.topics.report(one) for one in county.sources] + [self.topics.reply(one) for one in county.parties]
        every = [TopicPartition(name, 0) for name in names]
        ends = await self._log.end_offsets(every)
        filled = {at: end for at, end in ends.items() if end > 0}
        reader = await self._log.reader(dict.fromkeys(filled, 0))
        found: list[Record] = []
        try:
            for at, end in filled.items():
                while await reader.position(at) < end:
                    found += await reader.read(1_000, READ_WAIT_MS)
        finally:
            await reader.close()
        return found

    def told(self) -> str:
        """What a failure needs: how far it came, and the ends of the workers' logs."""
        lines = [f"{len(self.journal.records)} journal records, {len(self.journal.decided)} source records decided"]
        lines.append(
            f"{len(self.players.orders)} of {self.journal.orders_sent} orders read, {self.replies_sent} replies"
        )
        return "\n".join(lines + [worker.stderr() for worker in self.workers])


def _faster(folder: Path) -> None:
    """Edits the folder's policy as a person would: every span in which somebody must answer, TIMES_FASTER."""
    path = folder / "policy.yaml"
    policy = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, limit in policy["limits"].items():
        if name not in NOT_FASTER:
            for one in [limit] if "seconds" in limit else limit.values():
                one["seconds"] = ceil(one["seconds"] / TIMES_FASTER)
    path.write_text(yaml.safe_dump(policy, allow_unicode=True, sort_keys=False), encoding="utf-8")
