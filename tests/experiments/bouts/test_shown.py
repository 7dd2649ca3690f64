"""Where a training around sessions begins: actions that say what the consensus says, and a policy shown them."""

import numpy as np
import pytest
from stable_baselines3.common.vec_env import VecEnv

import envs
from agents.sb3 import make_ppo
from agents.sessions import CONSENSUS
from agents.tunable import Tuned
from envs.bouts import advice as a
from envs.bouts import seen as s
from envs.core import Core
from envs.faces.build import session_setting
from envs.roster import Roster
from envs.tasks.session import AroundSession
from experiments.bouts.shown import NO_FOOD, as_action, shown
from experiments.imitation import imitate
from experiments.learn import LearnConfig

WHO = ["adult#001", "adult#005", "adolescent#002", "child#003"]
SETTING = session_setting(cohort=WHO, split="train", seed=2)


def test_an_action_asks_for_what_the_plan_says() -> None:
    core, consensus = Core(SETTING, AroundSession(), 4), Tuned(CONSENSUS)
    core.reset(*Roster(SETTING.cohort, 4, "train", 2).next(np.arange(4)))
    for _ in range(104):
        assert core.view.activity is not None
        moment = core.view.activity[:, s.MOMENT].astype(int)
        plan = consensus.act(core.view).plan
        assert plan is not None
        action = as_action(plan, moment)
        again = core.task.decode(action, core.view)
        assert again.plan is not None
        for column in (a.BASAL, a.BOLUS, a.CARBS_G, a.BEDTIME_BASAL):
            np.testing.assert_allclose(again.plan[:, column], plan[:, column], atol=1e-12)
        core.step(action)


@pytest.mark.slow
def test_a_policy_learns_to_ask_for_what_it_was_shown() -> None:
    seen, asked, counts = shown(SETTING, 0)
    assert len(seen) == len(asked) == len(counts) and seen.shape[1] == len(AroundSession().observation_names)
    assert ((counts.sum(axis=1) >= 2) & (counts.sum(axis=1) <= 4)).all() and (asked >= NO_FOOD - 1).all()
    env: VecEnv = envs.make_vec("Homeostat/Exercise-v0", 4, "sb3", cohort=WHO)
    config = LearnConfig.tested("Homeostat/Exercise-v0", "session", lanes=4, n_timesteps=1, look_every=1)
    model = make_ppo(env, config.hyperparams.model_dump() | {"n_steps": 4, "batch_size": 8}, 0)
    before = model.predict(seen, deterministic=True)[0]
    error = imitate(model, seen, asked, 0, counts)
    after = model.predict(seen, deterministic=True)[0]

    def off(action: np.ndarray) -> float:
        return float((counts * (action - asked) ** 2).sum() / counts.sum())

    assert off(after) < 0.5 * off(before) and error == pytest.approx(off(after), rel=1.0)
