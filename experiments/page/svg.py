"""A figure's SVG as it stands inside a page: short, and with no id that another figure has too."""

import re
from dataclasses import dataclass

from matplotlib.axes import Axes

from experiments.plots import style

_NUMBER = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
_PIXELS_PER_POINT = 4 / 3


@dataclass(frozen=True)
class Drawing:
    """The children of an svg element, its viewBox in points, and its size in pixels."""

    body: str
    box: str
    width: int
    height: int


def inline(ax: Axes, prefix: str) -> Drawing:
    """The figure of these axes, letters as text, coordinates to a tenth of a point. prefix: begins all of its ids."""
    return embedded(style.svg(ax, outlines=False).decode(), prefix)


def embedded(text: str, prefix: str) -> Drawing:
    """The same of an SVG file that `experiments.plots.style.svg` wrote, letters as they are there."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    assert size is not None, "matplotlib writes a viewBox"
    body = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    body = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r'<style type="text/css">.*?</style>', "", body, flags=re.S)
    body = _shared_fonts(body)
    body = re.sub(
        r'(<(?:g|text)\b[^>]*?) id="[^"]*"', r"\1", body
    )  # groups are named, and nobody refers to them
    body = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", body)
    body = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{prefix}-\1"', body)
    parts = re.split(r"(>[^<]+<|scale\([^)]*\))", body)  # text stays as it is, and so does the size of outlined letters
    body = "".join(part if k % 2 else _NUMBER.sub(_rounded, part) for k, part in enumerate(parts))
    body = re.sub(r"\s*\n\s*", " ", body)
    body = re.sub(r"> <", "><", body)
    body = re.sub(r"<g>(<g>)+", lambda found: found[0], body)
    box = f"0 0 {size[1]} {size[2]}"
    width, height = (round(float(points) * _PIXELS_PER_POINT) for points in size.groups())
    return Drawing(body.strip(), box, width, height)


def _rounded(number: re.Match[str]) -> str:
    value = f"{float(number[0]):.1f}" if abs(float(number[0])) >= 1 else f"{float(number[0]):.2f}"
    value = value.rstrip("0").rstrip(".")
    return "0" if value in ("-0", "") else value


def _shared_fonts(body: str) -> str:
    """Text styles without the list of fonts, which the svg element names once."""
    body = re.sub(r"(font: (?:[a-z]+ )?(?:\d+ )?[\d.]+px) [^;\"]*", r"\1 sans-serif", body)
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    return body
