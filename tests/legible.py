"""For tests of figures: the text that a figure really shows, and whether all of it can be read."""

from unittest.mock import patch

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text


def drawn_texts(ax: Axes) -> list[tuple[str, tuple[float, ...]]]:
    """Every text that the figure of these axes shows, with its left, bottom, right and top in pixels."""
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    drawn: list[Text] = []
    draw = Text.draw

    def noting(text: Text, renderer: object) -> None:
        drawn.append(text)
        draw(text, renderer)

    canvas = FigureCanvasAgg(figure)
    with patch.object(Text, "draw", noting):
        canvas.draw()
    shown = [text for text in drawn if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), tuple(text.get_window_extent(canvas.get_renderer()).extents)) for text in shown]


def check_legible(ax: Axes) -> None:
    """Fail if a text reaches out of the figure or lies on another."""
    figure, boxes = ax.get_figure(root=True), drawn_texts(ax)
    assert figure is not None and boxes
    width, height = figure.bbox.size
    for k, (name, (left, bottom, right, top)) in enumerate(boxes):
        assert left > -1 and bottom > -1 and right < width + 1 and top < height + 1, f"{name!r} is cut off"
        for other, (x0, y0, x1, y1) in boxes[k + 1 :]:
            overlap = min(right, x1) - max(left, x0) > 1 and min(top, y1) - max(bottom, y0) > 1
            assert not overlap, f"{name!r} lies on {other!r}"
