"""docs/performance.md: what is measured stands between markers and is written here; the text around it by hand."""

from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"


class NoSuchSection(Exception):
    """The document has no such markers."""


def write_section(name: str, text: str, document: Path = DOCUMENT) -> None:
    """Puts `text` between `<!-- begin NAME -->` and `<!-- end NAME -->`. Raises NoSuchSection."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    before, found, rest = document.read_text(encoding="utf-8").partition(begin)
    _, also_found, after = rest.partition(end)
    if not found or not also_found:
        raise NoSuchSection(f"{document} lacks the markers {begin} and {end}")
    document.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
