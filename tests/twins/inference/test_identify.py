"""A twin is found in its own record; the anchor holds where data are silent; too little data is refused."""

from dataclasses import replace

import numpy as np
import pytest

from tests.twins.inference.virtual_record import PLAIN, blank, lived, with_meals
from twins.inference import personal
from twins.inference.identify import (
    WEAK,
    Anchor,
    errors,
    fit,
    for_causes,
    for_forecasts,
    rule,
    targets,
    window_starts,
)
from twins.inference.personal import CARBS, EMPTYING, SENSITIVITY
from twins.inference.posterior import WIDENED, posterior, quantiles
from twins.inference.priors import people, prior
from twins.inference.record import Record
from twins.world.diary import DiaryError

TRUE = PLAIN.copy()
TRUE[[SENSITIVITY, CARBS, EMPTYING]] = 0.4, -0.3, 0.2


def _record(days: float = 4.0) -> Record:
    """A life of TRUE, read with an error of 4 mg/dL."""
    record = with_meals(blank(days), seed=11)
    error = 4 * np.random.default_rng(5).standard_normal(len(record))
    return replace(record, glucose_mg_dl=np.maximum(lived(TRUE, record) + error, 40.0))


def test_a_twin_is_found_in_its_own_record() -> None:
    record = _record()
    found = fit(record, slice(0, 1152), for_forecasts())
    true, twin = (personal.effects(theta[None], record)[0] for theta in (TRUE, found.theta))
    assert twin == pytest.approx(true, rel=0.15)
    starts = window_starts(record, slice(0, 1152), 60)
    missed = errors(found.theta[None], record, starts, (60, 240))[0]
    assert np.sqrt(np.nanmean(missed**2)) < 8


def test_where_data_are_silent_the_anchor_speaks() -> None:
    record = replace(blank(2.0), glucose_mg_dl=140 + np.random.default_rng(2).standard_normal(576))
    anchor = Anchor(60.0)
    told = replace(for_causes(record, slice(0, 576)), anchor=anchor)
    found = fit(record, slice(0, 576), told)
    fall = personal.effects(found.theta[None], record)[0, 0]
    assert fall == pytest.approx(60, rel=0.15)
    belief = posterior(record, slice(0, 576), told, found, count=64)
    assert belief.weight.sum() == pytest.approx(1) and 3 < belief.effective <= 64
    falls = personal.effects(belief.theta, record)[:, 0]
    low, high = quantiles(falls, belief.weight, (0.05, 0.95))
    # Nothing but the anchor is known: 90 % of a normal of its spread, widened.
    wanted = 2 * 1.645 * anchor.log_sd * WIDENED
    assert low < fall < high and 0.5 * wanted < np.log(high / low) < 1.5 * wanted


def test_the_rule_is_1700_over_daily_insulin() -> None:
    assert rule(blank(2.0, basal_u_per_h=2.0), slice(0, 288)) == pytest.approx(1700 / 48)
    assert for_causes(blank(2.0), slice(0, 288), 42.0).anchor == Anchor(42.0)


def test_without_insulin_there_is_no_rule() -> None:
    with pytest.raises(DiaryError, match="no insulin was given in 1 days"):
        rule(blank(2.0, basal_u_per_h=0.0), slice(0, 288))


def test_too_few_readings_are_refused() -> None:
    record = _record(1.0)
    record.glucose_mg_dl[60:] = np.nan
    with pytest.raises(DiaryError, match="readings can be forecast in 1.0 days; needed are 900 or more"):
        fit(record, slice(0, 288), for_forecasts())


def test_forecasts_stay_within_their_days() -> None:
    record = _record(1.0)
    starts = window_starts(record, slice(0, 288), 15)
    assert starts.min() == 0 and starts.max() == 240
    assert np.isfinite(targets(record, starts[:-1], (240,))).all()


def test_nobody_stands_in_their_own_prior() -> None:
    everybody, first = prior(), people()[0]
    assert len(people()) == 12 and prior("nobody").mean is everybody.mean
    for who in people():
        others = prior(who)
        mine = len(people()) * everybody.mean - (len(people()) - 1) * others.mean
        assert np.abs(mine - everybody.mean).max() > 0.05, "a fit of their own stands in the mean of all"
        assert (others.sd >= 0.25 * WEAK.sd - 1e-6).all()
    assert prior(first).mean is not everybody.mean


def test_quantiles_are_weighted() -> None:
    assert quantiles([3.0, 1.0, 2.0], np.array([0.5, 0.25, 0.25]), (0.125, 0.375, 0.75)).tolist() == [
        1.0,
        2.0,
        3.0,
    ]
