"""What every chart looks like, and how a matplotlib figure becomes a small, safe, accessible SVG.

Matplotlib never sees the words: it draws marks such as `@3@`, which become text only in the SVG. So it needs no font
for Chinese, and the reader's own fonts are used. Styles become attributes: a strict content policy allows them.
"""

import io
import re
import threading
import xml.etree.ElementTree as ET
from typing import Any
from unicodedata import east_asian_width

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
_DROPPED = (f"{{{SVG}}}metadata", f"{{{SVG}}}style")
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
FONTS = "system-ui, 'Segoe UI', 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"

INK, MUTED, GRID, PAPER = "#1c2b33", "#5d6b73", "#e3e7e6", "#ffffff"
KEPT, KEPT_LIGHT, MISSED, PEAK, ACCENT = "#0e7c74", "#9fd0ca", "#c4472b", "#f7eedb", "#31557f"

WIDTH_IN, POINTS = 7.6, 72
TEXT_PT, SMALL_PT = 10.0, 9.0

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "one-window-queue",
    "font.size": TEXT_PT,
    "text.color": INK,
    "axes.edgecolor": "#b9c2c2",
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
}
_DRAWING = threading.RLock()
"""The library's settings are global: one figure at a time."""

_MARK = re.compile(r"@(\d+)@")
_ATTRIBUTES = frozenset({
    "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-dashoffset",
    "stroke-linecap", "stroke-linejoin", "opacity", "text-anchor", "font-size", "font-weight", "clip-path",
})  # fmt: skip


def width_em(text: str) -> float:
    """About how wide a text will be, in times the font's size: Chinese characters are square."""
    return sum(1.0 if east_asian_width(character) in "WF" else 0.56 for character in text)


def shortened(text: str, most_em: float) -> str:
    """The text, cut with an ellipsis where it would be wider."""
    while width_em(text) > most_em:
        text = text.removesuffix("…")[:-1] + "…"
    return text


class Canvas:
    """One figure in the house's look, the words on it, and what it shows for who cannot see it."""

    def __init__(self, name: str, title: str, description: str, height_in: float) -> None:
        """`name` is unique on a page; `title` and `description` are read out."""
        self.name = name
        self.title = title
        self.description = description
        self.height_in = height_in
        with _DRAWING, mpl.rc_context(_SETTINGS):
            self.figure = Figure(figsize=(WIDTH_IN, height_in), facecolor=PAPER)
        self._texts: list[str] = []

    def text(self, text: str) -> str:
        """The mark that stands for a text until the SVG is made."""
        self._texts.append(text)
        return f"@{len(self._texts) - 1}@"

    def axes(self, left_in: float, bottom_in: float, right_in: float, top_in: float) -> Axes:
        """Axes at margins in inches (`bottom_in` and `top_in` from the figure's edges)."""
        width, height = WIDTH_IN - left_in - right_in, self.height_in - bottom_in - top_in
        with _DRAWING, mpl.rc_context(_SETTINGS):
            return self.figure.add_axes(
                (left_in / WIDTH_IN, bottom_in / self.height_in, width / WIDTH_IN, height / self.height_in)
            )

    def write(self, x_in: float, y_in: float, text: str, color: str = MUTED, **how: Any) -> None:
        """A text at a place, inches from the left and from the top."""
        place = (x_in / WIDTH_IN, 1 - y_in / self.height_in)
        self.figure.text(*place, self.text(text), color=color, fontsize=SMALL_PT, va="center", **how)

    def key(self, left_in: float, y_in: float, entries: list[tuple[str, str]]) -> None:
        """A legend in one line: a coloured bar and a word each, from the left."""
        for color, text in entries:
            y = 1 - y_in / self.height_in
            self.figure.add_artist(
                mpl.patches.Rectangle(
                    (left_in / WIDTH_IN, y - 0.035 / self.height_in), 0.16 / WIDTH_IN, 0.07 / self.height_in,
                    color=color, linewidth=0, transform=self.figure.transFigure,
                )
            )  # fmt: skip
            self.write(left_in + 0.22, y_in, text, INK)
            left_in += 0.22 + width_em(text) * SMALL_PT / POINTS + 0.28

    def svg(self, standalone: bool) -> str:
        """The figure as an SVG document, or as an element to stand inside a page."""
        drawn = io.StringIO()
        with _DRAWING, mpl.rc_context(_SETTINGS):
            self.figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
        root = ET.fromstring(drawn.getvalue())  # noqa: S314 (the library's own output)
        self._clean(root)
        self._tell(root)
        ET.register_namespace("", SVG)
        text = ET.tostring(root, encoding="unicode")
        return text if standalone else text.replace(f' xmlns="{SVG}"', "", 1)

    def _clean(self, root: ET.Element) -> None:
        """Drop metadata and style sheets, turn styles into attributes, make ids the chart's own, put the words in."""
        for parent in list(root.iter()):
            for child in [one for one in parent if one.tag in _DROPPED]:
                parent.remove(child)
        for element in root.iter():
            styles = _styles(element.attrib.pop("style", ""))
            element.attrib.update({name: value for name, value in styles if name in _ATTRIBUTES})
            self._own(element)
            if element.text:
                element.text = _MARK.sub(lambda found: self._texts[int(found[1])], element.text)

    def _own(self, element: ET.Element) -> None:
        """Several charts stand on one page: their ids and what refers to them must differ."""
        if "id" in element.attrib:
            element.set("id", f"{self.name}-{element.get('id')}")
        if XLINK_HREF in element.attrib:
            element.set("href", f"#{self.name}-{element.attrib.pop(XLINK_HREF)[1:]}")
        if "clip-path" in element.attrib:
            element.set("clip-path", element.attrib["clip-path"].replace("url(#", f"url(#{self.name}-"))

    def _tell(self, root: ET.Element) -> None:
        """Title and description for who cannot see it; sizes from the view box; one font for all."""
        for name, value in {
            "role": "img", "aria-labelledby": f"{self.name}-title {self.name}-desc", "font-family": FONTS,
            "stroke-linejoin": "round", "class": f"chart chart-{self.name}",
        }.items():  # fmt: skip
            root.set(name, value)
        for name in ("version", "width", "height"):
            root.attrib.pop(name, None)
        for place, (tag, text) in enumerate((("title", self.title), ("desc", self.description))):
            told = ET.Element(f"{{{SVG}}}{tag}", {"id": f"{self.name}-{tag}"})
            told.text = text
            root.insert(place, told)


def _styles(style: str) -> list[tuple[str, str]]:
    """The declarations of a style attribute."""
    parts = (part.partition(":") for part in style.split(";") if part.strip())
    return [(name.strip(), value.strip().removesuffix("px")) for name, _, value in parts]
