"""A journal file is the journal: the same bytes, readable by whoever has the file alone."""

import gzip
import json
from pathlib import Path

import pytest

from linkage.replay.journal import UnreadableJournal, decoded, read_file, write_file
from tests.replay.landslide import landslide
from tests.replay.test_verify import run


@pytest.mark.parametrize("name", ["journal.jsonl", "journal.jsonl.gz"])
def test_what_is_written_is_read_again_byte_for_byte(tmp_path: Path, name: str) -> None:
    journal = landslide().journal
    counts = write_file(journal, tmp_path / name)
    assert tuple(read_file(tmp_path / name)) == journal
    assert sum(counts.values()) == len(journal)
    assert [one.name for one in tmp_path.iterdir()] == [name], "nothing unfinished is left"


def test_a_line_is_an_object_with_its_place_and_the_record(tmp_path: Path) -> None:
    """Other tools read it as JSON lines."""
    write_file(landslide().journal, tmp_path / "journal.jsonl.gz")
    with gzip.open(tmp_path / "journal.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    assert list(lines[0]) == ["partition", "offset", "timestamp_ms", "record"]
    assert lines[0]["record"]["type"] == "linkage.LogIdentity.v0"
    assert {line["record"]["type"] for line in lines[1:]} == {"linkage.JournalRecord.v0", "linkage.LogIdentity.v0"}


def test_a_file_that_another_tool_has_written_anew_is_still_read(tmp_path: Path) -> None:
    """Blanks and the order of keys outside the record don't matter."""
    file = tmp_path / "journal.jsonl"
    write_file(landslide().journal, file)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    turned = [json.dumps({"record": line["record"], **line}, indent=None) for line in lines]
    file.write_text("\n".join(turned) + "\n\n", encoding="utf-8")
    records = [entry.record for entry in decoded(read_file(file))]
    assert records == [entry.record for entry in decoded(landslide().journal)]


@pytest.mark.parametrize(
    "line", ["{", '{"partition":0}', "[]", '{"partition":0,"offset":0,"timestamp_ms":0,"record":{}}']
)
def test_what_is_no_journal_is_said_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(UnreadableJournal, match=r"line 1|journal 0/0"):
        list(decoded(read_file(file)))


def test_commands_on_a_missing_or_cut_off_file_say_so_without_a_traceback(tmp_path: Path) -> None:
    whole = tmp_path / "journal.jsonl.gz"
    write_file(landslide().journal, whole)
    whole.write_bytes(whole.read_bytes()[:-100])
    for file in (tmp_path / "nothing.jsonl", whole):
        for command in (("replay", "incidents"), ("replay", "verify"), ("audit",)):
            done = run((*command, str(file)))
            assert done.returncode == 1
            assert str(file) in done.stderr
            assert "Traceback" not in done.stderr


def test_replay_and_audit_work_on_a_file_alone(tmp_path: Path) -> None:
    """No broker is asked: list, report, timeline, JSON, audit, all from the file."""
    file = tmp_path / "journal.jsonl"
    write_file(landslide().journal, file)
    unreachable = {"LINKAGE_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    listed = run(("replay", "incidents", str(file), "--json"), **unreachable)
    ids = [json.loads(line)["incident_id"] for line in listed.stdout.splitlines()]
    assert len(ids) == 2
    told = json.loads(
        run(("replay", "incident", ids[0].removeprefix("I-")[:6], str(file), "--json"), **unreachable).stdout
    )
    assert told["incident_id"] == ids[0]
    assert told["departments"][0]["party"]["zh"] == "自然资源局"
    shown = run(("replay", "incident", ids[0], str(file), "--timeline", "--zone", "UTC"), **unreachable)
    assert shown.returncode == 0
    assert "whistle blown 吹哨" in shown.stdout
    audited = run(("audit", str(file)), **unreachable)
    assert audited.returncode == 0
    assert audited.stdout.startswith(
        "audit: 24 source records, 24 outcomes; 15 orders, each once; 5 teams, never two holders"
    )
    assert "the journal's side only" in audited.stdout
