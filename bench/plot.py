"""Lines over a year as an SVG file: small multiples, one above the other, nothing to install."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from linkage.replay.drawing import FAINT, INK, RULE, letters, node, sheet, written

WIDTH, PANEL_HEIGHT, LEFT, RIGHT, TOP, GAP = 960.0, 110.0, 70.0, 150.0, 52.0, 34.0
COLOURS = ("#1f5fa8", "#c01528", "#0b7a4b", "#a85f00", "#5b2a86", "#5c6670")


@dataclass(frozen=True)
class Panel:
    """Lines with one scale, from zero. `lines`: name -> a number for each x."""

    title: str
    lines: dict[str, Sequence[float]]


def plot(path: Path, title: str, description: str, x_words: str, panels: Sequence[Panel]) -> None:
    """Writes the picture. Every line has as many points as there are x."""
    height = TOP + len(panels) * (PANEL_HEIGHT + GAP) + 24
    svg = sheet(WIDTH, height, title, description)
    letters(svg, 16, 26, title, 16, WIDTH - 32, font_weight=700)
    for number, panel in enumerate(panels):
        _panel(svg, panel, TOP + number * (PANEL_HEIGHT + GAP))
    letters(svg, (LEFT + WIDTH - RIGHT) / 2, height - 14, x_words, 12, 400, text_anchor="middle", fill=FAINT)
    path.write_text(written(svg), encoding="utf-8")


def _panel(svg: object, panel: Panel, top: float) -> None:
    group = node(svg, "g")  # type: ignore[arg-type]
    bottom = top + PANEL_HEIGHT
    most = max((number for line in panel.lines.values() for number in line), default=1.0) or 1.0
    letters(group, LEFT, top + 2, panel.title, 12, WIDTH - LEFT - RIGHT, font_weight=600)
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (PANEL_HEIGHT - 14)
        node(group, "path", d=f"M{LEFT} {y}H{WIDTH - RIGHT}", stroke=RULE, stroke_width=1)
        letters(group, LEFT - 6, y + 4, f"{most * share:,.0f}", 10, 60, text_anchor="end", fill=FAINT)
    for index, (name, line) in enumerate(panel.lines.items()):
        colour = COLOURS[index % len(COLOURS)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _points(line, bottom, most))
        node(group, "polyline", points=points, fill="none", stroke=colour, stroke_width=1.6)
        letters(group, WIDTH - RIGHT + 8, top + 16 + 15 * index, name, 11, RIGHT - 16, fill=colour or INK)


def _points(line: Sequence[float], bottom: float, most: float) -> list[tuple[float, float]]:
    step = (WIDTH - RIGHT - LEFT) / max(1, len(line) - 1)
    return [(LEFT + step * index, bottom - number / most * (PANEL_HEIGHT - 14)) for index, number in enumerate(line)]
