"""The file, row by row, and what each cell says. Local time of America/New_York without zone; plain or gzip."""

import csv
import gzip
import math
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from linkage.errors import LinkageError

SOURCE = "montcoalert"
TIME_ZONE = "America/New_York"
ZONE = ZoneInfo(TIME_ZONE)
COLUMNS = ("lat", "lng", "desc", "zip", "title", "timeStamp", "twp", "addr")
UNKNOWN_KIND = "unknown"
KIND_LIMIT_CHARACTERS = 100

_CALL_TIME = re.compile(r"(\d{4}-\d{2}-\d{2}) @ (\d{2}:\d{2}:\d{2})")
_STATION = re.compile(r"Station[: ]\s*(?:STA)?([A-Z]{0,4}\d[A-Z0-9]{0,8})", re.IGNORECASE)
"""`Station 308A` or `Station:STA27`; `Station EMS` and `Station:FIRE` name none."""
_NO_WORD = re.compile(r"[^a-z0-9]+")


class NotMontcoalert(LinkageError):
    """The file can't be read as montcoalert calls; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One data row. `number` counts from 0, `line` from 1 in the file; `cells` None: it is no CSV."""

    number: int
    line: int
    cells: dict[str, str] | None
    fault: str = ""


def read_rows(path: Path) -> Iterator[Row]:
    """Every data row, blank lines left out. Raises NotMontcoalert for a file that is not one, or breaks off."""
    with _opened(path) as file:
        reader = csv.reader(file)
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise NotMontcoalert(f"{path.name}:1: no column {', '.join(missing)}: is this a montcoalert file?")
        number = 0
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield Row(number, line, None, str(error))
                number += 1
                continue
            if cells is None:
                return
            if not any(cells):
                continue
            fault = "" if len(cells) == len(header) else f"{len(cells)} cells under {len(header)} columns"
            named = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
            yield Row(number, line, named, fault)
            number += 1


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("rb") as probe:
            is_gzip = probe.read(2) == b"\x1f\x8b"
        opening = gzip.open if is_gzip else open
        with opening(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise NotMontcoalert(f"{path.name}: the gzip file is broken ({error}): fetch it again") from error
    except OSError as error:
        raise NotMontcoalert(f"{path.name}: can't be read ({error.strerror or error})") from error


def local_instant(date_and_time: str, not_before: datetime | None = None) -> datetime:
    """The instant of a local time. Raises ValueError.

    An hour that spring's clock change left out is read by the clock before it (02:30 is 03:30 EDT). Of an hour that
    autumn's gives twice, the first is meant, unless that is earlier than `not_before` and the second is not.
    """
    naive = datetime.fromisoformat(date_and_time)
    if naive.tzinfo is not None:
        return naive
    first = naive.replace(tzinfo=ZONE).astimezone(UTC)
    second = naive.replace(tzinfo=ZONE, fold=1).astimezone(UTC)
    is_second = not_before is not None and first < not_before <= second
    return (second if is_second else first).astimezone(ZONE)


def called_at(desc: str) -> datetime | None:
    """The call's own time, which stands in the description; None when there is none. Raises ValueError."""
    found = _CALL_TIME.search(desc)
    return local_instant(f"{found[1]} {found[2]}") if found else None


def coordinates(cells: dict[str, str]) -> tuple[float, float] | None:
    """(latitude, longitude) in degrees; None when both cells are empty. Raises ValueError."""
    latitude, longitude = cells.get("lat", ""), cells.get("lng", "")
    if not latitude and not longitude:
        return None
    at = float(latitude), float(longitude)
    if not all(map(math.isfinite, at)) or abs(at[0]) > 90 or abs(at[1]) > 180:
        raise ValueError("not on the globe")
    return at


def agency_of(title: str) -> str:
    """`ems`, `fire`, `traffic`, or whatever stands before the colon."""
    return (_slug(title.partition(":")[0]) if ":" in title else "") or "other"


def kind_of(title: str) -> str:
    """The stable key of a title: `EMS: CARDIAC EMERGENCY` is ems.cardiac_emergency."""
    if not title.strip():
        return UNKNOWN_KIND
    rest = _slug(title.partition(":")[2] if ":" in title else title)
    return f"{agency_of(title)}.{rest}"[:KIND_LIMIT_CHARACTERS] if rest else agency_of(title)


def station_of(desc: str) -> str | None:
    """`308A`, `27`; None when the description names none."""
    found = _STATION.search(desc)
    return found[1].upper() if found else None


def municipality_of(cells: dict[str, str]) -> str | None:
    """The municipality a row names; None when it names none, or another county (`CHESTER COUNTY`)."""
    name = " ".join(cells.get("twp", "").upper().split())
    return None if not name or name.endswith(" COUNTY") else name


def _slug(text: str) -> str:
    return _NO_WORD.sub("_", text.lower()).strip("_")
