"""Figures: drawn without pyplot, readable, nothing cut off or written over, and the same every time."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments import plots
from experiments.records.tables import Table, concat, read_table
from tests.experiments import fake_evaluation as fake
from tests.legible import check_legible

ROOT = Path(__file__).resolve().parents[2]
LONG = "a-policy-with-a-really-long-name"


def _episodes(people: int = len(fake.PEOPLE)) -> Table:
    """Episodes of two agents with and without shield, on as many persons."""
    tables = []
    for agent in ("ppo", "basal-bolus"):
        for shield in ("rule", "off"):
            traces = fake.make_traces(agent, shield, days=1, people=fake.PEOPLE[:1])
            one = fake.make_episodes(traces, -1, days=1)
            for k in range(people):
                copy = {"person": np.full(2, f"adolescent#{k:03d}"), "tir_pct": one["tir_pct"] - k}
                tables.append(one | copy | {"above_180_pct": one["above_180_pct"] + k})
    episodes = concat(tables)
    return episodes | {"agent": np.where(episodes["agent"] == "ppo", LONG, episodes["agent"])}


@pytest.fixture(scope="module")
def traces() -> Table:
    return fake.make_traces("ppo", "rule")


@pytest.fixture(scope="module")
def curves(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Table]:
    root = tmp_path_factory.mktemp("runs")
    return {
        str(k): read_table(fake.write_training_run(root / str(k), k) / "evaluations.csv") for k in range(10)
    }


DRAWN: dict[str, Callable[[Table, dict[str, Table]], Axes]] = {
    "profile": lambda traces, _: plots.ambulatory_profile(traces),
    "profile of high glucose": lambda traces, _: plots.ambulatory_profile(
        traces | {"glucose_mg_dl": 3.2 * traces["glucose_mg_dl"] - 190}
    ),
    "bars": lambda *_: plots.range_bars(_episodes()),
    "dots of 6": lambda *_: plots.person_dots(_episodes(), LONG, "basal-bolus"),
    "dots of 30": lambda *_: plots.person_dots(_episodes(30), LONG, "basal-bolus"),
    "curve of 10": lambda _, curves: plots.learning_curve(curves),
    "curve of 1": lambda _, curves: plots.learning_curve({"0": curves["0"]}),
}


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_is_cut_off_or_written_over(name: str, traces: Table, curves: dict[str, Table]) -> None:
    check_legible(DRAWN[name](traces, curves))


def test_same_data_same_bytes_and_no_pyplot(traces: Table) -> None:
    first, second = (plots.svg(plots.ambulatory_profile(traces)) for _ in range(2))
    assert first == second and first.startswith(b"<?xml") and len(first) < 300_000
    assert b"<text" not in first, "letters are outlines: no font has to be there"
    code = "import sys; from experiments import plots; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_figures_draw_into_axes_that_are_given(traces: Table, curves: dict[str, Table]) -> None:
    for draw in (
        lambda ax: plots.ambulatory_profile(traces, ax),
        lambda ax: plots.range_bars(_episodes(), ax),
        lambda ax: plots.person_dots(_episodes(), LONG, "basal-bolus", ax),
        lambda ax: plots.learning_curve(curves, ax),
    ):
        ax = Figure().add_subplot()
        assert draw(ax) is ax


def test_profile_shows_the_percentiles(traces: Table) -> None:
    ax = plots.ambulatory_profile(traces, bin_min=60)
    median = next(line for line in ax.lines if line.get_label() == "median")
    at = (traces["minute"] > 600) & (traces["minute"] <= 660) | (traces["minute"] > 2040) & (
        traces["minute"] <= 2100
    )
    assert median.get_ydata()[10] == pytest.approx(np.median(traces["glucose_mg_dl"][at]))


def test_bars_sum_to_100_and_say_who_failed() -> None:
    episodes = _episodes()
    episodes["failed"][:3] = 1.0
    ax = plots.range_bars(episodes)
    ends = {bar.get_y(): 0.0 for bar in ax.patches}
    for bar in ax.patches:
        ends[bar.get_y()] += bar.get_width()
    assert list(ends.values()) == pytest.approx([100] * 4)
    assert "3" in [text.get_text() for text in ax.texts]


def test_dots_mark_failures_and_say_what_is_known() -> None:
    episodes = _episodes()
    episodes["failed"][0] = 1.0
    ax = plots.person_dots(episodes, LONG, "basal-bolus")
    assert sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == "x") == 1
    with pytest.raises(ValueError, match="no episodes of 'oref'.*these are of a-policy"):
        plots.person_dots(episodes, "oref", "basal-bolus")


def test_curve_draws_every_run_and_their_mean(curves: dict[str, Table]) -> None:
    short = {**curves, "9": {name: column[:5] for name, column in curves["9"].items()}}
    upper, lower = plots.learning_curve(short).child_axes
    assert len(upper.lines) == len(lower.lines) == 11
    mean = upper.lines[-1]
    assert len(mean.get_xdata()) == 5
    assert mean.get_ydata()[0] == pytest.approx(np.mean([table["tir_pct"][0] for table in curves.values()]))


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.learning_curve({}), "no training run was given"),
        (
            lambda: plots.ambulatory_profile({"minute": np.ones(1), "glucose_mg_dl": np.array([np.nan])}),
            "no glucose",
        ),
    ],
)
def test_nothing_to_draw_is_an_error(draw: Callable[[], Axes], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw()


def test_labels() -> None:
    assert plots.as_label("ppo") == "ppo"
    assert plots.as_label("_a$b$") == r" a\$b\$"
    assert plots.as_label("x" * 40) == "x" * (plots.LONGEST_NAME - 3) + "..."
    assert plots.as_label("low-glucose-suspend-tuned") == "low-glucose-suspend-tuned"


def test_describe() -> None:
    episodes = fake.make_episodes(fake.make_traces("ppo", "rule", people=fake.PEOPLE[:1]), 0)
    assert plots.describe(episodes) == "1 person, 2 episodes of 2 days each, 1 training seed"
    assert (
        plots.describe(episodes | {"train_seed": np.full(2, -1.0)}) == "1 person, 2 episodes of 2 days each"
    )
