"""The study of sessions as cells: train, tune, judge each agent on each group of people, each once and on its own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from agents import frozen
from agents.base import Agent
from agents.frozen import FrozenPolicy
from agents.load import label
from agents.sessions import CONSENSUS, SESSION_AGENTS
from agents.tunable import Tuned
from envs.setting import Setting
from experiments.bouts import judge, people, report
from experiments.bouts.report import BEST, LEARNED
from experiments.bouts.shown import shown
from experiments.bouts.tune import SESSIONS_EACH, tune
from experiments.decisions import model_hash
from experiments.fleet import Cell
from experiments.learn import LearnConfig, learn
from experiments.people import fold_of
from experiments.records.gains import load_tuning, save_tuning
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, concat, read_table, write_table
from twins.files import atomic_write_bytes
from twins.words import near_miss

ENV = "Homeostat/Exercise-v0"
STEPS, MAX_WALL_S, LOOKS = 7_200_000, 870.0, 5
SESSIONS = {"table": 40, "drawn": 40, "second body": 100}
"""Episodes of each person, unless other numbers are asked for."""
LOOK_SESSIONS, SHOWN_SESSIONS = 20, 20
_STAMP = f"{CONSENSUS.gains} {SESSIONS_EACH} {judge.PER_DEATH} {people.SEED} {STEPS} {MAX_WALL_S}"
"""What cells hang on beside their arguments."""
NAMES = (*SESSION_AGENTS, BEST, LEARNED)


def cells(where: Sequence[str], names: Sequence[str], sessions: int | None = None) -> list[Cell]:
    """All there is to do. sessions: of each person. Raises ValueError for words that are not known."""
    own = [name for name in names if not _saved(name)]
    for words, known in ((where, tuple(people.WHERE)), (own, NAMES)):
        for one in words:
            if one not in known:
                raise ValueError(
                    f"{one!r} is not known{near_miss(one, known)}; allowed are {', '.join(known)}"
                )
    made = []
    if LEARNED in names:
        made += [Cell(f"train/fold{fold}", train, {"fold": fold}, stamp=_STAMP) for fold in people.folds()]
    if BEST in names:
        made += [
            Cell(f"tuned/{group}.json".replace(" ", "-"), find, {"where": group}, stamp=_STAMP)
            for group in where
        ]
    for group in where:
        for name in names:
            for fold in _folds(name):
                needs = {LEARNED: (f"train/fold{fold}",), BEST: (_gains(group),)}.get(name, ())
                given = {"where": group, "name": name, "fold": fold, "sessions": sessions or SESSIONS[group]}
                stamp = model_hash(frozen.load(name, task="session")) if _saved(name) else ""
                stamp += _STAMP
                made.append(Cell(_judged(group, name, fold), judge_one, given, needs, stamp=stamp))
    return made


def _saved(name: str) -> bool:
    """Whether an agent is the folder of a saved policy."""
    return name not in NAMES and Path(name).is_dir()


def _judged(where: str, name: str, fold: int) -> str:
    return f"judged/{where}/{label(name)}{f'-fold{fold}' if fold >= 0 else ''}.csv".replace(" ", "-")


def _gains(where: str) -> str:
    return f"tuned/{where}.json".replace(" ", "-")


def train(folder: Path, out: Path, fold: int) -> None:
    """Train one policy on the people that a fold may meet, from the consensus on; the best by its looks is kept."""
    around, looked_at = people.training(fold), people.looked_at(fold)

    def score(policy: FrozenPolicy) -> float:
        return float(np.mean(judge.live(policy, looked_at, LOOK_SESSIONS)["reward"]))

    config = LearnConfig.tested(
        ENV, "session", seed=fold, lanes=len(around.cohort), n_timesteps=STEPS, max_wall_s=MAX_WALL_S,
        look_every=STEPS // LOOKS,
    )  # fmt: skip

    facts = {"fold": fold, "began_as": CONSENSUS.name}
    learn(config, {"cohort": around.cohort}, score, out, facts, lambda: shown(around, fold))


def find(folder: Path, out: Path, where: str) -> None:
    """The gains of the consensus for each person of a group."""
    save_tuning(tune(people.judged(where)), out)


def judge_one(folder: Path, out: Path, where: str, name: str, fold: int, sessions: int) -> None:
    """A row an episode of one agent; of the table's people only those whom a saved policy has not met.

    Raises ValueError for a policy that has met them all.
    """
    setting = _unmet(people.judged(where), where, fold)
    if _saved(name) and where == "table":
        setting = _not_trained_on(setting, name)
    write_table(out, judge.live(_agent(folder, where, name, fold), setting, sessions))


def _folds(name: str) -> tuple[int, ...]:
    return people.folds() if name == LEARNED else (-1,)


def _unmet(setting: Setting, where: str, fold: int) -> Setting:
    """The same people; of the table only those of a fold, where a policy of it is judged."""
    if where != "table" or fold < 0:
        return setting
    ids = setting.cohort.ids
    unmet = [row for row, person in enumerate(ids) if fold_of(person, len(people.folds())) == fold]
    return replace(setting, cohort=setting.cohort.take(unmet))


def _not_trained_on(setting: Setting, name: str) -> Setting:
    met = frozen.load(name, task="session").manifest.trained_on.get("people", [])
    known = {str(one).partition("/")[0] for one in met}
    unmet = [row for row, person in enumerate(setting.cohort.ids) if person not in known]
    if not unmet:
        raise ValueError(
            f"{name} was trained on all people of the table; give --where drawn, or a fold's policy"
        )
    return replace(setting, cohort=setting.cohort.take(unmet))


def _agent(folder: Path, where: str, name: str, fold: int) -> Agent:
    if name == LEARNED:
        return frozen.load(folder / f"train/fold{fold}", task="session")
    if name == BEST:
        return Tuned(CONSENSUS, load_tuning(folder / _gains(where)).values)
    return frozen.load(name, task="session") if _saved(name) else SESSION_AGENTS[name]()


def read(folder: Path, where: str, names: Sequence[str]) -> dict[str, list[Table]]:
    """What was judged, by agent: a table for each policy; of the table's people one, in which each meets one policy."""
    found = {}
    for name in names:
        tables = [read_table(folder / _judged(where, name, fold)) for fold in _folds(name)]
        found[label(name)] = [concat(tables)] if where == "table" else tables
    return found


