"""Figures: drawn without pyplot, readable, nothing cut off or written over, and the same every time."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.page.standings import COSTS, standings
from experiments.plots import doses, glucose, learning, persons, stress, style, tradeoff
from experiments.records.tables import Table, concat, select
from experiments.results.evaluations import Row
from experiments.results.words import KNOBS
from experiments.statistics import performance_profile
from tests.experiments import fake_evaluation as fake
from tests.legible import check_legible

ROOT = Path(__file__).resolve().parents[2]
LONG = "a-policy-with-a-really-long-name"
BASE = "basal-bolus"


def _episodes(people: int = 6) -> Table:
    """Episodes of two agents with and without shield, the first with three training seeds, on as many persons."""
    tables = []
    for agent in ("ppo", BASE):
        for shield in ("rule", "off"):
            one = fake.make_episodes(
                fake.make_traces(agent, shield, days=1, people=fake.PEOPLE[:1]), -1, days=1
            )
            for seed in range(3 if agent == "ppo" else 1):
                for k in range(people):
                    copy = {
                        "person": np.full(2, f"adolescent~test20000#{k:03d}"), "tir_pct": one["tir_pct"] - k - seed,
                        "train_seed": np.full(2, float(seed if agent == "ppo" else -1)), "fold": np.full(2, -1.0),
                        "drawn": np.ones(2), "above_180_pct": one["above_180_pct"] + k + seed,
                        "basal_share_pct": np.full(2, 50.0),
                    }  # fmt: skip
                    tables.append(one | copy)
    episodes = concat(tables)
    return episodes | {"agent": np.where(episodes["agent"] == "ppo", LONG, episodes["agent"])}


def _sweep(agents: tuple[str, ...] = (LONG, BASE, "pid", "constant-basal")) -> Table:
    rows = [
        (agent, knob, value, 80.0 - k, 3.0, 1.0 + k, 0.0, 60.0, 30.0)
        for k, agent in enumerate(agents)
        for knob, values in (
            ("sensitivity", (0.6, 1.0, 1.4)),
            ("carb_count", (0.6, 1.0)),
            ("cgm_bias", (-30, 0, 30)),
        )
        for value in values
    ]
    names = (
        "agent", "knob", "value", "tir_pct", "below_70_pct", "below_54_pct", "failures", "episodes", "persons",
    )  # fmt: skip
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _learning(runs: int, agents: tuple[str, ...] = (LONG,)) -> Table:
    steps = np.arange(1, 21) * 288_000.0
    tables: list[Table] = []
    for agent in agents:
        for seed in range(runs):
            noise = np.random.default_rng(seed).normal(0, 0.6, 20)
            tables.append(
                {
                    "agent": np.full(20, agent),
                    "fold": np.full(20, -1.0),
                    "train_seed": np.full(20, float(seed)),
                    "timesteps": steps,
                    "tir_pct": 80 + noise,
                    "below_70_pct": 1 + np.abs(noise),
                }  # fmt: skip
            )
    return concat(tables)


@pytest.fixture(scope="module")
def counts() -> tuple[Table, Table]:
    """curves.csv and doses.csv of two agents."""
    tables = []
    for agent in ("ppo", BASE):
        curve, dose = fake.make_counts(fake.make_traces(agent, "rule"), "p")
        name = np.full(len(curve["count"]), LONG if agent == "ppo" else BASE)
        tables.append((curve | {"agent": name}, dose | {"agent": name[:1].repeat(len(dose["count"]))}))
    return concat([one for one, _ in tables]), concat([one for _, one in tables])


@pytest.fixture(scope="module")
def episodes() -> Table:
    return _episodes()


@pytest.fixture(scope="module")
def rows(episodes: Table) -> list[Row]:
    return standings(episodes, {LONG})


Counts = tuple[Table, Table]
DRAWN: dict[str, Callable[[Table, list[Row], Counts], Axes]] = {
    "clock": lambda e, r, c: glucose.aligned(c[0], [LONG, BASE]),
    "meal": lambda e, r, c: glucose.aligned(c[0], [BASE, "basal-bolus"], "meal"),
    "night": lambda e, r, c: glucose.aligned(c[0], [BASE], "night"),
    "bars": lambda e, r, c: glucose.range_bars(r),
    "caterpillar of 6": lambda e, r, c: persons.caterpillar(select(e, shield="rule"), LONG, BASE),
    "among 6": lambda e, r, c: persons.among(
        select(e, shield="rule"), str(select(e, shield="rule")["person"][0]), (LONG, BASE)
    ),
    "caterpillar of 30": lambda e, r, c: persons.caterpillar(
        select(_episodes(30), shield="rule"), LONG, BASE
    ),
    "pareto": lambda e, r, c: tradeoff.pareto(r, LONG, BASE),
    "costs": lambda e, r, c: tradeoff.costs([one for one in r if one["shield"] == "rule"], COSTS, LONG, BASE),
    "curve of 10": lambda e, r, c: learning.learning_curve(_learning(10)),
    "curves of 3 agents": lambda e, r, c: learning.learning_curve(_learning(2, (LONG, "b", "c")), LONG),
    "doses": lambda e, r, c: doses.dose_map(c[1], LONG),
    "degradation": lambda e, r, c: stress.degradation(_sweep(), KNOBS, LONG, BASE),
}


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_is_cut_off_or_written_over(
    name: str, episodes: Table, rows: list[Row], counts: Counts
) -> None:
    check_legible(DRAWN[name](episodes, rows, counts))


def test_performance_profile_is_legible(episodes: Table) -> None:
    cells = np.random.default_rng(0).uniform(60, 100, (3, 30))
    found = performance_profile(cells, np.arange(40, 101.0), seed=0, resamples=100)
    ax = persons.profile({LONG: found, BASE: found, "c": found, "d": found}, LONG, BASE)
    check_legible(ax)
    line = ax.lines[0]
    assert line.get_ydata()[0] == 100 and line.get_ydata()[-1] == 0


@pytest.mark.slow
def test_same_data_same_bytes_and_no_pyplot(counts: Counts) -> None:
    first, second = (style.svg(glucose.aligned(counts[0], [LONG])) for _ in range(2))
    assert first == second and first.startswith(b"<?xml") and len(first) < 300_000
    assert b"<text" not in first, "letters are outlines: no font has to be there"
    small = style.svg(glucose.aligned(counts[0], [LONG]), outlines=False)
    assert b"<text" in small and len(small) < len(first)
    code = "import sys; from experiments import report; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_figures_draw_into_axes_that_are_given(episodes: Table, rows: list[Row], counts: Counts) -> None:
    for draw in (
        lambda ax: glucose.aligned(counts[0], [LONG], ax=ax),
        lambda ax: glucose.range_bars(rows, ax),
        lambda ax: persons.caterpillar(select(episodes, shield="rule"), LONG, BASE, ax),
        lambda ax: tradeoff.pareto(rows, ax=ax),
        lambda ax: learning.learning_curve(_learning(1), ax=ax),
        lambda ax: doses.dose_map(counts[1], BASE, ax),
        lambda ax: stress.degradation(_sweep(), KNOBS, ax=ax),
    ):
        ax = Figure().add_subplot()
        assert draw(ax) is ax


def test_bars_sum_to_100_and_say_who_failed() -> None:
    episodes = _episodes()
    episodes["failed"][:3] = 1.0
    ax = glucose.range_bars(standings(episodes, {LONG}))
    ends = {bar.get_y(): 0.0 for bar in ax.patches}
    for bar in ax.patches:
        ends[bar.get_y()] += bar.get_width()
    assert list(ends.values()) == pytest.approx([100] * 4)
    assert any(text.get_text().startswith("3 of ") for text in ax.texts)


def test_who_was_judged_on_fewer_persons_is_told_from_the_others() -> None:
    everybody = _episodes()
    few = everybody["agent"] != LONG
    few |= np.isin(everybody["person"], np.unique(everybody["person"])[:2])
    rows = standings({name: column[few] for name, column in everybody.items()}, {LONG})
    bars = [text.get_text() for text in glucose.range_bars(rows).texts]
    assert [text for text in bars if text.startswith("Shield")] == [
        "Shield on", "Shield on, 2 persons only", "Shield off", "Shield off, 2 persons only",
    ]  # fmt: skip
    legend = tradeoff.pareto(rows, LONG, BASE).get_legend()
    assert legend is not None and sum(", 2 persons" in text.get_text() for text in legend.get_texts()) == 2


def test_caterpillar_has_a_dot_for_every_seed_and_marks_failures() -> None:
    episodes = select(_episodes(), shield="rule")
    episodes["failed"][0] = 1.0
    ax = persons.caterpillar(episodes, LONG, BASE)
    assert sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == "x") == 1
    dots = [line for line in ax.lines if line.get_marker() == "o" and line.get_markersize() < 3]
    assert [len(line.get_xdata()) for line in dots] == [3] * 6
    with pytest.raises(ValueError, match="no episodes of 'oref'.*these are of a-policy"):
        persons.caterpillar(episodes, "oref", BASE)


def test_one_person_stands_out_among_the_others_and_a_failure_is_a_cross() -> None:
    episodes = select(_episodes(), shield="rule")
    who = str(episodes["person"][0])
    ax = persons.among(episodes, who, [LONG, BASE])
    others, own = (
        [line for line in ax.lines if len(line.get_xdata()) == count] for count in (len(fake.PEOPLE) - 1, 1)
    )
    assert len(others) == len(own) == 2 and {line.get_marker() for line in own} == {"o"}
    mine = select(episodes, agent=LONG, person=who)
    assert float(own[0].get_xdata()[0]) == pytest.approx(mine["tir_pct"].mean())
    episodes["failed"][(episodes["agent"] == LONG) & (episodes["person"] == who)] = 1.0
    drawn = persons.among(episodes, who, [LONG, BASE]).lines
    assert [line.get_marker() for line in drawn if len(line.get_xdata()) == 1] == ["x", "o"]
    with pytest.raises(ValueError, match="no episodes of 'nobody'"):
        persons.among(episodes, "nobody", [LONG])


def test_the_front_holds_whom_nobody_beats_in_both() -> None:
    def row(agent: str, tir: float, low: float, persons: int = 30) -> Row:
        return {"agent": agent, "tir_pct": tir, "below_54_pct": low, "persons": persons}

    few = row("of few", 99, 0.0, persons=6)
    found = tradeoff.front([row("a", 90, 0.5), row("b", 80, 0.1), row("c", 79, 0.2), row("d", 90, 0.6), few])
    assert [one["agent"] for one in found] == ["b", "a"]


def test_curve_draws_every_run_and_their_mean() -> None:
    table = _learning(10)
    keep = (table["train_seed"] < 9) | (table["timesteps"] <= 5 * 288_000)
    upper, lower = learning.learning_curve({name: column[keep] for name, column in table.items()}).child_axes
    assert len(upper.lines) == len(lower.lines) == 11
    mean = upper.lines[-1]
    assert len(mean.get_xdata()) == 5
    assert mean.get_ydata()[0] == pytest.approx(table["tir_pct"][table["timesteps"] == 288_000].mean())


def test_dose_map_shows_what_was_often_decided_and_leaves_the_rest_white(counts: Counts) -> None:
    mine = select(counts[1], agent=BASE)
    grid = doses.dose_grid(mine)
    assert np.nanmax(np.abs(grid - 1)) < 1e-9, "this agent never asks for another rate"
    often = (mine["count"] >= doses.RARE).sum()
    assert np.isfinite(grid).sum() == often > 0
    texts = [text.get_text() for panel in doses.dose_map(counts[1], BASE).child_axes for text in panel.texts]
    assert texts.count("1.0") == often


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda c: learning.learning_curve(select(_learning(1), agent="x")), "no training run was given"),
        (lambda c: glucose.aligned(c[0], ["x"]), "these counts are empty"),
        (lambda c: glucose.aligned(c[0], [LONG], "week"), "align is 'week'; known are clock, meal, night"),
        (lambda c: doses.dose_map(c[1], "x"), "no doses of 'x'"),
        (lambda c: stress.degradation(select(_sweep(), agent="x"), KNOBS), "sweep.csv has no rows"),
        (lambda c: persons.profile({}), "no agent was given"),
    ],
)
def test_nothing_to_draw_is_an_error(draw: Callable[[Counts], Axes], message: str, counts: Counts) -> None:
    with pytest.raises(ValueError, match=message):
        draw(counts)


def test_labels() -> None:
    assert style.as_label("ppo") == "ppo"
    assert style.as_label("_a$b$") == r" a\$b\$"
    assert style.as_label("x" * 40) == "x" * (style.LONGEST_NAME - 3) + "..."
    assert style.as_label("low-glucose-suspend-tuned") == "low-glucose-suspend-tuned"
    assert style.person_label("adult~test20000#003") == "adult~003"
    assert style.person_label("adult#003") == "adult#003"


def test_describe() -> None:
    episodes = fake.make_episodes(fake.make_traces("ppo", "rule", people=fake.PEOPLE[:1]), 0)
    assert style.describe(episodes) == "1 person, 2 episodes of 2 days each, 1 training seed"
    assert (
        style.describe(episodes | {"train_seed": np.full(2, -1.0)}) == "1 person, 2 episodes of 2 days each"
    )
