"""One broker as a process of its own: format its storage, launch it, find it, signal it, say why it died."""

import os
import re
import signal as signals
import subprocess
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress

from linkage.local_kafka import processes
from linkage.local_kafka.cluster import Broker, Cluster, write_configuration
from linkage.local_kafka.errors import BrokerDied, DiskFull, LocalKafkaError, NotEnoughMemory
from linkage.local_kafka.java import Launcher, adopt_archive, training_archive
from linkage.local_kafka.preconditions import port_taken, records_open

FORMAT_LIMIT_S = 60
LOG_TAIL_LINES = 15
LOG_TAIL_BYTES = 262_144


def format_storage(
    cluster: Cluster, brokers: Sequence[Broker], launcher: Launcher, progress: Callable[[str], None]
) -> None:
    """Write configurations, and prepare the storage of brokers that have none yet, all at once."""
    for broker in brokers:
        write_configuration(cluster, broker)
    running = []
    for broker in brokers:
        if not broker.is_formatted:
            main = ["kafka.tools.StorageTool", "format", "-t", cluster.cluster_id, "-c", str(broker.properties_file)]
            running.append((broker, _spawn(broker, launcher.command(_flags(cluster, broker), main), launcher)))
    if running:
        progress("formatting storage")
    for broker, process in running:
        try:
            process.wait(FORMAT_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if not broker.is_formatted:
            raise reason_of_death(broker)


def launch(cluster: Cluster, broker: Broker, launcher: Launcher) -> None:
    """Start the broker, detached: it lives on when we end."""
    training_name = None
    if broker.node_id == 1:  # three that write at their end at once would only slow each other
        training_name = f"{zlib.crc32(str(cluster.data_dir).encode()):08x}"
    flags = [*_flags(cluster, broker), broker.marker.strip()]
    main = ["kafka.Kafka", str(broker.properties_file)]
    process = _spawn(broker, launcher.command(flags, main, training_name=training_name), launcher)
    broker.pid_file.write_text(str(process.pid))
    process.returncode = 0  # Disowned: from here on it is found, and reaped, by its pid.


def _flags(cluster: Cluster, broker: Broker) -> list[str]:
    return [
        f"-Xmx{cluster.heap_mib}m",
        "-XX:+ExitOnOutOfMemoryError",
        f"-XX:ErrorFile={broker.folder}/hs_err.log",
        "-Djava.awt.headless=true",
        "-Dlog4j2.disableJmx=true",
        f"-Dlog4j2.configurationFile={broker.folder}/log4j2.properties",
        f"-Dlinkage.log={broker.log_file}",
    ]


def _spawn(broker: Broker, command: list[str], launcher: Launcher) -> subprocess.Popen[bytes]:
    with broker.console_file.open("wb") as console:
        return subprocess.Popen(
            command,
            cwd=broker.folder,
            env=launcher.environment(),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def process_of(broker: Broker) -> processes.Process | None:
    """The broker's process. Its pid file may be stale, lost, or name a stranger: the command line decides."""
    with suppress(OSError, ValueError):
        process = processes.find(int(broker.pid_file.read_text()))
        if process is not None and broker.marker in process.command_line:
            return process
    return processes.find_marked(broker.marker)


def send(broker: Broker, signal: signals.Signals) -> processes.Process | None:
    """The process that it was sent to, if there was one."""
    process = process_of(broker)
    if process is None:
        return None
    trained = training_archive(process.command_line)
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal)
    if trained is not None and signal is signals.SIGKILL:
        adopt_archive(trained, ended_by_itself=False)
    return process


def wait_until_gone(broker: Broker, process: processes.Process, limit_s: float) -> bool:
    """Whether the broker's process ended within the limit; what it leaves for later starts is put in place.

    It is known by its id: while it ends it has its ports still, but no longer the command line to find it by.
    """
    deadline = time.monotonic() + limit_s
    while (now := processes.find(process.pid)) is not None and broker.marker in now.command_line:
        if time.monotonic() > deadline:
            return False
        time.sleep(processes.POLL_S)
    trained = training_archive(process.command_line)
    if trained is not None:
        adopt_archive(trained, ended_by_itself=True)
    broker.pid_file.unlink(missing_ok=True)
    return True


def reason_of_death(broker: Broker) -> LocalKafkaError:
    """The error for a broker that ended by itself, from what it and Java said last."""
    said = _said_last(broker)
    if "Address already in use" in said:
        taken = [port for port in (broker.port, broker.controller_port) if not processes.is_port_free(port)]
        return port_taken(taken[0] if taken else broker.port)
    if "Failed to acquire lock" in said:
        return records_open(broker)
    if "No space left on device" in said:
        return DiskFull(f"The disk of {broker.folder} is full. Make room, or choose a folder on another disk.")
    if re.search(r"OutOfMemoryError|insufficient memory|Could not reserve enough", said):
        return NotEnoughMemory(
            f"Broker {broker.node_id} ran out of memory. Ask for a larger heap, or free memory.\n{said}"
        )
    return BrokerDied(
        f"Broker {broker.node_id} ended while it started. Its logs are in {broker.folder}; the last lines:\n{said}"
    )


def _said_last(broker: Broker) -> str:
    """What Java and Kafka said last in this run: what went wrong, where a line says so, without stack frames."""
    lines: list[str] = []
    for file in (broker.console_file, broker.log_file):
        with suppress(OSError):
            text = file.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
            lines += [line for line in text.splitlines() if not line.startswith("\t")]
    telling = [line for line in lines if re.search(r" ERROR | FATAL |^Caused by|Exception|Error\b|insufficient", line)]
    return "\n".join((telling or lines)[-LOG_TAIL_LINES:])
