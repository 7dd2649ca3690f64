"""Everybody of a data set by one command: a card each, and a table of what their twins reach."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.frozen import NOTICE
from experiments.personal.fit import fit_person
from experiments.plots.personal import RIVALS
from twins.files import atomic_write_text
from twins.inference.validity import HORIZONS_MIN
from twins.world import readers
from twins.world.diary import DiaryError

TWINS = {"twin": "rmse_mg_dl", "causal": "rmse_mg_dl_causal"}


def fit_everybody(
    folder: Path, format: str | None, out: Path, fit_days: int, test_days: int, command: Sequence[str] = ()
) -> Iterator[str]:
    """Fit everybody of a data set's folder into `out`/PERSON; lines of words as they are done, the table last.

    command: what was typed, for the record.
    Whose record does not suffice is said, not left out in silence. Raises DiaryError for a folder that is no data set.
    """
    cards: dict[str, dict[str, Any]] = {}
    without: dict[str, str] = {}
    for person in readers.people(folder):
        try:
            diary = readers.read(folder, format, person)
            cards[person] = fit_person(diary, out / person, fit_days, test_days).card
            yield f"{person}: {cards[person]['light']}"
        except DiaryError as error:
            without[person] = str(error)
            yield f"{person}: no twin, {error}"
    text = table(cards, without, command)
    atomic_write_text(out / "table.md", text)
    yield text


def table(cards: dict[str, dict[str, Any]], without: dict[str, str], command: Sequence[str] = ()) -> str:
    """The cards by person, and medians over those whose record can tell causes (the quality gate alone)."""
    names = [*TWINS, *(name.replace("_", " ") for name in RIVALS)]
    heads = [f"{name} {horizon // 60} h" for name in names for horizon in HORIZONS_MIN]
    lines = [
        "# Personal twins", "", *([f"Made by `{' '.join(command)}`.", ""] if command else ()),
        f"Error of forecasts on days after the fit, mg/dL (RMSE). {NOTICE}", "",
        f"| person | light | {' | '.join(heads)} | 90 % band | fall / rule | carbs |",
        "|---|---|" + "---:|" * (len(heads) + 3),
    ]  # fmt: skip
    rows = {person: _numbers(card) for person, card in cards.items()}
    for person, row in rows.items():
        lines.append(
            f"| {person} | {cards[person]['light']} | " + " | ".join(f"{one:.2f}" for one in row) + " |"
        )
    clean = [person for person, card in cards.items() if not card["quality_reasons"]]
    if clean:
        held = np.array([rows[person] for person in clean])
        middle = np.median(held, axis=0)
        lines.append(
            f"| median of {len(clean)} whose record suffices | | "
            + " | ".join(f"{one:.2f}" for one in middle)
            + " |"
        )
        errors = np.stack([_rmse(cards[person]) for person in clean])
        mine, causal, last, hour, population, _ = np.moveaxis(errors, 1, 0)
        wins = (mine < population).sum(axis=0)
        bands, falls = (
            np.array([cards[person][name][of] for person in clean])
            for name, of in (("coverage", "90"), ("fall_mg_dl_per_u", "over_rule"))
        )
        ratios = {
            "4 h over the last reading": np.median(mine[:, 2] / last[:, 2]),
            "4 h over the own mean by hour": np.median(mine[:, 2] / hour[:, 2]),
            "1 h over the own mean by hour": np.median(mine[:, 0] / hour[:, 0]),
            "4 h of the causal twin over the twin": np.median(causal[:, 2]) / np.median(mine[:, 2]),
        }
        lines += [
            "", "Median ratios: " + "; ".join(f"{name} {value:.2f}" for name, value in ratios.items()) + ".", "",
            f"Better than the twin of the others at 1, 2, 4 h: {wins[0]}, {wins[1]}, {wins[2]} of {len(clean)}. 90 % "
            f"bands hold {100 * bands.mean():.1f} % on average. Fall per unit over the clinical rule: "
            f"{falls.min():.2f} to {falls.max():.2f}.",
        ]  # fmt: skip
    refused = {person: card["reasons"] for person, card in cards.items() if card["reasons"]}
    lines += [
        "",
        *(f"- {person} may not be used: {'; '.join(reasons)}" for person, reasons in refused.items()),
    ]
    lines += [f"- {person} has no twin: {reason}" for person, reason in without.items()]
    return "\n".join(lines) + "\n"


def _rmse(card: dict[str, Any]) -> NDArray[np.float64]:
    """Errors (6, 3) of `TWINS`, then `RIVALS`, by horizon."""
    found = [card[name] for name in TWINS.values()] + [card["rmse_mg_dl_references"][name] for name in RIVALS]
    return np.array([[one[str(horizon)] for horizon in HORIZONS_MIN] for one in found])


def _numbers(card: dict[str, Any]) -> list[float]:
    """The columns of a person's row."""
    fall = card["fall_mg_dl_per_u"]["over_rule"]
    return [*_rmse(card).ravel(), card["coverage"]["90"], fall, card["carbs_per_logged_g"]]
