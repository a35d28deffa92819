"""Real calls of a storm through two real workers on a real Kafka, one of them killed in the burst: each accounted for.

The calls: the hour 21:00 of the storm of 2016-02-24 by the feed's time, and as many calls before it as after it, so
that there are 300. They were real people's: only aggregates are printed, and they stand in the test's folder alone.
"""

import asyncio
import csv
import gzip
import json
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import takewhile
from pathlib import Path

import pytest

from linkage import engine, local_kafka
from linkage.county import County, events_to_load
from linkage.engine import Partition
from linkage.events.base import EPOCH
from linkage.events.dispatch import TeamOverdue
from linkage.events.envelope import InboxRecord, JournalRecord, Origin
from linkage.events.inbound import ReportIncident
from linkage.events.whistle import DepartmentOverdue
from linkage.replay.accounted import Accounting
from linkage.settings import KafkaSettings
from linkage.topics import Topics
from tests.kafka.real_county import SILENT, RealCounty
from tests.kafka_journal import Journal, place_of
from tests.kafka_worker import WorkerProcess

CALLS = Path(__file__).resolve().parents[3] / "shared/data/montco911/calls_2015-12_2016-05.csv.gz"
pytestmark = [
    pytest.mark.kafka,
    pytest.mark.skipif(not CALLS.exists(), reason="../shared/data/montco911 is not in this clone"),
]

SEED = 20160224
STORM_HOUR = "2016-02-24T21"
STORM_OVER = "2016-02-25 06:00:00"
CALLS_COUNT = 300
KILL_AFTER_DECIDED = 20
UNDECIDED_AT_LEAST = 50
PUBLISH_LIMIT_S = 60.0
SETTLE_LIMIT_S = 60.0
CHECK = Path(__file__).parents[1] / "accounted_check.py"
CHECK_LIMIT_S = 30.0

Outcomes = dict[str, tuple[str, str]]
"""Report id -> (outcome, incident id or nothing)."""


async def test_every_call_of_the_storm_is_accounted_for(
    kafka: local_kafka.RunningKafka, namespace: str, tmp_path: Path
) -> None:
    """300 calls in one burst, parties answering, kill -9 in the middle: each ends as it would have without the kill."""
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, namespace=namespace)
    async with RealCounty(settings, tmp_path, SEED) as county:
        calls = of_the_storm(await county.imported(until_the_storm(tmp_path)))
        storm = tmp_path / "storm.jsonl"
        storm.write_text("\n".join(calls) + "\n", encoding="utf-8")
        doomed, steady = await county.set_up()
        share, _ = await county.shared(doomed, steady)
        async with county.running("publish", str(storm), "--shift-to-now", "--json") as publish:
            killed_ms = await killed_in_the_burst(county, doomed)
            replacement = county.start_worker("three")
            async with asyncio.timeout(PUBLISH_LIMIT_S):
                out, err = await publish.communicate()
        assert publish.returncode == 0, f"{out.decode()[-2000:]}\n{err.decode()[-2000:]}\n{county.told()}"
        await settled(county)
        await county.shared(steady, replacement)
        await assert_struck_at_work(county, killed_ms, share)
        found = await accounted(county, storm)
        expected = undisturbed(county.county, calls)
        assert receipts(out) == expected
        assert not unlinked(found).items() - expected.items()
        print(
            *await asyncio.gather(county.ran("audit", on_cluster=True), county.ran("replay", "verify", on_cluster=True))
        )
        print(measured(county.journal, killed_ms, share))


def until_the_storm(folder: Path) -> Path:
    """The calls from the first to the storm's morning after: as rows count from the file's first, ids stay the same."""
    beginning = folder / "calls.csv"
    with gzip.open(CALLS, "rt", encoding="utf-8", newline="") as file, beginning.open("w", newline="") as out:
        rows = csv.DictReader(file)
        kept = csv.DictWriter(out, rows.fieldnames or ())
        kept.writeheader()
        kept.writerows(takewhile(lambda row: row["timeStamp"] < STORM_OVER, rows))
    return beginning


