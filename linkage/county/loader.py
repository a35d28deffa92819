"""A checked folder as the county's reference data, and as the events that carry it to the hubs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from linkage import identity
from linkage.county.check import check_folder
from linkage.county.folder import COUNTY, Folder, read_folder
from linkage.county.policy import policy_of
from linkage.county.problems import CountyProblems, Problem
from linkage.events.inbound import LoadReference
from linkage.events.reference import (
    HubReference,
    Neighbour,
    Party,
    Policy,
    RegisterParty,
    Team,
    Travel,
    Village,
)

REFERENCE_LIMIT_BYTES = 900_000
"""One hub's reference data as JSON; a command topic takes records of 1 MiB."""

SAMPLE_FOLDER = Path(__file__).parent / "sample"
"""The fictitious county that ships with the package."""

LoadEvent = tuple[str, str, LoadReference]
"""(hub, message id, message), as the county's post sends it on its command topic."""


@dataclass(frozen=True, slots=True)
class County:
    """One version of a county. `dataclasses.replace(county, policy=...)` makes a drill's or a demo's."""

    code: str
    label_en: str
    label_zh: str
    version: str
    post: str
    townships: tuple[Party, ...]
    """The townships' posts, sorted by code; `hub` is the township's code."""
    directory: tuple[Party, ...]
    """Every party, sorted by id: sources, departments, enterprises, posts."""
    villages: dict[str, tuple[Village, ...]]
    neighbours: dict[str, tuple[Neighbour, ...]]
    teams: dict[str, tuple[Team, ...]]
    """By hub: each township's own, and the county's under its code."""
    policy: Policy

    @property
    def hubs(self) -> tuple[str, ...]:
        """The county's code, then the townships', sorted."""
        return (self.code, *(township.id for township in self.townships))

    @property
    def sources(self) -> tuple[str, ...]:
        """Who has a report topic."""
        return tuple(party.id for party in self.directory if party.kind == "source")

    @property
    def parties(self) -> tuple[str, ...]:
        """Who has a reply topic: departments, enterprises and posts, whose teams answer through them."""
        return tuple(party.id for party in self.directory if party.kind != "source")

    @property
    def posts(self) -> tuple[str, ...]:
        """Who has a command topic."""
        return tuple(party.id for party in self.directory if party.hub is not None)

    def registry(self) -> list[RegisterParty]:
        """The entries of the registry topic, one for each party."""
        return [RegisterParty(county=self.code, version=self.version, party=party) for party in self.directory]

    def reference_for(self, hub: str) -> HubReference:
        """What that hub must know. Raises KeyError for a hub of another county."""
        post = {party.hub: party for party in self.directory}[hub]
        return HubReference(
            version=self.version,
            county=self.code,
            hub=hub,
            label_en=post.label_en,
            label_zh=post.label_zh,
            post=post.id,
            townships=self.hubs[1:],
            villages=self.villages.get(hub, ()),
            neighbours=self.neighbours.get(hub, ()),
            parties=self.directory,
            teams=self.teams.get(hub, ()),
            policy=self.policy,
        )


def load_county(path: Path) -> County:
    """The county of a folder. Raises CountyProblems with everything that is wrong in it."""
    county, problems = read_county(path)
    if county is None or problems:
        raise CountyProblems(problems)
    return county


def check_county(path: Path) -> list[Problem]:
    """Everything that is wrong in a county's folder; empty when it can be loaded."""
    return read_county(path)[1]


def sample_county() -> County:
    """The fictitious county that ships with the package."""
    return load_county(SAMPLE_FOLDER)


def read_county(path: Path) -> tuple[County | None, list[Problem]]:
    """The county of a folder, or None, and everything that is wrong in it."""
    folder, problems = read_folder(path)
    if folder is None:
        return None, sorted(set(problems))
    problems = sorted({*problems, *check_folder(folder)})
    if problems:
        return None, problems
    county = _county(folder)
    return county, _too_large(county)


def events_to_load(county: County) -> list[LoadEvent]:
    """One message for each hub, the county's first. The same version with the same content has the same id."""
    loaded: list[LoadEvent] = []
    for hub in county.hubs:
        reference = county.reference_for(hub)
        digest = hashlib.blake2b(reference.model_dump_json().encode(), digest_size=16).hexdigest()
        message_id = identity.message_id("reference", county.version, hub, digest)
        loaded.append((hub, message_id, LoadReference(hub=hub, reference=reference)))
    return loaded


