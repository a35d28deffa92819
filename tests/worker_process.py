"""Workers as their users run them: processes, killed and stopped by real signals.

`python -m tests.worker_process SETTINGS_JSON PLAN_JSON`: the test's entry point. The plan (`tests.kafka_worker.Plan`)
says what befalls this worker. At a named point it acts at the COUNT-th time it is reached: `kill` sends itself SIGKILL,
`stop` SIGSTOP, `hang` waits there for ever, and leaves a line on stdout first: `reached POINT COUNT MS`, with the wall
clock's milliseconds since 1970. Points are those of the Kafka log, and `hub.turn`, `ingress.turn`, `clock.turn`,
`publisher.turn`: where each loop comes round. A file written while it runs (`armed`) is such a doom, too.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from linkage.runtime.clock import Clock
from linkage.runtime.hub import HubLoop
from linkage.runtime.ingress import Ingress
from linkage.runtime.stage_publisher import StagePublisher
from linkage.settings import WorkerSettings
from linkage.topics import Topics
from linkage.worker.app import run
from linkage.worker.asyncio_time import AsyncioTime
from tests import own_network

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
TURNS: dict[str, tuple[type[Any], str]] = {
    "hub.turn": (HubLoop, "_serve_list"),
    "ingress.turn": (Ingress, "_admit_list"),
    "clock.turn": (Clock, "tick"),
    "publisher.turn": (StagePublisher, "_publish_list"),
}


class Dooms:
    """What is to happen at which point; one thing at a time."""

    def __init__(self, doom: list[Any] | None, armed: Path) -> None:
        self._doom = doom
        self._armed = armed
        self._reached = 0

    def at(self, name: str) -> str | None:
        """What happens now that the point is reached."""
        if self._doom is None and self._armed.exists():
            self._doom, self._reached = json.loads(self._armed.read_text()), 0
            self._armed.unlink()
        if self._doom is None or self._doom[0] != name:
            return None
        self._reached += 1
        point, count, action = self._doom
        if self._reached < count:
            return None
        self._doom = None
        print(f"reached {point} {count} {time.time_ns() // 1_000_000}", flush=True)
        return str(action)

    def at_point(self, name: str) -> None:
        action = self.at(name)
        if action in SIGNALS:
            os.kill(os.getpid(), SIGNALS[action])


def _plant_turns(dooms: Dooms) -> None:
    """Stalls, planted here and nowhere in the product: a loop waits for ever where it comes round."""
    for point, (kind, method) in TURNS.items():
        setattr(kind, method, _turning(getattr(kind, method), point, dooms))


def _turning(original: Any, point: str, dooms: Dooms) -> Any:
    async def turned(self: Any, *arguments: Any) -> Any:
        if dooms.at(point) == "hang":
            await asyncio.Event().wait()
        return await original(self, *arguments)

    return turned


def _set_clock_off(offset_ms: int) -> None:
    right = AsyncioTime.now_ms
    AsyncioTime.now_ms = lambda self: right(self) + offset_ms  # type: ignore[method-assign]


def _join_another_group(suffix: str) -> None:
    """As a deployment whose membership knows nothing of the other's: both believe to own every partition."""
    right = Topics.worker_group.fget  # type: ignore[attr-defined]
    Topics.worker_group = property(lambda self: right(self) + suffix)  # type: ignore[assignment, method-assign]


def main() -> None:
    settings, plan = WorkerSettings(**json.loads(sys.argv[1])), json.loads(sys.argv[2])
    if plan["own_network"]:
        own_network.enter()
        print("network", flush=True)
    if plan["clock_offset_ms"]:
        _set_clock_off(plan["clock_offset_ms"])
    if plan["group_suffix"]:
        _join_another_group(plan["group_suffix"])
    dooms = Dooms(plan["doom"], Path(plan["armed"]))
    _plant_turns(dooms)
    run(settings, dooms.at_point)


if __name__ == "__main__":
    main()
