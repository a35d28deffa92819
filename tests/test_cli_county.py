"""A county's topics and reference data by command line, on a real Kafka; the hubs' receipts are played by the test."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from linkage.client.registration import register, registered
from linkage.county import events_to_load, load_county
from linkage.county.loader import SAMPLE_FOLDER
from linkage.edges.report_lines import ReportLine, read_lines
from linkage.errors import LinkageError
from linkage.events.envelope import PARTY_MESSAGE
from linkage.settings import KafkaSettings
from linkage.worker.kafka_log import KafkaLog
from linkage.worker.topic_admin import known_partitions, write_log_identities
from tests.command_line import run
from tests.played_engine import create_topics, playing_engine, receipt_for, records_of, refusal_for

SAMPLE = str(SAMPLE_FOLDER)


async def test_check_names_file_line_and_remedy(tmp_path: Path) -> None:
    """Exit 0 for the county that ships with the package; 1 when one line of it is broken, which is then named."""
    assert (await run(None, "county", "check", SAMPLE)).code == 0
    folder = tmp_path / "county"
    shutil.copytree(SAMPLE_FOLDER, folder)
    townships = folder / "townships.csv"
    lines = townships.read_text(encoding="utf-8").splitlines()
    lines[2] = lines[2].replace("990101", "990199")
    townships.write_text("\n".join(lines) + "\n", encoding="utf-8")
    plain = await run(None, "county", "check", str(folder))
    assert plain.code == 1
    assert "townships.csv:3: " in plain.out
    assert "Remedy: " in plain.out
    for_machines = await run(None, "county", "check", str(folder), "--json")
    assert ("townships.csv", 3) in {(entry["file"], entry["line"]) for entry in for_machines.entries}


@pytest.mark.kafka
async def test_a_topic_that_the_broker_shows_late_is_waited_for(kafka_settings: KafkaSettings) -> None:
    """Given a journal that was made and is not shown yet, then its partitions are counted once it is, all of them."""
    topic, log = kafka_settings.topics.journal, KafkaLog(kafka_settings)
    try:
        assert await log.partitions(topic) == 0
        counted = asyncio.create_task(known_partitions(log, topic, 1))
        await create_topics(kafka_settings, topic)
        assert await counted == 1
    finally:
        await log.close()


@pytest.mark.kafka
async def test_a_journal_that_a_broker_shows_late_gets_its_identity(kafka_settings: KafkaSettings) -> None:
    """Whoever is asked may have just started, and know a new topic last: the identity is written once it is known."""
    topics, log = kafka_settings.topics, KafkaLog(kafka_settings)
    try:
        assert await log.partitions(topics.journal) == 0
        writing = asyncio.create_task(write_log_identities(log, topics, 1))
        await create_topics(kafka_settings, topics.journal)
        assert set(await writing) == {0}
    finally:
        await log.close()


@pytest.mark.kafka
async def test_apply_makes_the_topics_once_and_names_what_differs(kafka_settings: KafkaSettings) -> None:
    """The second time changes nothing, keeps each journal's identity, and needs not be told the partitions again."""
    made = await run(kafka_settings, "topics", "apply", "--county", SAMPLE, "--partitions", "4", "--json")
    assert made.code == 0, made.err
    assert kafka_settings.topics.inbox in made.entries[0]["created"]
    assert len(made.entries[0]["log_identities"]) == 4
    again = await run(kafka_settings, "topics", "apply", "--county", SAMPLE, "--json")
    assert again.code == 0, again.out
    assert again.entries[0]["created"] == []
    assert again.entries[0]["log_identities"] == made.entries[0]["log_identities"]
    other = await run(kafka_settings, "topics", "apply", "--county", SAMPLE, "--partitions", "5")
    assert other.code == 1
    assert f"{kafka_settings.topics.inbox}: 4 partitions, wanted 5" in other.out


@pytest.mark.kafka
async def test_load_registers_the_parties_and_sends_each_hub_its_reference_data(kafka_settings: KafkaSettings) -> None:
    """All of it stands in Kafka, each hub's receipt is waited for, and a refusal or a silence exits 1."""
    county = load_county(SAMPLE_FOLDER)
    topics = kafka_settings.topics
    command, hubs = topics.command(county.post), len(county.hubs)
    await create_topics(kafka_settings, topics.registry, command, topics.dispatch(county.post))
    async with playing_engine(kafka_settings) as engine:
        answering = asyncio.create_task(engine.answer(command, county.post, receipt_for, hubs))
        done = await run(kafka_settings, "county", "load", SAMPLE)
        await answering
    assert done.code == 0, done.err
    assert f"{hubs} of {hubs} hubs" in done.out
    sent = [PARTY_MESSAGE.validate_json(data) for _, data in await records_of(kafka_settings, command)]
    assert sent == [message for _hub, _id, message in events_to_load(county)]
    assert await registered(kafka_settings) == {entry.party.id: entry for entry in county.registry()}
    silent = await run(kafka_settings, "county", "load", SAMPLE, "--wait-limit-s", "0.3", "--json")
    assert silent.code == 1
    assert [entry["event"] for entry in silent.entries] == ["registered"] + ["unanswered"] * hubs
    ids = [attributes.id for attributes, _ in await records_of(kafka_settings, command)]
    assert ids[:hubs] == ids[hubs:]


