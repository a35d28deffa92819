"""The files of a county's folder, row by row and key by key: what a person may write in each.

`county.yaml`, `policy.yaml`, and tables with a header: `townships.csv`, `villages.csv`, `neighbours.csv`,
`parties.csv`, `teams.csv`, `travel.csv`. All UTF-8.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from linkage.events.base import CoordinateSystem, CountName, Frozen, Identifier, PartyId
from linkage.events.reference import Extent, Limits, Merging, Relation

Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Basis = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
CountyCode = Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
TownshipCode = Annotated[str, StringConstraints(pattern=r"^\d{9}$")]
Minutes = Annotated[int, Field(ge=0, le=1440)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
TeamCount = Annotated[int, Field(ge=0, le=50)]


def _words(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(word for part in value.split(";") if (word := part.strip()))


Skills = Annotated[tuple[Identifier, ...], BeforeValidator(_words), Field(min_length=1)]
"""`slope_rescue;general`"""


class CountyFile(Frozen):
    """`county.yaml`"""

    code: CountyCode
    label_en: Label
    label_zh: Label
    version: Identifier
    """A new one for each set of changes that is loaded."""
    post: PartyId
    time_zone: Identifier = "Asia/Shanghai"
    coordinate_system: CoordinateSystem = CoordinateSystem.WGS84


class TownshipRow(Frozen):
    """`townships.csv`"""

    code: TownshipCode
    post: PartyId
    label_en: Label
    label_zh: Label
    south: Latitude | None = None
    """Where it lies, a box in degrees: all four or none. Neighbours tell it of what lies near."""
    west: Longitude | None = None
    north: Latitude | None = None
    east: Longitude | None = None

    @property
    def extent(self) -> Extent | None:
        edges = self.south, self.west, self.north, self.east
        return None if None in edges else Extent.model_validate(dict(zip(Extent.model_fields, edges, strict=True)))


class VillageRow(Frozen):
    """`villages.csv`"""

    code: Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
    label_en: Label
    label_zh: Label


class NeighbourRow(Frozen):
    """`neighbours.csv`: each pair once, in either order."""

    a: TownshipCode
    b: TownshipCode
    travel_minutes: Minutes
    may_be_cut: bool = False


class PartyRow(Frozen):
    """`parties.csv`: everybody except the posts, which county.yaml and townships.csv name."""

    id: PartyId
    kind: Literal["source", "department", "enterprise"]
    label_en: Label
    label_zh: Label
    time_zone: Identifier | None = None
    """None: the county's."""
    coordinate_system: CoordinateSystem | None = None


class TeamRow(Frozen):
    """`teams.csv`: a team of a township's post belongs to that township, any other to the county."""

    id: Identifier
    owner: PartyId
    label_en: Label
    label_zh: Label
    people: Annotated[int, Field(ge=1, le=100_000)]
    skills: Skills
    travel_minutes: Minutes


class TravelRow(Frozen):
    """`travel.csv`: from a team's base to a village or a township."""

    team: Identifier
    to: Annotated[str, StringConstraints(pattern=r"^\d{9}(\d{3})?$")]
    minutes: Minutes


class KindEntry(Frozen):
    en: Label
    zh: Label


class CriterionEntry(Frozen):
    count: CountName
    i: float
    ii: float
    iii: float
    basis: Basis


class SlotEntry(Frozen):
    """`lead: [a, b]` or `assist: [a]`: a is whistled for first, b when a declines or stays silent."""

    lead: tuple[PartyId, ...] = ()
    assist: tuple[PartyId, ...] = ()
    relation: Relation = "whistled"


class WhistleEntry(Frozen):
    slots: Annotated[tuple[SlotEntry, ...], Field(min_length=1)]
    basis: Basis


class TeamsEntry(Frozen):
    skill: Identifier
    i: TeamCount
    ii: TeamCount
    iii: TeamCount
    iv: TeamCount
    basis: Basis


class Ladder(Frozen):
    ladder: Annotated[tuple[PartyId, ...], Field(min_length=1)]
    basis: Basis


class Retries(Frozen):
    times: Annotated[int, Field(ge=0, le=1000)]
    basis: Basis


class Kinds(Frozen):
    basis: Basis
    keys: Annotated[dict[Identifier, KindEntry], Field(min_length=1)]


class PolicyFile(Frozen):
    """`policy.yaml`; a rule named `*` is for kinds that no other rule covers."""

    kinds: Kinds
    levels: dict[Identifier, tuple[CriterionEntry, ...]]
    whistles: dict[Identifier, WhistleEntry]
    teams: dict[Identifier, TeamsEntry]
    escalation: Ladder
    team_retries: Retries
    limits: Limits
    merging: Merging = Merging()
