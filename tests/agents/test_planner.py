"""The planner and its clairvoyant form: real days, judged against what people use and against each other."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.basal_bolus import BasalBolus
from agents.broken import broken
from agents.load import load, tier
from agents.planner import Clairvoyant, Planner, Search
from envs import trace
from envs import view as v
from envs.core import Core
from envs.faults import Dead
from envs.roster import Roster
from envs.setting import make_setting
from envs.tasks.dosing import Dosing
from experiments.simulate import run
from twins import cohort as cohorts

FEW = ["adult#001", "adolescent#003", "child#001", "child#005"]


def day(
    agent: Any, people: list[str], days: float = 0.9, sensor: str = "GuardianRT"
) -> NDArray[np.float64]:
    """Plasma glucose of people under an agent, (n, K)."""
    who = cohorts.load(people)
    oracle = getattr(agent, "oracle", False)
    setting = make_setting(cohort=who, days=days, split="validation", seed=2, oracle=oracle, sensor=sensor)
    core = Core(setting, Dosing(), len(who))
    return run(core, *Roster(who, len(who), "validation", 2).next(np.arange(len(who))), agent).glucose_mg_dl


def in_range(glucose: NDArray[np.float64]) -> float:
    return float(((glucose >= 70) & (glucose <= 180)).mean())


@pytest.mark.slow
def test_planning_is_better_than_the_formula_and_knowing_the_future_better_still() -> None:
    formula, planned, known = (day(agent, FEW) for agent in (BasalBolus(), Planner(), Clairvoyant()))
    assert in_range(formula) < in_range(planned) < in_range(known)
    assert (planned < 70).mean() < 0.01 and known.min() > 60


def test_a_plan_does_not_depend_on_company() -> None:
    together, alone = day(Planner(), FEW, 0.3), day(Planner(), FEW[2:3], 0.3)
    assert np.array_equal(together[2], alone[0])


def test_a_harder_search_finds_cheaper_plans() -> None:
    who = cohorts.load(FEW)
    setting = make_setting(cohort=who, days=0.5, oracle=True)
    costs = []
    for search in (Search(16, 1, 4), Search(96, 8, 8)):
        agent, core = Clairvoyant(search), Core(setting, Dosing(), 4)
        rows, keys = Roster(who, 4, "train", 0).next(np.arange(4))
        agent.meet(who, rows, keys, 5)
        core.reset(rows, keys)
        lived = [core.step(agent.act(core.view)).trace[:, -1, trace.GLUCOSE_MG_DL].copy() for _ in range(144)]
        costs.append((np.maximum(np.array(lived) - 120, 0) ** 2).mean())
    assert costs[1] < costs[0]


@pytest.mark.parametrize("sensor", ["Dexcom", "Navigator"])
def test_it_plans_at_every_pace_of_the_sensor(sensor: str) -> None:
    assert np.isfinite(day(Planner(), FEW[:1], 0.05, sensor)).all()


def test_doses_are_asked_for_every_quarter_of_an_hour_and_basal_goes_on_between() -> None:
    who = cohorts.load(FEW)
    core, agent = Core(make_setting(cohort=who), Dosing(), 4), Planner()
    rows, keys = Roster(who, 4, "train", 0).next(np.arange(4))
    agent.meet(who, rows, keys, 5)
    core.reset(rows, keys)
    asked = []
    for _ in range(6):
        asked.append(agent.act(core.view))
        core.step(asked[-1])
    assert all((one.bolus_u == 0).all() for one in asked[1:3])
    assert np.array_equal(asked[1].basal_u_per_h, asked[0].basal_u_per_h)
    assert core.view.now[0, v.RUNNING_MIN] == 30


def test_it_must_meet_its_persons_first() -> None:
    core = Core(make_setting(), Dosing(), 1)
    with pytest.raises(RuntimeError, match="meet"):
        Planner().act(core.view if hasattr(core, "view") else None)  # type: ignore[arg-type]


def test_both_are_known_by_name_and_say_what_they_know() -> None:
    assert isinstance(load("planner"), Planner) and isinstance(load("clairvoyant"), Clairvoyant)
    assert tier("planner") == "T2 (own twin)" and tier("clairvoyant") == "T3 (simulator state)"


def test_a_planner_with_a_fault_still_meets_its_persons_and_plans_until_the_fault_begins() -> None:
    sound, faulty = (day(agent, FEW[:1], 0.2) for agent in (Planner(), broken(Planner(), Dead(onset_min=10_000.0))))
    assert np.array_equal(sound, faulty)
    assert getattr(broken(Clairvoyant(), Dead()), "oracle", False)
