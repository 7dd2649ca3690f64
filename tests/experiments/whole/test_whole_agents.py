"""Agents for whole persons: what rules ask for, who loses, searches, policies that learn, table and figures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents import wholes
from agents.seasons import Learned as Planner
from agents.wholes import DOSES, PLANS, WHOLES, Learned, Levers, first
from envs.core import Core
from envs.living import record as r
from envs.living import seen as s
from envs.tasks.whole_person import ACTIONS, WholePerson
from envs.view import View
from experiments.daily import seats
from experiments.plots import whole as figures
from experiments.plots.style import svg
from experiments.statistics import Interval
from experiments.whole import judge, optimum, report, train
from experiments.whole.live import PER_DEATH, Lived, live
from scripts import whole as script
from twins.bodies.couplings import CONFIDENCE

WHERE = judge.setting(judge.people(6), days=8.0)
FREE = [name for name in WHOLES if name not in report.NEEDS]


@pytest.fixture(scope="module")
def judged() -> judge.Judged:
    """Every agent that needs no search."""
    return judge.judge(FREE, 12, WHERE)


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rules as if they had been found."""
    path = tmp_path / "found.yml"
    for module in (wholes, optimum, report):
        monkeypatch.setattr(module, "FOUND", path)
    plans = first(PLANS, **wholes.ADVISED_PLAN)
    optimum.store(
        {
            "dosing-only": (first(DOSES, basal=1.2), None),
            "independent": (first(DOSES), plans),
            "joint": (first(DOSES), plans),
        },
        "python -m scripts.whole --find",
    )
    return path


def _view(**columns: float) -> View:
    core = Core(WHERE, WholePerson(), 2)
    core.reset(*seats(2, WHERE))
    view = core.view
    assert view.activity is not None
    for name, value in columns.items():
        view.activity[:, getattr(s, name)] = value
    return view


@pytest.mark.slow
def test_extremes_lose_to_simple_rules(judged: judge.Judged) -> None:
    """Chance alone beats the usual life, whose therapy was set for who sleeps enough; not who doses for that."""
    rules = Levers(first(DOSES, basal=1.2, by_glucose=0.3), first(PLANS, **wholes.ADVISED_PLAN))
    simple = live(rules, WHERE, *seats(12, WHERE)).objective.mean()
    assert simple > judged["usual"][0].objective.mean() + 0.5
    for name in ("zero", "most", "random"):
        assert judged[name][0].objective.mean() < simple - 0.3, name


def test_rules_at_their_first_numbers_are_the_therapy_and_the_habit() -> None:
    view = _view()
    assert np.allclose(Levers(first(DOSES)).act(view), 0.0)
    planned = Levers(first(DOSES), first(PLANS)).act(view)
    assert (
        np.allclose(planned[:, :2], 0.0) and (planned[:, 3] <= 0).all() and np.allclose(planned[:, 6:], 0.0)
    )


@pytest.mark.parametrize(
    ("number", "column", "seen"),
    [
        ("before", 0, {"PLANNED": 1.0, "TO_START_MIN": 45.0}), ("during", 0, {"PLANNED": 1.0, "ACTIVE": 1.0}),
        ("after_4h", 0, {"SINCE_END_MIN": 60.0, "LAST_WORK": 30.0}),
        ("after_16h", 0, {"SINCE_END_MIN": 600.0, "LAST_WORK": 30.0}),
        ("meal_near", 1, {"PLANNED": 1.0, "TO_START_MIN": 90.0}), ("trained", 1, {"WEEK_MIN": 150.0}),
    ],
)  # fmt: skip
def test_each_number_takes_insulin_away_when_its_time_is_and_not_before(
    number: str, column: int, seen: dict[str, float]
) -> None:
    agent = Levers(first(DOSES, **{number: 0.3}))
    quiet = {
        "PLANNED": 0.0,
        "ACTIVE": 0.0,
        "SINCE_END_MIN": 0.0,
        "LAST_WORK": 0.0,
        "WEEK_MIN": 0.0,
        "HOUR": 12.0,
    }
    assert np.allclose(agent.act(_view(**quiet)), 0.0)
    assert (agent.act(_view(**quiet | seen))[:, column] < -0.02).all()


