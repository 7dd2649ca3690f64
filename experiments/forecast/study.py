"""From a data set to a trained forecaster, its judgement and its figures, in one folder."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.forecast.forecaster import Forecaster
from agents.forecast.learn import Settings, learn
from agents.forecast.saved import load, save
from agents.frozen import NOTICE
from experiments.forecast.judge import judge, with_alarm
from experiments.forecast.people import Person, everybody
from experiments.plots.forecast import alarm_curve, error_by_person, net_benefit
from experiments.plots.style import svg
from twins.files import atomic_write_bytes, atomic_write_text, check_writable

FILES = ("table.md", "numbers.json", "net_benefit.svg", "alarms.svg", "people.svg")


def study(
    source: Path, out: Path, wanted: Sequence[str], settings: Settings, twins: bool, trained: Path | None,
    made_by: str, say: Callable[[str], None],
) -> str:  # fmt: skip
    """Train on everybody in `source` and judge on their last days; writes `FILES` and the forecaster; the table.

    trained: folder of a forecaster to judge instead of training one; its days must be those of this source.
    made_by: the command, for the table. say: is told what is being done.
    Raises DiaryError for sources that cannot be used, StorageError when `out` cannot be written.
    """
    check_writable(out)
    people, without = everybody(source, None, wanted)
    names = people[0].seen.names
    if trained is None:
        forecaster = train(people, settings, say)
        facts = {"people": [one.who for one in people], "seed": settings.seed, "rounds": settings.rounds}
        save(forecaster, names, facts, out)
    else:
        forecaster = load(trained, names)
    found = judge(people, forecaster, twins, say) | {"left_out": without, "weights": forecaster.sizes.weights}
    atomic_write_text(out / "numbers.json", json.dumps(_plain(found), indent=1, allow_nan=False) + "\n")
    rows = found["by_person"]
    figures = {
        "net_benefit.svg": net_benefit(found["net_benefit"]), "alarms.svg": alarm_curve(found["alarm_curve"]),
        "people.svg": error_by_person({
            "who": [row["who"] for row in rows], "forecaster": [row["forecaster"] for row in rows],
            "rival": [row["ridge, readings alone"] for row in rows], "rival_name": "ridge, readings alone",
        }),
    }  # fmt: skip
    for name, ax in figures.items():
        atomic_write_bytes(out / name, svg(ax))
    text = table(found, made_by)
    atomic_write_text(out / "table.md", text)
    return text


def train(
    people: Sequence[Person], settings: Settings, say: Callable[[str], None] | None = None
) -> Forecaster:
    """A forecaster of these people, with intervals and alarm calibrated on the days held out."""
    learned, held = ([one.examples(getattr(one, part)) for one in people] for part in ("train", "hold"))
    return with_alarm(people, learn(learned, held, settings, say))


def table(found: dict[str, Any], made_by: str) -> str:
    """The judgement as Markdown."""
    lines = [
        "# Forecasts of glucose", "", f"Made by `{made_by}`.", "",
        f"Judged on the last fifth of each record: {len(found['people'])} people, {found['windows']:,} forecasts, "
        f"{found['weights']:,} weights. {NOTICE}", "", "| bar | reached | needed | |", "|---|---:|---:|---|",
        *(f"| {row['bar']} | {_short(row['reached'])} | {row['needed']} | {'met' if row['met'] else '**MISSED**'} |"
          for row in found["bars"]), "",
        "| forecast | people | RMSE at 60 min, mg/dL | AUC of a low | Brier |", "|---|---:|---:|---:|---:|",
    ]  # fmt: skip
    for name, row in found["scores"].items():
        score = f"{row['brier']:.4f}" if "brier" in row else ""
        lines.append(
            f"| {name} | {row['people']} | {row['rmse_60']:.1f} {_between(row['rmse_60_interval'], 1)} | "
            f"{row['auc']:.3f} {_between(row['auc_interval'], 3)} | {score} |"
        )
    alarms, night = found["alarms"], found["overnight"]
    lines += [
        "", "In brackets: 95 % when people are drawn anew. The twin is told the carbs and meal boluses of the hour to "
        "come, the others are not.", "",
        f"Alarm from a risk of {alarms['threshold']:.2f}, chosen on the days held out: {alarms['events']} events in "
        f"{alarms['days']:.0f} days; {100 * alarms['recall']:.0f} % caught, {alarms['false_per_day']:.2f} false alarms "
        f"a day, median lead {alarms['lead_min']:.0f} min. The 90 % interval at 60 min is "
        f"{found['width_60_min_mg_dl']:.0f} mg/dL wide on average.", "",
        f"Bedtime (23:00), a low until 06:00: {night['nights_with_low']} of {night['nights']} nights; in training "
        f"{100 * night['base_rate']:.0f} %.", "",
    ]  # fmt: skip
    if "reason" in night:
        lines.append(f"Not judged: {night['reason']}.")
    else:
        lines += ["| at bedtime | AUC | Brier |", "|---|---:|---:|"]
        for name in ("forecaster", "base rate", "glucose at bedtime"):
            area, score = night[name]["auc"], night[name]["brier"]
            lines.append(
                f"| {name} | {area['value']:.2f} {_between((area['low'], area['high']), 2)} | "
                f"{score['value']:.3f} {_between((score['low'], score['high']), 3)} |"
            )
    left = found.get("without_twin", {}) | {f"person {one}": why for one, why in found["left_out"].items()}
    lines += ["", *(f"- {who}: {why}" for who, why in left.items())]
    return "\n".join(lines).rstrip() + "\n"


def _short(value: float) -> str:
    return f"{value:.1f}" if value >= 5 else f"{value:.3f}"


def _between(interval: Sequence[float], digits: int) -> str:
    return f"[{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"


def _plain(value: Any) -> Any:
    """As JSON has it: what is not finite is null."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value
