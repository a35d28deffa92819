"""What a data folder remembers, and the configuration of each broker in it.

cluster.json            cluster id, ports, heap: written once, whole, before anything else
command.lock            held while a command is at work
node-1/server.properties, log4j2.properties     written anew at each start
node-1/pid              a hint only: who runs is told by the command line of the process
node-1/server.log       Kafka's own log of this run; node-1/console.log: what Java itself says
node-1/data/            the records
"""

import base64
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from linkage.local_kafka.errors import ClusterMismatch, NoSuchBroker, PortTaken
from linkage.local_kafka.processes import is_port_free

HEAP_MIB = 160
LEAST_HEAP_MIB = 96
BROKERS_LIMIT = 9
# Below the ephemeral ranges of Linux and macOS: no outgoing connection takes a remembered port.
FIRST_FREE_PORT = 20_000
FREE_PORTS_COUNT = 10_000
SESSION_TIMEOUT_MS = 3_000
LOG_FILE_LIMIT_MIB = 10
LOG_FILES_COUNT = 3
INTERNAL_PARTITIONS_COUNT = 4


@dataclass(frozen=True, slots=True)
class KafkaSpec:
    """What to run.

    `brokers`: 1, or 3 and more with replication factor 3 (at least 2 in sync). `first_port`: brokers listen on
    `first_port` and the next ones, their controllers on those after that; None: free ones, remembered in the folder.
    `heap_mib`: of each broker, which takes about 100 MiB beside it. `properties`: of Kafka's, (name, value) each, set
    over ours. Raises ValueError for numbers that can't work.
    """

    data_dir: Path
    brokers: int = 1
    first_port: int | None = None
    heap_mib: int = HEAP_MIB
    properties: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.brokers != 1 and not 3 <= self.brokers <= BROKERS_LIMIT:
            raise ValueError(f"brokers must be 1, or 3 to {BROKERS_LIMIT}: two can't lose one; got {self.brokers}")
        if self.heap_mib < LEAST_HEAP_MIB:
            raise ValueError(f"heap_mib must be at least {LEAST_HEAP_MIB}; got {self.heap_mib}")
        if self.first_port is not None and not 1 <= self.first_port <= 65_536 - 2 * self.brokers:
            raise ValueError(
                f"first_port must leave room for {2 * self.brokers} ports up to 65535; got {self.first_port}"
            )


@dataclass(frozen=True, slots=True)
class Broker:
    """One node: broker and controller in one process, with a folder of its own."""

    node_id: int
    port: int
    controller_port: int
    folder: Path

    @property
    def properties_file(self) -> Path:
        return self.folder / "server.properties"

    @property
    def pid_file(self) -> Path:
        return self.folder / "pid"

    @property
    def log_file(self) -> Path:
        return self.folder / "server.log"

    @property
    def console_file(self) -> Path:
        return self.folder / "console.log"

    @property
    def records_dir(self) -> Path:
        return self.folder / "data"

    @property
    def is_formatted(self) -> bool:
        """Formatting writes this file last."""
        return (self.records_dir / "meta.properties").exists()

    @property
    def marker(self) -> str:
        """Words that only this broker's command line has."""
        return f"-Dlinkage.broker={self.properties_file} "


@dataclass(frozen=True, slots=True)
class Cluster:
    """The brokers of one data folder, in order of node id from 1."""

    data_dir: Path
    cluster_id: str
    heap_mib: int
    brokers: tuple[Broker, ...]
    properties: tuple[tuple[str, str], ...] = ()

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    def broker(self, node_id: int) -> Broker:
        """Raises `NoSuchBroker`."""
        for broker in self.brokers:
            if broker.node_id == node_id:
                return broker
        raise NoSuchBroker(f"{self.data_dir} has brokers 1 to {len(self.brokers)}, none with node id {node_id}.")


def load(data_dir: Path) -> Cluster | None:
    """The remembered cluster, None where there is none. Raises `ClusterMismatch` when the record can't be read."""
    record = data_dir / "cluster.json"
    try:
        fields = json.loads(record.read_text())
        ports: list[list[int]] = fields["ports"]
        more = tuple((str(name), str(value)) for name, value in fields.get("properties", {}).items())
        return _cluster(data_dir, str(fields["cluster_id"]), int(fields["heap_mib"]), ports, more)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ClusterMismatch(
            f"{record} isn't readable ({error}). Delete {data_dir} (its records go with it)."
        ) from error


def remember(spec: KafkaSpec, data_dir: Path) -> Cluster:
    """The cluster to run: the remembered one with the ports and the heap asked for now, or a new one. It is recorded.

    Raises `ClusterMismatch` when the folder holds another number of brokers, `PortTaken` when no port is free.
    """
    known = load(data_dir)
    if known is not None and len(known.brokers) != spec.brokers:
        raise ClusterMismatch(
            f"{data_dir} holds a cluster of {len(known.brokers)}, not {spec.brokers} brokers. "
            "Ask for that number, or choose another folder."
        )
    if known is not None and spec.first_port is None:
        ports = [[broker.port, broker.controller_port] for broker in known.brokers]
    else:
        ports = _ports(spec, data_dir)
    cluster_id = (
        known.cluster_id if known is not None else "l" + base64.urlsafe_b64encode(os.urandom(16)).decode()[1:22]
    )
    cluster = _cluster(data_dir, cluster_id, spec.heap_mib, ports, spec.properties)
    _write_whole(data_dir / "cluster.json", json.dumps(_record(cluster), indent=2))
    return cluster


