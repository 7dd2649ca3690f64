"""The one loop behind every number: the same people, meals and noise for every agent, whoever else is there."""

import hashlib
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agents import frozen
from agents.base import Agent
from agents.load import load
from envs.core import Core
from envs.roster import Roster
from envs.tasks.dosing import Dosing
from envs.therapy import Request
from envs.view import View
from experiments import simulate as loop
from experiments.protocol import _LATER, ProtocolConfig, load_protocol
from experiments.simulate import Rollout, join, setting_of, simulate, world
from tests.agents import tiny_policy
from twins import cohort, random

PEOPLE = ("adult#001", "adolescent#003", "child#002")


def _protocol(**changes: Any) -> ProtocolConfig:
    small = {"people": PEOPLE, "days": 0.5, "replicas": 2} | changes
    return load_protocol("simglucose-default").model_copy(update=small)


def _policy(**changes: Any) -> frozen.FrozenPolicy:
    plain = tiny_policy.manifest(**changes)
    return frozen.FrozenPolicy(
        frozen.Manifest(**plain, weights_sha256="-"), tiny_policy.weights(plain, scale=0.1)
    )


class _Asks:
    """The same request at every reading."""

    def __init__(self, basal_u_per_h: float, bolus_u: float = 0.0) -> None:
        self._asked = basal_u_per_h, bolus_u

    def act(self, view: View) -> Request:
        basal, bolus = self._asked
        return Request(np.full(len(view), basal), np.full(len(view), bolus))


class _Notes:
    """A policy that notes what it is asked, and does nothing."""

    decision_min = 60

    def __init__(self) -> None:
        self.asked: list[tuple[Any, NDArray[Any], bool]] = []
        self.seen: list[NDArray[Any]] = []

    def predict(
        self,
        observation: NDArray[Any],
        state: Any = None,
        episode_start: NDArray[Any] | None = None,
        deterministic: bool = False,
    ) -> tuple[NDArray[Any], Any]:
        assert episode_start is not None
        self.asked.append((state, episode_start.copy(), deterministic))
        self.seen.append(observation.copy())
        return np.zeros((len(observation), 2)), len(self.asked)


def _rows(rollout: Rollout, keep: NDArray[Any]) -> dict[str, NDArray[Any]]:
    parts = {"failed_side": rollout.failed_side[keep], "failure_sample": rollout.failure_sample[keep]}
    return parts | {name: column[keep] for name, column in rollout.columns.items()}


