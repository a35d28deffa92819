"""The demo with the kill at each of its ten steps: the same order ids, teams and outcome every time.

`python -m tests.kafka.demo_kills [STEP ...]` runs it and says what differs; `make demo-kills`.
"""

import json
import subprocess
import sys
from typing import Any

from linkage.demo.story import KILL_STEPS

RUN_LIMIT_S = 240


def played(kill_at: int, *options: str) -> dict[str, Any]:
    """What `linkage demo --json` says of one run. Raises AssertionError when it did not end cleanly."""
    command = [sys.executable, "-m", "linkage.cli", "demo", "--json", "--kill-at", str(kill_at), *options]
    run = subprocess.run(command, capture_output=True, text=True, timeout=RUN_LIMIT_S, check=False)
    assert run.returncode == 0, f"kill at {kill_at}: exit {run.returncode}\n{run.stderr[-3000:]}"
    assert ("was killed with -9" in run.stderr) == (kill_at > 0), "the fault did not happen"
    said: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return said


def main(steps: list[int]) -> int:
    expected: dict[str, Any] | None = None
    different = 0
    for step in steps:
        outcome = played(step)["outcome"]
        expected = expected or outcome
        is_same = outcome == expected
        different += not is_same
        verdict = "same outcome" if is_same else f"DIFFERS: {_difference(expected, outcome)}"
        print(f"kill at step {step:>2} ({KILL_STEPS[step]}): {len(outcome['orders'])} orders, {verdict}", flush=True)
    print(f"{len(steps)} runs, {different} different")
    return 1 if different else 0


def _difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    return "; ".join(f"{key}: {one[key]} != {other[key]}" for key in one if one[key] != other[key])[:2000]


if __name__ == "__main__":
    sys.exit(main([int(step) for step in sys.argv[1:]] or list(KILL_STEPS)))
