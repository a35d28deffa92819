"""What a stage may look at while it decides: the message on the desk, now, and the county's reference data."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeVar

from linkage.errors import Refusal
from linkage.events.envelope import Fact, InboxRecord
from linkage.events.reference import (
    HubReference,
    KindRule,
    LevelRule,
    Pairing,
    Party,
    Policy,
    Team,
    TeamRule,
    Village,
    WhistleRule,
)

ANY_KIND = "*"
"""The rule of a kind that no other rule covers."""


class _RuleForKind(Protocol):
    @property
    def kind(self) -> str: ...


Rule = TypeVar("Rule", bound=_RuleForKind)


@lru_cache(maxsize=1024)
def _prefixes(kind: str) -> tuple[str, ...]:
    """The kind, every kind above it, then any kind."""
    parts = kind.split(".")
    above = tuple(".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return (*(prefix for prefix in above if prefix), ANY_KIND)


@dataclass(frozen=True, slots=True)
class Reference:
    """One version of a hub's reference data, indexed."""

    version: str
    content: HubReference
    parties: dict[str, Party]
    posts: dict[str, Party]
    """By hub."""
    villages: dict[str, Village]
    teams: dict[str, Team]
    legs: dict[str, dict[str, int]]
    """Team -> village or township -> travel minutes."""
    kinds: dict[str, KindRule]
    levels: dict[str, LevelRule]
    whistles: dict[str, WhistleRule]
    team_rules: dict[str, TeamRule]
    families: dict[str, str]
    """Kind, or a kind above it -> family."""
    pairings: dict[tuple[str, str], tuple[Pairing, ...]]
    """Two families, in either order -> their pairings, the first that fits is used."""
    merge_reach_s: int
    """No two reports farther apart than this are one event, or may be one."""

    @classmethod
    def of(cls, content: HubReference) -> "Reference":
        policy = content.policy
        return cls(
            version=content.version,
            content=content,
            parties={party.id: party for party in content.parties},
            posts={party.hub: party for party in reversed(content.parties) if party.hub is not None},
            villages={village.code: village for village in reversed(content.villages)},
            teams={team.id: team for team in content.teams},
            legs={team.id: {leg.to: leg.minutes for leg in team.travel} for team in content.teams},
            kinds={rule.key: rule for rule in policy.kinds},
            levels=_by_kind(policy.levels),
            whistles=_by_kind(policy.whistles),
            team_rules=_by_kind(policy.teams),
            families={kind: family.name for family in policy.merging.families for kind in family.kinds},
            pairings=_by_families(policy.merging.pairings),
            merge_reach_s=max(policy.limits.merge_window.seconds, *map(_longest_s, policy.merging.pairings), 0),
        )

    @property
    def policy(self) -> Policy:
        return self.content.policy

    @property
    def is_county(self) -> bool:
        return self.content.hub == self.content.county

    def minutes(self, team: Team, village: str | None, township: str) -> int:
        """Travel minutes of one of our teams to a village, else its township, else the team's default."""
        legs = self.legs[team.id]
        return legs.get(village or "", legs.get(township, team.travel_minutes))

    def level_rule(self, kind: str) -> LevelRule | None:
        return _longest(self.levels, kind)

    def whistle_rule(self, kind: str) -> WhistleRule | None:
        return _longest(self.whistles, kind)

    def team_rule(self, kind: str) -> TeamRule | None:
        return _longest(self.team_rules, kind)

    def pairing(self, kind: str, other: str) -> Pairing | None:
        """The rule for reports of these two kinds; None where there is none."""
        families = self.family(kind), self.family(other)
        found = self.pairings.get(families, ())
        return next((one for one in found if kind == other or not one.same_kind_only), None)

    def family(self, kind: str) -> str:
        """The family of a kind, or of the nearest kind above it that has one; "" where there is none."""
        return next((self.families[key] for key in _prefixes(kind) if key in self.families), "")

    def kind_zh(self, kind: str) -> str:
        """The Chinese word for a kind, or for the nearest kind above it, or the key itself."""
        return next((self.kinds[key].label_zh for key in _prefixes(kind) if key in self.kinds), kind)

    def kind_en(self, kind: str) -> str:
        return next((self.kinds[key].label_en for key in _prefixes(kind) if key in self.kinds), kind)


def _by_families(pairings: Iterable[Pairing]) -> dict[tuple[str, str], tuple[Pairing, ...]]:
    found: dict[tuple[str, str], tuple[Pairing, ...]] = {}
    for one in pairings:
        for families in dict.fromkeys(((one.one, one.other), (one.other, one.one))):
            found[families] = (*found.get(families, ()), one)
    return found


def _longest_s(one: Pairing) -> int:
    return max(one.same_address_s, one.one_road_s, one.nearby_s, one.ask_same_address_s, one.ask_one_road_s)


def _by_kind(rules: Iterable[Rule]) -> dict[str, Rule]:
    return {rule.kind: rule for rule in rules}


def _longest(rules: dict[str, Rule], kind: str) -> Rule | None:
    return next((rules[key] for key in _prefixes(kind) if key in rules), None)


class Desk(NamedTuple):
    """One step's surroundings. `now`: the append time of the inbox record, never less than the hub's last."""

    hub: str
    now: datetime
    letter: InboxRecord
    loaded: Reference | None

    @property
    def reference(self) -> Reference:
        """The reference data in force. Raises Refusal (ours, not remembered) while the hub has none."""
        if self.loaded is None:
            raise Refusal(
                "no_reference_data",
                f"hub {self.hub} has no reference data yet: the county runs `linkage county load`, then send it again",
                fault="engine",
            )
        return self.loaded

    @property
    def policy(self) -> Policy:
        return self.reference.policy


Decides = Mapping[type, Callable[[Any, Any, Desk], Iterable[Fact]]]
"""What a stage listens to: a message's or fact's type, and `decide(state, event, desk) -> facts`."""

Evolves = Mapping[type, Callable[[Any, Any], Any]]
"""A stage's own facts, and `evolve(state, fact) -> state`."""