def _assert_equal(one: dict[str, NDArray[Any]], other: dict[str, NDArray[Any]]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.fixture(params=["basal-bolus", "low-glucose-suspend", "policy"])
def agent(request: pytest.FixtureRequest) -> Agent:
    return _policy() if request.param == "policy" else load(request.param)


# --- company ----------------------------------------------------------------------------------------------
def test_a_person_lives_the_same_days_alone_as_among_all_people(agent: Agent) -> None:
    everybody = _protocol(people=("all",))
    together = simulate(agent, everybody, "rule")
    ids = cohort.select("all")
    for person in ("adult#001", "adolescent#010", "child#007"):
        alone = simulate(agent, _protocol(people=(person,)), "rule")
        lanes = np.array([ids.index(person), ids.index(person) + len(ids)])
        _assert_equal(_rows(alone, np.arange(2)), _rows(together, lanes))


@pytest.mark.parametrize("lanes", [1, 4])
def test_lanes_simulated_in_portions_are_the_same(
    agent: Agent, lanes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = simulate(agent, _protocol(), "rule")
    monkeypatch.setattr(loop, "LANES", lanes)
    parts = simulate(agent, _protocol(), "rule")
    _assert_equal(_rows(whole, np.arange(6)), _rows(parts, np.arange(6)))


def test_more_replicas_add_days_and_change_none(agent: Agent) -> None:
    few, many = simulate(agent, _protocol(), "rule"), simulate(agent, _protocol(replicas=4), "rule")
    _assert_equal(_rows(few, np.arange(6)), _rows(many, np.arange(6)))
    days = [tuple(row) for row in many.columns["carbs_g"]]
    assert len(set(days)) == len(days), "replicas are days of their own"


def test_the_same_call_gives_the_same_days_and_another_seed_or_split_others() -> None:
    agent = load("basal-bolus")
    first, again = (simulate(agent, _protocol(), "rule") for _ in range(2))
    _assert_equal(_rows(first, np.arange(6)), _rows(again, np.arange(6)))
    for other in (_protocol(seed=20001), _protocol(split="validation"), _protocol(split="train")):
        days = simulate(agent, other, "rule")
        assert not np.array_equal(days.columns["carbs_g"], first.columns["carbs_g"])
        assert not np.array_equal(days.columns["cgm_mg_dl"], first.columns["cgm_mg_dl"])


# --- pairs --------------------------------------------------------------------------------------------------
def test_two_agents_meet_the_same_meals_and_the_same_sensor_noise() -> None:
    noise, meals, glucose = [], [], []
    for agent in (load("basal-bolus"), load("constant-basal"), _policy()):
        setting = setting_of(_protocol(), "off", getattr(agent, "decision_min", None))
        core = Core(setting, Dosing(), 6)
        rows, keys = Roster(setting.cohort, 6, setting.split, setting.seed).next(np.arange(6))
        rollout = loop.run(core, rows, keys, agent)
        noise.append((core.noise.copy(), core.sensor_state.copy()))
        meals.append((rollout.columns["carbs_g"], rollout.columns["announced_g"]))
        glucose.append(rollout.glucose_mg_dl)
    for other in (1, 2):
        for mine, theirs in zip(noise[0] + meals[0], noise[other] + meals[other], strict=True):
            np.testing.assert_array_equal(mine, theirs)
        assert not np.array_equal(glucose[0], glucose[other])
    assert noise[0][0].any() and meals[0][0].any()


def test_the_shield_changes_doses_and_not_the_day() -> None:
    agent = _Asks(8.0)
    on, off = simulate(agent, _protocol(), "rule"), simulate(agent, _protocol(), "off")
    np.testing.assert_array_equal(on.columns["carbs_g"], off.columns["carbs_g"])
    assert set(off.columns["reason"].ravel()) == {"none"}
    assert "max_basal" in on.columns["reason"]
    assert on.columns["basal_u_per_h"].sum() < off.columns["basal_u_per_h"].sum()
    np.testing.assert_array_equal(on.columns["requested_basal_u_per_h"], 8.0)


# --- what a policy is asked -----------------------------------------------------------------------------------
def test_a_policy_is_asked_at_its_own_interval_and_keeps_its_state() -> None:
    policy = _Notes()
    rollout = simulate(policy, _protocol(), "rule")
    assert len(policy.asked) == 12 and rollout.glucose_mg_dl.shape == (6, 144)
    assert [state for state, _, _ in policy.asked] == [None, *range(1, 12)]
    assert policy.asked[0][1].all() and not any(begins.any() for _, begins, _ in policy.asked[1:])
    assert all(deterministic for _, _, deterministic in policy.asked)
    assert all(seen.shape == (6, 35) and seen.dtype == np.float32 for seen in policy.seen)


def test_an_action_of_zero_is_basal_bolus() -> None:
    """So a learned policy and its baseline differ in what was learned alone."""
    still, plain = simulate(_Notes(), _protocol(), "rule"), simulate(load("basal-bolus"), _protocol(), "rule")
    np.testing.assert_array_equal(still.columns["basal_u_per_h"], plain.columns["basal_u_per_h"])
    np.testing.assert_array_equal(still.glucose_mg_dl, plain.glucose_mg_dl)


def test_a_policy_without_an_interval_decides_at_every_reading() -> None:
    class Often(_Notes):
        decision_min = None  # type: ignore[assignment]

    policy = Often()
    simulate(policy, _protocol(), "rule")
    assert len(policy.asked) == 144


def test_only_under_oracle_true_does_an_agent_see_the_body() -> None:
    seen: list[bool] = []

    class Looks:
        oracle = False

        def act(self, view: View) -> Request:
            seen.append(view.oracle_state is not None and view.oracle_glucose_mg_dl is not None)
            return Request.absent(len(view))

    class Oracle(Looks):
        oracle = True

    simulate(Looks(), _protocol(), "rule")
    assert not any(seen)
    seen.clear()
    simulate(Oracle(), _protocol(), "rule")
    assert all(seen)
    assert simulate(_policy(oracle=True), _protocol(), "rule").glucose_mg_dl.shape == (6, 144)


def test_a_policy_of_basal_rates_gives_no_bolus() -> None:
    rollout = simulate(_policy(action="basal"), _protocol(), "off")
    assert not rollout.columns["bolus_u"].any() and rollout.columns["basal_u_per_h"].any()


def test_a_policy_that_saw_other_things_in_training_is_refused() -> None:
    names = tiny_policy.manifest()["observation_names"]
    with pytest.raises(ValueError, match="trained on other observations .* train it again"):
        simulate(_policy(observation_names=("new", *names[1:])), _protocol(), "rule")


@pytest.mark.parametrize(
    ("acts", "message"),
    [
        (lambda n: Request(np.zeros(n + 1), np.zeros(n)), r"basal_u_per_h of a request has shape \(7,\)"),
        (lambda n: Request(np.zeros(n), np.zeros((n, 1))), r"bolus_u of a request has shape \(6, 1\)"),
        (lambda n: Request(np.array(["much"] * n), np.zeros(n)), "is not numeric"),
    ],
)
def test_a_treatment_whose_request_does_not_fit_is_refused(acts: Any, message: str) -> None:
    class Odd:
        def act(self, view: View) -> Request:
            request: Request = acts(len(view))
            return request

    with pytest.raises(ValueError, match=message):
        simulate(Odd(), _protocol(), "rule")


@pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 3), (5, 2), (1, 6, 2)])
def test_a_policy_whose_action_has_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    class Odd(_Notes):
        def predict(self, *_: Any, **__: Any) -> tuple[NDArray[Any], Any]:
            return np.zeros(shape), None

    with pytest.raises(ValueError, match=r"the action has shape .*; needed is \(6, 2\): basal, bolus"):
        simulate(Odd(), _protocol(), "rule")


