"""Microseconds by part for each step of a real journal: read, decide by stage, evolve, route, encode.

The journaled inbox records are decided again, one after the other, with a stopwatch around each part. A stopwatch costs
time itself; what it costs is measured first and taken off.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.step import EveryTopic
from linkage import engine, identity, reception, routing
from linkage.engine import Partition
from linkage.events.base import milliseconds
from linkage.events.envelope import JournalRecord
from linkage.runtime.letters import read_letter
from linkage.runtime.outbox import Outbox
from linkage.runtime.ports import Record
from linkage.topics import Topics
from linkage.worker.asyncio_time import AsyncioTime

CALIBRATION_COUNT = 20_000


class Stopwatch:
    """CPU nanoseconds by part."""

    def __init__(self) -> None:
        self.spent_ns: dict[str, int] = defaultdict(int)
        self.calls: dict[str, int] = defaultdict(int)
        probe = self.counted("", _nothing)
        begun = time.thread_time_ns()
        for _ in range(CALIBRATION_COUNT):
            probe()
        self.own_ns = (time.thread_time_ns() - begun) / CALIBRATION_COUNT
        self._inside_ns = self.spent_ns.pop("") / CALIBRATION_COUNT
        self.calls.clear()

    def timed(self, part: str, act: Callable[..., Any], *arguments: Any) -> Any:
        begun = time.thread_time_ns()
        found = act(*arguments)
        self.spent_ns[part] += time.thread_time_ns() - begun
        return found

    def counted(self, part: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed; what it yields is a list, so that its time is its own."""

        def timed(*arguments: Any) -> Any:
            self.calls[part] += 1
            return self.timed(part, act, *arguments)

        return timed

    def us(self, part: str, steps: int) -> float:
        """Microseconds a step, without the stopwatch's own."""
        return max(0.0, self.spent_ns[part] - self.calls[part] * self._inside_ns) / steps / 1_000


def _nothing() -> None:
    """What a stopwatch costs by itself."""


def _listed(decide: Callable[..., Iterable[Any]]) -> Callable[..., list[Any]]:
    return lambda *arguments: list(decide(*arguments))


@contextmanager
def watched(watch: Stopwatch) -> Iterator[None]:
    """The engine with a stopwatch in each stage, for as long as this lasts."""
    listeners, evolves, desk = dict(engine._LISTENERS), dict(engine._EVOLVES), dict(reception.EVOLVES)
    messages, screened = routing.messages, reception.screened
    try:
        for event, known in listeners.items():
            engine._LISTENERS[event] = tuple(
                (index, name, watch.counted(f"decide {name}", _listed(decide))) for index, name, decide in known
            )
        for at, (index, evolve) in evolves.items():
            engine._EVOLVES[at] = (index, watch.counted("evolve", evolve))
        for fact, evolve in desk.items():
            reception.EVOLVES[fact] = watch.counted("evolve", evolve)
        reception.screened = watch.counted("decide reception", screened)
        routing.messages = watch.counted("route", _listed(messages))  # type: ignore[assignment]
        yield
    finally:
        engine._LISTENERS.update(listeners)
        engine._EVOLVES.update(evolves)
        reception.EVOLVES.update(desk)
        routing.messages, reception.screened = messages, screened


def by_part(records: Iterable[tuple[JournalRecord, bytes]], log_ids: dict[int, str]) -> dict[str, float]:
    """Part -> microseconds a step. `step`: the whole of deciding; `engine`: of that, what is none of the parts."""
    watch, steps = Stopwatch(), 0
    outbox = Outbox(EveryTopic(), AsyncioTime(), Topics(), log_ids)  # type: ignore[arg-type]
    state = Partition()
    with watched(watch):
        for entry, _ in records:
            raw = entry.inbox.__pydantic_serializer__.to_json(entry.inbox)
            at_ms = milliseconds(entry.now)
            record = Record("inbox", 0, entry.position, at_ms, entry.hub.encode(), raw)
            log_id = log_ids[identity.partition_of(entry.hub, len(log_ids))]
            letter, _ = watch.timed("read", read_letter, record, log_id)
            step = watch.timed("step", engine.step, state.hub(entry.hub), letter, entry.now)
            watch.timed("encode", _bundled, outbox, step, entry.position, raw)
            state = Partition(state.hubs.set(entry.hub, step.hub), entry.position)
            steps += 1
    found = {part: watch.us(part, steps) for part in watch.spent_ns}
    found["step"] -= sum(watch.calls.values()) * watch.own_ns / steps / 1_000
    inside = sum(us for part, us in found.items() if part.startswith("decide ") or part in ("evolve", "route"))
    found["engine"] = max(0.0, found["step"] - inside)
    return found


def _bundled(outbox: Outbox, step: engine.Step, position: int, raw: bytes) -> None:
    try:
        outbox.bundle(step, position, raw).send(None)
    except StopIteration:
        return
    raise AssertionError("encoding waited for something")
