"""Learning from logs: what is logged, what is learned of it, and what it is said to be worth, by known answers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agents import frozen
from agents.load import load
from envs.core import Core
from envs.faces.sb3 import Sb3Env
from envs.roster import Roster
from experiments.offline import logged, minari, study, td3_bc, worth
from experiments.offline.logged import NOISE_KEPT, NOISE_SD, Log, log_density
from experiments.offline.td3_bc import Settings
from experiments.offline.worth import Fitted, Worth
from scripts import offline as script
from tests.agents import tiny_policy

PEOPLE = ("adult#001", "child#001")


@pytest.fixture(scope="module")
def small() -> tuple[Any, Log, list[logged.Moment]]:
    """Two people, three episodes each, of two days under the closed loop."""
    around = study.world(5, days=2.0)
    rows = [around.cohort.ids.index(person) for person in PEOPLE]
    few = replace(around, cohort=around.cohort.take(rows), believed=None)
    log, moments = logged.collect(few, load("pid"), 3, 7, keep=(0, 96))  # type: ignore[arg-type]
    return few, log, moments


def _actions(log: Log) -> NDArray[np.float64]:
    return log.actions[:, :, None]


def test_a_log_holds_what_the_core_shows_and_gives_under_these_actions(small: Any) -> None:
    around, log, _ = small
    core = Core(around, logged.task(), 6)
    rows, keys = Roster(around.cohort, 6, "train", 5).next(np.arange(6))
    observation = core.reset(rows, keys)
    for decision in range(log.raw.shape[1]):
        np.testing.assert_array_equal(log.observations[:, decision], observation)
        done = core.step(_actions(log)[:, decision])
        np.testing.assert_array_equal(log.rewards[:, decision], done.reward)
        observation = done.obs
    assert log.raw.shape == (6, 192) and log.person.tolist() == list(PEOPLE) * 3


def test_the_logged_action_stands_for_the_closed_loop_s_rate_and_noise_is_as_it_says(small: Any) -> None:
    _, log, _ = small
    noise = (log.raw - log.meant).ravel()
    assert noise.std() == pytest.approx(NOISE_SD, rel=0.25)
    pairs = np.corrcoef((log.raw - log.meant)[:, :-1].ravel(), (log.raw - log.meant)[:, 1:].ravel())[0, 1]
    assert pairs == pytest.approx(NOISE_KEPT, abs=0.06)
    assert (np.abs(log.meant) <= 1).all() and log.meant.std() > 0.1


def test_after_a_failure_nothing_is_a_transition() -> None:
    valid = np.array([[True, True, False]])
    log = Log(
        np.arange(8, dtype=np.float32).reshape(1, 4, 2), np.zeros((1, 3)), np.array([[0.5, 2.0, 0.0]]),
        np.array([[1.0, 2.0, 3.0]]), np.array([[False, True, False]]), valid, np.array(["a"]),
    )  # fmt: skip
    seen, done, reward, then, ended = log.transitions()
    assert seen.tolist() == [[0, 1], [2, 3]] and then.tolist() == [[2, 3], [4, 5]]
    assert done.tolist() == [[0.5], [1.0]] and reward.tolist() == [1, 2] and ended.tolist() == [0, 1]


def test_the_density_of_the_noise_is_that_of_its_process() -> None:
    noise = np.array([[0.1, 0.2, -0.1]])
    fresh = NOISE_SD * np.sqrt(1 - NOISE_KEPT**2)
    by_hand = [
        -0.5 * (0.1 / NOISE_SD) ** 2 - np.log(NOISE_SD),
        *(-0.5 * ((b - NOISE_KEPT * a) / fresh) ** 2 - np.log(fresh) for a, b in ((0.1, 0.2), (0.2, -0.1))),
    ]
    np.testing.assert_allclose(log_density(noise)[0], by_hand)


def _two_step(episodes: int, seed: int = 0) -> Log:
    """A world of two decisions: reward a in the first, 2 a in the second; the log acts by noise around 0."""
    draw = np.random.default_rng(seed)
    noise = np.zeros((episodes, 2))
    noise[:, 0] = NOISE_SD * draw.standard_normal(episodes)
    noise[:, 1] = NOISE_KEPT * noise[:, 0] + NOISE_SD * np.sqrt(1 - NOISE_KEPT**2) * draw.standard_normal(
        episodes
    )
    observations = np.zeros((episodes, 3, 2), np.float32)
    observations[:, 1, 0] = observations[:, 2, 1] = 1.0
    rewards = noise * np.array([1.0, 2.0])
    ended = np.tile(np.array([False, True]), (episodes, 1))
    return Log(
        observations, np.zeros_like(noise), noise, rewards, ended, np.ones_like(ended), np.full(episodes, "a")
    )


def _always(value: float) -> worth.Act:
    return lambda observations: np.full(len(observations), value)


@pytest.mark.slow
def test_fitted_q_and_the_doubly_robust_estimate_find_a_known_value() -> None:
    log, act, gamma = _two_step(4_000), _always(0.05), 0.9
    truth = 0.05 + gamma * 0.1
    fitted = Fitted(log, act, gamma, members=3, steps=700, batch=256)
    said = fitted.worth(log.observations[:, 0], np.random.default_rng(0).normal(0, 0.3, 4_000))
    assert (
        said.value == pytest.approx(truth, abs=0.02) and said.low is not None and said.low < truth < said.high
    )  # type: ignore[operator]
    robust = worth.doubly_robust(log, fitted, act, gamma)
    assert robust.value == pytest.approx(truth, abs=0.005)
    assert robust.ess is not None and 50 < robust.ess < 4_000


@pytest.mark.slow
def test_with_a_wrong_q_the_doubly_robust_estimate_is_still_right() -> None:
    log, act, gamma = _two_step(40_000, 3), _always(0.1), 0.9
    wrong = Fitted(log, act, gamma, members=2, steps=1)
    robust = worth.doubly_robust(log, wrong, act, gamma)
    assert robust.low is not None and robust.high is not None
    assert robust.low < 0.1 + gamma * 0.2 < robust.high and robust.high - robust.low < 0.1


def test_with_a_q_that_is_curved_the_noise_of_the_policy_is_reckoned_in() -> None:
    """The logged policy itself, rewards of zero: the truth is 0 whatever Q says, also where the noise goes on."""
    log, act = _two_step(20_000, 5), _always(0.0)
    log = replace(log, rewards=np.zeros_like(log.rewards))
    last = log.raw[:, 0]
    later = log.between(1, 2)

    class Curved(Fitted):
        def __init__(self) -> None:
            self._act = act

        def q(self, observations: NDArray[np.float32], actions: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.stack([-(actions**2)] * 2)

    for one, before in ((log, None), (later, last)):
        said = worth.doubly_robust(one, Curved(), act, 0.9, before)
        assert said.value == pytest.approx(0.0, abs=2e-3)


def test_noise_that_goes_on_has_weights_of_one_on_average() -> None:
    """A policy that follows the noise before, which its state may hold."""
    log = _two_step(40_000, 6)
    last, later = log.raw[:, 0], log.between(1, 2)
    ours = 0.1 * np.sign(last)[:, None]
    ratio = log_density(later.raw - ours, last) - log_density(later.raw - later.meant, last)
    assert np.exp(ratio).mean() == pytest.approx(1.0, abs=0.05)


def test_the_noise_of_an_episode_hangs_on_its_key_and_seed_alone() -> None:
    keys = np.arange(18, dtype=np.uint32).reshape(3, 6)
    noise = logged.exploration(keys, 50, 3)
    np.testing.assert_array_equal(logged.exploration(keys[1:2], 20, 3)[0], noise[1, :20])
    assert not np.array_equal(logged.exploration(keys, 50, 4), noise)


def test_weights_that_rest_on_few_episodes_are_refused() -> None:
    log = _two_step(200)
    fitted = Fitted(log, _always(1.0), 0.9, members=2, steps=1)
    refused = worth.doubly_robust(log, fitted, _always(1.0), 0.9)
    assert refused.value is None and refused.ess is not None and refused.ess < worth.LEAST_ESS


def test_the_logged_policy_itself_has_weights_of_one() -> None:
    log = _two_step(100)
    fitted = Fitted(log, _always(0.0), 0.9, members=2, steps=1)
    assert worth.doubly_robust(log, fitted, _always(0.0), 0.9).ess == pytest.approx(100)


def test_coverage_counts_what_was_not_refused() -> None:
    said = [Worth(1.0, 0.5, 1.5), Worth(1.0, 0.5, 1.5), Worth(None)]
    assert worth.covered(said, np.array([1.0, 2.0, 1.0])) == 0.5
    assert np.isnan(worth.covered([Worth(None)], np.array([1.0])))


@pytest.mark.slow
def test_a_learner_without_value_clones_and_with_value_leaves_the_log_for_better_actions(small: Any) -> None:
    """Rewards of the log are replaced by minus the distance to an action that was seldom done."""
    _, log, _ = small
    seen, done, _, then, ended = log.transitions()
    wanted = 0.6
    transitions = seen, done, (1 - (done[:, 0] - wanted) ** 2).astype(np.float32), then, ended
    env = Sb3Env(1, cohort="adult#001", action="hybrid")
    settings = {"steps": 700, "batch": 128, "net_arch": (32, 32), "gamma": 0.0, "learning_rate": 1e-3}
    clone, greedy = (
        td3_bc.learn(env, transitions, Settings(alpha=alpha, **settings), 0).predict(seen)[0].mean()  # type: ignore[arg-type]
        for alpha in (0.0, 20.0)
    )
    assert clone == pytest.approx(done.mean(), abs=0.15)
    assert abs(greedy - wanted) < abs(clone - wanted) - 0.2


def test_the_study_trains_a_policy_that_protocols_can_judge(tmp_path: Path) -> None:
    settings = Settings(steps=20, batch=32, net_arch=(16, 16))
    made = study.train(tmp_path / "policy", 3, settings, replicas=2)
    held = frozen.load(tmp_path / "policy")
    assert (held.action, held.decision_min, held.manifest.trained_on["protocol"]) == (
        "hybrid",
        15,
        "emerson2023",
    )
    assert held.manifest.trained_on["learner"] == "td3-bc" and len(held.manifest.trained_on["people"]) == 30
    seen = np.zeros((3, len(held.manifest.observation_names)))
    np.testing.assert_array_equal(held.predict(seen)[0], made.predict(seen)[0])


def test_truth_is_lived_from_the_logged_moments(small: Any) -> None:
    around, log, moments = small
    same = study._future(around, moments[1], _replay(log), 0.9)
    np.testing.assert_allclose(same, worth.returns(log.rewards[:, 96:], log.valid[:, 96:], 0.9), atol=0.02)


def _replay(log: Log) -> worth.Act:
    """The logged actions of the second day, decision by decision, then zero."""
    left = iter(range(96, log.raw.shape[1]))

    def act(observations: NDArray[np.float32]) -> NDArray[np.float64]:
        decision = next(left, None)
        return np.zeros(len(observations)) if decision is None else log.actions[:, decision]

    return act


@pytest.mark.filterwarnings("ignore::ImportWarning", "ignore::DeprecationWarning")  # of what Minari imports
def test_a_log_is_read_back_by_minari_as_it_was(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import minari as library

    _, log, _ = small
    where = minari.new_folder(tmp_path, "emerson2023")
    minari.export(log, where)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    data = library.load_dataset(where.name)
    episodes = list(data.iterate_episodes())
    assert len(episodes) == 6 and data.total_steps == int(log.valid.sum())
    for row, one in enumerate(episodes):
        np.testing.assert_array_equal(one.observations, log.observations[row, : len(one.rewards) + 1])
        np.testing.assert_allclose(one.actions[:, 0], log.actions[row, : len(one.rewards)], atol=1e-6)
        np.testing.assert_array_equal(one.rewards, log.rewards[row, : len(one.rewards)])
    with pytest.raises(FileExistsError, match="is there already"):
        minari.new_folder(tmp_path, "emerson2023")


def test_wrong_words_and_other_policies_are_refused(tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "out")]
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / frozen.MANIFEST).write_text("a policy")
    with pytest.raises(FileExistsError, match="holds a policy"):
        script.main(["--train", "--out", str(tmp_path / "kept")])
    with pytest.raises(ValueError, match="--replicas: 1 given; give 2 or more"):
        script.main(["--train", "--replicas", "1", *out])
    plain = tiny_policy.manifest()
    for name, data in frozen.pack(plain, tiny_policy.weights(plain)).items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(
        ValueError, match="deciding modulation every 30 min .*; the log is of hybrid every 15 min"
    ):
        script.main(["--worth", str(tmp_path), *out])
