"""Journals that were tampered with: the same records, one thing changed in one of them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from linkage.replay.journal import RawEntry

Item = dict[str, Any]


def items(journal: Sequence[RawEntry]) -> list[Item]:
    return [json.loads(one.raw) for one in journal]


def place_of(journal: Sequence[RawEntry], fits: Callable[[Item], bool]) -> int:
    """The index of the first record that fits."""
    return next(index for index, item in enumerate(items(journal)) if fits(item))


def has_fact(name: str, **fields: Any) -> Callable[[Item], bool]:
    """Fits a record with a fact of that name (`TeamOrdered`) whose fields are these."""
    return lambda item: find_fact(item, name, **fields) is not None


def find_fact(item: Item, name: str, **fields: Any) -> Item | None:
    for staged in item.get("facts", ()):
        fact: Item = staged["fact"]
        if fact["type"] == f"linkage.{name}.v0" and all(fact[key] == value for key, value in fields.items()):
            return fact
    return None


def changed(
    journal: Sequence[RawEntry], index: int, change: Callable[[Item], None], **fields: Any
) -> tuple[RawEntry, ...]:
    """The journal with one record changed in place; `fields` are those of the entry itself."""
    item = json.loads(journal[index].raw)
    change(item)
    raw = json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()
    return (*journal[:index], replace(journal[index], raw=raw, **fields), *journal[index + 1 :])


def without(journal: Sequence[RawEntry], index: int) -> tuple[RawEntry, ...]:
    return (*journal[:index], *journal[index + 1 :])


def again(journal: Sequence[RawEntry], index: int, change: Callable[[Item], None]) -> tuple[RawEntry, ...]:
    """A record comes again at the end of its partition, as the next one, with something changed."""
    copied = journal[index]
    last = max(at for at, one in enumerate(journal) if one.partition == copied.partition)
    item = json.loads(copied.raw)
    end = json.loads(journal[last].raw)
    item["position"], item["now"] = end["position"] + 1, end["now"]
    change(item)
    raw = json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()
    added = replace(copied, offset=journal[last].offset + 1, raw=raw)
    return (*journal[: last + 1], added, *journal[last + 1 :])
