"""A smaller family of twins, to be compared with: Bergman's glucose with linear chains of insulin and food.

Glucose falls by its own effectiveness and by insulin's action beyond that of planned basal, towards a level by the time
of day; the observer and its two disturbances are those of the larger family, and so are the names of its parameters:
their scales are here of insulin's action, glucose effectiveness, level, emptying, absorption of insulin, and carbs.
Equations: Bergman, Phillips, Cobelli, J Clin Invest 68 (1981) 1456; chains, clearance and volumes as in ReplayBG
(Cappon et al., IEEE TBME 70, 2023). The other constants are our own: fits scale them, from the prior of the larger
family.
"""

import numpy as np
from numpy.typing import NDArray

from twins.inference import personal
from twins.inference.family import Family
from twins.inference.personal import NODES, Known
from twins.inference.record import Record
from twins.inference.replay import MOST_MG_DL
from twins.kernels import kernel
from twins.units import MINUTES_PER_DAY
from twins.world.diary import STEP_MIN

SENSITIVITY_L_PER_MU_MIN = 5e-4
EFFECTIVENESS_PER_MIN = 0.012
LEVEL_MG_DL = 100.0
EMPTYING_PER_MIN, ABSORBED_PER_MIN = 0.035, 0.03
INSULIN_PER_MIN, DEPOT_PER_MIN = 0.018, 0.03
CLEARED_PER_MIN, INSULIN_L_PER_KG = 0.127, 0.126
ACTION_PER_MIN = 0.0106
BIOAVAILABILITY, GLUCOSE_DL_PER_KG = 0.9, 1.45
EFFECT_MIN = 480
_SI, _SG, _GB, _KE, _KA, _FAST_GAIN, _FAST_LEFT, _SLOW_GAIN, _SLOW_LEFT, _CARBS = range(10)
_DEPOT_1, _DEPOT_2, _PLASMA, _ACTION = range(4)


def forecasts(
    theta: NDArray[np.float64],
    record: Record,
    starts: NDArray[np.int64],
    steps: int,
    foreseen: bool = False,
) -> NDArray[np.float64]:
    """Glucose (K, W, steps) [mg/dL]; see `replay.forecasts`."""
    starts = np.ascontiguousarray(starts, np.int64)
    if len(starts) and not 0 <= starts.min() <= starts.max() <= len(record) - steps:
        raise ValueError(
            f"forecasts of {steps} steps from {starts.min()} ... {starts.max()}; the record has steps 0 ... "
            f"{len(record) - 1}, so ask for less"
        )
    record = record.take(slice(0, starts.max() + steps if len(starts) else 1))
    out = np.empty((len(theta), len(starts), steps))
    per_min = 1000 / STEP_MIN / record.weight_kg  # U in a step -> mU/kg/min
    basal = record.planned_basal_u_per_h * 1000 / 60 / record.weight_kg
    _replay(
        _plain(theta), np.exp(theta[:, personal.LEVELS]), basal, record.planned_u * per_min,
        (record.delivered_u - record.planned_u) * per_min, record.carbs_g * 1000 / record.weight_kg,
        record.glucose_mg_dl, record.minute_of_day, starts, foreseen, out,
    )  # fmt: skip
    return out


def effects(theta: NDArray[np.float64], person: Known) -> NDArray[np.float64]:
    """What 1 U lowers and 10 g logged raise glucose at most: (K, 2) [mg/dL]; see `personal.effects`."""
    out = np.empty((len(theta), 2))
    _effects(_plain(theta), 1000 / person.weight_kg / STEP_MIN, 10_000 / person.weight_kg, out)
    return out


REDUCED = Family("reduced", forecasts, effects)


