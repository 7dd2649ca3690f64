"""How far the planner's search has converged: what is counted is what plans are to keep small, paired by person."""

from pathlib import Path

import numpy as np
import pytest

from agents.planner import Aim, Search
from experiments import convergence
from experiments.plots.convergence import curves
from experiments.records.tables import Table
from experiments.results.against_committed import RESULTS
from experiments.statistics import Interval
from scripts import convergence as script
from tests.legible import check_legible

LAST = len(convergence.SEARCHES) - 1


def _table(cost: list[float]) -> Table:
    n = len(cost)
    table: Table = {"cost": np.array(cost), "person": np.arange(n), "days": np.full(n, 2.0)}
    return table | {"failed": np.zeros(n, int), "tir_pct": np.full(n, 90.0), "below_70_pct": np.zeros(n)}


def test_the_cost_is_what_plans_are_to_keep_small() -> None:
    glucose = np.array([[120.0, 85.0, 100.0, 130.0], [75.0, 74.0, 100.0, 100.0]])
    assert convergence.lived_cost(glucose, Aim()) == pytest.approx([25.0, 6 * (100 + 3 * 121) / 4])


def test_searches_are_set_beside_the_hardest_of_their_agent() -> None:
    tables = {"planner-0": _table([150.0, 450.0]), f"planner-{LAST}": _table([100.0, 300.0])}
    easy, hard = convergence.reached(tables)
    assert (easy.agent, easy.plans, easy.runs) == ("planner", 12, 2)
    assert easy.above_pct.estimate == pytest.approx(50.0) and hard.above_pct == Interval(0.0, 0.0, 0.0)
    assert easy.above_pct.low < 50.0 < easy.above_pct.high
    with pytest.raises(ValueError, match="the hardest search of planner is not done"):
        convergence.reached({"planner-0": _table([1.0])})


def test_searches_grow_and_the_default_is_among_them() -> None:
    plans = [search.population * search.iterations for search in convergence.SEARCHES]
    assert plans == sorted(plans) and Search() in convergence.SEARCHES
    assert len(convergence.cells()) == 2 * len(plans) == len({cell.name for cell in convergence.cells()})


@pytest.mark.slow
def test_the_command_lives_them_and_writes_table_and_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(convergence, "SEARCHES", (Search(12, 1, 4), Search(24, 2, 6)))
    assert script.main(["--days", "0.05", "--processes", "1", "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "| clairvoyant | 24 x 2 | 48 | 0 of 30 |" in told and "medical device" in told
    assert (tmp_path / "results" / "convergence.svg").read_bytes().startswith(b"<?xml")
    with pytest.raises(ValueError, match="--days is nan; give a number from 0.05 to 366"):
        script.main(["--days", "nan", "--out", str(tmp_path)])


def test_the_figure_is_legible() -> None:
    found = {
        name: [(12 * 4**k, Interval(50.0 / 2**k, 40.0 / 2**k, 60.0 / 2**k)) for k in range(6)]
        for name in convergence.AGENTS
    }
    check_legible(curves(found, 192))
    with pytest.raises(ValueError, match="a curve needs some"):
        curves({}, 192)


def test_what_is_committed_is_of_the_searches_at_hand() -> None:
    text = (RESULTS / "shield" / "convergence.md").read_text()
    for name in convergence.AGENTS:
        for search in convergence.SEARCHES:
            assert f"| {name} | {search.population} x {search.iterations} |" in text
