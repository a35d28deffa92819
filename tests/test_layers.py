"""What holds the package in shape: dependencies, sizes, names of topics, and no fact or message left unheard."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from linkage import reception, routing
from linkage.agents import STAGES
from linkage.agents.desk import Desk, Reference
from linkage.contract.channels import members
from linkage.events import deadlines, envelope, information
from linkage.events.envelope import InboxRecord
from linkage.events.inbound import LoadReference
from linkage.events.reception import SourceGap, UnreadableRecord
from tests import small_county

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "linkage"
MODULES = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}

FUNCTION_LIMIT_LINES = 40
MODULE_LIMIT_LINES = 300
SILENT = {
    "ReferenceAdopted",  # its receipt says so
    "DeadlineSet",
    "DeadlineEnded",
    "IncidentClosed",  # the stand-downs say so
    "AssessmentEnded",
    "WhistleBlown",  # the orders say so
    "WhistleBriefingChanged",
    "WhistleEnded",
    "TeamsRequired",
    "CountyTeamPromised",
    "CountyTeamRefused",
    "LentTeamChanged",
    "TeamRequestTaken",
    "TeamRequestWithdrawn",
    "DispatchEnded",
}
"""Facts that nobody outside the hub hears of, and what he hears of instead."""

ON_SEVERAL_STAGES = {deadlines.DeadlineSet, deadlines.DeadlineEnded, deadlines.AnswerAwaited}
"""A deadline belongs to the stage that set it; each stage keeps a book of its own."""

OF_THE_FRONT_DESK = {LoadReference, UnreadableRecord, SourceGap}
"""What no stage listens to, because reception answers it."""


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """import-linter on the package that lies in `root`."""
    program = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo", "--config", str(ROOT / ".importlinter")],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_dependencies_point_one_way() -> None:
    """cli -> worker, simulation, replay, edges, client -> runtime -> engine -> agents -> events; the core is pure."""
    linted = lint_imports(ROOT)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("agents/desk.py", "import asyncio", "The core knows no loop"),
        ("agents/whistle.py", "from linkage.runtime import ports", "Dependencies point one way"),
        ("events/base.py", "import time", "The core knows no loop"),
        ("runtime/hub.py", "import aiokafka", "The loops stand on two ports"),
        ("simulation/scheduler.py", "import time", "The simulation runs the same loops"),
        ("client/errors.py", "from linkage.worker import app", "Who publishes or subscribes"),
        ("surprise.py", "", "Dependencies point one way"),
    ],
)
def test_a_dependency_the_wrong_way_is_found(tmp_path: Path, module: str, line: str, broken: str) -> None:
    """The contracts above bite: one forbidden line in a copy of the package, or a module that none of them places."""
    shutil.copytree(PACKAGE, tmp_path / "linkage", ignore=shutil.ignore_patterns("__pycache__", "sample"))
    with (tmp_path / "linkage" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    linted = lint_imports(tmp_path)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert re.search(rf"{broken}.* BROKEN", linted.stdout), linted.stdout


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import linkage", ("faust", "mode", "aiokafka", "pydantic", "structlog")),
        ("from linkage import Publisher, subscribe, ReportIncident", ("faust", "mode", "linkage.worker")),
        ("from linkage import engine", ("faust", "mode", "aiokafka", "asyncio", "structlog")),
        ("import linkage.cli", ("faust", "mode", "aiokafka")),
    ],
)
def test_importing_brings_no_more_than_it_needs(statement: str, absent: tuple[str, ...]) -> None:
    """Whoever only publishes never pays for the worker; `linkage --help` answers quickly; the core is really alone."""
    program = f"import sys; {statement}; print(*sorted(sys.modules.keys() & {set(absent)!r}))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.split() == []


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        assert docstring.end_lineno is not None
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


def too_long(modules: dict[str, str]) -> Iterator[str]:
    for path, text in modules.items():
        if len(text.splitlines()) > MODULE_LIMIT_LINES:
            yield path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _body_lines(node) > FUNCTION_LIMIT_LINES:
                yield f"{path}:{node.name}"


def test_functions_and_modules_fit_on_a_page() -> None:
    """Functions have at most 40 lines without their docstring, modules at most 300."""
    assert list(too_long(MODULES)) == []


def test_what_is_too_long_is_found() -> None:
    """By one line; a docstring does not count."""
    fits = 'def f():\n    """Says\n    much."""\n' + "    x = 1\n" * 39
    assert list(too_long({"a.py": fits, "b.py": "x = 1\n" * 300})) == []
    assert list(too_long({"a.py": fits + "    x = 1\n", "b.py": "x = 1\n" * 301})) == ["a.py:f", "b.py"]


def test_every_module_says_what_it_is_for() -> None:
    """Each opens with its story; an `__init__.py` without code may be empty."""
    silent = [path for path, text in MODULES.items() if text.strip() and ast.get_docstring(ast.parse(text)) is None]
    assert silent == []


TOPIC_NAME = re.compile(
    r"""
      \bhub\.(inbox|journal|lease)\b                                # whatever stands around it
    | (^|\.)(report|reply|command|dispatch)\.$                      # the beginning of a party's topic
    | ^linkage\.(report|reply|command|dispatch)\.[a-z0-9]           # a whole one
    | ^\.(registry|rejected|reception|information|assessment|whistle|dispatch)$   # behind a namespace
    """,
    re.VERBOSE,
)


def topics_named(text: str) -> Iterator[str]:
    """String literals that name topics; docstrings may talk about them."""
    tree = ast.parse(text)
    statements = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    spoken = {id(value) for value in statements if isinstance(value, ast.Constant)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in spoken and TOPIC_NAME.search(text):
                yield text


def test_topics_are_named_in_one_place() -> None:
    """`linkage/topics.py`, so that a namespace reaches every one of them."""
    elsewhere = {path: list(topics_named(text)) for path, text in MODULES.items() if path != "linkage/topics.py"}
    assert {path: names for path, names in elsewhere.items() if names} == {}
    assert len(list(topics_named(MODULES["linkage/topics.py"]))) >= 7


@pytest.mark.parametrize(
    "line",
    ['x = ns + ".hub.inbox"', 'x = f"{ns}.report.{source}"', 'x = "linkage.reply.health"', 'x = f"{ns}.whistle"'],
)
def test_a_topic_named_elsewhere_is_found(line: str) -> None:
    """However it is put together."""
    assert list(topics_named(line))


FACTS = members(envelope.Fact)


def _folding() -> Counter[type]:
    """Fact type -> how many fold it: the stages, and the front desk."""
    return Counter([*(fact for stage in STAGES for fact in stage.evolves), *reception.EVOLVES])


def test_every_fact_is_folded_by_its_one_owner() -> None:
    """No fact is lost in recovery, and none is anybody else's; deadlines are kept by the stage that set them."""
    folding = _folding()
    assert folding.keys() == set(FACTS)
    assert {fact for fact, owners in folding.items() if owners != 1} == ON_SEVERAL_STAGES
    with_book = {stage.name for stage in STAGES if hasattr(stage.initial, "deadlines")}
    for fact in ON_SEVERAL_STAGES:
        assert {stage.name for stage in STAGES if fact in stage.evolves} == with_book


