"""A season as an environment: what it hangs on, how it is kept, and what users type."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import envs
from envs.season import life
from envs.season.core import MINUTES, RECORD, SKIPPED, TARGET_GROWTH, SeasonCore, SeasonSetting
from envs.season.plan import LOST, NAMES, WEEK_MIN, Plan
from envs.season.session import Session
from envs.therapy import Request
from twins import cohort, random
from twins.bodies import fitness
from twins.bodies.fitness import PARAMETERS

PEOPLE = cohort.load("adult")
ID = "Homeostat/Exercise-v0"


def _core(rows: list[int], **changes: object) -> SeasonCore:
    setting = SeasonSetting(PEOPLE, days=21, **changes)  # type: ignore[arg-type]
    core = SeasonCore(setting, Plan(setting.oracle), len(rows))
    core.reset(np.array(rows), random.keys("train", 1, PEOPLE.numbers[rows], 0, 0))
    return core


def _days(core: SeasonCore, actions: np.ndarray, count: int) -> list[np.ndarray]:
    return [core.step(actions[:, day]).trace.copy() for day in range(count)]


def test_a_persons_season_does_not_depend_on_company_and_goes_on_from_a_save_bit_for_bit() -> None:
    rng = np.random.default_rng(2)
    actions = rng.uniform(-1, 1, (10, 21, 3))
    many, one = _core(list(range(10))), _core([4])
    together, alone = _days(many, actions, 21), _days(one, actions[4:5], 21)
    assert all((a[4] == b[0]).all() for a, b in zip(together, alone, strict=True))
    first, later = _core(list(range(10))), _core(list(reversed(range(10))))
    _days(first, actions, 9)
    later.restore(first.save())
    for day in range(9, 21):
        assert (later.step(actions[:, day]).trace == together[day]).all()
    with pytest.raises(ValueError, match=r"saved habit is float64\(3,\), needed is float64\(10,\)"):
        later.restore(first.save() | {"habit": np.zeros(3)})
    with pytest.raises(ValueError, match="does not fit this setting \\(habit\\)"):
        later.restore({name: array for name, array in first.save().items() if name != "habit"})


def test_another_key_is_another_body_and_another_season() -> None:
    core = _core([0, 0])
    keys = random.keys("train", 1, PEOPLE.numbers[[0, 0]], [0, 1], 0)
    core.reset(np.array([0, 0]), keys)
    assert (core._parameters[0] != core._parameters[1]).all()
    lone = core.view.trial.copy()
    core.reset(np.array([0]), random.keys("train", 2, PEOPLE.numbers[[0]], 0, 0), np.array([1]))
    assert core.view.trial[0] == lone[0] and core.view.trial[1] != lone[1]


def test_the_reward_is_the_sum_of_its_terms_and_of_a_season_the_gain() -> None:
    core = _core([1, 2, 3])
    began = core.body.performance(core.state, core._parameters)
    gained, short = np.zeros(3), np.zeros(3)
    for day in range(21):
        done = core.step(
            np.full((3, 3), -0.6 if day < 7 else -1.0)
        )  # two fifths of the load in the first week, then rest
        assert np.allclose(done.reward, sum(done.terms.values()))
        gained += done.terms["performance"]
        short += done.terms["week_short"]
    assert done.terminated.all() and not done.truncated.any()
    np.testing.assert_allclose(gained, core.body.performance(core.state, core._parameters) - began)
    assert (short <= -1.0).all() and (short >= -1.5).all() and WEEK_MIN == 150
    assert (done.terms["load_off"] < -10).all()


@pytest.mark.parametrize("model", fitness.MODELS)
def test_foreseen_rewards_sum_to_the_same_but_for_what_rest_would_leave(model: str) -> None:
    plain, told = _core([1, 2, 3], model=model), _core([1, 2, 3], model=model, foreseen=True)
    left = plain.body.foreseen(plain.state, plain._parameters, np.full(3, 21.0))
    began = plain.body.performance(plain.state, plain._parameters)
    sums = np.zeros((2, 3))
    for day in range(21):
        for row, core in enumerate((plain, told)):
            sums[row] += core.step(np.full((3, 3), 0.2 if day < 14 else -1.0)).reward
    assert (plain.state == told.state).all()
    np.testing.assert_allclose(sums[1] - sums[0], began - left)
    rested = _core([1, 2, 3], model=model)
    for _ in range(21):
        rested.step(None)
    np.testing.assert_allclose(rested.body.performance(rested.state, rested._parameters), left)


def test_other_dice_are_another_season_of_the_same_body() -> None:
    one, other = _core([1, 2]), _core([1, 2])
    keys = one.keys.copy()
    other.reset(np.array([1, 2]), keys, dice=random.keys("train", 9, PEOPLE.numbers[[1, 2]], 0, 0))
    assert (one._parameters == other._parameters).all() and (one.view.trial != other.view.trial).all()
    saved = other.save()
    actions = np.full((2, 21, 3), -0.2)
    days = _days(other, actions, 10)
    one.restore(saved)
    assert all((a == b).all() for a, b in zip(_days(one, actions, 10), days, strict=True))
    with pytest.raises(ValueError, match="do not fit"):
        one.reset(np.array([1, 2]), keys, dice=keys[:1])


def test_a_day_lost_takes_its_part_of_the_prescribed_load_and_no_more() -> None:
    core = _core([0, 1])
    assert RECORD[LOST] == "lost"
    for day in range(20):
        core.step(np.full((2, 3), -0.7))
        if day == 9:
            core.state[0, fitness.LOST] = 2.0  # two days
            core._morning(np.arange(2))
    core.state[1, fitness.LOST] = 3.0
    core._morning(np.arange(2))
    before, done = core.view.target_load.copy(), core.view.done_load.copy()
    last = core.step(None)
    whole = fitness_target(core)
    assert core.view.lost[0].sum() == 2 and core.view.lost[1, -1] == 1
    assert 0.75 * whole[0] < before[0] < whole[0] and before[1] == whole[1]
    np.testing.assert_allclose(
        core.view.target_load[1], max(done[1], 0.0) if before[1] > done[1] else before[1]
    )
    assert last.terms["days_lost"].tolist() == [0.0, -0.3] and (last.terms["load_off"] > -25).all()
    assert last.terms["week_short"][1] == 0.0 and last.cost.tolist() == [0.0, 1.0]


def fitness_target(core: SeasonCore) -> np.ndarray:
    return np.asarray(TARGET_GROWTH * core._parameters[:, fitness.HABIT] * core.setting.days)


def test_sessions_are_done_by_habit_and_left_for_burden_fatigue_and_hour() -> None:
    one, none = np.ones(1), np.zeros(1)

    def chance(minutes: float, habit: float = 0.5, tired: float = 0.0, evening: int = 0) -> float:
        asked = Session.checked(np.full(1, minutes), 0.5 * one, evening=np.full(1, evening))
        habits = habit * one, tired * one, 45.0 * one
        return float(life.follows(asked, life.WILLING * one, none.astype(int), *habits)[0])

    usual = chance(45.0)
    assert 0.8 < usual < 0.99
    assert chance(45.0, habit=1.0) > usual > chance(90.0)
    assert usual > chance(45.0, tired=20.0) and usual > chance(45.0, evening=1)
    core = _core(list(range(10)))
    for _ in range(6):
        done = core.step(np.full((10, 3), 0.0)).trace[:, 0]
        assert ((done[:, SKIPPED] == 1) <= (done[:, MINUTES] == 0)).all()
    grown = core.habit > life.HABIT_FIRST
    assert (grown == (core.view.minutes[:, -6:] > 0).any(axis=1)).all() and grown.any()


def test_faces() -> None:
    env = gym.make(ID, task="plan", days=14)
    check_env(env.unwrapped, skip_render_check=True)
    first, told = env.reset(seed=3)
    assert told["person"] == "adult#001" and first.shape == (len(NAMES),)
    total, ended = 0.0, False
    while not ended:
        _, reward, ended, _, info = env.step(np.array([0.0, -0.5, 1.0], np.float32))
        total += float(reward)
    assert info["minute"] == 14 * 1440 and "performance" in info and info["shield"]["reason"] in envs_bounds()
    vector = envs.make_vec(ID, task="plan", num_envs=20, cohort="all", days=14)
    assert vector.reset(seed=1)[0].shape == (20, len(NAMES)) and vector.minutes_per_step == 1440
    for _ in range(14):
        _, _, ended_all, _, infos = vector.step(vector.action_space.sample())
    assert ended_all.all() and len(infos["final_obs"]) == 20
    sb3 = envs.make_vec(ID, task="plan", num_envs=5, cohort="all", days=14, face="sb3", oracle=True)
    assert sb3.reset().shape == (5, len(NAMES) + len(PARAMETERS))
    assert sb3.step(np.zeros((5, 3), np.float32))[3][0]["reward_terms"].keys() >= {"performance", "days_lost"}


def envs_bounds() -> tuple[str, ...]:
    return SeasonCore.reasons


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"days": 3}, "days is 3; give whole days from 7 to 366"),
        ({"model": "buso"}, "model is 'buso'; did you mean 'busso'"),
        ({"shield": "twin"}, "shield is 'twin'.*allowed are rule, off"),
        ({"foreseen": 1}, "foreseen is 1; allowed are True and False"),
        ({"spread": "big"}, "spread is 'big'; allowed is 0 and more"),
        ({"spread": -1.0}, "spread is -1.0; allowed is 0 and more"),
        ({"decision_min": 30}, "decision_min is 30; a season is decided once a day"),
        ({"task": "sesion"}, "task is 'sesion'; did you mean 'session'.*allowed are dosing, session, plan"),
        ({"person": "adult#1"}, "unknown person 'adult#1'"),
        ({"render_mode": "rgb_array"}, "no picture of glucose"),
    ],
)
def test_wrong_settings_are_answered_with_what_is_allowed(keywords: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        gym.make(ID, **{"task": "plan"} | keywords)


def test_the_data_sheet_counts_what_is_seen_and_decided() -> None:
    sheet = Plan.__doc__ or ""
    assert f"{len(NAMES)} numbers ({len(NAMES) + len(PARAMETERS)} with" in sheet
    assert f"{len(Plan().fields)} numbers" in sheet


def test_wrong_keywords_and_actions() -> None:
    with pytest.raises(TypeError, match="unknown keyword 'modle'; did you mean 'model'"):
        gym.make(ID, task="plan", modle="busso")
    core = _core([0])
    for action, says in ((np.zeros((1, 4)), r"shape \(1, 4\)"), (np.array([["a"] * 3]), "not numeric")):
        with pytest.raises(ValueError, match=says):
            core.step(action)
    for odd in (np.nan, np.inf, -np.inf):  # what is not finite is rest
        assert (core.step(np.full((1, 3), odd)).trace[0, 0, 1:3] == 0).all()
    with pytest.raises(ValueError, match="the action is Request and not numeric"):
        core.step(Request.absent(1))
    with pytest.raises(RuntimeError, match="reset"):
        SeasonCore(core.setting, Plan(), 1).step(None)
