"""One record published again: the feed gives it a new row with its place, township or station corrected.

It knows no ids, but the call's own second and its title stay. Two calls with one title in one second are rare enough.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

REMEMBERED_LIMIT_COUNT = 5_000
"""Calls, some twelve days: the feed corrects a call within hours."""
REVISIONS_LIMIT_COUNT = 10_000


@dataclass(slots=True)
class Republished:
    """The calls of late, by their own second and title -> (message id, revision)."""

    known: OrderedDict[tuple[datetime, str], tuple[str, int]] = field(default_factory=OrderedDict)

    def revision_of(self, message_id: str, called: datetime, cells: Mapping[str, str]) -> dict[str, Any]:
        """`supersedes` and `revision` of a call that was published before; nothing for a new one."""
        key = (called, cells.get("title", ""))
        earlier, revision = self.known.get(key, (None, 0))
        self.known[key] = (message_id, min(revision + 1, REVISIONS_LIMIT_COUNT))
        self.known.move_to_end(key)
        if len(self.known) > REMEMBERED_LIMIT_COUNT:
            self.known.popitem(last=False)
        return {} if earlier is None else {"supersedes": earlier, "revision": revision + 1}
