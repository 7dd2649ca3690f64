"""The UVA/Padova model written once more from its equations, solved by scipy, to hold the kernel against.

Dalla Man, Rizza, Cobelli, "Meal simulation model of the glucose-insulin system", IEEE TBME 54 (2007),
with the subcutaneous insulin of Kovatchev et al. (2009). Parameters, eating at 5 g/min and the bookkeeping
of meals as simglucose 0.2.11 has them. Many people are one stacked system; the solver starts anew wherever
an input changes. Nothing of the kernel is used here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from twins.cohort import simglucose_table

EATING_G_PER_MIN = 5.0
STATES = 13


def parameters(people: Sequence[str]) -> dict[str, NDArray]:
    """Every numeric column of simglucose's table, one array over people."""
    table = simglucose_table("vpatient_params.csv")
    return {
        name: np.array([float(table[person][name]) for person in people])
        for name in table[people[0]]
        if name != "Name"
    }


def basal_u_per_min(p: Mapping[str, NDArray]) -> NDArray:
    return p["u2ss"] * p["BW"] / 6000


def eaten(plate_g: NDArray) -> tuple[NDArray, NDArray]:
    """Grams eaten in each minute, and grams of the meal so far, both (n, minutes), from what is served."""
    now, meal = np.zeros_like(plate_g), np.zeros_like(plate_g)
    for person, served in enumerate(plate_g):
        planned = so_far = 0.0
        ate_before = False
        for minute, grams in enumerate(served):
            planned += grams
            bite = min(EATING_G_PER_MIN, planned)
            planned = max(planned - bite, 0.0)
            if bite > 0 and not ate_before:
                so_far = 0.0
            so_far += bite
            now[person, minute], meal[person, minute], ate_before = bite, so_far, bite > 0
    return now, meal


def slopes(
    x: NDArray,
    p: Mapping[str, NDArray],
    carbs_mg_per_min: NDArray,
    insulin_u_per_min: NDArray,
    meal_mg: NDArray,
    drive: NDArray,
) -> NDArray:
    """Time derivative of the 13 states, shape (13, n).

    drive (n, 4): multipliers of total insulin action (X + Ib on the periphery, x8 on the liver), extra
    fractional uptake of tissue glucose, extra output of the liver.
    """
    solid, liquid, gut, gp, gt, ip, action, delay_1, delay_2, il, sc_1, sc_2, gs = x
    peripheral, hepatic, uptake, extra = drive.T
    stomach = solid + liquid
    reference = np.where(meal_mg > 0, meal_mg, 1.0)
    steep_empty = 5 / (2 * reference * (1 - p["b"]))
    steep_full = 5 / (2 * reference * p["d"])
    emptying = np.where(
        meal_mg > 0,
        p["kmin"]
        + (p["kmax"] - p["kmin"])
        / 2
        * (
            np.tanh(steep_empty * (stomach - p["b"] * meal_mg))
            - np.tanh(steep_full * (stomach - p["d"] * meal_mg))
            + 2
        ),
        p["kmax"],
    )
    appearance = p["f"] * p["kabs"] * gut / p["BW"]
    production = np.maximum(p["kp1"] - p["kp2"] * gp - hepatic * p["kp3"] * delay_2, 0) + extra
    excretion = p["ke1"] * np.maximum(gp - p["ke2"], 0)
    total_action = p["Vmx"] * (action + p["Ib"])
    plain_use = p["Vm0"] + p["Vmx"] * action
    use = np.maximum(plain_use + (peripheral - 1) * total_action, np.minimum(plain_use, 0))
    insulin = ip / p["Vi"]
    d_gp = production + appearance - p["Fsnc"] - excretion - p["k1"] * gp + p["k2"] * gt
    d_gt = -use * gt / (p["Km0"] + gt) + p["k1"] * gp - p["k2"] * gt - uptake * gt
    return np.array(
        [
            -p["kmax"] * solid + carbs_mg_per_min,
            p["kmax"] * solid - emptying * liquid,
            emptying * liquid - p["kabs"] * gut,
            np.where(gp >= 0, d_gp, 0),
            np.where(gt >= 0, d_gt, 0),
            -(p["m2"] + p["m4"]) * ip + p["m1"] * il + p["ka1"] * sc_1 + p["ka2"] * sc_2,
            -p["p2u"] * action + p["p2u"] * (insulin - p["Ib"]),
            -p["ki"] * (delay_1 - insulin),
            -p["ki"] * (delay_2 - delay_1),
            -(p["m1"] + p["m30"]) * il + p["m2"] * ip,
            insulin_u_per_min * 6000 / p["BW"] - (p["ka1"] + p["kd"]) * sc_1,
            p["kd"] * sc_1 - p["ka2"] * sc_2,
            np.where(gs >= 0, p["ksc"] * (gp - gs), 0),
        ]
    )


def solve(
    p: Mapping[str, NDArray],
    insulin_u_per_min: NDArray,
    plate_g: NDArray,
    drive: NDArray | None = None,
    mg_per_g: float = 1000.0,
    rtol: float = 1e-9,
) -> NDArray:
    """Plasma glucose after each minute, (n, minutes), from the table's initial state.

    insulin_u_per_min and plate_g (n, minutes); drive (n, minutes, 4), neutral when left out.
    `mg_per_g=1` is the error of simglucose before 0.2.3: grams of the meal added to milligrams.
    """
    n, minutes = plate_g.shape
    bites, meal_g = eaten(plate_g)
    if drive is None:
        drive = np.tile([1.0, 1.0, 0.0, 0.0], (n, minutes, 1))
    x = np.array([p[f"x0_{state:2d}"] for state in range(1, STATES + 1)])
    by_minute = drive.swapaxes(1, 2).reshape(4 * n, minutes)
    inputs = np.concatenate([insulin_u_per_min, bites, meal_g, by_minute])
    changes = np.any(np.diff(inputs, axis=1) != 0, axis=0)
    starts = [0, *(np.flatnonzero(changes) + 1), minutes]
    glucose = np.empty((n, minutes))
    before_meal = np.zeros(n)
    ate_before = np.zeros(n, bool)
    for first, last in zip(starts[:-1], starts[1:], strict=True):
        begins = (bites[:, first] > 0) & ~ate_before
        before_meal = np.where(begins, x[0] + x[1], before_meal)
        ate_before = bites[:, first] > 0
        fixed: Any = (
            p,
            1000 * bites[:, first],
            insulin_u_per_min[:, first],
            before_meal + mg_per_g * meal_g[:, first],
            drive[:, first],
        )

        def flat(_: float, y: NDArray, fixed: Any = fixed) -> NDArray:
            return slopes(y.reshape(STATES, n), *fixed).ravel()

        at = np.arange(first + 1, last + 1, dtype=float)
        path = solve_ivp(flat, (first, last), x.ravel(), "DOP853", t_eval=at, rtol=rtol, atol=1e-9)
        assert path.success, path.message
        x = path.y[:, -1].reshape(STATES, n)
        glucose[:, first:last] = path.y.reshape(STATES, n, -1)[3] / p["Vg"][:, None]
    return glucose
