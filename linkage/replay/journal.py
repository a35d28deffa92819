"""One record of the journal, wherever it comes from, and the journal file: JSON lines, one object for each record.

A line is `{"partition":..,"offset":..,"timestamp_ms":..,"record":{..}}`, `record` being the bytes that stand in the
journal. A name that ends in `.gz` is compressed. Order: partition by partition, in each by offset.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from pydantic import ValidationError

from linkage.errors import LinkageError
from linkage.events.envelope import JOURNAL, JournalRecord, LogIdentity

_LINE = re.compile(rb'\{"partition":(\d+),"offset":(\d+),"timestamp_ms":(\d+),"record":(\{.*\})\}\s*', re.DOTALL)
PROGRESS_EVERY_RECORDS = 1_000


class UnreadableJournal(LinkageError):
    """A record or a line that is no journal record; the text says which one and what to do."""


@dataclass(frozen=True, slots=True)
class RawEntry:
    """One record of a journal partition, undecoded. `timestamp_ms`: the broker's append time."""

    partition: int
    offset: int
    timestamp_ms: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """The same, decoded."""

    partition: int
    offset: int
    raw: bytes
    record: JournalRecord | LogIdentity

    @property
    def where(self) -> str:
        return f"journal {self.partition}/{self.offset}"


JournalSource = Iterable[RawEntry]
Progress = Callable[[int], None]
"""Told, now and then and at the end, how many records were read."""


def silent(records: int) -> None:
    """Nobody watches."""


def decoded(source: JournalSource, progress: Progress = silent) -> Iterator[Entry]:
    """The records of a source. Raises UnreadableJournal."""
    count = 0
    for raw in source:
        yield decode(raw)
        count += 1
        if count % PROGRESS_EVERY_RECORDS == 0:
            progress(count)
    progress(count)


def decode(raw: RawEntry) -> Entry:
    """Raises UnreadableJournal for what this version can't read."""
    try:
        record = JOURNAL.validate_json(raw.raw)
    except ValidationError as error:
        raise UnreadableJournal(
            f"journal {raw.partition}/{raw.offset} can't be read by this version ({error.errors()[0]['msg']}): "
            "a newer worker wrote it; use that version, or the file was changed by hand"
        ) from error
    return Entry(raw.partition, raw.offset, raw.raw, record)


def write_file(source: JournalSource, path: Path, progress: Progress = silent) -> dict[int, int]:
    """Writes the journal file; returns partition -> records. The file appears under its name only when it is whole."""
    unfinished = path.with_name(f"{path.name}.part")
    counts: dict[int, int] = {}
    total = 0
    with _opened(unfinished, "wb", is_gzip=path.suffix == ".gz") as file:
        for entry in source:
            file.write(line_of(entry))
            counts[entry.partition] = counts.get(entry.partition, 0) + 1
            total += 1
            if total % PROGRESS_EVERY_RECORDS == 0:
                progress(total)
    unfinished.replace(path)
    progress(total)
    return counts


def line_of(entry: RawEntry) -> bytes:
    """One line of a journal file. A line break can only stand between tokens of JSON, where a blank does as well."""
    raw = entry.raw.replace(b"\n", b" ").replace(b"\r", b" ")
    head = b'{"partition":%d,"offset":%d,"timestamp_ms":%d,"record":' % (
        entry.partition,
        entry.offset,
        entry.timestamp_ms,
    )
    return head + raw + b"}\n"


def read_file(path: Path) -> Iterator[RawEntry]:
    """The records of a journal file, line by line. Raises UnreadableJournal."""
    try:
        with _opened(path, "rb", is_gzip=path.suffix == ".gz") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _parsed(line, path, number)
    except (OSError, EOFError) as error:
        raise UnreadableJournal(f"{path} can't be read: {error}") from error


def _parsed(line: bytes, path: Path, number: int) -> RawEntry:
    if (found := _LINE.fullmatch(line)) is not None:
        partition, offset, timestamp_ms = (int(found[group]) for group in (1, 2, 3))
        return RawEntry(partition, offset, timestamp_ms, found[4])
    try:
        item: dict[str, Any] = json.loads(line)
        raw = json.dumps(item["record"], ensure_ascii=False, separators=(",", ":")).encode()
        return RawEntry(int(item["partition"]), int(item["offset"]), int(item["timestamp_ms"]), raw)
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableJournal(
            f"{path}, line {number} is no journal record ({type(error).__name__}: {error}); "
            "a journal file is what `linkage journal export FILE` writes"
        ) from error


def _opened(path: Path, mode: str, *, is_gzip: bool) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, mode) if is_gzip else path.open(mode))
