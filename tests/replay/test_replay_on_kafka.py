"""Replay, audit and export on a real Kafka: what was played in memory, written into a cluster, read by the commands."""

from pathlib import Path

import pytest

from linkage.replay.journal import read_file
from linkage.runtime.ports import Outgoing, Record
from linkage.settings import KafkaSettings
from linkage.worker.kafka_log import KafkaLog
from linkage.worker.topic_admin import apply
from tests import small_county as county
from tests.command_line import run
from tests.replay.landslide import PARTITIONS, Left, landslide

pytestmark = pytest.mark.kafka


async def write(settings: KafkaSettings, left: Left, dispatch: tuple[Record, ...]) -> None:
    """The parties' records as they were sent; journal and dispatch topics in a transaction, as a hub writes them."""
    sources = [one.id for one in county.PARTIES if one.kind == "source"]
    others = [one.id for one in county.PARTIES if one.kind != "source"]
    await apply(settings, settings.topics.of_parties(sources, others, list(county.HUBS)), PARTITIONS, 1, 1, alter=False)
    log = KafkaLog(settings)
    try:
        for one in left.sources:
            await log.append([outgoing(one)])
        identities = [one for one in left.journal if one.offset == 0]
        records = [one for one in left.journal if one.offset > 0]
        await log.append([Outgoing(settings.topics.journal, one.partition, None, one.raw) for one in identities])
        writer = await log.initialise(settings.topics.transactional_id(0))
        journal = [Outgoing(settings.topics.journal, one.partition, None, one.raw) for one in records]
        await writer.transact([*journal, *(outgoing(one) for one in dispatch)])
        await writer.close()
    finally:
        await log.close()


def outgoing(record: Record) -> Outgoing:
    return Outgoing(record.topic, record.partition, record.key, record.value or b"", record.headers)


async def test_the_cluster_says_what_the_file_says(kafka_settings: KafkaSettings, tmp_path: Path) -> None:
    """Export, verify, audit and the report read the committed journal of the cluster, and are content."""
    left = landslide(kafka_settings.namespace)
    await write(kafka_settings, left, left.dispatch)
    file = tmp_path / "journal.jsonl.gz"
    exported = await run(kafka_settings, "journal", "export", str(file), "--json")
    assert exported.code == 0
    assert exported.entries[0]["records"] == len(left.journal)
    assert [one.raw for one in read_file(file)] == [one.raw for one in left.journal]
    verified = await run(kafka_settings, "replay", "verify")
    assert "0 differences · ok" in verified.out
    audited = await run(kafka_settings, "audit", "--json")
    assert audited.code == 0, audited.out
    assert (audited.entries[0]["with_topics"], audited.entries[0]["is_clean"]) == (True, True)
    assert audited.entries[0]["source_records"] == len(left.sources)
    on_cluster = await run(kafka_settings, "replay", "incidents", "--json")
    from_file = await run(None, "replay", "incidents", str(file), "--json")
    assert on_cluster.entries == from_file.entries
    incident = on_cluster.entries[0]["incident_id"]
    report = await run(kafka_settings, "replay", "incident", incident)
    assert "滑坡险情" in report.out


async def test_the_audit_of_a_cluster_finds_a_lost_order_and_a_lost_report(kafka_settings: KafkaSettings) -> None:
    """An order that stands in the journal and on no topic, and a report in no journal: both named, exit 1."""
    left = landslide(kafka_settings.namespace)
    lost = next(one for one in left.dispatch if dict(one.headers)["ce_type"] == b"linkage.DispatchTeam.v0")
    await write(kafka_settings, left, tuple(one for one in left.dispatch if one is not lost))
    log = KafkaLog(kafka_settings)
    try:
        await log.append([outgoing(left.sources[-1])])
    finally:
        await log.close()
    audited = await run(kafka_settings, "audit", "--settle-limit-s", "2")
    assert audited.code == 1
    assert "is on no topic" in audited.out
    assert f"{left.sources[-1].topic} 0/{left.sources[-1].offset + 1}: this record has no outcome" in audited.out
    assert "NOT OK" in audited.out


async def test_without_a_journal_the_commands_say_what_to_run(kafka_settings: KafkaSettings) -> None:
    for command in (("replay", "incidents"), ("replay", "verify"), ("audit",)):
        done = await run(kafka_settings, *command)
        assert done.code == 1
        assert "linkage topics apply" in done.err