def test_numbers_and_files_that_cannot_be_are_named(found: Path) -> None:
    with pytest.raises(ValueError, match=f"needed are {len(DOSES)}"):
        Levers(np.ones(3))
    with pytest.raises(ValueError, match="by_glucose"):
        first(DOSES, by_glucos=1.0)
    assert wholes.fixed_advice().act(_view()).shape == (2, len(ACTIONS))
    found.write_text("found: {joint: {doses: {basal: 1}}}\n")
    with pytest.raises(ValueError, match="does not hold all numbers"):
        WHOLES["joint"]()
    found.write_text("found: 3\n")
    with pytest.raises(ValueError, match="--find"):
        WHOLES["joint"]()
    found.unlink()
    with pytest.raises(FileNotFoundError):
        WHOLES["joint"]()


def test_rows_count_what_happened_and_the_dead(judged: judge.Judged) -> None:
    one = judged["most"][0]
    rows = judge.measures(one)
    lived = one.days[:, :, r.LIVED] > 0
    np.testing.assert_allclose(
        rows["followed"] / rows["advised"], np.clip(rows["followed"] / rows["advised"], 0, 0.95)
    )
    np.testing.assert_allclose(
        rows["slept_h"], (one.days[:, :, r.SLEPT_H] * lived).sum(axis=1) / lived.sum(axis=1)
    )
    again = live(WHOLES["most"](), WHERE, *seats(12, WHERE))
    assert np.array_equal(again.objective, one.objective)
    died = one.died.copy()
    died[0] = "low"
    worse = replace(one, died=died)
    assert np.isclose(worse.objective[0], one.objective[0] - PER_DEATH / 8.0)
    assert judge.measures(worse)["failed"].sum() == rows["failed"].sum() + 1
    assert judge.by_person([one], WHERE, "objective").shape == (1, 6)
    assert "1 of 12" in judge.table({"most": [worse]}, WHERE)


def test_lows_belong_to_the_sessions_before_them(judged: judge.Judged) -> None:
    base = judged["usual"][0]
    days = np.zeros_like(base.days[:1])
    days[0, 1, r.BEGAN_AT_H], days[0, 4, r.BEGAN_AT_H] = 18.0, 18.0
    glucose = np.full((1, 8 * 288), 120.0)
    first_min = np.array([420])

    def low(hour: float) -> None:
        at = round((hour * 60 - 420) / 5)
        glucose[0, at : at + 6] = 60.0

    low(24 + 17.0)  # before
    low(24 + 20.0)  # within
    low(48 + 5.0)  # eleven hours after
    low(48 + 8.0)  # fourteen
    one = replace(base, days=days, glucose=glucose, first_min=first_min, died=np.array([""]))
    assert [float(found[0]) for found in judge.lows_of_sessions(one)] == [2.0, 2.0]


