"""Bounds of training: laws for anything that is asked for, and 10,000 days of agents that ask for too much."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.seasons import Most, Random, SeasonAgent
from envs.season import core as c
from envs.season.bounds import (
    MOST_RATIO,
    MOST_WEEKLY_RISE,
    Bound,
    hold,
    most_load_by_ratio,
    most_load_of_week,
)
from envs.season.core import SeasonCore, SeasonSetting
from envs.season.plan import Plan
from envs.season.session import LEAST_MIN, VIGOROUS, Session, minutes_for
from envs.season.view import SeasonView
from twins import cohort, random
from twins.bodies.fitness import ACUTE_PART, CHRONIC_FLOOR, CHRONIC_PART, MODELS

PEOPLE = cohort.load("adult")


def _core(lanes: int, **changes: object) -> SeasonCore:
    setting = SeasonSetting(PEOPLE, **changes)  # type: ignore[arg-type]
    core = SeasonCore(setting, Plan(setting.oracle), lanes)
    rows = np.arange(lanes) % len(PEOPLE)
    core.reset(rows, random.keys("test", 5, PEOPLE.numbers[rows], np.arange(lanes) // len(PEOPLE), 0))
    return core


def _view(days: int, seed: int, lanes: int = 40) -> SeasonView:
    """A view after some days of an agent that asks for anything."""
    core, agent = _core(lanes, shield="off"), Random(seed)
    for _ in range(days):
        core.step(agent.act(core.view))
    return core.view


VIEWS = [_view(days, days) for days in (0, 3, 10, 40)]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(range(len(VIEWS))),
    st.floats(0, 400),
    st.floats(0, 2),
    st.integers(-3, 9),
)
def test_bounds_only_take_and_taking_twice_takes_no_more(
    which: int, minutes: float, intensity: float, evening: int
) -> None:
    view = VIEWS[which]
    n = len(view)
    asked = Session.checked(np.full(n, minutes), np.full(n, intensity), np.full(n, evening))
    allowed, reason = hold(asked, view)
    assert (allowed.minutes <= asked.minutes).all() and (allowed.intensity <= asked.intensity).all()
    assert ((allowed.minutes == 0) | (allowed.minutes >= LEAST_MIN)).all()
    changed = (allowed.minutes < asked.minutes) | (allowed.intensity < asked.intensity)
    short = asked.minutes < LEAST_MIN
    assert (changed <= ((reason != Bound.NONE) | short)).all()
    again, none = hold(allowed, view)
    assert (again.minutes == allowed.minutes).all() and (again.intensity == allowed.intensity).all()
    assert (none[allowed.minutes > 0] == Bound.NONE).all()
    assert set(asked.evening) <= {0, 1}


def test_what_is_not_finite_is_rest() -> None:
    odd = np.array([np.nan, np.inf, -np.inf, 60.0])
    session = Session.checked(odd, np.array([0.5, 0.5, 0.5, np.nan]))
    assert (session.minutes == 0).all() and np.isfinite(session.intensity).all()


@pytest.mark.parametrize("which", range(len(VIEWS)))
def test_the_most_by_ratio_is_the_most(which: int) -> None:
    view = VIEWS[which]
    most = most_load_by_ratio(view)

    def ratio(load: np.ndarray) -> np.ndarray:
        acute = view.acute + ACUTE_PART * (load - view.acute)
        chronic = view.chronic + CHRONIC_PART * (load - view.chronic)
        return np.asarray(acute / np.maximum(chronic, CHRONIC_FLOOR))

    can = most > 0
    np.testing.assert_allclose(ratio(most)[can], MOST_RATIO)
    assert (ratio(most + 0.01)[can] > MOST_RATIO).all()
    assert (ratio(np.zeros(len(view)))[~can] >= MOST_RATIO - 1e-9).all()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("agent", [Most(), Random(3)], ids=["most", "random"])
def test_ten_thousand_days_within_bounds(agent: SeasonAgent, model: str) -> None:
    """120 people for 84 days: no ratio above 1.5, no week a fifth above, no seventh day, no third vigorous one."""
    core = _core(120, model=model)
    record = []
    for _ in range(84):
        view = core.view
        week, longest = most_load_of_week(view), np.maximum(view.minutes.max(axis=1), 30.0) + 30.0
        total = 1.1 * view.target_load - view.done_load
        row = core.step(agent.act(view.shown())).trace[:, 0].copy()
        assert (row[:, c.LOAD] <= np.maximum(np.minimum(week, total), 0.0) + 1e-9).all()
        assert (row[:, c.MINUTES] <= longest + 1e-9).all()
        record.append(row)
    days = np.stack(record, axis=1)
    assert days.shape[0] * days.shape[1] > 10_000
    assert (days[:, :, c.RATIO] <= MOST_RATIO + 1e-9).all()
    assert (days[:, :, c.ASKED_RATIO] > MOST_RATIO).mean() > 0.1  # it was asked for
    trained = days[:, :, c.MINUTES] > 0
    sevens = np.lib.stride_tricks.sliding_window_view(trained, 7, axis=1)
    assert not sevens.all(axis=2).any()
    vigorous = trained & (days[:, :, c.INTENSITY] >= VIGOROUS)
    assert not np.lib.stride_tricks.sliding_window_view(vigorous, 3, axis=1).all(axis=2).any()
    assert not (trained & (days[:, :, c.LOST] > 0)).any()
    acted = {Bound(int(code)) for code in np.unique(days[:, :, c.REASON])}
    assert acted >= set(Bound) - {Bound.VIGOROUS_DAYS, Bound.LONGER, Bound.INJURED}


def test_every_bound_acts() -> None:
    """What is asked for is held by the bound that it breaks, and by no other."""
    view = _core(6).view
    view.minutes[:], view.loads[:], view.hard[:] = 40.0, 2.0, 0.0
    view.acute[:], view.chronic[:] = 2.0, 2.0
    view.target_load[:], view.done_load[:] = 1000.0, 0.0
    view.minutes[:, -1] = 0.0  # rested yesterday
    view.hard[0, -2:] = 1.0
    view.loads[2, -6:] = 3.0
    view.acute[3] = 3.6
    view.done_load[4] = 1099.8
    view.injured[5] = 1.0
    asked = Session.checked(
        np.array([60.0, 75.0, 60.0, 60.0, 60.0, 60.0]), np.array([0.7, 0.3, 0.6, 0.6, 0.6, 0.6])
    )
    _, reason = hold(asked, view)
    assert [Bound(int(code)).name for code in reason] == [
        "VIGOROUS_DAYS", "LONGER", "WEEKLY_RISE", "RATIO", "TOTAL", "INJURED",
    ]  # fmt: skip
    view.minutes[:, -1] = 40.0
    assert (hold(asked, view)[1][:5] == Bound.REST_DAY).all()


def test_who_missed_a_week_need_not_begin_from_nothing() -> None:
    view = _core(1).view
    view.loads[:] = 1.0
    view.loads[:, -13:] = 0.0
    np.testing.assert_allclose(most_load_of_week(view), (1 + MOST_WEEKLY_RISE) * 15 / 4)


def test_a_week_may_rise_by_a_fifth_and_no_more() -> None:
    view = _core(10).view
    week = view.loads[:, -13:-6].sum(axis=1)
    most = most_load_of_week(view)
    np.testing.assert_allclose(
        view.loads[:, -6:].sum(axis=1) + most, (1 + MOST_WEEKLY_RISE) * np.maximum(week, 1.0)
    )
    asked = Session.checked(minutes_for(most * 2, np.full(10, 0.5)), np.full(10, 0.5))
    assert (hold(asked, view)[0].load <= np.maximum(most, 0) + 1e-9).all()
