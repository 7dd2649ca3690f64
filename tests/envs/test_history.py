"""The last 24 hours as a policy sees them, against the record of what happened."""

import numpy as np
import pytest

from envs import trace
from envs.core import Core
from envs.faults import SensorFaults
from envs.roster import Roster
from envs.setting import make_setting
from envs.tasks.dosing import NAMES as PRESENT
from envs.tasks.dosing import Dosing
from envs.tasks.history import NAMES
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, DAILY_INSULIN_U

PEOPLE = ["adult#001", "child#003"]


def _run(hours: float, sensor: str = "Dexcom", **keywords: object) -> tuple[Core, np.ndarray, np.ndarray]:
    """A core after some hours of changing doses, its last observation (n, O), and its trace (n, minutes, F)."""
    setting = make_setting(cohort=PEOPLE, sensor=sensor, decision_min=30, days=3, seed=4, **keywords)  # type: ignore[arg-type]
    core = Core(setting, Dosing(history=True), 2)
    observation = core.reset(*Roster(setting.cohort, 2, "train", 4).next(np.arange(2)))
    draw, parts = np.random.default_rng(0), []
    for _ in range(round(hours * 2)):
        done = core.step(draw.uniform(-0.3, 0.3, (2, 2)))
        observation = done.obs
        parts.append(done.trace.copy())
    return core, observation, np.concatenate(parts, axis=1)


@pytest.mark.parametrize("hours", [1, 1.5, 27])
def test_each_hour_is_what_the_record_says(hours: float) -> None:
    core, observation, record = _run(hours)
    past = observation[:, len(PRESENT) :].reshape(2, 4, 24)
    newest = int(np.ceil(hours)) - 1
    for lane in range(2):
        therapy = core.setting.cohort.therapy[lane]
        daily, ratio = therapy[DAILY_INSULIN_U], therapy[CARB_RATIO_G_PER_U]
        for k in range(24):
            hour = (
                record[lane, max(newest - k, 0) * 60 : (newest - k + 1) * 60] if k <= newest else record[:0]
            )
            expected = [0.0, 0.0, therapy[BASAL_U_PER_H] / (daily / 12), 0.0]
            if k <= newest:
                readings = hour[:, trace.CGM_MG_DL][np.isfinite(hour[:, trace.CGM_MG_DL])]
                insulin = hour[:, trace.BASAL_U_PER_H].sum() / 60 + hour[:, trace.BOLUS_U].sum()
                told = hour[:, trace.ANNOUNCED_G].sum()
                expected = [
                    (readings.mean() - 140) / 100, (readings < 80).mean(), insulin / (daily / 12),
                    told / (0.2 * daily * ratio),
                ]  # fmt: skip
            np.testing.assert_allclose(
                past[lane, :, k], np.clip(expected, -5, 5), atol=1e-5, err_msg=f"hour {k}"
            )


def test_an_hour_without_a_reading_takes_the_mean_of_the_hour_after_it() -> None:
    _, observation, record = _run(20, faults=SensorFaults(missing=0.5))
    glucose = observation[:, len(PRESENT) : len(PRESENT) + 24]
    assert np.isfinite(observation).all()
    lost = np.isnan(record[:, :, trace.CGM_MG_DL]).reshape(2, 20, 60).all(axis=2)[:, ::-1]  # newest first
    checked = [(lane, k) for lane in range(2) for k in range(1, 20) if lost[lane, k]]
    assert len(checked) > 4
    for lane, k in checked:
        assert glucose[lane, k] == glucose[lane, k - 1] or lost[lane, :k].all()


def test_names_and_space_grow_with_the_history() -> None:
    plain, more = Dosing(), Dosing(history=True)
    assert more.observation_names == (*plain.observation_names, *NAMES) and len(NAMES) == 96
    assert Dosing(oracle=True, history=True).observation_names[-1] == "plasma_glucose"
    with pytest.raises(ValueError, match="history is 'yes'"):
        Dosing(history="yes")  # type: ignore[arg-type]


def test_an_episode_that_begins_anew_has_no_past() -> None:
    core, _, _ = _run(26)
    rows, keys = Roster(core.setting.cohort, 2, "train", 9).next(np.arange(2))
    again = core.reset(rows, keys)
    fresh = Core(core.setting, Dosing(history=True), 2)
    np.testing.assert_array_equal(again, fresh.reset(rows, keys))


@pytest.mark.kernels
def test_history_runs_on_few_people() -> None:
    _, observation, _ = _run(1)
    assert np.isfinite(observation).all()
