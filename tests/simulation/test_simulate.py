"""`linkage simulate`: what it promises to who plays a county's days."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from linkage import wire
from linkage.county import SAMPLE_FOLDER, sample_county
from linkage.events.base import Counts, Place, instant, milliseconds
from linkage.events.envelope import InboxRecord, JournalRecord
from linkage.events.inbound import AnswerOrder, ReportIncident
from linkage.replay.audit import audit
from linkage.replay.journal import RawEntry, decoded, read_file
from linkage.replay.verify import verify
from linkage.simulation.run import Outcome, Simulation
from linkage.simulation.said import Said

START_MS = 1_782_867_600_000
KINDS = ("nat.geo.landslide", "acc.fire", "nat.water.flood")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A line for each step would take longer than the step."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    yield
    structlog.reset_defaults()


def reports(count: int) -> list[Said]:
    """One report every ten minutes, each from another village."""
    county = sample_county()
    source = county.sources[0]
    villages = [village.code for hub in county.hubs[1:] for village in county.villages[hub]]
    found = []
    for number in range(count):
        village = villages[number * 7 % len(villages)]
        report = ReportIncident(
            kind=KINDS[number % len(KINDS)],
            place=Place(township=village[:9], village=village),
            counts=Counts(people_at_risk=50, dead=0),
            summary=f"report {number}",
        )
        data = report.model_dump_json(exclude_unset=True).encode()
        found.append(Said(START_MS + number * 600_000, wire.Attributes(f"r-{number}", source, report.type), data))
    return found


def written(said: list[Said], path: Path) -> Path:
    """The same as a file that `linkage publish` reads."""
    lines = []
    for one in said:
        time = wire.rfc3339(instant(one.at_ms))
        attributes = wire.Attributes(one.attributes.id, one.attributes.source, one.attributes.type, time)
        lines.append(json.dumps(wire.structured(attributes, one.data)))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def entries(outcome: Outcome) -> list[RawEntry]:
    return [RawEntry(one.partition, one.offset, one.timestamp_ms, one.value or b"") for one in outcome.journal]


def letters(outcome: Outcome) -> list[InboxRecord]:
    """What was decided, in the order of the journal."""
    records = [entry.record for entry in decoded(entries(outcome))]
    return [record.inbox for record in records if isinstance(record, JournalRecord)]


def simulate(file: Path, *told: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command, in a process of its own."""
    command = [sys.executable, "-m", "linkage.cli", "simulate", str(file), "--county", str(SAMPLE_FOLDER), *told]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=120, check=False
    )


def test_prompt_answers_bring_every_incident_to_its_end() -> None:
    """With `prompt` everybody answers in time: every incident is closed, nobody is overdue, nothing is refused."""
    outcome = Simulation(sample_county(), reports(12)).run()
    tally = outcome.tally
    assert (outcome.reports, tally.opened, tally.closed) == (12, 12, 12)
    assert (tally.overdue, tally.refused.total(), outcome.open_deadlines) == (0, 0, 0)
    assert tally.teams_ordered >= 12
    assert outcome.is_finished


def test_nobody_answers() -> None:
    """With `none` every silent party is told about, up to the end of the ladder, and no incident is closed."""
    outcome = Simulation(sample_county(), reports(6), "none").run()
    tally = outcome.tally
    assert (tally.opened, tally.closed) == (6, 0)
    assert tally.overdue > tally.orders > tally.replacements > 0
    assert tally.escalated > 0
    assert outcome.is_finished
    assert outcome.open_deadlines == 0


def test_reports_come_at_their_own_times() -> None:
    """Each report is appended at its own event time, whatever its place in the file."""
    said = reports(5)
    outcome = Simulation(sample_county(), [*reversed(said)]).run()
    appended = {
        letter.message_id: milliseconds(letter.origin.appended_at)
        for letter in letters(outcome)
        if letter.origin is not None
    }
    assert [appended[one.attributes.id] for one in said] == [one.at_ms for one in said]


def test_the_journal_holds_what_must_always_hold() -> None:
    """`audit` finds nothing and `verify` decides every step of a simulated journal again."""
    for answers in ("prompt", "none"):
        outcome = Simulation(sample_county(), reports(9), answers).run()
        assert audit(entries(outcome)).is_clean
        verified = verify(entries(outcome))
        assert verified.is_exact
        assert verified.decided == outcome.tally.steps


def test_recorded_answers_find_their_orders(tmp_path: Path) -> None:
    """Ids derive from meaning: answers recorded in one run are answers to the same orders in another."""
    first = Simulation(sample_county(), reports(4)).run()
    recorded = [
        Said(
            milliseconds(letter.origin.appended_at),
            wire.Attributes(letter.message_id, letter.sender, letter.data.type),
            letter.data.model_dump_json(exclude_unset=True).encode(),
        )
        for letter in letters(first)
        if isinstance(letter.data, AnswerOrder) and letter.origin is not None
    ]
    assert recorded
    told = ["--answers", str(written(recorded, tmp_path / "answers.jsonl")), "--json"]
    done = simulate(written(reports(4), tmp_path / "reports.jsonl"), *told)
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert (again["refused"], again["overdue"], again["bad_lines"]) == ({}, 0, 0)
    assert (again["whistled"], again["teams_ordered"]) == (first.tally.whistled, first.tally.teams_ordered)
    assert (again["opened"], again["closed"]) == (4, 0)


@pytest.mark.parametrize("answers", ["prompt", "none"])
def test_same_seed_same_bytes(answers: str, tmp_path: Path) -> None:
    """The command writes the same journal whatever the hash seed is, and another one for another seed."""
    file = written(reports(6), tmp_path / "reports.jsonl")
    runs = {(hashes, seed): tmp_path / f"{hashes}-{seed}.jsonl" for hashes, seed in (("0", 3), ("7", 3), ("0", 4))}
    for (hashes, seed), journal in runs.items():
        told = ["--journal", str(journal), "--answers", answers, "--seed", str(seed)]
        zone = "Asia/Shanghai" if hashes == "7" else "UTC"
        done = simulate(file, *told, PYTHONHASHSEED=hashes, TZ=zone)
        assert done.returncode == 0, done.stderr
        assert "6 opened incidents" in done.stdout
    one, other, third = (path.read_bytes() for path in runs.values())
    assert one == other != third
    assert verify(read_file(runs["0", 3])).is_exact


def test_bad_lines_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    """A line without an instant, or of nobody in the county, is named; exit code 1; the others are played."""
    file = written(reports(2), tmp_path / "reports.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines += [{**lines[0], "id": "x", "time": "yesterday"}, {**lines[0], "id": "y", "source": "nobody"}]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    done = simulate(file, "--json")
    assert done.returncode == 1
    assert "line 3: `time` is 'yesterday'" in done.stderr
    assert "line 4: 'nobody' may not send" in done.stderr
    said = json.loads(done.stdout)
    assert (said["reports"], said["bad_lines"], said["opened"]) == (2, 2, 2)
