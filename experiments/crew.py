"""Who does the cells of a fleet: processes of this machine, or the workers of a Ray cluster.

On a cluster every node has this version of the project and sees the study's folder under the same path. What a cell
writes hangs on its arguments alone, so both crews write the same bytes; a worker that is killed loses the cell that it
was at, which is done again, and no other.
"""

import ctypes
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from twins.kernels import kernel_hash

Workers = int | str | None
"""Processes at a time on this machine (None: one for each core), or the address of a Ray cluster."""
_ANSWERS_WITHIN_S = 10.0
Task = Callable[[Any, Path], float]


class Crew(Protocol):
    """Does tasks side by side. `many`: at most so many at a time; `whole`: whether one lost worker ends them all."""

    whole: bool

    @property
    def many(self) -> int: ...

    def submit(self, task: Task, cell: Any, folder: Path) -> "Future[float]": ...

    def is_lost(self, error: BaseException) -> bool:
        """Whether a task ended because its worker died, not by a fault of its own."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def checked(workers: Workers) -> int | str:
    """A number of processes or an address. Raises ValueError for fewer than one, and for an empty address."""
    if isinstance(workers, str):
        if not workers.strip():
            raise ValueError("the address of the cluster is empty; give one such as auto or 10.0.0.1:6379")
        return workers
    many = cores() if workers is None else workers
    if many < 1:
        raise ValueError(f"processes is {many}; give 1 or more")
    return many


def crew(workers: int | str) -> Crew:
    """The crew of these workers, see `checked`. Raises ValueError where Ray is not installed or nobody answers."""
    return Cluster(workers) if isinstance(workers, str) else Processes(workers)


class Processes:
    """Processes of this machine."""

    whole = True

    def __init__(self, many: int) -> None:
        self.many = many
        self._pool = ProcessPoolExecutor(many, get_context("spawn"), _die_with_parent)

    def submit(self, task: Task, cell: Any, folder: Path) -> "Future[float]":
        """The seconds that a task took, when it is done."""
        return self._pool.submit(task, cell, folder)

    def is_lost(self, error: BaseException) -> bool:
        """See `Crew.is_lost`."""
        return isinstance(error, BrokenProcessPool)

    def __enter__(self) -> Self:
        self._pool.__enter__()
        return self

    def __exit__(self, *how: Any) -> None:
        self._pool.__exit__(*how)


def _die_with_parent() -> None:
    """A worker whose fleet was killed must not hold the folder of its cell (Linux only: prctl, PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Cluster:
    """The workers of a Ray cluster, one core each."""

    whole = False

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ModuleNotFoundError:
            raise ValueError(
                "a cluster needs Ray, which is not installed; run pip install 'homeostat[cluster]', or leave --address "
                "out"
            ) from None
        self._ray = ray
        try:
            _knock(address)
            ray.init(
                address,
                namespace="homeostat",
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={
                    "env_vars": {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "PYTHONPATH": _root()}
                },
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise ValueError(
                f"no Ray cluster answers at {address!r} ({error}); start one with `ray start --head`, and give its "
                "address"
            ) from None
        # Ray must not do a task again by itself: the fleet counts the tries.
        self._remote = ray.remote(num_cpus=1, max_retries=0)(_do_there)

    @property
    def many(self) -> int:
        """Cores of the nodes that are there now."""
        there: dict[str, float] = self._ray.cluster_resources()  # type: ignore[no-untyped-call]
        return max(int(there.get("CPU", 0)), 1)

    def submit(self, task: Task, cell: Any, folder: Path) -> "Future[float]":
        """The seconds that a task took, when it is done."""
        done: Future[float] = self._remote.remote(
            task, cell, folder.resolve(), kernel_hash(), Path.cwd()
        ).future()
        return done

    def is_lost(self, error: BaseException) -> bool:
        """See `Crew.is_lost`."""
        lost = self._ray.exceptions
        return isinstance(error, lost.WorkerCrashedError | lost.NodeDiedError | lost.OutOfMemoryError)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *how: Any) -> None:
        self._ray.shutdown()


def _knock(address: str) -> None:
    """Raise OSError where nobody listens: Ray would wait for minutes. ValueError for what is no address."""
    host, colon, port = address.rpartition(":")
    if colon and "://" not in address:
        if not port.isdigit():
            raise ValueError(f"{port!r} is no port")
        socket.create_connection((host, int(port)), _ANSWERS_WITHIN_S).close()


def _root() -> str:
    return str(Path(__file__).resolve().parent.parent)


def _do_there(task: Task, cell: Any, folder: Path, sources: str, here: Path) -> float:
    """Do a cell on a node, in the folder `here` that names such as agents/policies/NAME count from.

    Raises ValueError where its project is not the one that asks, or one of the folders is not there.
    """
    if kernel_hash() != sources:
        raise ValueError(
            f"a node of the cluster has another version of twins and envs ({kernel_hash()[:12]}, asked is "
            f"{sources[:12]}); install this one on every node"
        )
    for needed in (folder, here):
        if not needed.is_dir():
            raise ValueError(f"a node of the cluster has no folder {needed}; use one that all nodes share")
    os.chdir(here)
    return task(cell, folder)
