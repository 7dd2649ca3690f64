"""Policies from strangers: whatever a folder holds, nothing in it runs, and the answer is quick and typed."""

import hashlib
import json
import os
import pickle
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import numpy as safetensors

from agents import frozen
from agents.frozen import PolicyError
from tests.agents import tiny_policy

Harm = Callable[[Path], object]


class Trap:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return open, (str(self.path), "w")


def _sealed(folder: Path, data: bytes) -> None:
    """Put weights in place with the right hash, as somebody who wants to be believed would."""
    (folder / "policy.safetensors").write_bytes(data)
    _manifest(weights_sha256=hashlib.sha256(data).hexdigest())(folder)


def _manifest(**changes: Any) -> Harm:
    def harm(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return harm


def _without(key: str) -> Harm:
    def harm(folder: Path) -> None:
        held = json.loads((folder / "manifest.json").read_text())
        del held[key]
        (folder / "manifest.json").write_text(json.dumps(held))

    return harm


def _text(data: bytes, name: str = "manifest.json") -> Harm:
    return lambda folder: (folder / name).write_bytes(data)


def _replaced(old: str, new: str) -> Harm:
    def harm(folder: Path) -> None:
        text = (folder / "manifest.json").read_text()
        assert old in text
        (folder / "manifest.json").write_text(text.replace(old, new))

    return harm


def _weights(change: Callable[[dict[str, Any]], object]) -> Harm:
    """Other weights, well-formed and with the right hash."""

    def harm(folder: Path) -> None:
        held = safetensors.load((folder / "policy.safetensors").read_bytes())
        change(held)
        _sealed(folder, safetensors.save(held))

    return harm


def _put(name: str, value: Any) -> Harm:
    return _weights(lambda held: held.__setitem__(name, value))


def _header(header: dict[str, Any] | bytes, data: bytes = b"") -> Harm:
    """A safetensors file with this header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return lambda folder: _sealed(folder, struct.pack("<Q", len(text)) + text + data)


def _pickled(folder: Path) -> None:
    _sealed(folder, pickle.dumps(Trap(folder / "trap")))


def _pickled_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(pickle.dumps(Trap(folder / "trap")))


def _sb3_zip(folder: Path) -> None:
    """An archive of Stable-Baselines3, with a trap where its weights are, in the place of the weights."""
    with zipfile.ZipFile(folder / "model.zip", "w") as archive:
        for name in ("data", "policy.pth", "../../escaped"):
            archive.writestr(name, pickle.dumps(Trap(folder / "trap")))
    _sealed(folder, (folder / "model.zip").read_bytes())


def _numpy_objects(folder: Path) -> None:
    with open(folder / "objects.npy", "wb") as file:
        np.save(file, np.array([Trap(folder / "trap")], object), allow_pickle=True)
    _sealed(folder, (folder / "objects.npy").read_bytes())


def _truncated(folder: Path) -> None:
    path = folder / "policy.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _truncated_and_sealed(folder: Path) -> None:
    _sealed(folder, (folder / "policy.safetensors").read_bytes()[:-100])


def _flipped(folder: Path) -> None:
    path = folder / "policy.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _sparse(name: str) -> Harm:
    """A file of 2 GB that takes no room on the disk."""
    return lambda folder: os.truncate(folder / name, 2 << 30)


def _link_to(target: str) -> Harm:
    def harm(folder: Path) -> None:
        (folder / "elsewhere").write_bytes(b"private")
        path = folder / "policy.safetensors"
        path.unlink()
        path.symlink_to(folder / target if not target.startswith("/") else target)

    return harm


def _manifest_link(folder: Path) -> None:
    (folder / "elsewhere").write_text('{"password": "hidden"}')
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").symlink_to(folder / "elsewhere")


def _pipe(folder: Path) -> None:
    (folder / "policy.safetensors").unlink()
    os.mkfifo(folder / "policy.safetensors")  # reading it would wait for ever


_WIDE = {"a": {"dtype": "F32", "shape": [0, 2**62], "data_offsets": [0, 0]}}
_OVERLAP = {
    name: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    for name in ("action_net.bias", "log_std")
}  # fmt: skip
_BFLOAT = {"action_net.bias": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}
_OUTSIDE = {"action_net.bias": {"dtype": "F32", "shape": [2], "data_offsets": [0, 10**12]}}
_UNKNOWN = {"action_net.bias": {"dtype": "O", "shape": [2], "data_offsets": [0, 8]}}

CORPUS: dict[str, Harm] = {
    "a pickle as weights": _pickled,
    "a pickle as manifest": _pickled_manifest,
    "an archive of pickles as weights": _sb3_zip,
    "a numpy file of objects as weights": _numpy_objects,
    "weights cut off": _truncated,
    "weights cut off and sealed again": _truncated_and_sealed,
    "one bit flipped": _flipped,
    "empty weights": _text(b"", "policy.safetensors"),
    "empty weights, sealed": lambda folder: _sealed(folder, b""),
    "a wrong hash": _manifest(weights_sha256="0" * 64),
    "weights in double precision": _put("action_net.bias", np.zeros(2)),
    "weights in whole numbers": _put("action_net.bias", np.zeros(2, np.int32)),
    "weights in half precision": _put("action_net.bias", np.zeros(2, np.float16)),
    "weights that are NaN": _put("action_net.bias", np.array([0, np.nan], np.float32)),
    "weights that are infinite": _put("action_net.bias", np.array([0, np.inf], np.float32)),
    "a critic that is NaN": _put("value_net.bias", np.array([np.nan], np.float32)),
    "weights of a wrong shape": _put("action_net.bias", np.zeros(3, np.float32)),
    "weights turned round": _weights(
        lambda held: held.update({"action_net.weight": held["action_net.weight"].T.copy()})
    ),
    "weights with one more axis": _put("action_net.bias", np.zeros((2, 1), np.float32)),
    "a tensor that is missing": _weights(lambda held: held.pop("mlp_extractor.policy_net.2.weight")),
    "no tensor at all": _weights(lambda held: held.clear()),
    "a header of no length": lambda folder: _sealed(folder, bytes(8)),
    "a header longer than the file": lambda folder: _sealed(folder, struct.pack("<Q", 2**60) + b"{}"),
    "a header that is not JSON": _header(b"\xff\xfe{"),
    "a header nested without end": _header(b"[" * 100_000),
    "a tensor of endless width": _header(_WIDE),
    "tensors on top of each other": _header(_OVERLAP, bytes(8)),
    "a tensor outside the file": _header(_OUTSIDE, bytes(8)),
    "a tensor that numpy cannot hold": _header(_BFLOAT, bytes(4)),
    "a tensor of objects": _header(_UNKNOWN, bytes(8)),
    "an unknown key in the manifest": _manifest(run_this="import os"),
    "a key that is missing": _without("observation_names"),
    "another format": _manifest(format=2),
    "another activation": _manifest(activation="relu"),
    "another action": _manifest(action="everything"),
    "no action where one doses": _manifest(action=None),
    "a task that is none": _manifest(task="everything"),
    "a plan that doses": _manifest(task="plan"),
    "a plan where doses are judged": _manifest(task="plan", action=None),
    "a decision that takes no time": _manifest(decision_min=0),
    "a decision in words": _manifest(decision_min="often"),
    "layers of negative size": _manifest(net_arch=[-16, 8]),
    "a layer of enormous size": _manifest(net_arch=[2**62, 8]),
    "a million layers": _manifest(net_arch=[1] * 1_000_000),
    "a seed that is no number": _manifest(trained_on={"seed": [1]}),
    "a seed in words": _manifest(trained_on={"seed": "seven"}),
    "a seed that is null": _manifest(trained_on={"seed": None}),
    "a seed that is negative": _manifest(trained_on={"seed": -1}),
    "a seed of many digits": _manifest(trained_on={"seed": 10**40}),
    "training facts that overflow": _replaced('"episode_days": 2.0', '"episode_days": 1e999'),
    "training facts that are not finite": _manifest(trained_on={"seed": 1, "score": float("nan")}),
    "a manifest that is not JSON": _text(b"algo: ppo\n"),
    "a manifest of another encoding": _text("{}".encode("utf-16")),
    "a manifest that is a list": _text(b"[1, 2]"),
    "a manifest that is null": _text(b"null"),
    "an empty manifest": _text(b""),
    "a manifest nested without end": _text(b'{"trained_on":' * 50_000),
    "a manifest of endless lists": _text(b"[" * 1_000_000),
    "a number of a million digits": _text(b'{"decision_min": ' + b"9" * 1_000_000 + b"}"),
    "a manifest of many numbers": _text(b"[" + b"0," * 20_000_000 + b"0]"),
    "a manifest of 2 GB": _sparse("manifest.json"),
    "weights of 2 GB": _sparse("policy.safetensors"),
    "a link to another file": _link_to("elsewhere"),
    "a link to nothing": _link_to("nowhere"),
    "a link to itself": _link_to("policy.safetensors"),
    "a link to a device": _link_to("/dev/zero"),
    "a manifest that links to another file": _manifest_link,
    "a pipe": _pipe,
}


def test_the_trap_of_this_file_would_be_seen(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Trap(tmp_path / "trap"))).close()  # noqa: S301 - the proof that it works
    assert (tmp_path / "trap").exists()


@pytest.mark.parametrize("name", CORPUS)
def test_a_damaged_or_hostile_policy_is_refused_at_once_and_nothing_runs(name: str, tmp_path: Path) -> None:
    folder = tiny_policy.write(tmp_path / "policy")
    frozen.load(folder)
    CORPUS[name](folder)
    began = time.perf_counter()
    with pytest.raises((PolicyError, FileNotFoundError)) as error:
        frozen.load(folder)
    assert time.perf_counter() - began < 1.0
    assert not (folder / "trap").exists() and not (tmp_path.parent / "escaped").exists()
    message = str(error.value)
    assert len(message) < 700 and "hidden" not in message and "private" not in message
    assert any(part in message for part in ("manifest", "weights", "policy.safetensors"))


def test_a_policy_without_one_of_its_files_says_which(tmp_path: Path) -> None:
    for name in ("manifest.json", "policy.safetensors"):
        folder = tiny_policy.write(tmp_path / name)
        (folder / name).unlink()
        with pytest.raises(FileNotFoundError, match=f"no {name} in .* a policy is a folder with"):
            frozen.load(folder)
    with pytest.raises(FileNotFoundError, match="no manifest.json"):
        frozen.load(tmp_path / "nowhere")


def test_a_folder_of_policies_names_one_of_them(tmp_path: Path) -> None:
    for seed in (1, 0):
        tiny_policy.write(tmp_path / f"seed{seed}")
    with pytest.raises(FileNotFoundError, match=r"such as .*seed0 \(2 such folders lie there\)"):
        frozen.load(tmp_path)
