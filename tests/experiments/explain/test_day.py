"""A day explained: what was lived, the branches from it, which moments are looked at, and errors that teach."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.load import load
from envs import limits
from envs import view as v
from envs.tasks.dosing import Dosing
from experiments.explain import index, moments
from experiments.explain.bands import bands_table
from experiments.explain.day import company, update_index, write_day
from experiments.explain.day import explain as explain_day
from experiments.explain.examples import middle
from experiments.explain.lived import Decision, live
from experiments.explain.page import render
from experiments.explain.what_if import SCALES, members, what_if
from experiments.protocol import load_protocol
from experiments.simulate import simulate
from scripts import explain as script
from tests.experiments.explain.days import DAY, PERSON, POLICY, explained, lived, policy, protocol
from twins.cohort import BASAL_U_PER_H

INTERVALS = 10
"""Of 3 min in a decision of 30."""


def test_a_day_is_what_an_evaluation_simulates() -> None:
    """In company or alone, watched or not."""
    day = lived()
    alone = simulate(policy(), day.protocol, "rule", day.setting.cohort)
    beside = live(policy(), protocol(), PERSON, DAY, beside=("adult#001", PERSON))
    np.testing.assert_array_equal(alone.glucose_mg_dl[0], day.columns["glucose_mg_dl"])
    np.testing.assert_array_equal(beside.columns["glucose_mg_dl"], day.columns["glucose_mg_dl"])
    assert beside.setting.cohort.ids == (PERSON, "adult#001")


def test_decisions_hold_what_was_seen_asked_allowed_and_delivered() -> None:
    day = lived()
    assert [one.minute for one in day.decisions] == list(range(1440, 2880, 30))
    assert day.rows is not None and day.rows.shape == (1, 96, 131)
    basal = day.setting.cohort.therapy[0, BASAL_U_PER_H]
    for number, one in enumerate(day.decisions):
        assert one.observation is not None and one.action is not None
        np.testing.assert_array_equal(one.observation, day.rows[0, number])
        told = policy().predict(one.observation)[0]
        np.testing.assert_array_equal(told, one.action)
        inside = moments.within(day, one.minute, 30)
        np.testing.assert_allclose(
            one.basal_u_per_h("requested"), day.columns["requested_basal_u_per_h"][inside]
        )
        np.testing.assert_allclose(one.basal_u_per_h("delivered"), day.columns["basal_u_per_h"][inside])
        assert one.reason == day.columns["reason"][inside].tolist()
        np.testing.assert_allclose(one.basal_u_per_h("own"), basal)
        factor = max(1 + 2.5 * one.action[0], 0)
        np.testing.assert_allclose(one.basal_u_per_h("requested"), factor * basal, rtol=1e-6)
        wanted = np.array([bolus for _, bolus in one.doses["requested"]])
        own = np.array([bolus for _, bolus in one.doses["own"]])
        np.testing.assert_allclose(wanted, (1 + 0.7 * one.action[1]) * own, rtol=1e-6, atol=1e-12)


def test_what_was_held_back_and_asked_for_again_counts_once() -> None:
    one = Decision(0, np.zeros(20), None, None, {}, 3)
    one.doses = {
        "requested": [(0.0, 2.0), (0.0, 1.5), (0.0, 0.0), (0.0, 1.0)],
        "allowed": [(0.0, 0.5), (0.0, 1.5), (0.0, 0.0), (0.0, 1.0)],
        "own": [(1.0, 4.0), (1.0, 3.0), (1.0, 0.0), (1.0, 2.0)],
    }
    np.testing.assert_allclose(one.bolus_u("requested"), [2.0, 0.0, 0.0, 1.0])
    np.testing.assert_allclose(one.bolus_u("own"), [4.0, 0.0, 0.0, 2.0])
    np.testing.assert_allclose(one.bolus_u("allowed"), [0.5, 1.5, 0.0, 1.0])
    assert one.insulin_u("own") == pytest.approx(6.0 + 4 * 3 / 60)


def test_the_dose_as_asked_is_the_day_itself_until_the_next_decision() -> None:
    """Bit for bit wherever the shield changed nothing, nor could have kept the pump from making its rounding good; and
    with less insulin glucose is higher."""
    day = lived()
    bodies = members(day.setting, 0.0, 1)
    cap = limits.for_therapy(day.setting.cohort.therapy)[0, limits.MAX_BASAL_U_PER_H]
    most = cap - day.setting.pump.basal_step_u_per_h
    free = [
        one
        for one in day.decisions
        if set(one.reason) == {"none"} and 0.1 < one.basal_u_per_h("requested").max() < most
    ]
    assert len(free) > 10
    for one in free[::3]:
        branch = what_if(day.setting, one, bodies, 60)
        inside = moments.within(day, one.minute, 30)
        as_asked = branch.true[SCALES.index(1.0), :INTERVALS]
        np.testing.assert_array_equal(as_asked, day.columns["glucose_mg_dl"][inside])
        assert (np.diff(branch.true[:, -1]) < 0).all()
        assert branch.dose_u == pytest.approx(np.array(SCALES) * one.insulin_u("requested"))


def test_after_the_decision_own_therapy_goes_on() -> None:
    """An agent that asks for own therapy, unshielded, lives what the branch foresees for as long as it looks ahead."""
    own = load("basal-bolus")
    day = live(own, protocol(), PERSON, DAY, shield="off")
    one = day.decisions[20]
    branch = what_if(day.setting, one, members(day.setting, 0.0, 1))
    inside = moments.within(day, one.minute, 360)
    np.testing.assert_array_equal(branch.true[SCALES.index(1.0)], day.columns["glucose_mg_dl"][inside])
    assert branch.carbs_g == pytest.approx((day.columns["carbs_g"] - day.columns["rescue_g"])[inside].sum())


def test_bands_of_an_exact_twin_are_the_body_itself() -> None:
    day = lived("twin_error=0")
    branch = what_if(day.setting, day.decisions[25], members(day.setting, 0.0, 8), 120)
    for share in (0.5, 0.9):
        low, high = branch.band(share)
        np.testing.assert_allclose(low, branch.true, rtol=1e-12)
        np.testing.assert_allclose(high, branch.true, rtol=1e-12)
        assert branch.held(share).all()


@pytest.mark.verify
def test_bands_of_twins_that_are_off_hold_the_body_mostly() -> None:
    """Over six people, as the body is like one of the draws; and they are wider the more is to be held."""
    table = load_protocol("realistic")
    ids = tuple(f"adult#{number:03d}" for number in range(1, 7))
    short = protocol("days=1.5")
    held = []
    for person in ids:
        day = live(load("basal-bolus"), short, person, DAY)
        bodies = members(day.setting, table.twin_error, 48)
        assert bodies.shape == (48, day.setting.cohort.parameters.shape[1])
        np.testing.assert_array_equal(bodies[0], day.setting.twins.parameters[0])
        assert not np.array_equal(bodies[0], day.setting.cohort.parameters[0])
        for number in (14, 26, 38):
            branch = what_if(day.setting, day.decisions[number], bodies)
            half, most = branch.band(0.5), branch.band(0.9)
            assert (most[0] <= half[0]).all() and (half[1] <= most[1]).all()
            held.append(branch.held(0.9).mean())
    assert 0.75 < np.mean(held) < 1.0


def test_a_branch_hangs_on_nothing_but_its_moment() -> None:
    day = lived()
    one, bodies = day.decisions[15], members(day.setting, 0.2, 6)
    both = [what_if(day.setting, one, some, 90) for some in (bodies, bodies[:2])]
    np.testing.assert_array_equal(both[0].true, both[1].true)
    np.testing.assert_array_equal(both[0].members[:, :2], both[1].members)


def test_moments_are_few_and_are_the_largest() -> None:
    day = lived()
    found = moments.chosen(day)
    assert 0 < len(found) <= moments.MOST
    assert [one.number for one in found] == sorted({one.number for one in found})
    grams = [moments.announced_g(day, one) for one in day.decisions]
    assert sum(grams) == pytest.approx(np.nansum(day.columns["announced_g"][moments.within(day, 1440, 1440)]))
    meals = {one.number for one in found if one.kind == "a meal"}
    assert meals == set(np.argsort(grams)[-min(3, sum(one > 0 for one in grams)) :].tolist())
    rows = list(moments.rows(day))
    assert len(rows) == 48 and all(len(row) == len(moments.HEADS) for row in rows)
    assert rows[20][0] == "10:00" and rows[20][1] == f"{day.decisions[20].now[v.CGM_MG_DL]:.0f}"
    inside = moments.within(day, 1440 + 600, 60)
    assert rows[20][10] == f"{day.columns['glucose_mg_dl'][inside][-1]:.0f}"


def test_a_treatment_decides_at_every_reading_and_is_told_by_half_hours() -> None:
    one = explain_day(load("pid"), "pid", protocol(), PERSON, DAY)
    assert len(one.lived.decisions) == 48 and len(one.lived.decisions[0].reason) == INTERVALS
    assert one.reasons is None and not one.verdicts and one.lived.rows is None
    assert one.why_none is not None and "agents.pid" in one.why_none and "14 gains" in one.why_none


def test_what_a_policy_with_a_memory_dosed_is_shown_without_reasons() -> None:
    word = str(min(POLICY.parents[1].glob("recurrent-ppo/*/")))
    one = explain_day(load(word), word, protocol(), PERSON, DAY)
    assert one.reasons is None and one.branches and one.why_none is not None and "memory" in one.why_none


@pytest.mark.verify
def test_the_twin_shield_is_left_behind_by_a_branch() -> None:
    day = live(policy(), protocol("days=1"), PERSON, DAY, shield="twin:members=6")
    branch = what_if(day.setting, day.decisions[4], members(day.setting, 0.2, 2), 60)
    assert np.isfinite(branch.members).all()


def test_the_last_evening_has_what_is_left_of_the_episode() -> None:
    day = live(policy(), protocol(), PERSON, 3)
    bodies = members(day.setting, 0.0, 1)
    assert what_if(day.setting, day.decisions[40], bodies).minute[-1] == 240
    assert len(what_if(day.setting, day.decisions[-1], bodies).minute) == INTERVALS
    with pytest.raises(ValueError, match="min are left of the episode"):
        what_if(replace(day.setting, days=2.9), day.decisions[-1], bodies)
    assert list(moments.rows(day))[-1][10] == moments.NO_VALUE


def test_a_failure_comes_first_and_of_no_insulin_no_other_dose_is_tried() -> None:
    agent, name = load("hostile-min"), "hostile-min"
    one = explain_day(agent, name, protocol(), PERSON, DAY)
    assert one.chosen and not one.branches
    assert one.lived.failed_min is not None and 1440 <= one.lived.failed_min < 2880
    assert one.words.startswith(f"FAILED (high) at {moments.clock(one.lived.failed_min)}")
    text = render(one)
    assert "half or double of it is none" in text and 'class="claim unsafe">FAILED' in text
    with pytest.raises(ValueError, match=r"failed \(high\) on day 2, before day 3 began"):
        live(agent, protocol(), PERSON, 3)


def test_how_often_bands_hold_the_body_is_counted() -> None:
    text = bands_table(POLICY.parent, protocol(), [PERSON, "adult#002"], DAY, 0, "typed")
    assert "2 persons, day 2" in text and "Made by `typed`" in text
    shares = [int(found) for found in re.findall(r"\| (\d+) \[", text)]
    assert len(shares) == 10 and all(0 <= share <= 100 for share in shares)
    assert all(narrow <= wide for narrow, wide in zip(shares[::2], shares[1::2], strict=True))


def test_the_company_is_those_whom_the_policy_has_not_met() -> None:
    trained_on = set(policy().manifest.trained_on["people"])
    others = company(protocol(), policy())
    assert len(others) == 6 and not trained_on & set(others) and PERSON in others


@pytest.mark.verify
def test_the_middle_person_of_each_group_is_one_of_ten() -> None:
    found = middle(load_protocol("realistic"), "ppo-history")
    assert list(found) == ["adult", "adolescent", "child"]
    assert all(person.startswith(f"{group}#") for group, person in found.items())
    with pytest.raises(ValueError, match="no committed table has nobody on realistic"):
        middle(load_protocol("realistic"), "nobody")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ("--person", "child#01", "--day", "2"),
            "'child#01' is nobody of the protocol realistic; did you mean 'child#0",
        ),
        (
            ("--person", "child#001", "--day", "1"),
            "scored days of realistic are 2 to 15 .those before are warm-up",
        ),
        (("--person", "child#001", "--day", "16"), "day is 16; the scored days of realistic are 2 to 15"),
        (("--person", "child#001"), "--person and --day are missing"),
        (
            ("--person", "child#001", "--day", "2", "--agent", "pdi"),
            "unknown agent 'pdi'.*did you mean 'pid'",
        ),
        (("--person", "child#001", "--day", "2", "--protocol", "realist"), "unknown protocol 'realist'"),
        (
            ("--person", "child#001", "--day", "2", "--agent", "agents/policies/sleep-ppo/seed0"),
            "task 'sleep'",
        ),
    ],
)
def test_a_wrong_person_day_agent_or_protocol_is_named(
    words: tuple[str, ...], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(POLICY.parents[3])
    given = words if "--agent" in words else ("--agent", "pid", *words)
    with pytest.raises((ValueError, FileNotFoundError), match=error):
        script.main([*given, "--out", str(tmp_path)])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_page_and_its_index(tmp_path: Path) -> None:
    one = explained()
    path = write_day(one, tmp_path)
    assert path.name == "ppo-history-fold0-seed0-child-001-day2.html" and path.stat().st_size < 400_000
    text = path.read_text("utf-8")
    for needed in (
        "Research software, not a medical device", one.lived.protocol_hash, "ppo-history/CARD.md",
        "has not met child#001", "The deletion test", "python -m scripts.explain",
    ):  # fmt: skip
        assert needed in text, needed
    assert "undefined" not in text and " nan" not in text
    update_index([(path.name, one)], tmp_path)
    (tmp_path / "another.html").write_text(text)
    update_index([("another.html", one), (path.name, one)], tmp_path)
    held = index.read(tmp_path)
    assert [entry.file for entry in held] == ["another.html", path.name]
    assert held[1] == index.Day(
        path.name, one.title, "ppo-history-fold0-seed0", PERSON, "realistic", one.lived.protocol_hash, one.words
    )


@pytest.mark.parametrize("text", ["{", "{}", '[{"file": "a"}]', json.dumps([1])])
def test_an_index_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(ValueError, match=r"index\.json.* remove it, and make the pages again"):
        update_index([], tmp_path)
    assert (tmp_path / "index.json").read_text() == text


def test_shares_of_a_page_are_those_of_its_decisions() -> None:
    one = explained()
    assert one.reasons is not None
    for moment in one.chosen:
        action = one.lived.decisions[moment.number].action
        assert action is not None
        asked = [max(1 + 2.5 * action[0], 0.0), 1 + 0.7 * action[1]]
        for output in (0, 1):
            found = one.reasons.found[output]
            assert found.value[moment.number] == pytest.approx(asked[output], abs=1e-5)
            kinds = sum(part.share for part in one.reasons.kinds(output, moment.number))
            assert kinds == pytest.approx(found.value[moment.number] - found.at_baseline, abs=0.05)
    assert one.reasons.names == Dosing(history=True).observation_names
    assert {verdict.output for verdict in one.verdicts} == {"basal", "bolus"} and one.verdicts[0].persons == 6