def write(folder: Path, where: Sequence[str], names: Sequence[str], command: str) -> Path:
    """The table and figures of what was judged, into a folder of their own, which is returned."""
    found = {group: read(folder, group, names) for group in where}
    interval_min = people.judged("table").sensor.sample_min
    return report.write(folder / "results", found, command, _kept(folder), interval_min)


def _kept(folder: Path) -> dict[str, Table]:
    """Episodes with their traces of the two agents that are compared, on the people of the table; empty before both are
    there."""
    setting, found = people.judged("table"), {}
    for name in (BEST, LEARNED):
        try:
            parts = [_judged_table(folder, setting, name, fold) for fold in _folds(name)]
        except FileNotFoundError:
            return {}
        found[name] = {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}
    return found


def _judged_table(folder: Path, setting: Setting, name: str, fold: int) -> Table:
    agent, whom = _agent(folder, "table", name, fold), _unmet(setting, "table", fold)
    return judge.live(agent, whom, SHOWN_SESSIONS, keep=True)


def commit(folder: Path, made: Path, tree: Path = ROOT) -> None:
    """Keep table, figures, gains and policies in the tree."""
    results = tree / "results" / "session"
    _keep(made, results)
    _keep(folder / "tuned", results / "tuned")
    for fold in people.folds():
        _keep(folder / f"train/fold{fold}/policy", tree / "agents" / "policies" / LEARNED / f"fold{fold}")


def _keep(made: Path, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    for file in sorted(made.iterdir()):
        atomic_write_bytes(kept / file.name, file.read_bytes())
