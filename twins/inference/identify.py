"""From a record to the twin that fits it best: maximum a posteriori, by the method of Levenberg and Marquardt.

What is minimised: mean squared errors of forecasts up to 4 h ahead from every quarter of an hour, weighed as `n_eff`
independent ones (they overlap, and errors last), plus the distance from the prior.

Two twins come of one record. The *forecast* twin has the smallest errors. Where a pump doses by itself that is a twin
in which insulin does next to nothing: what lowers glucose is given when glucose would rise. So the *causal* twin is
held, by an anchor, near the clinical rule for what a unit does (1700 / daily insulin, within about 20 %), and its data
count less.

Meals that nobody logged are left to the observer. To add those that forecasts' errors tell of, and to fit again, did
not pay: on twelve hidden people the fall per unit came out no nearer, and the rise of ten grams further off.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins.inference.family import UVA_PADOVA, Family
from twins.inference.record import Record, bridged
from twins.world.diary import STEP_MIN, STEPS_PER_DAY, DiaryError

HORIZONS_MIN = (15, 30, 60, 90, 120, 150, 180, 210, 240)
LONGEST_MIN = HORIZONS_MIN[-1]
START_EVERY_MIN = 15
UNIT_MG_DL = 40.0
"""An error that counts as 1."""
RULE_MG_DL = 1700.0
"""A unit lowers glucose by this over the daily insulin in U (the "1700 rule": Walsh, "Pumping Insulin"; it ranges from
1500 to 2200 between clinics)."""
ROUNDS = 25
LARGEST_STEP = 1.0
LEAST_WINDOWS = 100


@dataclass(frozen=True)
class Prior:
    """Normal, independent: means and standard deviations (17,) of the logarithms, in the order of `personal.NAMES`."""

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]


WEAK = Prior(
    np.array(
        [np.log(0.7), 0.0, np.log(1.4), 0.0, 0.0, np.log(0.7), np.log(10.0), np.log(0.7), 0.0, *[0.0] * 8]
    ),
    np.array([1.0, 0.5, 0.2, 0.5, 0.4, 0.5, 1.0, 0.5, 1.0, *[0.2] * 8]),
)
"""What is known of nobody in particular."""


@dataclass(frozen=True)
class Anchor:
    """What a unit of insulin is expected to lower glucose by, and the standard deviation of its logarithm."""

    fall_mg_dl_per_u: float
    log_sd: float = 0.2


@dataclass(frozen=True)
class Fit:
    """theta (17,): the most likely logarithms; cost: -2 log posterior; precision (17, 17): of the posterior there."""

    theta: NDArray[np.float64]
    cost: float
    precision: NDArray[np.float64]


def rule(record: Record, part: slice) -> float:
    """The clinical rule for what a unit lowers glucose by [mg/dL], from the insulin of these days.

    Raises DiaryError when none was given.
    """
    daily_u = float(record.delivered_u[part].mean()) * STEPS_PER_DAY
    if daily_u <= 0:
        raise DiaryError(
            f"{record.who}: no insulin was given in {(part.stop - part.start) / STEPS_PER_DAY:g} days; a twin of a "
            "person with type-1 diabetes needs their doses, so log them"
        )
    return RULE_MG_DL / daily_u


@dataclass(frozen=True)
class Told:
    """What a fit is told besides the record: prior, what the errors of forecasts weigh, anchor."""

    prior: Prior
    n_eff: float
    anchor: Anchor | None = None
    family: Family = UVA_PADOVA


def for_forecasts(prior: Prior = WEAK, family: Family = UVA_PADOVA) -> Told:
    """Of the twin with the smallest errors of forecasts."""
    return Told(prior, n_eff=1000.0, family=family)


def for_causes(
    record: Record, part: slice, fall_mg_dl_per_u: float | None = None, family: Family = UVA_PADOVA
) -> Told:
    """Of the twin for what-ifs and policies. fall_mg_dl_per_u: the correction factor that the person's pump uses; by
    default the clinical rule."""
    return Told(WEAK, n_eff=100.0, anchor=Anchor(fall_mg_dl_per_u or rule(record, part)), family=family)


def window_starts(
    record: Record, part: slice, every_min: int, ahead_min: int = LONGEST_MIN
) -> NDArray[np.int64]:
    """Steps of `part`, `every_min` apart, with a reading, from which forecasts stay within `part`."""
    starts = np.arange(part.start, part.stop - ahead_min // STEP_MIN + 1, every_min // STEP_MIN)
    found: NDArray[np.int64] = starts[np.isfinite(bridged(record.glucose_mg_dl)[starts])]
    return found


def targets(record: Record, starts: NDArray[np.int64], horizons_min: tuple[int, ...]) -> NDArray[np.float64]:
    """What was read (W, H) [mg/dL] so long after each start; NaN where nothing was."""
    steps = np.array(horizons_min) // STEP_MIN
    seen: NDArray[np.float64] = np.append(bridged(record.glucose_mg_dl), np.nan)[starts[:, None] + steps]
    return seen


def errors(
    theta: NDArray[np.float64],
    record: Record,
    starts: NDArray[np.int64],
    horizons_min: tuple[int, ...] = HORIZONS_MIN,
    family: Family = UVA_PADOVA,
) -> NDArray[np.float64]:
    """Forecast less reading (K, W, H) [mg/dL]; NaN where nothing was read."""
    steps = np.array(horizons_min) // STEP_MIN
    found = family.forecasts(theta, record, starts, int(steps.max()))
    return found[:, :, steps - 1] - targets(record, starts, horizons_min)


def fit(record: Record, part: slice, told: Told) -> Fit:
    """The most likely member of the family given the steps `part` of a record.

    What lies before `part` is lived through, too. Raises DiaryError when there are too few readings.
    """
    residuals = objective(record, part, told)
    theta, damping = told.prior.mean.copy(), 1e-2
    r, jacobian = _look(residuals, theta)
    cost = float(r @ r)
    for _ in range(ROUNDS):
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ r
        tried = damping * 10.0 ** np.arange(-1.0, 5.0)
        moves = np.stack(
            [-np.linalg.solve(normal + one * np.diag(np.diag(normal)), gradient) for one in tried]
        )
        moves = np.clip(moves, -LARGEST_STEP, LARGEST_STEP)
        costs = (residuals(theta + moves) ** 2).sum(axis=1)
        best = int(costs.argmin())
        if not costs[best] < cost * (1 - 1e-5):
            break
        theta, damping = theta + moves[best], max(float(tried[best]), 1e-6)
        r, jacobian = _look(residuals, theta)
        cost = float(r @ r)
    return Fit(theta, cost, jacobian.T @ jacobian)


def objective(
    record: Record, part: slice, told: Told
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Residuals (K, R) of twins (K, 17), whose squares sum to -2 log posterior. Raises DiaryError, see `fit`."""
    starts = window_starts(record, part, START_EVERY_MIN)
    read = np.isfinite(targets(record, starts, HORIZONS_MIN))
    if read.sum() < LEAST_WINDOWS * len(HORIZONS_MIN):
        raise DiaryError(
            f"{record.who}: only {int(read.sum())} readings can be forecast in "
            f"{(part.stop - part.start) / STEPS_PER_DAY:.1f} days; needed are {LEAST_WINDOWS * len(HORIZONS_MIN)} or "
            "more, so give a longer recording, or one with fewer gaps"
        )
    weight = np.sqrt(told.n_eff / read.sum()) / UNIT_MG_DL

    def residuals(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        # A twin that cannot live is as wrong as anything can be.
        missed = np.nan_to_num(
            errors(theta, record, starts, family=told.family)[:, read], nan=1e4, posinf=1e4, neginf=-1e4
        )
        parts = [np.clip(missed, -1e4, 1e4) * weight, (theta - told.prior.mean) / told.prior.sd]
        if told.anchor is not None:
            fall = np.maximum(np.nan_to_num(told.family.effects(theta, record)[:, :1]), 1e-6)
            parts.append(np.log(fall / told.anchor.fall_mg_dl_per_u) / told.anchor.log_sd)
        return np.concatenate(parts, axis=1)

    return residuals


def _look(
    residuals: Callable[[NDArray[np.float64]], NDArray[np.float64]], theta: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Residuals (R,) and their derivatives (R, 17) at a twin."""
    step = 1e-3
    found = residuals(np.concatenate([theta[None], theta + step * np.eye(len(theta))]))
    return found[0], ((found[1:] - found[0]) / step).T
