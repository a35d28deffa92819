"""A worker process of a test: started with its own hash seed, asked over its web pages, killed, stopped, resumed."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import aiohttp

from linkage.settings import WorkerSettings


class CountySettings(WorkerSettings):
    """A worker's settings, and how many hub partitions the test's county has; a worker finds that out by itself."""

    partitions_count: int


ROOT = Path(__file__).parent.parent
ASK_LIMIT_S = 2.0
PAUSE_S = 0.05
END_LIMIT_S = 15.0


@dataclass(frozen=True, slots=True)
class Doom:
    """At the `count`-th time that `point` is reached the worker does `action` to itself: `kill` (-9), `stop`, `hang`.

    `tell`: nothing, it is only told that the point was reached.
    """

    point: str
    count: int = 1
    action: str = "kill"


@dataclass(frozen=True, slots=True)
class Plan:
    """What befalls a worker: see `tests/worker_process.py`."""

    doom: Doom | None = None
    clock_offset_ms: int = 0
    group_suffix: str = ""
    own_network: bool = False


NOTHING = Plan()


@dataclass(frozen=True, slots=True)
class LogLine:
    """One structlog event of a worker. `at_ms`: wall clock, milliseconds since 1970."""

    at_ms: int
    event: str
    fields: dict[str, Any]


class WorkerProcess:
    """One worker. Its output stands in two files of the test's folder."""

    def __init__(self, process: subprocess.Popen[bytes], name: str, folder: Path, web_port: int) -> None:
        self.process = process
        self.name = name
        self.web_port = web_port
        self.started_ms = self.now_ms()
        self._stdout, self._stderr = _outputs(folder, name)
        self._armed = _armed(folder, name)

    @classmethod
    def start(cls, settings: WorkerSettings, name: str, folder: Path, hash_seed: int, plan: Plan = NOTHING) -> Self:
        port = _free_port()
        told = settings.model_copy(update={"web_port": port, "log_json": True}).model_dump_json()
        doom = astuple(plan.doom) if plan.doom else None
        planned = json.dumps({**asdict(plan), "doom": doom, "armed": str(_armed(folder, name))})
        stdout, stderr = _outputs(folder, name)
        with stdout.open("wb") as out, stderr.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.worker_process", told, planned],
                cwd=folder,
                env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)},
                stdout=out,
                stderr=err,
            )
        return cls(process, name, folder, port)

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """As `subprocess` has it: the negative signal number when a signal ended it; None while it runs."""
        return self.process.poll()

    @staticmethod
    def now_ms() -> int:
        """Wall clock, milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def kill(self) -> int:
        """kill -9. Returns the wall clock's milliseconds."""
        return self._signal(signal.SIGKILL)

    def terminate(self) -> int:
        return self._signal(signal.SIGTERM)

    def suspend(self) -> int:
        """SIGSTOP: from now on it is a zombie in the making."""
        return self._signal(signal.SIGSTOP)

    def resume(self) -> int:
        return self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> int:
        at_ms = self.now_ms()
        self.process.send_signal(number)
        return at_ms

    def arm(self, doom: Doom) -> None:
        """From now on: the next `count` times."""
        partial = self._armed.with_suffix(".partial")
        partial.write_text(json.dumps(astuple(doom)))
        partial.rename(self._armed)

    async def ended(self, limit_s: float = END_LIMIT_S) -> int:
        """Its exit status, once it has ended."""
        async with asyncio.timeout(limit_s):
            while (status := self.exit_status) is None:  # noqa: ASYNC110  a process tells nobody
                await asyncio.sleep(PAUSE_S)
            return status

    async def reached(self, point: str, limit_s: float, since_ms: int = 0) -> int:
        """When it reached the point of its doom, last, in the wall clock's milliseconds."""
        async with asyncio.timeout(limit_s):
            while (at_ms := self._reached_ms(point)) is None or at_ms < since_ms:  # noqa: ASYNC110  a file tells nobody
                await asyncio.sleep(PAUSE_S)
            return at_ms

    def _reached_ms(self, point: str) -> int | None:
        last: int | None = None
        for line in self._stdout.read_text(encoding="utf-8").splitlines():
            match line.split():
                case ["reached", found, _count, at_ms] if found == point:
                    last = int(at_ms)
        return last

    async def ask(self, page: str) -> tuple[int, str]:
        """(HTTP status, body) of `/readyz`, `/healthz` or `/metrics`; (0, why not) when it does not answer."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ASK_LIMIT_S)) as session,
                session.get(f"http://127.0.0.1:{self.web_port}{page}") as answer,
            ):
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, f"{type(error).__name__}: {error}"

    async def is_in_own_network(self, limit_s: float) -> None:
        """Returns once it is."""
        async with asyncio.timeout(limit_s):
            while "network" not in self._stdout.read_text(encoding="utf-8"):  # noqa: ASYNC110  a file tells nobody
                await asyncio.sleep(PAUSE_S)

    async def share(self) -> tuple[bool, frozenset[int]]:
        """(is it ready, the partitions assigned to it), as `/readyz` tells."""
        status, body = await self.ask("/readyz")
        return status == 200, frozenset(json.loads(body)["assigned"]) if status in (200, 503) else frozenset()

    def log(self, event: str | None = None) -> Iterator[LogLine]:
        """Its structlog events so far, all or of one name."""
        for line in self._stderr.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("{") and line.endswith("}"):
                fields = json.loads(line)
                if event in (None, fields["event"]):
                    at_ms = int(datetime.fromisoformat(fields["timestamp"]).timestamp() * 1000)
                    yield LogLine(at_ms, fields["event"], fields)

    async def logged(self, wanted: Callable[[LogLine], bool], what: str, limit_s: float) -> LogLine:
        """The first such line of its log, once it has written it."""
        try:
            async with asyncio.timeout(limit_s):
                while True:
                    for line in self.log():
                        if wanted(line):
                            return line
                    await asyncio.sleep(PAUSE_S)
        except TimeoutError:
            raise AssertionError(f"no evidence in {self.name}'s log: {what}\n{self.stderr()}") from None

    def stderr(self, last_lines: int = 40) -> str:
        lines = self._stderr.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"--- {self.name}, exit status {self.exit_status}", *lines[-last_lines:]])

    async def end(self) -> None:
        """Ends it in order, or else by force: a test leaves nothing running."""
        if not self.is_running:
            return
        self.resume()
        self.terminate()
        try:
            await self.ended()
        except TimeoutError:
            self.kill()
            await self.ended()
            raise AssertionError(f"it did not end within {END_LIMIT_S} s of SIGTERM\n{self.stderr()}") from None


def _outputs(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.out", folder / f"{name}.err"


def _armed(folder: Path, name: str) -> Path:
    return folder / f"{name}.armed"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
