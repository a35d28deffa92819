"""What must be true before a broker is started: said before, instead of found in its log afterwards."""

import contextlib
import errno
import fcntl
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from linkage.local_kafka.cluster import Broker, Cluster
from linkage.local_kafka.errors import DataDirBusy, DiskFull, NotEnoughMemory, PortTaken
from linkage.local_kafka.processes import available_memory_mib, is_port_free, port_holder

OUTSIDE_HEAP_MIB = 100
LEAST_FREE_DISK_MIB = 256


def check_ports(brokers: Sequence[Broker]) -> None:
    """Raises `PortTaken` with who has it."""
    for broker in brokers:
        for port in (broker.port, broker.controller_port):
            if not is_port_free(port):
                raise port_taken(port)


def port_taken(port: int) -> PortTaken:
    """The error for a port that another process has."""
    return PortTaken(
        f"Port {port} on 127.0.0.1 is taken by {port_holder(port)}. Stop that, or start with another first port."
    )


def check_records(brokers: Sequence[Broker]) -> None:
    """Raises `DataDirBusy` when another Kafka has a broker's records open: a second one would write its metadata
    before it finds that out by itself.
    """
    for broker in brokers:
        try:
            with (broker.records_dir / ".lock").open("r+") as lock:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            continue
        except (BlockingIOError, PermissionError):
            raise records_open(broker) from None


def records_open(broker: Broker) -> DataDirBusy:
    """The error for records that a Kafka has open which isn't the one of this folder."""
    return DataDirBusy(f"A Kafka that we didn't start has {broker.records_dir} open. End it, or choose another folder.")


def check_room(cluster: Cluster, count: int) -> None:
    """Raises `NotEnoughMemory` or `DiskFull` when `count` more brokers don't fit."""
    needed_mib = count * (cluster.heap_mib + OUTSIDE_HEAP_MIB)
    available_mib = available_memory_mib()
    if available_mib is not None and available_mib < needed_mib:
        raise NotEnoughMemory(
            f"{count} brokers with a heap of {cluster.heap_mib} MiB need about {needed_mib} MiB of memory, "
            f"{available_mib} MiB are available. End something else, or ask for a smaller heap or one broker."
        )
    free_mib = shutil.disk_usage(cluster.data_dir).free // 2**20
    if free_mib < LEAST_FREE_DISK_MIB:
        raise DiskFull(
            f"{free_mib} MiB are free where {cluster.data_dir} is, a broker needs {LEAST_FREE_DISK_MIB}. "
            "Make room, or choose a folder on another disk."
        )


@contextlib.contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """A write that finds no room raises `DiskFull` with the folder, instead of a bare OSError."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(f"The disk of {folder} is full. Make room, or choose a folder on another disk.") from error
