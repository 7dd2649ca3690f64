"""A study in its simplest form: train some seeds side by side, judge them and every treatment alike."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from agents.load import NAMES, Gains, load
from experiments.command import typed
from experiments.compare import Evaluation
from experiments.config import TrainConfig
from experiments.evaluate import evaluate
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.config_files import build
from experiments.records.lock import FolderLock
from experiments.records.provenance import ROOT
from experiments.tune import save_gains, tune_gains
from twins.files import writing


def study(
    folder: str | Path,
    protocol_name: str,
    train_s: float,
    seeds: Sequence[int],
    people: Sequence[str] | None = None,
    replicas: int | None = None,
) -> tuple[list[Evaluation], list[Path]]:
    """Train, tune and judge under a protocol, with the rule shield and without; returns evaluations and runs.

    `folder` gets training/, gains-SHIELD.json and evaluations/; an earlier study there is renamed, not lost.
    people, replicas: instead of the protocol's. Raises ValueError for a wrong argument before anything is begun.
    """
    folder, protocol = Path(folder), load_protocol(protocol_name)
    asked = _asked(protocol, train_s, seeds, people, replicas)
    with _alone(folder):
        keep_earlier(folder)
        return _study(folder, protocol, asked, train_s, seeds, people, replicas)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a lock beside `folder`, which itself may be moved. Raises FolderLocked when another study uses it."""
    guard = folder.with_name(f".{folder.name}.in-use")
    with writing(guard):
        guard.mkdir(parents=True, exist_ok=True)
    with FolderLock(guard):
        yield
    guard.rmdir()


def _study(
    folder: Path,
    protocol: ProtocolConfig,
    asked: ProtocolConfig,
    train_s: float,
    seeds: Sequence[int],
    people: Sequence[str] | None,
    replicas: int | None,
) -> tuple[list[Evaluation], list[Path]]:
    """See `study`."""
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {what}", flush=True)

    say(f"training {len(seeds)} policies, {train_s:.0f} s each, as many side by side as there are cores")
    runs = train_side_by_side(folder, train_s, seeds, asked)
    judged: list[Evaluation] = []
    for shield in ("rule", "off"):
        say(f"tuning basal-bolus for each person, shield {shield}")
        gains = tune_gains(asked, shield)
        save_gains(gains, folder / f"gains-{shield}.json")
        say(f"judging on unseen days, shield {shield}")
        words = ["--protocol", protocol.name]
        words += ["--people", ",".join(people)] if people else []
        words += ["--replicas", str(replicas)] if replicas else []
        judged += judge_all(folder / "evaluations", asked, shield, gains, runs, words, asked != protocol)
    say("done")
    return judged, runs


def _asked(
    protocol: ProtocolConfig,
    train_s: float,
    seeds: Sequence[int],
    people: Sequence[str] | None,
    replicas: int | None,
) -> ProtocolConfig:
    """The protocol with its overrides. What is wrong is said before an hour of work, not in the midst of it."""
    for seed in seeds:
        build(TrainConfig, {"seed": seed, "max_wall_s": train_s})
    if len(set(seeds)) != len(seeds) or not seeds:
        raise ValueError(f"seeds {list(seeds)} given; needed is one or more, each once")
    given = {"people": people, "replicas": replicas}
    changes = {name: value for name, value in given.items() if value is not None}
    return build(ProtocolConfig, protocol.model_dump() | changes)


def keep_earlier(folder: Path) -> None:
    """Rename a folder that holds something, so that nothing saved is lost."""
    if folder.exists() and any(folder.iterdir()):
        stamp = datetime.fromtimestamp(folder.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%SZ")
        kept = folder.with_name(f"{folder.name}-{stamp}")
        shutil.move(folder, kept)
        print(f"earlier results are kept in {kept}")


def train_side_by_side(
    out: Path, train_s: float, seeds: Sequence[int], protocol: ProtocolConfig
) -> list[Path]:
    """One process of scripts.train per seed, one thread each; returns their folders.

    Raises ChildProcessError when one fails.
    """
    folders = [out / "training" / f"seed{seed}" for seed in seeds]
    commands = [
        [
            sys.executable, str(ROOT / "scripts" / "train.py"), "--seed", str(seed),
            "--people", ",".join(protocol.people), "--protocol", protocol.name,
            "--max-wall-s", str(train_s), "-n", str(10**9), "--out", str(folder),
        ]
        for seed, folder in zip(seeds, folders, strict=True)
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    at_once = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for first in range(0, len(commands), at_once):
        batch = commands[first : first + at_once]
        running = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for command in batch]
        try:
            codes = [process.wait() for process in running]
        except BaseException:
            for process in running:
                process.terminate()
            raise
        if any(codes):
            failed = " ".join(batch[next(k for k, code in enumerate(codes) if code)])
            raise ChildProcessError(f"a training failed, see above; run it alone to see more: {failed}")
    return folders


def judge_all(
    folder: Path,
    protocol: ProtocolConfig,
    shield: str,
    gains: Gains,
    runs: Sequence[Path],
    words: Sequence[str],
    modified: bool = False,
) -> list[Evaluation]:
    """Every treatment and every trained policy under one shield; folders are named by agent and shield.

    words: how the protocol is asked for on the command line of scripts.evaluate.
    """
    done = []
    agents = {**{name: name for name in NAMES}, **{f"ppo-{run.name}": str(run) for run in runs}}
    for name, asked in agents.items():
        command = typed("evaluate", ["--agent", asked, *words, "--shield", shield, "--out", "DIR"])
        done.append(
            evaluate(
                load(asked, lambda: gains),
                name,
                protocol,
                folder / f"{name}__{shield}",
                shield=shield,
                modified=modified,
                trace_replicas=2,
                argv=command,
            )
        )
    return done
