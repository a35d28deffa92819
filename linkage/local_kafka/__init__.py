"""A real Apache Kafka on this machine: what `linkage kafka start`, the demo and the tests run.

`start` brings up one or three brokers (KRaft, loopback only) in a folder, `stop` ends them, `status` tells what runs.
The brokers are processes of their own: they outlive who started them, and a later `start` finds them again. The parts:

- `errors`: what can go wrong, each with what to do next
- `java`, `jars`: what a broker runs on
- `cluster`: what the folder remembers, and each broker's configuration
- `processes`, `probe`: what is true of a process, and of a broker
- `preconditions`: ports, memory and disk, looked at before a broker is started
- `broker`: one broker's process
- `lifecycle`: start, stop, status and the faults that tests inject

POSIX only: signals and file locks.
"""

from linkage.local_kafka.cluster import KafkaSpec
from linkage.local_kafka.errors import (
    BrokerDied,
    ClusterMismatch,
    DataDirBusy,
    DiskFull,
    JarsUnavailable,
    LocalKafkaError,
    NoJava,
    NoSuchBroker,
    NotEnoughMemory,
    PortTaken,
    StartTimeout,
)
from linkage.local_kafka.jars import KAFKA_VERSION
from linkage.local_kafka.lifecycle import (
    BrokerStatus,
    KafkaStatus,
    RunningKafka,
    kill_broker,
    pause_broker,
    resume_broker,
    start,
    start_broker,
    status,
    stop,
)

__all__ = [
    "KAFKA_VERSION",
    "BrokerDied",
    "BrokerStatus",
    "ClusterMismatch",
    "DataDirBusy",
    "DiskFull",
    "JarsUnavailable",
    "KafkaSpec",
    "KafkaStatus",
    "LocalKafkaError",
    "NoJava",
    "NoSuchBroker",
    "NotEnoughMemory",
    "PortTaken",
    "RunningKafka",
    "StartTimeout",
    "kill_broker",
    "pause_broker",
    "resume_broker",
    "start",
    "start_broker",
    "status",
    "stop",
]
