"""The peers that run in processes of their own: default Faust, and Kafka Streams where there is a `javac`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.measuring import Measured
from linkage.local_kafka.jars import KAFKA_VERSION

SOURCE = Path(__file__).parent / "kafka_streams" / "Peer.java"
PEER_LIMIT_S = 300
WARM_SHARE = 0.5
"""Of the events: the JVM compiles while it runs, so the first half is not counted."""


def default_faust(servers: str, events: int, names: list[str]) -> Measured:
    """Until every event is through both hops; CPU of its process from the first event on."""
    told = _told([sys.executable, "-m", "bench.default_faust", servers, str(events), *names])
    return Measured("default Faust, Table", events, told["wall_s"], told["cpu_s"])


class KafkaStreams:
    """The Java peer, compiled once. `missing`: why there is none."""

    def __init__(self) -> None:
        self.missing: str | None = None
        self._folder = tempfile.mkdtemp(prefix="linkage-bench-classes-")
        self._class_path = ""
        if shutil.which("javac") is None or shutil.which("java") is None:
            self.missing = "this machine has no javac"
            return
        try:
            import jgo

            jars = jgo.build(f"org.apache.kafka:kafka-streams:{KAFKA_VERSION}").all_jars
            self._class_path = os.pathsep.join(str(jar) for jar in jars)
            command = ["javac", "-cp", self._class_path, "-d", self._folder, str(SOURCE)]
            subprocess.run(command, check=True, capture_output=True, timeout=PEER_LIMIT_S)
        except Exception as error:  # jgo fails in many ways
            self.missing = f"Kafka Streams could not be made ready: {type(error).__name__}"

    def run(self, servers: str, events: int, names: list[str]) -> Measured:
        warm = int(events * WARM_SHARE)
        class_path = os.pathsep.join((self._folder, self._class_path))
        command = ["java", "-Xmx256m", "-cp", class_path, "Peer", servers, names[1], str(warm), str(events - warm)]
        told = _told([*command, *names])
        return Measured("Kafka Streams exactly_once_v2", events - warm, told["wall_s"], told["cpu_s"])

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _told(command: list[str]) -> dict[str, float]:
    """The JSON line that the peer prints when it is done."""
    done = subprocess.run(command, capture_output=True, timeout=PEER_LIMIT_S, check=False)
    lines = [line for line in done.stdout.decode().splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"{command[:3]} said nothing: {done.stderr.decode()[-1_000:]}")
    found: dict[str, float] = json.loads(lines[-1])
    return found
