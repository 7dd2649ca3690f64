"""Agents for weeks of sleep: what they ask for, who loses, searches, policies that learn, table and figures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from agents import sleepers
from agents.seasons import Learned as Planner
from agents.sleepers import NUMBERS, PUBLISHED, SLEEPERS, Learned, Scheme, Usual, published
from envs.nights import core as c
from envs.nights.core import NightsCore
from envs.nights.rest import Rest
from experiments.daily import ORACLE_NAME, seats
from experiments.nights import judge, optimum, report, train
from experiments.nights.live import Lived, live
from experiments.nights.shown import as_action, shown
from experiments.plots import nights as figures
from experiments.plots.style import svg
from experiments.records.tables import select
from scripts import sleep as script
from twins.world import duties

WHERE = judge.setting("forger", days=8)
PEOPLE = 24


@pytest.fixture(scope="module")
def judged() -> judge.Judged:
    """Every agent that needs no search."""
    names = [name for name in SLEEPERS if name != judge.REFERENCE]
    return judge.judge(names, PEOPLE, WHERE)


def _objective(judged: judge.Judged, name: str) -> float:
    return float(judged[name][0].objective.mean())


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["forger", "hannay"])
def test_extremes_lose_and_what_is_published_helps(clock: str) -> None:
    where = judge.setting(clock)
    names = [name for name in SLEEPERS if name != judge.REFERENCE]
    judged = judge.judge(names, 60, where)
    kinds = judged["usual"][0].kind
    for name in ("zero", "most", "random"):
        assert _objective(judged, name) < _objective(judged, "usual") - 1.0, name
        for kind in range(3):
            of = {one: judged[one][0].objective[kinds == kind].mean() for one in (name, "published")}
            assert of[name] < of["published"] - 1.0, (name, kind)
    assert _objective(judged, "published") > _objective(judged, "usual") + 1.0
    for lives in judged.values():
        assert (judge.measures(lives[0])["short_nights"] == 0).all()


def test_agents_meet_the_same_nights_and_rows_count_what_happened(judged: judge.Judged) -> None:
    one = judged["usual"][0]
    assert all((lives[0].kind == one.kind).all() for lives in judged.values())
    rows = judge.measures(one)
    np.testing.assert_allclose(rows["slept_h"], one.days[:, :, c.SLEPT].mean(axis=1))
    assert (rows["bounded_pct"] == 0).all() and (judge.measures(judged["most"][0])["bounded_pct"] > 50).all()
    again = live(Usual(), WHERE, *seats(PEOPLE, WHERE))
    np.testing.assert_array_equal(again.objective, one.objective)
    days = one.days.copy()
    days[0, 2, c.RISE] = days[0, 2, c.BED] + 5.0
    assert judge.measures(replace(one, days=days))["short_nights"][0] == 1


def test_a_scheme_follows_the_minimum_that_it_assumes() -> None:
    setting = replace(WHERE, kind="east")
    core = NightsCore(setting, Rest(), 3)
    core.reset(*seats(3, setting))
    numbers = np.array([[PUBLISHED[duties.EAST].get(name, 0.0) for name in NUMBERS]] * 3)
    begins = []
    for _ in range(setting.days):
        night = Scheme(numbers).act(core.view.shown())
        begins.append(night.seek_at[0])
        core.step(night)
    free = core.view.duty[0, : setting.days] == duties.FREE
    at = 18.0 - np.arange(setting.days)  # an hour earlier each day, but after required hours
    np.testing.assert_allclose(begins, np.where(~free & (at >= 15), 23.0, at))
    one_each = Scheme(numbers + np.arange(3)[:, None] * 0.1, each=True).act(core.view.shown())
    assert len(np.unique(one_each.bed)) == 3
    with pytest.raises(ValueError, match="numbers have shape"):
        Scheme(np.zeros((3, 2)))
    assert all(
        NUMBERS[name][0] <= value <= NUMBERS[name][1]
        for kind in PUBLISHED.values()
        for name, value in kind.items()
    )


def test_actions_ask_for_what_a_plan_says() -> None:
    core = NightsCore(WHERE, Rest(), 6)
    core.reset(*seats(6, WHERE))
    for _ in range(4):
        night = published().act(core.view.shown())
        again = Rest().decode(as_action(night, core.view.today), core.view)
        for name in ("bed", "rise", "nap_for", "seek_for", "avoid_for"):
            np.testing.assert_allclose(getattr(again, name), getattr(night, name), atol=1e-9)
        held = night.seek_for > 0
        np.testing.assert_allclose(again.seek_at[held], night.seek_at[held], atol=1e-9)
        core.step(night)


@pytest.mark.verify
def test_searches_end_no_worse_than_they_begin_and_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = optimum.for_the_average(population=8, generations=3, weeks=3)
    assert found.numbers.shape == (3, len(NUMBERS)) and found.curve.shape == (3, 3)
    np.testing.assert_array_equal(
        found.numbers, optimum.for_the_average(population=8, generations=3, weeks=3).numbers
    )
    monkeypatch.setattr(optimum, "FOUND", tmp_path / "plan.yml")
    monkeypatch.setattr(sleepers, "FOUND", tmp_path / "plan.yml")
    optimum.store(found, "a command")
    np.testing.assert_allclose(sleepers.average_optimal().numbers, found.numbers, atol=5e-4)
    told = yaml.safe_load((tmp_path / "plan.yml").read_text())
    del told["numbers"]["east"]["seek"]
    (tmp_path / "plan.yml").write_text(yaml.safe_dump(told))
    with pytest.raises(ValueError, match="plan.yml lacks numbers .*scripts.sleep --find"):
        sleepers.average_optimal()
    (tmp_path / "plan.yml").unlink()
    with pytest.raises(ValueError, match="plan.yml is not there; find it by"):
        sleepers.average_optimal()
    best = optimum.for_each(4, WHERE, found.numbers, population=6, generations=2)
    first = live(Scheme(found.numbers), WHERE, *seats(4, WHERE)).objective
    own = live(Scheme(best.numbers, each=True), WHERE, *seats(4, WHERE)).objective
    assert (own >= first - 1e-9).all() and own.mean() > first.mean()


def test_the_share_of_a_gap_needs_both_its_ends(judged: judge.Judged) -> None:
    low, high = judged["usual"][0], judged["published"][0]
    terms = {name: (low.terms[name] + high.terms[name]) / 2 for name in low.terms}
    middle = Lived(low.days, terms, low.sleepy, low.kind, ())
    ends = {judge.REFERENCE: [low], ORACLE_NAME: [high], "half": [middle]}
    found = judge.gap_closed(ends, "half")
    np.testing.assert_allclose((found.estimate, found.low, found.high), 0.5, atol=1e-6)
    with pytest.raises(ValueError, match="oracle was not judged"):
        judge.gap_closed({judge.REFERENCE: [low], "half": [middle]}, "half")
    said = judge.table(ends, WHERE)
    assert "### east" in said and "(knows the person)" in said and "not a medical device" in said


@pytest.mark.slow
def test_a_policy_learns_is_saved_and_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "REFERENCE", "published")
    monkeypatch.setattr(train, "LANES", 64)
    monkeypatch.setattr(train, "LOOKED_AT", 12)
    monkeypatch.setattr("experiments.nights.shown.PEOPLE", 64)
    looks = train.train(0, tmp_path / "run", steps=64 * 42)
    assert looks["timesteps"][-1] == 64 * 42 and np.isfinite(looks["score"]).all()
    policy = Learned.load(tmp_path / "run" / "policy")
    found = judge.judge([str(tmp_path / "run")], 6, WHERE)["run"][0]
    np.testing.assert_array_equal(found.objective, live(policy, WHERE, *seats(6, WHERE)).objective)
    with pytest.raises(ValueError, match="decides the task 'sleep', needed is 'plan'"):
        Planner.load(tmp_path / "run" / "policy")


@pytest.mark.slow
def test_what_is_shown_is_what_the_plan_asks_for() -> None:
    seen, asked = shown(published(), replace(WHERE, days=2), 0)
    assert seen.shape == (512 * 4 * 2, 42) and asked.shape == (512 * 4 * 2, 8) and np.abs(asked).max() <= 1.0


def test_figures_hold_what_was_lived(judged: judge.Judged) -> None:
    east = replace(WHERE, kind="east")
    kept = live(Usual(), east, *seats(2, east), keep=True)
    rows = report.steps_of(kept, "usual", 1)
    assert len(rows["day"]) == WHERE.days * duties.STEPS
    np.testing.assert_allclose(select(rows, day=3)["asleep"].sum() / 12, kept.days[1, 3, c.SLEPT])
    panels = figures.raster(rows, ["usual"]).child_axes
    np.testing.assert_allclose(panels[0].lines[-1].get_xdata(), kept.days[1, :, c.MINIMUM])
    curves = report.curves({name: judged[name] for name in ("usual", "published")})
    axes = figures.at_work(curves, "published", "usual", "24 people")
    for line, name in zip(axes.lines, ("usual", "published"), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), select(curves, agent=name)["sleepiness"])
    for ax in (figures.raster(rows, ["usual"]), axes):
        assert b"</svg>" in svg(ax)
    with pytest.raises(ValueError, match="'pid' has no rows; there are usual"):
        figures.raster(rows, ["pid"])


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        script.main(["--agent", "usual", "published", "--people", "6", "--clock", "skeldon", "--days", "3"])
        == 0
    )
    said = capsys.readouterr().out
    assert "## Clock of skeldon" in said and "| published |" in said and "not a medical device" in said
    for wrong, says in (
        (["--agent", "publishd"], "did you mean 'published'"),
        (["--agent", "usual", "usual"], "two agents are called 'usual'"),
        (["--people", "1"], "people is 1; give 2 or more"),
        (["--train"], "no folder for the policy"),
        (["--days", "0"], "days is 0"),
    ):
        with pytest.raises(ValueError, match=says):
            script.main(wrong)
