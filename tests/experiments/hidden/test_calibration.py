"""M0: people of the twin's own family, drawn from what a fit believes, and how often intervals hold their truth."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr

from experiments.hidden import calibration
from experiments.hidden.calibration import SHOWN, WIDTHS, cells, judge, people, words
from experiments.records.tables import Table, read_table
from twins.bodies.glucose import COLUMN
from twins.inference import identify, personal
from twins.inference.identify import RULE_MG_DL, WEAK
from twins.inference.replay import forecasts


@pytest.mark.slow
def test_people_are_drawn_from_what_the_fit_believes() -> None:
    held = people(20, 3)
    daily = np.array([one.planned_basal_u_per_h * 24 / calibration.BASAL_SHARE for one in held.records])
    fall = np.array([
        personal.effects(theta[None], record)[0, 0] for theta, record in zip(held.theta, held.records, strict=True)
    ])  # fmt: skip
    off = np.log(fall * daily / RULE_MG_DL)
    assert abs(off.mean()) < 0.1 and off.std() == pytest.approx(0.2, rel=0.4)
    # What does not touch insulin's effect is as it is believed beforehand.
    others = ((held.theta - WEAK.mean) / WEAK.sd)[:, personal.LEVELS]
    assert abs(others.mean()) < 0.2 and others.std() == pytest.approx(1.0, rel=0.15)
    alone = people(1, 3, first=7)
    assert np.array_equal(alone.theta[0], held.theta[6])
    assert np.array_equal(alone.records[0].glucose_mg_dl, held.records[6].glucose_mg_dl)


def test_they_live_as_their_own_twins_foresee_but_for_noise_and_drift(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calibration, "LIVER_SD_MG_KG_MIN", 0.0)
    monkeypatch.setattr(calibration, "SENSOR_SD_MG_DL", 0.0)
    held = people(3, 4)
    for theta, record in zip(held.theta, held.records, strict=True):
        foreseen = forecasts(theta[None], record, np.array([288, 400]), 24)[0]
        read = np.stack([record.glucose_mg_dl[start + 1 : start + 25] for start in (288, 400)])
        inside = (read > 41) & (read < 399)
        assert np.abs(foreseen - read)[inside].max() < 4
        assert personal.bodies(theta[None], record)[0, COLUMN["BW"]] == record.weight_kg


@pytest.mark.slow
def test_truths_are_ranked_and_intervals_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "WIDTHS", (1.0, 2.0))
    monkeypatch.setattr(identify, "ROUNDS", 4)  # a fit of a moment
    judge(tmp_path, tmp_path / "one", 3, 1, 1)
    found = read_table(tmp_path / "one" / "people.csv")
    assert len(found["who"]) == 2 * len(SHOWN)
    assert ((found["below"] >= 0) & (found["below"] <= 1)).all() and set(np.unique(found["inside"])) <= {
        0.0,
        1.0,
    }


def test_the_table_tells_a_calibrated_posterior_from_a_narrow_one() -> None:
    rng = np.random.default_rng(2)
    parts: list[Table] = []
    for width in WIDTHS:
        for name in SHOWN:
            z = rng.standard_normal(200) * (3.0 if width < 1 else 1.0)
            below = ndtr(z)
            parts.append({
                "who": np.array([f"{k}" for k in range(200)]), "width": np.full(200, width), "of": np.full(200, name),
                "draws": np.full(200, 20.0), "below": below, "inside": ((below > 0.05) & (below < 0.95)).astype(float),
            })  # fmt: skip
    text = words(calibration.concat(parts), ["python"])
    rows = {
        (k, line.split("|")[1].strip()): line for k, part in enumerate(text.split("Simulation-based")) for line in
        part.splitlines() if line.startswith("| ") and line[2].isdigit()
    }  # fmt: skip
    assert "0.000" in rows[1, "0.5"] and "0.000" not in rows[1, "1"]
    assert "fall with factor" in text and "not a medical device" in text
    held = float(rows[0, "1"].split("|")[2])
    assert 84 <= held <= 96 and float(rows[0, "0.5"].split("|")[2]) < 55


def test_what_is_no_request_is_refused() -> None:
    with pytest.raises(ValueError, match="0 people"):
        cells(0, 1)
    assert [cell.arguments["count"] for cell in cells(6, 1)] == [4, 2]