def test_a_decision_that_the_sensor_cannot_time_is_refused() -> None:
    with pytest.raises(ValueError, match="decision_min is 7; .* multiple of 5"):
        simulate(_policy(decision_min=7), _protocol(), "rule")


# --- time -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("decision_min", [30, 50, 145, 500, 720])
def test_no_agent_is_scored_on_more_time_than_was_planned(decision_min: int) -> None:
    """Though its last decision reaches beyond the end."""
    rollout = simulate(_policy(decision_min=decision_min), _protocol(), "rule")
    assert rollout.glucose_mg_dl.shape == (6, 144)
    assert all(column.shape == (6, 144) for column in rollout.columns.values())
    assert rollout.columns["minute"][0].tolist() == list(range(5, 725, 5))
    assert (rollout.failure_sample <= 144).all()


def test_warm_up_is_simulated_and_not_scored() -> None:
    agent = load("basal-bolus")
    whole = simulate(agent, _protocol(days=1.0), "rule")
    late = simulate(agent, _protocol(days=0.5, warmup_days=0.5), "rule")
    assert late.glucose_mg_dl.shape == (6, 144)
    for name, column in late.columns.items():
        np.testing.assert_array_equal(column, whole.columns[name][:, 144:])
    assert late.columns["minute"][0, 0] == 725


def test_who_dies_in_the_warm_up_is_dead_for_all_of_the_scored_time() -> None:
    deadly = _Asks(30.0, 10.0)
    rollout = simulate(deadly, _protocol(warmup_days=0.5), "off")
    assert (rollout.failed_side == "low").all() and (rollout.failure_sample == 0).all()


def test_a_failure_is_found_in_the_minute_in_which_it_happens() -> None:
    """Also when glucose is back within the bounds at the end of the interval, as at the top of a peak."""
    agent, protocol = load("constant-basal"), _protocol(days=1.0)
    setting = setting_of(protocol, "off")
    core = Core(setting, Dosing(), 6)
    core.reset(*Roster(setting.cohort, 6, setting.split, setting.seed).next(np.arange(6)))
    minutes = np.concatenate(
        [core.step(agent.act(core.view)).trace[:, :, 0].copy() for _ in range(288)],  # type: ignore[union-attr]
        axis=1,
    )
    ends = minutes[:, 4::5].max(axis=1)
    lane = int(np.argmax((minutes.max(axis=1) - ends) * (ends > 250)))
    top = float(minutes[lane].max())
    assert 250 < ends[lane] < top, "a peak between two readings"
    bound = (top + float(ends[lane])) / 2
    rollout = simulate(agent, protocol.model_copy(update={"glucose_failure_high_mg_dl": bound}), "off")
    beyond = (minutes > bound).reshape(6, 288, 5).any(axis=2)
    expected = np.where(beyond.any(axis=1), beyond.argmax(axis=1), 288)
    np.testing.assert_array_equal(rollout.failure_sample, expected)
    np.testing.assert_array_equal(rollout.failed_side, np.where(expected < 288, "high", ""))
    assert expected[lane] == minutes[lane].argmax() // 5


