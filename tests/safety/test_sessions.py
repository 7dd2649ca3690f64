"""No session begins or goes on against its bounds, whoever advises: counted anew, from what the sensor showed."""

from dataclasses import replace

import numpy as np
import pytest

from agents.base import Treatment
from agents.sessions import SESSION_AGENTS
from envs import view as v
from envs.bouts.advice import Advice, request
from envs.core import Core
from envs.faces.build import session_setting
from envs.tasks.session import AroundSession
from envs.therapy import Request
from envs.view import View
from twins import random
from twins.world.sessions import AEROBIC, INTERVAL


class _Starver:
    """No food, all insulin: so that people would begin low."""

    def act(self, view: View) -> Request:
        n = len(view)
        most, none = np.full(n, 1.2), np.zeros(n)
        return request(view, Advice(most, most, none, none, most, none))


def _count(agent: Treatment, episodes: int, seed: int, silent: bool = False) -> tuple[int, int, int]:
    """Starts, starts against a rule, and intervals of work below 70 mg/dL, all by the readings at hand.

    silent: the readings of every second person end an hour before the start.
    """
    setting = replace(session_setting(cohort="all", split="test", seed=seed), decision_min=5)
    core = Core(setting, AroundSession(), episodes)
    rows = np.arange(episodes) % 30
    core.reset(rows, random.keys("test", seed, setting.cohort.numbers[rows], np.arange(episodes) // 30, 0))
    activity = core.conduct
    assert activity is not None
    drawn, lived = activity.drawn, activity.lived
    ate = np.zeros((episodes, 6))
    starts = broken = low_work = 0
    for _ in range(round(setting.days * 288)):
        if silent:
            gone = (np.arange(episodes) % 2 == 0) & (core.minute >= drawn.begin_min - 60)
            core.view.now[gone, v.CGM_AGE_MIN] = (core.minute - drawn.begin_min + 60)[gone]
        glucose, age = core.view.now[:, v.CGM_MG_DL].copy(), core.view.now[:, v.CGM_AGE_MIN].copy()
        before, total = lived.started_min.copy(), lived.total_ate_g.copy()
        core.step(agent.act(core.view.shown()))
        ate = np.roll(ate, -1, axis=1)
        ate[:, -1] = lived.total_ate_g - total
        began = (before < 0) & (lived.started_min >= 0)
        hard = (drawn.kind == INTERVAL) | ((drawn.kind == AEROBIC) & (drawn.intensity >= 0.6))
        least = np.where(ate.sum(axis=1) >= 15, 70, 90)
        wrong = (glucose < least) | (glucose >= 350) | (hard & (glucose >= 250)) | ~(age <= 15)
        starts += int(began.sum())
        broken += int((began & wrong).sum())
        low_work += int(((glucose < 70) & (age <= 15) & (lived.used > 0)).sum())
    return starts, broken, low_work


AGENTS: dict[str, Treatment] = {
    "starver": _Starver(),
    **{name: SESSION_AGENTS[name]() for name in ("random", "most", "zero")},
}


@pytest.mark.parametrize("name", AGENTS)
def test_no_session_begins_or_goes_on_against_a_bound(name: str) -> None:
    starts, broken, low_work = _count(AGENTS[name], 90, 7)
    assert starts > 30 and broken == 0 and low_work == 0


def test_nobody_starts_without_a_reading() -> None:
    starts, broken, _ = _count(SESSION_AGENTS["consensus"](), 90, 8, silent=True)
    with_readings = _count(SESSION_AGENTS["consensus"](), 90, 8)[0]
    assert broken == 0 and 15 < starts < 0.7 * with_readings


@pytest.mark.verify
def test_none_in_ten_thousand_days() -> None:
    # Who is told to wait as long as may be begins a third of the sessions, others about half.
    for seed, agent in enumerate(AGENTS.values()):
        starts, broken, low_work = _count(agent, 3500, 100 + seed)
        assert starts > 1000 and broken == 0 and low_work == 0
