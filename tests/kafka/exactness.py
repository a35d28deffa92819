"""What must hold after any fault, judged in processes of their own: by the independent checker, by audit and verify."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.kafka_journal import Journal
from tests.kafka_worker import ROOT, CountySettings

CHECKER = ("tests.checker",)

COMMAND_LIMIT_S = 60.0


class Judged(Protocol):
    """A county that can be brought to rest."""

    settings: CountySettings
    folder: Path
    journal: Journal

    async def end_workers(self) -> None: ...


async def assert_exact(county: Judged, gone: Sequence[str] = (), limit_s: float = COMMAND_LIMIT_S) -> None:
    """The checker finds nothing wrong in what a committed reader of all topics finds; audit and verify agree.

    To be asked when the county has settled; ends its workers, so that all is at rest when the checker reads. `gone`:
    dispatch topics that were deleted.
    """
    partitions = [partition for partition, _log_id in county.journal.log_ids]
    assert sorted(partitions) == list(range(county.settings.partitions_count))
    await county.end_workers()
    without = [word for topic in gone for word in ("--gone", topic)]
    asked = [(*CHECKER, *without), ("linkage.cli", "audit", *without), ("linkage.cli", "replay", "verify")]
    checked = await asyncio.gather(
        *(_run(county, limit_s, *command, hash_seed=9_000 + number) for number, command in enumerate(asked))
    )
    for command, (status, output) in zip(asked, checked, strict=True):
        assert status == 0, f"{' '.join(command)}: exit code {status}\n{output}"


async def _run(county: Judged, limit_s: float, *module: str, hash_seed: int) -> tuple[int, str]:
    """(exit code, output) of `python -m ...` on the county's namespace, with another hash seed and time zone."""
    settings = county.settings
    cluster = ("--bootstrap-servers", settings.bootstrap_servers, "--namespace", settings.namespace)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", *module, *cluster),
        cwd=county.folder,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "TZ": "Pacific/Chatham", "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(limit_s):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()
