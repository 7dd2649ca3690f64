"""A trained policy as plain data: weights in safetensors, everything else in a JSON manifest.

Nothing is unpickled. What is read is checked before use: hash, schema, shapes, finite numbers. The forward
pass (`agents.actors`) works row by row in a fixed order, so a person's actions do not depend on the batch; it
agrees with torch within 1e-5.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from safetensors import numpy as safetensors

from agents.actors import ACTIVATION, Activation, Actor, Algo, needed
from agents.plain_weights import manifest_from, weights_from
from envs.tasks.dosing import Action
from twins.files import UnfitFile, atomic_write_bytes, read_file

NOTICE = "Research software, not a medical device."
"""Said wherever a dose is shown."""
WEIGHTS, MANIFEST = "policy.safetensors", "manifest.json"
MAX_BYTES = {MANIFEST: 1 << 20, WEIGHTS: 64 << 20}
REMEDY = "train the policy again"


TaskName = Literal["dosing", "plan", "session", "sleep", "whole"]
"""What a policy decides."""
JUDGED_BY: dict[TaskName, str] = {
    "dosing": "python -m scripts.evaluate --agent FOLDER",
    "plan": "python -m scripts.season --agent FOLDER",
    "session": "python -m scripts.session --agent FOLDER --out DIR",
    "sleep": "python -m scripts.sleep --agent FOLDER",
    "whole": "python -m scripts.whole --agent FOLDER",
}


class PolicyError(ValueError):
    """A saved policy that cannot be used. The message says what is wrong and what to do."""


class Manifest(BaseModel):
    """What a saved policy is, for whom it was made and on what."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    format: Literal[1] = 1
    algo: Algo
    env: str
    task: TaskName = "dosing"
    action: Action | None = None
    """How a policy of the task "dosing" doses; none of the others has it."""
    oracle: bool = False
    history: bool = False
    decision_min: int = Field(ge=1, le=1440)
    observation_names: tuple[str, ...]
    action_names: tuple[str, ...]
    net_arch: tuple[int, ...] = Field(max_length=8)
    activation: Activation = "tanh"
    lstm_hidden_size: int | None = Field(None, ge=1, le=4096)
    """Units of the LSTM before the other layers; of recurrent_ppo only."""
    trained_on: dict[str, Any]
    """People, days, scenario, seed and steps of the training, for every table that shows the policy."""
    kernel_hash: str
    weights_sha256: str
    notice: str = NOTICE

    @field_validator("trained_on")
    @classmethod
    def _can_be_told(cls, facts: dict[str, Any]) -> dict[str, Any]:
        json.dumps(facts, allow_nan=False)  # they go into summaries; ValueError for nan and infinity
        if not isinstance(seed := facts.get("seed", 0), int) or not 0 <= seed < 2**32:
            raise ValueError("seed must be a whole number from 0 to 2^32 - 1")
        return facts

    @model_validator(mode="after")
    def _is_of_its_learner(self) -> Self:
        if self.activation != (own := ACTIVATION[self.algo]):
            raise ValueError(f"activation is {self.activation}; policies of {self.algo} have {own}")
        if (self.lstm_hidden_size is not None) != (self.algo == "recurrent_ppo"):
            raise ValueError("lstm_hidden_size belongs to recurrent_ppo, which needs it, and to no other")
        return self

    @model_validator(mode="after")
    def _doses_or_does_not(self) -> Self:
        if (self.action is not None) != (self.task == "dosing"):
            raise ValueError("action belongs to the task dosing, which needs it, and to no other")
        return self


class FrozenPolicy:
    """The deterministic actor of a trained policy; `predict` as in SB3."""

    def __init__(self, manifest: Manifest, weights: Mapping[str, NDArray[np.float32]]) -> None:
        self.manifest, self.weights = manifest, dict(weights)
        self.decision_min, self.oracle, self.history = (
            manifest.decision_min,
            manifest.oracle,
            manifest.history,
        )
        self.task, self.action = manifest.task, manifest.action
        self.train_seed = int(manifest.trained_on.get("seed", 0))
        self.actor = Actor(manifest.algo, len(manifest.net_arch), self.weights, manifest.lstm_hidden_size)

    def predict(
        self,
        observation: NDArray[Any],
        state: Any = None,
        episode_start: NDArray[Any] | None = None,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.float32], Any]:
        """Actions (n, A) in [-1, 1] for observations (n, O) or (O,), and the state for the next call.

        state, episode_start: as in SB3. A recurrent policy wants back what it gave last, for the same lanes, and
        begins anew where `episode_start` (n,) is true; others hand the state through. Raises ValueError for a wrong
        shape.
        """
        rows = np.atleast_2d(np.asarray(observation, np.float64))
        if rows.ndim != 2 or rows.shape[1] != len(self.manifest.observation_names):
            raise ValueError(
                f"observations have shape {np.shape(observation)}; this policy needs "
                f"(n, {len(self.manifest.observation_names)}): {', '.join(self.manifest.observation_names)}"
            )
        actions, state = self.actor(np.ascontiguousarray(rows), state, episode_start)
        return (actions[0] if np.ndim(observation) == 1 else actions), state


