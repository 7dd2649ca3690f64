"""When a bout may begin and must pause, at the boundaries of every rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.bouts.bounds import BOUNDS, Bound, must_pause, refusal
from twins.world.sessions import AEROBIC, INTERVAL, RESISTANCE


def _why(
    glucose: float, age: float = 0.0, carbs: float = 0.0, intensity: float = 0.5, kind: int = AEROBIC
) -> str:
    one = refusal(
        np.array([glucose]), np.array([age]), np.array([carbs]), np.array([intensity]), np.array([kind])
    )
    return BOUNDS[int(one[0])]


@pytest.mark.parametrize(
    ("glucose", "more", "why"),
    [
        (90.0, {}, "none"),
        (89.9, {}, "low"),
        (89.9, {"carbs": 15.0}, "none"),
        (89.9, {"carbs": 14.9}, "low"),
        (70.0, {"carbs": 15.0}, "none"),
        (69.9, {"carbs": 30.0}, "low"),
        (250.0, {"intensity": 0.59}, "none"),
        (250.0, {"intensity": 0.60}, "hard_while_high"),
        (249.9, {"intensity": 0.60}, "none"),
        (250.0, {"kind": INTERVAL, "intensity": 0.4}, "hard_while_high"),
        (250.0, {"kind": RESISTANCE, "intensity": 0.7}, "none"),
        (349.9, {}, "none"),
        (350.0, {}, "high"),
        (350.0, {"intensity": 0.9}, "high"),
        (120.0, {"age": 15.0}, "none"),
        (120.0, {"age": 15.1}, "stale"),
        (np.nan, {}, "stale"),
        (120.0, {"age": np.inf}, "stale"),
        (120.0, {"age": np.nan}, "stale"),
    ],
)
def test_a_start_at_the_boundary_of_each_rule(glucose: float, more: dict[str, float], why: str) -> None:
    assert _why(glucose, **more) == why  # type: ignore[arg-type]


@given(
    st.floats(40, 400),
    st.floats(0, 40),
    st.floats(0.2, 1.0),
    st.sampled_from([AEROBIC, INTERVAL, RESISTANCE]),
)
def test_more_carbs_and_less_intensity_never_forbid_what_was_allowed(
    glucose: float, carbs: float, intensity: float, kind: int
) -> None:
    if _why(glucose, 0.0, carbs, intensity, kind) == "none":
        assert _why(glucose, 0.0, carbs + 10, intensity, kind) == "none"
        assert _why(glucose, 0.0, carbs, intensity - 0.1, kind) == "none"


def test_a_bout_pauses_below_70_and_goes_on_from_80() -> None:
    glucose, fresh = np.array([69.9, 70.0, 79.9, 80.0, 60.0, np.nan]), np.zeros(6)
    assert must_pause(glucose, fresh, np.zeros(6, bool)).tolist() == [True, False, False, False, True, False]
    assert must_pause(glucose, fresh, np.ones(6, bool)).tolist() == [True, True, True, False, True, True]
    stale = np.full(6, 20.0)
    assert not must_pause(glucose, stale, np.zeros(6, bool)).any()
    assert must_pause(glucose, stale, np.ones(6, bool)).all()


def test_reasons_have_names() -> None:
    assert len(BOUNDS) == len(Bound) and BOUNDS[0] == "none"
