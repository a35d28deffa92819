"""Golden journals: what every rules version decided stays readable, and the current one decides it again."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from linkage import engine
from linkage.events.envelope import JournalRecord
from linkage.replay.journal import decoded, read_file
from linkage.replay.verify import verify
from tests.golden.make import FOLDER, TYPES_OF_FACT, path_of

REMEDY = "write it with `python -m tests.golden.make`"


def golden_files() -> Sequence[Path]:
    return sorted(FOLDER.glob("rules-*.jsonl"))


@pytest.mark.parametrize("path", golden_files(), ids=lambda path: path.stem)
def test_every_golden_journal_is_decided_again_without_a_difference(path: Path) -> None:
    """Its steps of the current rules give the same facts, byte for byte; those of older rules can still be folded."""
    result = verify(read_file(path))
    print(f"{path.name}: {result.decided} steps decided again, {sum(result.folded_only.values())} folded only")
    assert result.differences == 0, result.first and "\n".join(result.first.diff())
    assert result.unfolded == 0
    assert result.decided + sum(result.folded_only.values()) > 0


def test_the_current_rules_have_a_golden_journal_and_decide_all_of_it() -> None:
    """Whoever raises engine.RULES adds the journal of the new version; one that is only folded proves nothing."""
    path = path_of(engine.RULES)
    assert path in golden_files(), f"rules version {engine.RULES} has no golden journal: {REMEDY}"
    result = verify(read_file(path))
    assert result.decided > 0, f"{path.name} has no step of rules version {engine.RULES}: {REMEDY}"
    assert result.folded_only == {}


def test_the_current_golden_journal_holds_every_type_of_fact() -> None:
    """A fact that is new in the vocabulary is decided by some golden step."""
    records = [entry.record for entry in decoded(read_file(path_of(engine.RULES)))]
    steps = [record for record in records if isinstance(record, JournalRecord)]
    found = {type(staged.fact).__name__ for step in steps for staged in step.facts}
    assert TYPES_OF_FACT - found == set(), REMEDY
