"""What must hold of the places and rules by which reports are merged."""

from collections.abc import Iterator

from linkage.county.folder import POLICY, TOWNSHIPS, Folder
from linkage.county.problems import Problem
from linkage.county.yaml_lines import Path


def extents(folder: Folder) -> Iterator[Problem]:
    for lined in folder.townships:
        row = lined.row
        edges = (row.south, row.west, row.north, row.east)
        if row.extent is None and any(edge is not None for edge in edges):
            yield Problem(
                TOWNSHIPS, lined.line, f"township {row.code} has part of a box", "write all four edges or none"
            )
        elif (box := row.extent) is not None and not (box.south <= box.north and box.west <= box.east):
            what = f"township {row.code}: its box is inside out"
            yield Problem(TOWNSHIPS, lined.line, what, "south <= north and west <= east, in degrees")


def merging_rules(folder: Folder) -> Iterator[Problem]:
    merging = folder.policy.merging
    names = {family.name for family in merging.families}
    seen: set[str] = set()
    for index, family in enumerate(merging.families):
        for kind in family.kinds:
            path: Path = ("merging", "families", index)
            if kind not in folder.policy.kinds.keys:
                yield in_policy(folder, path, f"family {family.name}: unknown kind {kind}", "add it to kinds.keys")
            if kind in seen:
                yield in_policy(folder, path, f"kind {kind} is in two families", "keep it in one")
            seen.add(kind)
    for index, pairing in enumerate(merging.pairings):
        for name in {pairing.one, pairing.other} - names:
            path = ("merging", "pairings", index)
            yield in_policy(folder, path, f"pairing {pairing.name}: no family {name}", "add it to merging.families")


def in_policy(folder: Folder, path: Path, what: str, remedy: str) -> Problem:
    """A problem at the line of policy.yaml that the path leads to."""
    return Problem(POLICY, folder.policy_lines.line_of(path), what, remedy)
