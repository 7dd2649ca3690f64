"""Attributions: the torch copy is the policy, shares add up, and the deletion test by hand on a linear policy."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from agents import frozen
from agents.load import POLICIES
from envs import view as v
from envs.core import Core
from envs.setting import make_setting
from envs.tasks.dosing import Dosing
from envs.therapy import Request
from experiments.explain import attribution, deletion
from experiments.explain.attribution import TOLERANCE, integrated
from experiments.explain.deletion import KINDS, SINGLE, deleted, remaining, verdict
from experiments.explain.inputs import FAMILIES, INPUTS, family
from experiments.explain.network import Asked, Network, factors
from experiments.explain.sanity import agreement, shuffled
from twins import random
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, DAILY_INSULIN_U

COPIES = (
    "ppo-history/fold0-seed0",
    "sac/fold0-seed0",
    "td3/fold0-seed0",
    "tqc/fold0-seed0",
    "crossq/fold0-seed0",
)


def _rows(count: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.7, (count, width))


def _copy(name: str) -> Path:
    """A committed copy; of those trained on other protocols the first there is."""
    folder = POLICIES / name
    return folder if folder.is_dir() else min((POLICIES / name.split("/")[0]).glob("*/"))


@pytest.mark.parametrize("name", COPIES)
def test_the_torch_copy_is_the_policy(name: str) -> None:
    policy = frozen.load(_copy(name))
    rows = _rows(500, len(policy.manifest.observation_names))
    with torch.no_grad():
        copied = Network(policy.actor)(torch.tensor(rows)).numpy()
    assert np.abs(copied - policy.predict(rows)[0]).max() < 1e-5


@pytest.mark.parametrize("kind", ["modulation", "basal", "hybrid", "closed-loop"])
def test_what_is_asked_is_what_the_task_decodes(kind: str) -> None:
    setting = make_setting(cohort=["adult#001", "child#002"], days=1, scenario="simglucose")
    task = Dosing(kind)
    core = Core(setting, task, 2)
    core.reset(np.arange(2), random.keys("train", 0, setting.cohort.numbers, 0, 0))
    core.view.now[:, v.UNCOVERED_G] = 30.0
    scheduled = core.view.therapy[:, BASAL_U_PER_H]
    own = 30.0 / core.view.therapy[:, CARB_RATIO_G_PER_U]
    for action in np.linspace(-1, 1, 9):
        both = np.full((2, len(task.fields)), action)
        asked: Request = task.decode(both, core.view)
        told = factors(kind, torch.tensor(both)).numpy()  # type: ignore[arg-type]
        insulin = asked.basal_u_per_h + (
            asked.bolus_u * 60 / core.view.interval_min if kind == "closed-loop" else 0
        )
        np.testing.assert_allclose(told[:, 0], insulin / scheduled, rtol=1e-12, atol=1e-12)
        if kind == "modulation":
            np.testing.assert_allclose(told[:, 1], asked.bolus_u / own, rtol=1e-12)


def test_shares_add_up_to_what_is_asked_for() -> None:
    policy = frozen.load(POLICIES / "ppo-history" / "fold0-seed0")
    asked, rows = Asked(policy), _rows(60, 131)
    baseline = rows.mean(axis=0)
    for output in (0, 1):
        found = integrated(asked, rows, baseline, output)
        with torch.no_grad():
            value = asked(torch.tensor(rows))[:, output].numpy()
            at = float(asked(torch.tensor(baseline)[None])[0, output])
        assert found.at_baseline == pytest.approx(at, abs=1e-12)
        np.testing.assert_allclose(found.shares.sum(axis=1), value - at, atol=TOLERANCE)
        np.testing.assert_allclose(found.missed, found.shares.sum(axis=1) - (value - at), atol=1e-12)


def test_a_miss_of_completeness_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution, "STEPS", 2)
    monkeypatch.setattr(attribution, "MOST_STEPS", 1)
    policy = frozen.load(POLICIES / "ppo-history" / "fold0-seed0")
    rows = 3 * _rows(60, 131)
    found = integrated(Asked(policy), rows, np.zeros(131), 0)
    assert np.abs(found.missed).max() > TOLERANCE


def test_a_policy_with_a_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="has a memory"):
        Asked(frozen.load(_copy("recurrent-ppo/fold0-seed0")))


@pytest.mark.parametrize("shapes", [((3, 4), (5,)), ((4,), (4,))])
def test_shapes_that_do_not_fit_are_named(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="do not fit; needed are"):
        integrated(nn.Identity(), np.zeros(shapes[0]), np.zeros(shapes[1]), 0)


class Linear(nn.Module):
    """3 a - 2 b + c, whatever d is."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return rows @ torch.tensor([[3.0], [-2.0], [1.0], [0.0]], dtype=torch.float64)


ONE = np.array([[1.0, 1.0, 1.0, 1.0]])
ZERO = np.zeros(4)


def test_of_a_linear_policy_the_shares_are_exact() -> None:
    found = integrated(Linear(), ONE, ZERO, 0)
    np.testing.assert_allclose(found.shares, [[3.0, -2.0, 1.0, 0.0]], atol=1e-7)  # captum rounds its weights
    np.testing.assert_allclose(found.missed, 0.0, atol=1e-7)


