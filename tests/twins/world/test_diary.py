"""A diary: figures by hand, the rule of complete days at its edges, replay of exactly what was logged."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from twins import random
from twins.world.behaviour import EXACT, TREATS_LOWS
from twins.world.diary import STEPS_PER_DAY, Diary, DiaryError, as_scenario, complete_days, summary

START = datetime(2024, 3, 4)


def _diary(days: int = 3) -> Diary:
    """Glucose 120 all the time; 50 g and 5 U at 08:00, 60 g and 6 U at 19:30; basal 1 U/h."""
    carbs, bolus = np.zeros((days, STEPS_PER_DAY)), np.zeros((days, STEPS_PER_DAY))
    carbs[:, [96, 234]] = 50.0, 60.0
    bolus[:, [96, 234]] = 5.0, 6.0
    steps = days * STEPS_PER_DAY
    return Diary("somebody", START, np.full(steps, 120.0), carbs.ravel(), bolus.ravel(), np.ones(steps))


def test_summary_by_hand() -> None:
    diary = _diary(2)
    diary.glucose_mg_dl[:72] = 60.0  # a quarter of the first day
    diary.glucose_mg_dl[STEPS_PER_DAY:] = 240.0
    figures = summary(diary)
    assert figures.days == 2 and figures.coverage == 1
    assert figures.mean_glucose_mg_dl == pytest.approx((72 * 60 + 216 * 120 + 288 * 240) / 576)
    assert figures.in_range == pytest.approx(216 / 576) and figures.below_70 == pytest.approx(72 / 576)
    assert (figures.carbs_g_per_day, figures.bolus_u_per_day, figures.basal_u_per_day) == (110, 11, 24)
    assert figures.insulin_u_per_day == 35 and figures.complete_days == 2


def test_means_per_day_leave_out_days_without_an_entry() -> None:
    diary = _diary(3)
    diary.carbs_g[STEPS_PER_DAY:] = 0
    diary.bolus_u[:] = 0
    diary.basal_u_per_h[:] = np.nan
    figures = summary(diary)
    assert figures.carbs_g_per_day == 110
    assert np.isnan([figures.bolus_u_per_day, figures.basal_u_per_day, figures.insulin_u_per_day]).all()


@pytest.mark.parametrize("every", [1, 3])
def test_coverage_is_the_same_for_fast_and_slow_sensors(every: int) -> None:
    diary = _diary(4)
    seen = np.full_like(diary.glucose_mg_dl, np.nan)
    seen[:: 1 * every] = 120.0
    seen[STEPS_PER_DAY : 2 * STEPS_PER_DAY] = np.nan
    figures = summary(replace(diary, glucose_mg_dl=seen))
    assert figures.coverage == 0.75 and figures.days == 4


def test_complete_days_at_the_edges_of_the_rule() -> None:
    diary = _diary(8)
    carbs = diary.carbs_g.reshape(8, -1)
    carbs[0, 234] = 9.0  # too small for a second meal
    carbs[1, [96, 234]] = 30.0, 29.0  # 59 g
    carbs[2, [96, 234]] = 30.0, 30.0  # 60 g
    carbs[3, [96, 234]] = 200.0, 200.0
    carbs[4, [96, 234]] = 200.0, 201.0
    glucose = diary.glucose_mg_dl.reshape(8, -1)
    glucose[5, 68 * 3 :] = np.nan  # 68 of 96 quarters of an hour: 70.8 %
    glucose[6, 67 * 3 :] = np.nan
    assert complete_days(diary) == (2, 3, 5, 7)


def test_scenario_replays_what_was_logged() -> None:
    diary = _diary(3)
    diary.carbs_g.reshape(3, -1)[1] = 0  # this day drops out
    diary.carbs_g.reshape(3, -1)[2, 96] = 33.0
    scenario = as_scenario(diary, TREATS_LOWS)
    assert scenario.days == (((480, 50), (1170, 60)), ((480, 33), (1170, 60)))
    assert scenario.whose == "somebody" and scenario.behaviour is TREATS_LOWS
    keys = random.keys("test", 0, random.person_number("adult#001"), 0, 0)
    events = as_scenario(diary).events(keys, np.array([70.0]), 2)
    assert as_scenario(diary).behaviour is EXACT
    assert events.eat_minute[0].tolist() == [480, 1170, 1920, 2610]
    assert events.eat_g[0].tolist() == [50, 60, 33, 60]


def test_no_complete_day_is_an_error_that_says_what_a_day_needs() -> None:
    diary = _diary(1)
    diary.carbs_g[:] = 0
    with pytest.raises(DiaryError, match=r"somebody: none of 1 days .*2 meals.*60 to 400 g.*70%"):
        as_scenario(diary)


def test_part_of_a_diary() -> None:
    diary = _diary(3)
    diary.carbs_g.reshape(3, -1)[1, 0] = 7.0
    part = diary.take(1, 2)
    assert part.start == datetime(2024, 3, 5) and part.days == 2 and part.carbs_g[0] == 7
    assert str(part.times[0]) == "2024-03-05T00:00" and str(part.times[-1]) == "2024-03-06T23:55"
    for first, days in ((2, 2), (-1, 1), (0, 0)):
        with pytest.raises(DiaryError, match="the record has days 0 to 2"):
            diary.take(first, days)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": datetime(2024, 3, 4, 0, 5)}, "needed is 00:00 of a day"),
        ({"carbs_g": np.zeros(7)}, r"carbs_g has shape \(7,\); needed is \(days \* 288,\)"),
        ({"glucose_mg_dl": np.zeros(0)}, r"glucose_mg_dl has shape \(0,\)"),
        ({"carbs_g": np.full(864, np.nan)}, "carbs_g holds NaN; write 0"),
        ({"bolus_u": np.full(864, np.inf)}, "bolus_u holds infinite or negative"),
        ({"basal_u_per_h": np.full(864, -0.1)}, "basal_u_per_h holds infinite or negative"),
        ({"glucose_mg_dl": np.full(864, np.nan)}, "no glucose reading; needed are at least 24 h"),
        ({"glucose_mg_dl": np.full(864, 7.2)}, r"mean of 7.2, which is mmol/L.*multiply .* 18.0182"),
        (
            {"glucose_mg_dl": np.where(np.arange(864) < 285, 100.0, np.nan)},
            r"recorded over 23.9 h; needed are at least 24 h",
        ),
    ],
)
def test_what_a_diary_refuses(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DiaryError, match=message):
        replace(_diary(3), **changes)  # type: ignore[arg-type]


def test_a_day_of_a_slow_sensor_is_a_day() -> None:
    seen = np.where(np.arange(864) % 3 == 0, 100.0, np.nan)
    seen[STEPS_PER_DAY:] = np.nan
    assert summary(replace(_diary(3), glucose_mg_dl=seen)).days == 1
