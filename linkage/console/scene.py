"""What a board is made of, and the questions every section asks: names, open deadlines, what a deadline awaits."""

from collections.abc import Iterator
from dataclasses import dataclass

from linkage.agents import deadlines
from linkage.agents.assessment import Assessment
from linkage.agents.deadlines import Book
from linkage.agents.dispatch import Dispatch
from linkage.agents.information import Information
from linkage.agents.whistle import Whistle
from linkage.console.notes import Notes
from linkage.console.rows import NextDeadline
from linkage.engine import Hub
from linkage.events.deadlines import DeadlineSet
from linkage.narration import ANSWER_EN
from linkage.replay.labels import Label, Labels
from linkage.replay.words import DEADLINE_ZH

AWAITED_EN = {
    "stand_down": "back",
    "county_answer": "county's answer",
    "county_retry": "county asked again",
    "place_report": "placed",
    **{answer.value: word for answer, word in ANSWER_EN.items()},
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A hub, folded, and the notes of the same records."""

    hub: Hub
    notes: Notes

    @property
    def information(self) -> Information:
        return self.hub.stage("information")  # type: ignore[no-any-return]

    @property
    def assessment(self) -> Assessment:
        return self.hub.stage("assessment")  # type: ignore[no-any-return]

    @property
    def whistle(self) -> Whistle:
        return self.hub.stage("whistle")  # type: ignore[no-any-return]

    @property
    def dispatch(self) -> Dispatch:
        return self.hub.stage("dispatch")  # type: ignore[no-any-return]

    @property
    def escalation(self) -> tuple[str, ...]:
        return self.hub.reference.policy.escalation if self.hub.reference else ()

    def books(self) -> Iterator[Book]:
        for state in self.hub.stages:
            yield getattr(state, "deadlines", deadlines.EMPTY)

    def open_deadlines(self) -> list[DeadlineSet]:
        """Soonest first."""
        found = [one for book in self.books() for one in book.by_id.values()]
        return sorted(found, key=lambda one: (one.due_at, one.deadline_id))

    def deadline_of(self, subject: str) -> DeadlineSet | None:
        """The open deadline of an order, a request or a report."""
        for book in self.books():
            if (found := book.of_subject.get(subject)) is not None:
                return book.by_id[found]
        return None


@dataclass(frozen=True, slots=True)
class Scene:
    """A post's hub, and the county's beside it: the same one when the post is the county's."""

    post: str
    home: Seen
    county: Seen
    labels: Labels

    @classmethod
    def of(cls, post: str, home: Seen, county: Seen) -> "Scene":
        labels = Labels()
        for seen in (county, home):
            if seen.hub.reference is not None:
                labels.adopt(seen.hub.reference.content)
        for party in labels.parties.values():
            if party.hub is not None and party.hub not in labels.hubs:
                labels.hubs[party.hub] = Label(party.hub, party.label_en, party.label_zh)
        return cls(post, home, county, labels)

    @property
    def is_county(self) -> bool:
        return self.home.hub.code == self.county.hub.code

    def is_lent_here(self, order_id: str) -> bool:
        """Whether it is an order of the county's to a team that serves this township."""
        order = self.county.dispatch.orders.get(order_id)
        return order is not None and order.lent is not None and order.lent.township == self.home.hub.code

    def who(self, subject: str) -> Label:
        """Whom an order, a request or a report waits for."""
        for seen in (self.home, self.county):
            if (team := seen.dispatch.orders.get(subject)) is not None:
                return self.labels.team(team.team)
            if (department := seen.whistle.orders.get(subject)) is not None:
                return self.labels.party(department.party)
        if subject in self.home.dispatch.requests:
            return self.labels.hub(self.county.hub.code)
        return self.labels.party(self.post)

    def party_of(self, order_id: str) -> str | None:
        """Who answers an order of this hub."""
        order = self.home.whistle.orders.get(order_id) or self.home.dispatch.orders.get(order_id)
        return order.party if order is not None else None

    def next_deadline(self, incident_id: str) -> NextDeadline | None:
        """The soonest of an incident: of this hub's, or of a county team that was lent for it."""
        lent = [] if self.is_county else [one for one in self.county.open_deadlines() if self.is_lent_here(one.subject)]
        ours = [one for one in (*self.home.open_deadlines(), *lent) if one.incident_id == incident_id]
        first = min(ours, key=lambda one: (one.due_at, one.deadline_id), default=None)
        if first is None:
            return None
        return NextDeadline(first.due_at, self.who(first.subject), *awaited(first.name))


def awaited(name: str) -> tuple[str, str]:
    """What a deadline of that name waits for, in both languages."""
    return AWAITED_EN.get(name, name), DEADLINE_ZH.get(name, "")
