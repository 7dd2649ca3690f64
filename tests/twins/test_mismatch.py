"""Bodies around a twin: as far from it as asked, in the same basal state, and never the same in test and training."""

import numpy as np
import pytest

from twins import cohort as cohorts
from twins import mismatch
from twins.bodies.glucose import COLUMN


def test_factors_have_the_spread_that_was_asked_for() -> None:
    people = cohorts.load("adult")
    drawn = np.stack([mismatch.mismatched(people, 0.2, "test", seed).parameters for seed in range(200)])
    logs = np.log(drawn / people.parameters)
    for name in ("Vmx", "kp3", "p2u", "ka1", "kabs"):
        assert abs(logs[:, :, COLUMN[name]].std() - 0.2) < 0.01, name
        assert abs(logs[:, :, COLUMN[name]].mean()) < 0.02, name
    assert (drawn[:, :, COLUMN["f"]] <= 1).all()
    assert (drawn[:, :, COLUMN["kmin"]] <= drawn[:, :, COLUMN["kmax"]]).all()


def test_the_basal_steady_state_stays() -> None:
    people = mismatch.mismatched(cohorts.load("all"), 0.4, "test", 1)
    model, n = people.model, len(people)
    state, drive = model.basal_state(people.parameters), np.tile([1.0, 1.0, 0.0, 0.0], (n, 1, 1))
    basal, none = model.basal_u_per_h(people.parameters), np.zeros(n)
    glucose = model.advance(
        state, model.prepare(people.parameters), basal, none, np.zeros((n, 720)), drive, 720
    )
    assert np.abs(glucose - people.parameters[:, [COLUMN["Gb"]]]).max() < 0.01
    assert np.allclose(basal, model.basal_u_per_h(cohorts.load("all").parameters))


def test_no_mismatch_is_the_twin_itself() -> None:
    people = cohorts.load("adolescent")
    assert mismatch.mismatched(people, 0.0, "test", 1) is people


def test_a_body_does_not_depend_on_company_and_members_are_no_test_bodies() -> None:
    people = cohorts.load("all")
    drawn = mismatch.mismatched(people, 0.2, "test", 3)
    alone = mismatch.mismatched(people.take([7]), 0.2, "test", 3)
    assert np.array_equal(drawn.parameters[7], alone.parameters[0])
    ensemble = mismatch.members(people, 4, 0.2)
    assert np.array_equal(ensemble[:, 0], people.parameters)
    assert len(np.unique(ensemble[0, :, COLUMN["Vmx"]])) == 4
    assert not np.isin(drawn.parameters[:, COLUMN["Vmx"]], ensemble[:, :, COLUMN["Vmx"]]).any()


@pytest.mark.parametrize("sd", [-0.1, 1.0, float("nan")])
def test_an_impossible_spread_is_refused(sd: float) -> None:
    with pytest.raises(ValueError, match="0 up to below 1"):
        mismatch.mismatched(cohorts.load("child"), sd, "test", 0)
