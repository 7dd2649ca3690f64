"""The validity card: whether a personal twin may be used for its person, by days that it was not fitted on.

Good forecasts are not proof of what a dose does: a pump that doses by itself reacts to glucose. So the card judges two
twins of one record, the one that forecasts and the causal one, and `accepted` means the latter: what a unit and ten
grams do in it is believable, and it does not forecast much worse.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twins.inference import personal, priors, rivals
from twins.inference.identify import (
    Fit,
    Told,
    errors,
    fit,
    for_causes,
    for_forecasts,
    rule,
    targets,
    window_starts,
)
from twins.inference.posterior import Posterior, posterior, quantiles
from twins.inference.quality import Quality, quality
from twins.inference.record import Record
from twins.inference.replay import forecasts
from twins.world.diary import RANGE_MG_DL, STEP_MIN, STEPS_PER_DAY

HORIZONS_MIN = (60, 120, 240)
ALL_MIN = tuple(range(STEP_MIN, 240 + STEP_MIN, STEP_MIN))
FIT_EVERY_MIN, TEST_EVERY_MIN = 15, 90
BANDS = (0.5, 0.9)
EXPIRES_DAYS = 14
FALL_OVER_RULE = (0.4, 1.5)
MOST_OF_PERSISTENCE = 1.0
CARBS = (0.3, 3.0)
"""Thresholds of acceptance: what a unit lowers glucose by over the clinical rule; the causal twin's 4-h error over that
of persistence; carbs eaten per gram logged."""
DRIFTED = 1.15
"""A choice of ours: on AZT1D fitting anew on more days gained about one per cent."""
AMBER_OF_FORECAST, AMBER_COVERAGE = 1.10, (0.85, 0.95)
"""Accepted, but with a warning: a larger 4-h error than this over the forecast twin's, or a 90 % band that covers less
or more."""


@dataclass(frozen=True)
class Personal:
    """Two twins of one person and the card that judges them. part, test: steps of the fit and of the judgement."""

    record: Record
    part: slice
    test: slice
    forecast: Fit
    causal: Fit
    belief: Posterior
    """Of the causal twin."""
    band: NDArray[np.float64]
    """Quantiles (4, 48) of the forecast twin's errors in the days of the fit, at 5, 25, 75 and 95 %."""
    card: dict[str, Any]


def identify(
    record: Record,
    fit_days: int = 10,
    test_days: int = 4,
    fall_mg_dl_per_u: float | None = None,
    ends: datetime | None = None,
) -> Personal:
    """Fit both twins on the first days of a record and judge them on the days after.

    fall_mg_dl_per_u: the correction factor that the person's pump uses, if it is known. ends: when the record ends; the
    card expires 14 days later. Raises DiaryError when the record has not so many days, or too few readings.
    """
    part, test = record.days(1, fit_days), record.days(fit_days + 1, fit_days + test_days)
    causes = for_causes(record, part, fall_mg_dl_per_u)
    forecast, causal = fit(record, part, for_forecasts(priors.prior(record.who))), fit(record, part, causes)
    own = errors(forecast.theta[None], record, window_starts(record, part, FIT_EVERY_MIN), ALL_MIN)[0]
    band = np.nanquantile(own, [0.05, 0.25, 0.75, 0.95], axis=0)
    belief = posterior(record, part, causes, causal)
    card = _card(record, part, test, forecast, causal, belief, own, band, causes)
    if ends is not None:
        card["expires"] = (ends + timedelta(days=EXPIRES_DAYS)).date().isoformat()
    return Personal(record, part, test, forecast, causal, belief, band, card)


def drift(before: NDArray[np.float64], fitted: Personal) -> dict[str, Any]:
    """Errors on the newest days of the forecast twin `before` (17,), which had not seen them, beside the new one's.

    The person has drifted when the old twin's 4-h error is more than `DRIFTED` times the new one's.
    """
    starts = window_starts(fitted.record, fitted.test, TEST_EVERY_MIN)
    found = _rmse(errors(before[None], fitted.record, starts, HORIZONS_MIN)[0])
    return {"rmse_mg_dl": found, "drifted": found["240"] > DRIFTED * fitted.card["rmse_mg_dl"]["240"]}