@pytest.mark.verify
def test_a_search_moves_towards_more_reward_and_all_get_the_same_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = optimum.setting(people=3, days=2.0)
    asked: list[int] = []
    inner = optimum.live

    def counted(agent: Levers, *rest: object, **more: object) -> Lived:
        asked.append(len(rest[1]))  # type: ignore[arg-type]
        return inner(agent, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(optimum, "live", counted)
    found = optimum.find(where, population=4, generations=4, turns=4)
    assert list(found) == ["dosing-only", "independent", "joint"] and found["dosing-only"][1] is None
    assert asked == [12] * 12  # four generations of four candidates in three people, for each of the three
    for doses, plans in found.values():
        for table, known in ((doses, DOSES), (plans, PLANS)):
            if table is not None:
                low, high, _ = np.array(list(known.values())).T
                assert ((table >= low) & (table <= high)).all()


@pytest.mark.verify
def test_a_policy_learns_begins_as_the_rules_and_is_judged(
    found: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("LANES", 30), ("LOOKED_AT", 2), ("LOOKED_DAYS", 1), ("SHOWN_DAYS", 1)):
        monkeypatch.setattr(train, name, value)
    there = optimum.setting(people=4, days=2.0)
    seen, asked, counts = train.shown(there, 0, 30)
    assert seen.shape == (48 * 30, 67) and asked.shape == counts.shape == (48 * 30, 8)
    assert (counts[:, :2] == 1).all() and 0 < counts[:, 3].mean() < 0.1 and 0 < counts[:, 7].mean() < 0.1
    looks = train.train(0, tmp_path / "a", steps=30 * 96, max_wall_s=200.0)
    assert len(looks["score"]) >= 2
    agent = Learned.load(tmp_path / "a")
    assert agent.act(_view()).shape == (2, 8)
    lives = judge.judge([str(tmp_path / "a")], 2, replace(WHERE, days=1.0))
    assert list(lives) == ["a"]
    with pytest.raises(ValueError, match="scripts.whole"):
        Planner.load(tmp_path / "a")


@pytest.mark.verify
def test_the_table_and_its_figures_are_written_and_say_what_was_wanted(
    found: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "STRENGTHS", (0.0,))
    monkeypatch.setattr(report, "SWITCHES", ("sleep",))
    monkeypatch.setattr(report, "WEEK_FIRST_DAY", 0)
    words = [
        "--agent",
        "usual",
        "dosing-only",
        "joint",
        "--people",
        "2",
        "--days",
        "7",
        "--out",
        str(tmp_path / "out"),
    ]
    assert script.main(words) == 0
    said = capsys.readouterr().out
    for part in (
        "| joint |",
        "less dosing-only",
        "all off",
        "points of none that were wanted",
        "medical device",
        "| sleep | joint |",
    ):
        assert part in said
    assert (tmp_path / "out" / "table.md").read_text("utf-8") in said
    drawn = {
        name: (tmp_path / "out" / f"{name}.svg").read_text()
        for name in ("strength", "couplings", "map", "week")
    }
    assert all(text.startswith("<?xml") for text in drawn.values())


def test_figures_refuse_what_they_cannot_draw() -> None:
    none = Interval(0.0, -1.0, 1.0)
    for call, told in (
        (lambda: figures.by_strength({}, "a", "b", ""), "no strength"),
        (lambda: figures.effects([], ""), "no coupling"),
        (lambda: figures.coupling_map({"moon": 1.0}, CONFIDENCE, ""), "moon is no coupling"),
    ):
        with pytest.raises(ValueError, match=told):
            call()
    assert svg(figures.effects([("sleep", "joint", none)], "")) == svg(
        figures.effects([("sleep", "joint", none)], "")
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [(["--people", "1"], "people is 1"), (["--train"], "give --out"), (["--agent", "usul"], "usual")],
)
def test_a_wrong_command_says_what_is_allowed(words: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        script.main([*words, "--days", "1"] if "--people" not in words else words)


def test_days_of_the_dead_end_with_them() -> None:
    where = judge.setting(judge.people(6), days=8.0, shield="off")
    lived = live(WHOLES["zero"](), where, *seats(6, where))
    assert (lived.died == "high").any()
    for person in np.flatnonzero(lived.died != ""):
        last = np.flatnonzero(np.isfinite(lived.glucose[person]))[-1]
        days = lived.days[person, :, r.LIVED].sum()
        assert days <= (last * 5 + 720) / 1440 and lived.days[person, int(days) + 1 :, r.DONE_MIN].sum() == 0
    assert np.isfinite(judge.measures(lived)["burden"]).all()


def test_shares_and_sums_are_of_the_days_that_were() -> None:
    days = 5.0
    where = judge.setting(judge.people(4), days=days)
    one = live(WHOLES["most"](), where, *seats(4, where))
    rows = judge.measures(one)
    done = one.days[:, :5, r.DONE_MIN].sum(axis=1)
    np.testing.assert_allclose(rows["move_min"], 7 * done / 5)
    np.testing.assert_allclose(rows["burden"], -one.terms["burden"] / 5)
    assert np.isnan(rows["weeks_met_pct"]).all()
