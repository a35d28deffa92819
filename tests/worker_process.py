"""Workers as their users run them: processes, killed and stopped by real signals.

`python -m tests.worker_process SETTINGS_JSON [POINT COUNT ACTION]`: the test's entry point. With a point it acts at the
COUNT-th time that point is reached: `kill` sends itself SIGKILL, `stop` SIGSTOP, and leaves a line on stdout first:
`reached POINT COUNT MS`, with the wall clock's milliseconds since 1970.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable

from linkage.settings import WorkerSettings
from linkage.worker.app import run

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def _acting_at(point: str, count: int, action: str) -> Callable[[str], None]:
    reached = 0

    def at_point(name: str) -> None:
        nonlocal reached
        if name != point:
            return
        reached += 1
        if reached == count:
            print(f"reached {point} {count} {time.time_ns() // 1_000_000}", flush=True)
            os.kill(os.getpid(), SIGNALS[action])

    return at_point


def main() -> None:
    settings = WorkerSettings(**json.loads(sys.argv[1]))
    at_point = _acting_at(sys.argv[2], int(sys.argv[3]), sys.argv[4]) if len(sys.argv) > 2 else None
    run(settings, at_point)


if __name__ == "__main__":
    main()
