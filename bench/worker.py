"""The whole worker on a real Kafka, beside a plain loop: events a second, CPU microseconds an event, as ratios.

`python -m bench.worker [--events 2000] [--bootstrap-servers HOST:PORT]`. Ours is `Member`, as in `linkage worker`, in
this process: ingress, hub, clock, stage publisher. Two kinds of events, all of one township, appended before the worker
starts: answers that change one order (the cheapest step), and reports that each open an incident and blow the whistle.
CPU is this process's, until hub and stage publisher have done everything; the broker's is not in it. Absolute figures
drift with the machine; the ratios are what to keep.
"""

import argparse
import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from bench.measuring import Measured, cluster
from bench.plain_loop import PlainLoop
from linkage import identity, wire
from linkage.events.base import Counts, Frozen, Place
from linkage.events.inbound import Answer, AnswerOrder, LoadReference, ReportIncident
from linkage.events.reference import HubReference
from linkage.runtime.log_identity import read_log_identities
from linkage.runtime.member import Member
from linkage.runtime.ports import Outgoing
from linkage.runtime.progress import LoopLimits
from linkage.settings import KafkaSettings
from linkage.topics import Family, Topics, spec_of
from linkage.worker import topic_admin
from linkage.worker.asyncio_time import AsyncioTime
from linkage.worker.kafka_log import KafkaLog
from tests import small_county
from tests.small_county import COUNTY, HUBS, NORTH, PARTIES, SLIDE

PARTITIONS = 4
SLOWER = 10_000
"""Deadlines so many times longer than the tests' county has: none falls due while we measure."""
WAIT_LIMIT_S = 300
LEAD = "natural-resources"
"""Whom the whistle's first seat is for."""


def report(number: int) -> tuple[str, ReportIncident]:
    """Each about a street of its own, so that each opens an incident."""
    place = Place(township=NORTH, words=f"street {number}")
    summary = "cracks in the slope above the school, stones are falling on the road"
    return f"r-{number}", ReportIncident(kind=SLIDE, place=place, counts=Counts(people_at_risk=50), summary=summary)


def answer(number: int) -> tuple[str, AnswerOrder]:
    """What the lead department says to the whistle of that report's incident."""
    incident = identity.incident_id(NORTH, "grid", f"r-{number}")
    order = identity.order_id(incident, "whistle", 0, 1, LEAD)
    return f"a-{number}", AnswerOrder(order_id=order, hub=NORTH, answer=Answer.RECEIVED)


def reference(hub: str) -> HubReference:
    """No teams are sent: two teams for thousands of incidents would measure the county's refusals."""
    known = small_county.reference(hub, SLOWER)
    needed = {f"needed_{level}": 0 for level in ("i", "ii", "iii", "iv")}
    teams = tuple(rule.model_copy(update=needed) for rule in known.policy.teams)
    return known.model_copy(update={"policy": known.policy.model_copy(update={"teams": teams})})


def outgoing(topic: str, party: str, message_id: str, message: Frozen) -> Outgoing:
    attributes = wire.Attributes(message_id, party, type(message).model_fields["type"].default)
    return Outgoing(topic, 0, message_id.encode(), message.model_dump_json().encode(), wire.headers(attributes))


