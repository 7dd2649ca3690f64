"""The study of sessions as cells: train, tune, judge each agent on each group of people, each once and on its own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from agents import frozen
from agents.base import Agent
from agents.frozen import FrozenPolicy
from agents.sessions import CONSENSUS, SESSION_AGENTS
from agents.tunable import Tuned
from experiments.bouts import judge, people
from experiments.bouts.report import BEST, LEARNED
from experiments.bouts.tune import tune
from experiments.fleet import Cell
from experiments.learn import LearnConfig, learn
from experiments.people import fold_of
from experiments.records.gains import load_tuning, save_tuning
from experiments.records.tables import Table, concat, read_table, write_table
from twins.words import near_miss

ENV = "Homeostat/Exercise-v0"
STEPS, MAX_WALL_S, LOOKS = 3_600_000, 840.0, 10
SESSIONS = {"table": 40, "drawn": 40, "second body": 100}
"""Episodes of each person."""
LOOK_SESSIONS = 20
NAMES = (*SESSION_AGENTS, BEST, LEARNED)


def cells(where: Sequence[str], names: Sequence[str]) -> list[Cell]:
    """All there is to do. Raises ValueError for words that are not known."""
    for given, known in ((where, tuple(people.WHERE)), (names, NAMES)):
        for one in given:
            if one not in known:
                raise ValueError(f"{one!r} is not known{near_miss(one, known)}; allowed are {', '.join(known)}")
    made = []
    if LEARNED in names:
        made += [Cell(f"train/fold{fold}", train, {"fold": fold}) for fold in people.FOLDS]
    if BEST in names:
        made += [Cell(f"tuned/{group}.json".replace(" ", "-"), find, {"where": group}) for group in where]
    for group in where:
        for name in names:
            for fold in people.FOLDS if name == LEARNED else (-1,):
                needs = {LEARNED: (f"train/fold{fold}",), BEST: (_gains(group),)}.get(name, ())
                given = {"where": group, "name": name, "fold": fold}
                made.append(Cell(_judged(group, name, fold), judge_one, given, needs))
    return made


def _judged(where: str, name: str, fold: int) -> str:
    return f"judged/{where}/{name}{f'-fold{fold}' if fold >= 0 else ''}.csv".replace(" ", "-")


def _gains(where: str) -> str:
    return f"tuned/{where}.json".replace(" ", "-")


def train(folder: Path, out: Path, fold: int) -> None:
    """Train one policy on the people that a fold may meet; the best by its looks at others is kept."""
    around, looked_at = people.training(fold), people.looked_at(fold)

    def score(policy: FrozenPolicy) -> float:
        return float(np.mean(judge.live(policy, looked_at, LOOK_SESSIONS)["reward"]))

    config = LearnConfig.tested(
        ENV, "session", seed=fold, lanes=len(around.cohort), n_timesteps=STEPS, max_wall_s=MAX_WALL_S,
        look_every=STEPS // LOOKS,
    )  # fmt: skip
    learn(config, {"cohort": around.cohort}, score, out, {"fold": fold})


def find(folder: Path, out: Path, where: str) -> None:
    """The gains of the consensus for each person of a group."""
    save_tuning(tune(people.judged(where)), out)


def judge_one(folder: Path, out: Path, where: str, name: str, fold: int) -> None:
    """A row an episode of one agent. Of the table a policy is judged on the people of its fold alone."""
    agent: Agent
    setting = people.judged(where)
    if name == LEARNED:
        agent = frozen.load(folder / f"train/fold{fold}", task="session")
        if where == "table":
            unmet = [row for row, person in enumerate(setting.cohort.ids) if fold_of(person, len(people.FOLDS)) == fold]
            setting = replace(setting, cohort=setting.cohort.take(unmet))
    elif name == BEST:
        agent = Tuned(CONSENSUS, load_tuning(folder / _gains(where)).values)
    else:
        agent = SESSION_AGENTS[name]()
    write_table(out, judge.live(agent, setting, SESSIONS[where]))


def read(folder: Path, where: str, names: Sequence[str]) -> dict[str, list[Table]]:
    """What was judged, by agent: a table for each policy; of the table's people one, in which each meets one policy."""
    found = {}
    for name in names:
        folds = people.FOLDS if name == LEARNED else (-1,)
        tables = [read_table(folder / _judged(where, name, fold)) for fold in folds]
        found[name] = [concat(tables)] if where == "table" else tables
    return found
