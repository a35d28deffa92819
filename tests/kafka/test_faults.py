"""Workers killed, ended, stopped and resumed under load, on a real Kafka: nothing is lost, nothing is doubled.

Each test fails when its fault did not happen: when the point was not reached, the signal did not end the process, too
little was undecided at that moment, or no step had just been made.
"""

import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from linkage import local_kafka
from tests.kafka.exactness import assert_exact
from tests.kafka_county import KafkaCounty
from tests.kafka_journal import place_of
from tests.kafka_worker import Doom, Plan, WorkerProcess

pytestmark = pytest.mark.kafka

IN_TRANSACT = (
    "transact.begun",
    "transact.sent_first",
    "transact.sent_all",
    "transact.acknowledged",
    "transact.committing",
    "transact.committed",
)
IN_TAKE_OVER = ("initialise.before", "initialise.after")
REACH_LIMIT_S = 20.0
UNDECIDED_AT_LEAST = 50
LAST_STEP_AT_MOST_MS = 500
SETTLE_LIMIT_S = 45.0
SPANS_SCALE = 30.0
"""No deadline of the policy ends while a test runs: what is decided is what was said."""
STEPS_BEFORE_RESUMED = 200
HAND_OVER_LIMIT_MS = 5_000
STANDSTILL_LIMIT_MS = 1_500


@dataclass(frozen=True, slots=True)
class Moment:
    """What the topics say, by the broker's own instants, of the moment of a fault."""

    undecided: int
    last_step_ms: int
    """How long before the fault the last journal record was appended."""


@pytest.fixture
async def county(kafka: local_kafka.RunningKafka, namespace: str, tmp_path: Path) -> AsyncIterator[KafkaCounty]:
    async with KafkaCounty(
        kafka.bootstrap_servers, namespace, tmp_path, scale=SPANS_SCALE, list_limit_records=10
    ) as found:
        yield found


async def moment_of(county: KafkaCounty, at_ms: int) -> Moment:
    """To be asked when all is decided: what had come, and what was decided, at that instant."""
    rows = county.topics.of_parties(*county.parties())
    sources = await county.records(*(name for name, _spec in rows if county.topics.inbound_of(name)))
    before = [found for found in county.journal.records if found.appended_ms <= at_ms]
    decided = {place_of(found.entry.inbox.origin) for found in before if found.entry.inbox.origin}
    had_come = sum(record.timestamp_ms <= at_ms for record in sources)
    return Moment(had_come - len(decided), at_ms - max(found.appended_ms for found in before))


async def assert_struck_at_work(county: KafkaCounty, at_ms: int) -> None:
    moment = await moment_of(county, at_ms)
    assert moment.undecided >= UNDECIDED_AT_LEAST, moment
    assert moment.last_step_ms <= LAST_STEP_AT_MOST_MS, moment


def first_after(county: KafkaCounty, at_ms: int, partitions: frozenset[int]) -> dict[int, int]:
    """Partition -> milliseconds from then to its next journal record."""
    found: dict[int, int] = {}
    for one in county.journal.records:
        if one.appended_ms > at_ms and one.partition in partitions:
            found.setdefault(one.partition, one.appended_ms - at_ms)
    return found


@pytest.mark.parametrize("point", IN_TRANSACT)
async def test_a_worker_killed_inside_a_transaction_loses_and_doubles_nothing(county: KafkaCounty, point: str) -> None:
    """kill -9 at each named point of a transaction, with work waiting: the other takes over, all is decided once."""
    doomed, steady = county.start_worker("doomed"), county.start_worker("steady")
    share, _ = await county.shared(doomed, steady)
    await county.play()
    async with county.under_load():
        doomed.arm(Doom(point))
        died_ms = await doomed.reached(point, REACH_LIMIT_S)
    assert await doomed.ended() == -signal.SIGKILL
    await county.settled(SETTLE_LIMIT_S)
    await assert_struck_at_work(county, died_ms)
    print("take-over", point, first_after(county, died_ms, share))
    await assert_exact(county)


@pytest.mark.parametrize("point", IN_TAKE_OVER)
async def test_a_worker_killed_while_it_takes_over_loses_and_doubles_nothing(county: KafkaCounty, point: str) -> None:
    """kill -9 before and after it has fenced whoever held the partition, who is at work: he goes on, all is decided."""
    steady = county.start_worker("steady")
    await county.shared(steady)
    await county.play()
    async with county.under_load():
        doomed = county.start_worker("doomed", Plan(Doom(point, action="stop")))
        await doomed.reached(point, REACH_LIMIT_S)
        await county.at_work()
        died_ms = doomed.kill()
    assert await doomed.ended() == -signal.SIGKILL
    await county.settled(SETTLE_LIMIT_S)
    await assert_struck_at_work(county, died_ms)
    print("take-over", point, first_after(county, died_ms, frozenset(range(3))))
    await assert_exact(county)


