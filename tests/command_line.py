"""Runs `linkage ...` as a user does: a process of its own."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from linkage.settings import KafkaSettings

LIMIT_S = 60.0


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def _as_from_a_terminal() -> None:
    """A job that a script runs in the background ignores Ctrl-C, and its children would, too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@asynccontextmanager
async def started(settings: KafkaSettings | None, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running `linkage ...`; with settings, the cluster's options go last. Killed at the end if it is still there."""
    cluster: tuple[str, ...] = ()
    if settings is not None:
        cluster = ("--bootstrap-servers", settings.bootstrap_servers, "--namespace", settings.namespace)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "linkage.cli", *arguments, *cluster),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PYTHONUTF8": "1", "COLUMNS": "200", "NO_COLOR": "1"},
        preexec_fn=_as_from_a_terminal,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(settings: KafkaSettings | None, *arguments: str, stdin: bytes = b"") -> Done:
    """Runs `linkage ...` to its end. Fails when it shows a traceback."""
    async with started(settings, *arguments) as process:
        out, err = await asyncio.wait_for(process.communicate(stdin), LIMIT_S)
        assert process.returncode is not None
        assert "Traceback" not in err.decode(), err.decode()
        return Done(process.returncode, out.decode(), err.decode())
