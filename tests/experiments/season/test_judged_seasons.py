"""Seasons judged: who wins and who must lose, the share of a gap, plans that are searched for, policies, figures."""

from pathlib import Path

import numpy as np
import pytest

from agents.frozen import PolicyError
from agents.seasons import NUMBERS, SEASON_AGENTS, Learned, Scheme, population_optimal
from envs.season import core as c
from envs.season.plan import Plan
from experiments.daily import seats
from experiments.plots import season as plots
from experiments.season import optimum, report
from experiments.season import train as training
from experiments.season.judge import Judged, gap_closed, judge, measures, setting, table
from experiments.season.live import live
from experiments.season.shown import as_action, shown
from scripts import season
from tests.agents import tiny_policy
from tests.legible import check_legible
from twins.bodies.fitness import MODELS

PEOPLE = 100


@pytest.fixture(scope="module", params=MODELS)
def judged(request: pytest.FixtureRequest) -> Judged:
    return judge(list(SEASON_AGENTS), PEOPLE, setting(request.param))


def test_sensible_plans_help_most_people_and_extremes_lose(judged: Judged) -> None:
    found = {name: measures(lives[0]) for name, lives in judged.items()}
    unhurt = {name: one["days_lost"] == 0 for name, one in found.items()}
    for name in ("even", "polarised", "ramp-taper", "population-optimal", "population-optimal-hours"):
        for loser in ("rest", "most", "random"):
            assert found[name]["objective"].mean() > found[loser]["objective"].mean() + 0.5, (name, loser)
        assert found[name]["on_load"].mean() > 0.7 and found[name]["weeks_of_150_min"].mean() > 0.75
        assert found[name]["gain_points"][unhurt[name]].mean() > 1
    assert (found["ramp-taper"]["gain_points"] > 0).mean() > 0.55
    assert found["rest"]["gain_points"].mean() < -10 and (found["rest"]["load_share"] == 0).all()
    assert found["population-optimal"]["objective"].mean() > found["ramp-taper"]["objective"].mean() + 1
    hours = found["population-optimal-hours"]
    assert hours["skipped_days"].mean() < found["population-optimal"]["skipped_days"].mean() - 1
    assert all((one["days_over_ratio"] == 0).all() for one in found.values())


def test_the_share_of_a_gap_is_of_means_with_its_interval(judged: Judged) -> None:
    pair = {
        "population-optimal": judged["ramp-taper"], "oracle": judged["population-optimal"],
        "half": [*judged["ramp-taper"], *judged["population-optimal"]],
    }  # fmt: skip
    share, low, high = gap_closed(pair, "half")
    assert share == pytest.approx(0.5) and low <= 0.02 and high >= 0.98  # two seeds, all or nothing
    assert gap_closed(pair, "oracle") == (1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="oracle was not judged"):
        gap_closed({"population-optimal": judged["even"]}, "population-optimal")


def test_the_table_tells_bounds_first_and_the_best_agent_first(judged: Judged) -> None:
    text = table(judged, setting("busso")).splitlines()
    head = [cell.strip() for cell in text[3].split("|")[1:-1]]
    assert head[:2] == ["agent", "days over ratio 1.5"] and head[-1] == "objective"
    assert [line.split("|")[1].strip() for line in text[5:]][0].startswith(
        "population-optimal"
    ) and "rest" in text[-1]


def test_a_scheme_follows_its_numbers() -> None:
    rows, keys = seats(40, setting("banister"))
    two = np.stack([Scheme.of(rest_days=3.5, evening=1.5).numbers, Scheme.of(hard_days=1.5).numbers] * 20)
    lived = live(Scheme(two), setting("banister"), rows, keys)
    trained = (lived.days[:, :, c.ASKED_MINUTES] > 0).reshape(40, 12, 7)
    assert not trained[::2][:, :, [2, 4, 6]].any() and trained[::2][:, :4, [0, 1, 3, 5]].all()
    hours = lived.days[:, :, c.EVENING][lived.days[:, :, c.LOAD] > 0]
    assert set(hours) == {0.0, 1.0} and lived.days[1::2, :, c.EVENING].sum() == 0
    assert (lived.days[1::2, 1::7, c.ASKED_INTENSITY] == 0.85).all()
    with pytest.raises(ValueError, match="a plan has no 'shear'; did you mean 'share'"):
        Scheme.of(shear=1.0)
    with pytest.raises(ValueError, match="2 numbers were given; a plan has 12"):
        Scheme(np.ones(2))


