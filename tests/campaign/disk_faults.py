"""A full disk under one broker: its folder is a small file system of its own. Linux and root only."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.campaign.ground import Ground, Strike

NODE_ID = 3
SIZE_MIB = 1_536
GONE_LIMIT_S = 60.0
PIECE_BYTES = 1 << 20
POLL_S = 0.2


def is_possible() -> bool:
    """May this process mount file systems?"""
    return os.path.exists("/proc/mounts") and os.geteuid() == 0


@contextmanager
def small_disk(data_dir: Path) -> Iterator[None]:
    """A file system in memory for one broker of a cluster to be; taken down at the end."""
    folder = data_dir / f"node-{NODE_ID}"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def disk_full(ground: Ground) -> Strike:
    """Something fills the disk to its last byte: the broker ends itself, the others go on; with room it comes back."""
    folder = ground.brokers.data_dir / f"node-{NODE_ID}"
    assert folder.is_mount(), "the broker has no disk of its own here"
    filler = folder / "filler"
    at_ms = time.time_ns() // 1_000_000
    await asyncio.to_thread(_fill, filler)
    try:
        async with asyncio.timeout(GONE_LIMIT_S):
            while ground.brokers.state_of(NODE_ID) != "stopped":
                await ground.burst(10)
                await asyncio.sleep(POLL_S)
        await ground.burst()
        await ground.grown(20)
    finally:
        filler.unlink()
    said = await asyncio.to_thread(_said, folder)
    await ground.brokers.start(NODE_ID)
    await ground.brokers.in_sync()
    return Strike(at_ms, ground.every_partition, f"broker {NODE_ID} ended itself ({said}), 20 steps meanwhile")


def _fill(filler: Path) -> None:
    """To the last byte that can be written."""
    piece = PIECE_BYTES
    with filler.open("ab", buffering=0) as file:
        while piece:
            try:
                file.write(bytes(piece))
            except OSError:
                piece //= 2


def _said(folder: Path) -> str:
    """What the broker said of it."""
    text = "".join(path.read_text(errors="replace") for path in (folder / "server.log", folder / "console.log"))
    told = [words for words in ("No space left on device", "SIGBUS", "InternalError") if words in text]
    return told[0] if told else "without a word: it had no room for one"
