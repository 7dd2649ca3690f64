"""Policies for one person side by side, on draws of the twin and, where it is known, on the body they are to serve."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.personal.page import Part
from experiments.records.tables import Table, concat, select
from experiments.results.evaluations import read_evaluation
from experiments.statistics import score_interval

ARMS = {
    "basal-bolus": "settings by the clinical rules from the diary",
    "basal-bolus-twin": "basal rate and boluses scaled to suit the twin",
    "pid-twin": "a closed loop with gains found on the twin",
    "cohort": "the cohort's policy, which never met this person",
    "personal": "the same, trained further on draws of the twin",
}
PLACES = {
    "twin": "On new days of draws of the twin: what the model holds for likely, and no proof.",
    "body": "On new days of the hidden virtual body that the diary is of, which neither twin nor policies have met.",
}


def compared(folder: Path, names: Sequence[str], hidden: bool) -> Part:
    """The part of a person's page. names: of evaluations in `folder`, as "judged/WHERE/SHIELD/ARM-seedN"."""
    tables = []
    for where in ("body", "twin") if hidden else ("twin",):
        mine = [name for name in names if name.startswith(f"judged/{where}/")]
        episodes = concat([_of(folder, name) for name in mine])
        if where == "body":
            episodes = {name: column[episodes["replica"] > 0] for name, column in episodes.items()}
        people, runs = len(np.unique(episodes["person"])), len(np.unique(episodes["replica"]))
        tables.append({
            "caption": f"{PLACES[where]} {people} {'body' if people == 1 else 'bodies'}, "
            f"{f'{runs} times ' if runs > 1 else ''}{episodes['days'][0]:.0f} days. Shares of time in %, failures "
            "first; insulin relative to basal-bolus under the same shield. In brackets: 95 % intervals over draws and "
            "training seeds.",
            "heads": ["", "shield", "failures", "<54", "<70", "70-180", ">180", "insulin", "what"],
            "rows": [_row(episodes, arm, shield) for shield in ("rule", "off") for arm in ARMS],
        })  # fmt: skip
    return Part([_words(hidden)], tables)


def _of(folder: Path, name: str) -> Table:
    """Episodes of an evaluation, with the training seed that its folder names; copies of a draw are one person."""
    episodes = read_evaluation(folder / name).episodes
    seed = int(name.rpartition("-seed")[2]) if "-seed" in name else -1
    person = np.array([one.partition("/")[0] for one in episodes["person"].tolist()])
    return {**episodes, "person": person, "train_seed": np.full(len(person), seed)}


def _row(episodes: Table, arm: str, shield: str) -> list[str]:
    mine, plain = (
        select(episodes, agent=arm, shield=shield),
        select(episodes, agent="basal-bolus", shield=shield),
    )
    found = score_interval(mine["tir_pct"], mine["person"], mine["train_seed"])
    between = f" [{max(found.low, 0.0):.1f}, {min(found.high, 100.0):.1f}]" if np.isfinite(found.low) else ""
    insulin = 100 * mine["insulin_u_per_day"].mean() / plain["insulin_u_per_day"].mean()
    return [
        arm, shield, f"{int(mine['failed'].sum())} of {len(mine['failed'])}", f"{mine['below_54_pct'].mean():.2f}",
        f"{mine['below_70_pct'].mean():.1f}", f"{found.estimate:.1f}{between}", f"{mine['above_180_pct'].mean():.1f}",
        f"{insulin:.0f} %", ARMS[arm],
    ]  # fmt: skip


def _words(hidden: bool) -> str:
    if hidden:
        return (
            "The diary is simulated, so what came true can be told: a policy may look good on the twin and do "
            "otherwise on the body. Read the first table; the second is what the twin had promised."
        )
    return (
        "The diary is a real person's, so these policies are judged on the twin alone: the table tells what the model "
        "believes. How far such promises hold is measured on hidden virtual people (python -m scripts.ladder)."
    )