@pytest.mark.kafka
async def test_a_hub_that_refuses_its_reference_data_is_named(kafka_settings: KafkaSettings) -> None:
    """Exit 1 with the reason."""
    county = load_county(SAMPLE_FOLDER)
    topics = kafka_settings.topics
    command = topics.command(county.post)
    await create_topics(kafka_settings, topics.registry, command, topics.dispatch(county.post))
    async with playing_engine(kafka_settings) as engine:
        answering = asyncio.create_task(engine.answer(command, county.post, refusal_for, len(county.hubs)))
        done = await run(kafka_settings, "county", "load", SAMPLE)
        await answering
    assert done.code == 1
    assert f"hub {county.code}: refused 拒收" in done.out


@pytest.mark.kafka
async def test_who_is_no_longer_in_the_folder_may_no_longer_speak(kafka_settings: KafkaSettings) -> None:
    """Its entry is erased; another county's entries are never touched."""
    entries = load_county(SAMPLE_FOLDER).registry()
    await create_topics(kafka_settings, kafka_settings.topics.registry)
    await register(kafka_settings, entries)
    registration = await register(kafka_settings, entries[1:])
    assert registration.removed == (entries[0].party.id,)
    assert await registered(kafka_settings) == {entry.party.id: entry for entry in entries[1:]}
    other = [entry.model_copy(update={"county": "990199"}) for entry in entries]
    with pytest.raises(LinkageError, match=r"county 990101.*--namespace"):
        await register(kafka_settings, other)


CALLS = (
    "lat,lng,desc,zip,title,timeStamp,twp,addr,e\n"
    '40.29,-75.58,"REINDEER CT & DEAD END;  NEW HANOVER; Station 332; 2015-12-10 @ 17:10:52;",19525,'
    "EMS: BACK PAINS/INJURY,2015-12-10 17:10:52,NEW HANOVER,REINDEER CT,1\n"
    '40.25,-75.26,"BRIAR PATH; HATFIELD TOWNSHIP; Station 345; 2015-12-10 @ 17:29:21;",19446,'
    "Fire: GAS-ODOR/LEAK,2015-12-10 17:29:21,HATFIELD TOWNSHIP,BRIAR PATH,1\n"
)


async def test_import_makes_a_county_that_checks_and_a_report_of_each_row(tmp_path: Path) -> None:
    """What it writes, `county check` accepts and `publish` can read; a file of something else leaves no report file."""
    calls = tmp_path / "calls.csv"
    calls.write_text(CALLS, encoding="utf-8")
    county, reports = tmp_path / "county", tmp_path / "reports.jsonl"
    written = ("--county-out", str(county), "--out", str(reports))
    done = await run(None, "import", "montcoalert", str(calls), *written, "--json")
    assert done.code == 0, done.err
    assert (done.entries[0]["rows"], done.entries[0]["reports"]) == (2, 2)
    assert (await run(None, "county", "check", str(county))).code == 0
    with reports.open("rb") as file:
        lines = list(read_lines(file))
    assert [line.attributes.id for line in lines if isinstance(line, ReportLine)] == ["montco-0", "montco-1"]
    calls.write_text("a,b\n1,2\n", encoding="utf-8")
    reports.unlink()
    wrong = await run(None, "import", "montcoalert", str(calls), *written)
    assert wrong.code == 1
    assert not [name for name in os.listdir(tmp_path) if name.startswith("reports")]


async def test_kafka_status_says_when_nothing_runs(tmp_path: Path) -> None:
    """Exit 1 and what to type; two brokers, of which none could be lost, are wrong usage."""
    status = await run(None, "kafka", "status", "--data", str(tmp_path))
    assert (status.code, "linkage kafka start" in status.out) == (1, True)
    as_json = await run(None, "kafka", "status", "--data", str(tmp_path), "--json")
    assert as_json.entries[0]["brokers"] == []
    wrong = await run(None, "kafka", "start", "--data", str(tmp_path), "--brokers", "2")
    assert (wrong.code, "brokers must be 1" in wrong.err) == (2, True)