def of_the_storm(lines: Sequence[str]) -> list[str]:
    """The calls of the storm's hour, and as many before it as after it."""
    hour = [number for number, line in enumerate(lines) if json.loads(line)["time"].startswith(STORM_HOUR)]
    first = hour[0] - (CALLS_COUNT - len(hour)) // 2
    return list(lines[first : first + CALLS_COUNT])


async def killed_in_the_burst(county: RealCounty, doomed: WorkerProcess) -> int:
    """kill -9 once KILL_AFTER_DECIDED calls are decided. When, in the wall clock's milliseconds."""
    await until(county, lambda journal: decided(journal, "report") >= KILL_AFTER_DECIDED, PUBLISH_LIMIT_S)
    killed_ms = doomed.kill()
    assert await doomed.ended() == -signal.SIGKILL
    return killed_ms


async def settled(county: RealCounty) -> None:
    """Every message has its outcome, every order its answers; who stayed silent so far was told to be overdue."""
    await until(county, lambda journal: is_settled(county, journal), SETTLE_LIMIT_S)
    silent = {order.order_id for order in county.players.orders if county.script(order) is SILENT}
    assert silent, "nobody stayed silent: choose another seed"

    def are_overdue(journal: Journal) -> bool:
        teams = {fact.order_id for fact in journal.facts(TeamOverdue)}
        return silent <= teams | {fact.order_id for fact in journal.facts(DepartmentOverdue)}

    await until(county, are_overdue, SETTLE_LIMIT_S)
    await until(county, lambda journal: is_settled(county, journal), SETTLE_LIMIT_S)


def is_settled(county: RealCounty, journal: Journal) -> bool:
    players = county.players
    has_answered = len(players.orders) >= journal.orders_sent and not players.waiting
    return (
        has_answered and decided(journal, "report") == CALLS_COUNT and decided(journal, "reply") == county.replies_sent
    )


def decided(journal: Journal, kind: str, before_ms: float = float("inf")) -> int:
    """Source records of that kind with an outcome, at that instant of the broker's."""
    return len(
        {
            place_of(found.entry.inbox.origin)
            for found in journal.records
            if found.entry.inbox.kind == kind and found.entry.inbox.origin and found.appended_ms <= before_ms
        }
    )


async def until(county: RealCounty, holds: Callable[[Journal], bool], limit_s: float) -> None:
    try:
        await county.journal.until(holds, limit_s)
    except TimeoutError:
        raise AssertionError(f"not so within {limit_s} s\n{county.told()}") from None


async def assert_struck_at_work(county: RealCounty, killed_ms: int, share: frozenset[int]) -> None:
    """The burst was under way: so many records had come and were not decided, calls in the dead one's share, too."""
    had_come = sum(record.timestamp_ms <= killed_ms for record in await county.sources())
    journal = county.journal
    undecided = had_come - decided(journal, "report", killed_ms) - decided(journal, "reply", killed_ms)
    calls = CALLS_COUNT - decided(journal, "report", killed_ms)
    left_behind = sum(
        found.entry.inbox.kind == "report" and found.partition in share and found.appended_ms > killed_ms
        for found in journal.records
    )
    last_ms = max(found.appended_ms for found in journal.records if found.appended_ms <= killed_ms)
    print(
        f"killed with {undecided} of {had_come} records undecided, {calls} of them calls, {left_behind} in the dead "
        f"worker's partitions, {killed_ms - last_ms} ms after a step"
    )
    assert undecided >= UNDECIDED_AT_LEAST
    assert left_behind


