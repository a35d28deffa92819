"""What a reporter's words name: the roads of a crossing, in no order, without what is only direction or structure.

`W BROAD ST & WASHINGTON AVE, SOUDERTON` and `WASHINGTON AVE & BROAD ST` name the same two roads; so do
人民路与解放路交叉口 and 解放路/人民路. Text up to the first comma counts.
"""

import re
from functools import lru_cache

_END = re.compile(r"[,;，；。\[(（]")
_JOINT = re.compile(r"\s*(?:&|/|@|与|和|\band\b)\s*")
_STRUCTURE = re.compile(r"(?:\b(?:underpass|overpass|access gate|crossing|intersection)|交叉口|交叉路口|路口)$")
_DIRECTION = re.compile(
    r"^(?:[nsew]|north|south|east|west)\s+(?=\S+\s)|\s(?:[nsew]b|northbound|southbound|eastbound|westbound)$"
)
_SPACES = re.compile(r"\s+")

NO_ROADS = frozenset({"", "rr", "railroad", "dead end", "no address", "unknown"})
"""What stands where a road's name would, and names none."""
ROADS_LIMIT_COUNT = 4


@lru_cache(maxsize=8192)
def named(words: str) -> tuple[str, ...]:
    """Everything the words name, sorted, once each: roads, and what only stands in a road's place."""
    text = _END.split(words, maxsplit=1)[0].casefold()
    return tuple(sorted({_bare(part) for part in _JOINT.split(text)[:ROADS_LIMIT_COUNT]} - {""}))


@lru_cache(maxsize=8192)
def roads(words: str) -> tuple[str, ...]:
    """The roads that the words name, sorted."""
    return tuple(name for name in named(words) if name not in NO_ROADS)


def _bare(name: str) -> str:
    name = _SPACES.sub(" ", name).strip(" .-")
    name = _STRUCTURE.sub("", name).strip()
    return _DIRECTION.sub("", _DIRECTION.sub("", name)).strip()
