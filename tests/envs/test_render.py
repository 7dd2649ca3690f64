"""The day strip: everything of one day is on it, nothing overlaps, wrong data are refused."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from envs import render
from envs.shield import REASONS
from tests.legible import check_legible, drawn_texts

Day = dict[str, NDArray[Any]]


def _day(step: int = 5, first: int = 0) -> Day:
    """A day with three meals, boluses, a suspension and a capped bolus."""
    n = 1440 // step
    hour = (np.arange(n) + 1) * step / 60
    basal, bolus, carbs, reason = np.ones(n), np.zeros(n), np.zeros(n), np.full(n, "none", dtype="<U16")
    for at, grams, units in ((7.0, 45, 4.5), (12.5, 70, 7.0), (19.0, 80, 7.0)):
        carbs[int(at * 60 / step)], bolus[int(at * 60 / step)] = grams, units
    basal[(hour > 15) & (hour < 17)], reason[(hour > 15) & (hour < 17)] = 0.0, "predicted_low"
    reason[int(19 * 60 / step)] = "max_bolus"
    requested = bolus.copy()
    requested[int(19 * 60 / step)] = 9.0
    rescue = np.where(np.arange(n) == int(16 * 60 / step), 15.0, 0.0)
    glucose = 130 + 45 * np.sin(hour / 2)
    return {
        "minute": first + step * np.arange(1.0, n + 1),
        "glucose_mg_dl": glucose,
        "cgm_mg_dl": np.where(np.arange(n) % 50 == 0, np.nan, glucose + 5),
        "basal_u_per_h": basal,
        "bolus_u": bolus,
        "requested_basal_u_per_h": np.ones(n),
        "requested_bolus_u": requested,
        "carbs_g": carbs + rescue,
        "rescue_g": rescue,
        "reason": reason,
        "person": np.full(n, "adult#001"),
    }


@pytest.mark.parametrize("scale", [1.0, 2.0, 3.3])
@pytest.mark.parametrize("step", [3, 5])
def test_nothing_is_cut_off_or_written_over(step: int, scale: float) -> None:
    day = _day(step)
    day["glucose_mg_dl"] = day["glucose_mg_dl"] * scale
    check_legible(render.day_strip(day))


def test_strip_shows_meals_boluses_and_what_the_shield_did() -> None:
    ax = render.day_strip(_day())
    assert [panel.get_label() for panel in ax.child_axes] == ["glucose", "meals", "insulin", "shield"]
    text = [name for name, _ in drawn_texts(ax)]
    for expected in (
        "45", "70", "80", "4.5", "7.0", "taken against lows: 15 g", "Changed by the shield",
        "predicted low, 115 min", "bolus cap, 5 min", "true plasma", "CGM", "mmol/L",
        "Simulation; hour of the day. Research software, not a medical device.",
    ):  # fmt: skip
        assert expected in text


def test_a_quiet_day() -> None:
    day = _day() | {"reason": np.full(288, "none"), "bolus_u": np.zeros(288), "basal_u_per_h": np.zeros(288)}
    for name in ("rescue_g", "requested_basal_u_per_h", "requested_bolus_u"):
        del day[name]
    assert "The shield changed nothing" in [name for name, _ in drawn_texts(render.day_strip(day))]


def test_later_days_and_days_that_break_off() -> None:
    two = {name: np.concatenate([column, _day(first=1440)[name]]) for name, column in _day().items()}
    second = render.one_day(two, 1)
    assert second["minute"][0] == 1445 and len(second["minute"]) == 288
    render.day_strip({name: column[:100] for name, column in second.items()})
    render.day_strip({name: column[:1] for name, column in second.items()})
    render.day_strip({name: column[:0] for name, column in second.items()})
    with pytest.raises(ValueError, match=r"run from 5 to 2880. Choose a day"):
        render.day_strip(two)


def test_unknown_reasons_and_missing_values_are_drawn() -> None:
    day = _day()
    day["reason"][:] = "some_new_rule"
    day["requested_basal_u_per_h"][:] = np.nan
    day["glucose_mg_dl"][10:20] = np.nan
    assert "some new rule, 1440 min" in [name for name, _ in drawn_texts(render.day_strip(day))]


def test_wrong_columns_are_named() -> None:
    day = _day()
    with pytest.raises(ValueError, match="lacks cgm_mg_dl, reason; it needs the columns minute"):
        render.day_strip({name: day[name] for name in day if name not in ("cgm_mg_dl", "reason")})
    with pytest.raises(ValueError, match="all the same"):
        render.day_strip(day | {"carbs_g": day["carbs_g"][:5]})


def test_pixels() -> None:
    pixels = render.rgb_array(_day())
    assert pixels.shape == (760, 640, 3) and pixels.dtype == np.uint8
    assert pixels.min() < 60 and pixels.max() == 255
    np.testing.assert_array_equal(pixels, render.rgb_array(_day()))
    assert render.rgb_array(_day(), 333, 411).shape == (411, 333, 3)


def test_drawing_needs_no_pyplot_and_keeps_to_the_axes_given() -> None:
    ax = Figure().add_subplot()
    assert render.day_strip(_day(), ax) is ax


def test_every_reason_of_the_shield_has_words_and_a_colour_of_its_own() -> None:
    assert set(render.REASONS) == set(REASONS) - {"none"}
    assert len({colour for _, colour in render.REASONS.values()}) == len(render.REASONS)
