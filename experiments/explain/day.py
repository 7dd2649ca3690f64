"""Make the page of a day, and the list of the pages that lie in a folder."""

import re
from collections.abc import Sequence
from pathlib import Path

from agents.base import Agent
from agents.frozen import FrozenPolicy
from agents.load import label
from experiments import people
from experiments.explain import index
from experiments.explain.explained import Explained
from experiments.explain.lived import live
from experiments.explain.moments import LEAST_DOSE_U, chosen
from experiments.explain.page import render
from experiments.explain.reasons import reasons, tests, verdicts, why_none
from experiments.explain.what_if import members, what_if
from experiments.protocol import ProtocolConfig
from twins.cohort import select
from twins.files import atomic_write_text
from twins.units import MINUTES_PER_DAY

TEST_EVERY = 5
"""The deletion test of a page takes one decision of so many: of another time of day each time."""


def explain(
    agent: Agent,
    word: str,
    protocol: ProtocolConfig,
    person: str,
    day: int,
    shield: str = "rule",
    command: str = "",
) -> Explained:
    """Simulate a person's day under an agent and explain it. word: the agent as it was typed.

    Raises ValueError as `live` does, and ModuleNotFoundError where the agent has reasons and Captum is not installed.
    """
    none = why_none(agent, word)
    policy = agent if isinstance(agent, FrozenPolicy) and none is None else None
    lived = live(agent, protocol, person, day, shield, () if policy is None else company(protocol, policy))
    picked = chosen(lived)
    bodies = members(lived.setting, protocol.twin_error)
    branches = {}
    for moment in picked:
        decision = lived.decisions[moment.number]
        left_min = (protocol.warmup_days + protocol.days) * MINUTES_PER_DAY - decision.minute
        # On the last evening too little is left of the episode; and twice nothing is nothing.
        if left_min > 60 and decision.insulin_u("requested") >= LEAST_DOSE_U:
            branches[moment.number] = what_if(lived.setting, decision, bodies)
    found, tested = None, []
    if policy is not None:
        found = reasons(policy, lived)
        tested = verdicts(found.outputs, list(tests(policy, lived, TEST_EVERY, policy.train_seed)))
    return Explained(lived, agent, word, label(word), picked, branches, found, tested, none, command)


def company(protocol: ProtocolConfig, policy: FrozenPolicy) -> tuple[str, ...]:
    """On whom a policy's attributions are tested beside the person shown: those of the table whom it has not met, or,
    where it has met all, the first two of each age group."""
    fold, table = policy.manifest.trained_on.get("fold"), select(protocol.people)
    if isinstance(fold, int) and fold < protocol.folds:
        met = people.known(protocol, fold)
        return tuple(one for one in table if one not in met)
    groups: dict[str, list[str]] = {}
    for one in table:
        groups.setdefault(one.split("#")[0], []).append(one)
    return tuple(one for several in groups.values() for one in several[:2])


def write_day(one: Explained, out: str | Path) -> Path:
    """Write the page of a day into a folder, under a name that tells agent, person and day."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    path = out / file_name(one)
    atomic_write_text(path, render(one))
    return path


def file_name(one: Explained) -> str:
    """Of the page."""
    shield = "" if one.lived.shield == "rule" else f"-{one.lived.shield}"
    words = f"{one.label}-{one.lived.person}-day{one.lived.day}{shield}"
    return f"{re.sub(r'[^A-Za-z0-9.]+', '-', words)}.html"


def update_index(pages: Sequence[tuple[str, Explained]], out: str | Path) -> Path:
    """Enter pages (file name, what it shows) into the folder's index. Raises ValueError, see `index.enter`."""
    days = [
        index.Day(
            file,
            one.title,
            one.label,
            one.lived.person,
            one.lived.protocol.name,
            one.lived.protocol_hash,
            one.words,
        )
        for file, one in pages
    ]
    return index.enter(days, Path(out))
