"""The behaviour suite is one suite: what is promised on the memory log is promised on Apache Kafka."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def collected(module: str) -> list[str]:
    """The test ids of a module, without its name."""
    arguments = ["-m", "pytest", "--collect-only", "-q", "-o", "addopts=", str(FOLDER / module)]
    answer = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, timeout=120, cwd=FOLDER.parents[1]
    )
    return [line.partition("::")[2] for line in answer.stdout.splitlines() if "::" in line]


def test_both_logs_have_the_same_tests() -> None:
    """The same ids in the same order, and not none."""
    in_memory, on_kafka = collected("test_memory.py"), collected("test_kafka.py")
    assert in_memory == on_kafka
    assert len(in_memory) > 30