async def test_a_worker_told_to_end_hands_over_at_once(county: KafkaCounty) -> None:
    """SIGTERM under load: it ends in order, its partitions go on elsewhere within seconds, the others never stop."""
    leaving, staying = county.start_worker("leaving"), county.start_worker("staying")
    left, stayed = await county.shared(leaving, staying)
    await county.play()
    async with county.under_load():
        told_ms = leaving.terminate()
        assert await leaving.ended() in (0, -signal.SIGTERM)
        ended_ms = now_ms()
        await county.shared(staying)
        shared_ms = now_ms()
    await county.settled(SETTLE_LIMIT_S)
    await assert_struck_at_work(county, told_ms)
    still, going = (longest_gap_ms(county, share, told_ms, shared_ms) for share in (left, stayed))
    print(f"handed over in {still} ms, ended after {ended_ms - told_ms} ms, the others' longest pause {going} ms")
    assert still <= HAND_OVER_LIMIT_MS
    assert going <= STANDSTILL_LIMIT_MS
    await assert_exact(county)


async def test_a_zombie_that_was_idle_is_fenced_and_serves_again(county: KafkaCounty) -> None:
    """SIGSTOP past the session timeout while nothing is to do, SIGCONT under load: it writes nothing, then shares."""
    zombie, other = county.start_worker("zombie"), county.start_worker("other")
    await county.shared(zombie, other)
    await county.loaded()
    await county.settled(SETTLE_LIMIT_S)
    zombie.suspend()
    await county.play()
    await assert_comes_back_fenced(county, zombie, other)


async def test_a_zombie_that_was_in_a_transaction_is_fenced_and_serves_again(county: KafkaCounty) -> None:
    """The same, stopped when everything of a transaction was sent and nothing committed: it is never committed."""
    zombie, other = county.start_worker("zombie"), county.start_worker("other")
    await county.shared(zombie, other)
    await county.play()
    async with county.under_load():
        zombie.arm(Doom("transact.sent_all", action="stop"))
        stopped_ms = await zombie.reached("transact.sent_all", REACH_LIMIT_S)
    await assert_comes_back_fenced(county, zombie, other)
    await assert_struck_at_work(county, stopped_ms)


async def assert_comes_back_fenced(county: KafkaCounty, zombie: WorkerProcess, other: WorkerProcess) -> None:
    """Resumed under load when the other holds every partition; the fault has happened when it was fenced."""
    async with county.under_load():
        await county.shared(other)
        taken_over_ms = max(line.at_ms for line in other.log("hub_taken_over"))
        await county.until(lambda journal: journal.count_after(taken_over_ms) >= STEPS_BEFORE_RESUMED, limit_s=20)
        resumed_ms = zombie.resume()
        shares = await county.shared(zombie, other)
        print(f"shares again {shares} after {now_ms() - resumed_ms} ms")
    await county.settled(SETTLE_LIMIT_S)
    refused = [line for line in zombie.log() if "ProducerFenced" in str(line.fields.get("detail"))]
    assert [line for line in refused if line.at_ms >= resumed_ms], f"the zombie was never fenced\n{zombie.stderr()}"
    assert zombie.is_running
    await assert_exact(county)


async def test_workers_come_and_go_under_load(county: KafkaCounty) -> None:
    """One worker, a second beside it, then the first told to end: every partition goes on, nothing stops for long."""
    first = county.start_worker("first")
    await county.shared(first)
    await county.play()
    async with county.under_load():
        second = county.start_worker("second")
        shares = await county.shared(first, second)
        await county.at_work()
        told_ms = first.terminate()
        assert await first.ended() in (0, -signal.SIGTERM)
        await county.shared(second)
    await county.settled(SETTLE_LIMIT_S)
    await assert_struck_at_work(county, told_ms)
    print("came and went", shares)
    await assert_exact(county)


def longest_gap_ms(county: KafkaCounty, partitions: frozenset[int], from_ms: int, to_ms: int) -> int:
    """The longest time in which one of these partitions was given no journal record, within the two instants."""
    longest = 0
    for partition in partitions:
        instants = [one.appended_ms for one in county.journal.records if one.partition == partition]
        within = [from_ms, *(at_ms for at_ms in instants if from_ms < at_ms < to_ms), to_ms]
        longest = max(longest, *(after - before for before, after in pairwise(within)))
    return longest


def now_ms() -> int:
    return time.time_ns() // 1_000_000
