"""The log of decisions: no line is edited, deleted, added, moved or cut unseen, and a kill loses one at most."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.records.decision_log import DecisionLog, LogError, head_in_summary, plain, read_log
from twins.files import StorageError

ROOT = Path(__file__).resolve().parents[3]
COUNT = 6


def _decision(k: int) -> dict[str, Any]:
    return {
        "person": "adult#001",
        "minute": 5 * k,
        "allowed": [0.1 * k, plain(float("nan"))],
        "reason": ["none"],
    }


def _write(path: Path, count: int = COUNT) -> str:
    with DecisionLog(path, {"agent": "pid"}) as log:
        for k in range(count):
            log.write(_decision(k))
    return log.head


def test_what_is_written_is_read_back_with_its_chain(tmp_path: Path) -> None:
    head = _write(tmp_path / "log")
    log = read_log(tmp_path / "log", head)
    assert log.head == head and log.unfinished == "" and log.opening["agent"] == "pid"
    assert [line["n"] for line in log.decisions] == list(range(COUNT))
    assert log.decisions[3]["allowed"] == [0.1 * 3, "nan"], "bit for bit"
    assert log.decisions[0]["previous"] != log.decisions[1]["previous"]
    (tmp_path / "summary.json").write_text(json.dumps({"decision_log": {"sha256": head}}))
    assert head_in_summary(tmp_path) == head
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(ValueError, match="knows of no decision log"):
        head_in_summary(tmp_path)


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _edited(number: int, key: str, value: Any) -> Callable[[bytes], bytes]:
    def harm(data: bytes) -> bytes:
        lines = _lines(data)
        line = json.loads(lines[number]) | {key: value}
        lines[number] = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        return b"".join(lines)

    return harm


def _moved(one: int, other: int) -> Callable[[bytes], bytes]:
    def harm(data: bytes) -> bytes:
        lines = _lines(data)
        lines[one], lines[other] = lines[other], lines[one]
        return b"".join(lines)

    return harm


_HARMS: dict[str, Callable[[bytes], bytes]] = {
    **{f"line {n + 1} edited": _edited(n, "minute", 999) for n in range(COUNT + 2)},
    **{f"line {n + 1} deleted": lambda data, n=n: b"".join(_lines(data)[:n] + _lines(data)[n + 1 :]) for n in range(7)},
    **{f"line {n + 1} twice": lambda data, n=n: b"".join(_lines(data)[: n + 1] + _lines(data)[n:]) for n in range(8)},
    **{f"lines {n + 1} and {n + 2} moved": _moved(n, n + 1) for n in range(7)},
    "first and last moved": _moved(0, 7),
    "a decision counted out of the last line": _edited(7, "decisions", 5),
    "a blank in a line": lambda data: data.replace(b'"n":3', b'"n": 3'),
    "another way to write a number": lambda data: data.replace(b'"minute":15', b'"minute":15.0'),
    "a key given twice": lambda data: data.replace(b'"n":3', b'"n":3,"n":3'),
    "something after the end": lambda data: data + b'{"kind":"decision"}\n',
    "half a line after the end": lambda data: data + b'{"kind"',
    "another end of the lines": lambda data: data.replace(b"\n", b"\r\n"),
    "one bit": lambda data: data[:400] + bytes([data[400] ^ 1]) + data[401:],
    "the hashes left out": lambda data: b"".join(line[:-77] + b"}\n" for line in _lines(data)),
    "no log": lambda data: b'{"a": 1}\n',
    "no text": lambda data: b"\xff\xfe\n",
    "nothing": lambda data: b"",
    "nested without end": lambda data: b"[" * 60_000 + b"\n",
    "a line without end": lambda data: b" " * 70_000 + data,
}  # fmt: skip


@pytest.mark.parametrize("harm", _HARMS)
def test_every_change_is_found_without_knowing_the_head(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "log"
    _write(path)
    data = path.read_bytes()
    changed = _HARMS[harm](data)
    assert changed != data
    path.write_bytes(changed)
    with pytest.raises(LogError, match="line"):
        read_log(path)


@pytest.mark.parametrize("kept", range(1, COUNT + 2))
@pytest.mark.parametrize("torn", [0, 25])
def test_a_cut_log_says_so_and_gives_what_is_whole(tmp_path: Path, kept: int, torn: int) -> None:
    path = tmp_path / "log"
    head = _write(path)
    lines = _lines(path.read_bytes())
    path.write_bytes(b"".join(lines[:kept]) + lines[kept][:torn])
    log = read_log(path)
    assert len(log.decisions) == kept - 1
    assert "it has no last line" in log.unfinished and (f"line {kept + 1} is torn" in log.unfinished) == bool(
        torn
    )
    with pytest.raises(LogError, match=r"the hash of its last line is .* was cut"):
        read_log(path, head)


def test_a_log_that_was_written_anew_is_found_by_the_head_alone(tmp_path: Path) -> None:
    head = _write(tmp_path / "log")
    other = _write(tmp_path / "other", COUNT - 1)
    assert other != head and read_log(tmp_path / "other", other)
    with pytest.raises(LogError, match="written anew"):
        read_log(tmp_path / "other", head)


def test_a_log_is_never_written_over_and_needs_a_folder(tmp_path: Path) -> None:
    _write(tmp_path / "log")
    before = (tmp_path / "log").read_bytes()
    with pytest.raises(FileExistsError, match="never written over; give a new file"):
        DecisionLog(tmp_path / "log", {})
    assert (tmp_path / "log").read_bytes() == before
    with pytest.raises(StorageError, match="cannot write"):
        DecisionLog(tmp_path / "none" / "log", {})
    with pytest.raises(FileNotFoundError, match=r"give a log of scripts\.evaluate"):
        read_log(tmp_path / "none")
    with pytest.raises(LogError, match="no plain file"):
        read_log(tmp_path)
    with pytest.raises(ValueError, match="not JSON compliant"), DecisionLog(tmp_path / "nan", {}) as log:
        log.write({"dose": float("nan")})
    assert "no last line" in read_log(tmp_path / "nan").unfinished, "a block that raises closes no log"


_FULL = """
import resource, sys
from experiments.records.decision_log import DecisionLog
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
with DecisionLog(sys.argv[1], {}) as log:
    while True:
        log.write({"asked": [0.1] * 30})
"""


def test_a_full_disk_is_said_and_leaves_what_was_decided_before(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path / "log")], env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1 and "no room on the disk to write" in done.stderr
    log = read_log(tmp_path / "log")
    assert len(log.decisions) > 50 and "is torn" in log.unfinished
