"""Counts that add up: glucose by slot, doses by what was seen, and percentiles that come back from them."""

import numpy as np
import pytest

from experiments.records.tables import Table, select
from experiments.results import curves

STEP = 5


def _columns(days: int = 2, lanes: int = 2) -> Table:
    """Glucose that climbs with the hour, one meal of 40 g at 12:00, one rescue at 15:00."""
    samples = days * 288
    minute = STEP * np.arange(1.0, samples + 1)
    glucose = 80.0 + 4 * ((minute - STEP) % 1440 // 60)
    shape = (lanes, samples)
    table = {name: np.zeros(shape) for name in ("carbs_g", "rescue_g", "announced_g", "requested_bolus_u")}
    noon = (minute - STEP) % 1440 == 720
    afternoon = (minute - STEP) % 1440 == 900
    table["carbs_g"][:, noon] = 40.0
    table["announced_g"][:, noon] = 40.0
    table["requested_bolus_u"][:, noon] = 6.0
    table["carbs_g"][:, afternoon] = 25.0
    table["rescue_g"][:, afternoon] = 25.0
    both = np.broadcast_to(glucose, shape).copy()
    return table | {
        "minute": np.broadcast_to(minute, shape), "glucose_mg_dl": both, "cgm_mg_dl": both.copy(),
        "iob_u": np.full(shape, 1.0), "basal_u_per_h": np.full(shape, 0.5),
        "requested_basal_u_per_h": np.full(shape, 2.0),
    }  # fmt: skip


def test_every_value_of_the_time_alive_is_counted_once() -> None:
    columns = _columns()
    alive = np.ones((2, 576), bool)
    alive[1, 100:] = False
    columns["glucose_mg_dl"][0, 7] = np.nan
    table = curves.glucose_curves(columns, alive, STEP)
    clock = select(table, align="clock")
    assert clock["count"].sum() == 576 - 1 + 100
    assert sorted(set(clock["minute"].tolist())) == list(range(0, 1440, 30))
    ten = select(clock, minute=600.0)
    assert ten["glucose_bin_mg_dl"].tolist() == [120.0] and ten["count"].tolist() == [6.0 * 2]


def test_meals_are_those_eaten_not_those_against_lows() -> None:
    columns = _columns(days=1, lanes=1)
    meal = select(curves.glucose_curves(columns, np.ones((1, 288), bool), STEP), align="meal")
    assert meal["count"].sum() == 72, "one meal, from one hour before to five after"
    assert meal["minute"].min() == -60 and meal["minute"].max() == 285
    at = select(meal, minute=0.0)
    assert at["glucose_bin_mg_dl"].tolist() == [120.0]  # 80 + 4 x 12 = 128 at noon


def test_percentiles_come_back_from_counts() -> None:
    rng = np.random.default_rng(0)
    columns = _columns(days=40, lanes=1)
    columns["glucose_mg_dl"] = rng.normal(150, 25, columns["glucose_mg_dl"].shape)
    clock = select(curves.glucose_curves(columns, np.ones((1, 40 * 288), bool), STEP), align="clock")
    middle, found = curves.percentiles(clock, (5, 25, 50, 75, 95))
    assert middle[:2].tolist() == [15.0, 45.0]
    hour = (columns["minute"][0] - STEP) % 1440 // 30 == 20
    true = np.percentile(columns["glucose_mg_dl"][0, hour], (5, 25, 50, 75, 95))
    np.testing.assert_allclose(found[:, 20], true, atol=4)
    with pytest.raises(ValueError, match="these counts are empty"):
        curves.percentiles(select(clock, minute=7.0), (50,))


def test_the_night_begins_at_22() -> None:
    columns = _columns(days=1, lanes=1)
    night = curves.night(curves.glucose_curves(columns, np.ones((1, 288), bool), STEP))
    assert set(night["minute"].tolist()) == set(range(0, 540, 30))
    assert night["glucose_bin_mg_dl"][night["minute"] == 0].tolist() == [160.0]  # 80 + 4 x 22 = 168


def test_doses_are_relative_to_the_persons_settings() -> None:
    columns = _columns(days=1, lanes=2)
    settings = np.array([1.0, 2.0]), np.array([50.0, 20.0]), np.array([10.0, 5.0])
    table = curves.dose_counts(columns, np.ones((2, 288), bool), STEP, *settings)
    assert table["count"].sum() == 2 * (288 - 4), "a trend needs 15 minutes before the reading that was seen"
    light = select(table, iob_from_pct=0.0)  # 1 U of 50 U a day
    heavy = select(table, iob_from_pct=3.0)  # 1 U of 20 U a day
    np.testing.assert_allclose(light["basal_factor_sum"] / light["count"], 2.0)
    np.testing.assert_allclose(heavy["basal_factor_sum"] / heavy["count"], 1.0)
    np.testing.assert_allclose(heavy["delivered_factor_sum"] / heavy["count"], 0.25)
    assert table["meals"].sum() == 2
    assert light["bolus_factor_sum"].sum() == pytest.approx(6 / (40 / 10))
    assert heavy["bolus_factor_sum"].sum() == pytest.approx(6 / (40 / 5))


def test_what_was_seen_is_before_what_was_asked_for() -> None:
    columns = _columns(days=1, lanes=1)
    columns["cgm_mg_dl"][:] = 100.0
    columns["cgm_mg_dl"][0, 150] = 300.0
    columns["requested_basal_u_per_h"][0, 151] = 7.0
    table = curves.dose_counts(columns, np.ones((1, 288), bool), STEP, *np.ones((3, 1)))
    high = select(table, glucose_from_mg_dl=260.0)
    assert high["count"].tolist() == [1.0] and high["basal_factor_sum"].tolist() == [7.0]


def test_counts_of_several_evaluations_add_up() -> None:
    columns = _columns(days=1, lanes=1)
    one = curves.glucose_curves(columns, np.ones((1, 288), bool), STEP)
    keys = ("align", "minute", "glucose_bin_mg_dl")
    both = curves.added([one, one], keys, ("count",))
    assert both["count"].sum() == 2 * one["count"].sum() and len(both["count"]) == len(one["count"])
    with pytest.raises(ValueError, match="no table was given"):
        curves.added([], keys, ("count",))
