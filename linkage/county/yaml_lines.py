"""YAML whose every value knows its line. Scalars stay text; the model that reads them says what they mean.

So `code: 990101` is the code it looks like, never a number, and `no` is never a boolean by accident. Anchors, tags and
keys given twice are problems: a file that people edit says each thing once, where it stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from linkage.county.problems import Problem

DEPTH_LIMIT_LEVELS = 20

Path = tuple[str | int, ...]
Tree = dict[str, "Tree"] | list["Tree"] | str | None


@dataclass(frozen=True, slots=True)
class LinedYaml:
    """A document as dicts, lists, text and None, and the line (from 1) of every path in it."""

    tree: Tree
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int:
        """The line of a path, or of the nearest thing above it that the file holds."""
        return next((self.lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.lines), 1)


def read_yaml(text: str, file: str, problems: list[Problem]) -> LinedYaml | None:
    """The document; None when it is no YAML at all. What is wrong is appended to `problems`."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        problems.append(_syntax_problem(file, error))
        return None
    except RecursionError:
        problems.append(Problem(file, 0, f"nested deeper than {DEPTH_LIMIT_LEVELS} levels", "flatten it"))
        return None
    if root is None:
        problems.append(Problem(file, 0, "the file is empty", "copy the one of the sample county and edit it"))
        return None
    return _Reading(file, problems).read(root)


def _syntax_problem(file: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    remedy = "look at the indentation, the colons and the quotes of this line and the one above"
    return Problem(file, mark.line + 1 if mark else 0, f"not YAML: {what}", remedy)


@dataclass(slots=True)
class _Reading:
    file: str
    problems: list[Problem]

    def read(self, root: yaml.Node) -> LinedYaml:
        lines: dict[Path, int] = {}
        return LinedYaml(self._value(root, (), lines, set()), lines)

    def _value(self, node: yaml.Node, path: Path, lines: dict[Path, int], seen: set[int]) -> Tree:
        lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in seen:
            self._add(node, "an anchor and its alias", "write the value out where it is needed")
            return None
        seen.add(id(node))
        if len(path) > DEPTH_LIMIT_LEVELS:
            self._add(node, f"nested deeper than {DEPTH_LIMIT_LEVELS} levels", "flatten it")
            return None
        match node:
            case yaml.MappingNode():
                return {
                    key: self._value(item, (*path, key), lines, seen) for key, item in self._pairs(node, path, lines)
                }
            case yaml.SequenceNode():
                return [self._value(item, (*path, index), lines, seen) for index, item in enumerate(node.value)]
            case _:
                is_null = node.tag == "tag:yaml.org,2002:null"
                return None if is_null else str(node.value)

    def _pairs(self, node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> Iterator[tuple[str, yaml.Node]]:
        known: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._add(key, "a key that is no word", "write `word: value`")
                continue
            name = str(key.value)
            if name in known:
                self._add(key, f"`{name}` stands here twice", "keep one of the two")
                continue
            known.add(name)
            lines[(*path, name)] = key.start_mark.line + 1
            yield name, value

    def _add(self, node: yaml.Node, what: str, remedy: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1, what, remedy))
