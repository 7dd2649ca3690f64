"""A person's record lived by many twins at once, and forecasts from many moments of it.

Insulin and food do not hang on glucose, so they are followed once over the whole record. A reading sets plasma glucose;
what a twin missed by is taken for a disturbance (an observer), and every forecast begins where the observer stands.
In a forecast the planned insulin and the logged carbs go on, and what was given before keeps acting; doses that a pump
will give in reaction to glucose are not foreseen, as little as what they will react to.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from twins import cohort
from twins.bodies import glucose_kernel as k
from twins.bodies.glucose import COLUMN, insulin_matrix, kernel_table
from twins.bodies.glucose_forecast import _ORDER, GUT_STEPS, STEP_MIN, _blocks, _step
from twins.bodies.glucose_kernel import LANES
from twins.inference import personal
from twins.inference.personal import NODES
from twins.inference.record import Record
from twins.kernels import inlined, kernel
from twins.units import INSULIN_PMOL_PER_U, MINUTES_PER_DAY

MOST_MG_DL = 60.0
"""No reading moves a twin by more."""
_SYSTEM = np.array(_ORDER)
_ACTION, _DELAYED = 1, 3
_INPUT, _ONE = 7, 8
_G, _T, _FAST, _SLOW = range(4)


def forecasts(
    theta: NDArray[np.float64],
    record: Record,
    starts: NDArray[np.int64],
    steps: int,
    foreseen: bool = False,
) -> NDArray[np.float64]:
    """Glucose (K, W, steps) [mg/dL] by the twins `theta` (K, 17) at the `steps` x 5 min after each of `starts` (W,).

    foreseen: also doses that will be given in reaction to glucose, as recorded; for what-ifs about recorded days.
    Raises ValueError for forecasts that reach outside the record.
    """
    starts = np.ascontiguousarray(starts, np.int64)
    if len(starts) and not 0 <= starts.min() <= starts.max() <= len(record) - steps:
        raise ValueError(
            f"forecasts of {steps} steps from {starts.min()} ... {starts.max()}; the record has steps 0 ... "
            f"{len(record) - 1}, so ask for less"
        )
    # What comes after the last forecast changes none.
    record = record.take(slice(0, starts.max() + steps if len(starts) else 1))
    parameters, scale = personal.bodies(theta, record), np.exp(theta)
    matrix = insulin_matrix({name: parameters[:, column] for name, column in COLUMN.items()})
    fading = np.exp(
        -STEP_MIN / 60 / np.stack([scale[:, personal.FADING], np.full(len(theta), personal.SLOW_FADING_H)])
    )
    gain = (
        scale[:, personal.GAIN] * personal.GAIN_UNIT,
        scale[:, personal.SLOW_GAIN] * personal.SLOW_GAIN_UNIT,
    )
    out = np.empty((-(-len(theta) // LANES), len(starts), steps, LANES))
    planned, reaction = record.planned_u, record.delivered_u - record.planned_u
    _replay(
        _blocks(cohort.load("adult").model.basal_state(parameters)), _blocks(kernel_table(parameters, GUT_STEPS)),
        _blocks(expm(matrix * (STEP_MIN / 2))), _blocks(personal.rhythm(theta, parameters)),
        _blocks(np.stack([*gain, *fading], axis=1)), _blocks(scale[:, personal.CARBS]),
        _blocks(parameters[:, COLUMN["BW"]]), _blocks(parameters[:, COLUMN["Vg"]]), record.glucose_mg_dl,
        record.carbs_g, planned * (INSULIN_PMOL_PER_U / STEP_MIN), reaction * (INSULIN_PMOL_PER_U / STEP_MIN),
        record.minute_of_day, np.zeros((len(record), 3)) if record.exercise is None else record.exercise,
        _blocks(parameters[:, COLUMN["EGPb"]]), starts, foreseen, out,
    )  # fmt: skip
    return np.moveaxis(out, 3, 1).reshape(-1, len(starts), steps)[: len(theta)]


@inlined
def _insulin(half, block, x, y, rate, weight, constant):  # type: ignore[no-untyped-def]
    """The insulin states half a step on, exactly, from `x` into `y` (7, LANES); rate: insulin [pmol/min]."""
    for j in range(7):
        for i in range(LANES):
            total = constant * half[block, j, _ONE, i] + half[block, j, _INPUT, i] * (rate / weight[block, i])
            for m in range(7):
                total += half[block, j, m, i] * x[m, i]
            y[j, i] = total


@kernel
def _follow_insulin(half, block, start, rate, weight, constant, action, states):  # type: ignore[no-untyped-def]
    """Insulin action and its delayed form at every half step (2 n + 1, 2, LANES), the states at every step (n, 7,
    LANES), from `start` (7, LANES) under rates (n,) [pmol/min]."""
    x, y = start.copy(), np.empty((7, LANES))
    n = len(rate)
    for point in range(2 * n + 1):
        for i in range(LANES):
            action[point, 0, i], action[point, 1, i] = x[_ACTION, i], x[_DELAYED, i]
        if point < 2 * n:
            if point % 2 == 0:
                states[point // 2] = x
            _insulin(half, block, x, y, rate[point // 2], weight, constant)
            x, y = y, x


@kernel
def _follow_food(w, carbs, share, gut):  # type: ignore[no-untyped-def]
    """What the intestine holds at every half step, (2 n + 1, LANES); `w` holds states and coefficients of a block."""
    for i in range(LANES):
        gut[0, i] = w[k.INTESTINE, i]
        w[k.PLATE_IN, i] = 0.0
    for step in range(len(carbs)):
        for i in range(LANES):
            w[k.GUT_0, i] = w[k.INTESTINE, i]
            w[k.CARBS, i] = w[k.STOMACH_SOLID, i] + w[k.STOMACH_LIQUID, i] + w[k.INTESTINE, i]
            w[k.PLATE, i] += carbs[step] * share[i]
        for _ in range(STEP_MIN):
            k.eat(w, 1000.0)
            k.begin_emptying(w)
            for i in range(LANES):
                w[k.CARBS, i] += w[k.EATEN, i]
            for _ in range(GUT_STEPS):
                k.gut_step(w, GUT_STEPS)
        for i in range(LANES):
            k.absorbed(w, i, 1.0 * STEP_MIN)
            gut[2 * step + 1, i], gut[2 * step + 2, i] = w[k.GUT_1, i], w[k.GUT_2, i]


@inlined
def _advance(w, x, action, reacted, at, gut, a, level, observer, block, work, liver):  # type: ignore[no-untyped-def]
    """One step of glucose `x` (4, LANES): under insulin action `action` from row a and `reacted` from row `at` on."""
    for i in range(LANES):
        g, t = _step(
            w, i, x[_G, i], x[_T, i],
            action[a, 0, i] + reacted[at, 0, i], action[a + 1, 0, i] + reacted[at + 1, 0, i],
            action[a + 2, 0, i] + reacted[at + 2, 0, i],
            action[a, 1, i] + reacted[at, 1, i], action[a + 1, 1, i] + reacted[at + 1, 1, i],
            action[a + 2, 1, i] + reacted[at + 2, 1, i],
            gut[a, i], gut[a + 1, i], gut[a + 2, i], work[0], 0.0, work[1],
            level[i] + x[_FAST, i] + x[_SLOW, i] + work[2] * liver[block, i],
        )  # fmt: skip
        x[_G, i], x[_T, i] = max(g, 1.0), max(t, 0.0)  # below zero the equations would hold it there for good
        x[_FAST, i] *= observer[block, 2, i]
        x[_SLOW, i] *= observer[block, 3, i]


@kernel
def _replay(  # type: ignore[no-untyped-def]
    state, table, half, rhythm, observer, share, weight, volume, cgm, carbs, planned, reaction, minute_of_day, exercise,
    liver, starts, foreseen, out
):  # fmt: skip
    n = len(cgm)
    w = np.empty((k.ROWS, LANES))
    x, z, y, none = np.empty((7, LANES)), np.empty((7, LANES)), np.empty((7, LANES)), np.zeros((7, LANES))
    action, reacted = np.empty((2 * n + 1, 2, LANES)), np.empty((2 * n + 1, 2, LANES))
    states, reacted_states = np.empty((n, 7, LANES)), np.empty((n, 7, LANES))
    gut, level = np.empty((2 * n + 1, LANES)), np.empty((n, LANES))
    held, later = np.empty((n, 4, LANES)), np.empty((3, 2, LANES))
    for block in range(table.shape[0]):
        for j in range(k.COEFFICIENTS):
            for i in range(LANES):
                w[k.C0 + j, i] = table[block, j, i]
        for j in range(state.shape[1]):
            for i in range(LANES):
                w[j, i] = state[block, j, i]
        for j in range(7):
            for i in range(LANES):
                x[j, i] = w[_SYSTEM[j], i]
        _follow_insulin(half, block, x, planned, weight, 1.0, action, states)
        _follow_insulin(half, block, none, reaction, weight, 0.0, reacted, reacted_states)
        for i in range(LANES):
            x[_G, i], x[_T, i], x[_FAST, i], x[_SLOW, i] = (
                w[k.GLUCOSE_PLASMA, i],
                w[k.GLUCOSE_TISSUE, i],
                0.0,
                0.0,
            )
        _follow_food(w, carbs, share[block], gut)
        for step in range(n):
            hour = (minute_of_day + STEP_MIN * (step + 0.5)) % MINUTES_PER_DAY / (MINUTES_PER_DAY // NODES)
            node, part = int(hour), hour - int(hour)
            for i in range(LANES):
                level[step, i] = (1 - part) * rhythm[block, node, i] + part * rhythm[
                    block, (node + 1) % NODES, i
                ]
        # --- the observer
        for step in range(n):
            if not np.isnan(cgm[step]):
                for i in range(LANES):
                    missed = (
                        min(max(cgm[step] - x[_G, i] / volume[block, i], -MOST_MG_DL), MOST_MG_DL)
                        * volume[block, i]
                    )
                    x[_T, i] += missed * x[_T, i] / x[_G, i]
                    x[_G, i] += missed
                    x[_FAST, i] += observer[block, 0, i] * missed
                    x[_SLOW, i] += observer[block, 1, i] * missed
            held[step] = x[:4]
            work = exercise[step]
            _advance(w, x, action, reacted, 2 * step, gut, 2 * step, level[step], observer, block, work, liver)
        # --- forecasts
        for window in range(len(starts)):
            first = starts[window]
            for j in range(4):
                for i in range(LANES):
                    x[j, i] = held[first, j, i]
            z[:] = reacted_states[first]
            for ahead in range(out.shape[2]):
                step = first + ahead
                work = exercise[step]
                if foreseen:
                    _advance(w, x, action, reacted, 2 * step, gut, 2 * step, level[step], observer, block, work, liver)
                else:
                    for half_step in range(3):  # what was given before the window goes on acting
                        for i in range(LANES):
                            later[half_step, 0, i], later[half_step, 1, i] = z[_ACTION, i], z[_DELAYED, i]
                        if half_step < 2:
                            _insulin(half, block, z, y, 0.0, weight, 0.0)
                            z, y = y, z
                    _advance(w, x, action, later, 0, gut, 2 * step, level[step], observer, block, work, liver)
                for i in range(LANES):
                    out[block, window, ahead, i] = x[_G, i] / volume[block, i]
