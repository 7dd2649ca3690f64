"""Agents around sessions: what a row counts, pairs, gains of each person, the table's words, and the cells."""

import json
from pathlib import Path

import numpy as np
import pytest

from agents.sessions import CONSENSUS, SESSION_AGENTS
from agents.tunable import Tuned
from envs.faces.build import session_setting
from experiments.bouts import compare, judge, people, report, study
from experiments.bouts.tune import tune
from experiments.plots import sessions as figures
from experiments.plots import week as calendar
from experiments.plots.style import svg
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, read_table, select
from experiments.statistics import Interval
from scripts import session
from twins.bodies.person import Person

WHO = ["adult#001", "adult#005", "adolescent#002"]
SETTING = session_setting(cohort=WHO, split="test", seed=5)


@pytest.fixture(scope="module")
def found() -> dict[str, Table]:
    """Every agent on the same sessions."""
    return {name: judge.live(SESSION_AGENTS[name](), SETTING, 12, keep=True) for name in SESSION_AGENTS}


def test_agents_meet_the_same_sessions_and_nobody_hangs_on_company(found: dict[str, Table]) -> None:
    for name in ("person", "replica", "kind", "happens", "announced", "clock_min"):
        assert all((one[name] == found["usual"][name]).all() for one in found.values())
    alone = session_setting(cohort=WHO[1:2], split="test", seed=5)
    for agent in ("usual", "consensus", "higher-target"):
        one = judge.live(SESSION_AGENTS[agent](), alone, 12)
        mine = found[agent]["person"] == WHO[1]
        for column in ("reward", "events", "advised_g", "tir_pct", "insulin_u"):
            np.testing.assert_array_equal(one[column], found[agent][column][mine])
    later = judge.live(SESSION_AGENTS["usual"](), SETTING, 2, first=10)
    np.testing.assert_array_equal(later["reward"], found["usual"]["reward"][30:])


def test_a_row_counts_what_happened(found: dict[str, Table]) -> None:
    for name, one in found.items():
        assert ((one["completed"] + one["missed"])[one["happens"] == 1] == 1).all(), name
        assert ((one["completed"] + one["missed"])[one["happens"] == 0] == 0).all()
        assert (one["began_against"] == 0).all()
        np.testing.assert_allclose(one["eaten_g"], one["advised_g"] + one["rescue_g"])
        glucose = one["glucose_mg_dl"]
        np.testing.assert_allclose(one["below_70_pct"], 100 * (glucose < 70).mean(axis=1))
        low = (glucose < 70).any(axis=1)
        assert (one["events"][~low] == 0).all() and one["events"].max() <= 20
        assert (one["near_events"] <= one["events"] + 1e-9).all()  # events are counted back from a rate
        before = np.full(
            len(glucose), np.nan
        )  # whose first low begins within 2 h, before any session, has one near it
        for row in range(len(glucose)):
            runs = np.convolve(glucose[row, :24] < 70, np.ones(3), "valid")
            before[row] = (runs == 3).any()
        assert (one["near_events"][before == 1] >= 1).all()
        np.testing.assert_allclose(one["insulin_u"] > 0, True)
    assert (
        found["usual"]["advised_g"].max() == 0.0 and found["most"]["advised_g"].min() >= 30
    )  # on an ordinary day at bedtime alone
    assert found["zero"]["insulin_u"].mean() < found["usual"]["insulin_u"].mean()


def test_extremes_lose(found: dict[str, Table]) -> None:
    """Most and random, which feed people without end, to everybody; zero to the consensus, among all ages."""
    reward = {name: one["reward"].mean() for name, one in found.items()}
    assert min(reward["usual"], reward["consensus"]) > max(reward["most"], reward["random"]) + 10
    everybody = session_setting(cohort="all", split="test", seed=5)
    zero, sound = (
        judge.live(SESSION_AGENTS[name](), everybody, 6)["reward"].mean() for name in ("zero", "consensus")
    )
    assert sound > zero + 1


@pytest.mark.verify
def test_gains_of_each_person_are_better_on_fresh_sessions_and_hang_on_the_person_alone() -> None:
    one = session_setting(cohort=WHO[1:2], split="test", seed=5)
    tuned = tune(one, 900)
    assert tuned.family == "consensus" and tuned.values.keys() == {WHO[1]}  # type: ignore[union-attr]
    untuned, better = (
        judge.live(agent, one, 60)["reward"].mean()
        for agent in (Tuned(CONSENSUS), Tuned(CONSENSUS, tuned.values))
    )
    assert better > untuned
    both = tune(session_setting(cohort=WHO[:2], split="validation", seed=9), 900)
    assert isinstance(both.values, dict) and isinstance(tuned.values, dict)
    assert both.values[WHO[1]] == tuned.values[WHO[1]]


