"""A small county on a real Kafka: topics, registry, reference data, worker processes, role players, and its journal.

    async with KafkaCounty(bootstrap_servers, namespace, folder) as county:
        county.start_worker("north")
        await county.loaded()
        await county.report(c.NORTH, "m-1")
        opened = await county.until(lambda journal: next(journal.facts(IncidentOpened), None), limit_s=10)

Whatever it started has ended when it is left; what it waits for is a fact, with a deadline.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel

from linkage import wire
from linkage.events.base import Counts, Place
from linkage.events.envelope import PARTY_BOUND, PartyBound
from linkage.events.inbound import LoadReference, ReportIncident
from linkage.events.reception import ReferenceAdopted
from linkage.runtime.ports import Outgoing, Record, TopicPartition
from linkage.topics import Topics
from linkage.worker import topic_admin
from linkage.worker.kafka_log import KafkaLog
from tests import small_county as c
from tests.kafka_journal import Journal
from tests.kafka_worker import NOTHING, CountySettings, Plan, WorkerProcess
from tests.role_players import RolePlayers, Script, obedient

PARTITIONS_COUNT = 3
"""Every hub of the small county then lives in a partition of its own, so that each worker has work."""
READ_WAIT_MS = 100
LOAD_LIMIT_S = 60.0
REDELIVERED_EVERY = 20
STREETS_COUNT = 17
"""Coprime to the hubs: each of them has incidents in so many streets."""
PUMP_PAUSE_S = 0.05
PUMP_LIST_RECORDS = 60
UNDECIDED = 600
AT_WORK_UNDECIDED = 300
SEEN_MS_AGO = 100
AT_WORK_LIMIT_S = 30.0

Found = TypeVar("Found")


class KafkaCounty:
    """One namespace on the session's broker, set up when it is entered.

    `scale` stretches the policy's limits, `copies` are each topic's; `settings` the workers', as in CountySettings.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        namespace: str,
        folder: Path,
        *,
        scale: float = 1.0,
        copies: int = 1,
        **settings: Any,
    ) -> None:
        self.settings = CountySettings(
            **{
                "bootstrap_servers": bootstrap_servers,
                "namespace": namespace,
                "partitions_count": PARTITIONS_COUNT,
                "session_timeout_ms": 3_000,
                "heartbeat_interval_ms": 500,
                **settings,
            }
        )
        self.folder = folder
        self.scale = scale
        self.copies = copies
        self.journal = Journal()
        self.players: RolePlayers | None = None
        self.workers: list[WorkerProcess] = []
        self.published = 0
        self._log = KafkaLog(self.settings)
        self._tasks: list[asyncio.Task[None]] = []
        self._seeds = count(1)
        self._ids = count(1)

    @property
    def topics(self) -> Topics:
        return self.settings.topics

    async def __aenter__(self) -> Self:
        try:
            await self._set_up()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        ended += await asyncio.gather(self.end_workers(), return_exceptions=True)
        await self._log.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _set_up(self) -> None:
        rows = self.topics.of_parties(*self.parties())
        await topic_admin.apply(
            self.settings, rows, self.settings.partitions_count, self.copies, max(1, self.copies - 1)
        )
        await topic_admin.write_log_identities(self._log, self.topics, self.settings.partitions_count)
        registry = self.topics.registry
        await self._log.append(
            [_outgoing(registry, entry.party.id, entry, entry.party.id) for entry in c.registry()],
        )
        loads = [(c.COUNTY, LoadReference(hub=h, reference=c.reference(h, self.scale)), f"load-{h}") for h in c.HUBS]
        await self.command(*loads)
        self._spawn(self._follow_journal())

    def parties(self) -> tuple[list[str], list[str], list[str]]:
        """(sources, who answers orders, posts), as the topic table wants them."""
        sources = [party.id for party in c.PARTIES if party.kind == "source"]
        return sources, [party.id for party in c.PARTIES if party.kind != "source"], list(c.HUBS)

    def _spawn(self, doing: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(doing))

    async def _follow_journal(self) -> None:
        at = {TopicPartition(self.topics.journal, number): 0 for number in range(self.settings.partitions_count)}
        reader = await self._log.reader(at)
        try:
            await self.journal.follow(reader)
        finally:
            await reader.close()

    # Workers

    def start_worker(self, name: str, plan: Plan = NOTHING, **settings: Any) -> WorkerProcess:
        """Starts a worker process, each with another hash seed. Returns at once."""
        told = self.settings.model_copy(update=settings)
        worker = WorkerProcess.start(told, name, self.folder, next(self._seeds), plan)
        self.workers.append(worker)
        return worker

    async def shared(self, *workers: WorkerProcess, limit_s: float = 30.0) -> list[frozenset[int]]:
        """The workers' shares, once all are ready, each has one, and together they have every partition once."""
        wanted = list(range(self.settings.partitions_count))
        shares: list[tuple[bool, frozenset[int]]] = []
        try:
            async with asyncio.timeout(limit_s):
                while True:
                    shares = await asyncio.gather(*(worker.share() for worker in workers))
                    owned = sorted(partition for _, share in shares for partition in share)
                    if owned == wanted and all(is_ready and share for is_ready, share in shares):
                        return [share for _, share in shares]
                    await asyncio.sleep(PUMP_PAUSE_S)
        except TimeoutError:
            raise AssertionError(f"shares stay {shares}\n{self._told()}") from None

    async def end_workers(self) -> None:
        """Ends every worker in order, at once."""
        await asyncio.gather(*(worker.end() for worker in self.workers))

    async def loaded(self, limit_s: float = LOAD_LIMIT_S) -> None:
        """Every hub has adopted its reference data: from here on reports are decided."""
        await self.until(lambda journal: len(list(journal.facts(ReferenceAdopted))) >= len(c.HUBS), limit_s)

    # What parties send

    async def send(self, *messages: tuple[str, str, BaseModel, str]) -> None:
        """(topic, party, message, message id) each, acknowledged by the broker when this returns."""
        self.published += len(messages)
        await self._log.append([_outgoing(topic, party, said, mid) for topic, party, said, mid in messages])

    async def command(self, *messages: tuple[str, BaseModel, str]) -> None:
        """(post, command, message id) each."""
        await self.send(*((self.topics.command(post), post, said, mid) for post, said, mid in messages))

    async def reply(self, messages: Sequence[tuple[str, BaseModel, str]]) -> None:
        """(party, answer, message id) each."""
        await self.send(*((self.topics.reply(party), party, said, mid) for party, said, mid in messages))

    async def report(
        self,
        township: str | None,
        message_id: str,
        *,
        words: str = "",
        people_at_risk: int = 600,
        source: str = "grid",
        at: tuple[float, float] | None = None,
    ) -> None:
        """A landslide. Without a township it waits at the county's desk. `at`: degrees north and east."""
        await self.send(self._report(township, message_id, words, people_at_risk, source, at))

    def _report(
        self,
        township: str | None,
        message_id: str,
        words: str,
        people_at_risk: int = 600,
        source: str = "grid",
        at: tuple[float, float] | None = None,
    ) -> tuple[str, str, BaseModel, str]:
        latitude, longitude = at or (None, None)
        place = Place(township=township, words=words, latitude=latitude, longitude=longitude)
        report = ReportIncident(kind=c.SLIDE, place=place, counts=Counts(people_at_risk=people_at_risk))
        return self.topics.report(source), source, report, message_id

    # Load

    @asynccontextmanager
    async def under_load(self, undecided: int = UNDECIDED) -> AsyncIterator[None]:
        """Reports keep coming, for every hub, so many that there are always about `undecided` without an outcome.

        Entered once the workers are at work on them. Not before the reference data is loaded: until then they would
        be refused, and not remembered.
        """
        await self.loaded()
        pump = asyncio.create_task(self._pump(undecided))
        try:
            await self.at_work(undecided // 2)
            yield
        finally:
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump

    async def at_work(self, undecided: int = AT_WORK_UNDECIDED) -> None:
        """At least so many records have no outcome, and a step was made just now, by a journal read to its end."""

        def is_at_work(journal: Journal) -> bool:
            now_ms = time.time_ns() // 1_000_000
            is_fresh = bool(journal.records) and now_ms - journal.records[-1].appended_ms <= SEEN_MS_AGO
            return is_fresh and self.published - len(journal.decided) >= undecided

        await self.until(is_at_work, AT_WORK_LIMIT_S)

    async def _pump(self, undecided: int) -> None:
        while True:
            if self.published - len(self.journal.decided) < undecided:
                await asyncio.shield(self.send(*self._some_reports()))
            else:
                await asyncio.sleep(PUMP_PAUSE_S)

    def _some_reports(self) -> list[tuple[str, str, BaseModel, str]]:
        """For the three hubs in turn; some are delivered twice, as upstream systems do."""
        reports = []
        for number in (next(self._ids) for _ in range(PUMP_LIST_RECORDS)):
            township = (c.NORTH, c.SOUTH, None)[number % 3]
            source = ("grid", "hotline")[number % 2]
            report = self._report(township, f"load-{number}", f"street {number % STREETS_COUNT}", number % 900, source)
            reports += [report, report] if number % REDELIVERED_EVERY == 0 else [report]
        return reports

    async def play(self, script: Script = obedient) -> None:
        """Every party answers its orders from here on, through its own topics."""
        players = self.players = RolePlayers(script, self.reply)
        every = sorted({party.id for party in c.PARTIES})
        reader = await self._log.reader({TopicPartition(self.topics.dispatch(party), 0): 0 for party in every})

        async def playing() -> None:
            try:
                await players.play(reader)
            finally:
                await reader.close()

        self._spawn(playing())

    # What can be seen

    async def until(self, fact: Callable[[Journal], Found | None], limit_s: float) -> Found:
        """What `fact` finds in the journal, as soon as it finds something true. AssertionError after the limit."""
        try:
            return await self.journal.until(fact, limit_s)
        except TimeoutError:
            raise AssertionError(f"not in the journal within {limit_s} s\n{self._told()}") from None

    async def settled(self, limit_s: float) -> None:
        """Every message, between hubs too, has its outcome; every order has been read and answered."""

        def is_settled(journal: Journal) -> bool:
            players = self.players
            has_answered = players is None or (len(players.orders) >= journal.orders_sent and not players.waiting)
            return has_answered and len(journal.decided) >= self.published and not journal.hubs_are_owed

        await self.until(is_settled, limit_s)

    async def dispatched(self, party: str) -> list[tuple[wire.Attributes, PartyBound]]:
        """All that a committed reader of a party's dispatch topic finds now."""
        found = [wire.read(record.headers, record.value) for record in await self.records(self.topics.dispatch(party))]
        return [(attributes, PARTY_BOUND.validate_json(data)) for attributes, data in found]

    async def records(self, *topics: str) -> list[Record]:
        """All that a committed reader of these topics finds now, to the ends asked for at the beginning."""
        every = [TopicPartition(topic, n) for topic in topics for n in range(await self._log.partitions(topic))]
        ends = await self._log.end_offsets(every)
        reader = await self._log.reader(dict.fromkeys(every, 0))
        found: list[Record] = []
        try:
            for at in every:
                while await reader.position(at) < ends[at]:
                    found += await reader.read(1_000, READ_WAIT_MS)
        finally:
            await reader.close()
        return found

    def _told(self) -> str:
        undecided = self.published - len(self.journal.decided)
        failed = [repr(task.exception()) for task in self._tasks if task.done() and not task.cancelled()]
        lines = [f"{len(self.journal.records)} journal records, {undecided} messages without outcome, failed: {failed}"]
        if self.players is not None:
            lines.append(f"{len(self.players.orders)} of {self.journal.orders_sent} orders read")
        return "\n".join(lines + [worker.stderr() for worker in self.workers])


def _outgoing(topic: str, party: str, message: BaseModel, message_id: str) -> Outgoing:
    kind = str(message.__class__.model_fields["type"].default)
    sent_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    headers = wire.headers(wire.Attributes(message_id, party, kind, sent_at))
    return Outgoing(topic, 0, party.encode(), message.model_dump_json().encode(), headers)
