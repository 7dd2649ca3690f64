"""What other people's fits say of a person not yet met: committed means and spreads, and those without one person.

`twins/data/priors.csv` is made by `python -m scripts.priors` from the people of AZT1D whose records pass `quality`
(CC BY 4.0: Khamesian et al., Mendeley Data 10.17632/gk9m674wcx.1). When a person is one of them, the prior is that of
the others, so that nobody's own days stand in the prior of their twin.
"""

import csv
from functools import cache
from pathlib import Path

import numpy as np

from twins.inference.identify import WEAK, Fit, Prior
from twins.inference.personal import NAMES

PATH = Path(__file__).resolve().parents[1] / "data" / "priors.csv"
COLUMNS = ("without", "parameter", "mean", "sd")
LEAST_OF_WEAK = 0.25
"""A spread between few people may be small by chance: it counts as at least this share of the weak prior's."""


def prior(who: str = "") -> Prior:
    """The prior of a person's forecast twin; without them when they are one of its people."""
    table = _table()
    return table.get(who) or table[""]


def people() -> tuple[str, ...]:
    """Who stands in the committed prior."""
    return tuple(who for who in _table() if who)


@cache
def _table() -> dict[str, Prior]:
    rows: dict[str, dict[str, tuple[float, float]]] = {}
    with PATH.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["without"], {})[row["parameter"]] = float(row["mean"]), float(row["sd"])
    return {who: Prior(*np.array([held[name] for name in NAMES]).T) for who, held in rows.items()}


def spread(fits: dict[str, Fit]) -> Prior:
    """Mean and spread of some people's fits."""
    theta = np.stack([one.theta for one in fits.values()])
    return Prior(theta.mean(axis=0), np.maximum(theta.std(axis=0, ddof=1), LEAST_OF_WEAK * WEAK.sd))


def rows(fits: dict[str, Fit]) -> list[dict[str, str]]:
    """Lines of the committed file from the fits of people by name."""
    out = []
    for without in ("", *fits):
        held = spread({who: one for who, one in fits.items() if who != without})
        out += [
            {"without": without, "parameter": name, "mean": f"{mean:.6g}", "sd": f"{sd:.6g}"}
            for name, mean, sd in zip(NAMES, held.mean, held.sd, strict=True)
        ]
    return out
