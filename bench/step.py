"""What one step costs: microseconds to read, decide, route, encode and fold one record. `python -m bench.step`.

Each figure is CPU time of the quickest of many short rounds, garbage collection off: other processes only ever add. The
state before the step is the same every time (states are persistent), so nothing grows. Two counties: the tests' small
one, and the sample that ships with the package, whose landslide whistles for more departments.
"""

import argparse
import cProfile
import gc
import pstats
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from linkage import engine, identity, routing
from linkage.agents.desk import Desk
from linkage.county import sample_county
from linkage.engine import Hub, Partition, Step, encoded_facts
from linkage.events.base import Counts, Place, milliseconds
from linkage.events.envelope import JOURNAL, InboxKind, InboxRecord, JournalRecord
from linkage.events.inbound import Answer, AnswerOrder, LoadReference, ReportIncident
from linkage.events.outbound import DispatchTeam
from linkage.events.reference import HubReference
from linkage.runtime.letters import read_letter
from linkage.runtime.outbox import Bundle, Outbox
from linkage.runtime.ports import Record
from linkage.topics import Topics
from linkage.worker.asyncio_time import AsyncioTime
from tests import small_county

NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
ROUNDS, LOOPS = 300, 5
LOG_IDS = {number: f"log-{number}" for number in range(12)}


class EveryTopic:
    """As much of the Log port as encoding asks: every topic exists and has one partition."""

    async def partitions(self, topic: str) -> int:
        return 1


OUTBOX = Outbox(log=EveryTopic(), time=AsyncioTime(), topics=Topics(), log_ids=LOG_IDS)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    """A record, the state it meets, and its name."""

    name: str
    before: Hub
    letter: InboxRecord


def letter(hub: str, kind: InboxKind, sender: str, message_id: str, data: Any) -> InboxRecord:
    digest = identity.digest(b"bench", data.model_dump_json().encode())
    log_id = LOG_IDS[identity.partition_of(hub, len(LOG_IDS))]
    return InboxRecord(
        log_id=log_id, hub=hub, kind=kind, sender=sender, message_id=message_id, digest=digest, sent_at=NOW, data=data
    )


def cases(name: str, reference: HubReference, source: str) -> list[Case]:
    hub = reference.hub
    loaded = engine.step(
        Hub(hub),
        letter(hub, "command", reference.county, "load", LoadReference(hub=hub, reference=reference)),
        NOW,
    ).hub
    village = reference.villages[0].code
    report = ReportIncident(
        kind="nat.geo.landslide",
        place=Place(township=hub, village=village, words="above the school"),
        counts=Counts(people_at_risk=50, dead=0),
        summary="cracks in the slope above the school, stones are falling on the road",
        occurred_at=NOW,
    )
    first = letter(hub, "report", source, "r-1", report)
    opened = engine.step(loaded, first, NOW)
    order = next(one.message for one in opened.messages if isinstance(one.message, DispatchTeam))
    answer = AnswerOrder(order_id=order.order_id, hub=hub, answer=Answer.RECEIVED)
    return [
        Case(f"{name}: a report that opens an incident", loaded, first),
        Case(f"{name}: one more report about it", opened.hub, letter(hub, "report", source, "r-2", report)),
        Case(f"{name}: an answer", opened.hub, letter(hub, "reply", order.party, "a-1", answer)),
    ]


def bundled(step: Step, raw: bytes) -> Bundle:
    """What the hub's loop writes for a step; nothing in it waits here."""
    coroutine = OUTBOX.bundle(step, 7, raw)
    try:
        coroutine.send(None)
    except StopIteration as done:
        written: Bundle = done.value
        return written
    raise AssertionError("encoding waited for something")


def microseconds(act: Callable[[], Any], rounds: int, loops: int) -> float:
    """The quickest round's mean."""
    act()
    spans = []
    for _ in range(rounds):
        started = time.thread_time()
        for _ in range(loops):
            act()
        spans.append((time.thread_time() - started) / loops * 1e6)
    return min(spans)


def measured(case: Case, rounds: int, loops: int) -> dict[str, float]:
    """Part -> µs. `all`: what the hub's loop does for this record, Kafka aside."""
    raw = case.letter.__pydantic_serializer__.to_json(case.letter)
    record = Record("inbox", 0, 7, milliseconds(NOW), case.letter.hub.encode(), raw)
    step = engine.step(case.before, case.letter, NOW)
    desk = Desk(step.hub.code, step.hub.now, case.letter, case.before.reference)
    written = bundled(step, raw).records[0].value
    journaled = JOURNAL.validate_json(written)
    assert isinstance(journaled, JournalRecord)
    state = Partition().hubs.set(case.before.code, case.before)

    def whole() -> None:
        read, bytes_read = read_letter(record, case.letter.log_id)
        bundled(engine.step(case.before, read, NOW), bytes_read)

    parts: Sequence[tuple[str, Callable[[], Any]]] = (
        ("read", lambda: read_letter(record, case.letter.log_id)),
        ("step", lambda: engine.step(case.before, case.letter, NOW)),
        ("route", lambda: routing.messages(step.facts, desk)),
        ("encode", lambda: bundled(step, raw)),
        ("facts", lambda: encoded_facts(step.facts)),
        ("all", whole),
        ("decode", lambda: JOURNAL.validate_json(written)),
        ("fold", lambda: engine.fold(Partition(state, 6), journaled)),
    )
    found = {name: microseconds(act, rounds, loops) for name, act in parts}
    return {"decide": found["step"] - found["route"], **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--loops", type=int, default=LOOPS)
    parser.add_argument("--profile", action="store_true", help="where the time of the first case goes")
    told = parser.parse_args()
    sample = sample_county()
    known = cases("small", small_county.reference(small_county.NORTH), "grid")
    known += cases("sample", sample.reference_for(sample.hubs[1]), sample.sources[0])
    gc.disable()
    if told.profile:
        profiled(known[0])
        return
    columns = ("read", "decide", "route", "encode", "all", "decode", "fold")
    print(f"{'µs':<42}{'facts':>6}{'sent':>6}" + "".join(f"{name:>9}" for name in columns))
    for case in known:
        step = engine.step(case.before, case.letter, NOW)
        found = measured(case, told.rounds, told.loops)
        figures = "".join(f"{found[name]:>9.0f}" for name in columns)
        print(f"{case.name:<42}{len(step.facts):>6}{len(step.messages):>6}{figures}")
    print("all = read + decide + route + encode; decode and fold are what recovery does with the journal's record")


def profiled(case: Case) -> None:
    raw = case.letter.__pydantic_serializer__.to_json(case.letter)
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(2_000):
        bundled(engine.step(case.before, case.letter, NOW), raw)
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
