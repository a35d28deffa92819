"""The two counties that the campaign is fought in: the small one of the tests, and the imported one with real calls.

Both outlast any fault (`lasting.py`), are loaded in bursts, and know when everything that came has its outcome.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any, Protocol

from linkage import wire
from linkage.edges.report_lines import ReportLine, read_line, shift_to_now
from linkage.runtime.ports import Outgoing, Record, TopicPartition
from linkage.topics import Topics
from linkage.worker import topic_admin
from tests import small_county as c
from tests.campaign.lasting import LastingLog
from tests.kafka.real_county import LIST_LIMIT_RECORDS, SESSION_TIMEOUT_MS, RealCounty
from tests.kafka_county import KafkaCounty
from tests.kafka_journal import Journal
from tests.kafka_worker import NOTHING, CountySettings, Plan, WorkerProcess
from tests.role_players import RolePlayers

POLL_S = 0.3
READ_LIMIT_RECORDS, READ_WAIT_MS = 1_000, 100
HEARTBEAT_MS = 500
REAL_PARTITIONS_COUNT = 6
"""Two workers have three each, three have two: whoever comes gets a share."""


class Field(Protocol):
    """What a fault needs of a county."""

    settings: CountySettings
    folder: Path
    journal: Journal
    workers: list[WorkerProcess]
    gone: set[str]

    @property
    def topics(self) -> Topics: ...

    def start_worker(self, name: str, plan: Plan = NOTHING, **settings: Any) -> WorkerProcess: ...

    async def shared(self, *workers: WorkerProcess, limit_s: float = 30.0) -> list[frozenset[int]]: ...

    async def end_workers(self) -> None: ...

    async def burst(self, count: int) -> int:
        """So many reports at once, acknowledged. Returns how many there were left to publish."""
        ...

    @property
    def speaking(self) -> RolePlayers:
        """Its parties."""
        ...

    async def undecided(self) -> int:
        """How many source records stand on their topics without an outcome."""
        ...

    async def settled(self, limit_s: float) -> None: ...

    def sources(self) -> list[str]: ...

    async def records(self, *topics: str) -> list[Record]:
        """All that a committed reader of these topics finds now."""
        ...

    async def make_topics(self) -> None:
        """As `linkage topics apply`: what is missing is made."""
        ...

    def told(self) -> str: ...


async def settled(field: Field, players: RolePlayers, limit_s: float) -> None:
    """Every message has its outcome, between hubs, too; every order that can be read was, and is answered."""
    try:
        async with asyncio.timeout(limit_s):
            while not _is_answered(field, players) or await field.undecided():  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        undecided = await field.undecided()
        owed = field.journal.hubs_are_owed
        raise AssertionError(
            f"not settled within {limit_s} s: {undecided} undecided, {owed} owed, {len(players.waiting)} answers wait; "
            f"orders not read: {_unread(field, players)}\n{field.told()}"
        ) from None


def _is_answered(field: Field, players: RolePlayers) -> bool:
    return not players.waiting and not field.journal.hubs_are_owed and not _unread(field, players)


def _unread(field: Field, players: RolePlayers) -> dict[str, int]:
    """Topic -> how many orders its party has not read yet."""
    read = Counter(field.topics.dispatch(order.party) for order in players.orders)
    sent = field.journal.orders_by_topic
    return {
        topic: count - read[topic] for topic, count in sent.items() if topic not in field.gone and count > read[topic]
    }


async def undecided(log: Any, topics: list[str], journal: Journal) -> int:
    """Parties' topics hold nothing but records: no transaction's markers."""
    ends = await log.end_offsets([TopicPartition(topic, 0) for topic in topics])
    return sum(ends.values()) - sum(place[0] in set(topics) for place in journal.decided)


async def read_all(log: Any, topics: Sequence[str]) -> list[Record]:
    """To the ends asked for at the beginning."""
    every = [TopicPartition(topic, n) for topic in topics for n in range(await log.partitions(topic))]
    ends = await log.end_offsets(every)
    reader = await log.reader({at: 0 for at in every if ends[at]})
    found: list[Record] = []
    try:
        for at in (at for at in every if ends[at]):
            while await reader.position(at) < ends[at]:
                found += await reader.read(READ_LIMIT_RECORDS, READ_WAIT_MS)
    finally:
        await reader.close()
    return found


class SmallField(KafkaCounty):
    """The small county on three brokers."""

    @property
    def speaking(self) -> RolePlayers:
        assert self.players is not None
        return self.players

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, copies=3, **settings)
        self._log = LastingLog(self._log)  # type: ignore[assignment]
        self.gone: set[str] = set()

    async def burst(self, count: int) -> int:
        """Each of another incident, so that departments are whistled for however long it goes on."""
        reports = []
        for number in (next(self._ids) for _ in range(count)):
            township, source = (c.NORTH, c.SOUTH, None)[number % 3], ("grid", "hotline")[number % 2]
            reports.append(self._report(township, f"load-{number}", f"lane {number}", 600, source))
        await self.send(*reports)
        return count

    async def undecided(self) -> int:
        return await undecided(self._log, self._inbound(), self.journal)

    def _inbound(self) -> list[str]:
        rows = self.topics.of_parties(*self.parties())
        return [name for name, _spec in rows if self.topics.inbound_of(name)]

    def sources(self) -> list[str]:
        return ["grid"]

    async def settled(self, limit_s: float) -> None:
        assert self.players is not None
        await settled(self, self.players, limit_s)

    async def make_topics(self) -> None:
        rows = self.topics.of_parties(*self.parties())
        await topic_admin.apply(self.settings, rows, self.settings.partitions_count, self.copies, self.copies - 1)

    def told(self) -> str:
        return self._told()


class RealField(RealCounty):
    """The imported county on three brokers: its real calls are the load."""

    settings: CountySettings
    partitions_count = REAL_PARTITIONS_COUNT

    @property
    def speaking(self) -> RolePlayers:
        return self.players

    def __init__(self, settings: CountySettings, folder: Path, seed: int, calls: Iterator[str]) -> None:
        super().__init__(settings, folder, seed)
        self._log = LastingLog(self._log)  # type: ignore[assignment]
        self._calls = calls
        self.gone: set[str] = set()
        self.published = 0

    def start_worker(self, name: str, plan: Plan = NOTHING, **settings: Any) -> WorkerProcess:
        told = self.settings.model_copy(update=settings)
        worker = WorkerProcess.start(told, name, self.folder, len(self.workers), plan)
        self.workers.append(worker)
        return worker

    async def end_workers(self) -> None:
        await asyncio.gather(*(worker.end() for worker in self.workers))

    async def burst(self, count: int) -> int:
        lines = [read_line(0, line.encode()) for _, line in zip(range(count), self._calls, strict=False)]
        outgoing = []
        for line in shift_to_now(lines, datetime.now(UTC)):
            assert isinstance(line, ReportLine), line
            topic = self.topics.report(line.attributes.source)
            headers = tuple(wire.headers(line.attributes))
            outgoing.append(Outgoing(topic, 0, line.attributes.id.encode(), line.data, headers))
        await self._log.append(outgoing)
        self.published += len(outgoing)
        return len(outgoing)

    async def undecided(self) -> int:
        return await undecided(self._log, self._inbound(), self.journal)

    def _inbound(self) -> list[str]:
        if not hasattr(self, "_names"):
            county, topics = self.county, self.topics
            rows = topics.of_parties(county.sources, county.parties, county.posts)
            self._names = [name for name, _spec in rows if topics.inbound_of(name)]
        return self._names

    def sources(self) -> list[str]:
        return sorted(self.county.sources)

    async def settled(self, limit_s: float) -> None:
        await settled(self, self.players, limit_s)

    async def records(self, *topics: str) -> list[Record]:
        return await read_all(self._log, topics)

    async def make_topics(self) -> None:
        folder = str(self.county_folder)
        await self.ran(
            "topics", "apply", "--county", folder, "--partitions", str(self.partitions_count), on_cluster=True
        )


def real_settings(bootstrap_servers: str, namespace: str) -> CountySettings:
    return CountySettings(
        bootstrap_servers=bootstrap_servers,
        namespace=namespace,
        partitions_count=REAL_PARTITIONS_COUNT,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=HEARTBEAT_MS,
        list_limit_records=LIST_LIMIT_RECORDS,
    )


@asynccontextmanager
async def small_field(bootstrap_servers: str, namespace: str, folder: Path) -> AsyncIterator[SmallField]:
    """Loaded, its parties answering; no worker runs yet."""
    async with SmallField(bootstrap_servers, namespace, folder, list_limit_records=10) as field:
        await field.play()
        yield field


@asynccontextmanager
async def real_field(
    settings: CountySettings, folder: Path, county: Path, seed: int, calls: Iterator[str], tell: Callable[[str], None]
) -> AsyncIterator[RealField]:
    """Loaded from a county's folder that was imported before, its parties answering, two workers at work."""
    copytree(county, folder / "county")
    async with RealField(settings, folder, seed, calls) as field:
        await field.set_up()
        tell(f"namespace {settings.namespace}: loaded")
        yield field
