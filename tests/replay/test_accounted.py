"""Every report record has one row that says what became of it, and the check of the rows finds what must not be."""

import csv
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from linkage import identity
from linkage.events.between_hubs import HandOverReport
from linkage.events.envelope import JournalRecord
from linkage.replay.accounted import AccountedRow, Accounting, accounted, totals
from linkage.replay.journal import Entry, decoded, write_file
from tests import small_county as county
from tests.accounted_check import COLUMNS, Row, wrong
from tests.command_line import run
from tests.replay.landslide import landslide

FIRST = identity.incident_id(county.NORTH, "grid", "g-1")
PLACED = identity.incident_id(county.SOUTH, "hotline", "h-2")
ROWS = [
    ("g-1", "opened", FIRST),
    ("h-1", "merged", FIRST),
    ("g-1-bis", "merged", FIRST),
    ("g-1", "repeated", FIRST),
    ("linkage.report.hotline/0/1", "refused", None),
    ("h-2", "opened", PLACED),
]
CHECK = Path(__file__).parents[1] / "accounted_check.py"


def told(rows: Iterable[AccountedRow]) -> list[tuple[str, str, str | None]]:
    return [(row.report_id, row.outcome, row.incident_id) for row in rows]


def rows_of(entries: Iterable[tuple[Entry, JournalRecord]]) -> list[AccountedRow]:
    accounting = Accounting()
    for entry, record in entries:
        accounting.take(record, entry.partition, entry.offset)
    return accounting.rows()


def entries() -> list[tuple[Entry, JournalRecord]]:
    found = [(entry, entry.record) for entry in decoded(landslide().journal)]
    return [(entry, record) for entry, record in found if isinstance(record, JournalRecord)]


def test_each_report_record_has_one_row_with_its_outcome_and_why() -> None:
    """In the order the hubs decided them; what the desk placed is what the township made of it."""
    rows = accounted(landslide().journal)
    assert told(rows) == ROWS
    reasons = [row.reason for row in rows]
    assert reasons[0] == ""
    assert reasons[1].startswith("slope_slope: same_kind; same_address; ")
    assert reasons[2] == "revision 1 of g-1"
    assert reasons[3] == "the same message again: it was opened"
    assert reasons[4].startswith("unreadable: ")
    assert reasons[5] == f"placed in {county.SOUTH} by the county's desk"
    assert totals(rows) == {"opened": 2, "merged": 2, "refused": 1, "repeated": 1}


def test_the_order_of_partitions_does_not_matter() -> None:
    """A township's partition may be read before the county's, whose desk handed the report over."""
    journal = landslide().journal
    backwards = sorted(journal, key=lambda entry: (-entry.partition, entry.offset))
    assert accounted(backwards) == accounted(journal)


def test_a_record_that_ingress_appended_twice_has_one_row() -> None:
    """The second time it is a repetition of the same source record, and changes no row."""
    played = entries()
    (first,) = [found for found in played if found[1].inbox.message_id == "h-1"]
    (again,) = [found for found in played if "MessageRepeated" in found[1].facts[0].fact.type]
    doubled = again[1].model_copy(update={"inbox": first[1].inbox})
    assert rows_of([*played, (again[0], doubled)]) == rows_of(played)


def test_a_report_on_its_way_to_the_township_is_still_unplaced() -> None:
    """It says to which township; it gets its outcome when that has decided."""
    rows = rows_of(found for found in entries() if not isinstance(found[1].inbox.data, HandOverReport))
    assert told(rows)[-1] == ("h-2", "unplaced", None)
    assert rows[-1].reason == f"handed over to {county.SOUTH}, which has not decided it yet"


def test_the_check_runs_without_linkage_on_what_the_command_writes(tmp_path: Path) -> None:
    """`linkage replay accounted FILE --csv`, checked by a program that knows nothing of linkage."""
    file, rows = tmp_path / "journal.jsonl", tmp_path / "rows.csv"
    write_file(landslide().journal, file)
    with rows.open("wb") as out:
        command = [sys.executable, "-m", "linkage.cli", "replay", "accounted", str(file), "--csv"]
        subprocess.run(command, stdout=out, timeout=60, check=True)
    found = list(csv.DictReader(rows.read_text(encoding="utf-8").splitlines()))
    assert [(row["report_id"], row["outcome"], row["incident_id"] or None) for row in found] == ROWS
    alone = [sys.executable, "-I", "-S", str(CHECK), str(rows), "--refused-percent", "20"]
    check = subprocess.run(alone, capture_output=True, text=True, timeout=30, check=False)
    assert check.returncode == 0, check.stdout + check.stderr


async def test_the_command_shows_people_what_needs_them(tmp_path: Path) -> None:
    """Without --csv: how many of each outcome, and every refusal with its reason; no report yet is said, too."""
    file, empty = tmp_path / "journal.jsonl", tmp_path / "empty.jsonl"
    write_file(landslide().journal, file)
    empty.touch()
    said = await run(None, "replay", "accounted", str(file))
    assert "6 reports 报告: opened 2 新建 · merged 2 并入 · refused 1 拒收 · repeated 1 重复" in said.out
    assert "refused 拒收  linkage.report.hotline/0/1 of hotline: unreadable: " in said.out
    assert "no report yet" in (await run(None, "replay", "accounted", str(empty))).out


def row(report_id: str, outcome: str, incident_id: str = "", reason: str = "why") -> Row:
    return dict(zip(COLUMNS, (report_id, outcome, incident_id, reason), strict=True))


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([row("a", "merged", "I-1"), row("b", "opened", "I-1")], "a merged: I-1 was not opened before"),
        ([row("a", "opened", "I-1"), row("b", "opened", "I-1")], "b opened: I-1 was opened before"),
        ([row("a", "opened", "I-1"), row("a", "unplaced")], "a: 2 rows that are no repetition"),
        ([row("a", "opened")], "a opened: no incident"),
        ([row("a", "unplaced", reason="")], "a unplaced: no reason"),
        ([row("a", "lost")], "a lost: no such outcome"),
        ([row("a", "unplaced")], "b: no row"),
        ([row("a", "unplaced"), row("b", "unplaced"), row("c", "unplaced")], "c: nobody sent it"),
        ([row("a", "refused"), row("b", "unplaced")], "1 of 2 are refused, more than 5 %"),
    ],
)
def test_the_check_finds_what_must_not_be(rows: list[Row], what: str) -> None:
    """Each promise of the check, broken once."""
    assert what in list(wrong(rows, ["a", "b"], 5.0))


def test_the_check_accepts_what_is_right() -> None:
    """A repetition is no second outcome."""
    rows = [row("a", "opened", "I-1", ""), row("b", "merged", "I-1"), row("a", "repeated", "I-1")]
    assert list(wrong(rows, ["a", "b"], 5.0)) == []
