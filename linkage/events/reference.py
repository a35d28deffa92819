"""Reference data as it travels: who is in the county, which teams, which rules. One version for each hub.

Every rule and limit carries its legal basis beside it (`basis`), so that a decision can be explained.
"""

from typing import Annotated, Literal

from pydantic import Field

from linkage.events.base import CoordinateSystem, CountName, Frozen, HubCode, Identifier, Level, PartyId, Words

RoleInWhistle = Literal["lead", "assist"]
Relation = Literal["commanded", "requested", "notified", "whistled"]
PartyKind = Literal["source", "department", "enterprise", "township", "county"]


class Limit(Frozen):
    """A span in seconds and what it rests on."""

    seconds: Annotated[int, Field(ge=1, le=366 * 86_400)]
    basis: Words


class OrderLimits(Frozen):
    """How long each next answer may take. `report_in` runs from the order, the others from the last answer."""

    receive: Limit
    accept: Limit
    en_route: Limit
    report_in: Limit
    done: Limit


class Limits(Frozen):
    """Every clock of the engine, in seconds, with its basis."""

    department: OrderLimits
    team: OrderLimits
    stand_down: Limit
    escalation_step: Limit
    county_answer: Limit
    team_retry: Limit
    place_report: Limit
    merge_window: Limit
    message_memory: Limit
    incident_memory: Limit


class KindRule(Frozen):
    """A kind of incident by its stable key (`nat.geo.landslide`), with the word an official reads."""

    key: Identifier
    label_en: Words
    label_zh: Words


class LevelCriterion(Frozen):
    """One count that decides the level: at least so many for I, II, III; anything known and less is IV."""

    count: CountName
    level_i: float
    level_ii: float
    level_iii: float
    basis: Words


class LevelRule(Frozen):
    """The criteria for a kind and everything below it; the worst of them decides."""

    kind: Identifier
    criteria: tuple[LevelCriterion, ...]


class WhistleSlot(Frozen):
    """One seat at the incident: who is whistled for first, and who next when he declines or stays silent."""

    role: RoleInWhistle
    relation: Relation = "whistled"
    candidates: Annotated[tuple[PartyId, ...], Field(min_length=1)]


class WhistleRule(Frozen):
    """Which departments report in for a kind and everything below it."""

    kind: Identifier
    slots: tuple[WhistleSlot, ...]
    basis: Words


class TeamRule(Frozen):
    """How many teams a level needs, and with which skill; a team without it goes only after all that have it."""

    kind: Identifier
    skill: Identifier
    needed_i: Annotated[int, Field(ge=0, le=50)]
    needed_ii: Annotated[int, Field(ge=0, le=50)]
    needed_iii: Annotated[int, Field(ge=0, le=50)]
    needed_iv: Annotated[int, Field(ge=0, le=50)]
    basis: Words

    def needed(self, level: Level) -> int:
        """Teams needed at that level."""
        return {Level.I: self.needed_i, Level.II: self.needed_ii, Level.III: self.needed_iii, Level.IV: self.needed_iv}[
            level
        ]


Span_s = Annotated[int, Field(ge=0, le=86_400)]
CELL_REACH_M = 400
"""Points farther apart than this are never compared by distance alone: so far the index of open incidents looks."""


class KindFamily(Frozen):
    """Kinds that can be told of one and the same event: each kind, or everything below it."""

    name: Identifier
    kinds: Annotated[tuple[Identifier, ...], Field(min_length=1)]


class Pairing(Frozen):
    """When two reports of these two families are one event: seconds between their own times, and how near.

    0 seconds: never. Within the `ask` spans it may be one: a person is asked. The first pairing that fits is used.
    """

    name: Identifier
    one: Identifier
    other: Identifier
    same_kind_only: bool = False
    counts_people: bool = False
    """Each report may be another person: where many are reported, the tighter span of a busy address holds."""
    same_address_s: Span_s = 0
    one_road_s: Span_s = 0
    one_road_m: Annotated[int, Field(ge=0, le=20_000)] = 0
    nearby_s: Span_s = 0
    nearby_m: Annotated[int, Field(ge=0, le=CELL_REACH_M)] = 0
    ask_same_address_s: Span_s = 0
    ask_one_road_s: Span_s = 0
    basis: Words


