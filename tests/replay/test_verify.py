"""Verify decides again what the journal says, finds the first difference, and hangs on no process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from linkage.replay.journal import write_file
from linkage.replay.verify import verify
from tests.replay.doctored import Item, changed, find_fact, has_fact, items, place_of
from tests.replay.landslide import landslide

STEPS = sum("position" in item for item in items(landslide().journal))


def test_every_step_is_decided_again_without_a_difference() -> None:
    result = verify(landslide().journal)
    assert (result.decided, result.differences, result.unfolded, result.folded_only) == (STEPS, 0, 0, {})
    assert result.is_exact


def test_an_altered_fact_is_found_with_its_place_and_both_versions() -> None:
    """The first difference is shown whole: where it stands, which stage, what stands there, what was decided now."""
    journal = landslide().journal
    index = place_of(journal, has_fact("TeamOrdered", team="county-brigade"))

    def another_team(item: Item) -> None:
        fact = find_fact(item, "TeamOrdered")
        assert fact is not None
        fact["attempt"] = 7

    tampered = changed(journal, index, another_team)
    result = verify(tampered)
    assert not result.is_exact
    first = result.first
    assert first is not None
    item = items(tampered)[index]
    assert (first.partition, first.offset, first.position) == (
        journal[index].partition,
        journal[index].offset,
        item["position"],
    )
    assert (first.hub, first.stage, first.what) == (item["hub"], "dispatch", "facts")
    assert first.type == "linkage.RequestCountyTeam.v0"
    diff = first.diff()
    assert '-   "attempt": 7,' in diff
    assert '+   "attempt": 1,' in diff


def test_a_fact_left_out_is_found() -> None:
    journal = landslide().journal
    index = place_of(journal, has_fact("WhistleBlown"))
    result = verify(changed(journal, index, lambda item: item["facts"].pop()))
    assert result.first is not None
    assert (result.first.offset, result.first.stage) == (journal[index].offset, "reception")


def test_a_message_that_was_not_sent_or_went_elsewhere_is_found() -> None:
    """The messages follow from the facts: ids, types and topics are compared, too."""
    journal = landslide().journal
    index = place_of(journal, has_fact("WhistleBlown"))

    def elsewhere(item: Item) -> None:
        item["sent"][0]["topic"] = "linkage.dispatch.somebody"

    for change in (elsewhere, lambda item: item["sent"].pop()):
        result = verify(changed(journal, index, change))
        assert result.differences == 1
        assert result.first is not None
        assert (result.first.what, result.first.offset) == ("messages", journal[index].offset)


def test_a_diverted_message_is_the_same_message() -> None:
    """Whether a destination was missing then only the journal knows: the message is compared by its id."""
    journal = landslide().journal
    index = place_of(journal, has_fact("WhistleBlown"))

    def diverted(item: Item) -> None:
        sent = next(one for one in item["sent"] if one["topic"] == "linkage.dispatch.health")
        sent["diverted_because"] = "topic linkage.dispatch.health does not exist"

    assert verify(changed(journal, index, diverted)).is_exact


def test_steps_of_other_rules_are_folded_and_counted() -> None:
    """Another version decided them; what came after stands on what they left, and is decided again."""
    journal = landslide().journal
    index = place_of(journal, has_fact("ReportMerged"))
    result = verify(changed(journal, index, lambda item: item.update(rules=99)))
    assert (result.decided, result.folded_only, result.differences) == (STEPS - 1, {99: 1}, 0)


def test_a_refusal_of_a_step_that_was_not_too_large_is_found() -> None:
    """The hub's loop refuses what can't be written; nobody may hide another step behind that."""
    journal = landslide().journal
    index = place_of(journal, has_fact("ReportMerged"))

    def hidden(item: Item) -> None:
        refused: Item = dict(next(fact for one in items(journal) if (fact := find_fact(one, "MessageRefused"))))
        letter = item["inbox"]
        refused.update(
            sender=letter["sender"],
            message_id=letter["message_id"],
            digest=letter["digest"],
            code="step_too_large",
            fault="engine",
            remembered=False,
            refused_at=item["now"],
        )
        item["facts"] = [{"stage": "reception", "fact": refused}]

    first = verify(changed(journal, index, hidden)).first
    assert first is not None
    assert first.offset == journal[index].offset


def test_facts_that_do_not_fit_are_a_difference_not_a_crash() -> None:
    """A journal that can't be folded is said so; the other partitions are verified all the same."""
    journal = landslide().journal
    index = place_of(journal, has_fact("ReportMerged"))

    def of_nobody(item: Item) -> None:
        item["rules"] = 99
        fact = find_fact(item, "ReportMerged")
        assert fact is not None
        fact["incident_id"] = "I-nobody"

    result = verify(changed(journal, index, of_nobody))
    assert result.first is not None
    assert result.first.what == "fold"
    assert "I-nobody" in json.dumps(result.first.decided)
    assert result.unfolded > 0
    assert result.decided > 0


@pytest.mark.parametrize(("seed", "zone"), [("1", "Asia/Shanghai"), ("4242", "America/St_Johns")])
def test_another_process_another_hash_seed_another_time_zone(tmp_path: Path, seed: str, zone: str) -> None:
    """Nothing hangs on who decides: `linkage replay verify FILE` in a fresh process says the same, exit 0."""
    file = tmp_path / "journal.jsonl.gz"
    write_file(landslide().journal, file)
    done = run(("replay", "verify", str(file), "--json"), PYTHONHASHSEED=seed, TZ=zone)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert (told["decided"], told["differences"], told["is_exact"]) == (STEPS, 0, True)


def test_the_command_ends_with_1_and_the_first_difference(tmp_path: Path) -> None:
    journal = landslide().journal
    index = place_of(journal, has_fact("IncidentClosed"))
    file = tmp_path / "journal.jsonl"

    def signed_by_another(item: Item) -> None:
        fact = find_fact(item, "IncidentClosed")
        assert fact is not None
        fact["signed_by"] = "somebody else"

    write_file(changed(journal, index, signed_by_another), file)
    done = run(("replay", "verify", str(file)))
    assert done.returncode == 1
    assert f"journal {journal[index].partition}/{journal[index].offset}" in done.stdout
    assert '-   "signed_by": "somebody else",' in done.stdout
    assert '+   "signed_by": "Li 李",' in done.stdout


def run(arguments: tuple[str, ...], **environment: str) -> subprocess.CompletedProcess[str]:
    """`linkage ...` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "linkage.cli", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONUTF8": "1", **environment},
    )
