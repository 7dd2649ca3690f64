"""A shield that only ever says no leads to ketoacidosis: who asks for nothing still gets what scheduled basal prevents.

Pairs of runs of the same person on the same days, hour by hour: one with a request of no insulin at all, one with
scheduled basal, both under the rule shield. Nobody covers a meal in either.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from envs import trace as t
from envs.core import Core
from envs.roster import Roster
from envs.setting import make_setting
from envs.tasks.dosing import Dosing
from envs.therapy import Request
from twins.cohort import BASAL_U_PER_H

SEVERE_MG_DL = 300.0
FEW = ["adult#001", "adult#007", "adolescent#002", "adolescent#008", "child#001", "child#005"]


def _hours(
    share: float, people: list[str] | str, days: int, scenario: str, shield: str = "rule", seed: int = 20000
) -> NDArray[np.float64]:
    """True plasma glucose (n, hours, 60) of people whose every request is `share` of scheduled basal."""
    setting = make_setting(
        cohort=people, scenario=scenario, days=days, shield=shield, split="test", seed=seed
    )
    core = Core(setting, Dosing(), len(setting.cohort))
    core.reset(*Roster(setting.cohort, core.lanes, setting.split, setting.seed).next(np.arange(core.lanes)))
    asked = Request(share * core.view.therapy[:, BASAL_U_PER_H], np.zeros(core.lanes))
    minutes = [core.step(asked).trace[:, :, t.GLUCOSE_MG_DL].copy() for _ in range(days * 288)]
    return np.concatenate(minutes, axis=1).reshape(core.lanes, days * 24, 60)


def _preventable(starving: NDArray[np.float64], scheduled: NDArray[np.float64]) -> int:
    """Hours with glucose above 300 mg/dL in one run, and not in the other."""
    severe = starving.max(axis=2) > SEVERE_MG_DL
    return int((severe & (scheduled.max(axis=2) <= SEVERE_MG_DL)).sum())


@pytest.mark.parametrize("scenario", ["simglucose", "simglucose-weight"])
def test_no_hour_above_300_that_scheduled_basal_would_have_prevented(scenario: str) -> None:
    scheduled = _hours(1.0, FEW, 2, scenario)
    for share in (0.0, 0.2):
        assert _preventable(_hours(share, FEW, 2, scenario), scheduled) == 0
    assert (scheduled.max(axis=2) > SEVERE_MG_DL).any()  # meals see to it that there is something to compare


def test_without_the_shield_starvation_is_severe() -> None:
    """So that the comparison above can fail."""
    scheduled = _hours(1.0, FEW, 1, "fasting")
    assert _preventable(_hours(0.0, FEW, 1, "fasting", shield="off"), scheduled) > 20
    assert _preventable(_hours(0.0, FEW, 1, "fasting"), scheduled) == 0


def test_a_sensor_at_its_upper_end_does_not_hide_starvation() -> None:
    """A high that lasts, read as 600 for hours, is not taken for a broken sensor: basal comes back."""
    unguarded, guarded = (
        Core(make_setting(person="adult#007", scenario="fasting", days=2, shield=shield), Dosing(), 1)
        for shield in ("off", "rule")
    )
    setting = guarded.setting
    unguarded.reset(*Roster(setting.cohort, 1, setting.split, setting.seed).next(np.arange(1)))
    nothing = Request(np.zeros(1), np.zeros(1))
    while unguarded.glucose[0] < 900:
        unguarded.step(nothing)
    guarded.restore(unguarded.save())
    rates = [guarded.step(nothing).trace[0, 0, t.BASAL_U_PER_H] for _ in range(144)]
    assert np.mean(rates) == pytest.approx(guarded.view.therapy[0, BASAL_U_PER_H], rel=0.02)


@pytest.mark.verify
@pytest.mark.parametrize("scenario", ["simglucose", "simglucose-weight", "fasting"])
def test_no_preventable_hour_above_300_in_30_people_over_a_week(scenario: str) -> None:
    scheduled = _hours(1.0, "all", 7, scenario)
    for share in (0.0, 0.1, 0.2):
        assert _preventable(_hours(share, "all", 7, scenario), scheduled) == 0


@pytest.mark.verify
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_trickle_brings_no_week_in_ketoacidosis(share: float) -> None:
    """A quarter of basal or more is allowed below 180 mg/dL, which is not bounded as tightly: hours in a fast."""
    scheduled = _hours(1.0, "all", 7, "fasting")
    with_less = _hours(share, "all", 7, "fasting")
    assert _preventable(with_less, scheduled) <= 0.005 * 30 * 168
    assert with_less.max() < 400
