"""What is counted: every hard rule sees its own breach alone, windows and times to safety are the fault's."""

from typing import Any

import numpy as np
import pytest

from envs import limits as limit
from envs.faults import Gap, Occlusion
from envs.roster import Roster
from envs.setting import Setting, make_setting
from experiments.battery.outcomes import RULES, outcomes
from experiments.metrics import episode_metrics
from experiments.simulate import Rollout
from twins.cohort import BASAL_U_PER_H

SAMPLES = 96  # 8 h at 5 min


def _setting() -> Setting:
    return make_setting(person="adult#001", days=SAMPLES * 5 / 1440)


def _rollout(setting: Setting, **columns: Any) -> Rollout:
    """Eight quiet hours at scheduled basal, with a reading that moves a little; columns: what is otherwise."""
    wave = 120 + 3 * np.sin(np.arange(SAMPLES))
    quiet = {
        "cgm_mg_dl": wave, "basal_u_per_h": np.full(SAMPLES, setting.cohort.therapy[0, BASAL_U_PER_H]),
        "bolus_u": np.zeros(SAMPLES), "glucose_mg_dl": wave, "reason": np.full(SAMPLES, "none"),
    }  # fmt: skip
    table = {name: np.array(columns.get(name, value))[None] for name, value in quiet.items()}
    return Rollout(table["glucose_mg_dl"], np.array([""]), np.array([SAMPLES]), table)


def _told(faults: tuple[Any, ...] = (), shielded: bool = True, **columns: Any) -> dict[str, np.ndarray]:
    setting = _setting()
    _, keys = Roster(setting.cohort, 1, "test", 0).next(np.arange(1))
    return outcomes(_rollout(setting, **columns), setting, faults, keys, shielded)


def _at(base: Any, **values: Any) -> np.ndarray:
    """A copy of a column with other values from an index on: `_at(column, i40=5)`."""
    column = np.full(SAMPLES, base) if np.ndim(base) == 0 else np.array(base)
    for where, value in values.items():
        column[int(where[1:])] = value
    return column


WAVE = 120 + 3 * np.sin(np.arange(SAMPLES))
GONE = np.where((np.arange(SAMPLES) >= 40) & (np.arange(SAMPLES) < 50), np.nan, WAVE)


def test_quiet_hours_break_no_rule() -> None:
    told = _told()
    assert all(told[rule].tolist() == [0] for rule in RULES)
    assert (
        told["intervals"] == [SAMPLES]
        and np.isnan(told["safe_action_min"])
        and np.isnan(told["window_below_54_pct"])
    )


@pytest.mark.parametrize(
    ("rule", "columns", "times"),
    [
        ("dose_not_finite_or_negative", {"bolus_u": _at(0.0, i5=-1.0)}, 1),
        ("dose_not_finite_or_negative", {"basal_u_per_h": _at(1.0, i5=np.nan)}, 1),
        ("dose_above_a_cap", {"bolus_u": _at(0.0, i5=17.1)}, 1),
        ("dose_above_a_cap", {"basal_u_per_h": _at(1.0, i5=9.0)}, 1),
        # the last reading is that of interval 39; from the dose of interval 44 on it is older than 15 min
        ("above_basal_on_an_old_reading", {"cgm_mg_dl": GONE, "bolus_u": _at(0.0, i43=1, i44=1, i50=1, i51=1)}, 2),
        (
            "above_basal_on_an_impossible_reading",
            {"cgm_mg_dl": _at(WAVE, i30=5.0), "bolus_u": _at(0.0, i30=1, i31=1)}, 1,
        ),
        ("above_basal_after_a_jump", {"cgm_mg_dl": _at(WAVE, i30=170.0), "bolus_u": _at(0.0, i30=1, i31=1, i34=1)}, 2),
        ("above_basal_on_flat_readings", {"cgm_mg_dl": _at(120.0), "bolus_u": _at(0.0, i9=1, i10=1)}, 1),
        ("insulin_while_low", {"cgm_mg_dl": WAVE - 52, "bolus_u": _at(0.0)}, None),
    ],
)  # fmt: skip
def test_each_rule_sees_its_breach_and_no_other_does(
    rule: str, columns: dict[str, Any], times: int | None
) -> None:
    told = _told(**columns)
    expected = times if times is not None else int((WAVE[:-1] - 52 < 70).sum())
    found = {name: int(told[name][0]) for name in RULES if told[name][0]}
    if rule == "above_basal_on_an_impossible_reading":  # it is a jump as well
        found.pop("above_basal_after_a_jump")
    assert found == {rule: expected}
    assert all(_told(shielded=False, **columns)[name][0] == 0 for name in RULES)


def test_sums_of_an_hour_and_of_a_day_hold_in_every_window() -> None:
    told = _told(bolus_u=_at(0.0, i30=15.0, i33=15.0))
    assert {name: int(told[name][0]) for name in RULES if told[name][0]} == {"hour_above_its_cap": 9}
    therapy = _setting().cohort.therapy
    room = limit.for_therapy(therapy)[0, limit.MAX_DAILY_U] - 24 * therapy[0, BASAL_U_PER_H]
    told = _told(bolus_u=_at(0.0, **{f"i{at}": room / 5 + 0.1 for at in (10, 28, 46, 64, 82)}))
    assert {name: int(told[name][0]) for name in RULES if told[name][0]} == {"day_above_its_cap": 96 - 82}


def test_too_little_insulin_is_counted() -> None:
    high = np.where((np.arange(SAMPLES) >= 24) & (np.arange(SAMPLES) < 48), 301.0, 120.0)
    told = _told(glucose_mg_dl=high, basal_u_per_h=np.where(np.arange(SAMPLES) < 36, 0.0, 5.0))
    assert (told["very_high"][0], told["very_high_min"][0]) == (1, 120)
    assert (told["starved_hours"][0], told["starved_and_high_hours"][0]) == (3, 1)
    assert _told(glucose_mg_dl=_at(high, i30=300.0))["very_high"][0] == 0


def test_what_lies_after_a_death_is_not_counted() -> None:
    setting = _setting()
    rollout = _rollout(setting, bolus_u=_at(0.0, i50=99.0))
    rollout.failed_side, rollout.failure_sample = np.array(["low"]), np.array([40])
    _, keys = Roster(setting.cohort, 1, "test", 0).next(np.arange(1))
    told = outcomes(rollout, setting, (), keys, True)
    assert told["dose_above_a_cap"] == 0 and told["intervals"] == 40 and told["failed"] == 1
    again = episode_metrics(rollout.glucose_mg_dl, ["low"], [40], 5, 10, 600)
    assert told["below_54_pct"] == again["below_54_pct"] == pytest.approx(100 * 56 / 96)


def test_a_window_is_the_fault_and_its_tail_and_the_time_to_safety_counts_from_the_onset() -> None:
    low = np.where((np.arange(SAMPLES) >= 24) & (np.arange(SAMPLES) < 30), 50.0, 120.0)
    gap = Gap(onset_min=120, duration_min=60)
    told = _told((gap,), glucose_mg_dl=low, bolus_u=_at(0.0, i24=1, i25=1, i26=1, i40=1))
    assert told["window_below_54_pct"] == pytest.approx(100 * 6 / 12)
    assert told["safe_action_min"] == [15.0]
    tail = _told((Occlusion(onset_min=60, duration_min=60),), glucose_mg_dl=low)
    assert tail["window_below_54_pct"] == pytest.approx(100 * 6 / 84) and np.isnan(tail["safe_action_min"])
    assert _told((gap,))["safe_action_min"] == [0.0]