def _cluster(
    data_dir: Path, cluster_id: str, heap_mib: int, ports: list[list[int]], properties: tuple[tuple[str, str], ...]
) -> Cluster:
    brokers = (
        Broker(node_id, port, controller_port, data_dir / f"node-{node_id}")
        for node_id, (port, controller_port) in enumerate(ports, start=1)
    )
    return Cluster(data_dir, cluster_id, heap_mib, tuple(brokers), properties)


def _record(cluster: Cluster) -> dict[str, object]:
    ports = [[broker.port, broker.controller_port] for broker in cluster.brokers]
    properties = dict(cluster.properties)
    return {"cluster_id": cluster.cluster_id, "heap_mib": cluster.heap_mib, "ports": ports, "properties": properties}


def _ports(spec: KafkaSpec, data_dir: Path) -> list[list[int]]:
    if spec.first_port is not None:
        first = spec.first_port
        return [[first + index, first + spec.brokers + index] for index in range(spec.brokers)]
    free = _free_ports(data_dir)
    try:
        return [[next(free), next(free)] for _ in range(spec.brokers)]
    except StopIteration:
        last = FIRST_FREE_PORT + FREE_PORTS_COUNT - 1
        raise PortTaken(f"No free port from {FIRST_FREE_PORT} to {last}. Choose one: first_port.") from None


def _free_ports(data_dir: Path) -> Iterator[int]:
    """Each folder looks from another place on, so that two that start at the same time don't meet."""
    start = zlib.crc32(str(data_dir).encode())
    for step in range(FREE_PORTS_COUNT):
        port = FIRST_FREE_PORT + (start + step) % FREE_PORTS_COUNT
        if is_port_free(port):
            yield port


def write_configuration(cluster: Cluster, broker: Broker) -> None:
    """The files that one broker reads when it starts."""
    broker.folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name}={value}" for name, value in _properties(cluster, broker).items()]
    _write_whole(broker.properties_file, "\n".join(lines) + "\n")
    _write_whole(broker.folder / "log4j2.properties", _LOGGING.format(limit=LOG_FILE_LIMIT_MIB, count=LOG_FILES_COUNT))


def _properties(cluster: Cluster, broker: Broker) -> dict[str, object]:
    replicas = min(len(cluster.brokers), 3)
    in_sync = max(replicas - 1, 1)
    voters = ",".join(f"{each.node_id}@127.0.0.1:{each.controller_port}" for each in cluster.brokers)
    listeners = f"PLAINTEXT://127.0.0.1:{broker.port},CONTROLLER://127.0.0.1:{broker.controller_port}"
    internal: dict[str, object] = {}
    for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        internal[f"{topic}.num.partitions"] = INTERNAL_PARTITIONS_COUNT
        internal[f"{topic}.replication.factor"] = replicas
    return {
        "process.roles": "broker,controller",
        "node.id": broker.node_id,
        "listeners": listeners,
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.quorum.voters": voters,
        "log.dirs": broker.records_dir,
        **internal,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.min.isr": in_sync,
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        **_BEHAVIOUR,
        **_SMALL,
        **(_FAST_ELECTION if replicas > 1 else {}),
        **dict(cluster.properties),
    }


_BEHAVIOUR = {
    "auto.create.topics.enable": "false",
    "delete.topic.enable": "true",
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
    # A lost broker's partitions move after 4 s instead of 10, and a killed one may register again as soon.
    "broker.session.timeout.ms": SESSION_TIMEOUT_MS,
    "broker.heartbeat.interval.ms": 500,
}

_SMALL = {
    "log.cleaner.threads": 1,
    "log.cleaner.dedupe.buffer.size": 4_194_304,
    "log.index.size.max.bytes": 1_048_576,
    "offsets.load.buffer.size": 1_048_576,
    "transaction.state.log.load.buffer.size": 1_048_576,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
}

_FAST_ELECTION = {
    "controller.quorum.fetch.timeout.ms": 1_000,
    "controller.quorum.election.timeout.ms": 500,
}

_LOGGING = """\
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName=${{sys:linkage.log}}
appender.file.filePattern=${{sys:linkage.log}}.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d %p %c{{1}} %m%n
appender.file.policies.type=Policies
appender.file.policies.start.type=OnStartupTriggeringPolicy
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size={limit}MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max={count}
rootLogger.level=info
rootLogger.appenderRef.file.ref=file
"""


def _write_whole(path: Path, text: str) -> None:
    """The old text or the new one, never a part, whenever we are killed."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text)
    partial.replace(path)
