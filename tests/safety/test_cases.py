"""Drawn numbers for actions, through the step of an environment whose sensor sends what is no number.

Ten thousand and more cases each time: every dose within the bounds, everything that the policy sees finite, and
scheduled basal or nothing where an action is no number.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import envs
from envs import trace as t
from envs.faults import NotFinite, Spike
from tests.safety.test_bounds import FEW, ID, PUMP_STEP_U_PER_H, Watch
from twins.cohort import BASAL_U_PER_H

STEPS = 12
FAULTS = (
    NotFinite(0.5, onset_min=10, duration_min=10, every_min=30, jitter_min=15),
    Spike(150.0, onset_min=5, duration_min=5, every_min=45, jitter_min=30),
)
_NUMBERS = st.floats(width=64) | st.floats(-1.5, 1.5) | st.sampled_from([np.nan, np.inf, -np.inf, 1e9, -1e9])
_HOURS = st.lists(
    st.lists(_NUMBERS, min_size=2 * len(FEW), max_size=2 * len(FEW)), min_size=STEPS, max_size=STEPS
)


class _Watch(Watch):
    """Which actions are no numbers, and that their lanes get no more than scheduled basal, it looks at as well."""

    none: Any

    def check(self, rows: Any, seen: Any, therapy: Any, bounds: Any) -> None:
        super().check(rows, seen, therapy, bounds)
        assert (rows[self.none][:, :, t.BOLUS_U] == 0).all()
        most = therapy[self.none, BASAL_U_PER_H, None] + PUMP_STEP_U_PER_H + 1e-9
        assert (rows[self.none][:, :, t.BASAL_U_PER_H] <= most).all()


def _live(examples: int, **keywords: Any) -> int:
    """Live hours of drawn actions; how many cases they were."""
    env = envs.make_vec(ID, num_envs=len(FEW), cohort=FEW, days=0.1, faults=FAULTS, **keywords)
    watch = _Watch(env.core)
    cases = 0

    def hour(actions: list[list[float]], seed: int) -> None:
        nonlocal cases
        env.reset(seed=seed)
        watch.reset()
        for numbers in actions:
            action = np.array(numbers).reshape(-1, 2)
            watch.none = ~np.isfinite(action).all(axis=1)
            observation, *_ = env.step(action)
            assert env.observation_space.contains(observation) and np.isfinite(observation).all()
            cases += len(action)

    check = settings(
        max_examples=examples, deadline=None, derandomize=examples <= 200, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    check(given(actions=_HOURS, seed=st.integers(0, 2**31 - 1))(hour))()
    return cases


@pytest.mark.slow
@pytest.mark.parametrize("examples", [200, pytest.param(10_000, marks=pytest.mark.verify)])
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_every_drawn_action_ends_in_a_dose_within_the_bounds(examples: int) -> None:
    assert _live(examples) >= 10_000


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_without_the_shield_it_does_not() -> None:
    with pytest.raises(AssertionError):
        _live(20, shield="off")
