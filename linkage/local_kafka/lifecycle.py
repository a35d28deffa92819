"""Start, stop, status, and the faults that tests inject.

Each function can be killed at any point: what it left is found again, by the command lines of processes and by files
that are written whole.
"""

import signal as signals
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from linkage.local_kafka import cluster as clusters
from linkage.local_kafka import processes
from linkage.local_kafka.broker import format_storage, launch, process_of, reason_of_death, send, wait_until_gone
from linkage.local_kafka.cluster import Broker, Cluster, KafkaSpec
from linkage.local_kafka.errors import ClusterMismatch, NoSuchBroker, StartTimeout
from linkage.local_kafka.jars import cache_dir, class_path
from linkage.local_kafka.java import Launcher, find_java
from linkage.local_kafka.preconditions import check_ports, check_records, check_room, full_disk_named
from linkage.local_kafka.probe import registered_brokers

START_LIMIT_S = 90
STOP_LIMIT_S = 15
KILL_LIMIT_S = 10
PAUSE_LIMIT_S = 10
COMMAND_WAIT_LIMIT_S = 60

Progress = Callable[[str], None]
State = Literal["running", "paused", "stopped"]


@dataclass(frozen=True, slots=True)
class RunningKafka:
    """A cluster of which every broker answers. It goes on running until `stop`."""

    data_dir: Path
    bootstrap_servers: str
    node_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    """One broker right now; `pid` and `resident_mib` (memory held, MiB) are None when it is stopped."""

    node_id: int
    port: int
    state: State
    pid: int | None
    resident_mib: int | None
    log_file: Path


@dataclass(frozen=True, slots=True)
class KafkaStatus:
    """Every broker the folder knows, none where no cluster was ever started."""

    data_dir: Path
    bootstrap_servers: str
    brokers: tuple[BrokerStatus, ...]

    @property
    def running(self) -> tuple[BrokerStatus, ...]:
        return tuple(broker for broker in self.brokers if broker.state == "running")


def _quiet(_: str) -> None:
    """Say nothing."""


def start(spec: KafkaSpec, progress: Progress = _quiet) -> RunningKafka:
    """Run the cluster and return once every broker answers and knows all others; brokers that run already stay.

    Data, cluster id and ports are those of the last start in this folder. Whoever is paused is resumed. When it
    fails, what this call started is ended again. Raises the errors of `linkage.local_kafka.errors`.
    """
    data_dir = _resolved(spec.data_dir)
    with full_disk_named(data_dir), processes.exclusive(data_dir, wait_limit_s=COMMAND_WAIT_LIMIT_S):
        known = clusters.load(data_dir)
        if known is not None and any(process_of(broker) for broker in known.brokers):
            _check_same(spec, known)
            cluster = known
        else:
            cluster = clusters.remember(spec, data_dir)
        _bring_up(cluster, cluster.brokers, progress)
    return RunningKafka(data_dir, cluster.bootstrap_servers, tuple(broker.node_id for broker in cluster.brokers))


def start_broker(data_dir: Path, node_id: int, progress: Progress = _quiet) -> None:
    """Run one broker of a known cluster and return once it answers and is registered; a running one stays."""
    data_dir = _resolved(data_dir)
    with full_disk_named(data_dir), processes.exclusive(data_dir, wait_limit_s=COMMAND_WAIT_LIMIT_S):
        cluster = _known(data_dir)
        _bring_up(cluster, (cluster.broker(node_id),), progress)


def stop(data_dir: Path, progress: Progress = _quiet) -> None:
    """End every broker: SIGTERM, after STOP_LIMIT_S SIGKILL. Records stay. Nothing happens where nothing runs."""
    data_dir = _resolved(data_dir)
    if clusters.load(data_dir) is None:
        return
    with processes.exclusive(data_dir, wait_limit_s=COMMAND_WAIT_LIMIT_S):
        _take_down(_known(data_dir).brokers, progress)


def status(data_dir: Path) -> KafkaStatus:
    """What runs in this folder. Changes nothing and waits for nobody."""
    data_dir = _resolved(data_dir)
    cluster = clusters.load(data_dir)
    if cluster is None:
        return KafkaStatus(data_dir, "", ())
    return KafkaStatus(data_dir, cluster.bootstrap_servers, tuple(_status_of(broker) for broker in cluster.brokers))


def kill_broker(data_dir: Path, node_id: int, signal: signals.Signals = signals.SIGKILL) -> None:
    """Send a running broker a signal; return when it is gone, if the signal is one that ends it.

    Raises `NoSuchBroker` when it doesn't run, `StartTimeout` when it isn't gone after STOP_LIMIT_S.
    """
    broker = _known(_resolved(data_dir)).broker(node_id)
    process = send(broker, signal)
    if process is None:
        raise NoSuchBroker(f"Broker {node_id} of {data_dir} doesn't run: start it first.")
    is_fatal = signal in (signals.SIGKILL, signals.SIGTERM, signals.SIGINT)
    if is_fatal and not wait_until_gone(broker, process, STOP_LIMIT_S):
        raise StartTimeout(f"Broker {node_id} still runs {STOP_LIMIT_S} s after {signal.name}. Send SIGKILL.")


