"""What is wrong with a county's folder: every problem at once, each with file, line and remedy."""

from collections.abc import Iterable
from dataclasses import dataclass

from linkage.errors import LinkageError

PROBLEMS_SHOWN_LIMIT_COUNT = 200


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend. `line` counts from 1; 0 is the file as a whole."""

    file: str
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.what}. Remedy: {self.remedy}"


class CountyProblems(LinkageError):
    """The folder can't be used as it stands; `problems` holds all that were found, by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        shown = [str(problem) for problem in self.problems[:PROBLEMS_SHOWN_LIMIT_COUNT]]
        if (hidden := len(self.problems) - len(shown)) > 0:
            shown.append(f"and {hidden} more: mend these first")
        super().__init__("\n".join(shown))
