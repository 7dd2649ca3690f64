"""twin.json: a personal twin on disk, as numbers alone. It is checked before it is used."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.config import PERSONAL
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.json_files import load_object
from twins.cohort import AGE_GROUP, DAILY_INSULIN_U, GROUPS, THERAPY_COLUMNS, Cohort
from twins.files import atomic_write_text
from twins.inference.personal import NAMES
from twins.inference.posterior import Posterior
from twins.inference.posterior_cohort import posterior_cohort, resampled, settings
from twins.inference.validity import ALL_MIN, Personal

FORMAT = 2
REMEDY = "make it again with scripts.fit_twin"
KINDS = {"format": int, "who": str, "weight_kg": float, "planned_basal_u_per_h": float, "accepted": bool,
         "carbs_g_per_day": float, "therapy": list, "names": list, "forecast": list,
         "draws": list, "weights": list, "band": list}  # fmt: skip
LEAST_CARBS_G = 1.0
"""A day's grams of who logs none; their card refuses the twin."""
LARGEST = 20.0
"""No logarithm of a scale is larger."""


@dataclass(frozen=True)
class TwinFile:
    """What a file holds. forecast (17,): the forecast twin; belief: the posterior of the causal one, the most likely
    draw first; band (4, 48): quantiles of the forecast twin's errors at 5, 25, 75, 95 %; therapy (7,): settings by the
    clinical rules; carbs_g_per_day: logged; accepted: whether the card lets the causal twin be used."""

    who: str
    weight_kg: float
    planned_basal_u_per_h: float
    forecast: NDArray[np.float64]
    belief: Posterior
    band: NDArray[np.float64]
    therapy: NDArray[np.float64]
    carbs_g_per_day: float
    accepted: bool

    def draws(self, count: int) -> Cohort:
        """`count` draws of the posterior as people of the same weight, under the settings of the diary."""
        return resampled(self.cohort, count)

    @property
    def cohort(self) -> Cohort:
        """The whole posterior as people with weights, the most likely first."""
        return posterior_cohort(self.belief, self, self.therapy)

    def world(self, protocol: str = PERSONAL) -> ProtocolConfig:
        """A protocol with meals of the size that the person logs: a draw tells what a gram does that is logged."""
        return load_protocol(protocol).model_copy(update={"carbs_g_per_day": self.carbs_g_per_day})


def save(fitted: Personal, path: Path) -> None:
    """Write a fitted twin, whole or not at all."""
    held = {
        "format": FORMAT, "who": fitted.record.who, "weight_kg": float(fitted.record.weight_kg),
        "planned_basal_u_per_h": fitted.record.planned_basal_u_per_h, "accepted": fitted.card["accepted"],
        "carbs_g_per_day": max(fitted.card["quality"]["carbs_g"], LEAST_CARBS_G),
        "therapy": settings(fitted.record, fitted.part).tolist(), "names": list(NAMES),
        "forecast": fitted.forecast.theta.tolist(), "draws": fitted.belief.theta.tolist(),
        "weights": fitted.belief.weight.tolist(), "band": fitted.band.tolist(),
    }  # fmt: skip
    atomic_write_text(path, json.dumps(held) + "\n")


def load(path: Path) -> TwinFile:
    """Read a twin. Raises FileNotFoundError, or ValueError that names the fault: keys, shapes, values out of bounds."""
    held = load_object(path, REMEDY, KINDS)
    if missing := [name for name in KINDS if name not in held]:
        raise ValueError(f"{path} has no {', '.join(missing)}; {REMEDY}")
    if held["format"] != FORMAT or held["names"] != list(NAMES):
        raise ValueError(f"{path} is of another version of the twins (format {held['format']}); {REMEDY}")
    count = len(held["weights"])
    arrays = [
        _array(path, held, name, shape, most)
        for name, shape, most in (
            ("forecast", (len(NAMES),), LARGEST), ("draws", (count, len(NAMES)), LARGEST), ("weights", (count,), 1.0),
            ("band", (4, len(ALL_MIN)), 1e3), ("therapy", (THERAPY_COLUMNS,), 1e3),
        )
    ]  # fmt: skip
    if count == 0 or (arrays[2] < 0).any() or abs(arrays[2].sum() - 1) > 1e-6:
        raise ValueError(f"{path}: weights are no shares that sum to 1; {REMEDY}")
    for name, low, high in (
        ("weight_kg", 10, 300),
        ("planned_basal_u_per_h", 0, 20),
        ("carbs_g_per_day", LEAST_CARBS_G, 1000),
    ):
        if not low <= held[name] <= high:
            raise ValueError(f"{path}: {name} is {held[name]}; allowed is {low} ... {high}; {REMEDY}")
    forecast, draws, weights, band, therapy = arrays
    if not (therapy[: DAILY_INSULIN_U + 1] > 0).all() or therapy[AGE_GROUP] not in range(len(GROUPS)):
        raise ValueError(
            f"{path}: therapy has settings that are not above 0, or an unknown age group; {REMEDY}"
        )
    return TwinFile(
        held["who"], held["weight_kg"], held["planned_basal_u_per_h"], forecast, Posterior(draws, weights), band,
        therapy, held["carbs_g_per_day"], held["accepted"],
    )  # fmt: skip


def _array(
    path: Path, held: dict[str, object], name: str, shape: tuple[int, ...], most: float
) -> NDArray[np.float64]:
    try:
        found = np.array(held[name], np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{path}: {name} is no table of numbers; {REMEDY}") from None
    if found.shape != shape or not (np.abs(found) <= most).all():
        raise ValueError(
            f"{path}: {name} has shape {found.shape}; needed are finite numbers of shape {shape} up to {most:g}; "
            f"{REMEDY}"
        )
    return found
