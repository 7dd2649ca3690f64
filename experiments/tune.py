"""Gains of basal-bolus for each person by a grid on training days: what a baseline can get out of the simulator."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.setting import DIARY
from envs.therapy import Request, basal_bolus
from envs.view import View
from experiments.metrics import episode_metrics
from experiments.protocol import ProtocolConfig
from experiments.records.tables import Table
from experiments.simulate import Rollout, setting_of, simulate
from twins.files import atomic_write_text

BASAL_RANGE, BOLUS_RANGE = (0.2, 3.0), (0.1, 1.9)
COARSE, FINE = 0.2, 0.1
TUNE_SEED, TUNE_REPLICAS = 700, 8


def score(episodes: Table) -> NDArray[np.float64]:
    """What tuning and the choice of a checkpoint maximise: TIR - <70 - 2 x <54 (points), less 100 for a death.

    Per episode (n,). One objective for baselines and learned policies alike.
    """
    value: NDArray[np.float64] = (
        episodes["tir_pct"]
        - episodes["below_70_pct"]
        - 2 * episodes["below_54_pct"]
        - 100 * episodes["failed"]
    )
    return value


def scored(rollout: Rollout, protocol: ProtocolConfig) -> Table:
    """The metrics of a rollout and who failed, as far as `score` needs them."""
    table = episode_metrics(
        rollout.glucose_mg_dl,
        rollout.failed_side,
        rollout.failure_sample,
        protocol.sample_min,
        protocol.glucose_failure_low_mg_dl,
        protocol.glucose_failure_high_mg_dl,
    )
    table["failed"] = (rollout.failed_side != "").astype(int)
    return table


class _PerLane:
    """Basal-bolus with factors (n, 2) of its own for every lane."""

    def __init__(self, factors: NDArray[np.float64]) -> None:
        self._factors = factors

    def act(self, view: View) -> Request:
        return basal_bolus(view, self._factors)


def tune_gains(protocol: ProtocolConfig, shield: str) -> dict[str, tuple[float, float]]:
    """The best (basal, bolus) gains of each person of a protocol on training days, under the same shield.

    A grid of 0.2 over `BASAL_RANGE` x `BOLUS_RANGE`, then its neighbours at 0.1 around each person's best.
    Every point meets the same days (seed 700, eight episodes per person).
    """
    if protocol.scenario.startswith(DIARY):
        raise ValueError(
            f"{protocol.scenario} has the same days for tuning and for judging; tune on another protocol and give its "
            "gains with --gains FILE"
        )
    train = protocol.model_copy(update={"split": "train", "seed": TUNE_SEED, "replicas": TUNE_REPLICAS})
    people = setting_of(train, shield).cohort
    coarse = [(basal, bolus) for basal in _steps(BASAL_RANGE) for bolus in _steps(BOLUS_RANGE)]
    points = np.repeat(np.array(coarse)[:, None], len(people), axis=1)  # (points, persons, 2)
    scores = np.array([_scores(train, shield, point) for point in points])
    best = points[scores.argmax(axis=0), np.arange(len(people))]
    around = [(i * FINE, j * FINE) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    near = best + np.array(around)[:, None]
    points, scores = (
        np.concatenate([best[None], near]),
        np.concatenate([scores.max(axis=0)[None], [_scores(train, shield, point) for point in near]]),
    )
    best = np.round(points[scores.argmax(axis=0), np.arange(len(people))], 2)
    return {
        person: (float(basal), float(bolus)) for person, (basal, bolus) in zip(people.ids, best, strict=True)
    }


def save_gains(gains: Mapping[str, tuple[float, float]], path: Path) -> None:
    """Write gains as JSON: {person: [basal, bolus]}."""
    atomic_write_text(path, json.dumps(gains, indent=1) + "\n")


def load_gains(path: Path) -> dict[str, tuple[float, float]]:
    """Gains that `save_gains` wrote. Raises OSError, or ValueError when the file holds something else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        gains = {str(person): (float(basal), float(bolus)) for person, (basal, bolus) in found.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} holds no gains ({error}); give a gains-SHIELD.json of a study") from None
    if not all(0 <= gain < 100 for pair in gains.values() for gain in pair):
        raise ValueError(f"{path} holds gains outside 0 ... 100; give a gains-SHIELD.json of a study")
    return gains


def _steps(bounds: tuple[float, float]) -> list[float]:
    low, high = bounds
    return [round(low + k * COARSE, 2) for k in range(round((high - low) / COARSE) + 1)]


def _scores(protocol: ProtocolConfig, shield: str, gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean score of each person (persons,) with gains (persons, 2)."""
    agent = _PerLane(np.tile(gains, (protocol.replicas, 1)))
    rollout = simulate(agent, protocol, shield)
    mean: NDArray[np.float64] = score(scored(rollout, protocol)).reshape(protocol.replicas, -1).mean(axis=0)
    return mean
