"""Cards of policies that were judged on published protocols: their rows, and none of others'."""

from pathlib import Path

import numpy as np

from experiments.cards.published_cards import FOLDER, judged_on, published_results
from experiments.published import report
from experiments.published.score import SHARES
from experiments.records.tables import Table, write_table


def _people(agent: str) -> Table:
    shares = {name: np.array([80.0, 60.0]) for name in SHARES}
    return {
        "protocol": np.full(2, "g2p2c"), "gut": np.full(2, "legacy"), "shield": np.full(2, "off"),
        "agent": np.full(2, agent), "person": np.array(["adult#001", "child#001"]),
        "group": np.array(["adult", "child"]), "episodes": np.array([50, 50]), "failed": np.array([0, 5]),
        "failed_published": np.array([0, 6]),
        **shares, **{f"{name}_published": column for name, column in shares.items()},
        "tir_var": np.ones(2), "magni_group": np.ones(2), "magni_all": np.ones(2),
    }  # fmt: skip


def test_a_policy_s_own_rows_are_shown_failures_first(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    write_table(tmp_path / FOLDER / report.PEOPLE, _people("ppo-g2p2c-seed0"))
    lines = published_results("ppo-g2p2c", tmp_path)
    assert "| seed0 | all | legacy | off | 100 | 5.00 | 70.0 | 70.00 | 70.00 | 70.0 |" in lines
    assert "| seed0 | child | legacy | off | 50 | 10.00 | 60.0 | 60.00 | 60.00 | 60.0 |" in lines
    assert judged_on("ppo-g2p2c", tmp_path) == {"g2p2c"}


def test_others_have_none(tmp_path: Path) -> None:
    assert published_results("ppo", tmp_path) == [] and judged_on("ppo", tmp_path) == set()
    (tmp_path / FOLDER).mkdir()
    write_table(tmp_path / FOLDER / report.PEOPLE, _people("ppo-g2p2c-seed0"))
    assert published_results("ppo", tmp_path) == [] and judged_on("ppo-g2p2", tmp_path) == set()
