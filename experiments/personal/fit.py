"""A person's recording becomes a folder: two twins, the card that judges them, and figures to look at."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from agents.frozen import NOTICE
from experiments.personal.page import LIGHTS, write_page
from experiments.personal.twin_file import TwinFile, load, save
from experiments.plots.personal import RIVALS, error_by_horizon, overlay
from experiments.plots.style import svg
from twins.files import atomic_write_bytes, atomic_write_text, check_writable
from twins.inference.record import KG, Record, record
from twins.inference.validity import HORIZONS_MIN, Personal, drift, identify
from twins.world.diary import STEP_MIN, STEPS_PER_DAY, Diary


def fit_person(
    diary: Diary,
    out: Path,
    fit_days: int,
    test_days: int,
    weight_kg: float = KG,
    fall_mg_dl_per_u: float | None = None,
    update: Path | None = None,
) -> Personal:
    """Fit, judge and write twin.json, card.json, card.md, report.html and two figures into `out`, each whole or not at
    all.

    update: folder of an earlier twin of the same person. Then all days but the last `test_days` are fitted, and the
    card says how the earlier twin does on these: whether the person has drifted away from it.
    Raises DiaryError for a recording that does not suffice, ValueError for weights and correction factors that no
    person has, StorageError when the folder cannot be written.
    """
    for name, value, low, high in (
        ("weight", weight_kg, 10.0, 300.0), ("correction factor", fall_mg_dl_per_u or 30.0, 2.0, 500.0),
    ):  # fmt: skip
        if not low <= value <= high:
            raise ValueError(f"{name} is {value:g}; allowed is {low:g} ... {high:g} (kg, mg/dL per U)")
    check_writable(out)
    held = record(diary, weight_kg)
    before = None if update is None else _before(update, held)
    if before is not None:
        fit_days = len(held) // STEPS_PER_DAY - test_days
    part = held.days(1, fit_days + test_days)
    begins = diary.start + timedelta(minutes=STEP_MIN * (len(diary.glucose_mg_dl) - len(held)))
    fitted = identify(
        held, fit_days, test_days, fall_mg_dl_per_u, begins + timedelta(minutes=STEP_MIN * part.stop)
    )
    fitted.card["notes"] = list(diary.notes)
    if before is not None:
        fitted.card["twin_before"] = drift(before.forecast, fitted)
    save(fitted, out / "twin.json")
    atomic_write_text(out / "card.md", words(fitted.card))
    atomic_write_bytes(out / "overlay.svg", svg(overlay(fitted)))
    atomic_write_bytes(out / "errors.svg", svg(error_by_horizon(fitted.card)))
    write_page(fitted, out / "report.html")
    atomic_write_text(out / "card.json", json.dumps(fitted.card, indent=1) + "\n")
    return fitted


def _before(folder: Path, held: Record) -> TwinFile:
    """The twin to update. Raises ValueError when it is another person's."""
    before = load(folder / "twin.json")
    if before.who != held.who:
        raise ValueError(
            f"{folder} holds the twin of {before.who}; the recording is of {held.who}; give the folder of their twin"
        )
    return before


def words(card: dict[str, Any]) -> str:
    """The card as Markdown."""
    lines = [
        f"# Validity card: the twin of {card['who']}", "",
        f"**{card['light']}**: {LIGHTS[card['light']]}. {NOTICE}", "",
        f"Fitted on {card['fit_days']} days, judged on the {card['test_days']} days after them "
        f"({card['windows']} forecasts). Expires {card.get('expires', 'never')}.", "",
        *(f"- refused: {reason}" for reason in card["reasons"]), *(f"- {note}" for note in card.get("notes", ())), "",
        "| error, mg/dL (RMSE) | " + " | ".join(f"{horizon // 60} h" for horizon in HORIZONS_MIN) + " |",
        "|---|" + "---:|" * len(HORIZONS_MIN),
    ]  # fmt: skip
    table = {"twin for forecasts": card["rmse_mg_dl"], "causal twin": card["rmse_mg_dl_causal"]}
    table |= {f"rival: {says}": card["rmse_mg_dl_references"][name] for name, says in RIVALS.items()}
    if "twin_before" in card:
        table["twin before"] = card["twin_before"]["rmse_mg_dl"]
    for name, found in table.items():
        lines.append(f"| {name} | " + " | ".join(f"{found[str(one)]:.1f}" for one in HORIZONS_MIN) + " |")
    if "twin_before" in card:
        drifted = "" if card["twin_before"]["drifted"] else "not "
        lines += ["", f"The person has {drifted}drifted away from the twin before."]
    fall, rise, shares = card["fall_mg_dl_per_u"], card["rise_mg_dl_per_10_g"], card["glucose_shares"]
    lines += [
        "", f"Bands of 50 and 90 % hold {100 * card['coverage']['50']:.0f} and {100 * card['coverage']['90']:.0f} % of "
        "the readings.", "",
        "In the causal twin one unit lowers glucose by at most "
        f"{fall['value']:.0f} mg/dL [{fall['low']:.0f}, {fall['high']:.0f}], {fall['over_rule']:.2f} of the clinical "
        f"rule; ten logged grams raise it by {rise['value']:.0f} mg/dL [{rise['low']:.0f}, {rise['high']:.0f}]. That "
        "is what the model holds for likely, given the rule it is anchored to; no recording of a pump that doses by "
        "itself can prove it.", "",
        "| share of readings, % | observed | lived by the twin |", "|---|---:|---:|",
        *(f"| {name.removesuffix('_pct').replace('_', ' ')} | {seen:.1f} | {shares['twin'][name]:.1f} |"
          for name, seen in shares["observed"].items()), "",
    ]  # fmt: skip
    return "\n".join(lines)
