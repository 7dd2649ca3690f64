"""A forecaster sees the past alone, and what it sees is what was recorded."""

from dataclasses import replace

import numpy as np
import pytest

from agents.forecast.features import CHANNELS, PAST_STEPS, see
from agents.forecast.targets import ahead
from tests.agents.forecast.waves import wave
from twins.inference.record import Record

RECORD = wave(days=16)
NOW = 4000


def _otherwise(record: Record, step: int) -> Record:
    """The same up to this step; readings after it, and all that is given from it on, are others."""
    draw = np.random.default_rng(1)
    changed = {}
    for name in ("glucose_mg_dl", "carbs_g", "basal_u", "meal_bolus_u", "other_bolus_u", "basal_known"):
        first = step + 1 if name == "glucose_mg_dl" else step
        values = getattr(record, name).copy()
        values[first:] = draw.random(len(values) - first) * 90 if values.dtype != bool else ~values[first:]
        changed[name] = values
    return replace(record, planned_basal_u_per_h=7.0, **changed)


def test_nothing_after_the_start_changes_a_feature() -> None:
    before, after = see(RECORD), see(_otherwise(RECORD, NOW))
    np.testing.assert_array_equal(before.past[: NOW + 1], after.past[: NOW + 1])
    np.testing.assert_array_equal(before.now[: NOW + 1], after.now[: NOW + 1])
    np.testing.assert_array_equal(before.allowed[: NOW + 1], after.allowed[: NOW + 1])
    assert (before.now[NOW + 1 :] != after.now[NOW + 1 :]).any(), "nothing was changed, so nothing is shown"


def test_a_meal_is_seen_from_the_step_after_it_on() -> None:
    carbs = np.zeros(len(RECORD))
    carbs[NOW] = 50.0
    seen = see(replace(RECORD, carbs_g=carbs))
    column = CHANNELS.index("carbs")
    assert seen.past[NOW, column] == 0 and seen.past[NOW + 1, column] == pytest.approx(50 / 40)
    total = seen.names.index("carbs_0_15")
    assert seen.now[NOW : NOW + 6, total].tolist() == [0, 1, 1, 1, 0, 0]


def test_a_record_cut_short_gives_the_same_features() -> None:
    short = replace(RECORD, **{
        name: getattr(RECORD, name)[: NOW + 1]
        for name in ("glucose_mg_dl", "carbs_g", "basal_u", "meal_bolus_u", "other_bolus_u", "basal_known")
    })  # fmt: skip
    np.testing.assert_array_equal(see(short).now, see(RECORD).now[: NOW + 1])


def test_windows_end_with_their_start() -> None:
    seen = see(RECORD)
    starts = np.flatnonzero(seen.allowed)[[0, 100, -1]]
    windows = seen.windows(starts)
    assert windows.shape == (3, PAST_STEPS, len(CHANNELS)) and np.isfinite(windows).all()
    np.testing.assert_allclose(windows[:, -1, 0], (RECORD.glucose_mg_dl[starts] - 140) / 60, rtol=1e-5)
    assert starts[0] >= PAST_STEPS - 1 and np.isfinite(RECORD.glucose_mg_dl[starts]).all()
    for wrong in ([0], [len(RECORD)], [int(np.flatnonzero(np.isnan(RECORD.glucose_mg_dl))[50])]):
        with pytest.raises(ValueError, match="needs a reading at its start"):
            seen.windows(np.array(wrong))


def test_figures_by_hand() -> None:
    glucose = np.full(600, 100.0)
    glucose[500:510] = 60.0
    others = ("carbs_g", "basal_u", "meal_bolus_u", "other_bolus_u", "basal_known")
    flat = replace(RECORD, glucose_mg_dl=glucose, **{name: getattr(RECORD, name)[:600] for name in others})
    seen = see(flat)
    at = dict(zip(seen.names, seen.now[520], strict=True))
    assert at["glucose"] == 100 and at["rise_15"] == 0 and at["lowest_3h"] == 60
    assert at["low_day"] == pytest.approx(np.sqrt(10 / 288)) and at["low_ever"] == pytest.approx(
        np.sqrt(10 / 521)
    )
    assert at["since_low"] == pytest.approx(np.log1p(520 - 509))
    assert at["mean_3h"] == pytest.approx((26 * 100 + 10 * 60) / 36)
    assert at["sin_1"] == pytest.approx(np.sin(2 * np.pi * 520 * 5 / 1440), abs=1e-6)


def test_targets_by_hand() -> None:
    glucose = np.full(200, 100.0)
    glucose[14], glucose[109:200] = 69.0, np.nan
    found = ahead(replace(RECORD, glucose_mg_dl=glucose), np.array([0, 10, 100, 13]), 200)
    assert found.glucose_mg_dl.shape == (4, 12)
    assert found.low[:2].tolist() == [0, 1] and np.isnan(found.low[2]) and found.low[3] == 1
    assert found.low_by[1].tolist() == [False] * 3 + [True] * 9
    assert found.low_night[:2].tolist() == [1, 1] and np.isnan(found.low_night[2])
    cut = ahead(replace(RECORD, glucose_mg_dl=glucose), np.array([10]), 14)
    assert np.isfinite(cut.glucose_mg_dl[0]).sum() == 3 and not cut.low_by.any()
    with pytest.raises(ValueError, match="must lie within the record"):
        ahead(RECORD, np.array([0]), len(RECORD) + 1)