def _plain(theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients (K, 10) of twins."""
    scale = np.exp(theta)
    fading_min = np.stack([scale[:, personal.FADING], np.full(len(theta), personal.SLOW_FADING_H)]) * 60
    columns = [
        SENSITIVITY_L_PER_MU_MIN * scale[:, personal.SENSITIVITY],
        EFFECTIVENESS_PER_MIN * scale[:, personal.FEEDBACK],
        LEVEL_MG_DL * scale[:, personal.LEVEL],
        EMPTYING_PER_MIN * scale[:, personal.EMPTYING],
        INSULIN_PER_MIN * scale[:, personal.SPEED],
        personal.GAIN_UNIT * scale[:, personal.GAIN],
        np.exp(-1 / fading_min[0]),
        personal.SLOW_GAIN_UNIT * scale[:, personal.SLOW_GAIN],
        np.exp(-1 / fading_min[1]),
        scale[:, personal.CARBS],
    ]
    return np.ascontiguousarray(np.stack(columns, axis=1))


@kernel
def _insulin(x, rate, absorbed):  # type: ignore[no-untyped-def]
    """Insulin states `x` (4,) a minute on, under `rate` [mU/kg/min]; linear, so that causes can be told apart."""
    x[_ACTION] += ACTION_PER_MIN * (x[_PLASMA] - x[_ACTION])
    x[_PLASMA] += absorbed * x[_DEPOT_2] / INSULIN_L_PER_KG - CLEARED_PER_MIN * x[_PLASMA]
    x[_DEPOT_2] += DEPOT_PER_MIN * x[_DEPOT_1] - absorbed * x[_DEPOT_2]
    x[_DEPOT_1] += rate - DEPOT_PER_MIN * x[_DEPOT_1]


@kernel
def _food(q, emptying):  # type: ignore[no-untyped-def]
    """Glucose [mg/dL/min] that appears, and the gut `q` (3,) [mg/kg] a minute on."""
    appears = BIOAVAILABILITY * ABSORBED_PER_MIN * q[2] / GLUCOSE_DL_PER_KG
    q[2] += emptying * q[1] - ABSORBED_PER_MIN * q[2]
    q[1] += emptying * (q[0] - q[1])
    q[0] -= emptying * q[0]
    return appears


@kernel
def _minute(p, glucose, action, level, appears, disturbed):  # type: ignore[no-untyped-def]
    gone = max(p[_SG] + p[_SI] * action, 0.0)
    return max(glucose - gone * glucose + p[_SG] * level + appears + disturbed, 1.0)


@kernel
def _replay(  # type: ignore[no-untyped-def]
    plain, levels, basal, planned, reaction, carbs, cgm, minute_of_day, starts, foreseen, out
):  # fmt: skip
    n = len(cgm)
    acts, later = np.empty(n * STEP_MIN), np.empty(n * STEP_MIN)
    appears, level = np.empty(n * STEP_MIN), np.empty(n)
    held, states = np.empty((n, 3)), np.empty((n, 4))
    x, z, q = np.empty(4), np.empty(4), np.empty(3)
    for k in range(len(plain)):
        p = plain[k]
        z[:], q[:], x[:] = 0.0, 0.0, 0.0
        for step in range(n):  # insulin beyond planned basal: x of the plan, z of what reacted to glucose
            states[step] = z
            q[0] += carbs[step] * p[_CARBS]
            for m in range(STEP_MIN):
                at = step * STEP_MIN + m
                acts[at], later[at] = x[_ACTION], z[_ACTION]
                _insulin(x, planned[step] - basal, p[_KA])
                _insulin(z, reaction[step], p[_KA])
                appears[at] = _food(q, p[_KE])
            hour = (minute_of_day + STEP_MIN * (step + 0.5)) % MINUTES_PER_DAY / (MINUTES_PER_DAY // NODES)
            node, part = int(hour), hour - int(hour)
            level[step] = p[_GB] * ((1 - part) * levels[k, node] + part * levels[k, (node + 1) % NODES])
        glucose, fast, slow = level[0], 0.0, 0.0
        for step in range(n):
            if not np.isnan(cgm[step]):
                missed = min(max(cgm[step] - glucose, -MOST_MG_DL), MOST_MG_DL)
                glucose += missed
                fast += p[_FAST_GAIN] * missed
                slow += p[_SLOW_GAIN] * missed
            held[step, 0], held[step, 1], held[step, 2] = glucose, fast, slow
            for m in range(STEP_MIN):
                at = step * STEP_MIN + m
                glucose = _minute(p, glucose, acts[at] + later[at], level[step], appears[at], fast + slow)
                fast *= p[_FAST_LEFT]
                slow *= p[_SLOW_LEFT]
        for window in range(len(starts)):
            first = starts[window]
            glucose, fast, slow = held[first, 0], held[first, 1], held[first, 2]
            z[:] = states[first]
            for ahead in range(out.shape[2]):
                for m in range(STEP_MIN):
                    at = (first + ahead) * STEP_MIN + m
                    reacted = later[at] if foreseen else z[_ACTION]
                    glucose = _minute(
                        p, glucose, acts[at] + reacted, level[first + ahead], appears[at], fast + slow
                    )
                    if not foreseen:  # what was given before the window goes on acting
                        _insulin(z, 0.0, p[_KA])
                    fast *= p[_FAST_LEFT]
                    slow *= p[_SLOW_LEFT]
                out[k, window, ahead] = glucose


@kernel
def _effects(plain, dose, food, out):  # type: ignore[no-untyped-def]
    x, q, still = np.empty(4), np.empty(3), np.empty(4)
    for k in range(len(plain)):
        p = plain[k]
        dosed, fed = p[_GB], p[_GB]
        x[:], still[:], q[:] = 0.0, 0.0, 0.0
        q[0] = food * p[_CARBS]
        out[k, 0] = out[k, 1] = 0.0
        for minute in range(EFFECT_MIN):
            dosed = _minute(p, dosed, x[_ACTION], p[_GB], 0.0, 0.0)
            fed = _minute(p, fed, 0.0, p[_GB], _food(q, p[_KE]), 0.0)
            _insulin(x, dose if minute < STEP_MIN else 0.0, p[_KA])
            out[k, 0], out[k, 1] = max(out[k, 0], p[_GB] - dosed), max(out[k, 1], fed - p[_GB])
