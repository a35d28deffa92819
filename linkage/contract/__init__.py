"""The public contract as files: a JSON Schema for every message and fact, an AsyncAPI document for every topic.

They are generated from the vocabulary (`linkage.events`), the topic table (`linkage.topics`) and what ingress
admits, so they cannot say anything else. The committed copy in `schemas/` is what others build against; a test
holds it current.
"""

import re
from difflib import unified_diff
from itertools import islice
from pathlib import Path

from linkage.contract import asyncapi, json_schemas

ASYNCAPI_FILE = "asyncapi.yaml"
SHOWN_LIMIT_LINES = 12
"""Of each file's differences; a person who wants all of them writes the files and asks version control."""

_GENERATED_NAME = re.compile(r"\w+\.v\d+\.json")


def documents() -> dict[str, str]:
    """File name -> text, in order: the same in every process and on every machine."""
    files = {json_schemas.file_name(message): json_schemas.text(message) for message in json_schemas.MESSAGES}
    return {**dict(sorted(files.items())), ASYNCAPI_FILE: asyncapi.text()}


def write(folder: Path) -> list[str]:
    """Writes every file, removes schemas that are no longer generated; returns what changed, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted, found = documents(), _found(folder)
    changed = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8", newline="\n")
        else:
            (folder / name).unlink()
    return changed


def differences(folder: Path) -> list[str]:
    """One entry for each file that is missing, stale or differs, with the first lines that do. Empty: all current."""
    wanted, found = documents(), _found(folder)
    told = [f"{name}: missing" for name in wanted if name not in found]
    told += [f"{name}: no longer generated" for name in sorted(found) if name not in wanted]
    told += [_difference(name, found[name], text) for name, text in wanted.items() if found.get(name, text) != text]
    return told


def _found(folder: Path) -> dict[str, str]:
    """What stands in the folder of the kind that is generated; other files are nobody's business."""
    names = [path for path in folder.glob("*") if path.name == ASYNCAPI_FILE or _GENERATED_NAME.fullmatch(path.name)]
    return {path.name: path.read_bytes().decode("utf-8", errors="replace") for path in sorted(names)}


def _difference(name: str, found: str, wanted: str) -> str:
    changes = unified_diff(found.splitlines(), wanted.splitlines(), "found", "generated", n=0, lineterm="")
    shown = islice((line for line in changes if not line.startswith(("---", "+++"))), SHOWN_LIMIT_LINES)
    return "\n    ".join([f"{name}: not current", *shown])


__all__ = ["ASYNCAPI_FILE", "differences", "documents", "write"]
