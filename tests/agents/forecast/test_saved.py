"""A saved forecaster comes back as it was; one that was edited is refused with the reason."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load as unpack
from safetensors.numpy import save as pack

from agents.forecast.features import CHANNELS, see
from agents.forecast.forecaster import Forecaster, needed
from agents.forecast.network import Sizes
from agents.forecast.saved import MANIFEST, WEIGHTS, ForecasterError, load, save
from tests.agents.forecast.waves import wave

RECORD = wave(days=2)
NAMES = see(RECORD).names
STARTS = np.flatnonzero(see(RECORD).allowed)[:3]


def made() -> Forecaster:
    draw = np.random.default_rng(0)
    sizes = Sizes(len(CHANNELS), len(NAMES), 4, 5, 2)
    arrays = {name: draw.normal(size=shape).astype(np.float32) for name, shape in needed(sizes).items()}
    arrays["figures.sd"] = np.abs(arrays["figures.sd"]) + 1
    return Forecaster(sizes, arrays, tuple(float(k) for k in range(12)), 0.3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(made(), NAMES, {"people": ["a"], "seed": 0}, tmp_path)
    return tmp_path


def test_it_comes_back_as_it_was(folder: Path) -> None:
    found, wanted = load(folder, NAMES), made()
    assert (
        found.alarm == 0.3 and found.widening_mg_dl == wanted.widening_mg_dl and found.sizes == wanted.sizes
    )
    np.testing.assert_array_equal(found(RECORD, STARTS).mean_mg_dl, wanted(RECORD, STARTS).mean_mg_dl)
    assert "not a medical device" in (folder / MANIFEST).read_text()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 2}, "format"),
        ({"more": 1}, "more"),
        ({"units": 0}, "units"),
        ({"units": 5}, r"float32\(20, 9\) needed by the manifest"),
        ({"members": 3}, "nothing found"),
        ({"members": 1}, "belong to no part"),
        ({"units": 200}, "a forecaster has fewer than 50000"),
        ({"widening_mg_dl": [1.0]}, "widening_mg_dl"),
        ({"widening_mg_dl": [float("nan")] * 12}, "finite number"),
        ({"alarm": 1.5}, "alarm"),
        ({"channels": ["glucose"]}, "sees or says other things"),
        ({"figures": list(NAMES[::-1])}, "sees or says other things"),
        ({"horizons_min": [60]}, "sees or says other things"),
        ({"weights_sha256": "0" * 64}, "not the file its manifest was written for"),
        ({"trained_on": 3}, "trained_on"),
    ],
)
def test_an_edited_manifest_is_refused(folder: Path, change: dict[str, Any], says: str) -> None:
    held = json.loads((folder / MANIFEST).read_text()) | change
    (folder / MANIFEST).write_text(json.dumps(held))
    with pytest.raises(ForecasterError, match=says):
        load(folder, NAMES)


@pytest.mark.parametrize(
    "says", ["not finite", "float64", r"\(3,\)", "nothing found", "spread that is not above 0"]
)
def test_edited_weights_are_refused_even_with_a_fitting_hash(folder: Path, says: str) -> None:
    arrays: dict[str, Any] = {
        name: value.copy() for name, value in unpack((folder / WEIGHTS).read_bytes()).items()
    }
    if says == "not finite":
        arrays["0.out.bias"][0] = np.nan
    elif says == "float64":
        arrays["0.out.bias"] = arrays["0.out.bias"].astype(np.float64)
    elif says == "nothing found":
        del arrays["1.out.bias"]
    elif says.startswith("spread"):
        arrays["figures.sd"][0] = 0
    else:
        arrays["0.out.bias"] = np.zeros(3, np.float32)
    (folder / WEIGHTS).write_bytes(data := pack(arrays))
    with pytest.raises(ForecasterError, match="not the file"):
        load(folder, NAMES)
    held = json.loads((folder / MANIFEST).read_text()) | {"weights_sha256": hashlib.sha256(data).hexdigest()}
    (folder / MANIFEST).write_text(json.dumps(held))
    with pytest.raises(ForecasterError, match=says):
        load(folder, NAMES)


@pytest.mark.parametrize(
    ("name", "says"), [(MANIFEST, "is not JSON"), (WEIGHTS, "cannot be read as safetensors")]
)
def test_other_files_are_refused(folder: Path, name: str, says: str) -> None:
    (folder / name).write_bytes(b"\x80\x04nonsense")
    if name == WEIGHTS:
        held = json.loads((folder / MANIFEST).read_text())
        held["weights_sha256"] = hashlib.sha256(b"\x80\x04nonsense").hexdigest()
        (folder / MANIFEST).write_text(json.dumps(held))
    with pytest.raises(ForecasterError, match=says):
        load(folder, NAMES)
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match="a forecaster is a folder with"):
        load(folder, NAMES)
    (folder / name).mkdir()
    with pytest.raises(ForecasterError, match="cannot be read"):
        load(folder, NAMES)
