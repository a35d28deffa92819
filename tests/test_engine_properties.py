"""The core alone, without loops or logs: whatever is said in whatever order, after every step what must hold holds.

Hypothesis draws the history and makes a failing one smaller. `make test` draws the same histories every time; with
`LINKAGE_SOAK=1` others, and more of them.
"""

import os
from collections import deque
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from linkage import engine
from linkage.engine import RULES, Partition
from linkage.events.base import EPOCH, Attested, Channel, Counts, Place
from linkage.events.deadlines import DeadlineDue, DeadlineEnded, DeadlineSet
from linkage.events.dispatch import TeamOrdered, TeamReleased
from linkage.events.envelope import JOURNAL, Fact, InboxRecord, JournalRecord
from linkage.events.inbound import (
    Answer,
    AnswerOrder,
    CloseIncident,
    LoadReference,
    PlaceReport,
    RecordAnswer,
    ReportIncident,
    WithdrawTeam,
)
from linkage.events.information import IncidentOpened, ReportUnplaced
from linkage.events.outbound import DispatchTeam, StandDown, WhistleDepartment
from linkage.events.reception import MessageRefused
from linkage.routing import To
from tests.small_county import COUNTY, HUBS, NORTH, SLIDE, SOUTH, VILLAGE, reference

BEGIN = EPOCH + timedelta(days=20_000)
MEMORY_DAYS = reference(NORTH).policy.limits.message_memory.seconds // 86_400
SOAK = os.environ.get("LINKAGE_SOAK") == "1"
COUNT = st.one_of(st.none(), st.sampled_from((0, 3, 99, 100, 600, 5_000)))
NTH = st.integers(0, 30)
"""Which of those that are there, counted round."""
ORDERS = (WhistleDepartment, DispatchTeam, StandDown)


