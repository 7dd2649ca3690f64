"""What judging has in common for tasks that are decided once a day: who sits where, and agents by name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from agents import frozen
from twins import random
from twins.words import near_miss

Keys = NDArray[np.uint32]
A = TypeVar("A")
"""A kind of agent."""
L = TypeVar("L")
"""What people live under one."""

ORACLE_NAME = "oracle"


def seats(people: int, setting: Any, episode: int = 0) -> tuple[NDArray[np.int64], Keys]:
    """Rows of the cohort and keys of `people` bodies; another episode, other bodies.

    setting: with a cohort, a split and a seed.
    """
    rows = np.arange(people) % len(setting.cohort)
    replica = np.arange(people) // len(setting.cohort)
    return rows, random.keys(setting.split, setting.seed, setting.cohort.numbers[rows], replica, episode)


def copies(folder: str | Path) -> list[Path]:
    """The folders of a policy's training seeds below `folder`, or the folder itself."""
    held = (path for form in ("*", "*/policy") for path in Path(folder).glob(f"{form}/{frozen.MANIFEST}"))
    return sorted(path.parent for path in held) or [Path(folder)]


def _labels(names: Sequence[str]) -> list[str]:
    """What agents are called in a table. Raises ValueError where two would be called alike."""
    short = [Path(name).name for name in names]
    for one in short:
        if short.count(one) > 1:
            raise ValueError(f"two agents are called {one!r}; give folders of different names, one at a time")
    return short


def _agents(
    name: str, known: Mapping[str, Callable[[], A]], load: Callable[[Path], A], oracle: A | None
) -> Sequence[A]:
    """The agents of a name: one of `known`, the oracle where one was found, or the policies of a folder, one for each
    training seed.

    Raises ValueError for a name that is not known, and what `load` does.
    """
    if name in known:
        return [known[name]()]
    if name == ORACLE_NAME and oracle is not None:
        return [oracle]
    if Path(name).is_dir():
        return [load(folder) for folder in copies(name)]
    names = (*known, ORACLE_NAME)
    raise ValueError(
        f"agent is {name!r}{near_miss(name, names)}; allowed are {', '.join(names)}, or the folder of a policy"
    )


def judged(
    names: Sequence[str],
    known: Mapping[str, Callable[[], A]],
    load: Callable[[Path], A],
    oracle: A | None,
    live: Callable[[A], L],
) -> dict[str, list[L]]:
    """What people live under each agent, by its label: once for each training seed (once where nothing was trained).

    names: of `known`, "oracle" where one was found, or folders of policies, or of such folders, one for each training
    seed. Raises ValueError for names that are not known or alike, and what `load` does.
    """
    return {
        label: [live(agent) for agent in _agents(name, known, load, oracle)]
        for label, name in zip(_labels(names), names, strict=True)
    }