async def accounted(county: RealCounty, storm: Path) -> Outcomes:
    """What `linkage replay accounted --csv` says, once a program that knows nothing of linkage has checked it."""
    path = county.folder / "accounted.csv"
    path.write_text(await county.ran("replay", "accounted", "--csv", on_cluster=True), encoding="utf-8")
    alone = (sys.executable, "-I", "-S", str(CHECK), str(path), "--expected", str(storm))
    check = await asyncio.create_subprocess_exec(*alone, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(CHECK_LIMIT_S):
        said, _ = await check.communicate()
    assert check.returncode == 0, said.decode()
    counted = json.loads(said.splitlines()[-1])
    assert counted["distinct"] == CALLS_COUNT
    print(f"accounted: {counted}")
    with path.open(encoding="utf-8", newline="") as file:
        return {row["report_id"]: (row["outcome"], row["incident_id"]) for row in csv.DictReader(file)}


def unlinked(found: Outcomes) -> Outcomes:
    """What stands as its own hub decided it. What is linked across a border to what hangs on who was first to ask."""
    return {report_id: told for report_id, told in found.items() if told[0] != "linked"}


def undisturbed(county: County, calls: Sequence[str]) -> Outcomes:
    """What becomes of the calls when the engine alone decides them one after the other: no Kafka, nobody answering.

    As each call's own hub decides it: what is linked afterwards is left out.
    """
    letters = [
        InboxRecord(
            log_id="-", hub=hub, kind="command", sender=county.post, message_id=message_id, digest="-", data=message
        )
        for hub, message_id, message in events_to_load(county)
    ]
    letters += [called(county, number, json.loads(line)) for number, line in enumerate(calls)]
    state, accounting = Partition(), Accounting()
    for position, letter in enumerate(letters):
        now = EPOCH + timedelta(seconds=position)
        step = engine.step(state.hub(letter.hub), letter, now)
        state = Partition(state.hubs.set(letter.hub, step.hub), position)
        record = JournalRecord(
            position=position, hub=letter.hub, now=now, rules=engine.RULES, inbox=letter, facts=step.facts, sent=()
        )
        accounting.take(record, 0, position)
    return {row.report_id: (row.outcome, row.incident_id or "") for row in accounting.by_record.values()}


def called(county: County, number: int, event: dict[str, object]) -> InboxRecord:
    """A call as ingress would put it into an inbox."""
    report = ReportIncident.model_validate(event["data"])
    source = str(event["source"])
    origin = Origin(topic=Topics().report(source), partition=0, offset=number, appended_at=EPOCH)
    return InboxRecord(
        log_id="-",
        hub=report.place.hub or county.code,
        kind="report",
        sender=source,
        message_id=str(event["id"]),
        digest="-",
        origin=origin,
        data=report,
    )


def receipts(said: bytes) -> Outcomes:
    """Message id -> (outcome, incident), as the publisher was told; a revision is accounted for as merged."""
    told_of = [json.loads(line) for line in said.splitlines()]
    given = [event for event in told_of if event["event"] == "receipt"]
    as_counted = {"revised": "merged"}
    return {
        event["message_id"]: (as_counted.get(event["outcome"], event["outcome"]), event["incident_id"] or "")
        for event in given
    }


def measured(journal: Journal, killed_ms: int, share: frozenset[int]) -> str:
    """Rates and amounts of this run, for people."""
    sources = [found for found in journal.records if found.entry.inbox.origin]
    reports = [found for found in sources if found.entry.inbox.kind == "report"]
    come_ms = min(found.entry.inbox.origin.appended_at.timestamp() for found in reports if found.entry.inbox.origin)
    decided_s = max(found.appended_ms for found in reports) / 1000 - come_ms
    facts, sent = (sum(len(getattr(one.entry, name)) for one in journal.records) for name in ("facts", "sent"))
    taken_over = {
        partition: min(
            one.appended_ms for one in journal.records if one.partition == partition and one.appended_ms > killed_ms
        )
        - killed_ms
        for partition in sorted(share)
    }
    steps, spent_s = len(journal.records), (max(one.appended_ms for one in journal.records) / 1000) - come_ms
    calls = decided(journal, "report")
    return (
        f"{calls} reports decided {decided_s:.1f} s after the first came, the kill within: "
        f"{calls / decided_s:.0f} a second; {len(reports) - calls} were appended twice; "
        f"{steps} steps in {spent_s:.1f} s; a report has {steps / calls:.1f} steps, {facts / calls:.1f} facts, "
        f"{sent / calls:.1f} messages; taken over, ms after the kill, by partition: {taken_over}"
    )
