"""The bolus calculator, and what a request must be."""

import numpy as np
import pytest

from envs import view as v
from envs.therapy import Request, basal_bolus
from envs.view import View

THERAPY = np.array(
    [[1.2, 10.0, 40.0, 140.0, 150.0, 48.0, 2.0]]
)  # basal, CR, CF, target, correct above, TDI, adult


def _view(glucose: float, announced: float = 0.0, uncovered: float | None = None, lanes: int = 1) -> View:
    view = View.empty(("x",) * lanes, np.repeat(THERAPY, lanes, axis=0), np.full(lanes, 70.0), 5)
    view.begin(np.arange(lanes), np.full(lanes, glucose))
    view.now[:, v.ANNOUNCED_G] = announced
    view.now[:, v.UNCOVERED_G] = announced if uncovered is None else uncovered
    return view


@pytest.mark.kernels
@pytest.mark.parametrize(
    ("glucose", "announced", "bolus"),
    [
        (120, 0, 0.0),
        (300, 0, 0.0),  # no correction without a meal
        (120, 60, 6.0),
        (150, 60, 6.0),  # 150 is not above 150
        (151, 60, 6.0 + 11 / 40),  # corrected to the target, not to the threshold
        (240, 50, 5.0 + 100 / 40),
        (60, 60, 6.0),  # a low is for the shield
    ],
)
def test_bolus_is_carbs_by_ratio_and_a_correction_at_meals_above_150(
    glucose: float, announced: float, bolus: float
) -> None:
    """The formula of simglucose's basal-bolus controller."""
    request = basal_bolus(_view(glucose, announced))
    assert request.bolus_u[0] == pytest.approx(bolus) and request.basal_u_per_h[0] == 1.2


@pytest.mark.kernels
def test_what_stayed_uncovered_is_asked_for_again_without_the_correction() -> None:
    assert basal_bolus(_view(240, 0.0, uncovered=25.0)).bolus_u[0] == pytest.approx(2.5)
    assert basal_bolus(_view(240, 30.0, uncovered=55.0)).bolus_u[0] == pytest.approx(5.5 + 2.5)


@pytest.mark.kernels
def test_modulation_multiplies_basal_and_bolus_of_each_lane() -> None:
    factors = np.array([[0.0, 1.0], [2.5, 0.5], [1.0, np.nan]])
    request = basal_bolus(_view(240, 50.0, lanes=3), factors)
    np.testing.assert_allclose(request.basal_u_per_h, [0.0, 3.0, 1.2])
    np.testing.assert_allclose(request.bolus_u, [7.5, 3.75, np.nan])


@pytest.mark.kernels
def test_other_settings_than_the_own_may_be_used() -> None:
    other = np.array([[0.8, 5.0, 20.0, 120.0, 130.0, 48.0, 2.0]])
    view = _view(140, 50.0)
    request = basal_bolus(view, therapy=other)
    assert request.bolus_u[0] == pytest.approx(10.0 + 1.0) and request.basal_u_per_h[0] == 0.8
    assert view.therapy[0, 0] == 1.2


def test_an_absent_request_is_no_number_for_every_lane() -> None:
    absent = Request.absent(3)
    assert (
        np.isnan(absent.basal_u_per_h).all() and np.isnan(absent.bolus_u).all() and len(absent.bolus_u) == 3
    )


def test_a_checked_request_is_a_copy_in_floats_with_its_plan() -> None:
    basal, plan = np.array([1, 2]), np.ones((2, 4))
    checked = Request(basal, np.zeros(2, np.float32), plan).checked(2)  # type: ignore[arg-type]
    assert checked.basal_u_per_h.dtype == checked.bolus_u.dtype == np.float64 and checked.plan is plan
    basal[0] = 9
    assert checked.basal_u_per_h.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "wrong", [np.zeros(3), np.zeros((2, 1)), 1.0, None, ["a", "b"], [1, [2]], np.zeros(2, complex)]
)
def test_a_request_without_one_number_per_lane_is_refused_by_name(wrong: object) -> None:
    with pytest.raises(ValueError, match="bolus_u of a request"):
        Request(np.zeros(2), wrong).checked(2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="basal_u_per_h of a request"):
        Request(wrong, np.zeros(2)).checked(2)  # type: ignore[arg-type]
