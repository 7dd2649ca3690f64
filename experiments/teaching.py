"""What the planner asks for, as actions: where a policy's training may begin.

The planner looks hours ahead for every dose, which takes milliseconds; a policy that asks for the same takes
microseconds. It teaches on the policy's own days: doses given are those of the actions, strayed from, so that it is
also seen what is asked for after another dose than the planner's.
"""

import numpy as np
from numpy.typing import NDArray

from agents.planner import EVERY_MIN, Planner
from envs.core import Core
from envs.roster import Roster
from envs.tasks.dosing import BASAL_GAIN, BOLUS_GAIN, MAX_BASAL_FACTOR, Dosing
from envs.therapy import Request, basal_bolus
from envs.view import View
from experiments.config import TrainConfig
from experiments.protocol import ProtocolConfig
from experiments.simulate import setting_of
from twins.cohort import BASAL_U_PER_H, Cohort

EPISODES, PEOPLE, DAYS = 6, 60, 1.0
"""Episodes, at most so many of the training people in each (drawn anew), and its length: 360 person-days, which take
the planner a minute and a half."""
STRAY_SD = 0.2

Lessons = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Observations (m, O), the actions (m, 2) that ask for the planner's doses, and which of their numbers count."""


def lessons(config: TrainConfig, protocol: ProtocolConfig, cohort: Cohort) -> Lessons:
    """What the planner asks for over some episodes of these people, on days of the split train."""
    rng = np.random.default_rng(config.seed)
    days = {"days": DAYS, "warmup_days": 0.0, "split": "train", "seed": config.seed}
    held = EVERY_MIN // protocol.sample_min
    seen, asked, counted = [], [], []
    for _ in range(EPISODES):
        who = cohort.take(np.sort(rng.permutation(len(cohort))[:PEOPLE]).tolist())
        around = setting_of(protocol.model_copy(update=days), config.shield, protocol.sample_min, who)
        core, planner = Core(around, Dosing(history=config.history), len(who)), Planner()
        rows, keys = Roster(who, len(who), around.split, int(rng.integers(2**31))).next(np.arange(len(who)))
        planner.meet(around.twins, rows, keys, protocol.sample_min)
        observation, alive = core.reset(rows, keys), np.ones(len(who), bool)
        action = np.zeros((len(who), 2))
        for interval in range(round(DAYS * 1440) // protocol.sample_min):
            request = planner.act(core.view.shown())
            if interval % held == 0:
                wanted, counts = as_action(request, core.view)
                seen.append(observation[alive])
                asked.append(wanted[alive])
                counted.append(counts[alive])
                action = np.clip(rng.normal(wanted, STRAY_SD), -1.0, 1.0)
            done = core.step(action)
            observation, alive = done.obs, alive & ~done.terminated
    return (
        np.concatenate(seen), np.concatenate(asked).astype(np.float32), np.concatenate(counted).astype(np.float32),
    )  # fmt: skip


def as_action(request: Request, view: View) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The actions (n, 2) of `Dosing` that come nearest to a request over a quarter of an hour, and which count.

    With a meal to cover, what goes beyond scheduled basal is a share of its bolus, as far as that may go; the rest, and
    all of it without a meal, is basal.
    """
    hours = EVERY_MIN / 60
    scheduled = view.therapy[:, BASAL_U_PER_H] * hours
    wanted = request.basal_u_per_h * hours + request.bolus_u
    usual = basal_bolus(view).bolus_u
    meal = usual > 0
    share = np.where(meal, (wanted - scheduled) / np.where(meal, usual, 1.0), 1.0)
    share = np.clip(share, 1 - BOLUS_GAIN, 1 + BOLUS_GAIN)
    left = wanted - np.where(meal, share * usual, 0.0)
    factor = np.clip(left / scheduled, 0.0, MAX_BASAL_FACTOR)
    action = np.stack([(factor - 1) / BASAL_GAIN, (share - 1) / BOLUS_GAIN], axis=1)
    return action, np.stack([np.ones(len(view)), meal], axis=1).astype(float)
