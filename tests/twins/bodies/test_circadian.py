"""The clocks of a body: as the package `circadian` has them, their period in darkness, entrainment, shifts by light."""

import numpy as np
import pytest
from circadian.models import Forger99, Hannay19
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from twins import random
from twins.bodies import circadian as c

STEP_H = c.STEP_MIN / 60
HANNAY_PERIOD_H = 2 * np.pi / (2 * np.pi / 23.84 + c._SLOWED_PER_H)
"""At which its own rate is the published one."""


def _changing_light(days: int = 10) -> NDArray[np.float64]:
    hours = np.arange(0, 24 * days, STEP_H)
    bright = np.repeat(10 ** np.random.default_rng(3).uniform(1.5, 3.5, 4 * days), len(hours) // (4 * days))
    return np.where((hours % 24 > 7) & (hours % 24 < 23), bright, 0.0)


@pytest.mark.kernels
@pytest.mark.parametrize(
    ("name", "theirs", "period_h"),
    [(c.FORGER, Forger99(), 24.2), (c.HANNAY, Hannay19(), HANNAY_PERIOD_H)],
)
def test_clocks_are_those_of_the_package(name: str, theirs: Forger99, period_h: float) -> None:
    lux, clock = _changing_light(), c.Clock(name)
    begin = theirs._default_initial_condition.copy()
    hours = np.arange(len(lux)) * STEP_H
    wanted = theirs(hours, begin, lux).states
    state, found = begin[None].copy(), [begin]
    for step in range(1, len(lux)):
        clock.advance(state, np.array([[period_h, 1.0]]), lux[None, step : step + 1])
        found.append(state[0].copy())
    np.testing.assert_allclose(np.stack(found), wanted, rtol=0, atol=1e-11)
    # temperature is lowest, and melatonin begins, when the package says
    phase = np.array([clock.phase_h(row[None])[0] for row in found])
    lowest = hours[1:][np.diff(phase) < -12]
    their_lowest = theirs.dlmos() + c.DLMO_BEFORE_MINIMUM_H
    assert all(np.abs(their_lowest - one).min() < 0.2 for one in lowest[1:])


def _skeldon(_: float, y: NDArray[np.float64], lux: float) -> list[float]:
    """As `models.md` 2.1 has it: for the clock that no release of the package holds."""
    x, xc, n = y
    alpha = 0.16 * (lux / 9500) ** 0.6
    b = 19.9 * (1 - n) * alpha * (1 - 0.4 * x) * (1 - 0.4 * xc)
    return [
        np.pi / 12 * (xc + b),
        np.pi / 12 * (0.23 * (xc - 4 / 3 * xc**3) - x * ((24 / (0.99669 * 24.2)) ** 2 + 0.55 * b)),
        60 * (alpha * (1 - n) - 0.013 * n),
    ]


def test_skeldon_is_the_solution_of_its_equations() -> None:
    clock, state = c.Clock(c.SKELDON), np.array([[0.24, -1.155, 0.51]])
    exact = state[0].copy()
    for lux in (0.0, 30.0, 500.0, 8000.0, 0.0):
        clock.advance(state, np.array([[24.2, 1.0]]), np.full((1, 48), lux))
        exact = solve_ivp(_skeldon, (0, 4), exact, args=(lux,), rtol=1e-10, atol=1e-12).y[:, -1]
        np.testing.assert_allclose(state[0], exact, atol=2e-4)


@pytest.mark.parametrize("name", c.CLOCKS)
def test_in_darkness_a_clock_has_its_own_period_and_by_day_that_of_the_sun(name: str) -> None:
    clock, parameters = c.Clock(name), np.array([[23.8, 1.0], [24.2, 1.0], [24.6, 1.0]])
    state = clock.entrained(parameters, np.repeat(c.regular_day(300.0, 7.0, 23.0), 3, axis=0))
    minimum_h = (24.0 - clock.phase_h(state)) % 24  # of the clock: who has a slow clock has it later
    assert (np.diff(minimum_h) > 0.3).all() and minimum_h.min() > 2.0 and minimum_h.max() < 7.0
    again = state.copy()
    clock.advance(again, parameters, np.repeat(c.regular_day(300.0, 7.0, 23.0), 3, axis=0))
    np.testing.assert_allclose(clock.phase_h(again), clock.phase_h(state), atol=0.01)
    angles = []
    for _ in range(30 * 24):
        clock.advance(state, parameters, np.zeros((3, 12)))
        angles.append(clock.angle_rad(state))
    turned = np.unwrap(np.stack(angles), axis=0)
    period = 20 * 24 / ((turned[-1] - turned[-1 - 20 * 24]) / (2 * np.pi))
    np.testing.assert_allclose(period, parameters[:, c.PERIOD_H], atol=0.02)


@pytest.mark.parametrize("name", c.CLOCKS)
def test_light_before_the_minimum_delays_and_after_it_advances(name: str) -> None:
    """A pulse of 6.7 h of 9,000 lux shifts by up to 3.4 h back and 2.0 h forth (Khalsa et al., J Physiol 549 (2003)
    945); bright light by day does little."""
    clock, parameters = c.Clock(name), np.array([[24.2, 1.0]])
    begin = clock.entrained(parameters, c.regular_day(150.0, 7.0, 23.0))
    shifts = []
    for phase_h in range(0, 24):  # of the pulse's middle
        state, dark = begin.copy(), begin.copy()
        at = round(((phase_h - clock.phase_h(begin)[0]) % 24 + 24 - 3.35) * 12)
        lux = np.zeros((1, 5 * 288))
        lux[:, at : at + 80] = 9000.0
        clock.advance(state, parameters, lux)
        clock.advance(dark, parameters, np.zeros_like(lux))
        shifts.append(float((clock.phase_h(state) - clock.phase_h(dark) + 12)[0] % 24 - 12))
    shift = np.array(shifts)
    assert -5.0 < shift.min() < -1.5 and 1.0 < shift.max() < 5.0
    assert shift[2:6].mean() > 0.5 and shift[19:23].mean() < -0.5  # after and before the minimum
    assert np.abs(shift[11:15]).max() < 1.1


def test_people_differ_and_hang_on_their_keys_alone() -> None:
    keys = random.keys("train", 0, np.arange(4000, dtype=np.uint32), 0, 0)
    drawn = c.draw(keys)
    assert abs(drawn[:, c.PERIOD_H].mean() - 24.15) < 0.02 and abs(drawn[:, c.PERIOD_H].std() - 0.2) < 0.02
    assert abs(np.log(drawn[:, c.LIGHT_GAIN]).std() - 0.4) < 0.03
    np.testing.assert_array_equal(c.draw(keys[7:9]), drawn[7:9])
    np.testing.assert_array_equal(c.draw(keys[:2], spread=0.0), [[24.15, 1.0]] * 2)


def test_lanes_do_not_hang_on_company_and_wrong_light_is_refused() -> None:
    clock = c.Clock(c.HANNAY)
    parameters = np.array([[24.0, 1.0], [24.4, 0.7]])
    lux = np.stack([_changing_light(2), 0.3 * _changing_light(2)])
    both = np.tile([[0.8, 1.7, 0.5]], (2, 1))
    alone = both[1:].copy()
    clock.advance(both, parameters, lux)
    clock.advance(alone, parameters[1:], lux[1:])
    np.testing.assert_array_equal(both[1:], alone)
    for wrong in (lux[:1], lux[0], -lux, np.where(lux > 1e3, np.nan, lux), 1e3 * lux):
        with pytest.raises(ValueError, match="light has shape"):
            clock.advance(both, parameters, wrong)
    with pytest.raises(ValueError, match="clock is 'forgr'; allowed are forger, skeldon, hannay"):
        c.Clock("forgr")
