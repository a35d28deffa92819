"""The parts of an incident's picture: bands of lanes, in a lane bars and marks, and arrows between lanes."""

from dataclasses import dataclass
from datetime import datetime

from linkage.replay.labels import Label


@dataclass(frozen=True, slots=True)
class Bar:
    """A span. `look`: what it was spent on; `label` stands in it where there is room."""

    begins: datetime
    ends: datetime
    look: str
    words: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    at: datetime
    shape: str
    words: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One row. `key` names it among all; `outcome` and `detail` stand at its end, red when `is_bad`."""

    key: str
    label: Label
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    outcome: str
    detail: str = ""
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """The lanes of a stage."""

    stage: str
    zh: str
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """At that instant `to` took the place of `begin`: keys of lanes."""

    at: datetime
    begin: str
    to: str
    words: str
