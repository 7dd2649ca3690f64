"""Figures of forecasts draw what they are given, and all of it can be read."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from experiments.plots.forecast import alarm_curve, error_by_person, net_benefit
from experiments.plots.style import svg
from tests.legible import check_legible

AT = np.round(np.arange(0.02, 0.61, 0.02), 2)
BENEFIT: dict[str, Any] = {
    "thresholds": AT.tolist(), "moments": 39_805, "people": 17,
    "curves": {
        "forecaster": (0.025 - 0.04 * AT).tolist(), "gradient boosting": (0.022 - 0.04 * AT).tolist(),
        "always": (0.03 - 0.97 * AT / (1 - AT)).tolist(),
    },
}  # fmt: skip
ALARMS: dict[str, Any] = {
    "threshold": [0.5, 0.3, 0.1], "false_per_day": [0.2, 1.1, 4.0], "recall": [0.4, 0.8, 0.95],
    "lead_min": [10.0, 20.0, 30.0], "events": 77, "days": 136.7,
    "chosen": {"threshold": 0.33, "false_per_day": 0.95, "recall": 0.76, "lead_min": 20.0},
}  # fmt: skip
PEOPLE: dict[str, Any] = {
    "who": [f"AZT1D {number:02d}" for number in range(17)], "forecaster": np.linspace(20, 38, 17).tolist(),
    "rival": np.linspace(41, 22, 17).tolist(), "rival_name": "ridge, readings alone",
}  # fmt: skip
DRAWN = {
    "net benefit": (net_benefit, BENEFIT),
    "alarms": (alarm_curve, ALARMS),
    "people": (error_by_person, PEOPLE),
}


@pytest.mark.parametrize("name", DRAWN)
def test_figures_are_legible_and_the_same_each_time(name: str) -> None:
    draw, data = DRAWN[name]
    check_legible(draw(data))
    assert svg(draw(data)) == svg(draw(data))


def test_they_show_what_they_are_given() -> None:
    lines = {str(line.get_label()): line for line in net_benefit(BENEFIT).lines}
    np.testing.assert_allclose(lines["forecaster"].get_ydata(), 1000 * (0.025 - 0.04 * AT))
    ax = alarm_curve(ALARMS)
    assert isinstance(ax, Axes) and ax.lines[1].get_ydata()[0] == 76
    rivals, ours = (line.get_ydata() for line in error_by_person(PEOPLE).lines)
    assert (np.diff(rivals) > 0).all() and ours[0] == 38, "ordered by the rival"
    other = alarm_curve(ALARMS)
    assert net_benefit(BENEFIT, other) is other