def _counts(events: list[int], completed: list[int], person: list[str]) -> Table:
    ones = np.ones(len(events), int)
    return {
        "events": np.array(events, float), "completed": np.array(completed), "happens": ones,
        "person": np.array(person), "tir_pct": np.array(events) * 10.0,
    }  # fmt: skip


def test_differences_pair_people() -> None:
    who = ["a", "a", "b", "b"]
    ours, theirs = _counts([0, 1, 2, 3], [1, 1, 1, 0], who), _counts([0, 2, 4, 6], [1, 1, 1, 0], who)
    assert compare.event_rate([ours]).estimate == (0.5 + 5.0) / 2  # 1 event in 2 sessions done, 5 in 1
    ratio = compare.event_ratio([ours], [theirs])
    assert (ratio.estimate, ratio.low, ratio.high) == (
        0.5,
        0.5,
        0.5,
    )  # half in each person: no doubt about it
    found = compare.difference([ours], [theirs], "tir_pct")
    assert found.estimate == -15.0 and found.low <= -25.0 and found.high >= -5.0
    assert compare.mean([ours, ours], "tir_pct").estimate == 15.0
    shuffled = {name: column[[2, 0, 3, 1]] for name, column in ours.items()}
    assert compare.event_ratio([shuffled], [ours]) == Interval(1.0, 1.0, 1.0)
    assert compare.difference([ours], [shuffled], "tir_pct") == Interval(0.0, 0.0, 0.0)
    for others in (_counts([1, 1], [1, 1], ["a", "c"]), _counts([1], [1], ["a"])):
        for what in (compare.difference, lambda a, b, _: compare.event_ratio(a, b)):
            with pytest.raises(ValueError, match="tables of different people"):
                what([ours], [others], "tir_pct")


def test_who_completes_no_session_is_not_left_out() -> None:
    never = _counts([3, 0], [0, 0], ["a", "a"])
    assert compare.by_person([never], "events", "happens", "completed").tolist() == [[3.0]]


def test_who_dies_has_neither_eaten_nor_trained_since(found: dict[str, Table]) -> None:
    """The most of everything kills some; their advised food is what fits into the time they lived."""
    dead = found["most"]["failed"] == 1
    assert dead.any() and not dead.all()
    assert (found["most"]["advised_g"][dead].mean()) < found["most"]["advised_g"][~dead].mean()
    happens, done = found["most"]["happens"][dead], found["most"]["completed"][dead]
    assert (found["most"]["missed"][dead] == happens - done).all()


def test_the_table_says_what_is_met_and_what_is_missed() -> None:
    who = [f"p{k // 4}" for k in range(40)]
    few, many = _counts([0, 0, 0, 1] * 10, [1] * 40, who), _counts([1, 0, 1, 1] * 10, [1] * 40, who)
    for table, eaten in ((few, 10.0), (many, 12.0)):
        table["eaten_g"] = np.full(40, eaten)
        table["tir_pct"] = np.full(40, 90.0)
        table["near_events"] = table["events"]
    said = report.bars({report.LEARNED: [few], report.BEST: [many]})
    assert "0.33 [0.33, 0.33]" in said[0] and "0.33 [0.33, 0.33]" in said[1]
    assert all(line.endswith(": met.") for line in (said[0], *said[2:]))
    worse = report.bars({report.LEARNED: [many], report.BEST: [few]})
    assert worse[0].endswith("**missed**.") and worse[3].endswith("**missed**.")


@pytest.mark.slow
def test_nobody_is_in_two_places() -> None:
    drawn = set(people.judged("drawn").cohort.ids)
    assert len(drawn) == 30
    for fold in people.folds()[:2]:
        train, looked = set(people.training(fold).cohort.ids), set(people.looked_at(fold).cohort.ids)
        assert not train & looked and not (train | looked) & drawn
        unmet = {one for one in people.judged("table").cohort.ids if study.fold_of(one, 5) == fold}
        assert len(unmet) == 6 and not {one.split("/")[0] for one in train} & unmet
    other = people.judged("second body").cohort
    assert len(other) == 12 and not isinstance(other.model, Person)
    with pytest.raises(ValueError, match="where is 'tabel'; allowed are table, drawn, second body"):
        people.judged("tabel")


