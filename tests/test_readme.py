"""What the READMEs say can be typed, and both say the same."""

import re
from pathlib import Path

import pytest
import typer

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")


def _typed(name: str) -> list[str]:
    """The indented lines: what a reader types."""
    return [line for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if line.startswith("    ")]


def test_both_readmes_show_the_same_commands() -> None:
    """README.zh-CN.md is equal to README.md in everything that is typed, and in its headings."""
    english, chinese = (_typed(name) for name in READMES)
    assert english == chinese
    headings = [re.findall(r"^## ", (ROOT / name).read_text(encoding="utf-8"), re.M) for name in READMES]
    assert len(headings[0]) == len(headings[1])


@pytest.mark.parametrize("name", READMES)
def test_every_command_it_names_exists(name: str) -> None:
    """`linkage X` in a README is a command of ours."""
    from linkage.cli import app

    command = typer.main.get_command(app)
    named = set(re.findall(r"`?(?<![\w./-])linkage ([a-z]+)", "\n".join(_typed(name))))
    assert named
    assert named <= set(command.commands), named - set(command.commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", READMES)
def test_every_file_it_links_exists(name: str) -> None:
    """No link of a README leads nowhere."""
    for link in re.findall(r"\]\(([^)]+)\)", (ROOT / name).read_text(encoding="utf-8")):
        assert (ROOT / link).exists(), link