def pack(manifest: Mapping[str, Any], weights: Mapping[str, NDArray[np.float32]]) -> dict[str, bytes]:
    """The two files of a policy as bytes by name; `manifest` without the hash of the weights."""
    data = safetensors.save({name: np.asarray(value, order="C") for name, value in weights.items()})
    full = Manifest(**manifest, weights_sha256=hashlib.sha256(data).hexdigest())
    FrozenPolicy(full, _checked(full, dict(weights)))
    return {WEIGHTS: data, MANIFEST: (full.model_dump_json(indent=2) + "\n").encode()}


def keep(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files that `pack` made into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        atomic_write_bytes(folder / name, data)


def unpack(files: Mapping[str, bytes]) -> FrozenPolicy:
    """The policy of files that `pack` has just made; what comes from elsewhere is for `load`, which checks it."""
    manifest = Manifest.model_validate_json(files[MANIFEST])
    return FrozenPolicy(manifest, safetensors.load(files[WEIGHTS]))


def load(folder: str | Path, task: TaskName | None = "dosing") -> FrozenPolicy:
    """The policy in this folder, or in that of a training run.

    task: what it is to decide; None: whatever it was made for. Raises FileNotFoundError or PolicyError naming file,
    fault and remedy, PolicyError also for a policy of another task.
    """
    folder = Path(folder)
    folder = folder / "policy" if (folder / "policy").is_dir() else folder
    for name in (MANIFEST, WEIGHTS):
        path = folder / name
        if not path.is_file():
            copies = sorted(held.parent.name for held in folder.glob(f"*/{MANIFEST}"))
            such = f"{folder / copies[0]} ({len(copies)} such folders lie there)" if copies else "RUN/policy"
            raise FileNotFoundError(
                f"no {name} in {folder}; a policy is a folder with {MANIFEST} and {WEIGHTS}, such as {such}"
            )
    manifest_file, data = (_read(folder, name) for name in (MANIFEST, WEIGHTS))
    manifest = manifest_from(folder / MANIFEST, manifest_file, Manifest, PolicyError, REMEDY)
    if task not in (None, manifest.task):
        raise PolicyError(
            f"{folder / MANIFEST}: the policy decides the task {manifest.task!r}, needed is {task!r}; give one of that "
            f"task, or use this one where {manifest.task!r} is judged: {JUDGED_BY[manifest.task]}"
        )
    weights = weights_from(folder / WEIGHTS, data, manifest.weights_sha256, PolicyError, REMEDY)
    return FrozenPolicy(manifest, _checked(manifest, weights))


def _read(folder: Path, name: str) -> bytes:
    try:
        return read_file(folder / name, MAX_BYTES[name])
    except (OSError, UnfitFile) as error:
        raise PolicyError(f"{name} of a policy cannot be read: {error}") from None


def _checked(manifest: Manifest, weights: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """Weights that fit the manifest and are finite; PolicyError otherwise."""
    sizes = [len(manifest.observation_names), *manifest.net_arch, len(manifest.action_names)]
    for name, shape in needed(manifest.algo, sizes, manifest.lstm_hidden_size).items():
        held = weights.get(name)
        if held is None or held.shape != shape or held.dtype != np.float32:
            found = "nothing" if held is None else f"{held.dtype}{held.shape}"
            raise PolicyError(f"weights {name}: {found} found, float32{shape} needed by the manifest")
        if name.endswith(".ra_var") and (held < 0).any():
            raise PolicyError(f"weights {name} hold a variance below 0; {REMEDY}")
    for name, held in weights.items():
        if not np.isfinite(held).all():
            raise PolicyError(f"weights {name} hold values that are not finite; {REMEDY}")
    return weights
