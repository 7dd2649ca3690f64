"""How low glucose goes after a dose now and none afterwards: rollouts of the glucose twin for a shield and a planner.

What does not hang on the dose is worked out once: the gut of each virtual snack, and the insulin already given,
which is linear, so that a dose only adds its own response. A dose then costs one pass over the two glucose states,
in steps of `STEP_MIN`. Against `glucose_kernel.advance`, minute by minute, the lowest glucose errs by less than
0.5 mg/dL (a test); the equations are that kernel's own functions.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from twins.bodies import glucose_kernel as k
from twins.bodies.glucose import COLUMN, insulin_matrix, kernel_table
from twins.bodies.glucose_kernel import LANES
from twins.bodies.model import LIVER_OUTPUT, SENSITIVITY_HEPATIC, SENSITIVITY_PERIPHERAL, UPTAKE
from twins.kernels import inlined, kernel
from twins.units import INSULIN_PMOL_PER_U

STEP_MIN = 5
GUT_STEPS = 2  # a minute; a quarter of the kernel's, for lows that differ by less than 0.1 mg/dL
SNACKS: tuple[tuple[int, float], ...] = ((1, 0.0), (1, 1.0), (45, 1.0), (90, 1.0))
"""What may be eaten besides: (minute from now, grams). Nothing; and a bite, which in this model renews the reference
amount of the stomach and so can LOWER glucose for hours after a large meal, by up to 43 mg/dL."""
SMALL_GUT_MG = 500.0
"""With less in stomach, intestine and plate a bite has nothing to act on, and only the first of `SNACKS` counts."""

_ORDER = (
    k.INSULIN_PLASMA, k.INSULIN_ACTION, k.INSULIN_DELAY_1, k.INSULIN_DELAY_2, k.INSULIN_LIVER, k.INSULIN_SC_1,
    k.INSULIN_SC_2,
)  # fmt: skip
_ACTION, _DELAY_2, _INPUT, _ONE = 1, 3, 7, 8


@dataclass(frozen=True)
class Ahead:
    """Prepared bodies for forecasts of `horizon_min`; arrays in blocks of lanes, padded with the last body."""

    table: NDArray[np.float64]
    """(blocks, C, LANES): the kernel's coefficients with a coarser gut."""
    half: NDArray[np.float64]
    """(blocks, 9, 9, LANES): the insulin states half a step later, without a dose."""
    response: NDArray[np.float64]
    """(blocks, 2 T + 1, 2, LANES): insulin action and its delayed form that 1 U adds, at every half step."""
    volume: NDArray[np.float64]
    """(blocks, LANES): Vg [dL/kg]."""
    count: int
    mg_per_g: float
    """As the stomach of the model reckons: 1000, or 1 with the legacy gut."""

    @property
    def steps(self) -> int:
        """Steps of `STEP_MIN` up to the horizon."""
        return int(self.response.shape[1] // 2)


def prepare(
    parameters: NDArray[np.float64], horizon_min: int, dose_min: int, legacy_gut: bool = False
) -> Ahead:
    """Bodies (n, P) for forecasts of `horizon_min`, whose dose is given evenly over the first `dose_min` minutes.

    legacy_gut: as of their model.

    Raises ValueError unless the horizon is a multiple of 5 min and longer than the dose.
    """
    if horizon_min % STEP_MIN or horizon_min < 60 or not 1 <= dose_min < horizon_min:
        raise ValueError(
            f"horizon {horizon_min} min, dose over {dose_min} min; needed is a horizon of 60 min or more, a multiple "
            f"of {STEP_MIN}, and a dose over at least 1 min and less than the horizon"
        )
    people, lane = np.unique(np.asarray(parameters, np.float64), axis=0, return_inverse=True)
    lane = lane.ravel()
    matrix = insulin_matrix({name: people[:, column] for name, column in COLUMN.items()})
    half = expm(matrix * (STEP_MIN / 2))
    response = _response(matrix, people[:, COLUMN["BW"]], 2 * (horizon_min // STEP_MIN) + 1, dose_min)
    return Ahead(
        _blocks(kernel_table(people, GUT_STEPS)[lane]),
        _blocks(half[lane]),
        _blocks(response[lane]),
        _blocks(people[lane, COLUMN["Vg"]]),
        len(lane),
        1.0 if legacy_gut else 1000.0,
    )


def _response(
    matrix: NDArray[np.float64], weight_kg: NDArray[np.float64], points: int, dose_min: int
) -> NDArray[np.float64]:
    """What 1 U over `dose_min` adds to action and delayed insulin at every half step: (people, points, 2)."""
    linear = matrix.copy()
    linear[:, :, _ONE] = 0.0  # only what the dose adds
    rate = np.zeros((len(matrix), 9))
    rate[:, _INPUT] = INSULIN_PMOL_PER_U / weight_kg / dose_min
    out = np.zeros((len(matrix), points, 2))
    half = expm(linear * (STEP_MIN / 2))
    state = rate
    for point in range(1, points):
        since, now = (point - 1) * STEP_MIN / 2, point * STEP_MIN / 2
        if since < dose_min < now:
            state = np.einsum("nij,nj->ni", expm(linear * (dose_min - since)), state)
            state[:, _INPUT] = 0.0
            state = np.einsum("nij,nj->ni", expm(linear * (now - dose_min)), state)
        else:
            state = np.einsum("nij,nj->ni", half, state)
        if now >= dose_min:
            state[:, _INPUT] = 0.0
        out[:, point, 0], out[:, point, 1] = state[:, _ACTION], state[:, _DELAY_2]
    return out


def _blocks(table: NDArray[Any]) -> NDArray[Any]:
    """Rows (n, ...) as (blocks, ..., LANES), the last block padded with copies of the last row."""
    missing = -len(table) % LANES
    padded = np.concatenate([table, np.repeat(table[-1:], missing, axis=0)])
    return np.ascontiguousarray(np.moveaxis(padded.reshape(len(padded) // LANES, LANES, *table.shape[1:]), 1, -1))


class Forecast:
    """The futures of n bodies from where they stand, one per decision: what no dose can change is worked out here.

    state (n, 17) of bodies prepared as `ahead`; drive (n, 4), held over the horizon. food_g (n, horizon): what will be
    put on the plate in each minute, where that is known; then no virtual snacks are tried. wanted (n,): bodies that
    will be asked for; of others `lowest` may give infinity.
    """

    def __init__(
        self,
        ahead: Ahead,
        state: NDArray[np.float64],
        drive: NDArray[np.float64],
        food_g: NDArray[np.float64] | None = None,
        wanted: NDArray[np.bool_] | None = None,
    ) -> None:
        horizon = ahead.steps * STEP_MIN
        shapes = (ahead.count, len(k.STATES)), (ahead.count, 4), (ahead.count, horizon)
        fed = np.zeros((ahead.count, 0)) if food_g is None else food_g
        if (state.shape, drive.shape) != shapes[:2] or (food_g is not None and fed.shape != shapes[2]):
            raise ValueError(
                f"state {state.shape}, drive {drive.shape} and food {fed.shape} do not fit {ahead.count} prepared "
                f"bodies; needed are {shapes[0]}, {shapes[1]} and {shapes[2]} or none"
            )
        snacks = np.array(SNACKS if food_g is None else SNACKS[:1])
        blocks, points = len(ahead.table), 2 * ahead.steps + 1
        self._ahead, self._now, self._drive = ahead, _blocks(state), _blocks(drive)
        self._gut = np.empty((blocks, len(snacks), points, LANES))
        self._insulin = np.empty((blocks, points, 2, LANES))
        gut = state[:, [k.STOMACH_SOLID, k.STOMACH_LIQUID, k.INTESTINE]].sum(axis=1) + 1000 * state[:, k.PLATE]
        self._fed = _blocks((gut >= SMALL_GUT_MG).astype(np.float64))
        self._tried = np.where(self._fed.any(axis=1), len(snacks), 1)
        if wanted is not None:
            self._tried[~_blocks(wanted).any(axis=1)] = 0
        _gut_ahead(self._now, ahead.table, snacks, self._tried, _blocks(fed), ahead.mg_per_g, self._gut)
        _insulin_ahead(self._now, ahead.half, self._tried, self._insulin)

    def lowest(
        self, dose_u: NDArray[np.float64], wanted: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Lowest plasma glucose [mg/dL] of each body (n,) within the horizon, over all snacks, after dose_u (n,).

        wanted (n,): bodies that are asked for now, of those wanted at the start; of others this may give infinity.
        """
        ahead, tried = self._ahead, self._tried
        if wanted is not None:
            tried = np.where(_blocks(wanted).any(axis=1), tried, 0)
        low = np.empty((len(ahead.table), LANES))
        _lowest(
            self._now, ahead.table, ahead.volume, ahead.response, self._gut, self._insulin, self._drive,
            self._fed, tried, _blocks(np.ascontiguousarray(dose_u, np.float64)), low,
        )  # fmt: skip
        return low.reshape(-1)[: ahead.count]

    def paths(self, plans_u: NDArray[np.float64], every_min: int) -> NDArray[np.float64]:
        """Plasma glucose [mg/dL] at the end of every step, (n, plans, T), under plans_u (n, plans, K).

        Dose j of a plan [U] is given from minute j x every_min on, for as long as the bodies were prepared for.
        Raises ValueError unless every_min is a multiple of `STEP_MIN`.
        """
        ahead = self._ahead
        if every_min % STEP_MIN or plans_u.ndim != 3 or len(plans_u) != ahead.count:
            raise ValueError(
                f"plans {plans_u.shape} every {every_min} min; needed are ({ahead.count}, plans, doses) and a multiple "
                f"of {STEP_MIN} min"
            )
        glucose = np.empty((*plans_u.shape[:2], ahead.steps))
        _paths(
            self._now, ahead.table, ahead.volume, ahead.response, self._gut, self._insulin, self._drive,
            np.ascontiguousarray(plans_u, np.float64), every_min // STEP_MIN, glucose,
        )  # fmt: skip
        return glucose


@kernel
def _gut_ahead(state, table, snacks, tried, food, mg_per_g, gut):  # type: ignore[no-untyped-def]
    """Content of the intestine [mg] at every half step, for each snack: `gut` (blocks, snacks, 2 T + 1, LANES).

    tried (blocks,): how many of the snacks are. food (blocks, minutes, LANES) [g]; with no minutes nothing is known
    of what will be eaten.
    """
    w = np.empty((k.ROWS, LANES))
    for block in range(table.shape[0]):
        if tried[block] == 0:
            continue
        for j in range(k.COEFFICIENTS):
            for i in range(LANES):
                w[k.C0 + j, i] = table[block, j, i]
        for snack in range(tried[block]):
            for j in range(state.shape[1]):
                for i in range(LANES):
                    w[j, i] = state[block, j, i]
            eaten_at, grams = int(snacks[snack, 0]), snacks[snack, 1]
            for i in range(LANES):
                gut[block, snack, 0, i] = w[k.INTESTINE, i]
            for step in range(gut.shape[2] // 2):
                for i in range(LANES):
                    w[k.GUT_0, i] = w[k.INTESTINE, i]
                    w[k.CARBS, i] = w[k.STOMACH_SOLID, i] + w[k.STOMACH_LIQUID, i] + w[k.INTESTINE, i]
                for minute in range(STEP_MIN):
                    now = step * STEP_MIN + minute
                    bite = grams if now == eaten_at else 0.0
                    eating = 0.0  # of the block; when nobody has eaten or will, nothing changes but the stomach
                    for i in range(LANES):
                        w[k.PLATE_IN, i] = bite + (food[block, now, i] if now < food.shape[1] else 0.0)
                        eating += w[k.PLATE, i] + w[k.PLATE_IN, i] + w[k.EATEN, i]
                    if now == 0 or eating != 0.0:
                        k.eat(w, mg_per_g)
                        for i in range(LANES):
                            w[k.CARBS, i] += w[k.EATEN, i]
                    k.begin_emptying(w)
                    for _ in range(GUT_STEPS):
                        k.gut_step(w, GUT_STEPS)
                for i in range(LANES):
                    k.absorbed(w, i, 1.0 * STEP_MIN)
                    gut[block, snack, 2 * step + 1, i] = w[k.GUT_1, i]
                    gut[block, snack, 2 * step + 2, i] = w[k.GUT_2, i]


@kernel
def _insulin_ahead(state, half, tried, out):  # type: ignore[no-untyped-def]
    """Insulin action and its delayed form at every half step without a dose: `out` (blocks, 2 T + 1, 2, LANES)."""
    x, y = np.empty((7, LANES)), np.empty((7, LANES))
    for block in range(half.shape[0]):
        if tried[block] == 0:
            continue
        for j in range(7):
            for i in range(LANES):
                x[j, i] = state[block, _ORDER[j], i]
        for point in range(out.shape[1]):
            for i in range(LANES):
                out[block, point, 0, i] = x[_ACTION, i]
                out[block, point, 1, i] = x[_DELAY_2, i]
            for j in range(7):
                for i in range(LANES):
                    total = half[block, j, _ONE, i]
                    for m in range(7):
                        total += half[block, j, m, i] * x[m, i]
                    y[j, i] = total
            x, y = y, x


@inlined
def _step(w, i, g, t, x0, x1, x2, d0, d1, d2, q0, q1, q2, m_p, m_h, uptake, extra):  # type: ignore[no-untyped-def]
    """Plasma and tissue glucose `STEP_MIN` later: one Runge-Kutta step of the kernel's own equations.

    x, d: insulin action and its delayed form at the beginning, middle and end of the step; q: what the intestine holds.
    """
    l0, r0, use0 = k.terms(w, i, d0, q0, x0, m_p, m_h)
    l1, r1, use1 = k.terms(w, i, d1, q1, x1, m_p, m_h)
    l2, r2, use2 = k.terms(w, i, d2, q2, x2, m_p, m_h)
    kp2, ke1, ke2 = w[k.C0 + k.C_KP2, i], w[k.C0 + k.C_KE1, i], w[k.C0 + k.C_KE2, i]
    k1, k2, km = w[k.C0 + k.C_K1, i], w[k.C0 + k.C_K2, i], w[k.C0 + k.C_KM0, i]
    h = 1.0 * STEP_MIN
    ga, ta = k.glucose_slope(g, t, l0, r0, use0, kp2, ke1, ke2, k1, k2, km, uptake, extra)
    gm, tm = g + 0.5 * h * ga, t + 0.5 * h * ta
    gb, tb = k.glucose_slope(gm, tm, l1, r1, use1, kp2, ke1, ke2, k1, k2, km, uptake, extra)
    gm, tm = g + 0.5 * h * gb, t + 0.5 * h * tb
    gc, tc = k.glucose_slope(gm, tm, l1, r1, use1, kp2, ke1, ke2, k1, k2, km, uptake, extra)
    gm, tm = g + h * gc, t + h * tc
    gd, td = k.glucose_slope(gm, tm, l2, r2, use2, kp2, ke1, ke2, k1, k2, km, uptake, extra)
    return g + h * (ga + 2.0 * gb + 2.0 * gc + gd) / 6.0, t + h * (ta + 2.0 * tb + 2.0 * tc + td) / 6.0


@kernel
def _lowest(state, table, volume, response, gut, insulin, drive, fed, tried, dose_u, low):  # type: ignore[no-untyped-def]
    """The lowest glucose of every lane into `low` (blocks, LANES); infinity in blocks where nothing is tried.

    fed (blocks, LANES): 1 where a bite has something to act on.
    """
    w = np.empty((k.ROWS, LANES))
    g, t = np.empty(LANES), np.empty(LANES)
    for block in range(table.shape[0]):
        low[block, :] = np.inf
        if tried[block] == 0:
            continue
        for j in range(k.COEFFICIENTS):
            for i in range(LANES):
                w[k.C0 + j, i] = table[block, j, i]
        for snack in range(tried[block]):
            for i in range(LANES):
                g[i] = state[block, k.GLUCOSE_PLASMA, i]
                t[i] = state[block, k.GLUCOSE_TISSUE, i]
            for step in range(gut.shape[2] // 2):
                for i in range(LANES):
                    a, u = 2 * step, dose_u[block, i]
                    g[i], t[i] = _step(
                        w, i, g[i], t[i],
                        insulin[block, a, 0, i] + u * response[block, a, 0, i],
                        insulin[block, a + 1, 0, i] + u * response[block, a + 1, 0, i],
                        insulin[block, a + 2, 0, i] + u * response[block, a + 2, 0, i],
                        insulin[block, a, 1, i] + u * response[block, a, 1, i],
                        insulin[block, a + 1, 1, i] + u * response[block, a + 1, 1, i],
                        insulin[block, a + 2, 1, i] + u * response[block, a + 2, 1, i],
                        gut[block, snack, a, i], gut[block, snack, a + 1, i], gut[block, snack, a + 2, i],
                        drive[block, SENSITIVITY_PERIPHERAL, i] - 1.0, drive[block, SENSITIVITY_HEPATIC, i] - 1.0,
                        drive[block, UPTAKE, i], drive[block, LIVER_OUTPUT, i],
                    )  # fmt: skip
                    counts = snack == 0 or fed[block, i] > 0.0
                    # also where it is no number: what cannot be foreseen is not safe
                    low[block, i] = g[i] if counts and not g[i] >= low[block, i] else low[block, i]
        for i in range(LANES):
            low[block, i] /= volume[block, i]


@kernel
def _paths(state, table, volume, response, gut, insulin, drive, plans, every, glucose):  # type: ignore[no-untyped-def]
    """Glucose (n, plans, T) at the end of every step under `plans` (n, plans, K): a dose [U] every `every` steps.

    Here the lanes of a block are plans of one person.
    """
    w = np.empty((k.ROWS, LANES))
    g, t = np.empty(LANES), np.empty(LANES)
    points = response.shape[1]
    action, delayed = np.empty((points, LANES)), np.empty((points, LANES))
    for person in range(plans.shape[0]):
        block, own = person // LANES, person % LANES
        for j in range(k.COEFFICIENTS):
            for i in range(LANES):
                w[k.C0 + j, i] = table[block, j, own]
        m_p, m_h = (
            drive[block, SENSITIVITY_PERIPHERAL, own] - 1.0,
            drive[block, SENSITIVITY_HEPATIC, own] - 1.0,
        )
        uptake, extra = drive[block, UPTAKE, own], drive[block, LIVER_OUTPUT, own]
        for first in range(0, plans.shape[1], LANES):
            for point in range(points):
                for i in range(LANES):
                    action[point, i] = insulin[block, point, 0, own]
                    delayed[point, i] = insulin[block, point, 1, own]
            for dose in range(plans.shape[2]):
                begins = 2 * every * dose
                for point in range(begins, points):
                    for i in range(LANES):
                        u = plans[person, min(first + i, plans.shape[1] - 1), dose]
                        action[point, i] += u * response[block, point - begins, 0, own]
                        delayed[point, i] += u * response[block, point - begins, 1, own]
            for i in range(LANES):
                g[i], t[i] = state[block, k.GLUCOSE_PLASMA, own], state[block, k.GLUCOSE_TISSUE, own]
            for step in range(glucose.shape[2]):
                a = 2 * step
                for i in range(LANES):
                    g[i], t[i] = _step(
                        w, i, g[i], t[i], action[a, i], action[a + 1, i], action[a + 2, i],
                        delayed[a, i], delayed[a + 1, i], delayed[a + 2, i],
                        gut[block, 0, a, own], gut[block, 0, a + 1, own], gut[block, 0, a + 2, own],
                        m_p, m_h, uptake, extra,
                    )  # fmt: skip
                for i in range(min(LANES, plans.shape[1] - first)):
                    glucose[person, first + i, step] = g[i] / volume[block, own]
