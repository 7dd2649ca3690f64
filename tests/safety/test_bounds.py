"""Hostile agents in every face: whatever is asked for, every dose of every minute stays within the bounds.

The bounds are counted again from the record and from what the agent could see, not taken from the shield.
They bound the dose; whether glucose stays in bounds under such agents is not promised.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import envs
from envs import limits as limit
from envs import trace as t
from envs import view as v
from envs.core import Core
from envs.faces.single import SingleEnv
from envs.therapy import Request
from twins.cohort import BASAL_U_PER_H

ID = "Homeostat/Dosing-v0"
PUMP_STEP_U_PER_H = 0.05
FEW = ["adult#001", "adult#007", "adolescent#002", "adolescent#008", "child#001", "child#005"]

Agent = Callable[[int, int], Any]
"""From the number of a step and of lanes to an action (n, 2), or a Request."""


def _random(step: int, lanes: int) -> Any:
    return np.random.default_rng(step).uniform(-1, 1, (lanes, 2))


def _wild(step: int, lanes: int) -> Any:
    """Every kind of number there is, in any place."""
    kinds = np.array([np.nan, np.inf, -np.inf, 1e9, -1e9, 1e308, -0.0, 1.0, -1.0, 0.3])
    return np.random.default_rng(step).choice(kinds, (lanes, 2))


def _wild_request(step: int, lanes: int) -> Request:
    kinds = np.array([np.nan, np.inf, -np.inf, 1e9, -1.0, 1e308, 0.0, 1.0, 5.0, 40.0])
    basal, bolus = np.random.default_rng(step).choice(kinds, (2, lanes))
    return Request(basal, bolus)


def _request(basal: float, bolus: float) -> Agent:
    return lambda step, lanes: Request(np.full(lanes, basal), np.full(lanes, bolus))


AGENTS: dict[str, Agent] = {
    "always the most": lambda step, lanes: np.ones((lanes, 2)),
    "always the least": lambda step, lanes: -np.ones((lanes, 2)),
    "hours of the most, then of the least": lambda step, lanes: np.full((lanes, 2), 1.0 - 2.0 * (step // 40 % 2)),
    "most and least in turn": lambda step, lanes: np.full((lanes, 2), 1.0 - 2.0 * (step % 2)),
    "chance": _random,
    "no numbers": lambda step, lanes: np.full((lanes, 2), np.nan),
    "infinity": lambda step, lanes: np.full((lanes, 2), np.inf),
    "a billion": lambda step, lanes: np.full((lanes, 2), 1e9),
    "all kinds of numbers": _wild,
    "silence": lambda step, lanes: None,
    "boluses of 1000 U": _request(1000.0, 1000.0),
    "boluses of 1000 U without basal": _request(0.0, 1000.0),
    "a bolus of 2 U at every reading": _request(0.0, 2.0),
    "basal of 1000 U/h": _request(1000.0, 0.0),
    "starving, then a flood": lambda step, lanes: _request(*((0.0, 0.0) if step % 60 < 45 else (99.0, 99.0)))(
        step, lanes
    ),
    "all kinds of requests": _wild_request,
}  # fmt: skip


class Watch:
    """Steps a core on behalf of its face and checks every minute against what was visible before.

    `blind` (steps): the sensor falls silent for that long once a day, as the view tells it.
    """

    def __init__(self, core: Core, blind: range = range(0)) -> None:
        self.core, self.blind, self._step, self.minutes = core, blind, core.step, 0
        self.reset()
        core.step = self.step  # type: ignore[method-assign]

    def reset(self) -> None:
        """Forget sums that go over several intervals."""
        self.owed = np.zeros(self.core.lanes)
        self.since_bolus = np.full(self.core.lanes, np.inf)
        self.day = np.zeros((self.core.lanes, 1440))  # U in each of the last 1440 min
        self.calls = 0

    def step(self, action: Any) -> Any:
        """As `Core.step`."""
        core = self.core
        assert (
            core.setting.decision_min == core.control_min
        )  # so that the view now is the one the shield sees
        if self.calls % 288 in self.blind:
            core.view.now[:, v.CGM_AGE_MIN] = 20.0 + 5.0 * (self.calls % 288 - self.blind.start)
        fresh_lane = core.minute == core.begin
        self.owed[fresh_lane] = 0.0
        self.since_bolus[fresh_lane] = np.inf
        self.day[fresh_lane] = core.view.therapy[fresh_lane, BASAL_U_PER_H, None] / 60
        seen, therapy, bounds = core.view.now.copy(), core.view.therapy, limit.for_therapy(core.view.therapy)
        done = self._step(action)
        self.check(done.trace, seen, therapy, bounds)
        self.calls += 1
        self.minutes += done.trace.shape[0] * done.trace.shape[1]
        return done

    def check(self, rows: Any, seen: Any, therapy: Any, bounds: Any) -> None:
        """Every bound on every minute of the record."""
        basal, bolus = rows[:, :, t.BASAL_U_PER_H], rows[:, :, t.BOLUS_U]
        assert np.isfinite(basal).all() and np.isfinite(bolus).all()
        assert (basal >= 0).all() and (bolus >= 0).all() and (bolus[:, 1:] == 0).all()
        rate, dose = basal[:, 0], bolus[:, 0]
        assert (basal == rate[:, None]).all()

        scheduled = therapy[:, BASAL_U_PER_H]
        cap = np.minimum(4 * scheduled, bounds[:, limit.MAX_BASAL_U_PER_H])
        blind = ~(seen[:, v.CGM_AGE_MIN] <= 15)
        cap = np.where(blind, scheduled, cap)
        # What a step of the pump leaves over of one interval may come in the next, never more than one step and
        # never above the caps; scheduled basal under a silent sensor is kept on average.
        assert (rate <= cap + np.where(blind, PUMP_STEP_U_PER_H, 0.0) + 1e-9).all()
        self.owed = np.maximum(self.owed + rate - cap, 0)
        assert (self.owed <= PUMP_STEP_U_PER_H + 1e-9).all()
        assert (dose <= bounds[:, limit.MAX_BOLUS_U] + 1e-9).all()
        assert (dose[blind] == 0).all()

        assert (self.since_bolus[dose > 0] >= 3).all()
        self.since_bolus = np.where(dose > 0, 0.0, self.since_bolus) + rows.shape[1]
        self.check_sums(basal / 60 + bolus, scheduled, bounds)

        extra = np.maximum(rate - scheduled - PUMP_STEP_U_PER_H, 0) * rows.shape[1] / 60
        room = np.maximum(bounds[:, limit.MAX_IOB_U] - seen[:, v.IOB_NET_U], 0)
        assert (dose + extra <= room + 1e-9).all()

        glucose, slope = seen[:, v.CGM_MG_DL], seen[:, v.SLOPE_MG_DL_PER_MIN]
        low = ~blind & ((glucose < 70) | (glucose + 30 * slope < 80))
        assert (rate[low] == 0).all() and (dose[low] == 0).all()

    def check_sums(self, minutes: Any, scheduled: Any, bounds: Any) -> None:
        """No 60 and no 1440 minutes in a row, whichever they begin with, hold more than they may."""
        joined = np.concatenate([self.day, minutes], axis=1)
        self.day = joined[:, -1440:]
        total = np.cumsum(np.pad(joined, ((0, 0), (1, 0))), axis=1)
        last = np.arange(joined.shape[1] - minutes.shape[1], joined.shape[1]) + 1
        hour, day = total[:, last] - total[:, last - 60], total[:, last] - total[:, last - 1440]
        most = np.maximum(bounds[:, limit.MAX_DAILY_U], 24 * scheduled)
        assert (hour <= bounds[:, limit.MAX_HOURLY_U, None] + 1e-9).all()
        assert (day <= most[:, None] + 1e-9).all()


def _single(agent: Agent, days: float, people: list[str], **keywords: Any) -> list[Watch]:
    watches = []
    for person in people:
        env = SingleEnv(person=person, days=days, **keywords)
        watch = Watch(env.core)
        env.reset(seed=7)
        for step in range(int(days * 288)):
            asked = agent(step, 1)
            action = asked[0] if isinstance(asked, np.ndarray) else asked
            *_, ended, _, info = env.step(action)
            assert np.isfinite(info["glucose_mg_dl"])
            if ended:
                env.reset()
        watches.append(watch)
    return watches


def _batch(agent: Agent, days: float, people: list[str], **keywords: Any) -> list[Watch]:
    env = envs.make_vec(ID, num_envs=len(people), cohort=people, days=days, **keywords)
    watch = Watch(env.core)
    env.reset(seed=7)
    for step in range(int(days * 288)):
        observation, *_ = env.step(agent(step, len(people)))
        assert env.observation_space.contains(observation)
    return [watch]


def _sb3(agent: Agent, days: float, people: list[str], **keywords: Any) -> list[Watch]:
    env = envs.make_vec(ID, num_envs=len(people), face="sb3", cohort=people, days=days, **keywords)
    watch = Watch(env.core)
    env.seed(7)
    env.reset()
    for step in range(int(days * 288)):
        observation, reward, *_ = env.step(agent(step, len(people)))
        assert np.isfinite(observation).all() and np.isfinite(reward).all()
    return [watch]


FACES: dict[str, Callable[..., list[Watch]]] = {"single": _single, "batch": _batch, "sb3": _sb3}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("agent", AGENTS)
def test_no_hostile_agent_gets_a_dose_out_of_bounds_in_any_face(agent: str, face: str) -> None:
    people = FEW if face != "single" else FEW[::2]
    watches = FACES[face](AGENTS[agent], 1.0, people)
    assert sum(watch.minutes for watch in watches) == len(people) * 1440


@pytest.mark.kernels
@pytest.mark.parametrize("agent", ["always the most", "all kinds of requests"])
def test_no_hostile_agent_gets_a_dose_out_of_bounds_within_an_hour(agent: str) -> None:
    (watch,) = _batch(AGENTS[agent], 1 / 24, ["adult#001", "child#001"], scenario="fasting")
    assert watch.minutes == 120


@pytest.mark.parametrize("agent", AGENTS)
def test_without_a_fresh_reading_no_dose_exceeds_scheduled_basal(agent: str) -> None:
    """The sensor is silent from 06:00 to 10:00, breakfast included, and from 17:00 to 21:00."""
    for blind in (range(72, 120), range(204, 252)):
        env = envs.make_vec(ID, num_envs=len(FEW), cohort=FEW, days=1.0)
        Watch(env.core, blind)
        env.reset(seed=3)
        for step in range(288):
            env.step(AGENTS[agent](step, len(FEW)))


@pytest.mark.parametrize("sensor", ["Dexcom", "Navigator"])
def test_bounds_hold_at_every_pace_of_the_sensor(sensor: str) -> None:
    env = envs.make_vec(ID, num_envs=len(FEW), cohort=FEW, days=1.0, sensor=sensor)
    Watch(env.core)
    env.reset(seed=3)
    for step in range(1440 // env.core.control_min):
        env.step(_wild_request(step, len(FEW)))


def test_the_watch_sees_what_it_is_there_for() -> None:
    """Without the shield the same agent breaks the bounds, so the checks above can fail."""
    for agent in ("boluses of 1000 U", "basal of 1000 U/h", "a bolus of 2 U at every reading"):
        with pytest.raises(AssertionError):
            _batch(AGENTS[agent], 1.0, FEW, shield="off")


@pytest.mark.verify
@pytest.mark.parametrize("scenario", ["simglucose", "fasting"])
@pytest.mark.parametrize("agent", AGENTS)
def test_no_hostile_agent_gets_a_dose_out_of_bounds_for_30_people_over_a_week(
    agent: str, scenario: str
) -> None:
    from twins.cohort import names

    people = list(names())
    (watch,) = _batch(AGENTS[agent], 7.0, people, scenario=scenario)
    assert watch.minutes == 30 * 7 * 1440
