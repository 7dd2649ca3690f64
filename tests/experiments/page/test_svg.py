"""Drawings inside a page: small, whole, and with ids of their own."""

import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from experiments.page.svg import embedded, inline
from experiments.plots import style


def _drawing(prefix: str) -> tuple[str, ElementTree.Element]:
    ax = Figure(figsize=(4, 2)).add_subplot()
    ax.plot([0, 1.23456789], [0.001234567, 5], label="line")
    ax.set_title("A title with 3.14159 & <b>")
    made = inline(ax, prefix)
    assert (made.width, made.height, made.box) == (384, 192, "0 0 288 144")
    return made.body, ElementTree.fromstring(f"<svg>{made.body}</svg>")


def test_ids_are_the_figures_own_and_references_still_hit() -> None:
    bodies = [_drawing(prefix)[0] for prefix in ("one", "two")]
    ids = [set(re.findall(r'id="([^"]+)"', body)) for body in bodies]
    assert ids[0] and not ids[0] & ids[1]
    for body, own in zip(bodies, ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", body)) | set(re.findall(r'href="#([^"]+)"', body)) <= own


def test_numbers_are_short_but_text_is_as_it_was() -> None:
    body, root = _drawing("one")
    texts = ["".join(one.itertext()) for one in root.iter("text")]
    assert "A title with 3.14159 & <b>" in texts
    assert not re.search(r"\d\.\d{3}", re.sub(r">[^<]*<", "><", body))
    assert "font-family" not in body and "xlink" not in body and "<style" not in body


def test_letters_that_are_outlines_keep_their_size() -> None:
    """Their glyphs are drawn large and scaled down by a small number, which is not rounded."""
    ax = Figure(figsize=(4, 2)).add_subplot()
    ax.set_title("Title", fontsize=7.5)
    written = style.svg(ax).decode()
    body = embedded(written, "one").body
    scales = set(re.findall(r"scale\([^)]*\)", written))
    assert scales and scales == set(re.findall(r"scale\([^)]*\)", body))
    assert set(re.findall(r'href="#([^"]+)"', body)) <= set(re.findall(r'id="([^"]+)"', body))


def test_the_same_figure_gives_the_same_drawing() -> None:
    assert _drawing("one")[0] == _drawing("one")[0]
