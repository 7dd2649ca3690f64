"""What a twin must beat: right by literal values, and told nothing of reactions to come."""

from dataclasses import replace

import numpy as np
import pytest

from tests.twins.inference.virtual_record import blank, with_meals
from twins.inference import rivals
from twins.inference.record import Record

HORIZONS = (60, 240)


def _noisy(days: float = 3.0) -> Record:
    record = with_meals(blank(days), seed=7)
    hours = (6 + np.arange(len(record)) / 12) % 24
    noise = np.random.default_rng(1).standard_normal(len(record))
    return replace(record, glucose_mg_dl=150 + 40 * np.sin(hours / 24 * 2 * np.pi) + 5 * noise)


def test_the_last_reading_and_the_mean_of_the_hour() -> None:
    record = _noisy()
    record.glucose_mg_dl[:] = 100.0
    record.glucose_mg_dl[(np.arange(len(record)) // 36) % 8 == 0] = 180.0  # 06:00 to 09:00
    starts = np.array([600, 575])
    assert rivals.persistence(record, starts, HORIZONS).tolist() == [[180.0, 180.0], [100.0, 100.0]]
    found = rivals.time_of_day_mean(record, slice(0, 576), starts, HORIZONS)
    assert found == pytest.approx(np.array([[100.0, 100.0], [180.0, 100.0]]))


def test_ridge_finds_what_is_there_to_find() -> None:
    record = _noisy()
    starts = np.arange(600, 800, 7)
    seen = record.glucose_mg_dl[starts[:, None] + np.array([12, 48])]
    found = rivals.ridge(record, slice(0, 576), starts, HORIZONS)
    assert np.sqrt(((found - seen) ** 2).mean()) < 12
    assert np.sqrt(((rivals.persistence(record, starts, HORIZONS) - seen) ** 2).mean()) > 25


def test_ridge_is_not_told_of_reactions_to_come() -> None:
    record = _noisy()
    later = np.arange(len(record)) >= 700
    other = replace(
        record,
        basal_u=np.where(later, 5 * record.basal_u, record.basal_u),
        other_bolus_u=np.where(later, 3.0, record.other_bolus_u),
    )
    told = [rivals.ridge(one, slice(0, 576), np.array([700]), HORIZONS) for one in (record, other)]
    assert np.array_equal(*told)
    eaten = replace(record, carbs_g=np.where(later, 10.0, record.carbs_g))
    assert not np.array_equal(told[0], rivals.ridge(eaten, slice(0, 576), np.array([700]), HORIZONS))
