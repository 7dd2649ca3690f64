"""The weight of the cost: its controller, what learners are given to learn from, and that stopping changes nothing."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecEnv, VecMonitor

import envs
from agents.actors import Algo
from agents.lagrange import CostPenalty
from agents.learners import make_learner
from agents.multiplier import MOST, Multiplier
from agents.sb3 import Arrays, restore_state, save_state, weights
from envs.faces.sb3 import Sb3Env
from experiments.config import load_hyperparams

LANES, STEPS = 6, 10
ROLLOUT = LANES * STEPS
SMALL = {
    "n_steps": STEPS, "batch_size": 20, "n_epochs": 2, "net_arch": (8, 8), "learning_rate": 3e-3, "qf_arch": (8,),
    "train_freq": STEPS, "gradient_steps": 2, "learning_starts": 0, "buffer_size": 3 * ROLLOUT,
}  # fmt: skip


# --- the controller ---------------------------------------------------------------------------------------
def test_the_weight_follows_algorithm_2_of_the_paper() -> None:
    """By hand: limit 0.1, kp 2, ki 3, kd 5; costs 0.3, 0.2, 0.0, 0.15."""
    held = Multiplier(0.1, 2.0, 3.0, 5.0)
    # excess 0.2, integral 0.2, rise 0.3 | 0.1, 0.3, 0 | -0.1, 0.2, 0 | 0.05, 0.25, 0.15
    found = [held.update(cost) for cost in (0.3, 0.2, 0.0, 0.15)]
    assert found == pytest.approx([0.4 + 0.6 + 1.5, 0.2 + 0.9, -0.2 + 0.6, 0.1 + 0.75 + 0.75])
    assert (held.integral, held.previous) == (pytest.approx(0.25), 0.15)


def test_a_cost_at_its_limit_leaves_the_weight_where_it_is() -> None:
    held = Multiplier(0.1, 2.0, 3.0, 0.0, integral=0.5)
    assert held.update(0.1) == pytest.approx(1.5) and held.update(0.1) == pytest.approx(1.5)


@given(
    st.lists(st.floats(0, 2), min_size=1, max_size=60),
    st.floats(0, 2),
    st.tuples(*[st.floats(0, 1e4)] * 3),
)
@settings(max_examples=100, deadline=None)
def test_the_weight_stays_in_its_bounds_and_a_long_excess_winds_nothing_up(
    costs: list[float], limit: float, gains: tuple[float, float, float]
) -> None:
    held = Multiplier(limit, *gains)
    for cost in costs:
        assert 0 <= held.update(cost) <= MOST
        assert held.integral >= 0 and held.ki * held.integral <= MOST * (1 + 1e-12)
    for _ in range(100):
        weight = held.update(0.0)
    assert weight == 0 or limit * 100 * held.ki < MOST, "the years above the limit are forgotten"


# --- what is learned from ---------------------------------------------------------------------------------
def _new(algo: Algo, seed: int = 0, **keywords: Any) -> tuple[Sb3Env, Any]:
    """A learner that doses at random, without the shield: it costs something. Episodes of 12 h end in mid-rollout."""
    env: Sb3Env = envs.make_vec(
        "Homeostat/Dosing-v0", LANES, "sb3", cohort=["adult#001", "adolescent#002", "child#003"], decision_min=30,
        **{"days": 0.5, "shield": "off", **keywords},
    )  # fmt: skip
    tested = load_hyperparams(algo).model_dump()
    small = {name: value for name, value in SMALL.items() if name in tested}
    wide = {"log_std_init": 1.0} if "log_std_init" in tested else {}
    return env, make_learner(algo, VecMonitor(env), tested | small | wide, seed)


def _limit() -> CostPenalty:
    """Moves at every rollout, and far."""
    return CostPenalty(multiplier=Multiplier(0.0, 5.0, 3.0, 2.0), every=ROLLOUT)


class _Plain(BaseCallback):
    """What the environment gave, before the penalty sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.rewards: list[NDArray[np.float32]] = []
        self.costs: list[NDArray[np.float64]] = []

    def _on_step(self) -> bool:
        self.rewards.append(self.locals["rewards"].copy())
        self.costs.append(np.array([info["cost"] for info in self.locals["infos"]]))
        return True


def test_ppo_learns_from_rewards_less_the_weighted_cost() -> None:
    _, model = _new("ppo", days=3)
    plain = _Plain()
    model.learn(3 * ROLLOUT, callback=[plain, CostPenalty(0.5)])
    rewards, costs = np.array(plain.rewards[-STEPS:]), np.array(plain.costs[-STEPS:])
    assert costs.max() > 0.5, "not what this test is about"
    held = model.rollout_buffer.rewards
    np.testing.assert_allclose(held, (rewards - 0.5 * costs) / 1.5, atol=1e-6)
    assert model.ep_info_buffer is not None  # the learner's own figures are of plain rewards
    _, same = _new("ppo", days=3)
    told = _Plain()
    same.learn(3 * ROLLOUT, callback=[told, CostPenalty(0.0)])
    _, free = _new("ppo", days=3)
    free.learn(3 * ROLLOUT)
    assert _equal(same, free) and not _equal(model, free), "a weight of zero is none"


