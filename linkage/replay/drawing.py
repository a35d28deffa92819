"""Shapes, letters and colours of a picture: SVG that stands by itself, without fonts or scripts from elsewhere.

Lengths are pixels. Widths of letters are estimated on the wide side, since nobody says which font will draw them.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree import ElementTree as Xml
from zoneinfo import ZoneInfo

FONTS = "system-ui,'Segoe UI','Noto Sans','Noto Sans CJK SC','Microsoft YaHei','PingFang SC',sans-serif"
INK, FAINT, PAPER, RULE = "#1a1a1a", "#5c6670", "#ffffff", "#d5dbe1"
RED, GREEN, BLUE, GREY, AMBER = "#c01528", "#0b7a4b", "#1f5fa8", "#9aa5b1", "#a85f00"
MARK_RADIUS = 5.0
WIDE_EM, NARROW_EM = 1.0, 0.56
TICK_SPANS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
TICKS_LIMIT_COUNT = 9
MINUTE_S, DAY_S = 60, 86_400
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(text: str) -> str:
    """What XML can't carry becomes a replacement character; escaping is the writer's."""
    return _NOT_XML.sub("�", text)


def width_px(text: str, size: float) -> float:
    """About how wide it will be: a Chinese character is a square, a Latin one a good half."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return (wide * WIDE_EM + (len(text) - wide) * NARROW_EM) * size


