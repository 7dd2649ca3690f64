"""Do the bands of nothing, half and double hold the body as often as they say? Counted over people."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents import frozen
from agents.frozen import NOTICE
from experiments import people
from experiments.explain.lived import live
from experiments.explain.moments import LEAST_DOSE_U
from experiments.explain.what_if import HORIZON_MIN, MEMBERS, SCALES, WORDS, members, what_if
from experiments.protocol import ProtocolConfig
from experiments.statistics import SEED, Interval, crossed_interval

EVERY = 5
"""One decision of so many is tried."""
SHARES = (0.5, 0.9)


def bands_table(
    folder: Path, protocol: ProtocolConfig, who: Sequence[str], day: int, train_seed: int, command: str
) -> str:
    """How often the bands hold the body on a day of some people of the table, each under the copy of a policy that has
    not met them, as Markdown: share of time by dose and band, means and 95 % intervals over persons."""
    held = np.zeros((len(who), len(SCALES), len(SHARES)))
    decisions = 0
    for row, person in enumerate(who):
        fold = people.fold_of(person, protocol.folds)
        lived = live(frozen.load(folder / f"fold{fold}-seed{train_seed}"), protocol, person, day)
        bodies = members(lived.setting, protocol.twin_error)
        tried = [
            what_if(lived.setting, one, bodies)
            for one in lived.decisions[::EVERY]
            if one.insulin_u("requested") >= LEAST_DOSE_U
        ]
        decisions += len(tried)
        for number, share in enumerate(SHARES):
            held[row, :, number] = np.mean([branch.held(share).mean(axis=1) for branch in tried], axis=0)
    rows = [(WORDS[scale], held[:, number]) for number, scale in enumerate(SCALES)]
    rows.append(("all four", held.mean(axis=1)))
    lines = [
        f"| {words} | "
        + " | ".join(_told(crossed_interval(100 * part[:, [n]].T, seed=SEED)) for n in range(len(SHARES)))
        + " |"
        for words, part in rows
    ]
    return "\n".join(
        [
            "# Nothing, half, as asked, double: how often do the bands hold the body?",
            "",
            f"{NOTICE} Made by `{command}`; protocol {protocol.name}, simulated.",
            "",
            f"{len(who)} persons, day {day}, {decisions} decisions of {folder.name} (each under a copy that has not "
            f"met the person), four doses each, {HORIZON_MIN // 60} h ahead. The bands hold the middle of {MEMBERS} "
            "bodies drawn around the person's twin, as the twin is drawn around the body; all begin in the body's "
            "true state, so that nothing is said about states that are estimated. Shares of time in %, with 95 % "
            "intervals over persons.",
            "",
            "| dose | band of 50 % | band of 90 % |",
            "|---|---:|---:|",
            *lines,
            "",
        ]
    )


def _told(one: Interval) -> str:
    return f"{one.estimate:.0f} [{one.low:.0f}, {one.high:.0f}]"
