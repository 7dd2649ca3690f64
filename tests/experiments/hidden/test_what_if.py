"""What-ifs: the truth is the simulator's, and a twin is asked the same question."""

import numpy as np

from experiments.hidden import bodies
from experiments.hidden.life import live, plasma, step
from experiments.hidden.what_if import SCALES, STEPS, as_twins_say, truly
from twins.inference.identify import WEAK
from twins.inference.record import record

LIFE = live(bodies.make(2, 3, daily="planned"), 2)
ASKED = truly(LIFE, 1, 2)


def test_what_was_lived_is_lived_again() -> None:
    assert len(ASKED.step) > 4 and set(ASKED.person) == {0, 1}
    lived = LIFE.glucose_mg_dl[ASKED.person[:, None], ASKED.step[:, None] + 1 + np.arange(STEPS)]
    np.testing.assert_allclose(ASKED.factual, lived, rtol=0, atol=1e-9)


def test_another_bolus_does_what_it_does_when_all_days_are_lived_with_it() -> None:
    for number in (0, len(ASKED.step) - 1):
        person, now = ASKED.person[number], ASKED.step[number]
        own = LIFE.bodies.parameters[person : person + 1]
        state, coefficients = LIFE.bodies.model.basal_state(own), LIFE.bodies.model.prepare(own)
        lived = []
        for k in range(now + STEPS):
            bolus = (
                LIFE.meal_bolus_u[person, k] * (SCALES[1] if k == now else 1) + LIFE.correction_u[person, k]
            )
            given = (
                np.array([one]) for one in (LIFE.basal_u_per_h[person, k], bolus, LIFE.eaten_g[person, k])
            )
            step(LIFE.bodies, coefficients, state, *given, LIFE.drive[person, k][None])
            lived.append(plasma(state, own)[0])
        np.testing.assert_allclose(ASKED.other[number, 1], lived[-STEPS:], rtol=0, atol=1e-9)
    less, more = np.moveaxis(ASKED.other - ASKED.factual[:, None], 1, 0)
    assert (less[:, 12:] > 0).all() and (more[:, 12:] < 0).all()


def test_a_twin_foresees_less_glucose_from_more_insulin() -> None:
    held = record(LIFE.diary(0))
    theta = np.stack([WEAK.mean, WEAK.mean])
    theta[1, 0] += 1.0  # twice and a half as sensitive
    said = as_twins_say(theta, held, ASKED.step[ASKED.person == 0])
    assert said.shape == (2, (ASKED.person == 0).sum(), len(SCALES), STEPS)
    assert (said[:, :, 0, 12:] > 0).all() and (said[:, :, 1, 12:] < 0).all()
    assert (np.abs(said[1, ..., :24]) > np.abs(said[0, ..., :24])).all(), "in the first two hours"
