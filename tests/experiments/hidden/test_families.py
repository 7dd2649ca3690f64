"""Two families of twins on the same people: a line for each, effects over the truth, and medians in a table."""

from pathlib import Path

import numpy as np
import pytest

from experiments.hidden import families
from experiments.hidden.families import COLUMNS, FAMILIES, cells, words
from experiments.records.tables import read_table
from twins.inference import identify
from twins.world.diary import DiaryError


@pytest.mark.verify
def test_a_hidden_person_has_a_line_of_each_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identify, "ROUNDS", 4)  # fits of a moment
    families.hidden(tmp_path, tmp_path / "one", "kanderian", 1, 31)
    families.other_boluses(tmp_path, tmp_path / "other", "planned", 1, 31)
    one, other = (read_table(tmp_path / name / "lines.csv") for name in ("one", "other"))
    assert one["family"].tolist() == other["family"].tolist() == list(FAMILIES)
    assert (one["fall"] > 0.2).all() and (one["rise"] > 0.1).all() and np.isnan(one["mard"]).all()
    assert (other["mard"] < 10).all() and (other["slope"] > 0.2).all()
    assert not np.allclose(one["forecast_240"][0], one["forecast_240"][1])
    text = words(families.read(tmp_path, ["one", "other"]), ["python"])
    assert text.count("| reduced |") == text.count("| uva-padova |") == 2 and "not a medical device" in text
    row = next(line for line in text.splitlines() if "kanderian | 1 | reduced" in line)
    assert f"{one['fall'][1]:.2f}" in row and len(row.split("|")) == len(COLUMNS) + 5


def test_a_record_that_does_not_suffice_has_no_line(tmp_path: Path) -> None:
    short = tmp_path / "subject_01.csv"
    short.write_text("time,glucose_mg_dl,carbs_g,bolus_u,basal_u_per_h\n2024-01-01T00:00,100,0,0,1\n")
    families.real(tmp_path, tmp_path / "none", str(short), "01")
    assert len(read_table(tmp_path / "none" / "lines.csv")["who"]) == 0


def test_what_is_no_request_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 hidden people"):
        cells(tmp_path, 0, 1)
    with pytest.raises(DiaryError):
        cells(tmp_path / "nothing", 1, 1)
