"""What is over leaves the books, and what is read or written cheaply is still the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from linkage import engine
from linkage.engine import Hub, Step
from linkage.events.base import Frozen, Level, Place, filled
from linkage.events.between_hubs import ReleaseLentTeam, RequestCountyTeam
from linkage.events.deadlines import DeadlineEnded
from linkage.events.dispatch import DispatchEnded, TeamOrdered, TeamReleased, TeamRequestUnmet
from linkage.events.envelope import InboxKind, InboxRecord, Origin, Sent, StagedFact
from linkage.events.inbound import Answer, AnswerOrder, LoadReference
from linkage.events.outbound import Briefing
from linkage.runtime.letters import letter_of
from linkage.runtime.ports import Outgoing, TopicPartition
from linkage.simulation.memory_broker import BrokerSettings, MemoryBroker
from linkage.simulation.memory_log import MemoryLog
from linkage.simulation.virtual_time import VirtualTime
from tests import small_county as county

NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
MEMORY_S = county.reference(county.COUNTY).policy.limits.incident_memory.seconds


class CountyDesk:
    """The county's hub, told one thing after the other."""

    def __init__(self) -> None:
        self.hub = Hub(county.COUNTY)
        self.count = 0
        reference = county.reference(county.COUNTY)
        self.told(LoadReference(hub=county.COUNTY, reference=reference), "command", county.COUNTY, NOW)

    def told(self, data: Any, kind: InboxKind, sender: str, at: datetime) -> list[Any]:
        """The facts of the step."""
        self.count += 1
        letter = letter_of("log", county.COUNTY, kind, sender, f"m-{self.count}", f"d-{self.count}", at, None, data)
        step: Step = engine.step(self.hub, letter, at)
        self.hub = step.hub
        return [staged.fact for staged in step.facts]

    def asked(self, request_id: str, at: datetime = NOW) -> list[Any]:
        briefing = Briefing(
            incident_id=f"I-{request_id}",
            kind=county.SLIDE,
            kind_zh="滑坡",
            level=Level.III,
            level_is_provisional=True,
            place=Place(township=county.NORTH),
            summary="slope moves",
            exercise=False,
        )
        request = RequestCountyTeam(
            request_id=request_id, township=county.NORTH, briefing=briefing, skill="slope_rescue", attempt=1
        )
        return self.told(request, "hub", county.NORTH, at)

    @property
    def book(self) -> Any:
        return self.hub.stage("dispatch")


def of(facts: list[Any], kind: type) -> list[Any]:
    return [fact for fact in facts if isinstance(fact, kind)]


def test_a_request_whose_team_is_done_is_over_and_leaves_with_the_memory() -> None:
    """Without the township giving anything back, and once, even when it does so afterwards."""
    desk = CountyDesk()
    (order,) = of(desk.asked("R-1"), TeamOrdered)
    answer = AnswerOrder(order_id=order.order_id, hub=county.COUNTY, answer=Answer.DONE)
    done = desk.told(answer, "reply", order.party, NOW)
    assert of(done, TeamReleased)
    assert [fact.subject for fact in of(done, DispatchEnded)] == ["R-1"]
    release = ReleaseLentTeam(request_id="R-1", incident_id="I-R-1", order_id=order.order_id, reason="closed")
    assert desk.told(release, "hub", county.NORTH, NOW) == []
    later = NOW + timedelta(seconds=MEMORY_S + 1)
    (second,) = of(desk.asked("R-2", later), TeamOrdered)
    assert "R-1" in desk.book.lendings
    answer = AnswerOrder(order_id=second.order_id, hub=county.COUNTY, answer=Answer.DONE)
    (ended,) = of(desk.told(answer, "reply", second.party, later), DispatchEnded)
    assert ended.forgotten == ("R-1",)
    assert set(desk.book.lendings) == {"R-2"}
    assert set(desk.book.orders) == {second.order_id}


