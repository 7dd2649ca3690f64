"""What judging has in common for tasks that are decided once a day: who sits where, and agents by name."""

import argparse
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


def add_arguments(
    parser: argparse.ArgumentParser,
    known: Sequence[str],
    people: int,
    days: int,
    found: str,
    train_min: int,
    oracle: bool = True,
) -> None:
    """What scripts of these tasks are asked for.

    known: agents by name; people, days: unless others are asked for; found: what --find finds; train_min: within how
    many minutes --train ends; oracle: whether there is one.
    """
    told = ", ".join((*known, *(ORACLE_NAME,) * oracle))
    parser.add_argument(
        "--agent", nargs="+", help=f"{told}, or folders of policies (default: all found so far)"
    )
    parser.add_argument(
        "--people", type=int, default=people, help=f"bodies, drawn anew for each (default: {people})"
    )
    parser.add_argument(
        "--shield", choices=["rule", "off"], default="rule", help="the bounds (default: rule)"
    )
    parser.add_argument("--days", type=int, default=days, help=f"length (default: {days})")
    parser.add_argument(
        "--seed", type=int, default=0, help="of bodies and days, or of a training (default: 0)"
    )
    parser.add_argument(
        "--out", metavar="DIR", help="where table.md and figures go, or a policy that is trained"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--find", action="store_true", help=f"find {found} anew and keep it")
    what.add_argument(
        "--train", action="store_true", help=f"train a policy into --out, within {train_min} min on one core"
    )


def check(args: argparse.Namespace, least_people: int) -> None:
    """Raise ValueError for what `add_arguments` cannot: too few people, a training without a folder."""
    if args.people < least_people:
        raise ValueError(f"people is {args.people}; give {least_people} or more")
    if args.train and not args.out:
        raise ValueError("no folder for the policy was given; give --out DIR")


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
