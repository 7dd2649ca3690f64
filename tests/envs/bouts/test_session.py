"""A session as an environment: what comes from outside, when advice counts, what is seen, kept and paid for."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from numpy.typing import NDArray

import envs
from agents.sessions import SESSION_AGENTS
from envs import trace as t
from envs import view as v
from envs.bouts import advice as a
from envs.bouts import seen as s
from envs.bouts.activity import AFTER_MIN, BEDTIME_CLOCK_MIN, BEFORE_MIN, NIGHT_MIN
from envs.bouts.advice import Advice, Moment, request
from envs.core import Core
from envs.faces.build import session_setting
from envs.tasks.session import NAMES, PER_GRAM, PER_MISSED_SESSION, AroundSession
from envs.therapy import Request
from twins import random
from twins.bodies.person import HEART_RATE_RESERVE, SESSION_GAIN
from twins.cohort import BASAL_U_PER_H
from twins.world import sessions
from twins.world.sessions import GRID_MIN, Sessions

ID = "Homeostat/Exercise-v0"
STEPS = (BEFORE_MIN + AFTER_MIN) // GRID_MIN
PEOPLE = ["adult#001", "adult#004", "adolescent#003", "child#002"]


def _core(replicas: int = 6, **keywords: Any) -> Core:
    setting = session_setting(cohort=PEOPLE, **keywords)
    n = len(PEOPLE) * replicas
    core = Core(setting, AroundSession(setting.oracle), n)
    rows = np.arange(n) % len(PEOPLE)
    core.reset(rows, random.keys("train", 3, setting.cohort.numbers[rows], np.arange(n) // len(PEOPLE), 0))
    return core


def _advice(n: int, **amounts: float) -> Advice:
    usual = vars(Advice.none(n))
    return Advice(**usual | {name: np.full(n, amount) for name, amount in amounts.items()})


def test_sessions_come_as_often_as_they_should() -> None:
    drawn = Sessions().draw(random.keys("train", 0, np.arange(20_000), 0, 0))
    assert abs((~drawn.happens)[drawn.announced].mean() - 0.30) < 0.01
    assert abs((~drawn.announced)[drawn.happens].mean() - 0.20) < 0.01
    assert abs(drawn.happens[~drawn.announced].mean() - 1 / 3) < 0.02  # no plan is no news of a session
    assert (drawn.begin_min % GRID_MIN == 0).all() and (drawn.minutes % GRID_MIN == 0).all()
    for kind, share in enumerate(sessions.KIND_SHARES):
        mine = drawn.kind == kind
        low, high = sessions.INTENSITIES[kind]
        assert (
            abs(mine.mean() - share) < 0.01
            and low <= drawn.intensity[mine].min() <= drawn.intensity[mine].max() <= high
        )
    assert abs(np.log(drawn.told_minutes / drawn.minutes)).mean() > 0.1
    alone = Sessions().draw(random.keys("train", 0, np.array([77]), 0, 0))
    assert alone.begin_min[0] == drawn.begin_min[77] and alone.gain[0] == drawn.gain[77]
    sure = Sessions(0.0, 0.0).draw(random.keys("train", 0, np.arange(100), 0, 0))
    assert sure.happens.all() and sure.announced.all()


@pytest.mark.parametrize("kind", range(3))
def test_the_mean_of_a_session_is_its_intensity(kind: int) -> None:
    used = sessions.reserve(np.array([kind]), np.array([0.5]), np.array([0]), 90)[0]
    assert abs(used.mean() - 0.5) < 0.02 and (used.max() > 0.8) == (kind == sessions.INTERVAL)
    later = sessions.reserve(np.array([kind]), np.array([0.5]), np.array([35]), 5)[0]
    assert (later == used[35:40]).all()


def test_an_episode_begins_lived_in_and_ends_after_26_hours() -> None:
    core = _core()
    assert (core.minute == core.conduct.first_min).all() and len(set(core.minute.tolist())) > 3  # type: ignore[union-attr]
    assert (core.view.now[:, v.MINUTE_OF_DAY] == core.minute % 1440).all()
    assert np.isfinite(core.view.cgm_history_mg_dl).all()  # four hours of readings
    assert np.std(core.view.now[:, v.IOB_NET_U]) > 0.05 and np.std(core.glucose) > 5
    for _ in range(STEPS - 1):
        done = core.step(np.zeros((core.lanes, 6)))
        assert not done.truncated.any()
    done = core.step(np.zeros((core.lanes, 6)))
    assert (done.truncated | done.terminated).all()


def test_a_lane_hangs_on_its_key_alone_and_goes_on_from_a_save_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (30, 24, 6))
    many = _core()
    alone = Core(many.setting, AroundSession(), 1)
    alone.reset(many.rows[[5]], many.keys[[5]])
    kept, traces = None, []
    for step in range(30):
        if step == 14:
            kept = many.save()
        traces.append(many.step(actions[step]).trace.copy())
        one = alone.step(actions[step, [5]])
        np.testing.assert_array_equal(one.trace[0], traces[-1][5])
    again = _core(seed=1)
    assert kept is not None
    first = again.restore(kept)
    np.testing.assert_array_equal(first, again.task.observe(again.view))
    for step in range(14, 30):
        np.testing.assert_array_equal(again.step(actions[step]).trace, traces[step])
    with pytest.raises(ValueError, match="does not fit .* lanes of this setting \\(bout.done\\)"):
        again.restore({name: array for name, array in kept.items() if name != "bout.done"})
    with pytest.raises(ValueError, match=r"saved bout.done is float64\(3,\)"):
        again.restore(kept | {"bout.done": np.zeros(3)})
    with pytest.raises(ValueError, match="saved bout.used holds values that are not finite"):
        again.restore(kept | {"bout.used": np.full(24, np.nan)})
    for name, odd in (("basal", 1e6), ("delay_min", -1e5), ("used", 2.0), ("done", -1.0)):
        with pytest.raises(ValueError, match=f"saved bout.{name} holds what cannot be"):
            again.restore(kept | {f"bout.{name}": np.full(24, odd)})
    with pytest.raises(ValueError, match="saved bout.eaten_g holds what cannot be"):
        again.restore(kept | {"bout.eaten_g": np.full_like(kept["bout.eaten_g"], 1e9)})
    with pytest.raises(ValueError, match="saved bout.refused holds what cannot be"):
        again.restore(kept | {"bout.refused": np.full(24, 9)})


def test_advice_counts_at_its_moments_and_is_held_between_them() -> None:
    core = _core()
    scheduled, seen = core.view.therapy[:, BASAL_U_PER_H], core.view.activity
    assert seen is not None
    moments: list[NDArray[np.int64]] = []
    for _ in range(STEPS):
        moment, before = seen[:, s.MOMENT].astype(int).copy(), seen.copy()
        moments.append(moment)
        asked = _advice(
            core.lanes, basal=0.5, bolus=0.4, carbs_g=9.0, bedtime_basal=0.7, bedtime_snack_g=11.0
        )
        wanted = request(core.view, asked)
        night, day = moment == Moment.BEDTIME, (moment > 0) & (moment != Moment.BEDTIME)
        in_force = np.where(day, 0.5, before[:, s.BASAL_FACTOR])
        in_force = np.where(
            night | (before[:, s.BEDTIME_LEFT_MIN] > 0),
            np.where(night, 0.7, before[:, s.BEDTIME_FACTOR]),
            in_force,
        )
        np.testing.assert_allclose(wanted.basal_u_per_h, in_force * scheduled)
        assert wanted.plan is not None
        core.step(wanted)
        np.testing.assert_allclose(seen[:, s.ATE_G], np.where(night, 11.0, np.where(day, 9.0, 0.0)))
        assert (
            seen[:, s.BASAL_FACTOR] == np.where(night, 1.0, np.where(day, 0.5, before[:, s.BASAL_FACTOR]))
        ).all()
    at = np.array(moments)
    drawn, lived = core.conduct.drawn, core.conduct.lived  # type: ignore[union-attr]
    known = drawn.announced
    for which, to_start in ((Moment.FAR, 90), (Moment.NEAR, 30)):
        step = (BEFORE_MIN - to_start) // GRID_MIN
        assert ((at[step] == which) == known).all() and ((at == which).sum(axis=0) == known).all()
    trained = lived.started_min >= 0
    assert ((at == Moment.START).sum(axis=0) >= known).all()
    told = (at == Moment.START).any(axis=0) | trained
    assert ((at == Moment.END).sum(axis=0) == told).all() and (told >= known).all()
    assert ((at == Moment.BEDTIME).sum(axis=0) == 1).all()
    during = (at == Moment.DURING).sum(axis=0)
    assert (during[trained] >= (lived.ended_min - lived.started_min)[trained] // GRID_MIN - 1).all()
    assert (during[~trained] == 0).all()
    assert lived.total_ate_g.min() >= 11.0


def test_a_night_rate_holds_for_six_hours() -> None:
    core = _core(1)
    seen = core.view.activity
    assert seen is not None
    for _ in range(STEPS):
        left, minute = seen[:, s.BEDTIME_LEFT_MIN].copy(), core.minute.copy()
        core.step(request(core.view, _advice(core.lanes, bedtime_basal=0.3)))
        bed = 1440 + BEDTIME_CLOCK_MIN
        expected = np.where((minute > bed) & (minute < bed + NIGHT_MIN), bed + NIGHT_MIN - minute, 0)
        assert (left == expected).all()


def test_work_reaches_the_body_from_the_start_that_advice_put_off() -> None:
    core = _core(cancelled=0.0, unannounced=0.0)
    activity = core.conduct
    assert activity is not None
    core.step(None)
    for _ in range(STEPS // 4):
        core.step(request(core.view, _advice(core.lanes, delay_min=15.0, carbs_g=15.0)))
        assert (core.drive[:, :, HEART_RATE_RESERVE].mean(axis=1) == activity.lived.used).all()
        assert (core.drive[:, :, SESSION_GAIN] == activity.drawn.gain[:, None]).all()
    started = activity.lived.started_min
    assert (started[started >= 0] >= activity.drawn.begin_min[started >= 0] + 15).all() and (
        started >= 0
    ).mean() > 0.7


def test_bounds_hold_a_start_back_and_what_was_asked_is_told_beside_what_was_done() -> None:
    low, free = (_core(20, cancelled=0.0, unannounced=0.0, shield=shield) for shield in ("rule", "off"))
    for core in (low, free):
        for _ in range(BEFORE_MIN // GRID_MIN + 8):
            core.step(request(core.view, Advice.none(core.lanes)))
    held, done = low.conduct, free.conduct
    assert held is not None and done is not None
    assert (held.lived.asked_against > 0).any() and not (held.lived.began_against > 0).any()
    against = done.lived.asked_against > 0
    assert against.any() and (done.lived.began_against[against] == done.lived.asked_against[against]).all()


def test_the_reward_is_the_sum_of_its_terms_and_food_and_missed_sessions_cost() -> None:
    core = _core(20)
    eaten, missed = np.zeros(core.lanes), np.zeros(core.lanes)
    for _ in range(STEPS):
        done = core.step(request(core.view, _advice(core.lanes, carbs_g=4.0)))
        np.testing.assert_allclose(done.reward, sum(done.terms.values()))
        eaten += done.terms["carbs"]
        missed += done.terms["missed_session"]
        assert (done.terms["low_time"] <= 0).all() and ((done.terms["low_time"] < 0) == (done.cost > 0)).all()
        rescue = done.trace[:, :, t.RESCUE_G].sum(axis=1)
        assert (done.terms["carbs"] <= -PER_GRAM * rescue + 1e-12).all()
    activity = core.conduct
    assert activity is not None and activity.missed.any()
    np.testing.assert_allclose(missed, -PER_MISSED_SESSION * activity.missed)
    assert (eaten <= -PER_GRAM * activity.lived.total_ate_g + 1e-9).all()


def test_an_unplanned_or_cancelled_session_is_not_foreseen() -> None:
    core = _core(30)
    activity, seen = core.conduct, core.view.activity
    assert activity is not None and seen is not None
    for _ in range(BEFORE_MIN // GRID_MIN):
        unknown = ~activity.drawn.announced
        assert (seen[unknown][:, [s.PLANNED, s.TO_START_MIN, s.PLANNED_MIN, s.MOMENT]] == 0).all()
        assert (seen[~unknown][:, s.PLANNED] == 1).all()
        core.step(None)
    cancelled = ~activity.drawn.happens & activity.drawn.announced
    assert cancelled.any()
    assert (seen[cancelled, s.MOMENT] == Moment.START).all()  # nobody knows yet
    core.step(None)
    assert (seen[cancelled, s.PLANNED] == 0).all() and (seen[cancelled, s.MOMENT] == Moment.END).all()
    assert (seen[cancelled, s.DONE_SHARE] == 0).all() and not activity.missed[cancelled].any()


def test_what_is_not_finite_is_no_advice() -> None:
    core = _core(1)
    seen = core.view.activity
    assert seen is not None
    for odd in (np.nan, np.inf, -np.inf):
        for _ in range(12):
            core.step(np.full((core.lanes, 6), odd))
            assert (seen[:, s.ATE_G] == 0).all() and (seen[:, [s.BASAL_FACTOR, s.BOLUS_FACTOR]] == 1).all()
    core = _core(1)
    for _ in range(12):
        plain = request(core.view, Advice.none(core.lanes))
        core.step(Request(plain.basal_u_per_h, plain.bolus_u, np.full((core.lanes, len(a.PLAN)), 1e9)))
    assert core.view.activity is not None and core.view.activity[:, s.BASAL_FACTOR].max() <= a.MOST_FACTOR


def test_a_plan_of_another_shape_is_refused_before_anything_happens() -> None:
    core = _core(1)
    plain = request(core.view, Advice.none(core.lanes))
    before = core.save()
    for plan in (np.zeros((4, 2)), np.zeros(5), np.zeros((1, 5)), np.zeros((4, 9)), "food", [["a"] * 5] * 4):
        with pytest.raises(ValueError, match="the plan of a request"):
            core.step(Request(plain.basal_u_per_h, plain.bolus_u, plan))  # type: ignore[arg-type]
    after = core.save()
    assert all((before[name] == after[name]).all() for name in before if before[name].dtype.kind != "f")
    np.testing.assert_equal(after["carry"], before["carry"])
    core.step(Request(plain.basal_u_per_h, plain.bolus_u))  # no plan is no advice
    assert core.view.activity is not None and (core.view.activity[:, s.ATE_G] == 0).all()


def test_the_cut_of_the_meal_after_holds_until_that_is_covered() -> None:
    """Where the shield holds its bolus back, the rest is not asked for in full."""
    core = _core(60)
    seen, held = core.view.activity, 0
    assert seen is not None
    for _ in range(STEPS):
        uncovered, fresh = core.view.now[:, v.UNCOVERED_G] > 0, core.view.now[:, v.ANNOUNCED_G] > 0
        after = (seen[:, s.SINCE_END_MIN] > 0) & (seen[:, s.BEDTIME_LEFT_MIN] == 0)
        held += int((after & uncovered & ~fresh & (seen[:, s.BOLUS_FACTOR] == 0.4)).sum())
        core.step(request(core.view, _advice(core.lanes, bolus=0.4)))
    assert held > 0


def test_faces() -> None:
    env = gym.make(ID)
    check_env(env.unwrapped, skip_render_check=True)
    first, told = env.reset(seed=3)
    assert told["person"] == "adult#001" and first.shape == (len(NAMES),) and env.action_space.shape == (6,)
    _, _, _, _, info = env.step(np.zeros(6, np.float32))
    assert info["reward_terms"].keys() >= {"carbs", "missed_session"} and info["glucose_mg_dl"] > 0
    assert told["minute"] % 1440 in range(300, 1081) and info["minute"] == told["minute"] + 15
    short = gym.make(ID, days=0.25)
    short.reset(seed=0)
    assert [short.step(np.zeros(6, np.float32))[3] for _ in range(24)] == [False] * 23 + [True]
    vector = envs.make_vec(ID, num_envs=5, cohort="adult")
    assert vector.reset(seed=1)[0].shape == (5, len(NAMES)) and vector.minutes_per_step == 15
    sb3 = envs.make_vec(ID, num_envs=5, cohort="adult", face="sb3", oracle=True)
    assert sb3.reset().shape == (5, len(NAMES) + 1)


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"shield": "twin"}, "shield is 'twin', whose twins do not exercise"),
        ({"decision_min": 10}, "decision_min is 10; around a session give 15"),
        ({"cancelled": 1.0}, "cancelled is 1.0; give a share from 0 to 0.95"),
        ({"unannounced": True}, "unannounced is True"),
        ({"person": "adult#1"}, "unknown person 'adult#1'"),
        ({"sensor": "Dexcon"}, "Dexcom"),
    ],
)
def test_wrong_settings_are_answered_with_what_is_allowed(keywords: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        gym.make(ID, **keywords)
    with pytest.raises(ValueError, match="faults cannot be put into days around a session"):
        session_setting(faults="F16")
    with pytest.raises(TypeError, match="unknown keyword 'cancelld'; did you mean 'cancelled'"):
        gym.make(ID, cancelld=0.1)


def test_agents_that_ship() -> None:
    core = _core(1)
    for name, make in SESSION_AGENTS.items():
        asked = make().act(core.view.shown())
        assert np.isfinite(asked.basal_u_per_h).all() and asked.plan is not None, name