@pytest.mark.slow
def test_the_command_judges_agents_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--where", "second body", "--agent", "usual", "consensus", "--out", str(tmp_path)]
    assert session.main([*asked, "--sessions", "2", "--processes", "1"]) == 0
    said = capsys.readouterr().out
    assert " of 24 |" in said and "Deichmann" in said and "not a medical device" in said
    assert (tmp_path / "results" / "frontier.svg").is_file()
    assert session.main([*asked, "--list"]) == 0
    assert capsys.readouterr().out.split() == [
        "judged/second-body/usual.csv",
        "judged/second-body/consensus.csv",
    ]
    other = str(ROOT / "agents/policies/season-ppo/seed0")
    with pytest.raises(ValueError, match="decides the task 'plan', needed is 'session'.*scripts.season"):
        session.main(["--agent", other, "--list"])
    with pytest.raises(ValueError, match="'consenus' is not known; did you mean 'consensus'"):
        session.main(["--agent", "consenus", "--list"])
    for wrong, says in ((["--sessions", "0"], "--sessions is 0"), (["--agent", "usual"], "give --out DIR")):
        with pytest.raises(ValueError, match=says):
            session.main(wrong)


def test_figures(found: dict[str, Table]) -> None:
    curves = figures.aligned({name: found[name] for name in ("usual", "consensus")}, 5)
    assert curves["hour"].min() == -2.0 and (curves["glucose_p10"] <= curves["glucose_p90"]).all()
    drawing = svg(figures.around(curves, "usual", "consensus"))
    assert drawing == svg(figures.around(curves, "usual", "consensus")) and b"</svg>" in drawing
    with pytest.raises(ValueError, match="'pid' has no rows; there are usual, consensus"):
        figures.around(curves, "pid", "consensus")
    points = [("usual", Interval(1.0, 0.8, 1.3), 80.0), ("zero", Interval(0.4, 0.3, 0.6), 60.0)]
    assert b"</svg>" in svg(figures.frontier(points))


def test_a_week_shows_what_two_agents_made_of_the_same_days() -> None:
    one = session_setting(cohort=WHO[:1], split="test", seed=5)
    kept = {name: judge.live(SESSION_AGENTS[name](), one, 20, keep=True) for name in ("usual", "consensus")}
    days = calendar.days_of(kept, WHO[0], 5)
    mine = {name: select(days, agent=name) for name in kept}
    for name in ("day", "kind", "announced", "hour"):
        np.testing.assert_array_equal(mine["usual"][name], mine["consensus"][name])
    assert set(days["day"].tolist()) == set(range(calendar.DAYS))
    for day in range(
        calendar.DAYS
    ):  # a session begins 2 h after its episode, or is put off by 30 min at the most
        rows = select(mine["usual"], day=day)
        begun = rows["hour"][rows["active"] == 1]
        assert 0 <= begun[0] - rows["hour"][0] - 2 <= 1.0
    panels = calendar.week(days, "consensus", "usual").child_axes
    assert len(panels) == calendar.DAYS
    drawn = {tuple(line.get_ydata()) for panel in panels for line in panel.lines}
    for rows in mine.values():
        assert tuple(select(rows, day=3)["glucose_mg_dl"]) in drawn
    with pytest.raises(ValueError, match="'adult#009' has 0 days with a session; a week needs 7"):
        calendar.days_of(kept, "adult#009", 5)
    with pytest.raises(ValueError, match="'pid' has no rows; there are usual, consensus"):
        calendar.week(days, "pid", "usual")


def test_what_is_kept_in_the_tree_is_what_was_made(tmp_path: Path) -> None:
    work, tree = tmp_path / "work", tmp_path / "tree"
    files = {
        "results/table.md": "results/session/table.md",
        "tuned/drawn.json": "results/session/tuned/drawn.json",
    }
    for fold in people.folds():
        name = "policy.safetensors"
        files[f"train/fold{fold}/policy/{name}"] = f"agents/policies/{report.LEARNED}/fold{fold}/{name}"
    for number, name in enumerate(files):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(bytes([number]))
    study.commit(work, work / "results", tree)
    assert {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()} == set(files.values())
    for made, kept in files.items():
        assert (tree / kept).read_bytes() == (work / made).read_bytes()


def test_a_saved_policy_is_not_judged_on_people_of_the_table_whom_it_has_met(tmp_path: Path) -> None:
    folder = ROOT / "agents/policies/ppo-session/fold0"
    study.judge_one(tmp_path, tmp_path / "row.csv", "table", str(folder), -1, 1)
    judged = set(read_table(tmp_path / "row.csv")["person"].tolist())
    met = {
        one.partition("/")[0]
        for one in json.loads((folder / "manifest.json").read_text())["trained_on"]["people"]
    }
    assert len(judged) == 6 and not judged & met