@pytest.mark.parametrize("rollouts", [1, 3, 5])
def test_all_that_sac_remembers_has_the_weight_of_now(rollouts: int) -> None:
    """Also when the buffer, of three rollouts, is full and begins anew."""
    _, model = _new("sac")
    plain, penalty = _Plain(), _limit()
    weight = _Weights(penalty)
    model.learn(rollouts * ROLLOUT, callback=[plain, penalty, weight])
    rewards, costs = (np.array(part[-3 * STEPS :]) for part in (plain.rewards, plain.costs))
    held, w = model.replay_buffer.rewards[: model.replay_buffer.size()], penalty.weight
    order = np.roll(held, -model.replay_buffer.pos, axis=0) if model.replay_buffer.full else held
    np.testing.assert_allclose(order, (rewards - w * costs) / (1 + w), atol=1e-6)
    assert rollouts == 1 or (w > 0.1 and len(set(weight.seen)) == rollouts), "it moved at every rollout"


class _Weights(BaseCallback):
    """The weight of each rollout."""

    def __init__(self, penalty: CostPenalty) -> None:
        super().__init__()
        self._penalty, self.seen = penalty, list[float]()

    def _on_rollout_start(self) -> None:
        self.seen.append(self._penalty.weight)

    def _on_step(self) -> bool:
        return True


def test_the_weight_moves_by_the_mean_cost_since_the_last_time_and_never_within_a_rollout(
    tmp_path: Path,
) -> None:
    _, model = _new("ppo")
    model.set_logger(configure(str(tmp_path), ["csv"]))
    penalty = CostPenalty(multiplier=Multiplier(0.0, 5.0, 3.0, 2.0), every=ROLLOUT + 1)
    plain, weight = _Plain(), _Weights(penalty)
    model.learn(5 * ROLLOUT, callback=[plain, penalty, weight])
    costs = np.array(plain.costs).reshape(5, -1).mean(axis=1)
    again = Multiplier(0.0, 5.0, 3.0, 2.0)
    two, four = again.update(costs[:2].mean()), again.update(costs[2:4].mean())
    assert weight.seen == pytest.approx([0, 0, two, two, four], rel=1e-6) and 0 < two != four
    model.logger.close()
    with (tmp_path / "progress.csv").open() as file:
        logged = list(csv.DictReader(file))
    assert [float(row["cost/weight"]) for row in logged] == pytest.approx(weight.seen, rel=1e-6)
    assert float(logged[-1]["cost/mean"]) == pytest.approx(costs[2:4].mean(), rel=1e-6)
    assert float(logged[-1]["cost/integral"]) == pytest.approx(again.integral, rel=1e-6)


# --- a problem whose answer is known ------------------------------------------------------------------------
class _Trade(VecEnv):
    """An action a earns a and costs a^2. Where the mean cost may be d, a = sqrt(d) is best, at weight 1 / (2 a)."""

    def __init__(self, lanes: int = 32) -> None:
        box = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.render_mode, self.num_envs = None, lanes
        super().__init__(lanes, box, box)

    def reset(self) -> NDArray[np.float32]:
        return np.zeros((self.num_envs, 1), np.float32)

    def step_async(self, actions: NDArray[np.float32]) -> None:
        self._actions = actions[:, 0]

    def step_wait(self) -> Any:
        costs = self._actions**2
        infos = [{"cost": float(cost)} for cost in costs]
        return self.reset(), self._actions.astype(np.float32), np.zeros(self.num_envs, bool), infos

    def close(self) -> None: ...

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [getattr(self, attr_name)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None: ...

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        return []

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs


@pytest.mark.slow
@pytest.mark.parametrize("algo", ["ppo", "sac"])
def test_the_limit_is_kept_where_the_best_answer_is_known(algo: Algo) -> None:
    limit = 0.16  # so a = 0.4 at weight 1.25
    changes: dict[str, Any] = {
        "ppo": {"n_steps": 8, "batch_size": 128, "n_epochs": 5, "log_std_init": -2.0, "gamma": 0.0},
        "sac": {"train_freq": 1, "gradient_steps": 1, "learning_starts": 64, "batch_size": 64, "n_steps": 1,
                "buffer_size": 6400, "gamma": 0.0, "target_entropy": -3.0},
    }[algo]  # fmt: skip
    tested = load_hyperparams(algo).model_dump()
    known = {"net_arch": (16,), "learning_rate": 3e-3} | ({"qf_arch": (32,)} if algo == "sac" else {})
    model = make_learner(algo, _Trade(), tested | known | changes, seed=0)
    plain = _Plain()
    penalty = CostPenalty(multiplier=Multiplier(limit, 2.0, 0.5, 1.0), every=256)
    model.learn(18_000, callback=[plain, penalty])
    cost = float(np.mean(plain.costs[-100:]))
    action = float(model.predict(np.zeros((1, 1), np.float32), deterministic=True)[0][0, 0])
    assert cost == pytest.approx(limit, abs=0.02)
    assert action == pytest.approx(0.4, abs=0.05)
    assert penalty.weight == pytest.approx(1.25, abs=0.3)


# --- stopping and going on --------------------------------------------------------------------------------
def _equal(one: BaseAlgorithm, other: BaseAlgorithm) -> bool:
    ours, theirs = weights(one), weights(other)
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)


