"""Defects that must be caught. Each is a patch, applied to a copy of the package; the named test must fail on it.

There is no switch for any of them in the product. A patch that does not apply any more fails, too: it is to be written
anew for what the code has become. The table in docs/testing.md is CAUGHT_BY.
"""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent
LIMIT_S = 240
SIDE_BY_SIDE = 2

SEEDS = "tests/simulation/test_seeds.py"
ONE_FLOW = "tests/simulation/test_crash_exhaustion.py::test_a_crash_in_one_flow"
FLOW = "tests/behaviour/test_memory.py::test_flow"

CAUGHT_BY = {
    "commit_despite_a_failed_produce": (
        "tests/contract/test_log_contract.py::test_a_record_too_large_takes_the_whole_list_with_it[kafka]"
    ),
    "route_outside_the_transaction": ONE_FLOW,
    "resume_one_record_late": ONE_FLOW,
    "resume_one_record_early": ONE_FLOW,
    "read_the_journal_until_a_poll_is_empty": (
        "tests/simulation/test_recovery.py::test_a_poll_that_is_empty_is_not_the_end_of_the_journal"
    ),
    "release_a_team_twice": f"{SEEDS}::test_a_few_seeds",
    "due_judged_by_the_wall_clock": f"{SEEDS}::test_a_few_seeds",
    "refusal_forgotten": f"{FLOW}[a_refused_message_stays_refused_when_the_world_has_changed]",
    "refusal_not_written": f"{SEEDS}::test_a_few_seeds",
    "memory_lost_when_a_report_moves": f"{FLOW}[a_report_that_moved_is_remembered_where_it_went]",
    "set_iteration_without_sorting": f"{SEEDS}::test_a_seed_is_the_same_in_every_process",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happened to a patch: whether it applied, and what pytest said about the copy."""

    applied: bool
    status: int
    output: str


def apply(patch: str, copy: Path) -> None:
    """Applies a unified diff by what its hunks say, wherever that stands. Raises ValueError unless it is there once.

    No program is needed for it: a machine with Python alone runs these tests.
    """
    for part in re.split(r"^--- a/.*\n", patch, flags=re.MULTILINE)[1:]:
        head, *hunks = re.split(r"^@@ .*\n", part, flags=re.MULTILINE)
        path = copy / head.strip().removeprefix("+++ b/")
        text = path.read_text(encoding="utf-8")
        for hunk in hunks:
            lines = hunk.splitlines(keepends=True)
            before, after = ("".join(line[1:] for line in lines if line[0] != other) for other in "+-")
            if text.count(before) != 1:
                raise ValueError(f"stands {text.count(before)} times in {path.name}:\n{before}")
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")


def verdict(name: str, folder: Path) -> Verdict:
    """Copies package and tests, applies the patch, runs the named test there."""
    copy = folder / name
    copy.mkdir()
    for part in ("linkage", "tests"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    try:
        apply((PATCHES / f"{name}.patch").read_text(encoding="utf-8"), copy)
    except ValueError as error:
        return Verdict(False, 1, str(error))
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("LINKAGE_SOAK", None)
    arguments = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", CAUGHT_BY[name]]
    ran = subprocess.run(
        arguments, cwd=copy, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    return Verdict(True, ran.returncode, ran.stdout + ran.stderr)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, Verdict]:
    """Of every patch whose test was asked for, two at a time."""
    folder = tmp_path_factory.mktemp("defects")
    items = [item for item in request.session.items if item.module is request.module]
    names = [item.callspec.params["name"] for item in items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip(names, pool.map(lambda name: verdict(name, folder), names), strict=True))


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("name", CAUGHT_BY)
def test_a_defect_is_caught(name: str, verdicts: dict[str, Verdict]) -> None:
    """The patch applies, and the named test fails because of it: a failure of the test, not of the test run."""
    found = verdicts[name]
    assert found.applied, f"{name}.patch does not apply any more; write it anew:\n{found.output}"
    assert found.status == pytest.ExitCode.TESTS_FAILED, found.output[-3_000:]
    assert " failed" in found.output


def test_every_patch_has_its_test() -> None:
    """No patch lies there unused, none is missing."""
    assert {path.stem for path in PATCHES.glob("*.patch")} == set(CAUGHT_BY)


def test_the_table_in_the_docs_is_this_one() -> None:
    """Each defect stands in docs/testing.md beside the test that caught it."""
    text = (ROOT / "docs" / "testing.md").read_text()
    for name, caught_by in CAUGHT_BY.items():
        assert any(f"`{name}`" in line and f"`{caught_by}`" in line for line in text.splitlines()), name
