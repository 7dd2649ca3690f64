"""The page of one person's twin: what was found in the record, how the twin does, and policies that learned from it.

It shows effects and relative changes, and never a dose: a person may read it as their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from agents.frozen import NOTICE
from experiments.page.fill import environment
from experiments.page.svg import Drawing, inline
from experiments.plots import personal as plots
from twins.files import atomic_write_text
from twins.inference.validity import FALL_OVER_RULE, HORIZONS_MIN, Personal

LIGHTS = {
    "green": "may be used",
    "amber": "may be used, but forecasts less well than it should, or its bands are off",
    "red": "may not be used for what-ifs and policies",
}
OUTCOMES = {"green": "win", "amber": "unclear", "red": "unsafe"}
"""Of the page's style sheet."""


@dataclass(frozen=True)
class Figure:
    """A drawing, its caption, and words for who cannot see it."""

    drawing: Drawing
    caption: str
    alt: str


@dataclass(frozen=True)
class Part:
    """What a page tells of policies: words, tables (caption, heads, rows) and figures."""

    text: Sequence[str] = ()
    tables: Sequence[Mapping[str, Any]] = ()
    figures: Sequence[Figure] = field(default=())


def figure(name: str, ax: Axes, caption: str, alt: str) -> Figure:
    """A figure of these axes; `name` begins its ids."""
    return Figure(inline(ax, name), caption, alt)


def write_page(fitted: Personal, path: Path, policies: Part | None = None) -> None:
    """Write the page of a fitted twin, whole or not at all."""
    card = fitted.card
    text = environment().get_template("personal.html").render(
        title=f"The twin of {card['who']}",
        disclaimer=NOTICE,
        outcome=OUTCOMES[card["light"]],
        claim=_claim(card),
        details=[f"Refused: {reason}." for reason in card["reasons"]],
        record=_record(card),
        card={"tables": [_errors(card), _shares(card)], "figures": _figures(fitted), "text": _effects(card)},
        policies=policies,
        limits=_limits(card),
    )
    atomic_write_text(path, text)


def _claim(card: Mapping[str, Any]) -> str:
    twin, rivals = card["rmse_mg_dl"]["240"], card["rmse_mg_dl_references"]
    return (
        f"This twin {LIGHTS[card['light']]}. Fitted on {card['fit_days']} days, it forecasts the {card['test_days']} "
        f"days after them 4 h ahead with an error of {twin:.0f} mg/dL; the last reading errs by "
        f"{rivals['persistence']['240']:.0f}, the person's own mean by hour by {rivals['time_of_day_mean']['240']:.0f}."
    )


def _record(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    held = card["quality"]
    found = [
        ("days", f"{card['fit_days']} to fit, {card['test_days']} to judge"),
        ("glucose", f"{100 * held['glucose_read']:.0f} % of the time read"),
        ("meals", f"{held['meals']:.1f} entries and {held['carbs_g']:.0f} g a day"),
        ("basal insulin", f"unknown for {100 * held['basal_unknown']:.0f} % of the time"),
        ("verdict", "suffices" if not card["quality_reasons"] else "; ".join(card["quality_reasons"])),
    ]
    found += [("repaired", note) for note in card.get("notes", ())]
    return [*found, ("expires", str(card.get("expires", "never")))]


def _errors(card: Mapping[str, Any]) -> dict[str, Any]:
    rows = [("twin for forecasts", card["rmse_mg_dl"]), ("causal twin", card["rmse_mg_dl_causal"])]
    rows += [(words, card["rmse_mg_dl_references"][name]) for name, words in plots.RIVALS.items()]
    if "twin_before" in card:
        rows.append(("twin before the update", card["twin_before"]["rmse_mg_dl"]))
    return {
        "caption": f"Error of forecasts (RMSE, mg/dL) on {card['windows']} windows of the days after the fit. Doses "
        "that a pump gives in reaction to glucose are told to nobody.",
        "heads": ["", *(f"{horizon // 60} h" for horizon in HORIZONS_MIN)],
        "rows": [[words, *(f"{found[str(one)]:.1f}" for one in HORIZONS_MIN)] for words, found in rows],
    }


def _shares(card: Mapping[str, Any]) -> dict[str, Any]:
    shares = card["glucose_shares"]
    names = {"below_70_pct": "below 70", "in_range_pct": "70-180", "above_180_pct": "above 180"}
    return {
        "caption": "Share of time (%) by glucose in mg/dL, on the days after the fit: as read, and as the twin lives "
        "them, 4 h at a time.",
        "heads": ["", *names.values()],
        "rows": [
            ["read", *(f"{shares['observed'][name]:.1f}" for name in names)],
            ["lived by the twin", *(f"{shares['twin'][name]:.1f}" for name in names)],
        ],
    }


def _effects(card: Mapping[str, Any]) -> list[str]:
    fall, rise = card["fall_mg_dl_per_u"], card["rise_mg_dl_per_10_g"]
    low, high = (fall[end] / fall["value"] * fall["over_rule"] for end in ("low", "high"))
    return [
        f"Bands of 50 and 90 % hold {100 * card['coverage']['50']:.0f} and {100 * card['coverage']['90']:.0f} % of the "
        "readings.",
        f"In the causal twin insulin lowers glucose by {fall['over_rule']:.2f} [{low:.2f}, {high:.2f}] of what the "
        f"clinical rule says (1700 over daily insulin; allowed {FALL_OVER_RULE[0]:g} to {FALL_OVER_RULE[1]:g}), and "
        f"ten logged grams raise it by {rise['value']:.0f} mg/dL [{rise['low']:.0f}, {rise['high']:.0f}]. That is what "
        "the model holds for likely, given the rule that it is anchored to. A pump that doses by itself reacts to "
        "glucose, so this is prediction and no proof of what a dose does.",
    ]


def _figures(fitted: Personal) -> list[Figure]:
    card = fitted.card
    twin = card["rmse_mg_dl"]
    return [
        figure("overlay", plots.overlay(fitted),
               "Readings (points) of the first day after the fit, and forecasts made anew every 4 h with bands of 50 "
               "and 90 %. Above: logged carbs.",
               f"Forecasts and readings of a day; the error at 4 h is {twin['240']:.0f} mg/dL over all days."),
        figure("fan", plots.fan(fitted), "A forecast of median error, with bands of 50 and 90 %, and what was read.",
               "A fan of glucose to come over four hours, and the readings in it."),
        figure("errors", plots.error_by_horizon(card), "Error by how far ahead, beside rivals that are told no more.",
               "; ".join(f"{words}: {card['rmse_mg_dl_references'][name]['240']:.0f} mg/dL at 4 h"
                         for name, words in plots.RIVALS.items())),
        figure("pairs", plots.pairs(fitted),
               "The posterior of the causal twin: draws, larger the more they weigh; cross: the most likely. Scales of "
               "a mean adult's parameters; level: of 100 mg/dL, carbs: eaten per gram logged. The draws are worth "
            f"{card['effective_draws']:.0f} independent ones.",
            "Scatter of the posterior's parameters in pairs."),
    ]  # fmt: skip


def _limits(card: Mapping[str, Any]) -> list[str]:
    return [
        "A twin forecasts from logged meals, insulin and readings. Exercise, illness, stress and food that is not "
        "logged are not in it.",
        "What a unit of insulin does cannot be proven from a record of everyday life; the causal twin is held near a "
        "clinical rule for it. On hidden virtual people, whose bodies are known, it often missed the "
        "truth by a third and more.",
        f"The card expires on {card.get('expires', 'no day')}: people change.",
        NOTICE,
    ]
