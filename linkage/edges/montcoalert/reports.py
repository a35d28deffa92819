"""Second reading: each row is one report, with what is known; what can't be read in it is named, never dropped."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from linkage import wire
from linkage.county import Problem
from linkage.edges.montcoalert.republished import Republished
from linkage.edges.montcoalert.rows import (
    SOURCE,
    UNKNOWN_KIND,
    Row,
    called_at,
    coordinates,
    kind_of,
    local_instant,
    municipality_of,
)
from linkage.edges.montcoalert.survey import FAR_AWAY_LIMIT_KM, Point, km_between
from linkage.events.base import WORDS_LIMIT_CHARACTERS, CoordinateSystem, Place
from linkage.events.inbound import ReportIncident

TYPE = "linkage.ReportIncident.v0"
NO_ADDRESS = "no address"
ROAD_ACCURACY_M = 2_000.0
"""A road without a crossing lies at its middle."""
FALLBACK_ACCURACY_M = 20_000.0
"""What is not found lies at one point of its township or county."""
Complain = Callable[[str, str], None]
"""(what is wrong, remedy)"""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Makes reports of rows. `codes`: township -> code; `middle`: of all calls; problems go to `complain`."""

    file: str
    codes: Mapping[str, str]
    middle: Point | None
    complain: Callable[[Problem], None]
    fallbacks: frozenset[Point] = frozenset()
    """Points that stand for many addresses and say nothing of where a call was."""
    republished: Republished = field(default_factory=Republished)

    def report(self, row: Row) -> tuple[wire.Attributes, ReportIncident]:
        """The report of a row, under the id `montco-<row>`. `time` is the feed's, `occurred_at` the call's own."""

        def complain(what: str, remedy: str) -> None:
            self.complain(Problem(self.file, row.line, what, remedy))

        if row.fault:
            complain(f"row {row.number}: {row.fault}", "look at its commas and quotes; what could be read is reported")
        cells = row.cells or {}
        called = _called_at(cells, complain) if row.cells else None
        fed = _fed_at(cells, called, complain) if row.cells else None
        title = cells.get("title", "")
        if not title:
            complain("no title", f"the report's kind is `{UNKNOWN_KIND}`: correct it when it is known")
        message_id = f"montco-{row.number}"
        report = ReportIncident(
            type=TYPE,
            kind=kind_of(title),
            place=self._place(cells, complain),
            occurred_at=called or fed,
            summary=_short(title or f"row {row.number} of {self.file} could not be read: {row.fault or 'no title'}"),
            **(self.republished.revision_of(message_id, called, cells) if called else {}),
        )
        time = wire.rfc3339(fed) if fed is not None else None
        return wire.Attributes(message_id, SOURCE, TYPE, time), report

    def _place(self, cells: Mapping[str, str], complain: Complain) -> Place:
        cells = dict(cells)
        township = self.codes.get(municipality_of(cells) or "")
        address = cells.get("addr", "")
        where = ", ".join(part for name in ("twp", "zip") if (part := cells.get(name, "")))
        words = ", ".join(part for part in (address or (NO_ADDRESS if where else ""), where) if part)
        at, left_out = self._point(cells, complain)
        known = {} if at is None else {"latitude": at[0], "longitude": at[1], **self._accuracy(at, address)}
        return Place(
            words=_short(f"{words} [{left_out}]" if left_out else words),
            coordinate_system=CoordinateSystem.WGS84,
            **({"township": township} if township else {}),
            **known,
        )

    def _accuracy(self, at: Point, address: str) -> dict[str, float]:
        """How far off the point may be, where that is known; a crossing's is good."""
        if not address or at in self.fallbacks:
            return {"accuracy_m": FALLBACK_ACCURACY_M}
        return {} if "&" in address else {"accuracy_m": ROAD_ACCURACY_M}

    def _point(self, cells: dict[str, str], complain: Complain) -> tuple[Point | None, str]:
        """(where, why it was left out): a point that can't be is worse than none."""
        stated = f"{cells.get('lat', '')} {cells.get('lng', '')}".strip()
        try:
            at = coordinates(cells)
        except ValueError:
            left_out = f"the feed's coordinates {stated} are none and were left out"
            complain(left_out, "look up the address; the report goes by its words")
            return None, left_out
        if at is not None and self.middle is not None and (away := km_between(at, self.middle)) > FAR_AWAY_LIMIT_KM:
            left_out = f"the feed's coordinates {stated} lie {away:.0f} km away and were left out"
            complain(left_out, "look up the address; the report goes by its words")
            return None, left_out
        return at, ""


def line_of(attributes: wire.Attributes, report: ReportIncident) -> str:
    """One line of a reports file."""
    data = report.model_dump_json(exclude_unset=True).encode()
    return json.dumps(wire.structured(attributes, data), ensure_ascii=False, separators=(",", ":"))


def _called_at(cells: Mapping[str, str], complain: Complain) -> datetime | None:
    try:
        called = called_at(cells.get("desc", ""))
    except ValueError as error:
        complain(f"the call's time in desc is none: {error}", "the feed's time stands in for it")
        return None
    if called is None:
        complain("desc holds no call time", "the feed's time stands in for it")
    return called


def _fed_at(cells: Mapping[str, str], called: datetime | None, complain: Complain) -> datetime | None:
    try:
        return local_instant(cells.get("timeStamp", ""), called)
    except ValueError:
        instead = (
            "the call's own time stands in for it" if called else "the report has no time: it counts when it comes"
        )
        complain(f"timeStamp {cells.get('timeStamp', '')!r} is no time", instead)
        return called


def _short(text: str) -> str:
    return text if len(text) <= WORDS_LIMIT_CHARACTERS else text[: WORDS_LIMIT_CHARACTERS - 1] + "…"