def test_every_fact_is_told_to_somebody_or_known_to_be_silent() -> None:
    """A new fact is routed, or somebody has decided that nobody outside needs it."""
    routed = {fact.__name__ for fact in routing.ROUTES}
    assert routed | SILENT == {fact.__name__ for fact in FACTS}
    assert routed & SILENT == set()


def test_every_message_in_an_inbox_is_listened_to() -> None:
    """By a stage, or by the front desk; a fact that a stage waits for is one that some stage decides."""
    heard = {event for stage in STAGES for event in stage.decides}
    messages = set(members(envelope.InboxData))
    assert messages - heard == OF_THE_FRONT_DESK
    assert heard - messages <= set(FACTS)
    assert information.IncidentOpened in heard


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("command", LoadReference(hub=small_county.NORTH, reference=small_county.reference(small_county.NORTH))),
        ("ingress", UnreadableRecord(code="unreadable", reason="no JSON", bytes_base64="AAAA")),
        ("ingress", SourceGap(topic="some.source", partition=0, from_offset=3, to_offset=9)),
    ],
)
def test_the_front_desk_answers_what_no_stage_hears(kind: envelope.InboxKind, data: envelope.InboxData) -> None:
    """Each of them becomes a fact without a stage being asked."""
    assert type(data) in OF_THE_FRONT_DESK
    letter = InboxRecord(
        log_id="log-1", hub=small_county.NORTH, kind=kind, sender="990909", message_id="m-1", digest="d-1", data=data
    )
    reference = Reference.of(small_county.reference(small_county.NORTH))
    desk = Desk(small_county.NORTH, datetime(2026, 7, 1, tzinfo=UTC), letter, reference)
    assert reception.screened(reception.INITIAL, desk)
