"""A diary as an identification sees it."""

from datetime import datetime

import numpy as np
import pytest

from tests.twins.inference.virtual_record import blank
from twins.inference.record import bridged, record
from twins.world.diary import Diary, DiaryError


def _diary(**given: object) -> Diary:
    n = 2 * 288
    values: dict[str, object] = {
        "glucose_mg_dl": np.full(n, 120.0), "carbs_g": np.zeros(n), "bolus_u": np.zeros(n),
        "basal_u_per_h": np.full(n, 1.2),
    }  # fmt: skip
    return Diary("somebody", datetime(2024, 1, 31), **(values | given))  # type: ignore[arg-type]


def test_days_count_from_the_first_known_basal_rate() -> None:
    basal = np.full(2 * 288, 1.2)
    basal[:100] = np.nan
    basal[300:310] = np.nan
    held = record(_diary(basal_u_per_h=basal))
    assert len(held) == 476 and held.minute_of_day == 500 and held.planned_basal_u_per_h == 1.2
    assert held.basal_u == pytest.approx(np.full(476, 0.1)), "the plan where the rate is not known"
    assert (~held.basal_known).sum() == 10
    assert held.days(1, 1) == slice(0, 288)
    with pytest.raises(DiaryError, match=r"days 1 to 2 were asked for.* there are 1\.7"):
        held.days(1, 2)
    with pytest.raises(DiaryError, match="days 2 to 1"):
        held.days(2, 1)


def test_a_bolus_near_food_is_a_meal_bolus_and_others_are_a_reaction() -> None:
    carbs, bolus = np.zeros(576), np.zeros(576)
    carbs[100] = 40.0
    bolus[[97, 103]] = 2.0
    bolus[[96, 104]] = 1.0
    basal = np.full(576, 1.2)
    basal[200:212] = 0.0
    held = record(_diary(carbs_g=carbs, bolus_u=bolus, basal_u_per_h=basal))
    assert held.meal_bolus_u.sum() == 4 and held.other_bolus_u.sum() == 2
    assert held.planned_u.sum() == pytest.approx(576 * 0.1 + 4)
    assert held.delivered_u.sum() == pytest.approx(564 * 0.1 + 6)
    assert held.daily_insulin_u == pytest.approx((564 * 0.1 + 6) / 2)


def test_without_basal_there_is_no_record() -> None:
    with pytest.raises(DiaryError, match="no basal insulin is recorded"):
        record(_diary(basal_u_per_h=np.full(576, np.nan)))


def test_short_gaps_are_bridged_and_long_ones_are_not() -> None:
    seen = blank(1.0).glucose_mg_dl
    seen[[0, 3, 7]] = 100.0, 130.0, 90.0
    found = bridged(seen)
    assert (
        found[:4] == pytest.approx([100, 110, 120, 130]) and np.isnan(found[4:7]).all() and np.isnan(found[8])
    )
