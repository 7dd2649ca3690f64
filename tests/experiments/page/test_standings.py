"""The numbers of a page: rows, contrasts and bounds, from episodes whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.page import standings
from experiments.records.tables import Table, concat


def _episodes(
    agent: str, tir: float, seeds: int = 1, folds: int = 1, shield: str = "rule", people: int = 12
) -> Table:
    """A person's time in range is `tir` plus the person's own number, the same under every training."""
    tables: list[Table] = []
    groups = (("adult", "child") * people)[:people]
    for fold in range(folds):
        for seed in range(seeds):
            n = people
            share = tir + np.arange(n) / 10 + 0.1 * seed
            tables.append(
                {
                    "agent": np.full(n, agent),
                    "shield": np.full(n, shield),
                    "protocol": np.full(n, "p"),
                    "person": np.array(
                        [f"{g}#{k:03d}" for k, g in zip(range(n), ("adult", "child") * n, strict=False)]
                    ),
                    "group": np.array(groups),
                    "drawn": np.zeros(n),
                    "replica": np.zeros(n),
                    "seed": np.zeros(n),
                    "train_seed": np.full(n, float(seed) if agent == "ppo" else -1.0),
                    "fold": np.full(n, float(fold) if folds > 1 else -1.0),
                    "days": np.ones(n),
                    "failed": np.zeros(n),
                    "tir_pct": share,
                    "below_70_pct": np.full(n, 2.0),
                    "below_54_pct": np.full(n, 0.5),
                    "above_180_pct": 98 - share,
                    "above_250_pct": np.full(n, 1.0),
                    "mean_mg_dl": np.full(n, 140.0),
                    "cv_pct": np.full(n, 30.0),
                    "lbgi": np.ones(n),
                    "insulin_u_per_day": np.full(n, 40.0),
                    "rescue_carbs_g_per_day": np.zeros(n),
                    "shield_changed_pct": np.full(n, 5.0),
                }  # fmt: skip
            )
    return concat(tables)


@pytest.fixture(scope="module")
def episodes() -> Table:
    return concat(
        [
            _episodes("ppo", 80, seeds=3, folds=2), _episodes("good", 78), _episodes("bad", 60),
            _episodes("ppo", 81, seeds=3, folds=2, shield="off"), _episodes("good", 78, shield="off"),
        ]
    )  # fmt: skip


def test_rows_are_ordered_and_count_trainings(episodes: Table) -> None:
    rows = standings.standings(episodes, {"ppo"})
    assert [(row["agent"], row["shield"]) for row in rows] == [
        ("ppo", "rule"), ("good", "rule"), ("bad", "rule"), ("ppo", "off"), ("good", "off"),
    ]  # fmt: skip
    ours, good = rows[:2]
    assert ours["trainings"] == 6 and ours["train_seeds"] == [0, 1, 2] and ours["episodes"] == 72
    assert ours["tir_pct"] == pytest.approx(80 + 0.55 + 0.1)
    assert ours["seed_tir_pct"] == pytest.approx([80.55, 80.65, 80.75])
    assert ours["tir_pct_low"] < ours["tir_pct"] < ours["tir_pct_high"]
    assert good["best_baseline"] and not good["learned"] and good["trainings"] == 0
    assert "alarms_per_day" not in ours, "costs that the episodes do not have are left out"


def test_the_primary_contrast_is_paired_by_person(episodes: Table) -> None:
    found = standings.contrast(episodes, "ppo", "good", "p", "rule", {"ppo"})
    assert found is not None
    assert found.verdict.tir.estimate == pytest.approx(2.1) and found.verdict.outcome == "win"
    assert (found.persons, found.better) == (12, 12) and found.p < 0.05
    assert standings.contrast(episodes, "ppo", "bad", "p", "off", {"ppo"}) is None


def test_secondary_contrasts_are_adjusted_together(episodes: Table) -> None:
    found = standings.secondary(episodes, "ppo", "good", "p", "rule", {"ppo"})
    assert [(one.baseline, one.shield) for one in found] == [("bad", "rule"), ("good", "off")]
    assert max(one.adjusted for one in found) >= 2 * min(one.p for one in found) - 1e-12
    assert all(one.adjusted >= one.p for one in found)
    assert [one.outcome for one in found] == ["win", "win"]
    late = replace(found[0], adjusted=0.05)
    assert late.verdict.outcome == "win" and late.outcome == "unclear", "the adjustment has the last word"
    unsafe = replace(late, verdict=replace(late.verdict, outcome="unsafe"))
    assert unsafe.outcome == "unsafe"


def test_more_failures_are_unsafe_whatever_the_time_in_range(episodes: Table) -> None:
    worse = {name: column.copy() for name, column in episodes.items()}
    worse["failed"][0] = 1.0
    found = standings.contrast(worse, "ppo", "good", "p", "rule", {"ppo"})
    assert found is not None and found.verdict.outcome == "unsafe"
    assert found.verdict.failure_rate == pytest.approx(1 / 72)


def test_bounds_count_persons_and_put_everybody_last(episodes: Table) -> None:
    mine = {name: column[:72].copy() for name, column in episodes.items()}
    mine["failed"][[0, 12]] = 1.0  # one adult, twice
    bounds = standings.failure_bounds(mine)
    assert [one.stratum for one in bounds] == ["adult", "child", "all"]
    assert (bounds[0].persons_with_event, bounds[0].persons, bounds[0].events) == (1, 6, 2)
    assert bounds[1].upper == pytest.approx(1 - 0.05 ** (1 / 6))


def test_populations(episodes: Table) -> None:
    drawn = episodes | {"drawn": (episodes["group"] == "child").astype(float)}
    assert set(standings.of_population(drawn, "drawn")["group"].tolist()) == {"child"}
    assert set(standings.of_population(drawn, "table")["group"].tolist()) == {"adult"}
    assert standings.of_population(drawn, "all") is drawn


def test_a_clairvoyant_agent_is_a_reference_and_no_baseline() -> None:
    names = ("clairvoyant (oracle)", "hostile-max", "good", "bad")
    told = concat([_episodes(name, 80.0 - 5 * k) for k, name in enumerate(names)])
    rows = standings.standings(told, set())
    assert [row["agent"] for row in rows] == list(names)
    assert [row["best_baseline"] for row in rows] == [False, False, True, False]
