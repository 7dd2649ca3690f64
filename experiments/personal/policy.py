"""Policies and gains for one person, from draws of the posterior of their twin."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.load import FAMILIES, POLICIES
from agents.tunable import Tuned
from experiments.config import PERSONAL, TrainConfig
from experiments.personal.twin_file import TwinFile
from experiments.records.config_files import build
from experiments.records.gains import load_gains, save_tuning
from experiments.tune import tune
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U
from twins.files import atomic_write_text

DRAWS = 64
"""Draws of a twin that a policy is trained on."""
TUNE_DRAWS, TUNE_PERSON_DAYS = 8, 4000.0
"""Draws of the twin that gains are found on, and the budget of that."""
LEARNER: dict[str, Any] = {
    "algo": "ppo", "history": True, "decision_min": 30, "lanes": 320, "episode_days": 5, "n_timesteps": 307_200,
    "eval_days": 5, "eval_replicas": 2, "eval_freq": 76_800, "save_freq": 307_200, "max_wall_s": None,
    "protocol": PERSONAL,
    "hyperparams": {"learning_rate": 3.0e-4, "learning_rate_schedule": "linear", "n_steps": 16, "n_epochs": 8,
                    "batch_size": 640},
}  # fmt: skip
"""Settings of a training for one person: below 45 s on one core."""
FOLD = 0
NONE = "{}\n"
"""Of a file of gains that were not looked for, since the twin was refused."""


def cohort_policy(train_seed: int, name: str = "ppo-history") -> Path:
    """The folder of a shipped policy: what a training for one person goes on from.

    Raises ValueError when there is none of this seed.
    """
    folder = POLICIES / name / f"fold{FOLD}-seed{train_seed}"
    if not folder.is_dir():
        known = sorted(
            int(path.name.rpartition("seed")[2]) for path in folder.parent.glob(f"fold{FOLD}-seed*")
        )
        raise ValueError(
            f"training seed {train_seed}: no policy {name} of the cohort comes with it; give seeds of "
            f"{', '.join(map(str, known))}"
        )
    return folder


def config(twin: Path | None, train_seed: int, draws: int = DRAWS) -> TrainConfig:
    """Settings of the training on a twin's folder; None for trainings on other bodies of one person."""
    settings = LEARNER | {"seed": train_seed, "init_from": str(cohort_policy(train_seed))}
    if twin is not None:
        settings |= {"twin": str(twin), "twin_draws": draws}
    return build(TrainConfig, settings, "training for one person")


def tune_on(twin: TwinFile, family: str, out: Path) -> None:
    """Write the gains of a family for the person of a twin, found on draws of its posterior; none for a refused one."""
    if not twin.accepted:
        atomic_write_text(out, NONE)
        return
    found = twin.draws(TUNE_DRAWS)
    save_tuning(tune(family, twin.world(), "rule", found, shared=True, person_days=TUNE_PERSON_DAYS), out)


def tuned(family: str, gains: Path) -> Tuned | None:
    """The treatment with the gains that `tune_on` has found; None where the twin was refused."""
    if gains.read_text("utf-8") == NONE:
        return None
    return Tuned(FAMILIES[family], load_gains(gains, f"{family}-cohort"))


def settings_found(gains: Path, therapy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Settings (n, 7) with the basal rate and carb ratio that basal-bolus was tuned to; the same for a refused twin."""
    out = therapy.copy()
    if gains.read_text("utf-8") != NONE:
        values = load_gains(gains, "basal-bolus-cohort")
        assert not isinstance(values, Mapping)
        basal, bolus = values
        out[:, BASAL_U_PER_H] *= basal
        out[:, CARB_RATIO_G_PER_U] /= bolus
    return out
