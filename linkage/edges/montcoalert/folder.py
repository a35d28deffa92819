"""The survey as a county's folder: files that a person can edit and `linkage county check` can read."""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from linkage.county import County, load_county
from linkage.edges.montcoalert.policy import OFFICE, PARTIES, policy_text
from linkage.edges.montcoalert.rows import TIME_ZONE, NotMontcoalert
from linkage.edges.montcoalert.survey import COUNTY_CODE, Point, Station, Survey, km_between, middle_of

PEOPLE_OF_TEAM_COUNT = 4
"""The feed does not say how many people a station sends."""
TRAVEL_DEFAULT_MINUTES = 12
TRAVEL_LEAST_MINUTES = 4
ROAD_KM_PER_MINUTE = 0.7
DETOUR = 1.3
"""Kilometres of road for each of the straight line."""
OWNERS = {"ems": "ems", "fire": "fire"}
RESERVE = "county-reserve"
VILLAGE_DIGITS = "001"

COUNTY_TEXT = """\
# Made from montcoalert calls, with codes of our own: 9902 is used by no real place. Each municipality is a township
# with one village. A station is a team of the township where it answers most calls; stations based outside are the
# county's. A crew or reserve stands in where the feed names no station. Edit it, then `linkage county check` it.
code: {code}
label_en: Montgomery County
label_zh: 蒙哥马利县
version: {version}
post: {code}
time_zone: {zone}
coordinate_system: WGS84
"""


@dataclass(frozen=True, slots=True)
class _Tables:
    teams: list[Sequence[object]]
    travel: list[Sequence[object]]


def write_folder(out: Path, found: Survey, neighbours: Iterable[tuple[str, str]]) -> County:
    """Writes the folder and reads it back, checked. The same calls give the same folder, version included.

    Raises NotMontcoalert when `out` holds another county; CountyProblems should never come.
    """
    _check_free(out)
    codes = found.codes()
    middles = {name: middle_of(found.points[name]) for name in codes}
    extents = found.extents()
    tables = _teams(found, codes, middles)
    pairs = [(codes[a], codes[b], _minutes(middles[a], middles[b]), "false") for a, b in neighbours]
    texts = {
        "policy.yaml": policy_text(found.titles),
        "townships.csv": _csv(
            ("code", "post", "label_en", "label_zh", "south", "west", "north", "east"),
            [(code, code, name.title(), f"{name.title()}镇", *_box(extents.get(name))) for name, code in codes.items()],
        ),
        "villages.csv": _csv(
            ("code", "label_en", "label_zh"),
            [(code + VILLAGE_DIGITS, name.title(), f"{name.title()}全境") for name, code in codes.items()],
        ),
        "neighbours.csv": _csv(("a", "b", "travel_minutes", "may_be_cut"), pairs),
        "parties.csv": _csv(("id", "kind", "label_en", "label_zh"), PARTIES),
        "teams.csv": _csv(("id", "owner", "label_en", "label_zh", "people", "skills", "travel_minutes"), tables.teams),
        "travel.csv": _csv(("team", "to", "minutes"), tables.travel),
    }
    digest = hashlib.blake2b("\0".join(texts.values()).encode(), digest_size=5).hexdigest()
    texts["county.yaml"] = COUNTY_TEXT.format(code=COUNTY_CODE, version=f"montco-{digest}", zone=TIME_ZONE)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8", newline="")
    return load_county(out)


def _box(extent: tuple[float, float, float, float] | None) -> tuple[str, ...]:
    return ("",) * 4 if extent is None else tuple(f"{edge:.4f}" for edge in extent)


def _check_free(out: Path) -> None:
    """An earlier import may be written again; another county is never overwritten."""
    if out.exists() and not out.is_dir():
        raise NotMontcoalert(f"{out} is a file: name a new folder for the imported county")
    existing = out / "county.yaml"
    if existing.exists() and f"code: {COUNTY_CODE}\n" not in existing.read_text(encoding="utf-8", errors="replace"):
        raise NotMontcoalert(f"{out} holds another county: name a new folder for the imported one")
    if out.exists() and not existing.exists() and any(out.iterdir()):
        raise NotMontcoalert(f"{out} is not empty: name a new folder for the imported county")


def _teams(found: Survey, codes: dict[str, str], middles: dict[str, Point | None]) -> _Tables:
    """Each station as a team, at least one in each township; the county has one of each skill that one lacks."""
    homes = found.homes()
    own: list[Sequence[object]] = []
    for name, code in codes.items():
        stations = homes.get(name, [])
        own += [_team(station, code) for station in stations]
        if not stations:
            label = f"{name.title()} crew"
            own.append((f"crew-{code}", code, label, f"{name.title()}值班小队", *_size("ems;fire")))
    outside = [station for home, stations in homes.items() if home not in codes for station in stations]
    county = [_team(station, OWNERS.get(station[0], OFFICE)) for station in sorted(outside)]
    bases = [middle_of(found.station_points[station]) for station in sorted(outside)]
    if not county or not _skills_lacked(homes.get(name, []) for name in codes) <= _skills(outside):
        county.append((RESERVE, OFFICE, "County reserve", "县预备队", *_size("ems;fire")))
        bases.append(found.middle())
    travel: list[Sequence[object]] = [
        (team[0], code, _minutes(base, middles[name]))
        for team, base in zip(county, bases, strict=True)
        for name, code in codes.items()
    ]
    return _Tables(own + county, travel)


def _team(station: Station, owner: str) -> Sequence[object]:
    agency, name = station
    english, chinese = {"ems": ("EMS", "急救"), "fire": ("Fire", "消防")}.get(agency, (agency, agency))
    label_en, label_zh = f"{english} station {name}", f"{chinese}{name}站"
    return f"{agency}-{name.lower()}", owner, label_en, label_zh, *_size(_skill_of(agency))


def _skills(stations: Iterable[Station]) -> set[str]:
    return {_skill_of(agency) for agency, _name in stations}


def _skills_lacked(homes: Iterable[Sequence[Station]]) -> set[str]:
    """What some township's own stations can't do. A crew, where there are none, can do everything."""
    return {skill for stations in homes if stations for skill in OWNERS.keys() - _skills(stations)}


def _skill_of(agency: str) -> str:
    return agency if agency in OWNERS else "fire"


def _size(skills: str) -> tuple[int, str, int]:
    return PEOPLE_OF_TEAM_COUNT, skills, TRAVEL_DEFAULT_MINUTES


def _minutes(a: Point | None, b: Point | None) -> int:
    if a is None or b is None:
        return TRAVEL_DEFAULT_MINUTES
    minutes = round(km_between(a, b) * DETOUR / ROAD_KM_PER_MINUTE)
    return min(max(minutes, TRAVEL_LEAST_MINUTES), 1440)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
