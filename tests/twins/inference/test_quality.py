"""Records that can tell what insulin does, and those that cannot, with the reason."""

from dataclasses import replace

import numpy as np
import pytest

from tests.twins.inference.virtual_record import blank, with_meals
from twins.inference.quality import quality
from twins.inference.record import Record


def _good() -> Record:
    record = with_meals(blank(10.0), seed=5)
    return replace(record, glucose_mg_dl=np.full(len(record), 120.0))


def test_a_good_record_has_no_reasons() -> None:
    held = quality(_good(), slice(0, 2880))
    assert held.reasons == () and held.days == 10 and held.meals == 3 and held.glucose_read == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: {"basal_u": r.basal_u * 4}, "U of insulin a day; believable are 8 to 98 at 75 kg"),
        (lambda r: {"weight_kg": 25.0}, "believable are 2 to 32 at 25 kg"),
        (
            lambda r: {"carbs_g": np.where(np.arange(2880) < 1200, r.carbs_g, 0.0)},
            "1.3 entries of carbs a day",
        ),
        (lambda r: {"carbs_g": r.carbs_g / 10}, "15 g of carbs a day; needed are 30"),
        (
            lambda r: {"glucose_mg_dl": np.where(np.arange(2880) < 2500, 120.0, np.nan)},
            "87% of the time has readings",
        ),
        (lambda r: {"basal_known": np.arange(2880) < 2000}, "basal is unknown 31% of the time"),
    ],
)
def test_what_is_wrong_is_said(change, says: str) -> None:  # type: ignore[no-untyped-def]
    record = _good()
    (reason,) = quality(replace(record, **change(record)), slice(0, 2880)).reasons
    assert says in reason


def test_a_reading_every_quarter_of_an_hour_is_enough() -> None:
    record = _good()
    slow = np.where(np.arange(2880) % 3 == 0, 120.0, np.nan)
    assert quality(replace(record, glucose_mg_dl=slow), slice(0, 2880)).reasons == ()
