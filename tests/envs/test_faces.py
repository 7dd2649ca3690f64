"""The three faces: the same world behind each, and what gymnasium and Stable-Baselines3 expect of them."""

import copy
import pickle
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as gymnasium_check
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env as sb3_check
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize
from stable_baselines3.common.vec_env.base_vec_env import VecEnvWrapper

import envs
from envs import limits
from envs import trace as t
from envs.faces.build import TASKS
from envs.faces.sb3 import Sb3Env
from envs.faces.single import SingleEnv
from envs.faces.vector import BatchEnv
from envs.shield import REASONS
from envs.therapy import Request
from tests.envs.worlds import own_actions

ID, EXERCISE = "Homeostat/Dosing-v0", "Homeostat/Exercise-v0"
SEEN = {ID: 35, EXERCISE: 62, "Homeostat/Sleep-v0": 42, "Homeostat/WholePerson-v0": 67}
PEOPLE = ["adult#003", "adolescent#004", "child#001"]
OLD_GYMNASIUM = gymnasium.__version__.startswith("0.")
_ALLOWED_WARNINGS = (
    "pkg_resources is deprecated",
    "distutils Version classes",
    "is different from the unwrapped version",  # of the id: the checker is given the inner environment
)


@contextmanager
def only_known_warnings() -> Iterator[None]:
    """Fail on every warning that is not on the list."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    said = [str(warning.message) for warning in caught]
    assert [text for text in said if not any(known in text for known in _ALLOWED_WARNINGS)] == []


# --- one world, three faces ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "world",
    [
        {"days": 0.25, "behaviour": "realistic", "announce": "behaviour"},
        {"days": 0.25, "decision_min": 15, "sensor": "Dexcom", "action": "basal"},
        {"days": 1.0, "scenario": "fasting", "shield": "off", "action": "basal", "decision_min": 30},
        {"days": 0.25, "oracle": True},
    ],
    ids=["realistic", "slow decisions", "with failures", "oracle"],
)
def test_three_faces_show_the_same_step_by_step_over_episodes(world: dict[str, Any]) -> None:
    """Observations, rewards, ends and infos, with episodes that begin anew, of three people."""
    batch: BatchEnv = envs.make_vec(ID, num_envs=3, cohort=PEOPLE, **world)
    sb3: Sb3Env = envs.make_vec(ID, num_envs=3, face="sb3", cohort=PEOPLE, **world)
    singles = [SingleEnv(person=person, **world) for person in PEOPLE]
    first, info = batch.reset(seed=11)
    sb3.seed(11)
    np.testing.assert_array_equal(sb3.reset(), first)
    np.testing.assert_array_equal([env.reset(seed=11)[0] for env in singles], first)
    np.testing.assert_array_equal(info["person"], PEOPLE)

    steps = int(world["days"] * 1440 / batch.minutes_per_step * 2.3)
    deadly = "fasting" in world.values()
    actions = own_actions(batch.core.keys, steps, len(batch.task.fields)).astype(np.float32)
    actions = np.ones_like(actions) if deadly else actions
    ends = {"terminated": 0, "truncated": 0}
    for action in actions:
        seen, reward, terminated, truncated, info = batch.step(action)
        seen_3, reward_3, done_3, infos_3 = sb3.step(action)
        np.testing.assert_array_equal(seen_3, seen)
        np.testing.assert_array_equal(reward_3, reward.astype(np.float32))
        np.testing.assert_array_equal(done_3, terminated | truncated)
        for lane, env in enumerate(singles):
            one, worth, fell, ran_out, facts = env.step(action[lane])
            assert (worth, fell, ran_out) == (reward[lane], terminated[lane], truncated[lane])
            assert type(worth) is float and type(fell) is bool and type(ran_out) is bool
            ours, theirs = infos_3[lane], facts
            for name in ("glucose_mg_dl", "glucose_min_mg_dl", "cost"):
                assert ours[name] == theirs[name] == info[name][lane]
            for name, worth in facts["reward_terms"].items():
                assert ours["reward_terms"][name] == worth == info["reward_terms"][name][lane]
            assert ours["shield"] == theirs["shield"]
            assert theirs["shield"]["reason"] == REASONS[info["shield"]["reason"][lane]]
            assert theirs["shield"]["changed_min"] == info["shield"]["changed_min"][lane]
            assert theirs["person"] == PEOPLE[lane]
            if fell or ran_out:
                ends["terminated" if fell else "truncated"] += 1
                np.testing.assert_array_equal(info["final_obs"][lane], one)
                np.testing.assert_array_equal(ours["terminal_observation"], one)
                assert info["_final_obs"][lane] and ours["TimeLimit.truncated"] == ran_out
                one, _ = env.reset()
            else:
                assert "terminal_observation" not in ours and "TimeLimit.truncated" not in ours
                assert (
                    "final_obs" not in info
                    or not info["_final_obs"][lane]
                    and info["final_obs"][lane] is None
                )
            np.testing.assert_array_equal(seen[lane], one)
    assert ends["terminated" if deadly else "truncated"] >= 3


def test_lanes_that_fail_alone_begin_anew_while_the_others_go_on() -> None:
    env = BatchEnv(3, cohort=PEOPLE, scenario="fasting", shield="off", days=1.0)
    env.reset(seed=1)
    asked = Request(np.array([0.5, 30.0, 0.3]), np.zeros(3))
    for _ in range(288):
        _, _, terminated, truncated, info = env.step(asked)
        if terminated.any():
            break
    assert terminated.tolist() == [False, True, False] and not truncated.any()
    assert info["_final_obs"].tolist() == [False, True, False]
    assert info["glucose_min_mg_dl"][1] < 10
    assert env.core.minute[1] == 0 < env.core.minute[0] == env.core.minute[2]
    assert env.core.keys[:, 5].tolist() == [0, 1, 0]  # the episodes


# --- the checkers ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        (ID, {"action": "modulation", "days": 0.1}),
        (ID, {"action": "basal", "days": 0.1}),
        (EXERCISE, {"days": 0.1}),
        (EXERCISE, {"task": "plan", "days": 14}),
        ("Homeostat/Sleep-v0", {"days": 2}),
        ("Homeostat/WholePerson-v0", {"days": 1}),
    ],
)
def test_both_checkers_pass_every_id(name: str, keywords: dict[str, Any]) -> None:
    assert name in TASKS and len(TASKS) == 4
    with only_known_warnings():
        env = gymnasium.make(name, **keywords)
        gymnasium_check(env.unwrapped, skip_render_check=True)
        sb3_check(env.unwrapped)
        sb3_check(env)
        env.close()


def test_the_checker_passes_with_rendering() -> None:
    with only_known_warnings():
        env = gymnasium.make(ID, render_mode="rgb_array", days=0.1)
        gymnasium_check(env.unwrapped)


@pytest.mark.parametrize("name", TASKS)
def test_every_id_is_registered_once_with_an_entry_point_for_both_faces(name: str) -> None:
    spec = gymnasium.spec(name)
    assert spec.max_episode_steps is None
    assert isinstance(gymnasium.make(f"envs:{name}").unwrapped, SingleEnv)
    people: dict[str, Any] = {"cohort": "child", "days": 1}
    if OLD_GYMNASIUM:  # which passes nothing but vector_kwargs on
        many = gymnasium.make_vec(name, 3, vectorization_mode="custom", vector_kwargs=people)
    else:
        many = gymnasium.make_vec(name, 3, vectorization_mode="vector_entry_point", **people)
    assert isinstance(many.unwrapped, BatchEnv) and many.num_envs == 3
    seen, info = many.reset(seed=1)
    assert seen.shape == (3, SEEN[name]) and info["person"].tolist() == [
        "child#001",
        "child#002",
        "child#003",
    ]
    many.close()
    assert isinstance(envs.make_vec(name, 2), BatchEnv) and isinstance(envs.make_vec(name, 2, "sb3"), Sb3Env)


def test_gymnasium_can_stack_single_environments_itself() -> None:
    many = gymnasium.make_vec(ID, num_envs=2, vectorization_mode="sync", days=0.02)
    seen, _ = many.reset(seed=4)
    one = SingleEnv(days=0.02)
    np.testing.assert_array_equal(seen[0], one.reset(seed=4)[0])
    for _ in range(7):
        seen, reward, *_ = many.step(np.zeros((2, 2), np.float32))
    assert seen.shape == (2, 35) and np.isfinite(reward).all()
    many.close()


def test_the_vector_face_says_that_it_begins_anew_in_the_same_step() -> None:
    mode = BatchEnv.metadata["autoreset_mode"]
    if OLD_GYMNASIUM:
        assert mode == "SameStep"
    else:
        assert mode is gymnasium.vector.AutoresetMode.SAME_STEP
    with pytest.raises(ValueError, match="days="):
        BatchEnv(2, max_episode_steps=10)


# --- people and seeds --------------------------------------------------------------------------------------
def test_a_batch_fills_its_lanes_round_robin_and_copies_of_a_person_live_other_days() -> None:
    env = envs.make_vec(ID, num_envs=5, cohort=["adult#001", "child#002"], days=0.1)
    seen, info = env.reset(seed=0)
    assert info["person"].tolist() == ["adult#001", "child#002"] * 2 + ["adult#001"]
    assert info["glucose_mg_dl"].shape == (5,)
    assert len({row.tobytes() for row in seen}) == 5
    for _ in range(29):
        *_, info = env.step(np.zeros((5, 2)))
    assert env.core.view.ids == ("adult#001", "child#002") * 2 + ("adult#001",)  # also in the next episode


def test_a_single_environment_takes_the_next_person_each_episode_and_a_new_day_on_return() -> None:
    env = SingleEnv(cohort=["adult#001", "child#002"], days=0.1)
    met = [env.reset(seed=2)] + [env.reset() for _ in range(4)]
    assert [info["person"] for _, info in met] == ["adult#001", "child#002"] * 2 + ["adult#001"]
    assert env.person == "adult#001"
    assert len({seen.tobytes() for seen, _ in met}) == 5
    assert env.core.keys[0, 5] == 2  # the third day of the first person
    again = SingleEnv(person="child#002", days=0.1)
    np.testing.assert_array_equal(again.reset(seed=2)[0], met[1][0])


def _day_of_seed(env: SingleEnv, **reset: Any) -> list[float]:
    seen, _ = env.reset(**reset)
    glucose = [seen.tobytes()]
    for _ in range(24):
        seen, *_ = env.step(np.zeros(2, np.float32))
        glucose.append(seen.tobytes())
    return glucose  # type: ignore[return-value]


def test_a_seed_is_a_day_another_seed_another_and_reset_without_one_goes_on() -> None:
    env = SingleEnv()
    first, second, other = (_day_of_seed(env, seed=seed) for seed in (1, 1, 2))
    after_two = _day_of_seed(env)
    again, after_one = _day_of_seed(env, seed=1), _day_of_seed(env)
    assert first == second == again
    assert len({tuple(day) for day in (first, other, after_two, after_one)}) == 4
    assert _day_of_seed(SingleEnv(seed=1)) == first
    assert _day_of_seed(SingleEnv(seed=1, split="test")) != first


def test_a_batch_takes_one_seed_for_all_or_one_per_lane() -> None:
    env = BatchEnv(3, person="adult#001", days=0.1)
    same, _ = env.reset(seed=5)
    listed, _ = env.reset(seed=[5, 5, 5])
    mixed, _ = env.reset(seed=[5, 6, 5])
    onward, _ = env.reset()
    np.testing.assert_array_equal(same, listed)
    assert [np.array_equal(a, b) for a, b in zip(same, mixed, strict=True)] == [True, False, True]
    assert not any(np.array_equal(a, b) for a, b in zip(mixed, onward, strict=True))
    with pytest.raises(ValueError, match="2 seeds were given for 3 lanes"):
        env.reset(seed=[1, 2])
    for wrong in (-1, 2**32, 1.5, "1", True):
        with pytest.raises(ValueError, match="whole numbers from 0"):
            env.reset(seed=wrong)  # type: ignore[arg-type]


def test_sb3_seeds_take_hold_at_the_next_reset_and_only_there() -> None:
    env = Sb3Env(2, days=0.1)
    assert env.seed(9) == [9, 9]
    first = env.reset()
    onward = env.reset()
    env.seed(9)
    np.testing.assert_array_equal(env.reset(), first)
    np.testing.assert_array_equal(env.reset(), onward)
    np.testing.assert_array_equal(BatchEnv(2, days=0.1).reset(seed=9)[0], first)


# --- copies ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])  # noqa: S301
@pytest.mark.parametrize("face", ["single", "gymnasium", "sb3"])
def test_a_copy_goes_on_by_itself_and_like_the_original(face: str, copied: Any) -> None:
    world: dict[str, Any] = {"oracle": True, "days": 0.1}
    env: Any = SingleEnv(**world) if face == "single" else envs.make_vec(ID, 2, face, **world)  # type: ignore[arg-type]
    action = np.zeros((2,) if face == "single" else (2, 2), np.float32)
    env.reset()
    for _ in range(10):
        env.step(action)
    other = copied(env)
    told = [env.step(action)[:2] for _ in range(18)]
    again = [other.step(action)[:2] for _ in range(18)]
    for (seen, reward), (seen_2, reward_2) in zip(told, again, strict=True):
        np.testing.assert_array_equal(seen, seen_2)
        np.testing.assert_array_equal(reward, reward_2)
    np.testing.assert_array_equal(env.reset()[0], other.reset()[0])


def test_the_sb3_face_saved_in_mid_episode_goes_on_bit_for_bit_over_the_next_episodes() -> None:
    def run(env: Sb3Env) -> list[Any]:
        return [env.step(np.full((3, 2), 0.1 * (k % 5), np.float32))[:3] for k in range(70)]

    env, other = (Sb3Env(3, cohort=PEOPLE, days=0.1) for _ in range(2))
    env.seed(3)
    env.reset()
    run(env)
    saved = env.save()
    told = run(env)
    seen = other.restore(saved)
    np.testing.assert_array_equal(seen, other.task.observe(other.core.view))
    for one, two in zip(told, run(other), strict=True):
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["roster.episode", "roster.seed", "state"])
def test_the_sb3_face_refuses_a_save_that_does_not_fit_and_stays_as_it_was(name: str) -> None:
    env = Sb3Env(2, days=0.1)
    env.reset()
    saved, other = env.save(), Sb3Env(2, days=0.1, seed=4)
    other.reset()
    before = other.save()
    for wrong in ({k: v for k, v in saved.items() if k != name}, saved | {name: saved[name][:1]}):
        with pytest.raises(ValueError, match="saved"):
            other.restore(wrong)
        for key, value in other.save().items():
            np.testing.assert_array_equal(value, before[key])


# --- Stable-Baselines3 -----------------------------------------------------------------------------------
def test_wrappers_of_sb3_sit_on_the_sb3_face_and_ppo_learns_a_rollout() -> None:
    env = VecNormalize(VecMonitor(Sb3Env(4, cohort=PEOPLE, days=0.1), info_keywords=("cost",)))
    model = PPO("MlpPolicy", env, n_steps=32, batch_size=64, n_epochs=1, seed=0, device="cpu")
    before = [parameter.detach().clone() for parameter in model.policy.parameters()]
    model.learn(128)
    assert model.num_timesteps == 128
    assert any((a != b).any() for a, b in zip(before, model.policy.parameters(), strict=True))
    assert len(model.ep_info_buffer) == 4  # type: ignore[arg-type]
    assert {info["l"] for info in model.ep_info_buffer} == {29}  # type: ignore[union-attr]
    action, _ = model.predict(env.reset())
    assert action.shape == (4, 2) and env.action_space.contains(action[0])
    env.close()


def test_the_sb3_face_answers_what_sb3_asks_of_its_lanes() -> None:
    env = Sb3Env(3)
    assert env.get_attr("minutes_per_step") == [5, 5, 5] and env.get_attr("render_mode", [1]) == [None]
    assert env.env_is_wrapped(VecEnvWrapper, 0) == [False]
    env.set_attr("note", "x")
    assert env.get_attr("note", [0, 2]) == ["x", "x"]
    assert env.env_method("seed", 3, indices=0) == [[3, 3, 3]]
    with pytest.raises(AttributeError):
        env.get_attr("nothing of the kind")


# --- rendering --------------------------------------------------------------------------------------------
def test_the_strip_of_the_day_can_be_drawn_right_after_reset_and_grows_with_the_steps() -> None:
    env = gymnasium.make(ID, render_mode="rgb_array", days=1.2)
    env.reset(seed=1)
    shapes, pictures = set(), []
    for steps in (0, 1, 60):
        for _ in range(steps):
            env.step(np.zeros(2, np.float32))
        picture: Any = env.render()
        assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
        shapes.add(picture.shape)
        pictures.append(picture)
    assert len(shapes) == 1 and not np.array_equal(pictures[0], pictures[2])


def test_the_day_in_progress_is_the_record_since_midnight() -> None:
    env = SingleEnv(render_mode="rgb_array", days=1.2)
    env.reset(seed=1)
    assert len(env.day()["minute"]) == 0
    for step in range(300):
        env.step(np.zeros(2, np.float32))
        if step + 1 in (288, 289):
            first = 5 if step + 1 == 288 else 1445
            assert env.day()["minute"][0] == first and len(env.day()["minute"]) == (288 if first == 5 else 1)
    assert env.day()["minute"].tolist() == list(range(1445, 1501, 5))
    assert env.day()["glucose_mg_dl"][-1] == env.core.glucose[0]
    env.reset()
    assert len(env.day()["minute"]) == 0
    assert SingleEnv().render() is None


# --- keywords ---------------------------------------------------------------------------------------------
_WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"persn": "adult#001"}, TypeError, "did you mean 'person'"),
    ({"dayz": 1}, TypeError, "did you mean 'days'"),
    ({"sheild": "rule"}, TypeError, "did you mean 'shield'"),
    ({"max_steps": 1}, TypeError, "unknown keyword 'max_steps'"),
    ({"person": "adlt#001"}, ValueError, "did you mean 'adult#001'"),
    ({"action": "basals"}, ValueError, "did you mean 'basal'"),
    ({"shield": "rules"}, ValueError, "did you mean 'rule'"),
    ({"decision_min": 7}, ValueError, "multiple of 5"),
]


@pytest.mark.parametrize(("keywords", "kind", "hint"), _WRONG)
def test_wrong_keywords_name_the_nearest_known_one_in_every_face(
    keywords: dict[str, Any], kind: type[Exception], hint: str
) -> None:
    for make in (
        lambda: gymnasium.make(ID, **keywords),
        lambda: envs.make_vec(ID, 2, **keywords),
        lambda: envs.make_vec(ID, 2, "sb3", **keywords),
    ):
        with pytest.raises(kind, match=hint):
            make()


def test_wrong_ids_faces_numbers_and_render_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="did you mean 'Homeostat/Dosing-v0'"):
        envs.make_vec("Homeostat/Dosng-v0")
    with pytest.raises(ValueError, match="did you mean 'sb3'"):
        envs.make_vec(ID, face="sb")  # type: ignore[arg-type]
    for lanes in (0, -1, 1.5, True, "3"):
        with pytest.raises(ValueError, match="num_envs"):
            envs.make_vec(ID, num_envs=lanes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rgb_array"):
        SingleEnv(render_mode="human")


@pytest.mark.parametrize(
    ("keywords", "minutes"),
    [({}, 5), ({"sensor": "Dexcom"}, 3), ({"sensor": "Navigator", "decision_min": 7}, 7)],
)
def test_faces_tell_the_minutes_of_a_step(keywords: dict[str, Any], minutes: int) -> None:
    one = SingleEnv(**keywords)
    assert one.minutes_per_step == minutes
    for face in ("gymnasium", "sb3"):
        assert envs.make_vec(ID, 2, face, **keywords).minutes_per_step == minutes  # type: ignore[arg-type]
    one.reset()
    assert one.step(np.zeros(2))[4]["minute"] == minutes


def test_infos_hold_the_truth_after_the_step_and_its_minimum() -> None:
    env = SingleEnv(decision_min=60, shield="off", scenario="fasting")
    env.reset(seed=0)
    _, _, _, _, info = env.step(Request(np.array([2.0]), np.array([1.0])))
    assert info["glucose_mg_dl"] == env.core.glucose[0]
    assert info["glucose_min_mg_dl"] <= info["glucose_mg_dl"]
    assert info["shield"] == {"reason": "none", "changed_min": 0.0}


# --- faults of simglucose's environment that this one does not have -----------------------------------------
def test_simglucose_issue_71_action_units() -> None:
    """There one step at the highest action delivered 90 U (U/h taken as U/min); here the limit holds, in U."""
    for action in ("modulation", "basal"):
        env = SingleEnv(action=action, scenario="fasting")
        env.reset(seed=0)
        scheduled = env.core.view.therapy[0, 0]
        for _ in range(12):
            env.step(env.action_space.high)
            rows = env.core._trace[0]
            delivered = rows[:, t.BASAL_U_PER_H].sum() / 60 + rows[:, t.BOLUS_U].sum()
            assert delivered <= (3 * scheduled + 0.05) * 5 / 60
        hourly = env.core.view.insulin_history_u[0, -12:].sum()
        cap = limits.for_therapy(env.core.view.therapy)[0, limits.MAX_BASAL_U_PER_H]
        assert scheduled < hourly <= cap + 0.05


def test_simglucose_seeds_that_do_nothing() -> None:
    """There reset(seed=...) gave the same meals and noise for every seed."""
    env = SingleEnv(days=1.0)
    meals, readings = set(), set()
    for seed in (1, 2, 999):
        env.reset(seed=seed)
        meals.add(env.core.eat_minute.tobytes() + env.core.eat_g.tobytes())
        readings.add(env.core.view.now[0, 0])
    assert len(meals) == len(readings) == 3


def test_simglucose_array_actions() -> None:
    """There an array as action raised an error in the integrator; here an action is what the space samples."""
    env = SingleEnv()
    env.reset(seed=0)
    env.action_space.seed(0)
    for action in (env.action_space.sample(), np.zeros(2), [0.0, 0.5]):
        seen, *_ = env.step(action)  # type: ignore[arg-type]
        assert env.observation_space.contains(seen)
    with pytest.raises(ValueError, match="shape"):
        env.step(np.zeros(1))


def test_simglucose_issues_10_43_and_47_stale_state_after_reset() -> None:
    """There controller and scenario of the old episode lived on; here a reset in mid-episode leaves no trace."""
    used, new = SingleEnv(render_mode="rgb_array"), SingleEnv(render_mode="rgb_array")
    used.reset(seed=1)
    for k in range(
        150
    ):  # past breakfast and lunch, with insulin, carbs and a half-used stretch of sensor error
        used.step(Request(np.array([3.0]), np.array([2.0 * (k % 10 == 0)])))
    for env in (used, new):
        env.reset(seed=2)
    for _ in range(150):
        one, two = used.step(np.zeros(2)), new.step(np.zeros(2))
        np.testing.assert_array_equal(one[0], two[0])
        assert one[1:] == two[1:]
    for name, column in used.day().items():
        np.testing.assert_array_equal(column, new.day()[name])
