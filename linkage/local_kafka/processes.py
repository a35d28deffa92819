"""What is true of processes and ports right now: from /proc where there is one, else from `ps` and `lsof`."""

import contextlib
import fcntl
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from linkage.local_kafka.errors import DataDirBusy

PROC = Path("/proc")
POLL_S = 0.05
PS_LIMIT_S = 10
CHANGE_LIMIT_S = 2
CHANGE_POLL_S = 0.005
CONNECT_LIMIT_S = 1


@dataclass(frozen=True, slots=True)
class Process:
    """A live process. `resident_mib` is what it holds in memory."""

    pid: int
    command_line: str
    is_paused: bool
    resident_mib: int


def find(pid: int) -> Process | None:
    """The process with this id, until its last thread has ended: only then are its ports and files free.

    While it begins another program or ends it has no command line; that is waited for.
    """
    deadline = time.monotonic() + CHANGE_LIMIT_S
    while (process := _look(pid)) is not None and not process.command_line:
        if time.monotonic() > deadline:
            return None
        time.sleep(CHANGE_POLL_S)
    return process


def find_marked(marker: str) -> Process | None:
    """The process with these words in its command line: found also when its pid file was lost."""
    if _has_proc():
        pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    else:
        pids = [int(line.split()[0]) for line in _ps("-axww", "-o", "pid=,command=") if marker in line]
    for pid in pids:
        process = _look(pid)
        if process is not None and marker in process.command_line:
            return process
    return None


def _look(pid: int) -> Process | None:
    _reap(pid)
    return _from_proc(pid) if _has_proc() else _from_ps(pid)


def _has_proc() -> bool:
    return (PROC / "self" / "cmdline").exists()


def _reap(pid: int) -> None:
    """Let go of a child that has ended: until then it still counts as a process."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _from_proc(pid: int) -> Process | None:
    try:
        command_line = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        facts = (PROC / str(pid) / "status").read_text()
    except OSError:
        return None
    state = re.search(r"^State:\s+(\S)", facts, re.MULTILINE)
    resident = re.search(r"^VmRSS:\s+(\d+)", facts, re.MULTILINE)
    threads = re.search(r"^Threads:\s+(\d+)", facts, re.MULTILINE)
    if state is None or (state[1] in "ZX" and (threads is None or int(threads[1]) <= 1)):
        return None
    return Process(pid, command_line, state[1] in "Tt", int(resident[1]) // 1024 if resident else 0)


def _from_ps(pid: int) -> Process | None:
    lines = _ps("-ww", "-o", "stat=,rss=,command=", "-p", str(pid))
    fields = lines[0].split(maxsplit=2) if lines else []
    if len(fields) < 3 or fields[0].startswith("Z"):
        return None
    is_changing = fields[2].startswith("(")
    return Process(pid, "" if is_changing else fields[2], fields[0].startswith("T"), int(fields[1]) // 1024)


def _ps(*arguments: str) -> list[str]:
    answer = subprocess.run(["ps", *arguments], capture_output=True, text=True, timeout=PS_LIMIT_S, check=False)
    return answer.stdout.splitlines()


def is_port_free(port: int) -> bool:
    """Whether a broker could listen on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(CONNECT_LIMIT_S)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return False
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_holder(port: int) -> str:
    """Who listens on the port, in words."""
    pid = _listener_by_proc(port) if _has_proc() else _listener_by_lsof(port)
    process = find(pid) if pid else None
    return f"process {process.pid} ({process.command_line[:120].strip()})" if process else "another process"


def _listener_by_proc(port: int) -> int | None:
    sockets = set()
    for table in (PROC / "net" / "tcp", PROC / "net" / "tcp6"):
        rows = [row.split() for row in table.read_text().splitlines()[1:]] if table.exists() else []
        sockets |= {f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
    for link in PROC.glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(link) in sockets:
                return int(link.parts[2])
    return None


def _listener_by_lsof(port: int) -> int | None:
    if shutil.which("lsof") is None:
        return None
    asked = ["lsof", "-nP", "-t", f"-iTCP:{port}", "-sTCP:LISTEN"]
    answer = subprocess.run(asked, capture_output=True, text=True, timeout=PS_LIMIT_S, check=False)
    return int(answer.stdout.split()[0]) if answer.stdout.strip() else None


def available_memory_mib() -> int | None:
    """What a new process could have without swapping; None where the system doesn't say."""
    try:
        found = re.search(r"^MemAvailable:\s+(\d+)", (PROC / "meminfo").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) // 1024 if found else None


@contextlib.contextmanager
def exclusive(folder: Path, *, wait_limit_s: float) -> Iterator[None]:
    """One command at a time in a folder. The lock goes with its process, however that ends. Raises `DataDirBusy`."""
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_limit_s
    with (folder / "command.lock").open("a+") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    lock.seek(0)
                    holder = lock.read().strip() or "unknown"
                    raise DataDirBusy(
                        f"Another command (process {holder}) has been at work in {folder} for {wait_limit_s:.0f} s. "
                        "Wait until it ends or stop it, then try again."
                    ) from None
                time.sleep(POLL_S)
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield
