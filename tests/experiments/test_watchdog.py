"""The watchdog: an agent that raises, hangs, is slow or answers wrongly loses its say, and the fallback goes on."""

import time
from typing import Any

import numpy as np
import pytest

from agents.basal_bolus import BasalBolus
from agents.broken import BAD, Broke, broken
from envs import trace
from envs.faults import AgentFault, BadAction, Bias, Dead, Raises, Slow, Stuck
from envs.shield import Reason
from envs.view import RUNNING_MIN
from experiments.simulate import run
from experiments.watchdog import Watchdog
from tests.agents import tiny_policy
from tests.envs.worlds import begun, request, seated
from twins.cohort import BASAL_U_PER_H

HOURS_4 = {"days": 4 / 24, "cohort": ["adult#001", "child#001"]}


class _Policy:
    """A policy that does what the therapy does."""

    def predict(self, observation: Any, state: Any = None, *_: Any, **__: Any) -> tuple[np.ndarray, Any]:
        return np.zeros((len(observation), 2)), (state or 0) + 1


def _run(agent: Any, fault: AgentFault | None, watchdog: Watchdog | None) -> dict[str, np.ndarray]:
    core, rows, keys = seated(2, **HOURS_4)
    if fault is not None:
        agent = broken(agent, fault)
    return run(core, rows, keys, agent, watchdog=watchdog).columns


@pytest.mark.parametrize("agent", [BasalBolus(), _Policy()], ids=["treatment", "policy"])
def test_a_sound_agent_does_not_feel_it(agent: Any) -> None:
    guard = Watchdog()
    alone, guarded = _run(agent, None, None), _run(agent, None, guard)
    assert all(
        np.array_equal(alone[name], guarded[name], equal_nan=alone[name].dtype.kind == "f") for name in alone
    )
    assert guard.failures == {} and not guard.disabled


@pytest.mark.parametrize("agent", [BasalBolus(), _Policy()], ids=["treatment", "policy"])
@pytest.mark.parametrize(
    ("fault", "failures"),
    [
        (Raises(onset_min=60), {"raised": 3}),
        (Dead(onset_min=60), {"late": 3}),
        (Slow(0.3, onset_min=60), {"late": 3}),
    ],
)
def test_after_three_failures_the_agent_is_disabled_and_scheduled_basal_goes_on(
    agent: Any, fault: AgentFault, failures: dict[str, int]
) -> None:
    guard = Watchdog(limit_s=0.1)
    began = time.monotonic()
    told = _run(agent, fault, guard)
    assert guard.disabled and guard.failures == failures
    assert time.monotonic() - began < 30
    assert (told["reason"][:, :12] != "invalid_request").all()
    assert (told["reason"][:, 12:] == "invalid_request").all()
    core = begun(2, **HOURS_4)
    scheduled = core.view.therapy[:, BASAL_U_PER_H]
    given = told["basal_u_per_h"][:, 12:].mean(axis=1)
    assert given == pytest.approx(scheduled, abs=0.05) and (told["bolus_u"][:, 12:] == 0).all()


def test_without_it_the_loop_stops_with_the_agents_error() -> None:
    with pytest.raises(ValueError, match="act of BrokenTreatment raised Broke: minute 60"):
        _run(BasalBolus(), Raises(onset_min=60), None)


@pytest.mark.parametrize("agent", [BasalBolus(), _Policy()], ids=["treatment", "policy"])
def test_bad_actions_become_the_fallback_or_stay_within_the_caps(agent: Any) -> None:
    guard = Watchdog()
    told = _run(agent, BadAction(onset_min=0, duration_min=120), guard)
    assert guard.failures == {"wrong": 24 // (len(BAD) + 1)} and not guard.disabled
    doses = np.stack([told["basal_u_per_h"], told["bolus_u"]])
    core = begun(2, **HOURS_4)
    assert np.isfinite(doses).all() and (doses >= 0).all()
    assert (doses.max(axis=2) <= core.limits[:, :2].T + 1e-9).all()
    assert (told["reason"][:, [0, 1, 4]] == "invalid_request").all()  # not a number, infinity, wrong shape


def test_a_stuck_agent_repeats_itself_until_it_is_free() -> None:
    core = begun(1)
    agent: Any = broken(BasalBolus(), Stuck(onset_min=60, duration_min=60))
    core.view.now[0, RUNNING_MIN] = 60
    first = agent.act(core.view)
    core.view.therapy[0, BASAL_U_PER_H] *= 2
    core.view.now[0, RUNNING_MIN] = 115
    assert agent.act(core.view) is first
    core.view.now[0, RUNNING_MIN] = 120
    assert agent.act(core.view).basal_u_per_h[0] == 2 * first.basal_u_per_h[0]


def test_a_treatment_that_repeats_its_boluses_is_stuck_until_it_asks_for_something_else() -> None:
    guard, core = Watchdog(), begun(2, shield="off")
    bolus = np.array([0.0, 2.0])

    def ask() -> Any:
        return request(core, 1.0, bolus), None

    given = [guard.decide(core, ask, None)[0].trace[1, 0, trace.BOLUS_U] for _ in range(5)]
    assert given == [2.0, 2.0, 0.0, 0.0, 0.0] and guard.failures == {"stuck": 3} and not guard.disabled
    bolus[0] = 0.1
    assert guard.decide(core, ask, None)[0].trace[1, 0, trace.BOLUS_U] == 2.0
    bolus[:] = 0.0  # the same rate for hours is what a basal rate is
    given = [guard.decide(core, ask, None)[0].trace[1, 0, trace.BASAL_U_PER_H] for _ in range(5)]
    assert given == [1.0] * 5 and guard.failures == {"stuck": 3}


def test_a_broken_policy_keeps_its_policys_facts_and_counts_from_the_episodes_beginning() -> None:
    policy = tiny_policy.make() if hasattr(tiny_policy, "make") else None
    agent: Any = broken(policy or _Policy(), Raises(onset_min=10), 5)
    if policy is not None:
        assert agent.decision_min == policy.decision_min
    with pytest.raises(AttributeError):
        agent.no_such_fact  # noqa: B018
    for _ in range(2):
        agent.predict(np.zeros((1, 35)), None, np.ones(1, bool))
        agent.predict(np.zeros((1, 35)), None, np.zeros(1, bool))
        with pytest.raises(Broke):
            agent.predict(np.zeros((1, 35)), None, np.zeros(1, bool))


def test_an_answer_in_time_makes_good_what_went_wrong_before() -> None:
    guard, core = Watchdog(after=2), begun(1)

    def bad() -> Any:
        raise RuntimeError

    for ask in (bad, lambda: (request(core, 1.0), 7), bad):
        done, state = guard.decide(core, ask, 5)
        assert state == (5 if ask is bad else 7)
        assert (done.trace[0, 0, trace.REASON] == Reason.INVALID_REQUEST) == (ask is bad)
    assert not guard.disabled and guard.failures == {"raised": 2}
    guard.decide(core, bad, 5)
    assert guard.disabled


def test_wrong_limits_and_wrong_faults_are_refused() -> None:
    with pytest.raises(ValueError, match="allowed are limits above 0"):
        Watchdog(limit_s=0)
    with pytest.raises(ValueError, match="is no fault of an agent"):
        broken(BasalBolus(), Bias(0.2))  # type: ignore[arg-type]
