"""Figures of an explained day: all that they say can be read."""

import numpy as np
import pytest

from experiments.explain.deletion import ORDERS
from experiments.explain.inputs import FAMILIES, INPUTS
from experiments.plots.explain import Future, Share, deletion, futures, shares
from tests.legible import check_legible, drawn_texts

KINDS = [Share(words, (-1) ** k * (1.2 - 0.2 * k)) for k, (words, _) in enumerate(FAMILIES)]


@pytest.mark.parametrize("size", [0.001, 1.0, 40.0])
def test_shares_are_legible_whatever_their_size(size: float) -> None:
    longest = sorted((one.words for one in INPUTS.values()), key=len)[-5:]
    inputs = [
        Share(words, size * (1 - 0.3 * k), "-0.9 mg/dL/min; on average 0.0 mg/dL/min")
        for k, words in enumerate(longest)
    ]
    ax = shares([Share(one.words, size * one.share) for one in KINDS], inputs, "x scheduled basal")
    check_legible(ax)
    texts = [text for text, _ in drawn_texts(ax)]
    assert f"{1.2 * size:+.2f}" in texts and longest[0] in texts
    first = ax.child_axes[0].patches[0]
    assert first.get_width() == pytest.approx(1.2 * size)


def test_shares_need_a_kind() -> None:
    with pytest.raises(ValueError, match="no kinds of inputs"):
        shares([], [], "x")


@pytest.mark.parametrize(("low", "high"), [(60.0, 180.0), (20.0, 380.0), (45.0, 560.0)])
def test_futures_are_legible(low: float, high: float) -> None:
    hours = np.linspace(0, 6, 20)
    line = np.linspace(low + 5, high - 5, 20)
    each = [
        Future(words, hours, line, np.stack([line - 2, line + 2]), np.stack([line - 5, line + 5]), lived)
        for words, lived in (
            ("nothing, 0.00 U", None), ("half, 2.25 U", None), ("as asked, 4.50 U", line), ("double, 9.01 U", None),
        )
    ]  # fmt: skip
    ax = futures(each)
    check_legible(ax)
    assert len(ax.child_axes) == 4
    bottom, top = ax.child_axes[0].get_ylim()
    assert bottom <= low and top >= high


def test_the_deletion_test_is_drawn() -> None:
    curves = {
        what: {name: np.array([1.0, 0.9 - 0.1 * k, 0.5, 0.2]) for k, name in enumerate(ORDERS)}
        for what in ("single inputs", "kinds of inputs")
    }
    ax = deletion(curves, ORDERS)
    check_legible(ax)
    assert [len(panel.lines) for panel in ax.child_axes] == [4, 4]
    curves["single inputs"]["random"] = np.array([0.9, 0.5])
    with pytest.raises(ValueError, match="give shares of the distance before"):
        deletion(curves, ORDERS)
