"""A process that has imported and compiled everything, and forks for each call: real processes that begin at once.

`with stem() as fork: pid = fork("module:function", argument, ..., log=path)`; then `fork.wait()` gives its exit code,
negative for a signal. A call to `scripts` is made as the command line makes it.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Stem:
    """The parent's end. One call at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._said()

    def __call__(self, function: str, *arguments: Any, log: Path) -> int:
        """Fork a process that calls `function`, its output in `log`; its process id, which is its own until `wait`."""
        pid = int(self._asked("fork", function, arguments, str(log)))
        assert pid > 1
        return pid

    def wait(self) -> int:
        """The exit code of the last call, when it has ended."""
        return os.waitstatus_to_exitcode(int(self._asked("wait")))

    def _asked(self, word: str, *more: Any) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([word, *more]) + "\n")
        self._process.stdin.flush()
        told, _, answer = self._said().partition(" ")
        assert told == word
        return answer

    def _said(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the stem has died"
        return line


@contextmanager
def stem() -> Iterator[Stem]:
    """A stem for the time of a block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.safety.stem"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield Stem(process)
    finally:
        process.kill()
        process.communicate()


# --- in the stem --------------------------------------------------------------------------------------------
def _warm() -> None:
    import torch

    from agents.load import load
    from experiments.protocol import load_protocol
    from experiments.simulate import simulate
    from experiments.tune import score, scored

    importlib.import_module("scripts.train")
    importlib.import_module("torch.utils.tensorboard")
    weight = torch.nn.Parameter(torch.zeros(1))
    weight.grad = torch.ones(1)  # no backward pass: that starts what does not survive a fork
    torch.optim.Adam([weight]).step()  # imports hundreds of modules
    brief = load_protocol("simglucose-default").model_copy(
        update={"people": ("adult#001",), "days": 0.05, "replicas": 1}
    )
    score(scored(simulate(load("basal-bolus"), brief, "rule"), brief))


def _child(function: str, arguments: list[Any], log: str) -> None:
    """What a forked process does; it never returns."""
    code = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        module, _, name = function.partition(":")
        if module.startswith("scripts."):
            from experiments import command

            sys.argv = [module, *arguments]
            command.run(importlib.import_module(module).main)
        getattr(importlib.import_module(module), name)(*arguments)
        code = 0
    except SystemExit as done:
        code = int(done.code or 0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def save_forever(folder: str, step: int) -> None:
    """Save one checkpoint after the other, saying which is done."""
    from experiments.records import checkpoints

    while True:
        step += 1
        checkpoints.save(folder, step, lambda path: (path / "policy.bin").write_bytes(b"weights" * 3000))
        print(step, flush=True)


def decide_forever(path: str) -> None:
    """Write one decision after the other into a log, saying how many are in it."""
    from experiments.records.decision_log import DecisionLog

    log = DecisionLog(path, {"agent": "x" * 3000})
    while True:
        log.write({"asked": ["0.123456789"] * 300})
        print(log.decisions, flush=True)


def hold(folder: str) -> None:
    """Hold a folder until killed."""
    import time

    from experiments.records.lock import FolderLock

    lock = FolderLock(folder)
    print("held", flush=True)
    time.sleep(600)
    lock.release()


def train_as_nobody(*arguments: str) -> None:
    """Train without a superuser's rights."""
    from experiments import command
    from scripts import train

    if os.geteuid() == 0:
        os.setuid(65534)
    sys.argv = ["train", *arguments]
    command.run(train.main)


def main() -> None:
    """Do what every line of input asks: fork, and say the process id; wait, and say how it ended."""
    _warm()
    print("ready", flush=True)
    pid = 0
    for line in sys.stdin:
        word, *rest = json.loads(line)
        if word == "wait":
            print("wait", os.waitpid(pid, 0)[1], flush=True)
            pid = 0
            continue
        if pid:  # of a test that failed
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        pid = os.fork()
        if pid == 0:
            _child(*rest)
        print("fork", pid, flush=True)


if __name__ == "__main__":
    main()
