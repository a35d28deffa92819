"""The demo, killed at two of its ten steps: the same orders, teams and outcome (`make demo-kills` plays all ten)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kafka.demo_kills import played

STEPS = (2, 7)


@pytest.mark.kafka
@pytest.mark.timeout(300)
def test_the_step_of_the_kill_changes_no_outcome() -> None:
    """Whichever worker dies when, the same order ids, answers, replacements and ends of deadlines come of it."""
    with ThreadPoolExecutor(len(STEPS)) as side_by_side:
        first, second = side_by_side.map(played, STEPS)
    assert first["exit_codes"] == {"replay incident": 0, "audit": 0, "replay verify": 0}
    assert first["outcome"]["orders"]
    assert first["outcome"] == second["outcome"]
