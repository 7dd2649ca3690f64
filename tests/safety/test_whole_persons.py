"""Whole persons under agents that ask for anything: every dose, every start of exercise and every night keeps to its
bounds, counted anew from the record and from what the sensor showed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from envs import view as v
from envs.core import Core
from envs.faces.build import whole_setting
from envs.living import record as r
from envs.living.life import Life
from envs.tasks.whole_person import ACTIONS, WholePerson
from tests.safety.test_bounds import Watch
from twins import random

PEOPLE, A = 20, len(ACTIONS)
Agent = Callable[[np.random.Generator, int], Any]


def _wild(dice: np.random.Generator, n: int) -> Any:
    kinds = np.array([np.nan, np.inf, -np.inf, 1e9, -1e9, 1e308, -0.0, 1.0, -1.0, 0.3])
    return dice.choice(kinds, (n, A))


def _always(*action: float) -> Agent:
    return lambda dice, n: np.tile(np.array(action), (n, 1))


AGENTS: dict[str, Agent] = {
    "all kinds of numbers": _wild,
    "anything": lambda dice, n: dice.uniform(-1, 1, (n, A)),
    "the most of all": _always(1, 1, 0.5, 1, 1, -1, -1, 1),
    "all insulin, exercise at dawn, no food, no sleep": _always(1, 1, -1, 1, 1, -1, 1, -1),
    "no insulin, hard exercise": _always(-1, -1, 0.5, 1, 1, -1, 1, 1),
}


def _count(agent: Agent, people: int, days: int, seed: int) -> dict[str, int]:
    """Starts, starts against a rule, intervals of work below 70 mg/dL, nights, nights outside their bounds."""
    setting = replace(whole_setting(cohort="all", days=float(days), split="test", seed=seed), decision_min=5)
    core, dice = Core(setting, WholePerson(), people), np.random.default_rng(seed)
    watch = Watch(core)
    rows = np.arange(people) % 30
    core.reset(rows, random.keys("test", seed, setting.cohort.numbers[rows], np.arange(people) // 30, 0))
    life = core.conduct
    assert isinstance(life, Life)
    found = dict.fromkeys(("starts", "broken", "low_work"), 0)
    ate = np.zeros((people, 6))
    for _ in range(days * 288):
        glucose, age = core.view.now[:, v.CGM_MG_DL].copy(), core.view.now[:, v.CGM_AGE_MIN].copy()
        before, worked = life.moves.started_min.copy(), life.moves.week[:, -1].copy()
        woke = life.day.copy()
        core.step(agent(dice, people))
        ate = np.roll(ate, -1, axis=1)
        ate[:, -1] = life.moves.ate_g
        began = (before < 0) & (life.moves.started_min >= 0)
        least = np.where(ate.sum(axis=1) >= 15, 70, 90)
        hard = life.moves.reserve >= 0.6
        wrong = (glucose < least) | (glucose >= 350) | (hard & (glucose >= 250)) | ~(age <= 15)
        found["starts"] += int(began.sum())
        found["broken"] += int((began & wrong).sum())
        works = (life.moves.week[:, -1] > worked) & (woke == life.day)
        found["low_work"] += int((works & (glucose < 70) & (age <= 15)).sum())
    assert watch.minutes == people * days * 1440
    return found | _nights(life)


def _nights(life: Life) -> dict[str, int]:
    real = life.days[:, :, r.LIVED] > 0
    lived = life.days[real]
    before = np.concatenate([life.weeks.bed_h[:, :1], life.days[:, :-1, r.BED_H]], axis=1)[real]
    bed, rise, usual = (lived[:, c] for c in (r.ALLOWED_BED_H, r.ALLOWED_RISE_H, r.USUAL_BED_H))
    usual_h = lived[:, r.USUAL_RISE_H] + 24 - usual
    hours, eps = rise + 24 - bed, 1e-9
    outside = (
        (hours < np.minimum(7.0, usual_h) - eps)
        | (hours > np.maximum(10.0, usual_h) + eps)
        | (rise < 4.0 - eps)
    )
    outside |= (bed < np.minimum(before - 1.0, usual) - eps) | (bed > np.maximum(before + 1.0, usual) + eps)
    # As lived: who follows goes to bed when advised, who does not as habit has it, an hour or two either way.
    follows = lived[:, r.NIGHT_FOLLOWED] > 0
    outside |= follows & (
        (np.abs(lived[:, r.BED_H] - bed) > 0.05) | (np.abs(lived[:, r.RISE_H] - rise) > 0.05)
    )
    week = np.array(
        [person[:, r.DONE_MIN][k : k + 7].sum() for person in life.days for k in range(person.shape[0] - 6)]
    )
    return {"nights": len(lived), "outside": int(outside.sum()), "weeks_over": int((week > 420 + 30).sum())}


@pytest.mark.slow
@pytest.mark.parametrize("name", AGENTS)
def test_no_dose_no_session_and_no_night_leaves_its_bounds(name: str) -> None:
    found = _count(AGENTS[name], PEOPLE, 8, 11)
    assert found["nights"] >= PEOPLE * 7
    assert found["broken"] == found["low_work"] == found["outside"] == found["weeks_over"] == 0
    assert found["starts"] > 10


@pytest.mark.verify
def test_none_in_ten_thousand_nights_of_each() -> None:
    for seed, agent in enumerate(AGENTS.values()):
        found = _count(agent, 400, 28, 100 + seed)
        assert found["nights"] >= 10_000 and found["starts"] > 1000
        assert found["broken"] == found["low_work"] == found["outside"] == found["weeks_over"] == 0
