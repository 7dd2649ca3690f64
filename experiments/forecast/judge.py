"""The forecaster and its rivals on days that none of them saw, and which bars are met."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.forecast.features import LOW_MG_DL
from agents.forecast.forecaster import Forecast, Forecaster
from agents.forecast.learn import Examples
from agents.forecast.targets import HORIZONS_MIN
from experiments.forecast.events import Alarms, Course, choose, event_starts, score
from experiments.forecast.overnight import overnight
from experiments.forecast.people import Person
from experiments.forecast.personal_twin import twin_guess
from experiments.forecast.rivals import RIVALS, Guess, current, low_known
from experiments.forecast.scores import auc, brier, coverage, net_benefit, over_people, rmse

RMSE_MG_DL, AUC, RECALL, FALSE_PER_DAY, LEAD_MIN, COVERAGE = 30.5, 0.91, 0.80, 1.0, 25.0, (0.87, 0.93)
"""The bars."""
PROBABILITIES = ("forecaster", "gradient boosting", "personal twin")
"""Whose risk is a probability, so that it has a Brier score and a net benefit."""
THRESHOLDS = np.round(np.arange(0.02, 0.61, 0.02), 2)
Say = Callable[[str], None]
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """Everybody's windows in one part of the records, and what the forecaster says of them."""

    examples: list[Examples]
    forecasts: list[Forecast]
    courses: list[Course]


def said(people: Sequence[Person], forecaster: Forecaster, of: str) -> Part:
    """The forecaster on the part "hold" or "test" of everybody."""
    parts: list[slice] = [getattr(one, of) for one in people]
    examples = [one.examples(part) for one, part in zip(people, parts, strict=True)]
    forecasts = [forecaster.of(one.seen, one.starts) for one in examples]
    risks = [one.low for one in forecasts]
    return Part(examples, forecasts, [course(*of) for of in zip(people, parts, examples, risks, strict=True)])


def course(person: Person, part: slice, examples: Examples, risk: Array) -> Course:
    """The risk and the events of a part. Glucose below 70 has no risk: it is low already."""
    glucose = person.record.glucose_mg_dl
    along = np.full(len(glucose), np.nan)
    along[examples.starts] = np.where(current(examples) >= LOW_MG_DL, risk, np.nan)
    return Course(along[part], event_starts(glucose[part]))


def with_alarm(people: Sequence[Person], forecaster: Forecaster) -> Forecaster:
    """The forecaster with the threshold of its alarm, chosen on the days held out."""
    return replace(forecaster, alarm=choose(said(people, forecaster, "hold").courses))


def judge(
    people: Sequence[Person], forecaster: Forecaster, twins: bool = True, say: Say | None = None
) -> dict[str, Any]:
    """All figures of the test. twins: fit everybody's personal twin, too (half a minute a person).

    say: is told what is being done.
    """
    tell = say or (lambda _: None)
    test = said(people, forecaster, "test")
    train, hold = ([one.examples(getattr(one, of)) for one in people] for of in ("train", "hold"))
    ours = [Guess(one.mean_mg_dl[:, -1], one.low) for one in test.forecasts]
    guesses: dict[str, list[Guess]] = {"forecaster": ours}
    for name, rival in RIVALS.items():
        tell(f"rival: {name}")
        guesses[name] = rival(train, hold, test.examples)
    everyone = list(range(len(people)))
    scores = {name: _scores(found, test.examples, everyone, name) for name, found in guesses.items()}
    out: dict[str, Any] = {
        "people": [one.who for one in people],
        "windows": sum(len(one.starts) for one in test.examples),
        "rmse_mg_dl_by_horizon": _by_horizon(test),
        "scores": scores,
    }
    if twins:
        found, out["without_twin"] = _twins(people, test, tell)
        for name, of in (("personal twin", found), ("forecaster, those people", dict(enumerate(ours)))):
            if found:
                scores[name] = _scores([of.get(one) for one in everyone], test.examples, list(found), name)
    low, high = (
        np.concatenate([getattr(one, end)[:, -1] for one in test.forecasts])
        for end in ("low_mg_dl", "high_mg_dl")
    )
    seen = np.concatenate([one.ahead.glucose_mg_dl[:, -1] for one in test.examples])
    out["coverage_60_min"] = coverage(low, high, seen)
    out["width_60_min_mg_dl"] = float(np.mean(high - low))
    out["alarms"] = score(test.courses, forecaster.alarm).__dict__
    out["alarm_curve"] = _curve(test.courses, forecaster)
    out["net_benefit"] = _benefits(guesses, test.examples)
    out["overnight"] = overnight(people, forecaster)
    out["by_person"] = _by_person(people, guesses, test)
    out["bars"] = bars(out)
    return out