def _card(
    record: Record, part: slice, test: slice, forecast: Fit, causal: Fit, belief: Posterior, own: NDArray[np.float64],
    band: NDArray[np.float64], told: Told,
) -> dict[str, Any]:  # fmt: skip
    """own (W, 48): the forecast twin's errors in the days of the fit; band: their quantiles."""
    starts = window_starts(record, test, TEST_EVERY_MIN)
    seen = targets(record, starts, HORIZONS_MIN)
    theta = np.stack([forecast.theta, causal.theta, priors.prior(record.who).mean])
    missed = errors(theta, record, starts, ALL_MIN)
    of_forecast, of_causal, population = (
        _rmse(one[:, np.searchsorted(ALL_MIN, HORIZONS_MIN)]) for one in missed
    )
    references = {
        "persistence": _rmse(rivals.persistence(record, starts, HORIZONS_MIN) - seen),
        "time_of_day_mean": _rmse(rivals.time_of_day_mean(record, part, starts, HORIZONS_MIN) - seen),
        "population_twin": population,
        "ridge": _rmse(rivals.ridge(record, part, starts, HORIZONS_MIN) - seen),
    }
    read = np.isfinite(missed[0])
    inside = [
        ((missed[0] >= band[low]) & (missed[0] <= band[high]))[read].mean() for low, high in ((1, 2), (0, 3))
    ]
    coverage = {f"{100 * share:.0f}": float(one) for share, one in zip(BANDS, inside, strict=True)}
    effects = personal.effects(belief.theta, record)
    usual = rule(record, part)
    fall, rise = (_interval(effects[:, column], belief.weight) for column in (0, 1))
    carbs = float(np.exp(causal.theta[personal.CARBS]))
    held = quality(record, part)
    checks = [
        (not FALL_OVER_RULE[0] <= fall["value"] / usual <= FALL_OVER_RULE[1],
         f"a unit lowers glucose by {fall['value'] / usual:.2f} of the clinical rule; allowed is "
         f"{FALL_OVER_RULE[0]:g} to {FALL_OVER_RULE[1]:g}"),
        (not CARBS[0] <= carbs <= CARBS[1],
         f"a logged gram counts as {carbs:.2f}; allowed is {CARBS[0]:g} to {CARBS[1]:g}"),
        (of_causal["240"] > MOST_OF_PERSISTENCE * references["persistence"]["240"],
         f"its 4-h error is {of_causal['240']:.1f} mg/dL, that of persistence "
         f"{references['persistence']['240']:.1f}"),
    ]  # fmt: skip
    reasons = [*held.reasons, *(words for wrong, words in checks if wrong)]
    warn = of_causal["240"] > AMBER_OF_FORECAST * of_forecast["240"]
    warn |= not AMBER_COVERAGE[0] <= coverage["90"] <= AMBER_COVERAGE[1]
    return {
        "format": 1,
        "who": record.who,
        "notice": "Research software, not a medical device. Prediction is not proof of what a dose does.",
        "accepted": not reasons,
        "light": "red" if reasons else "amber" if warn else "green",
        "reasons": reasons,
        "fit_days": round((part.stop - part.start) / STEPS_PER_DAY),
        "test_days": round((test.stop - test.start) / STEPS_PER_DAY),
        "windows": len(starts),
        "rmse_mg_dl": of_forecast,
        "rmse_mg_dl_causal": of_causal,
        "rmse_mg_dl_references": references,
        "coverage": coverage,
        "one_step_autocorrelation": _whiteness(forecast, record, test),
        "glucose_shares": {
            "observed": _shares(record.glucose_mg_dl[test]),
            "twin": _replayed(forecast, record, own, test),
        },
        "fall_mg_dl_per_u": fall | {"over_rule": fall["value"] / usual},
        "rise_mg_dl_per_10_g": rise,
        "carbs_per_logged_g": carbs,
        "anchor_mg_dl_per_u": told.anchor.fall_mg_dl_per_u if told.anchor else None,
        "effective_draws": belief.effective,
        "quality": _plain(held),
        "quality_reasons": list(held.reasons),
    }


def _plain(held: Quality) -> dict[str, Any]:
    return {name: value for name, value in asdict(held).items() if name != "reasons"}


def _rmse(missed: NDArray[np.float64]) -> dict[str, float]:
    """Root mean squared errors (W, H) by horizon in minutes, as a card names them."""
    root = np.sqrt(np.nanmean(missed**2, axis=0))
    return {str(horizon): float(one) for horizon, one in zip(HORIZONS_MIN, root, strict=True)}


def _interval(values: NDArray[np.float64], weight: NDArray[np.float64]) -> dict[str, float]:
    """The most likely value (the first), and the middle 90 %."""
    low, high = quantiles(values, weight, (0.05, 0.95))
    return {"value": float(values[0]), "low": float(low), "high": float(high)}


def _whiteness(one: Fit, record: Record, part: slice) -> dict[str, float]:
    """Autocorrelation of the errors 5 min ahead, at lags in minutes: what a perfect forecast would have is 0."""
    starts = np.arange(part.start, part.stop - 1)
    missed = errors(one.theta[None], record, starts, (STEP_MIN,))[0, :, 0]
    missed = missed - np.nanmean(missed)
    variance = np.nanmean(missed**2)
    lags = {
        lag: np.nanmean(missed[lag // STEP_MIN :] * missed[: -lag // STEP_MIN]) for lag in (5, 15, 30, 60)
    }
    return {str(lag): float(one / variance) for lag, one in lags.items()}


def _shares(glucose: NDArray[np.float64]) -> dict[str, float]:
    """Percent of the readings that are below, in and above the range."""
    read = glucose[np.isfinite(glucose)]
    low, high = RANGE_MG_DL
    return {
        "below_70_pct": float(100 * (read < low).mean()),
        "in_range_pct": float(100 * ((read >= low) & (read <= high)).mean()),
        "above_180_pct": float(100 * (read > high).mean()),
    }


def _replayed(one: Fit, record: Record, own: NDArray[np.float64], test: slice) -> dict[str, float]:
    """Shares of glucose as the twin lives the days of the test, 4 h at a time, with errors as in those of the fit."""
    starts = np.arange(test.start, test.stop - len(ALL_MIN) + 1, len(ALL_MIN))
    missed = own[np.isfinite(own).all(axis=1)]
    lived = forecasts(one.theta[None], record, starts, len(ALL_MIN))[0]
    return _shares(np.clip(lived[:, None] - missed[None, :: max(len(missed) // 100, 1)], 40, 400).ravel())