class _KeepAndStop(BaseCallback):
    """Keeps all that the future hangs on after some rollouts, and stops the training there."""

    def __init__(self, env: Sb3Env, penalty: CostPenalty, rollouts: int) -> None:
        super().__init__()
        self._env, self._penalty, self._at = env, penalty, rollouts * ROLLOUT
        self.kept: tuple[Arrays, Arrays, Arrays] | None = None

    def _on_rollout_start(self) -> None:
        if self.num_timesteps == self._at:
            self.kept = save_state(self.model), self._env.save(), self._penalty.save(self.model)

    def _on_step(self) -> bool:
        return self.kept is None


Kept = tuple[Arrays, Arrays, Arrays]


def _kept(algo: Algo, rollouts: int, of: int, first: bool) -> Kept:
    (env, model), penalty = _new(algo), _limit()
    keeper = _KeepAndStop(env, penalty, rollouts)
    model.learn(of * ROLLOUT, callback=[penalty, keeper] if first else [keeper, penalty])
    assert keeper.kept is not None
    return keeper.kept


def _go_on(algo: Algo, kept: Kept, rollouts: int) -> tuple[Any, CostPenalty]:
    """A new environment, learner and weight, of another seed, take up what was kept, and train on."""
    (env, model), penalty = _new(algo, seed=99), _limit()
    restore_state(model, kept[0], env.restore(kept[1]))
    penalty.restore(model, kept[2])
    return model.learn(rollouts * ROLLOUT, callback=penalty, reset_num_timesteps=False), penalty


@pytest.mark.parametrize("algo", ["ppo", "sac"])
@pytest.mark.parametrize(("before", "first"), [(1, True), (3, True), (3, False)])
def test_training_that_goes_on_is_bit_for_bit_training_that_never_stopped(
    algo: Algo, before: int, first: bool
) -> None:
    """In mid-episode, whether the weight moved before or moves after what was kept."""
    (_, whole), penalty = _new(algo), _limit()
    whole.learn(5 * ROLLOUT, callback=penalty)
    kept = _kept(algo, before, 5, first)
    again, theirs = _go_on(algo, kept, 5 - before)
    assert _equal(again, whole) and again.num_timesteps == whole.num_timesteps
    ours, held = penalty.save(whole), theirs.save(again)
    assert ours.keys() == held.keys() and all(np.array_equal(ours[name], held[name]) for name in ours)
    assert penalty.weight > 0.1


@pytest.mark.parametrize("algo", ["ppo", "sac"])
def test_every_part_of_the_state_counts(algo: Algo) -> None:
    kept = _kept(algo, 3, 5, True)
    whole, _ = _go_on(algo, kept, 2)

    def other(change: Callable[[Arrays], object]) -> bool:
        changed = {name: value.copy() for name, value in kept[2].items()}
        change(changed)
        return not _equal(_go_on(algo, (*kept[:2], changed), 2)[0], whole)

    assert other(lambda held: held["state"].__setitem__(0, 0.0)), "the weight"
    assert other(lambda held: held["state"].__setitem__(1, 9.0)), "its integral"
    assert other(lambda held: held["state"].__setitem__(2, -1.0)), "the cost before"
    if algo == "sac":
        assert other(lambda held: held["plain"][0].fill(9.0)), "rewards"
        assert other(lambda held: held["plain"][1].fill(9.0)), "costs"


def test_a_state_of_another_replay_buffer_is_refused() -> None:
    kept = _kept("sac", 1, 3, True)
    env, model = _new("sac")
    restore_state(model, kept[0], env.restore(kept[1]))
    with pytest.raises(KeyError, match="another size"):
        _limit().restore(model, kept[2] | {"plain": kept[2]["plain"][:, 1:]})
    with pytest.raises(KeyError):
        _limit().restore(model, {"state": kept[2]["state"]})