def bars(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Each bar: what was reached, what is needed, whether it is met."""
    ours, alarms, held = found["scores"]["forecaster"], found["alarms"], found["coverage_60_min"]
    false = alarms["false_per_day"]
    rows = [
        ("RMSE at 60 min, mg/dL", ours["rmse_60"], f"<= {RMSE_MG_DL:g}", ours["rmse_60"] <= RMSE_MG_DL),
        ("AUC of a low within 60 min", ours["auc"], f">= {AUC:g}", ours["auc"] >= AUC),
        ("events caught", alarms["recall"], f">= {RECALL:g}", alarms["recall"] >= RECALL),
        ("false alarms a day", false, f"<= {FALSE_PER_DAY:g}", false <= FALSE_PER_DAY),
        ("median lead, min", alarms["lead_min"], f">= {LEAD_MIN:g}", alarms["lead_min"] >= LEAD_MIN),
        ("share within the 90 % interval", held, f"{COVERAGE[0]:g} to {COVERAGE[1]:g}",
         COVERAGE[0] <= held <= COVERAGE[1]),
    ]  # fmt: skip
    return [
        {"bar": bar, "reached": value, "needed": needed, "met": bool(met)} for bar, value, needed, met in rows
    ]


def _scores(
    guesses: Sequence[Guess | None], examples: Sequence[Examples], chosen: list[int], name: str
) -> dict[str, Any]:
    """Error at 60 min and AUC over these people, with intervals from drawing people anew."""
    held = [guesses[number] for number in chosen]
    glucose, risk = ([getattr(one, field) for one in held] for field in ("glucose_mg_dl", "risk"))
    seen = [examples[number].ahead.glucose_mg_dl[:, -1] for number in chosen]
    low = [low_known(examples[number]) for number in chosen]

    def error(rows: list[int]) -> float:
        return rmse(
            np.concatenate([glucose[row] for row in rows]), np.concatenate([seen[row] for row in rows])
        )

    def ranks(rows: list[int]) -> float:
        return auc(np.concatenate([risk[row] for row in rows]), np.concatenate([low[row] for row in rows]))

    every = list(range(len(chosen)))
    out = {
        "people": len(chosen), "rmse_60": error(every), "auc": ranks(every),
        "rmse_60_interval": over_people(error, len(chosen), 200), "auc_interval": over_people(ranks, len(chosen), 200),
    }  # fmt: skip
    if name.split(",")[0] in PROBABILITIES:
        out["brier"] = brier(np.concatenate(risk), np.concatenate(low))
    return out


def _twins(people: Sequence[Person], test: Part, tell: Say) -> tuple[dict[int, Guess], dict[str, str]]:
    found, without = {}, {}
    for number, person in enumerate(people):
        tell(f"twin of {person.who}")
        guess = twin_guess(person, test.examples[number].starts)
        if isinstance(guess, str):
            without[person.who] = guess
        else:
            found[number] = guess
    return found, without


def _by_horizon(test: Part) -> dict[str, float]:
    """The forecaster's error by minutes ahead."""
    mean = np.concatenate([one.mean_mg_dl for one in test.forecasts])
    seen = np.concatenate([one.ahead.glucose_mg_dl for one in test.examples])
    return {str(minutes): rmse(mean[:, k], seen[:, k]) for k, minutes in enumerate(HORIZONS_MIN)}


def _curve(courses: Sequence[Course], forecaster: Forecaster) -> dict[str, Any]:
    """What each threshold gives on the test, and the one that was chosen."""
    found: list[Alarms] = [
        score(courses, float(threshold)) for threshold in np.round(np.arange(0.9, 0.04, -0.05), 2)
    ]
    names = ("threshold", "false_per_day", "recall", "lead_min")
    chosen = score(courses, forecaster.alarm)
    return {name: [getattr(one, name) for one in found] for name in names} | {
        "chosen": {name: getattr(chosen, name) for name in names}, "events": chosen.events, "days": chosen.days,
    }  # fmt: skip


def _benefits(guesses: dict[str, list[Guess]], examples: Sequence[Examples]) -> dict[str, Any]:
    """Decision curves of those with a probability, of acting always, and (0 everywhere) never."""
    low = np.concatenate([low_known(one) for one in examples])
    curves = {
        name: net_benefit(np.concatenate([one.risk for one in found]), low, THRESHOLDS).tolist()
        for name, found in guesses.items()
        if name in PROBABILITIES
    }
    curves["always"] = net_benefit(np.ones(len(low)), low, THRESHOLDS).tolist()
    return {
        "thresholds": THRESHOLDS.tolist(), "curves": curves, "moments": int(np.isfinite(low).sum()),
        "people": len(examples),
    }  # fmt: skip


def _by_person(people: Sequence[Person], guesses: dict[str, list[Guess]], test: Part) -> list[dict[str, Any]]:
    return [
        {"who": person.who, "events": len(test.courses[number].events), "days": test.courses[number].days}
        | {name: rmse(found[number].glucose_mg_dl, test.examples[number].ahead.glucose_mg_dl[:, -1])
           for name, found in guesses.items()}
        for number, person in enumerate(people)
    ]  # fmt: skip
