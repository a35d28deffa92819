"""Reads a county's folder: every file, every line, and what is wrong with each, all at once."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from linkage.county.files import (
    CountyFile,
    NeighbourRow,
    PartyRow,
    PolicyFile,
    TeamRow,
    TownshipRow,
    TravelRow,
    VillageRow,
)
from linkage.county.problems import Problem
from linkage.county.yaml_lines import LinedYaml, read_yaml

FILE_LIMIT_BYTES = 4_000_000
TABLE_LIMIT_ROWS = 50_000

COUNTY = "county.yaml"
POLICY = "policy.yaml"
TOWNSHIPS = "townships.csv"
VILLAGES = "villages.csv"
NEIGHBOURS = "neighbours.csv"
PARTIES = "parties.csv"
TEAMS = "teams.csv"
TRAVEL = "travel.csv"

REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "take it out, or correct its spelling",
    "string_pattern_mismatch": "codes are digits (6 county, 9 township, 12 village); party ids a-z, 0-9, - and _",
    "int_parsing": "write a whole number",
    "float_parsing": "write a number",
    "bool_parsing": "write true or false",
    "dict_type": "write `word: value` lines below it",
    "tuple_type": "write a list: [a, b]",
}
REMEDY = "correct it; the sample county shows how"

Row = TypeVar("Row", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Lined(Generic[Row]):
    """A row and where it stands."""

    row: Row
    line: int


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder holds, as written: each row with its line. Whether it makes sense is linkage.county.check's."""

    path: Path
    county: CountyFile
    county_lines: LinedYaml
    policy: PolicyFile
    policy_lines: LinedYaml
    townships: tuple[Lined[TownshipRow], ...]
    villages: tuple[Lined[VillageRow], ...]
    neighbours: tuple[Lined[NeighbourRow], ...]
    parties: tuple[Lined[PartyRow], ...]
    teams: tuple[Lined[TeamRow], ...]
    travel: tuple[Lined[TravelRow], ...]


def read_folder(path: Path) -> tuple[Folder | None, list[Problem]]:
    """The folder and what is wrong in single lines; None when county.yaml or policy.yaml can't be read."""
    if not path.is_dir():
        remedy = "name the folder that holds county.yaml, or copy the sample county"
        return None, [Problem(str(path), 0, "there is no such folder", remedy)]
    problems: list[Problem] = []
    county, county_lines = _document(path, COUNTY, CountyFile, problems)
    policy, policy_lines = _document(path, POLICY, PolicyFile, problems)
    townships = _table(path, TOWNSHIPS, TownshipRow, problems)
    villages = _table(path, VILLAGES, VillageRow, problems)
    neighbours = _table(path, NEIGHBOURS, NeighbourRow, problems)
    parties = _table(path, PARTIES, PartyRow, problems)
    teams = _table(path, TEAMS, TeamRow, problems)
    travel = _table(path, TRAVEL, TravelRow, problems)
    if county is None or policy is None or county_lines is None or policy_lines is None:
        return None, problems
    folder = Folder(
        path,
        county,
        county_lines,
        policy,
        policy_lines,
        townships,
        villages,
        neighbours,
        parties,
        teams,
        travel,
    )
    return folder, problems


def _text(folder: Path, file: str, problems: list[Problem]) -> str | None:
    path = folder / file
    try:
        with path.open("rb") as opened:
            raw = opened.read(FILE_LIMIT_BYTES + 1)
    except FileNotFoundError:
        problems.append(Problem(file, 0, "the file is missing", "add it; the sample county shows how it looks"))
        return None
    except OSError as error:
        problems.append(Problem(file, 0, f"can't be read: {error.strerror}", "look at its rights"))
        return None
    if len(raw) > FILE_LIMIT_BYTES:
        what = f"larger than {FILE_LIMIT_BYTES} bytes"
        problems.append(Problem(file, 0, what, "a county's file is far smaller: is this the right one?"))
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(Problem(file, line, "not UTF-8", "save it as UTF-8 (a spreadsheet: 'CSV UTF-8')"))
        return None


def _document(
    folder: Path, file: str, model: type[Row], problems: list[Problem]
) -> tuple[Row | None, LinedYaml | None]:
    if (text := _text(folder, file, problems)) is None or (lined := read_yaml(text, file, problems)) is None:
        return None, None
    try:
        return model.model_validate(lined.tree), lined
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems += [_problem(file, lined.line_of(one["loc"]), one) for one in found]
        return None, lined


def _problem(file: str, line: int, error: ErrorDetails) -> Problem:
    where = ".".join(map(str, error["loc"]))
    message = error["msg"][:1].lower() + error["msg"][1:]
    what = f"{where or 'the file'}: {message}"
    if isinstance(error["input"], str):
        what += f" (it is {error['input'][:80]!r})"
    return Problem(file, line, what, REMEDIES.get(error["type"], REMEDY))


def _table(folder: Path, file: str, model: type[Row], problems: list[Problem]) -> tuple[Lined[Row], ...]:
    if (text := _text(folder, file, problems)) is None:
        return ()
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[Lined[Row]] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if not _is_header_right(file, header, model, problems):
            return ()
        for line, cells in _rows(reader):
            if len(found) >= TABLE_LIMIT_ROWS:
                problems.append(Problem(file, line, f"more than {TABLE_LIMIT_ROWS} rows", "split the county"))
                break
            if (row := _row(file, line, header, cells, model, problems)) is not None:
                found.append(Lined(row, line))
    except csv.Error as error:
        problems.append(Problem(file, reader.line_num, f"not CSV: {error}", "look at the quotes of this line"))
    return tuple(found)


class _Reader(Protocol):
    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...


def _rows(reader: _Reader) -> Iterator[tuple[int, list[str]]]:
    """(line at which the row begins, cells) of each row that is not blank."""
    line = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield line, [cell.strip() for cell in cells]
        line = reader.line_num + 1


def _is_header_right(file: str, header: Sequence[str], model: type[BaseModel], problems: list[Problem]) -> bool:
    needed = {name for name, field in model.model_fields.items() if field.is_required()}
    remedy = f"the header is: {', '.join(model.model_fields)}"
    wrong = [f"column `{name}` is missing" for name in sorted(needed - set(header))]
    wrong += [f"column `{name}` is unknown" for name in sorted(set(header) - set(model.model_fields))]
    if len(set(header)) < len(header):
        wrong.append("a column stands twice in the header")
    problems += [Problem(file, 1, what, remedy) for what in wrong]
    return not wrong


def _row(
    file: str, line: int, header: Sequence[str], cells: Sequence[str], model: type[Row], problems: list[Problem]
) -> Row | None:
    if len(cells) != len(header):
        what = f"{len(cells)} cells, but the header names {len(header)} columns"
        problems.append(Problem(file, line, what, "a comma is missing or one too many; quote cells with commas"))
        return None
    try:
        return model.model_validate({name: cell for name, cell in zip(header, cells, strict=True) if cell})
    except ValidationError as error:
        problems += [_problem(file, line, one) for one in error.errors(include_url=False)]
        return None