class County(RuleBasedStateMachine):
    """Two townships and the county, each with its inbox; who is spoken of is drawn from what has happened."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN
        self.partitions = {hub: Partition() for hub in HUBS}
        self.to_hubs: deque[tuple[str, str, Any]] = deque()
        self.letters: list[InboxRecord] = []
        self.orders: dict[tuple[str, int], Any] = {}
        self.incidents: list[tuple[str, str]] = []
        self.unplaced: list[ReportUnplaced] = []
        self.deadlines: dict[str, list[str]] = {}
        self.due_at: dict[str, datetime] = {}
        self.released: set[str] = set()
        self.said = 0
        for hub in HUBS:
            self._said(hub, "command", COUNTY, LoadReference(hub=hub, reference=reference(hub)))

    # What is said --------------------------------------------------------------------------------------------------

    @rule(township=st.sampled_from((NORTH, SOUTH, None)), place=st.integers(0, 2), risk=COUNT, dead=COUNT)
    def somebody_reports(self, township: str | None, place: int, risk: int | None, dead: int | None) -> None:
        """The village, or one of two spots in it; without a township it waits at the county's desk."""
        at = Place(township=township, village=VILLAGE.get(township or ""), words=f"spot {place}" if place else "")
        report = ReportIncident(kind=SLIDE, place=at, counts=Counts(people_at_risk=risk, dead=dead))
        self._said(township or COUNTY, "report", "grid", report)

    @precondition(lambda self: self.orders)
    @rule(nth=NTH, answer=st.sampled_from(tuple(Answer)), is_own=st.booleans())
    def a_party_answers(self, nth: int, answer: Answer, is_own: bool) -> None:
        """Its own order, or somebody else's by mistake."""
        order = self._of(sorted(self.orders.items()), nth)[1]
        self._said(
            order.hub,
            "reply",
            order.party if is_own else "hotline",
            AnswerOrder(order_id=order.order_id, hub=order.hub, answer=answer),
        )

    @precondition(lambda self: self.orders)
    @rule(nth=NTH, answer=st.sampled_from(tuple(Answer)))
    def a_post_writes_down_what_it_heard(self, nth: int, answer: Answer) -> None:
        order = self._of(sorted(self.orders.items()), nth)[1]
        heard = Attested(on_behalf_of=order.party, channel=Channel.PHONE, heard_at=self.now, recorded_by="Wang")
        self._said(
            order.hub, "command", order.hub, RecordAnswer(order_id=order.order_id, answer=answer, attested=heard)
        )

    @precondition(lambda self: self.orders)
    @rule(nth=NTH, hub=st.sampled_from(HUBS), replace=st.booleans())
    def a_post_withdraws_a_team(self, nth: int, hub: str, replace: bool) -> None:
        order = self._of(sorted(self.orders.items()), nth)[1]
        self._said(hub, "command", hub, WithdrawTeam(order_id=order.order_id, reason="road closed", replace=replace))

    @precondition(lambda self: self.incidents)
    @rule(nth=NTH)
    def a_post_closes_an_incident(self, nth: int) -> None:
        hub, incident = self._of(self.incidents, nth)
        self._said(hub, "command", hub, CloseIncident(incident_id=incident, reason="held", signed_by="Li"))

    @precondition(lambda self: self.unplaced)
    @rule(nth=NTH, township=st.sampled_from((NORTH, SOUTH)))
    def the_desk_places_a_report(self, nth: int, township: str) -> None:
        report = self._of(self.unplaced, nth).report
        place = PlaceReport(report_sender=report.sender, report_id=report.message_id, township=township)
        self._said(COUNTY, "command", COUNTY, place)

    @precondition(lambda self: any(list(engine.open_deadlines(one)) for one in self.partitions.values()))
    @rule(nth=NTH, early_s=st.sampled_from((0, 0, 0, 1)))
    def the_clock_says_due(self, nth: int, early_s: int) -> None:
        """At the instant, or by a fast clock a second before it."""
        still = [(hub, one) for part in self.partitions.values() for hub, one in engine.open_deadlines(part)]
        hub, deadline = self._of(still, nth)
        self.now = max(self.now, deadline.due_at - timedelta(seconds=early_s))
        due = DeadlineDue(deadline_id=deadline.deadline_id, revision=deadline.revision, due_at=deadline.due_at)
        self._said(hub, "clock", "clock", due)

    @precondition(lambda self: self.to_hubs)
    @rule()
    def a_hub_hears_another(self) -> None:
        """In the order in which it was said, each once: it travels in the transaction of the step that says it."""
        hub, sender, data = self.to_hubs.popleft()
        self._said(hub, "hub", sender, data)

    @precondition(lambda self: self.letters)
    @rule(nth=NTH)
    def a_message_comes_again(self, nth: int) -> None:
        """The same bytes under the same id: nothing changes but that it is written down."""
        letter = self._of(self.letters, nth)
        before = self.partitions[letter.hub].hub(letter.hub)
        self._decided(letter)
        assert self.partitions[letter.hub].hub(letter.hub).stages == before.stages

    @precondition(lambda self: self.now < BEGIN + timedelta(days=MEMORY_DAYS - 9))
    @rule(seconds=st.sampled_from((1, 30, 700, 8 * 86_400)))
    def time_passes(self, seconds: int) -> None:
        """Incidents are forgotten meanwhile; the ids of messages are not."""
        self.now += timedelta(seconds=seconds)

    # What follows --------------------------------------------------------------------------------------------------

    def _of(self, those: list[Any], nth: int) -> Any:
        return those[nth % len(those)]

    def _said(self, hub: str, kind: Any, sender: str, data: Any) -> None:
        self.said += 1
        letter = InboxRecord(
            log_id="log",
            hub=hub,
            kind=kind,
            sender=sender,
            message_id=f"m-{self.said}",
            digest=f"d-{self.said}" if kind in ("report", "reply", "command") else "-",
            data=data,
        )
        if kind in ("report", "reply", "command"):
            self.letters.append(letter)
        self._decided(letter)

    def _decided(self, letter: InboxRecord) -> None:
        """One step; decided twice it is the same, and folded from its journal record it leaves the same state."""
        before = self.partitions[letter.hub]
        step = engine.step(before.hub(letter.hub), letter, self.now)
        again = engine.step(before.hub(letter.hub), letter, self.now)
        assert engine.encoded_facts(step.facts) == engine.encoded_facts(again.facts)
        assert step.messages == again.messages
        if not step.facts:
            assert letter.kind in ("hub", "clock"), "what a party sent has an outcome"
            return
        record = JournalRecord(
            position=before.position + 1,
            hub=letter.hub,
            now=step.hub.now,
            rules=RULES,
            inbox=letter,
            facts=step.facts,
            sent=(),
        )
        written = JOURNAL.validate_json(record.model_dump_json())
        assert isinstance(written, JournalRecord)
        self.partitions[letter.hub] = folded = engine.fold(before, written)
        assert folded.hub(letter.hub) == step.hub
        for staged in step.facts:
            self._note(letter.hub, staged.fact)
        for addressed in step.messages:
            self._heard(letter.hub, addressed)

    def _heard(self, sender: str, addressed: Any) -> None:
        message = addressed.message
        if addressed.to is To.HUB:
            self.to_hubs.append((addressed.name, sender, message))
        elif isinstance(message, ORDERS):
            known = self.orders.setdefault((message.order_id, message.revision), message)
            assert known == message, "an order id never stands for two different orders"

    def _note(self, hub: str, fact: Fact) -> None:
        match fact:
            case IncidentOpened():
                self.incidents.append((hub, fact.incident_id))
            case ReportUnplaced():
                self.unplaced.append(fact)
            case DeadlineSet():
                assert fact.deadline_id not in self.deadlines, "a deadline is set once"
                self.deadlines[fact.deadline_id] = []
                self.due_at[fact.deadline_id] = fact.due_at
            case DeadlineEnded():
                self.deadlines[fact.deadline_id].append(fact.outcome)
                assert len(self.deadlines[fact.deadline_id]) == 1, "a deadline ends once"
                assert fact.outcome != "overdue" or self.now >= self.due_at[fact.deadline_id], "not before its instant"
            case TeamOrdered():
                assert fact.team in reference(hub).model_dump_json(), "a hub orders its own teams"
            case TeamReleased():
                assert fact.order_id not in self.released, "a team is released once"
                self.released.add(fact.order_id)
            case MessageRefused():
                assert fact.fault == "sender", f"the engine's own fault: {fact.reason}"
            case _:
                return

    # What must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def a_team_has_one_holder(self) -> None:
        for hub, partition in self.partitions.items():
            state = partition.hub(hub).stage("dispatch")
            out = sorted((one.team, one.order_id) for one in state.orders.values() if not one.is_released)
            assert out == sorted(state.holders.items())

    @invariant()
    def what_is_open_has_not_ended(self) -> None:
        still = {
            one.deadline_id for partition in self.partitions.values() for _, one in engine.open_deadlines(partition)
        }
        assert still == {deadline for deadline, ends in self.deadlines.items() if not ends}


TestCounty = County.TestCase
TestCounty.pytestmark = [
    pytest.mark.timeout(1_200 if not SOAK else 7_200)
]  # making a failing history smaller takes time
TestCounty.settings = settings(
    max_examples=2_000 if SOAK else 60,
    stateful_step_count=60,
    deadline=None,
    derandomize=not SOAK,
    suppress_health_check=[HealthCheck.too_slow],
)
