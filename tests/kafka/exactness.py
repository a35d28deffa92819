"""What must hold after any fault, judged in processes of their own: by the independent checker, by audit and verify."""

import asyncio
import os
import sys

from tests.kafka_county import KafkaCounty
from tests.kafka_worker import ROOT

CHECKER = ("tests.checker",)
OWN_CHECKS = (("audit",), ("replay", "verify"))

COMMAND_LIMIT_S = 60.0


async def assert_exact(county: KafkaCounty) -> None:
    """The checker finds nothing wrong in what a committed reader of all topics finds; audit and verify agree.

    To be asked when the county has settled; ends its workers, so that all is at rest when the checker reads.
    """
    partitions = [partition for partition, _log_id in county.journal.log_ids]
    assert sorted(partitions) == list(range(county.settings.partitions_count))
    await county.end_workers()
    asked = [CHECKER, *(("linkage.cli", *command) for command in OWN_CHECKS)]
    checked = await asyncio.gather(
        *(_run(county, *command, hash_seed=9_000 + number) for number, command in enumerate(asked))
    )
    for command, (status, output) in zip(asked, checked, strict=True):
        assert status == 0, f"{' '.join(command)}: exit code {status}\n{output}"


async def _run(county: KafkaCounty, *module: str, hash_seed: int) -> tuple[int, str]:
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
    async with asyncio.timeout(COMMAND_LIMIT_S):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()
