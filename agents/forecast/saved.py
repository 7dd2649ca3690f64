"""A forecaster as plain data: weights in safetensors, all else in a JSON manifest. Nothing is unpickled.

What is read is checked before use: size, hash, schema, shapes, finite numbers.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator
from safetensors import numpy as safetensors

from agents.forecast.features import CHANNELS
from agents.forecast.forecaster import COVERAGE, Forecaster, needed
from agents.forecast.network import QUANTILES, Sizes
from agents.forecast.targets import HORIZONS_MIN, STEPS
from agents.frozen import NOTICE
from agents.plain_weights import manifest_from, weights_from
from twins.files import UnfitFile, atomic_write_bytes, read_file

WEIGHTS, MANIFEST = "forecaster.safetensors", "manifest.json"
MAX_BYTES = {MANIFEST: 1 << 20, WEIGHTS: 4 << 20}
MOST_WEIGHTS = 50_000
TRAINED = Path(__file__).resolve().parent / "trained"
"""A forecaster that comes with the project: `python -m scripts.forecast` on the 17 people of AZT1D in hand (CC BY 4.0:
Khamesian et al., Mendeley Data 10.17632/gk9m674wcx.1)."""
REMEDY = "train it again with scripts.forecast"


class ForecasterError(ValueError):
    """A saved forecaster that cannot be used. The message says what is wrong and what to do."""


class Manifest(BaseModel):
    """What a saved forecaster is and on what it was trained."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    format: Literal[1] = 1
    channels: tuple[str, ...]
    figures: tuple[str, ...] = Field(max_length=256)
    """Names of what it sees, in order; another version of the features may not feed it."""
    horizons_min: tuple[int, ...] = HORIZONS_MIN
    quantiles: tuple[float, ...] = QUANTILES
    units: int = Field(ge=1, le=512)
    width: int = Field(ge=1, le=512)
    members: int = Field(ge=1, le=16)
    coverage: float = COVERAGE
    widening_mg_dl: tuple[float, ...] = Field(min_length=STEPS, max_length=STEPS)
    alarm: float | None = Field(None, gt=0, lt=1)
    trained_on: dict[str, Any]
    """People, windows, seed: for every table that shows the forecaster."""
    weights_sha256: str
    notice: str = NOTICE

    @field_validator("trained_on")
    @classmethod
    def _can_be_told(cls, facts: dict[str, Any]) -> dict[str, Any]:
        json.dumps(facts, allow_nan=False)
        return facts

    @property
    def sizes(self) -> Sizes:
        return Sizes(len(self.channels), len(self.figures), self.units, self.width, self.members)


def save(
    forecaster: Forecaster, names: tuple[str, ...], trained_on: Mapping[str, Any], folder: str | Path
) -> None:
    """Write both files into `folder`, each whole or not at all. names: of the figures, `Seen.names`.

    Raises ForecasterError for arrays that do not fit, StorageError when the folder cannot be written.
    """
    arrays = {name: np.ascontiguousarray(value, np.float32) for name, value in forecaster.arrays.items()}
    data = safetensors.save(arrays)
    manifest = Manifest(
        channels=CHANNELS, figures=names, units=forecaster.sizes.units, width=forecaster.sizes.width,
        members=forecaster.sizes.members, widening_mg_dl=forecaster.widening_mg_dl,
        alarm=None if np.isnan(forecaster.alarm) else forecaster.alarm, trained_on=dict(trained_on),
        weights_sha256=hashlib.sha256(data).hexdigest(),
    )  # fmt: skip
    _checked(manifest, dict(arrays))
    Path(folder).mkdir(parents=True, exist_ok=True)
    atomic_write_bytes(Path(folder) / WEIGHTS, data)
    atomic_write_bytes(Path(folder) / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())


def load(folder: str | Path, names: tuple[str, ...]) -> Forecaster:
    """The forecaster in a folder. names: of the figures that this version makes, `Seen.names`.

    Raises FileNotFoundError or ForecasterError naming file, fault and remedy.
    """
    folder = Path(folder)
    manifest_file, data = _read(folder, MANIFEST), _read(folder, WEIGHTS)
    manifest = manifest_from(folder / MANIFEST, manifest_file, Manifest, ForecasterError, REMEDY)
    made = (CHANNELS, names, HORIZONS_MIN, QUANTILES, COVERAGE)
    if (
        manifest.channels,
        manifest.figures,
        manifest.horizons_min,
        manifest.quantiles,
        manifest.coverage,
    ) != made:
        raise ForecasterError(
            f"{folder / MANIFEST}: it sees or says other things than this version; {REMEDY}"
        )
    arrays = weights_from(folder / WEIGHTS, data, manifest.weights_sha256, ForecasterError, REMEDY)
    alarm = float("nan") if manifest.alarm is None else manifest.alarm
    return Forecaster(manifest.sizes, _checked(manifest, arrays), manifest.widening_mg_dl, alarm)


def _read(folder: Path, name: str) -> bytes:
    try:
        return read_file(folder / name, MAX_BYTES[name])
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(
            f"no {name} in {folder}; a forecaster is a folder with {MANIFEST} and {WEIGHTS}"
        ) from None
    except (OSError, UnfitFile) as error:
        raise ForecasterError(f"{name} of a forecaster cannot be read: {error}") from None


def _checked(manifest: Manifest, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """Arrays that fit the manifest and are finite; ForecasterError otherwise."""
    if manifest.sizes.weights >= MOST_WEIGHTS:
        raise ForecasterError(f"{manifest.sizes.weights} weights; a forecaster has fewer than {MOST_WEIGHTS}")
    shapes = needed(manifest.sizes)
    if unknown := sorted(set(arrays) - set(shapes)):
        raise ForecasterError(
            f"weights {', '.join(unknown[:3])} belong to no part of the forecaster; {REMEDY}"
        )
    for name, shape in shapes.items():
        held = arrays.get(name)
        if held is None or held.shape != shape or held.dtype != np.float32:
            found = "nothing" if held is None else f"{held.dtype}{held.shape}"
            raise ForecasterError(f"weights {name}: {found} found, float32{shape} needed by the manifest")
        if not np.isfinite(held).all():
            raise ForecasterError(f"weights {name} hold values that are not finite; {REMEDY}")
    if (arrays["figures.sd"] <= 0).any():
        raise ForecasterError(f"weights figures.sd hold a spread that is not above 0; {REMEDY}")
    return arrays
