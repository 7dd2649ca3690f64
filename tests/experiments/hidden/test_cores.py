"""Bodies with other equations: at rest at basal insulin, right to a solver, moved the right way by what is given."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from experiments.hidden.cores import hovorka as h
from experiments.hidden.cores import kanderian as kd
from experiments.hidden.cores.hovorka import Hovorka
from experiments.hidden.cores.kanderian import Kanderian
from twins import random
from twins.bodies.model import LIVER_OUTPUT, NEUTRAL_DRIVE, SENSITIVITY_PERIPHERAL, UPTAKE, Model

Core = Hovorka | Kanderian
CORES = [Hovorka(), Kanderian()]
HOURS = 12


def _keys(count: int, seed: int = 4) -> NDArray[np.uint32]:
    return random.stream(random.keys("test", seed, np.arange(count), 0, 0), random.Stream.COHORT)


def _people(core: Core, count: int = 6) -> NDArray[np.float64]:
    drawn = core.draw(_keys(4 * count), 0)
    basal = core.basal_u_per_h(drawn)
    return drawn[(basal > 0.2) & (basal < 3)][:count]


def _lived(
    core: Model, parameters: NDArray[np.float64], dose_u: float = 0.0, grams: float = 0.0, basal: float = 1.0,
    drive: tuple[float, ...] = NEUTRAL_DRIVE,
) -> NDArray[np.float64]:  # fmt: skip
    """Glucose (n, 720) under a dose and a meal at minute 60."""
    state, n = core.basal_state(parameters), len(parameters)
    coefficients, rate = core.prepare(parameters), basal * core.basal_u_per_h(parameters)
    out = []
    for minute in range(0, HOURS * 60, 5):
        now = minute == 60
        carbs = np.zeros((n, 5))
        carbs[:, 0] = grams * now
        moved = np.tile(np.array(drive), (n, 1, 1))
        out.append(core.advance(state, coefficients, rate, np.full(n, dose_u * now), carbs, moved, 5))
    return np.concatenate(out, axis=1)


@pytest.mark.parametrize("core", CORES, ids=lambda core: type(core).__name__)
def test_basal_insulin_holds_fasting_glucose(core: Core) -> None:
    people = _people(core)
    fasting = people[:, core.parameter_names.index("fasting_mg_dl")]
    assert np.abs(_lived(core, people) - fasting[:, None]).max() < 0.01
    assert core.interstitial_mg_dl(core.basal_state(people), people) == pytest.approx(fasting)


@pytest.mark.parametrize("core", CORES, ids=lambda core: type(core).__name__)
def test_all_that_is_given_moves_glucose_the_right_way(core: Core) -> None:
    people = _people(core)
    rest = _lived(core, people)
    for changed, sign in (
        ({"dose_u": 1.0}, -1), ({"basal": 1.2}, -1), ({"grams": 20.0}, 1), ({"basal": 0.5}, 1),
        ({"drive": _drive(SENSITIVITY_PERIPHERAL, 1.3)}, -1), ({"drive": _drive(LIVER_OUTPUT, 0.3)}, 1),
        ({"drive": _drive(UPTAKE, 0.001)}, -1),
    ):  # fmt: skip
        moved = sign * (_lived(core, people, **changed) - rest)  # type: ignore[arg-type]
        assert moved.max(axis=1).min() > 1 and moved.min() > -0.1, changed


def _drive(column: int, value: float) -> tuple[float, ...]:
    return tuple(value if k == column else one for k, one in enumerate(NEUTRAL_DRIVE))


@pytest.mark.parametrize("core", CORES, ids=lambda core: type(core).__name__)
def test_a_person_is_drawn_from_their_key_alone(core: Core) -> None:
    many, one = core.draw(_keys(5), 0), core.draw(_keys(5)[3:4], 0)
    assert np.array_equal(many[3:4], one) and not np.isclose(many[3], core.draw(_keys(5), 1)[3]).all()


def _hovorka(p: dict[str, float], dose: Callable[[float], float], grams: Callable[[float], float]):  # type: ignore[no-untyped-def]
    """Right-hand side as the paper writes it, in mmol and mU, with its letters."""
    weight = p["weight_kg"]
    vg, vi = p["glucose_l_per_kg"] * weight, p["insulin_l_per_kg"] * weight

    def rate(t: float, y: NDArray[np.float64]) -> list[float]:
        q1, q2, s1, s2, i, x1, x2, x3, d1, d2, c = y
        g = q1 / vg
        f01 = p["brain_mmol_per_kg_min"] * weight * (1.0 if g >= 4.5 else g / 4.5)
        fr = 0.003 * (g - 9) * vg if g >= 9 else 0.0
        egp = p["liver_mmol_per_kg_min"] * weight * max(1 - x3, 0.0)
        ug, ui = d2 / p["gut_min"], s2 / p["depot_min"]
        return [
            -f01 - x1 * q1 + p["back_per_min"] * q2 - fr + ug + egp,
            x1 * q1 - (p["back_per_min"] + x2) * q2,
            dose(t) - s1 / p["depot_min"], s1 / p["depot_min"] - ui,
            ui / vi - p["insulin_gone_per_min"] * i,
            p["transport_per_min"] * (p["transport_l_per_mu_min"] * i - x1),
            p["disposal_per_min"] * (p["disposal_l_per_mu_min"] * i - x2),
            p["hepatic_per_min"] * (p["hepatic_l_per_mu"] * i - x3),
            p["bioavailability"] * grams(t) * 1000 / 180.16 - d1 / p["gut_min"], (d1 - d2) / p["gut_min"],
            p["sensor_per_min"] * (g - c),
        ]  # fmt: skip

    return rate, lambda y: y[0] / vg * 18.016


def _kanderian(p: dict[str, float], dose: Callable[[float], float], grams: Callable[[float], float]):  # type: ignore[no-untyped-def]
    def rate(t: float, y: NDArray[np.float64]) -> list[float]:
        sc, ip, ieff, g, m1, m2, c = y
        return [
            (dose(t) * 1000 / p["clearance_ml_per_min"] - sc) / p["depot_min"], (sc - ip) / p["plasma_min"],
            p["action_per_min"] * (p["sensitivity_ml_per_uu_min"] * ip - ieff),
            -(p["effectiveness_per_min"] + ieff) * g + p["liver_mg_dl_per_min"] + m2 / p["meal_min"] / p["volume_dl"],
            grams(t) * 1000 - m1 / p["meal_min"], (m1 - m2) / p["meal_min"], (g - c) / p["sensor_min"],
        ]  # fmt: skip

    return rate, lambda y: y[3]


@pytest.mark.reference
@pytest.mark.parametrize(("core", "equations"), [(Hovorka(), _hovorka), (Kanderian(), _kanderian)])
def test_within_half_a_mg_dl_of_a_solver(core: Core, equations) -> None:  # type: ignore[no-untyped-def]
    people = _people(core, 3)
    lived = _lived(core, people, dose_u=4.0, grams=50.0)
    for row, person in enumerate(people):
        basal = core.basal_u_per_h(people[row : row + 1])[0] * 1000 / 60
        rate, glucose = equations(
            dict(zip(core.parameter_names, person, strict=True)),
            lambda t, basal=basal: basal + 800.0 * (60 <= t < 65), lambda t: 50.0 * (60 <= t < 61),
        )  # fmt: skip
        y, at = core.basal_state(people[row : row + 1])[0], []
        for begin, end in ((0, 60), (60, 61), (61, 65), (65, HOURS * 60)):  # no step crosses a jump
            found = solve_ivp(rate, (begin, end - 1e-9), y, rtol=1e-9, atol=1e-9, dense_output=True)
            y = found.y[:, -1]
            at += [glucose(found.sol(one)) for one in range(begin + 1, end)] + [glucose(y)]
        assert np.abs(np.array(at) - lived[row]).max() < 0.5


def test_the_published_means_are_what_the_papers_say() -> None:
    # Kanderian 2009 gives what the ten took in a day [U]: their basal insulin must be a part of that.
    daily = np.array([50, 43, 30, 65, 42, 21, 40, 30, 50, 34])
    mean = np.array([list(h.MEANS.values())])
    assert 0.3 < Hovorka().basal_u_per_h(mean)[0] < 0.6
    ten = np.concatenate([kd.SUBJECTS, np.tile([40.0, 10.0, 130.0], (10, 1))], axis=1)
    share = 24 * Kanderian().basal_u_per_h(ten) / daily
    assert share.min() > 0.05 and share.max() < 0.9 and 0.3 < np.median(share) < 0.6