def test_rollouts_are_joined_in_order() -> None:
    one, other = (simulate(load("basal-bolus"), _protocol(people=(who,)), "rule") for who in PEOPLE[:2])
    both = join([one, other])
    np.testing.assert_array_equal(
        both.glucose_mg_dl, np.concatenate([one.glucose_mg_dl, other.glucose_mg_dl])
    )
    _assert_equal(_rows(both, np.arange(2, 4)), _rows(other, np.arange(2)))


class _Liar:
    """Tells the shield, through the view it was given, that glucose is high and no insulin on board."""

    def act(self, view: Any) -> Request:
        for array in (view.now, view.cgm_buffer, view.therapy):
            array.setflags(write=True)
            array[...] = 250.0
        return Request(np.full(len(view), 1e9), np.full(len(view), 1e9))


class _Greedy:
    def act(self, view: Any) -> Request:
        return Request(np.full(len(view), 1e9), np.full(len(view), 1e9))


def test_an_agent_cannot_lift_the_shield_by_writing_into_what_it_is_shown() -> None:
    protocol = load_protocol("simglucose-default").model_copy(
        update={"people": ("adult#001",), "days": 0.5, "replicas": 1}
    )
    lied, asked = (simulate(agent, protocol, "rule").columns for agent in (_Liar(), _Greedy()))
    np.testing.assert_array_equal(lied["bolus_u"], asked["bolus_u"])
    np.testing.assert_array_equal(lied["glucose_mg_dl"], asked["glucose_mg_dl"])


class _Raises:
    def act(self, view: View) -> Request:
        raise KeyError("glucose")


def test_what_an_agent_raises_names_it_and_the_place() -> None:
    with pytest.raises(
        ValueError, match=r"act of _Raises raised KeyError: 'glucose' \(test_simulate.py, line \d+\)"
    ):
        simulate(_Raises(), _protocol(), "rule")


def test_a_treatment_that_gives_no_request_is_refused() -> None:
    class Dict:
        def act(self, view: Any) -> Any:
            return np.zeros((len(view), 2))

    protocol = load_protocol("simglucose-default").model_copy(
        update={"people": ("adult#001",), "days": 0.5, "replicas": 1}
    )
    with pytest.raises(
        ValueError, match=r"act\(view\) of Dict gave ndarray; needed is an envs.therapy.Request"
    ):
        simulate(Dict(), protocol, "rule")


def test_meals_are_of_the_size_that_is_asked_for_and_a_protocol_without_keeps_its_hash() -> None:
    protocol = load_protocol("personal")
    sized = protocol.model_copy(update={"carbs_g_per_day": 60.0})
    keys = random.keys("test", 1, np.arange(200), 0, 0)
    eaten = [
        world(one)["scenario"].events(keys, np.full(200, 70.0), 5.0).eat_g.sum(axis=1).mean() / 5
        for one in (protocol, sized)
    ]
    assert eaten[0] == pytest.approx(194, rel=0.03) and eaten[1] == pytest.approx(60, rel=0.03)
    assert sized.hash("") != protocol.hash("")
    # The hash of the days before there was this setting: results made then are of the same protocol.
    plain = json.dumps(
        protocol.model_dump(mode="json", exclude=set(_LATER)), sort_keys=True, separators=(",", ":")
    )
    assert protocol.hash("x") == hashlib.sha256(f"{plain}\nx".encode()).hexdigest()
    with pytest.raises(ValueError, match=r"carbs_g_per_day is 60, but fasting has meals of its own"):
        world(sized.model_copy(update={"scenario": "fasting"}))