class Bench:
    """One namespace on a cluster."""

    def __init__(self, servers: str) -> None:
        self.servers = servers
        self.settings = KafkaSettings(bootstrap_servers=servers, namespace=f"bench-{secrets.token_hex(3)}")
        self.topics: Topics = self.settings.topics
        self.log = KafkaLog(self.settings)
        self.log_ids: dict[int, str] = {}

    async def prepare(self) -> None:
        """Topics, registry, reference data."""
        sources = [party.id for party in PARTIES if party.kind == "source"]
        parties = [party.id for party in PARTIES if party.kind != "source"]
        rows = self.topics.of_parties(sources, parties, HUBS)
        await topic_admin.apply(self.settings, rows, PARTITIONS, 1, 1)
        await topic_admin.write_log_identities(self.log, self.topics, PARTITIONS)
        self.log_ids = await read_log_identities(self.log, self.topics, PARTITIONS)
        registry = [outgoing(self.topics.registry, one.party.id, one.party.id, one) for one in small_county.registry()]
        await self.log.append(registry)
        command = self.topics.command(COUNTY)
        loads = [(hub, LoadReference(hub=hub, reference=reference(hub))) for hub in HUBS]
        await self.log.append([outgoing(command, COUNTY, f"load-{hub}", message) for hub, message in loads])
        await self.ours("loading", len(loads))

    async def append(self, topic: str, party: str, events: Iterable[tuple[str, Frozen]]) -> None:
        records = [outgoing(topic, party, message_id, message) for message_id, message in events]
        for first in range(0, len(records), 500):
            await self.log.append(records[first : first + 500])

    async def ours(self, name: str, events: int) -> Measured:
        """A worker, until it has taken over, decided so many more events, and published their facts."""
        async with serving(self) as worker:
            started, cpu = time.perf_counter(), time.process_time()
            await until(lambda: _decided(worker.member) >= events, worker.failures)
            wall_s = time.perf_counter() - started
            await until(lambda: _published(worker.member) >= events, worker.failures)
            return Measured(name, events, wall_s, time.process_time() - cpu)

    async def peer_topics(self, kind: str, party: str, events: Sequence[tuple[str, Frozen]]) -> list[str]:
        """Source (filled), inbox, journal and results of a peer: one partition each."""
        names = [f"{self.topics.namespace}.{kind}.{part}" for part in ("source", "inbox", "journal", "results")]
        await topic_admin.apply(self.settings, [(name, spec_of(Family.REPORT)) for name in names], PARTITIONS, 1, 1)
        await self.append(names[0], party, events)
        return names

    async def plain(self, kind: str, party: str, events: Sequence[tuple[str, Frozen]]) -> Measured:
        names = await self.peer_topics(f"plain-{kind}", party, events)
        loop = PlainLoop(self.servers, *names)
        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.wait_for(loop.run(len(events)), WAIT_LIMIT_S)
        return Measured("plain loop", len(events), time.perf_counter() - started, time.process_time() - cpu)


@dataclass(frozen=True)
class Serving:
    """A worker's part that has taken everything over, and what it died of."""

    member: Member
    failures: list[BaseException]


@asynccontextmanager
async def serving(bench: Bench) -> AsyncIterator[Serving]:
    """A worker that serves every partition of the bench, in this process."""
    failures: list[BaseException] = []
    key = b"bench"
    member = Member(bench.log, AsyncioTime(), bench.topics, bench.log_ids, LoopLimits(), key, failures.append)
    try:
        member.rebalanced(range(PARTITIONS))
        await until(lambda: _are_serving(member), failures)
        member.start()
        yield Serving(member, failures)
    finally:
        await member.stop()


def _are_serving(member: Member) -> bool:
    return len(member.leases) == PARTITIONS and all(
        lease.hub.progress.phase == lease.publisher.progress.phase == "serving" for lease in member.leases.values()
    )


def _decided(member: Member) -> int:
    return sum(lease.hub.progress.done for lease in member.leases.values())


def _published(member: Member) -> int:
    return sum(lease.publisher.progress.done for lease in member.leases.values())


async def until(holds: Callable[[], bool], failures: Sequence[BaseException]) -> None:
    """Looks every 5 ms. Raises what the worker died of, or TimeoutError."""
    async with asyncio.timeout(WAIT_LIMIT_S):
        while not holds():
            if failures:
                raise failures[0]
            await asyncio.sleep(0.005)


async def compared(servers: str, events: int) -> list[tuple[str, Measured, Measured]]:
    """(kind of event, ours, plain), one after the other in one run."""
    bench = Bench(servers)
    await bench.prepare()
    reports = [report(number) for number in range(events)]
    answers = [answer(number) for number in range(events)]
    found = []
    for kind, topic, party, said in (
        ("a report that opens an incident", bench.topics.report("grid"), "grid", reports),
        ("an answer that changes one order", bench.topics.reply(LEAD), LEAD, answers),
    ):
        await bench.append(topic, party, said)
        ours = await bench.ours("worker", events)
        found.append((kind, ours, await bench.plain(kind.split()[1], party, said)))
    await bench.log.close()
    return found


def show(found: Sequence[tuple[str, Measured, Measured]]) -> None:
    print(f"{'':<36}{'':<12}{'events/s':>10}{'CPU µs/event':>14}")
    for kind, ours, plain in found:
        for one in (ours, plain):
            print(f"{kind:<36}{one.name:<12}{one.per_second:>10.0f}{one.cpu_us:>14.0f}")
        print(f"{'':<36}{'ratio':<12}{plain.per_second / ours.per_second:>9.1f}x{ours.cpu_us / plain.cpu_us:>13.1f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--bootstrap-servers", help="a cluster that exists; otherwise one is started and stopped")
    told = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with cluster(told.bootstrap_servers) as servers:
        show(asyncio.run(compared(servers, told.events)))


if __name__ == "__main__":
    main()
