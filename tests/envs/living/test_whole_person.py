"""`Homeostat/WholePerson-v0`: the plan counts at its moments, is followed in part, and never leaves the bounds."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import envs
from envs.bouts.bounds import HARD_FROM
from envs.core import Core
from envs.faces.build import whole_setting
from envs.living import record as r
from envs.living import seen as s
from envs.living.advice import Moment, Plan
from envs.living.bounds import EARLIEST_BED_H, FLOOR_H, MOST_H, MOST_SHIFT_H, WEEK_MOST_MIN, Bound
from envs.living.life import Life
from envs.tasks.whole_person import ACTIONS, WholePerson
from envs.therapy import basal_bolus
from twins import random
from twins.bodies.couplings import SWITCHES, Couplings
from twins.world import ordinary

N, DAYS = 10, 9


def _core(n: int = N, days: float = DAYS, **keywords: Any) -> Core:
    setting = whole_setting(cohort="adult", days=days, **keywords)
    return Core(setting, WholePerson(setting.oracle), n)


def _keys(core: Core, episode: int = 0) -> tuple[Any, Any]:
    rows = np.arange(core.lanes) % 10
    return rows, random.keys(
        "train", 3, core.setting.cohort.numbers[rows], np.arange(core.lanes) // 10, episode
    )


def _lived(core: Core, plan: Plan | None = None, action: Any = None, steps: int | None = None) -> Life:
    """Live to the end under the own therapy and a plan, or under actions."""
    rows, keys = _keys(core)
    core.reset(rows, keys)
    for step in range(round(core.setting.days * 48) if steps is None else steps):
        if action is not None:
            core.step(action(step))
        else:
            request = basal_bolus(core.view)
            request.plan = None if plan is None else plan.table()
            core.step(request)
    assert isinstance(core.conduct, Life)
    return core.conduct


def _plan(n: int = N, **given: float) -> Plan:
    blank = {name: np.full(n, np.nan) for name in Plan.__dataclass_fields__}
    return Plan(**{name: np.full(n, given[name]) if name in given else blank[name] for name in blank})


def _anything(seed: int) -> Any:
    dice = np.random.default_rng(seed)

    def action(_: int) -> Any:
        drawn = dice.uniform(-1.0, 1.0, (N, len(ACTIONS)))
        drawn[:, :2] *= 0.2
        return drawn

    return action


@pytest.mark.slow
def test_the_id_is_a_gymnasium_environment_with_the_space_that_its_sheet_tells() -> None:
    env = gymnasium.make("Homeostat/WholePerson-v0", days=2)
    check_env(env.unwrapped, skip_render_check=True)
    assert env.observation_space.shape == (67,) and env.action_space.shape == (len(ACTIONS),)
    many = envs.make_vec("Homeostat/WholePerson-v0", 3, cohort="child", oracle=True, days=1)
    assert many.reset()[0].shape == (3, 68)
    assert gymnasium.make_vec("Homeostat/WholePerson-v0", 2, days=1).reset()[0].shape == (2, 67)


def test_nobody_depends_on_company_and_what_is_saved_goes_on_bit_for_bit() -> None:
    core, alone, again = _core(), _core(1), _core()
    rows, keys = _keys(core)
    core.reset(rows, keys)
    alone.reset(rows[4:5], keys[4:5])
    action = _anything(1)
    for step in range(60):
        asked = action(step)
        done, one = core.step(asked), alone.step(asked[4:5])
        assert np.array_equal(done.trace[4:5], one.trace, equal_nan=True) and np.array_equal(
            done.obs[4:5], one.obs
        )
        if step == 30:
            saved = core.save()
    again.restore(saved)
    action = _anything(1)
    for step in range(60):
        asked = action(step)
        if step > 30:
            last = again.step(asked)
    assert np.array_equal(last.obs, done.obs) and np.array_equal(last.trace, done.trace, equal_nan=True)
    assert isinstance(core.conduct, Life) and isinstance(again.conduct, Life)
    assert np.array_equal(core.conduct.days, again.conduct.days)


@pytest.mark.parametrize("seed", range(2))
def test_no_day_of_anything_asked_for_leaves_the_bounds(seed: int) -> None:
    days = _lived(_core(), action=_anything(seed)).days
    lived = days[days[:, :, r.LIVED] > 0]
    assert N * (DAYS - 1) <= len(lived) <= N * DAYS
    floor = np.minimum(FLOOR_H, lived[:, r.USUAL_RISE_H] + 24 - lived[:, r.USUAL_BED_H])
    bed, before, usual = (lived[:, one] for one in (r.ALLOWED_BED_H, r.HELD_BED_H, r.USUAL_BED_H))
    in_bed = lived[:, r.ALLOWED_RISE_H] + 24 - bed
    most = np.maximum(MOST_H, lived[:, r.USUAL_RISE_H] + 24 - usual)
    assert (in_bed > floor - 1e-9).all() and (in_bed < most + 1e-9).all()
    back = (bed >= np.minimum(before, usual)) & (bed <= np.maximum(before, usual))
    assert (bed >= EARLIEST_BED_H).all() and ((np.abs(bed - before) < MOST_SHIFT_H + 1e-9) | back).all()
    assert (lived[:, r.NIGHT_BOUND] > 0).any() and (lived[:, r.MOVE_BOUND] > 0).any()
    for person in days:
        done = person[:, r.DONE_MIN]
        hard = (person[:, r.DONE_RESERVE] >= HARD_FROM) & (done > 0)
        assert not (hard[1:] & hard[:-1]).any()
        for last in range(6, len(done)):
            assert done[last - 6 : last + 1].sum() <= WEEK_MOST_MIN + 30
        at_work = person[:, r.WORK] > 0
        ends = person[:, r.BEGAN_AT_H] + person[:, r.ASKED_MIN] / 60
        began = (person[:, r.BEGAN_AT_H] > 0) & (person[:, r.MOVE_FOLLOWED] > 0) & at_work
        assert ((ends[began] <= 9.3) | (person[began, r.BEGAN_AT_H] >= 17.0)).all()


@pytest.mark.slow
def test_advice_is_followed_by_some_and_moves_nights_and_minutes() -> None:
    without = _lived(_core(days=21)).days
    plan = _plan(move_at_h=18.0, move_min=40.0, move_reserve=0.5, bed_h=22.75, rise_h=7.0)
    advised = _lived(_core(days=21), plan).days
    lived = advised[:, :, r.LIVED] > 0
    followed = advised[:, :, r.MOVE_FOLLOWED][lived].mean()
    assert 0.4 < followed <= ordinary.MOST_FOLLOWED
    assert 0.3 < advised[:, :, r.NIGHT_FOLLOWED][lived].mean() <= ordinary.MOST_FOLLOWED
    assert advised[:, :, r.DONE_MIN][lived].mean() > 3 * without[:, :, r.DONE_MIN][lived].mean()
    assert advised[:, :, r.SLEPT_H][lived].mean() > without[:, :, r.SLEPT_H][lived].mean() + 0.15
    assert (without[:, :, r.ASKED_MIN] == 0).all() and (without[:, :, r.NIGHT_ADVISED] == 0).all()
    assert without[:, :, r.OWN][lived].mean() < 0.25
    usual = _lived(_core(days=21))
    assert np.abs(without[:, :, r.SLEPT_H][lived].mean() - usual.usual_sleep_h.mean()) < 0.5


def test_a_plan_counts_on_waking_and_in_the_evening_alone() -> None:
    core, rows = _core(3), np.arange(3)
    core.reset(rows, random.keys("train", 3, core.setting.cohort.numbers[rows], 0, 0))
    life = core.conduct
    assert isinstance(life, Life)
    late = _plan(3, move_at_h=18.0, move_min=30.0, move_reserve=0.5, bed_h=22.0, rise_h=6.5).table()
    for step in range(48):
        moments = core.view.activity[:, s.MOMENT].copy() if core.view.activity is not None else np.zeros(3)
        request = basal_bolus(core.view)
        request.plan = late if (moments == Moment.NONE).all() else None
        core.step(request)
        if step == 0:
            assert (moments == Moment.WAKING).all()
    assert (life.days[:, 0, r.ASKED_MIN] == 0).all() and (life.days[:, 0, r.NIGHT_ADVISED] == 0).all()


@pytest.mark.slow
def test_a_low_holds_exercise_back_and_carbs_let_it_begin() -> None:
    plan = _plan(move_at_h=18.0, move_min=40.0, move_reserve=0.5)
    held = _lived(_core(days=14), plan).days[:, :, r.REFUSED]
    off = _lived(_core(days=14, shield="off"), plan).days
    assert (held > 0).any()
    refused_yet_begun = (
        (off[:, :, r.REFUSED] > 0) & (off[:, :, r.BEGAN_AT_H] > 0) & (off[:, :, r.MOVE_FOLLOWED] > 0)
    )
    assert refused_yet_begun.any()


def test_without_couplings_a_life_leaves_glucose_to_food_and_insulin() -> None:
    nothing = Couplings(**dict.fromkeys(SWITCHES, False))
    asleep, restless = _core(days=3, switches=nothing), _core(days=3, switches=nothing)
    _lived(asleep, _plan(bed_h=22.0, rise_h=8.0))
    _lived(restless, _plan(move_at_h=18.0, move_min=60.0, move_reserve=0.6, bed_h=25.5, rise_h=5.0))
    assert np.array_equal(asleep.glucose, restless.glucose)
    strong = _core(days=3, strength=1.5)
    _lived(strong, _plan(bed_h=22.0, rise_h=8.0))
    assert not np.array_equal(asleep.glucose, strong.glucose)


def test_the_prior_of_strength_includes_zero() -> None:
    core = _core(200, days=1)
    core.reset(*_keys(core))
    life = core.conduct
    assert isinstance(life, Life)
    none = life.strength == 0
    assert (
        abs(none.mean() - 0.25) < 0.1 and (life.strength[~none] >= 0.25).all() and life.strength.max() <= 1.75
    )


def test_reward_prices_advice_and_days_whose_week_falls_short() -> None:
    core = _core(days=8)
    core.reset(*_keys(core))
    sums: dict[str, Any] = {}
    for _ in range(8 * 48):
        done = core.step(np.zeros((N, len(ACTIONS))))
        for name, value in done.terms.items():
            sums[name] = sums.get(name, 0.0) + value
    assert (sums["move_short"] < -8).all() and (sums["sleep_short"] <= 0).all()
    assert np.allclose(done.reward, sum(done.terms.values()))
    asks = _core(days=1)
    asks.reset(*_keys(asks))
    action = np.zeros((N, len(ACTIONS)))
    action[:, ACTIONS.index("move_min")] = 0.8
    first = asks.step(action)
    assert np.allclose(first.terms["burden"], -0.5 * 60 / 60, atol=0.35)


@pytest.mark.parametrize(
    ("keywords", "told"),
    [
        ({"decision_min": 45}, "decision_min is 45"), ({"strength": -1}, "strength is -1"),
        ({"clock": "forge"}, "forger"), ({"shield": "twin"}, "shield is 'twin'"),
        ({"sensor": "Navigator"}, "GuardianRT"), ({"switches": 3}, "switches"), ({"days": 0}, "days is 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(keywords: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        envs.make_vec("Homeostat/WholePerson-v0", 1, **keywords)


def test_plans_of_wrong_shapes_and_states_that_cannot_be_are_refused() -> None:
    core = _core(2)
    rows, keys = np.arange(2), random.keys("train", 3, core.setting.cohort.numbers[:2], 0, 0)
    core.reset(rows, keys)
    request = basal_bolus(core.view)
    request.plan = np.zeros((2, 5))
    with pytest.raises(ValueError, match="move_at_h"):
        core.step(request)
    saved = core.save()
    for name, value in (
        ("bout.day", 99),
        ("bout.moves.minutes", -1.0),
        ("bout.inner.debt_h", -1.0),
        ("bout.nights.rise_min", 1),
        ("bout.moves.reserve", 50.0),
        ("bout.inner.clock", 1e300),
        ("bout.nights.lux", -1.0),
    ):
        broken = {key: array.copy() for key, array in saved.items()}
        broken[name][:] = value
        with pytest.raises(ValueError, match=name):
            core.restore(broken)
    assert tuple(bound.name for bound in Bound)[0] == "NONE"


@pytest.mark.slow
def test_who_pauses_depends_on_nobody_either() -> None:
    """Much insulin and hard exercise without food: sessions pause, and end while they do."""
    everybody = _core(N, days=6)
    asked = np.tile(np.array([1.0, 1.0, 0.3, 1.0, 0.2, -1.0, 0.0, 0.0]), (N, 1))
    days = _lived(everybody, action=lambda step: asked).days
    pauses = np.flatnonzero(days[:, :, r.PAUSED_MIN].sum(axis=1) > 0)[:3]
    assert len(pauses)
    rows, keys = _keys(everybody)
    for lane in pauses:
        alone = _core(1, days=6)
        alone.reset(rows[lane : lane + 1], keys[lane : lane + 1])
        for _ in range(6 * 48):
            alone.step(asked[:1])
        assert isinstance(alone.conduct, Life)
        assert np.array_equal(alone.conduct.days[0], days[lane])


@pytest.mark.slow
def test_nothing_that_is_shown_tells_beforehand_who_will_not_follow_or_has_an_own_session() -> None:
    core = _core(N, days=10)
    core.reset(*_keys(core))
    action = np.zeros((N, len(ACTIONS)))
    action[:, ACTIONS.index("move_min")], action[:, ACTIONS.index("move_at_h")] = 0.5, 0.7
    life, kinds = core.conduct, set()
    assert isinstance(life, Life)
    for _ in range(10 * 48):
        core.step(action)
        seen = core.view.activity
        assert seen is not None
        early = (life.moves.advised & (core.minute < life.moves.told_min) & ~life.wakes) & (
            life.moves.told_min >= 0
        )
        assert (seen[early, s.PLANNED] == 1).all() and (seen[early, s.TO_START_MIN] > 0).all()
        own = life.weeks.own[np.arange(N), life.day] & ~life.moves.follows
        kinds |= {(bool(a), bool(b)) for a, b in zip(own[early], life.moves.follows[early], strict=True)}
    assert kinds == {(True, False), (False, False), (False, True)}


def test_every_day_of_a_life_ends_with_a_waking_and_nobody_lives_on_after_the_last() -> None:
    core = _core(4, days=3)
    life = _lived(core, _plan(4, bed_h=24.5, rise_h=9.5))
    assert (life.days[:, :3, r.LIVED] == 1).all() and (life.day == 3).all()
    with pytest.raises(RuntimeError, match="call reset"):
        for _ in range(60):
            core.step(None)


@pytest.mark.slow
def test_bedtimes_count_from_those_that_were() -> None:
    days = _lived(_core(days=12), _plan(bed_h=21.0, rise_h=6.0)).days[:, :12]
    assert np.allclose(days[:, 1:, r.HELD_BED_H], days[:, :-1, r.BED_H])
    advised, before = days[:, 1:, r.ALLOWED_BED_H], days[:, :-1, r.BED_H]
    usual = days[:, 1:, r.USUAL_BED_H]
    assert (advised >= np.minimum(before - MOST_SHIFT_H, usual) - 1e-9).all()


def test_one_hour_of_a_night_alone_can_be_advised() -> None:
    days = _lived(_core(days=4), _plan(rise_h=7.75)).days[:, :4]
    assert np.allclose(days[:, :, r.ASKED_BED_H], days[:, :, r.USUAL_BED_H])
    assert (days[:, :, r.ASKED_RISE_H] == 7.75).all() and days[:, :, r.NIGHT_FOLLOWED].any()
