"""Who answers in a simulation: everybody promptly, or nobody. (Recorded answers are said like reports.)

Prompt: a department or team says received, accepted, on the way, reported in and done, each after a part of the time
that the county's policy allows for it; a team called back says done; when everybody of an incident is done, its post
closes it. The parts are drawn from the seed and the order's id alone, so they do not hang on what else happens.

Orders are taken from the facts: a fact and the message that follows from it are one transaction.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random  # noqa: TID251  seeded by the run's seed and what is answered
from typing import Protocol

from linkage import wire
from linkage.county import County
from linkage.events.base import Frozen
from linkage.events.dispatch import TeamOrdered, TeamReleased, TeamStoodDown
from linkage.events.envelope import Fact, StagedFact
from linkage.events.inbound import Answer, AnswerOrder, CloseIncident
from linkage.events.information import IncidentClosed, IncidentOpened
from linkage.events.reference import OrderLimits
from linkage.events.whistle import DepartmentAnswered, DepartmentStoodDown, DepartmentWhistled
from linkage.simulation.said import Said
from linkage.simulation.virtual_time import VirtualTime

PART_OF_LIMIT = (0.1, 0.6)
"""Of the time that policy allows for an answer."""
CLOSED_AFTER_S = (600, 3_600)
"""From the last party's `done` to the post's word."""

Say = Callable[[Said], None]


class Players(Protocol):
    """Told of each committed step; `waiting` is how much they still mean to say."""

    waiting: int

    def take(self, hub: str, facts: Sequence[StagedFact]) -> None: ...


class Nobody:
    """Everybody stays silent."""

    waiting = 0

    def take(self, hub: str, facts: Sequence[StagedFact]) -> None:
        """Hears it and says nothing."""


@dataclass(slots=True)
class Prompt:
    """Everybody answers in time."""

    seed: int
    county: County
    time: VirtualTime
    say: Say
    waiting: int = 0
    posts: dict[str, str] = field(default_factory=dict)
    """Open incident -> the post that closes it."""
    under_way: dict[str, set[str]] = field(default_factory=dict)
    """Open incident -> orders that are not done."""
    called_back: set[str] = field(default_factory=set)

    def take(self, hub: str, facts: Sequence[StagedFact]) -> None:
        for staged in facts:
            self._hear(hub, staged.fact)

    def _hear(self, hub: str, fact: Fact) -> None:
        limits = self.county.policy.limits
        match fact:
            case IncidentOpened():
                self.posts[fact.incident_id] = self.county.reference_for(hub).post
                self._close_later(fact.incident_id)
            case DepartmentWhistled():
                self._obey(hub, fact, limits.department)
            case TeamOrdered():
                self._obey(hub, fact, limits.team)
            case TeamStoodDown():
                self.called_back.add(fact.order_id)
                after_s = self._chance(fact.order_id, "back").uniform(*PART_OF_LIMIT) * limits.stand_down.seconds
                self._later(after_s, lambda: self._answer(hub, fact.order_id, fact.party, Answer.DONE, "back"))
            case TeamReleased() | DepartmentStoodDown():
                self._done(fact.incident_id, fact.order_id)
            case DepartmentAnswered(answer=Answer.DONE):
                self._done(fact.incident_id, fact.order_id)
            case IncidentClosed():
                self.posts.pop(fact.incident_id, None)
                self.under_way.pop(fact.incident_id, None)

    def _obey(self, hub: str, order: DepartmentWhistled | TeamOrdered, limits: OrderLimits) -> None:
        self.under_way.setdefault(order.incident_id, set()).add(order.order_id)
        self._next(hub, order, spans_s(limits, self._chance(order.order_id, "order")))

    def _next(self, hub: str, order: DepartmentWhistled | TeamOrdered, left: Iterator[tuple[Answer, float]]) -> None:
        following = next(left, None)
        if following is None:
            return
        answer, after_s = following

        def speak() -> None:
            if order.order_id not in self.called_back:
                self._answer(hub, order.order_id, order.party, answer, answer.value)
                self._next(hub, order, left)

        self._later(after_s, speak)

    def _done(self, incident_id: str, order_id: str) -> None:
        under_way = self.under_way.get(incident_id)
        if under_way is not None and order_id in under_way:
            under_way.discard(order_id)
            self._close_later(incident_id)

    def _close_later(self, incident_id: str) -> None:
        left = self.under_way.get(incident_id)
        if left or incident_id not in self.posts:
            return
        self._later(self._chance(incident_id, "close").uniform(*CLOSED_AFTER_S), lambda: self._close(incident_id))

    def _close(self, incident_id: str) -> None:
        if incident_id not in self.posts or self.under_way.get(incident_id):
            return
        post = self.posts[incident_id]
        command = CloseIncident(incident_id=incident_id, reason="everybody is done", signed_by="the post on duty")
        self._speak(post, f"{incident_id}.close", command)

    def _answer(self, hub: str, order_id: str, party: str, answer: Answer, part: str) -> None:
        self._speak(party, f"{order_id}.{part}", AnswerOrder(order_id=order_id, hub=hub, answer=answer))

    def _speak(self, party: str, message_id: str, message: Frozen) -> None:
        kind = type(message).model_fields["type"].default
        at_ms = self.time.now_ms()
        self.say(Said(at_ms, wire.Attributes(message_id, party, kind), message.model_dump_json().encode()))

    def _later(self, after_s: float, act: Callable[[], None]) -> None:
        self.waiting += 1

        def acted() -> None:
            self.waiting -= 1
            act()

        self.time.call_later(int(after_s * 1000), acted)

    def _chance(self, subject: str, about: str) -> Random:
        return Random(f"{self.seed}:{about}:{subject}")


def spans_s(limits: OrderLimits, chance: Random) -> Iterator[tuple[Answer, float]]:
    """Each answer and its span in seconds after the one before; `reported_in` is allowed from the order on."""
    received, accepted, en_route, reported_in, done = (chance.uniform(*PART_OF_LIMIT) for _ in range(5))
    first = received * limits.receive.seconds
    second = accepted * limits.accept.seconds
    third = en_route * limits.en_route.seconds
    left_s = max(1.0, limits.report_in.seconds - first - second - third)
    yield Answer.RECEIVED, first
    yield Answer.ACCEPTED, second
    yield Answer.EN_ROUTE, third
    yield Answer.REPORTED_IN, reported_in * left_s
    yield Answer.DONE, done * limits.done.seconds