def pause_broker(data_dir: Path, node_id: int) -> None:
    """Make a broker stand still (SIGSTOP): it keeps its connections and answers nothing. Returns when it does."""
    kill_broker(data_dir, node_id, signals.SIGSTOP)
    _wait_until_state(data_dir, node_id, "paused")


def resume_broker(data_dir: Path, node_id: int) -> None:
    """Let a paused broker go on (SIGCONT). Returns when it does."""
    kill_broker(data_dir, node_id, signals.SIGCONT)
    _wait_until_state(data_dir, node_id, "running")


def _wait_until_state(data_dir: Path, node_id: int, wanted: State) -> None:
    broker = _known(_resolved(data_dir)).broker(node_id)
    deadline = time.monotonic() + PAUSE_LIMIT_S
    while (state := _status_of(broker).state) != wanted:
        if state == "stopped":
            raise NoSuchBroker(f"Broker {node_id} of {data_dir} ended: start it first.")
        if time.monotonic() > deadline:
            raise StartTimeout(f"Broker {node_id} is {state}, not {wanted}, after {PAUSE_LIMIT_S} s. Try again.")
        time.sleep(processes.POLL_S)


def _resolved(data_dir: Path) -> Path:
    return data_dir.expanduser().resolve()


def _known(data_dir: Path) -> Cluster:
    cluster = clusters.load(data_dir)
    if cluster is None:
        raise NoSuchBroker(f"No cluster was ever started in {data_dir}.")
    return cluster


def _check_same(spec: KafkaSpec, running: Cluster) -> None:
    if spec.brokers != len(running.brokers) or spec.first_port not in (None, running.brokers[0].port):
        raise ClusterMismatch(
            f"{running.data_dir} already runs {len(running.brokers)} brokers on {running.bootstrap_servers}. "
            "Ask for those, stop it first, or choose another folder."
        )


def _bring_up(cluster: Cluster, wanted: tuple[Broker, ...], progress: Progress) -> None:
    missing = [broker for broker in wanted if process_of(broker) is None]
    for broker in wanted:
        send(broker, signals.SIGCONT)
    if missing:
        check_ports(missing)
        check_records(missing)
        check_room(cluster, len(missing))
        launcher = Launcher.of(find_java(), class_path(progress), cache_dir())
        format_storage(cluster, missing, launcher, progress)
    began = time.monotonic()
    try:
        for broker in missing:
            progress(f"starting broker {broker.node_id} on 127.0.0.1:{broker.port}")
            launch(cluster, broker, launcher)
        _wait_until_ready(wanted)
    except BaseException:
        for broker in missing:
            if process := send(broker, signals.SIGKILL):
                wait_until_gone(broker, process, KILL_LIMIT_S)
        raise
    if missing:
        progress(f"ready after {time.monotonic() - began:.1f} s: {cluster.bootstrap_servers}")


def _wait_until_ready(brokers: tuple[Broker, ...]) -> None:
    """Ready: each one answers, and knows each other as registered at its port."""
    expected = {broker.node_id: broker.port for broker in brokers}
    waiting = list(brokers)
    deadline = time.monotonic() + START_LIMIT_S
    while waiting:
        broker = waiting[0]
        if process_of(broker) is None:
            raise reason_of_death(broker)
        known = registered_brokers(broker.port)
        if known is not None and expected.items() <= known.items():
            waiting.pop(0)
        elif time.monotonic() > deadline:
            raise StartTimeout(
                f"Broker {broker.node_id} on 127.0.0.1:{broker.port} wasn't ready after {START_LIMIT_S} s "
                f"(it knows: {known or 'no answer'}). Its log: {broker.log_file}"
            )
        else:
            time.sleep(processes.POLL_S)


def _take_down(brokers: tuple[Broker, ...], progress: Progress) -> None:
    running = [(broker, process) for broker in brokers if (process := send(broker, signals.SIGCONT))]
    for broker, _ in running:
        send(broker, signals.SIGTERM)
    deadline = time.monotonic() + STOP_LIMIT_S
    for broker, process in running:
        if wait_until_gone(broker, process, deadline - time.monotonic()):
            progress(f"broker {broker.node_id} stopped")
            continue
        progress(f"broker {broker.node_id} didn't stop in {STOP_LIMIT_S} s: killed")
        send(broker, signals.SIGKILL)
        if not wait_until_gone(broker, process, KILL_LIMIT_S):
            raise StartTimeout(f"Broker {broker.node_id} is there {KILL_LIMIT_S} s after SIGKILL: is its disk stuck?")


def _status_of(broker: Broker) -> BrokerStatus:
    process = process_of(broker)
    if process is None:
        return BrokerStatus(broker.node_id, broker.port, "stopped", None, None, broker.log_file)
    state: State = "paused" if process.is_paused else "running"
    return BrokerStatus(broker.node_id, broker.port, state, process.pid, process.resident_mib, broker.log_file)
