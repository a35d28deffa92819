"""The world of the behaviour flows, reading past the ports: what it has seen already it does not read again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from linkage.events.base import Frozen
from linkage.events.envelope import JOURNAL, PARTY_BOUND, JournalRecord
from linkage.events.inbound import LoadReference
from linkage.events.reference import HubReference, Limit, OrderLimits
from linkage.simulation.cluster import Cluster
from linkage.simulation.crashes import Play
from linkage.simulation.memory_broker import MemoryBroker
from linkage.simulation.witness import Followed
from tests import small_county
from tests.behaviour.flows import Flow
from tests.behaviour.world import World, _record

POLL_MS = 1_370
WAIT_LIMIT_S = 600
DEPARTMENT_S = (13, 27, 41, 73, 157)
TEAM_S = (11, 23, 37, 71, 151)
OTHER_S = {"stand_down": 127, "escalation_step": 17, "county_answer": 31, "team_retry": 43, "place_report": 53}


def _limit(seconds: int) -> Limit:
    return Limit(seconds=seconds, basis="a test's clock")


def _orders(spans: tuple[int, int, int, int, int]) -> OrderLimits:
    receive, accept, en_route, report_in, done = (_limit(span) for span in spans)
    return OrderLimits(receive=receive, accept=accept, en_route=en_route, report_in=report_in, done=done)


def reference(hub: str) -> HubReference:
    """The small county with spans of which no two end in the same instant: else chance would decide which is first."""
    known = small_county.reference(hub)
    others = {name: _limit(span) for name, span in OTHER_S.items()}
    changed = {"department": _orders(DEPARTMENT_S), "team": _orders(TEAM_S), **others}
    limits = known.policy.limits.model_copy(update=changed)
    return known.model_copy(update={"policy": known.policy.model_copy(update={"limits": limits})})


@dataclass
class QuickWorld(World):
    """Sees what a committed reader sees, at once."""

    broker: MemoryBroker | None = None
    followed: dict[str, tuple[Followed, list[Any]]] = field(default_factory=dict)

    async def load(self) -> None:
        await self.log.append(
            [_record(self.topics.registry, entry.party.id, entry, entry.party.id) for entry in small_county.registry()]
        )
        for hub in small_county.HUBS:
            command = LoadReference(hub=hub, reference=reference(hub))
            await self.command(small_county.COUNTY, command, f"load-{hub}")
            await self.receipt(small_county.COUNTY, f"load-{hub}")

    async def dispatched(self, party: str) -> list[Frozen]:
        return self._all(self.topics.dispatch(party), PARTY_BOUND.validate_json)

    async def journal(self) -> list[JournalRecord]:
        entries = self._all(self.topics.journal, JOURNAL.validate_json)
        return [entry for entry in entries if isinstance(entry, JournalRecord)]

    async def _until(
        self, read: Callable[[], Any], wanted: Callable[[Frozen], bool], limit_s: float, what: str
    ) -> list[Frozen]:
        give_up_at_ms = self.time.monotonic_ms() + WAIT_LIMIT_S * 1000
        while True:
            await self.time.sleep(POLL_MS)
            found: list[Frozen] = await read()
            if any(wanted(one) for one in found):
                return found
            if self.time.monotonic_ms() > give_up_at_ms:
                raise AssertionError(f"no {what} within {WAIT_LIMIT_S} s")

    def _all(self, topic: str, decode: Any) -> list[Any]:
        assert self.broker is not None
        followed, seen = self.followed.setdefault(topic, (Followed(self.broker, topic), []))
        seen += [decode(record.value) for record in followed.news()]
        return seen


def playing(*flows: Flow) -> Play:
    """The flows, one after the other, in one county.

    After a crash a flow may count a receipt too many, since repetitions are allowed then; the facts are the judge.
    """

    async def play(cluster: Cluster) -> None:
        world = QuickWorld(cluster.outside, cluster.time.world, cluster.topics, 1.0, broker=cluster.broker)
        await world.load()
        for flow in flows:
            try:
                await flow(world)
            except AssertionError:
                if cluster.workers[0].process.incarnation == 1:
                    raise

    return play