def test_a_request_for_which_no_team_is_free_is_over_at_once() -> None:
    """What is asked again is a new request; a request whose team is out stays open."""
    desk = CountyDesk()
    assert of(desk.asked("R-1"), DispatchEnded) == []
    facts = desk.asked("R-2")
    assert of(facts, TeamRequestUnmet)
    assert [fact.subject for fact in of(facts, DispatchEnded)] == ["R-2"]
    assert not desk.book.lendings["R-1"].is_over


def test_a_letter_of_checked_parts_is_what_validating_them_gives() -> None:
    """In every way in which somebody could look at it."""
    data = AnswerOrder(order_id="O-1", hub=county.NORTH, answer=Answer.RECEIVED)
    quick = letter_of("log", county.NORTH, "reply", "health", "m-1", "d-1", NOW, None, data)
    careful = InboxRecord(
        log_id="log",
        hub=county.NORTH,
        kind="reply",
        sender="health",
        message_id="m-1",
        digest="d-1",
        sent_at=NOW,
        origin=None,
        data=data,
    )
    assert quick == careful
    assert quick.model_dump_json() == careful.model_dump_json()
    assert quick.model_copy(update={"sender": "police"}) == careful.model_copy(update={"sender": "police"})
    assert repr(quick) == repr(careful)


def test_a_reader_of_many_topics_sees_each_one_change() -> None:
    """Silent partitions are not looked at, and none is forgotten: whatever comes, wherever, is read, in order."""
    time = VirtualTime(3)
    broker = MemoryBroker(time, 3, BrokerSettings(latency_ms=(0, 0)))
    names = [f"topic-{number}" for number in range(40)]
    for name in names:
        broker.create_topic(name, 1)
    log = MemoryLog(broker, time.process("reader"))

    async def read() -> list[tuple[str, int]]:
        reader = await log.reader({TopicPartition(name, 0): 0 for name in names})
        found: list[tuple[str, int]] = []
        for turn in range(3):
            for name in names[turn::7]:
                broker.append(TopicPartition(name, 0), [Outgoing(name, 0, None, b"x")] * 3)
            while records := await reader.read(2, 0):
                found += [(record.topic, record.offset) for record in records]
        return found

    found = time.run_until(read())
    time.close()
    expected = sorted((name, offset) for turn in range(3) for name in names[turn::7] for offset in range(3))
    assert sorted(found) == expected
    assert all(
        [offset for topic, offset in found if topic == name] == [0, 1, 2] for name in {topic for topic, _ in expected}
    )


ENDED = DeadlineEnded(deadline_id="D-1", revision=1, outcome="met", reason="received")


@pytest.mark.parametrize(
    ("wrapper", "parts"),
    [
        (StagedFact, {"stage": "dispatch", "fact": ENDED}),
        (Origin, {"topic": "linkage.report.grid", "partition": 0, "offset": 7, "appended_at": NOW}),
        (Sent, {"topic": "linkage.dispatch.health", "message_id": "m-1", "type": "t", "diverted_because": None}),
    ],
)
def test_a_wrapper_of_checked_parts_is_what_validating_them_gives(wrapper: type[Frozen], parts: dict[str, Any]) -> None:
    """In every way in which somebody could look at it; as strict about changes, too."""
    quick, careful = filled(wrapper, **parts), wrapper(**parts)
    assert (quick, repr(quick), quick.model_dump_json()) == (careful, repr(careful), careful.model_dump_json())
    assert quick.model_fields_set == set(wrapper.model_fields), "every field must be named"
    assert quick.model_copy(update=parts) == careful
    with pytest.raises(ValidationError, match="frozen"):
        setattr(quick, next(iter(parts)), "another")


def test_a_steps_facts_are_wrapped_with_every_field_named() -> None:
    """What is filled without validating lacks what nobody names."""
    letter = letter_of(
        "log",
        county.NORTH,
        "command",
        county.COUNTY,
        "m-1",
        "d-1",
        NOW,
        None,
        LoadReference(hub=county.NORTH, reference=county.reference(county.NORTH)),
    )
    facts = engine.step(Hub(county.NORTH), letter, NOW).facts
    assert facts
    for staged in facts:
        assert staged == StagedFact(stage=staged.stage, fact=staged.fact)
        assert staged.model_fields_set == set(StagedFact.model_fields)
