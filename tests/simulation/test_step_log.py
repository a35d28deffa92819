"""What a worker logs of its steps: enough to see what it does, and nobody's personal data."""

import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from tests.behaviour import simulated
from tests.behaviour.world import World
from tests.small_county import NORTH

SUMMARY = "Mrs Wang in house 7 can't walk"


@pytest.fixture(autouse=True)
def every_level() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    yield
    structlog.configure(**before)


def test_each_step_is_one_line() -> None:
    """Given a report, then its step is logged with hub, position, type, facts, messages and milliseconds; no words."""
    made = simulated.cluster(seed=3)
    world = World(made.outside, made.time.world, made.topics, simulated.SCALE)

    async def reported() -> None:
        await world.load()
        await world.report("r-1", summary=SUMMARY)
        await world.receipt("grid", "r-1")

    try:
        with capture_logs() as lines:
            made.time.run_until(reported(), 120_000)
    finally:
        made.close()
    (step,) = [line for line in lines if line["event"] == "step" and line["type"] == "linkage.ReportIncident.v0"]
    assert (step["hub"], step["log_level"]) == (NORTH, "debug")
    assert step["position"] >= 0
    assert step["took_ms"] >= 0
    assert step["facts"] > step["messages"] > 0
    assert SUMMARY not in str(lines)