def test_the_deletion_curve_of_a_linear_policy_by_hand() -> None:
    """2 asked for, 0 at the baseline: without a -1, without b 1, without c 0."""
    left = remaining(Linear(), ONE, ZERO, 0, np.arange(4), np.array([[0, 1, 2]]))
    np.testing.assert_allclose(left, [[2.0, 1.0, 1.0, 0.0]], atol=1e-12)
    single, kinds = deleted(Linear(), ONE, ZERO, 0, ["p", "p", "q", "r"], "somebody", orders=2000)
    assert (single.what, kinds.what) == (SINGLE, KINDS)
    np.testing.assert_allclose(single.left["integrated"], [[2, 1, 1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(single.left["gradient"], single.left["integrated"], atol=1e-12)
    # Kinds: p gives 1, q gives 1, r 0; without p 1 is left, without q 0. Two of three are deleted, ties at random.
    assert kinds.left["integrated"].shape == (1, 3)
    assert kinds.left["integrated"][0, 2] == pytest.approx(0, abs=1e-12)
    # One input at random: a leaves 1, b 4, c 1, d 2.
    assert single.left["random"][0, 1] == pytest.approx(2.0, abs=0.1)
    assert single.curve("integrated") == pytest.approx([1, 0.5, 0.5, 0, 0])
    assert single.area("integrated") == pytest.approx(0.25)


def test_what_never_differs_from_the_baseline_is_not_deleted() -> None:
    rows = ONE * np.array([1.0, 1.0, 0.0, 0.0])
    single, _ = deleted(Linear(), rows, ZERO, 0, ["p", "q", "r", "s"], orders=3)
    assert single.left["random"].shape == (1, 3)


def test_the_verdict_says_where_an_order_does_not_beat_chance() -> None:
    def one(person: str, good: float) -> deletion.Deleted:
        curves = {"integrated": good, "gradient": 0.8, "random": 0.9}
        return deletion.Deleted(
            SINGLE, person, 0, {name: np.array([[2.0, 2.0 * left]]) for name, left in curves.items()}, 0.0
        )

    good = verdict("basal", SINGLE, [one(f"p{k}", 0.4 + 0.01 * k) for k in range(6)])
    assert "better than chance" in good.words and "NOT" not in good.words and good.persons == 6
    assert good.areas["integrated"].estimate == pytest.approx(0.425)
    bad = verdict("basal", SINGLE, [one(f"p{k}", 0.9 + 0.02 * (-1) ** k) for k in range(6)])
    assert "NOT" in bad.words and "worse than gradient" in bad.words
    with pytest.raises(ValueError, match="no decision was tested for bolus"):
        verdict("bolus", SINGLE, [])


def test_every_input_has_words_and_a_kind() -> None:
    names = Dosing(oracle=True, history=True).observation_names
    assert set(names) == set(INPUTS)
    assert {family(name) for name in names} == {words for words, _ in FAMILIES}


def test_physical_values_are_those_behind_the_observation() -> None:
    """The table read backwards gives what the view holds, hours into a day with meals."""
    setting = make_setting(cohort=["adult#002", "child#003"], days=1, scenario="simglucose", decision_min=30)
    task = Dosing(history=True)
    core = Core(setting, task, 2)
    rows = core.reset(np.arange(2), random.keys("train", 3, setting.cohort.numbers, 0, 0))
    for _ in range(27):
        rows = core.step(np.zeros((2, 2))).obs
    for lane in range(2):
        now, therapy = core.view.now[lane], core.view.therapy[lane]
        hour = core.view.hourly[lane, 13]
        wanted = {
            "cgm_0min": now[v.CGM_MG_DL], "slope": now[v.SLOPE_MG_DL_PER_MIN], "iob": now[v.IOB_U],
            "iob_net": now[v.IOB_NET_U], "insulin_activity": now[v.ACTIVITY_U_PER_H], "cob_slow": now[v.COB_SLOW_G],
            "insulin_30min": now[v.INSULIN_30MIN_U], "insulin_2h": now[v.INSULIN_2H_U], "cob_fast": now[v.COB_FAST_G],
            "uncovered_carbs": now[v.UNCOVERED_G], "since_announced": min(now[v.SINCE_ANNOUNCED_MIN], 240.0),
            "basal": therapy[BASAL_U_PER_H], "carb_ratio": therapy[CARB_RATIO_G_PER_U],
            "daily_insulin": therapy[DAILY_INSULIN_U], "weight": core.view.weight_kg[lane],
            "past_glucose_0h": hour[v.CGM_SUM_MG_DL] / hour[v.READINGS], "past_insulin_0h": hour[v.HOUR_INSULIN_U],
        }  # fmt: skip
        for name, value in wanted.items():
            seen = float(rows[lane, task.observation_names.index(name)])
            told = INPUTS[name].physical(seen, therapy[DAILY_INSULIN_U], therapy[CARB_RATIO_G_PER_U])
            assert told == pytest.approx(value, rel=1e-5, abs=1e-4), name
    assert INPUTS["iob"].told(0.5, 40.0, 10.0) == "4.00 U"
    assert INPUTS["slope"].told(-0.001, 40.0, 10.0) == "0.0 mg/dL/min"


def test_attributions_of_a_shuffled_network_rank_other_inputs_and_of_itself_the_same() -> None:
    policy = frozen.load(POLICIES / "ppo-history" / "fold0-seed0")
    asked, rows = Asked(policy), _rows(40, 131)
    other = shuffled(asked)
    for mine, theirs in zip(asked.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(np.sort(mine.numpy(), axis=None), np.sort(theirs.numpy(), axis=None))
    found = agreement(asked, rows, np.zeros(131), 1)
    assert len(found) == 40 and -0.3 < found.mean() < 0.6
    same = agreement(Linear(), np.abs(_rows(20, 4)), ZERO, 0)  # nothing in it to shuffle
    np.testing.assert_allclose(same, 1.0)