def fitted(text: str, size: float, limit_px: float) -> str:
    """The text, cut with an ellipsis when it would be wider."""
    if width_px(text, size) <= limit_px:
        return text
    while text and width_px(text, size) + size > limit_px:
        text = text[:-1]
    return text.rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Scale:
    """Instants to pixels, linear. What lies outside is drawn at the edge."""

    begins: datetime
    ends: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        span_s = max((self.ends - self.begins).total_seconds(), 1e-3)
        share = min(max((at - self.begins).total_seconds() / span_s, 0.0), 1.0)
        return round(self.left + share * (self.right - self.left), 1)

    def ticks(self, zone: ZoneInfo) -> list[tuple[float, str]]:
        """(x, words): round times of day in that zone, at most nine."""
        span_s = (self.ends - self.begins).total_seconds()
        days = int(span_s // (DAY_S * TICKS_LIMIT_COUNT)) + 1
        step_s = next((one for one in TICK_SPANS_S if span_s / one <= TICKS_LIMIT_COUNT), DAY_S * days)
        local = self.begins.astimezone(zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        count = int((local - midnight).total_seconds() // step_s) + 1
        is_one_day = self.ends.astimezone(zone).date() == local.date()
        words = ("%H:%M:%S" if step_s < MINUTE_S else "%H:%M") if is_one_day else "%m-%d %H:%M"
        found = []
        while (at := midnight + timedelta(seconds=count * step_s)) <= self.ends:
            found.append((self.x(at), f"{at:{words}}"))
            count += 1
        return found


def node(parent: Xml.Element, tag: str, **attributes: object) -> Xml.Element:
    """An element below `parent`; `_` in a name stands for `-`."""
    said = {name.rstrip("_").replace("_", "-"): str(told) for name, told in attributes.items()}
    return Xml.SubElement(parent, tag, said)


def titled(parent: Xml.Element, words: str) -> None:
    """What a pointer over it shows, and a screen reader says."""
    node(parent, "title").text = legal(words)


def letters(
    parent: Xml.Element, x: float, y: float, text: str, size: float, limit_px: float, **attributes: object
) -> None:
    """One line of text, never wider than `limit_px`."""
    item = node(parent, "text", x=round(x, 1), y=round(y, 1), font_size=size, **{"fill": INK, **attributes})
    item.text = fitted(legal(text), size, limit_px)


def bar(parent: Xml.Element, x: float, to_x: float, y: float, height: float, look: str) -> Xml.Element:
    """A span of time, never thinner than a hair. `look`: see LOOKS."""
    return node(
        parent,
        "rect",
        x=x,
        y=round(y - height / 2, 1),
        width=round(max(to_x - x, 1.5), 1),
        height=height,
        **LOOKS[look],
    )


LOOKS: dict[str, dict[str, object]] = {
    "allowed": {"fill": "#eef1f4", "stroke": GREY, "stroke_width": 1},
    "waiting": {"fill": "#c3cbd4"},
    "going": {"fill": "#6fa3dc"},
    "there": {"fill": "#5bbd8f"},
    "late": {"fill": RED},
    "unreachable": {"fill": "url(#silent)", "stroke": RED, "stroke_width": 1},
    "I": {"fill": "#e4505e"},
    "II": {"fill": "#f29a4a"},
    "III": {"fill": "#f5d76a"},
    "IV": {"fill": "#8db8ea"},
    "unknown": {"fill": "#dfe4e9"},
}
"""How a bar looks: what an order's time was spent on, and the levels in the colours of warnings 红橙黄蓝."""


def mark(parent: Xml.Element, shape: str, x: float, y: float) -> Xml.Element:
    """Something that happened at an instant. Each shape differs by form, too, not by colour alone."""
    group = node(parent, "g", class_=f"mark {shape}")
    line = {"stroke_width": 2.2, "stroke_linecap": "round", "fill": "none"}
    match shape:
        case "received":
            node(group, "circle", cx=x, cy=y, r=4, fill=PAPER, stroke=BLUE, stroke_width=1.8)
        case "on_the_way":
            node(group, "path", d=f"M{x - 4} {y - 5}l9 5l-9 5z", fill=BLUE, stroke=PAPER, stroke_width=0.8)
        case "reported_in":
            node(group, "circle", cx=x, cy=y, r=MARK_RADIUS, fill=GREEN, stroke=PAPER, stroke_width=1)
        case "done":
            node(group, "rect", x=x - 4.5, y=y - 4.5, width=9, height=9, fill=INK, stroke=PAPER, stroke_width=1)
        case "declined":
            node(group, "path", d=f"M{x - 4.5} {y - 4.5}l9 9m0 -9l-9 9", stroke=RED, **line)
        case "overdue":
            _overdue(group, x, y)
        case "limit":
            node(group, "path", d=f"M{x} {y - 10}v20", stroke=INK, stroke_width=1.6, fill="none")
        case "ordered":
            node(group, "path", d=f"M{x} {y - 8}v16", stroke=BLUE, **line)
        case "asked":
            node(group, "path", d=f"M{x} {y - 6}l6 6l-6 6l-6 -6z", fill=PAPER, stroke=AMBER, stroke_width=2)
        case "back":
            node(
                group, "path", d=f"M{x + 5} {y - 5}h-9v9m-3 -4l3 4l3 -4", stroke=FAINT, **{**line, "stroke_width": 1.8}
            )
        case "report":
            node(group, "path", d=f"M{x} {y + 6}l-6 -11h12z", fill=AMBER, stroke=PAPER, stroke_width=1)
        case _:
            raise KeyError(shape)
    return group


def _overdue(group: Xml.Element, x: float, y: float) -> None:
    """A red flag with an exclamation mark."""
    node(group, "path", d=f"M{x} {y - 9}l9 15h-18z", fill=RED, stroke=PAPER, stroke_width=1)
    node(group, "path", d=f"M{x} {y - 4}v5m0 2.6v.4", stroke=PAPER, stroke_width=2, fill="none", stroke_linecap="round")


def arrow(parent: Xml.Element, x: float, y: float, to_y: float) -> Xml.Element:
    """From one lane to another, at one instant: who takes whose place."""
    down = 1 if to_y > y else -1
    tip, group = to_y - 9 * down, node(parent, "g", class_="arrow")
    node(
        group, "path", d=f"M{x} {y + 7 * down}V{tip}", stroke=AMBER, stroke_width=2, stroke_dasharray="4 2", fill="none"
    )
    node(group, "path", d=f"M{x - 4.5} {tip - 3 * down}h9L{x} {tip + 6 * down}z", fill=AMBER)
    return group


def sheet(width: float, height: float, title: str, description: str) -> Xml.Element:
    """An empty picture on white, named and described for those who can't see it."""
    svg = Xml.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width:g} {height:g}",
            "width": f"{width:g}",
            "height": f"{height:g}",
            "role": "img",
            "aria-labelledby": "title description",
            "font-family": FONTS,
        },
    )
    node(svg, "title", id="title").text = legal(title)
    node(svg, "desc", id="description").text = legal(description)
    hatch = node(
        node(svg, "defs"),
        "pattern",
        id="silent",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    node(hatch, "rect", width=6, height=6, fill="#fbe3e6")
    node(hatch, "rect", width=2, height=6, fill="#e08792")
    node(svg, "rect", width=f"{width:g}", height=f"{height:g}", fill=PAPER)
    return svg


def written(svg: Xml.Element) -> str:
    """The picture as a file's text."""
    Xml.indent(svg, " ")
    return Xml.tostring(svg, encoding="unicode") + "\n"
