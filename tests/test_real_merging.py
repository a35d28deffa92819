"""The rule on real calls, labelled by people: the half that it was chosen on must stay as well judged as it was.

The stage `information` of every hub decides the calls around the labelled pairs; questions to neighbours are answered
at once, incidents close after two hours. The whole engine does the same with the whole file (`docs/merging.md`); this
is quick enough to run each time. The calls are real people's: only aggregates are printed.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bench.merging import Pair, half_of, read_pairs, scores, table
from linkage.agents import information
from linkage.agents.desk import Desk, Reference
from linkage.agents.information.decide import DECIDES
from linkage.county import County, load_county
from linkage.edges.montcoalert import import_calls
from linkage.events.envelope import Fact, InboxData, InboxRecord
from linkage.events.inbound import CloseIncident, ReportIncident
from linkage.events.information import IncidentOpened, IncidentsLinked, LinkProposed, ReportMerged, ReportRevised
from linkage.routing.border import near_neighbours

FOLDER = Path(__file__).resolve().parents[2] / "shared/data/montco911"
CALLS, PAIRS = FOLDER / "calls_2015-12_2016-05.csv.gz", FOLDER / "merge_pairs_labelled.csv"
ROWS_AROUND = 60
OPEN_FOR = timedelta(hours=2)
PRECISION_AT_LEAST, RECALL_AT_LEAST = 0.97, 0.85

pytestmark = pytest.mark.skipif(not PAIRS.exists(), reason="../shared/data/montco911 is not in this clone")


class Townships:
    """The stage `information` of each township."""

    def __init__(self, county: County) -> None:
        self.county = county
        self.references = {hub: Reference.of(county.reference_for(hub)) for hub in county.hubs}
        self.states = dict.fromkeys(county.hubs, information.INITIAL)
        self.incidents: dict[str, str] = {}
        self.same_as: dict[str, str] = {}
        self.closing: deque[tuple[datetime, str, str]] = deque()

    def hear(self, message_id: str, report: ReportIncident, now: datetime) -> None:
        while self.closing and self.closing[0][0] <= now:
            at, where, incident_id = self.closing.popleft()
            self._step(where, "close", CloseIncident(incident_id=incident_id, reason="over", signed_by="Li"), at)
        hub = report.place.hub
        if hub is None:
            return
        facts, desk = self._step(hub, message_id, report, now)
        for fact in facts:
            match fact:
                case IncidentOpened() | ReportMerged() | ReportRevised():
                    self.incidents[message_id] = fact.incident_id
                    if isinstance(fact, IncidentOpened):
                        self.closing.append((now + OPEN_FOR, hub, fact.incident_id))
                    for township, question in near_neighbours(fact, desk):
                        self._link(self._step(township, "compare", question, now)[0])
                case IncidentsLinked():
                    self._link([fact])

    def root(self, incident_id: str) -> str:
        while (above := self.same_as.get(incident_id, incident_id)) != incident_id:
            incident_id = above
        return incident_id

    def _link(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            match fact:
                case LinkProposed(certainty="sure"):
                    one, other = fact.ours, fact.theirs
                case IncidentsLinked(certainty="sure"):
                    one, other = fact.one, fact.other
                case _:
                    continue
            if (above := self.root(one.incident_id)) != (below := self.root(other.incident_id)):
                self.same_as[below] = above

    def _step(self, hub: str, message_id: str, event: InboxData, now: datetime) -> tuple[list[Fact], Desk]:
        letter = InboxRecord.model_construct(
            log_id="log", hub=hub, kind="report", sender="montcoalert", message_id=message_id, digest="d", data=event
        )
        desk = Desk(hub, now, letter, self.references[hub])
        facts: list[Fact] = []
        for fact in DECIDES[type(event)](self.states[hub], event, desk):
            self.states[hub] = information.EVOLVES[type(fact)](self.states[hub], fact)
            facts.append(fact)
        return facts, desk


def around(pairs: Iterable[Pair], reports: Path) -> Iterator[tuple[str, ReportIncident, datetime]]:
    """The reports near those of the pairs, in the file's order."""
    rows = {int(report.removeprefix("montco-")) for pair in pairs for report in (pair.report_a, pair.report_b)}
    wanted = {near for row in rows for near in range(row - ROWS_AROUND, row + ROWS_AROUND + 1)}
    with reports.open(encoding="utf-8") as lines:
        for row, line in enumerate(lines):
            if row in wanted:
                event = json.loads(line)
                yield event["id"], ReportIncident.model_validate(event["data"]), datetime.fromisoformat(event["time"])


def test_the_half_that_the_rule_was_chosen_on_stays_well_judged(tmp_path: Path) -> None:
    pairs = half_of(read_pairs(PAIRS), "tuning")
    reports = tmp_path / "reports.jsonl"
    with reports.open("w", encoding="utf-8") as out:
        import_calls(CALLS, tmp_path / "county", out)
    townships = Townships(load_county(tmp_path / "county"))
    for message_id, report, now in around(pairs, reports):
        townships.hear(message_id, report, now)
    found = scores(pairs, {report: townships.root(incident) for report, incident in townships.incidents.items()})
    print(table(found))
    assert (found["all"].precision or 0.0) >= PRECISION_AT_LEAST
    assert (found["all"].recall or 0.0) >= RECALL_AT_LEAST


def test_the_halves_are_each_of_every_stratum_and_share_nothing() -> None:
    pairs = read_pairs(PAIRS)
    tuning, held_out = half_of(pairs, "tuning"), half_of(pairs, "held-out")
    assert {pair.name for pair in tuning} | {pair.name for pair in held_out} == {pair.name for pair in pairs}
    assert len(tuning) + len(held_out) == len(pairs) == 300
    assert {pair.stratum for pair in tuning} == {pair.stratum for pair in held_out}