def _too_large(county: County) -> list[Problem]:
    problems: list[Problem] = []
    for hub in county.hubs:
        if (size := len(county.reference_for(hub).model_dump_json().encode())) > REFERENCE_LIMIT_BYTES:
            what = f"the reference data of {hub} has {size} bytes, more than {REFERENCE_LIMIT_BYTES}"
            problems.append(Problem(COUNTY, 0, what, "shorten labels, teams or parties"))
    return problems


def _county(folder: Folder) -> County:
    county = folder.county
    townships = tuple(
        Party(
            id=lined.row.post,
            kind="township",
            label_en=lined.row.label_en,
            label_zh=lined.row.label_zh,
            hub=lined.row.code,
            time_zone=county.time_zone,
            coordinate_system=county.coordinate_system,
        )
        for lined in sorted(folder.townships, key=lambda lined: lined.row.code)
    )
    return County(
        code=county.code,
        label_en=county.label_en,
        label_zh=county.label_zh,
        version=county.version,
        post=county.post,
        townships=townships,
        directory=tuple(sorted((*_other_parties(folder), *townships), key=lambda party: party.id)),
        villages=_villages(folder),
        neighbours=_neighbours(folder),
        teams=_teams(folder, {township.id for township in townships}),
        policy=policy_of(folder.policy, county.version),
    )


def _other_parties(folder: Folder) -> list[Party]:
    county = folder.county
    post = Party(
        id=county.post,
        kind="county",
        label_en=county.label_en,
        label_zh=county.label_zh,
        hub=county.code,
        time_zone=county.time_zone,
        coordinate_system=county.coordinate_system,
    )
    named = (lined.row for lined in folder.parties)
    return [
        post,
        *(
            Party(
                id=row.id,
                kind=row.kind,
                label_en=row.label_en,
                label_zh=row.label_zh,
                time_zone=row.time_zone or county.time_zone,
                coordinate_system=row.coordinate_system or county.coordinate_system,
            )
            for row in named
        ),
    ]


def _villages(folder: Folder) -> dict[str, tuple[Village, ...]]:
    found: dict[str, list[Village]] = {}
    for row in sorted((lined.row for lined in folder.villages), key=lambda row: row.code):
        village = Village(code=row.code, label_en=row.label_en, label_zh=row.label_zh)
        found.setdefault(row.code[:9], []).append(village)
    return {township: tuple(villages) for township, villages in found.items()}


def _neighbours(folder: Folder) -> dict[str, tuple[Neighbour, ...]]:
    """Each pair is written once and seen from both sides; the nearest comes first."""
    found: dict[str, list[Neighbour]] = {}
    extents = {lined.row.code: lined.row.extent for lined in folder.townships}
    for row in (lined.row for lined in folder.neighbours):
        for here, there in ((row.a, row.b), (row.b, row.a)):
            beside = Neighbour(
                township=there,
                travel_minutes=row.travel_minutes,
                may_be_cut=row.may_be_cut,
                extent=extents.get(there),
            )
            found.setdefault(here, []).append(beside)
    return {here: tuple(sorted(beside, key=lambda n: (n.travel_minutes, n.township))) for here, beside in found.items()}


def _teams(folder: Folder, posts: set[str]) -> dict[str, tuple[Team, ...]]:
    """By the hub that owns them: a township's post its own, the county's hub everybody else's."""
    legs: dict[str, list[Travel]] = {}
    for leg in sorted((lined.row for lined in folder.travel), key=lambda leg: leg.to):
        legs.setdefault(leg.team, []).append(Travel(to=leg.to, minutes=leg.minutes))
    found: dict[str, list[Team]] = {}
    for row in sorted((lined.row for lined in folder.teams), key=lambda row: row.id):
        hub = row.owner if row.owner in posts else folder.county.code
        team = Team(**row.model_dump(), travel=tuple(legs.get(row.id, ())))
        found.setdefault(hub, []).append(team)
    return {hub: tuple(teams) for hub, teams in found.items()}
