"""The risk at bedtime: at 23:00, whether any reading will be below 70 mg/dL until 06:00.

Nights are few, so every figure comes with an interval from drawing people anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from agents.forecast.features import LOW_MG_DL
from agents.forecast.forecaster import Forecaster
from agents.forecast.targets import ahead
from experiments.forecast.people import Person
from experiments.forecast.scores import auc, brier, joined, over_people
from twins.units import MINUTES_PER_DAY
from twins.world.diary import STEP_MIN

BEDTIME_MIN = 23 * 60
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Nights:
    """One person's nights that can be judged. starts (N,): their bedtimes; glucose_mg_dl (N,): then; low (N,): 1 where
    a low came, 0 otherwise."""

    starts: NDArray[np.int64]
    glucose_mg_dl: Array
    low: Array


def nights(person: Person, part: slice) -> Nights:
    """The nights of a part, from a glucose of 70 mg/dL or more, of which enough was read."""
    steps = np.arange(part.start, part.stop)
    bedtime = (person.record.minute_of_day + STEP_MIN * steps) % MINUTES_PER_DAY == BEDTIME_MIN
    glucose = person.record.glucose_mg_dl
    starts = steps[bedtime & person.seen.allowed[steps] & (glucose[steps] >= LOW_MG_DL)]
    low = ahead(person.record, starts, part.stop).low_night
    known = np.isfinite(low)
    return Nights(starts[known], glucose[starts[known]], low[known])


def overnight(people: Sequence[Person], forecaster: Forecaster) -> dict[str, object]:
    """Nights of the test, lows among them, and AUC and Brier score with intervals: of the forecaster, of the share of
    nights with a low in training, of logistic regression from the glucose at bedtime."""
    learned, judged = ([nights(one, getattr(one, part)) for one in people] for part in ("train", "test"))
    low = [one.low for one in judged]
    past = np.concatenate([one.low for one in learned])
    out: dict[str, object] = {
        "nights": sum(len(one) for one in low), "nights_with_low": int(sum(one.sum() for one in low)),
        "base_rate": float(past.mean()) if len(past) else float("nan"),
    }  # fmt: skip
    if len(np.unique(past)) < 2 or not sum(len(one) for one in low):
        return out | {"reason": "too few nights to learn from, or none to judge"}
    glucose = np.concatenate([one.glucose_mg_dl for one in learned])
    line = LogisticRegression().fit(glucose[:, None] / 40, past)
    risks = {
        "forecaster": [
            forecaster.of(one.seen, at.starts).low_night for one, at in zip(people, judged, strict=True)
        ],
        "base rate": [np.full(len(one), past.mean()) for one in low],
        "glucose at bedtime": [
            line.predict_proba(at.glucose_mg_dl[:, None] / 40)[:, 1] if len(at.low) else at.low
            for at in judged
        ],
    }
    for name, risk in risks.items():
        out[name] = {"auc": _sure(auc, risk, low), "brier": _sure(brier, risk, low)}
    return out


def _sure(
    statistic: Callable[[Array, Array], float], risk: list[Array], low: list[Array]
) -> dict[str, float]:
    """A statistic over everybody's nights with its interval."""
    a, b = over_people(lambda chosen: statistic(joined(risk, chosen), joined(low, chosen)), len(low))
    return {"value": statistic(np.concatenate(risk), np.concatenate(low)), "low": a, "high": b}