class Merging(Frozen):
    """Which reports are one event. Two reports of one kind that no pairing names: one place, `merge_window`."""

    families: tuple[KindFamily, ...] = ()
    pairings: tuple[Pairing, ...] = ()
    trusted_accuracy_m: Annotated[int, Field(ge=0, le=100_000)] = 200
    """A point that may be farther off than this says nothing about what lies near it."""
    busy_address_count: Annotated[int, Field(ge=1, le=1000)] = 3
    """An address with so many incidents in the hub's memory is busy: a home, a mall."""
    busy_address_s: Span_s = 120
    border_m: Annotated[int, Field(ge=0, le=20_000)] = 500
    """A neighbour is told of what lies this near to where its own reports lie."""
    basis: Words = ""


class Policy(Frozen):
    """The county's rules of one version. The rule for a kind is that of its longest listed prefix."""

    version: Identifier
    kinds: tuple[KindRule, ...]
    levels: tuple[LevelRule, ...]
    whistles: tuple[WhistleRule, ...]
    teams: tuple[TeamRule, ...]
    escalation: tuple[PartyId, ...]
    """Who is told, rung by rung, when a department or team is overdue; then it stays with the last."""
    limits: Limits
    team_retries: Annotated[int, Field(ge=0, le=1000)]
    merging: Merging = Merging()


class Party(Frozen):
    """Somebody who speaks and is spoken to through topics of its own name."""

    id: PartyId
    kind: PartyKind
    label_en: Words
    label_zh: Words
    hub: HubCode | None = None
    """The post's own hub, for a township or the county."""
    time_zone: Identifier = "Asia/Shanghai"
    coordinate_system: CoordinateSystem = CoordinateSystem.WGS84


class Village(Frozen):
    code: Annotated[str, Field(pattern=r"^\d{12}$")]
    label_en: Words
    label_zh: Words


class Extent(Frozen):
    """Where a township lies, roughly: a box in degrees."""

    south: Annotated[float, Field(ge=-90, le=90)]
    west: Annotated[float, Field(ge=-180, le=180)]
    north: Annotated[float, Field(ge=-90, le=90)]
    east: Annotated[float, Field(ge=-180, le=180)]


class Neighbour(Frozen):
    """A township next door; `may_be_cut`: a river or a slide can close the road."""

    township: HubCode
    travel_minutes: Annotated[int, Field(ge=0, le=1440)]
    may_be_cut: bool = False
    extent: Extent | None = None
    """None: not known; it is then told of everything that has a point."""


class Travel(Frozen):
    """Minutes from a team's base to a village (12 digits) or a township (9 digits)."""

    to: Annotated[str, Field(pattern=r"^\d{9}(\d{3})?$")]
    minutes: Annotated[int, Field(ge=0, le=1440)]


class Team(Frozen):
    """A team of one owner. Its orders go to the owner's dispatch topic and name it."""

    id: Identifier
    owner: PartyId
    label_en: Words
    label_zh: Words
    people: Annotated[int, Field(ge=1, le=100_000)]
    skills: tuple[Identifier, ...]
    travel_minutes: Annotated[int, Field(ge=0, le=1440)]
    """To anywhere that `travel` does not list."""
    travel: tuple[Travel, ...] = ()


class HubReference(Frozen):
    """Everything one hub must know about its county, of one version."""

    version: Identifier
    county: HubCode
    hub: HubCode
    label_en: Words
    label_zh: Words
    post: PartyId
    """The party of this hub's command post."""
    townships: tuple[HubCode, ...]
    villages: tuple[Village, ...]
    neighbours: tuple[Neighbour, ...]
    parties: tuple[Party, ...]
    teams: tuple[Team, ...]
    """The teams this hub owns; it alone orders them."""
    policy: Policy


class RegisterParty(Frozen):
    """One entry of the registry: who may speak on the topics of this name, and for which hub."""

    type: Literal["linkage.RegisterParty.v0"] = "linkage.RegisterParty.v0"
    county: HubCode
    version: Identifier
    party: Party
