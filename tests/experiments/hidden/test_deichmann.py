"""The second body that exercises: at rest Hovorka's; its equations as the paper has them; nothing runs away."""

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from experiments.hidden.cores import deichmann as d
from experiments.hidden.cores.deichmann import ActiveHovorka
from experiments.hidden.cores.hovorka import MEANS, Hovorka
from twins.bodies.model import NEUTRAL_DRIVE, SENSITIVITY_PERIPHERAL, UPTAKE, Model, neutral_drive
from twins.bodies.person import HEART_RATE_RESERVE

AT_REST = tuple(neutral_drive(ActiveHovorka.drive_names))
PARAMETERS = np.array([list(MEANS.values())])


def _hours(model: Model, neutral: tuple[float, ...], hours: int, reserve: float = 0.0) -> NDArray[np.float64]:
    """Glucose, minute by minute, with an hour's work in the second hour of every day."""
    state, coefficients = model.basal_state(PARAMETERS), model.prepare(PARAMETERS)
    rate = model.basal_u_per_h(PARAMETERS)
    out = []
    for step in range(hours * 12):
        drive = np.tile(np.array(neutral), (1, 1, 1))
        if reserve and step % 288 in range(12, 24):
            drive[:, :, HEART_RATE_RESERVE] = reserve
        out.append(model.advance(state, coefficients, rate, np.zeros(1), np.zeros((1, 5)), drive, 5))
    return np.concatenate(out, axis=1)[0]


def test_at_rest_it_is_the_body_of_hovorka() -> None:
    active = ActiveHovorka()
    np.testing.assert_array_equal(
        _hours(active, AT_REST, 6), _hours(Hovorka(), NEUTRAL_DRIVE, 6)
    )


def test_an_hours_work_lowers_glucose_by_what_trials_show() -> None:
    """E1 of the trials, -2.8 to -6.1 mmol/L an hour after a meal; fasted and under basal insulin less."""
    active = ActiveHovorka()
    fall = _hours(active, AT_REST, 2) - _hours(active, AT_REST, 2, reserve=0.5)
    assert 20 < fall[119] < 110


def test_drive_follows_the_papers_equations() -> None:
    reserve = np.zeros((1, 240, 6))
    reserve[0, :, :4], reserve[0, :, 5] = NEUTRAL_DRIVE, 1.0
    reserve[0, 30:90, HEART_RATE_RESERVE] = 0.6

    def slope(t: float, x: NDArray[np.float64]) -> list[float]:
        y, z, w = x
        beats = reserve[0, min(int(t), 239), HEART_RATE_RESERVE] * (d.HIGHEST_BPM - d.RESTING_BPM)
        ratio = (max(y, 1e-9) / (d.HALF_SHARE * d.RESTING_BPM)) ** d.STEEP
        f = ratio / (1 + ratio)
        return [(beats - y) / d.HEART_MIN, -(f + 1 / d.LASTS_MIN) * z + f, beats - w / d.LASTS_MIN]

    state, drive = np.zeros((1, 3)), np.empty((1, 240, 4))
    d._work(state, reserve, drive)
    right = solve_ivp(slope, (0, 240), np.zeros(3), max_step=0.5, rtol=1e-8).y[:, -1]
    np.testing.assert_allclose(state[0], right, rtol=0.02, atol=1e-3)
    assert drive[0, 89, SENSITIVITY_PERIPHERAL] > 1.5 and drive[0, 89, UPTAKE] > 0.02


def test_a_fortnight_of_bouts_does_not_add_up_without_end() -> None:
    active = ActiveHovorka()
    glucose = _hours(active, AT_REST, 14 * 24, reserve=0.5).reshape(14, 1440)
    assert np.isfinite(glucose).all()
    nadirs = glucose.min(axis=1)
    assert abs(nadirs[13] - nadirs[6]) < 2 and nadirs[13] > 30
