"""A study in its simplest form: train some seeds side by side, judge them and every treatment alike."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from agents.load import NAMES, Gains, load
from experiments.compare import Evaluation
from experiments.config import ProtocolConfig
from experiments.evaluate import evaluate
from experiments.provenance import ROOT


def train_side_by_side(out: Path, train_s: float, seeds: Sequence[int], people: Sequence[str]) -> list[Path]:
    """One process of scripts.train per seed, one thread each; returns their folders.

    Raises RuntimeError when one fails.
    """
    folders = [out / "training" / f"seed{seed}" for seed in seeds]
    commands = [
        [
            sys.executable, "-m", "scripts.train", "--seed", str(seed), "--people", ",".join(people),
            "--max-wall-s", str(train_s), "-n", str(10**9), "--out", str(folder.resolve()),
        ]
        for seed, folder in zip(seeds, folders, strict=True)
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    # As many at once as there are cores; more would only slow each other down.
    for first in range(0, len(commands), os.cpu_count() or 1):
        batch = commands[first : first + (os.cpu_count() or 1)]
        running = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
            for command in batch
        ]
        try:
            codes = [process.wait() for process in running]
        except BaseException:
            for process in running:
                process.terminate()
            raise
        if any(codes):
            failed = " ".join(batch[next(k for k, code in enumerate(codes) if code)])
            raise RuntimeError(f"a training failed, see above; run it alone to see more: {failed}")
    return folders


def judge_all(
    folder: Path,
    protocol: ProtocolConfig,
    shield: str,
    gains: Gains,
    runs: Sequence[Path],
    modified: bool = False,
) -> list[Evaluation]:
    """Every treatment and every trained policy under one shield; folders are named by agent and shield."""
    done = []
    words = {**{name: name for name in NAMES}, **{f"ppo-{run.name}": str(run) for run in runs}}
    for name, word in words.items():
        agent = load(word, lambda: gains)
        typed = ["python", "-m", "scripts.evaluate", "--agent", _shown(word), "--protocol", protocol.name]
        done.append(
            evaluate(
                agent,
                name,
                protocol,
                folder / f"{name}__{shield}",
                shield=shield,
                modified=modified,
                trace_replicas=2,
                argv=[*typed, "--shield", shield],
            )
        )
    return done


def _shown(word: str) -> str:
    """A run's folder from the checkout on, so that no command shows where this machine keeps it."""
    path = Path(word)
    return (
        str(path.resolve().relative_to(ROOT))
        if path.is_dir() and path.resolve().is_relative_to(ROOT)
        else word
    )