def test_searches_find_better_plans_and_each_person_by_itself() -> None:
    where, first = setting("busso", days=14), Scheme.of().numbers
    found = optimum.for_each(6, where, first, population=8, generations=3, seasons=1)
    alone = optimum.for_each(3, where, first, population=8, generations=3, seasons=1)
    assert found.numbers.shape == (6, len(NUMBERS)) and found.curve.shape == (3, 6)
    np.testing.assert_array_equal(found.numbers[:3], alone.numbers)
    low, high, _ = np.array(list(NUMBERS.values())).T
    assert (found.numbers >= low).all() and (found.numbers <= high).all()
    everybody = optimum.for_everybody(days=14, bodies=10, population=8, generations=3)
    assert everybody.numbers.shape == (1, len(NUMBERS)) and np.isfinite(everybody.objective).all()


def test_the_populations_plan_is_kept_with_its_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for module in ("agents.seasons", "experiments.season.optimum"):
        monkeypatch.setattr(f"{module}.FOUND", tmp_path / "plan.yml")
    found = optimum.Optimum(
        np.array([[first for _, _, first in NUMBERS.values()]]), np.zeros((1, 1)), np.zeros(1)
    )
    optimum.store(found, "python -m scripts.season --find")
    np.testing.assert_allclose(population_optimal().numbers, found.numbers[0])
    (tmp_path / "plan.yml").write_text("numbers: {share: 1}\n")
    with pytest.raises(ValueError, match="does not hold load_day_0.*scripts.season --find"):
        population_optimal()


def test_what_is_shown_to_a_policy_is_what_the_plan_asks_for() -> None:
    plan, where, task = Scheme.of(hard_days=1.5), setting("banister", days=14, split="train"), Plan()
    seen, asked = shown(plan, where, 0)
    assert (
        len(seen) == len(asked) and seen.shape[1] == len(task.observation_names) and np.abs(asked).max() < 3
    )
    core = c.SeasonCore(where, task, 30)
    core.reset(*seats(30, where))
    session = plan.act(core.view)
    back = task.decode(as_action(session, core.view), core.view)
    np.testing.assert_allclose(back.minutes, session.minutes)
    np.testing.assert_allclose(back.intensity, session.intensity)


@pytest.mark.slow
def test_a_policy_is_trained_judged_and_refused_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"LANES": 64, "LOOKED_AT": 10, "MOST_S": 60.0}.items():
        monkeypatch.setattr(training, name, value)
    for name, value in {"season.shown.PEOPLE": 32, "season.shown.EPISODES": 1, "imitation.EPOCHS": 40}.items():
        monkeypatch.setattr(f"experiments.{name}", value)
    monkeypatch.setattr("experiments.imitation.BATCH", 256)
    training.train(1, tmp_path / "seed1", steps=5376)
    found = judge([str(tmp_path), "even", "rest"], 20, setting("busso"))
    score = {name: measures(lives[0])["objective"].mean() for name, lives in found.items()}
    assert score[tmp_path.name] > score["rest"] + 10  # it begins as the population's plan
    season.main(
        [
            "--people",
            "10",
            "--days",
            "14",
            "--agent",
            str(tmp_path / "seed1"),
            "even",
            "--out",
            str(tmp_path / "out"),
        ]
    )
    assert (
        "| seed1 |" in capsys.readouterr().out
        and "not a medical device" in (tmp_path / "out/table.md").read_text()
    )
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "table.md",
        "fitness.svg",
        "load.svg",
        "calendar.svg",
    }
    with pytest.raises(PolicyError, match="decides the task 'dosing', needed is 'plan'"):
        Learned.load(tiny_policy.write(tmp_path / "doses"))


def test_figures_are_legible_and_need_rows(judged: Judged) -> None:
    names = ["population-optimal", "ramp-taper", "even"]
    curves = report.curves(judged, names)
    check_legible(plots.fitness_and_fatigue(curves, names[0], names[1]))
    check_legible(plots.load_and_ratio(curves, 1.5, names[0], names[1]))
    lived = judged["ramp-taper"][0]
    check_legible(plots.calendar(report.calendar(lived, report.typical(lived)), "One person"))
    none = {name: column[:0] for name, column in curves.items()}
    with pytest.raises(ValueError, match="no agent was given"):
        plots.load_and_ratio(none, 1.5)
    with pytest.raises(ValueError, match="no day was given"):
        plots.calendar({"day": np.empty(0)})


def test_the_command_knows_its_agents() -> None:
    for words, says in (
        (["--people", "2", "--agent", "evn"], "agent is 'evn'; did you mean 'even'"),
        (["--people", "0"], "people is 0; give 1 or more"),
        (["--train"], "no folder for the policy was given; give --out DIR"),
    ):
        with pytest.raises(ValueError, match=says):
            season.main(words)
