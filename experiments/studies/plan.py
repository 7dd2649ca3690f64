"""From a study's settings to its cells: what is trained, tuned and judged, and what each needs first."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from agents.load import COHORT, TUNED
from experiments import people
from experiments.fleet import Cell
from experiments.protocol import load_protocol
from experiments.studies.cells import judge_cell, train_cell, tune_cell
from experiments.studies.settings import SWEEP_KNOBS, StudyConfig, changed
from twins.words import near_miss


def cells(study: StudyConfig) -> list[Cell]:
    """All cells: trainings and tunings first, then what chooses among them, then the judging."""
    makers = [*_trainings(study), *_tunings(study), *_fine_tunings(study)]
    return [*makers, *_validations(study), *_judgements(study), *_sweeps(study)]


def sources(study: StudyConfig, agent: str) -> list[tuple[int | None, str | None]]:
    """Where the copies of an agent come from: (fold, cell), the cell None for a treatment that needs none.

    A copy of a fold is judged on those whom it has not met; fold None means everybody.
    """
    count = load_protocol(study.protocol).folds
    folds: tuple[int | None, ...] = tuple(range(count)) or (None,)
    if agent in study.learners:
        seeds = study.learners[agent].seeds
        return [(fold, _training_name(agent, fold, seed)) for fold in study.folds(agent) for seed in seeds]
    if agent in COHORT:
        return [(fold, _tuning_name(agent, fold)) for fold in folds]
    if agent in TUNED:
        return [(None, _tuning_name(agent, None))]
    return [(None, None)]


def _training_name(learner: str, fold: int | None, seed: int) -> str:
    return f"train/{learner}/{'' if fold is None else f'fold{fold}-'}seed{seed}"


def _tuning_name(agent: str, fold: int | None) -> str:
    return f"tuned/{agent}{'' if fold is None else f'-fold{fold}'}.json"


def command(study: StudyConfig, cell: str) -> str:
    """What does this cell, and what it needs, from nothing."""
    return shlex.join(["python", "-m", "scripts.study", study.name, "--cell", cell])


def _trainings(study: StudyConfig) -> Iterator[Cell]:
    for learner, settings in study.learners.items():
        for seed in settings.seeds:
            for fold in study.folds(learner):
                name = _training_name(learner, fold, seed)
                config = study.training(learner, seed, fold).model_dump(mode="json")
                yield Cell(
                    name, train_cell, {"settings": config, "command": command(study, name)}, goes_on=True
                )


def _tunings(study: StudyConfig) -> Iterator[Cell]:
    for agent in study.tuned:
        shared = agent in COHORT
        for fold, name in sources(study, agent):
            assert name is not None, "a tuned treatment has a tuning"
            yield Cell(
                name,
                tune_cell,
                {
                    "family": (TUNED | COHORT)[agent].name,
                    "protocol": study.protocol,
                    "changes": study.changes.get(study.protocol, {}),
                    "fold": fold,
                    "shared": shared,
                    "person_days": study.tune_person_days if shared else study.tune_person_days_each,
                },
            )


def _fine_tunings(study: StudyConfig) -> Iterator[Cell]:
    tuned = study.fine_tuned
    if tuned is None:
        return
    parent = _training_name(tuned.learner, tuned.fold, tuned.seed)
    config = study.training(tuned.learner, tuned.seed, tuned.fold).model_dump(mode="json")
    protocol = changed(study.protocol, study.changes.get(study.protocol))
    judged = people.judged(protocol.model_copy(update={"drawn_per_group": 0}), tuned.fold)
    own = {
        "fold": None,
        "drawn_per_group": 0,
        "copies": 1,
        "own_settings": True,
        "max_wall_s": tuned.max_wall_s,
    }
    for person in judged.ids:
        name = _fine_tuning_name(study, person)
        settings = {**config, **own, "people": [person]}
        arguments = {"settings": settings, "command": command(study, name), "init_from": parent}
        yield Cell(name, train_cell, arguments, (parent,), goes_on=True)
        cell = f"cells/{study.protocol}/rule/{tuned.learner}-fine-tuned/{person.replace('#', '-')}"
        arguments = {
            **_judge(study, cell, f"{tuned.learner}-fine-tuned", name, study.protocol, "rule", tuned.fold),
            "person": person,
        }
        yield Cell(cell, judge_cell, arguments, (name,))


def _fine_tuning_name(study: StudyConfig, person: str) -> str:
    assert study.fine_tuned is not None
    return f"train/{study.fine_tuned.learner}-fine-tuned/{person.replace('#', '-')}"


def _judge(
    study: StudyConfig,
    cell: str,
    agent: str,
    source: str | None,
    protocol: str,
    shield: str,
    fold: int | None,
) -> dict[str, Any]:
    return {
        "agent": agent,
        "source": source,
        "protocol": protocol,
        "changes": study.changes.get(protocol, {}),
        "shield": shield,
        "command": command(study, cell),
        "fold": fold,
    }


def _copies(study: StudyConfig, agent: str) -> Iterator[tuple[str, int | None, str | None]]:
    """Of each copy of an agent: a word for file names, its fold, its source."""
    for fold, source in sources(study, agent):
        word = "all" if source is None else source.rsplit("/", 1)[1].removesuffix(".json")
        yield word, fold, source


def _validations(study: StudyConfig) -> Iterator[Cell]:
    """Tuned treatments and learners on the people to choose on, so that the judged ones choose nothing."""
    if not load_protocol(study.protocol).folds:
        return  # gains and policies of the judged bodies themselves: there are no strangers to choose on
    for agent in (*study.learners, *study.tuned):
        if agent in TUNED:
            continue  # no gains for strangers
        for word, fold, source in _copies(study, agent):
            name = f"cells/validation/{agent}/{word}"
            arguments = {
                **_judge(study, name, agent, source, study.protocol, "rule", fold),
                "whom": "validation",
            }
            yield Cell(name, judge_cell, arguments, (source,) if source else ())


def _judgements(study: StudyConfig) -> Iterator[Cell]:
    worlds = [(study.protocol, "rule"), (study.protocol, "off"), *((name, "rule") for name in study.beside)]
    for protocol, shield in worlds:
        for agent in study.agents:
            for number, (word, fold, source) in enumerate(_copies(study, agent)):
                name = f"cells/{protocol}/{shield}/{agent}/{word}"
                arguments = _judge(study, name, agent, source, protocol, shield, fold)
                if shield == "rule" and number == 0:
                    arguments["traces"] = 1  # for the day that the page shows
                yield Cell(name, judge_cell, arguments, (source,) if source else ())
    for agent in study.guarded:
        for word, fold, source in _first_copies(study, agent):
            name = f"cells/{study.protocol}/twin/{agent}/{word}"
            arguments = _judge(study, name, agent, source, study.protocol, "twin", fold)
            yield Cell(name, judge_cell, arguments, (source,) if source else ())


def _first_copies(study: StudyConfig, agent: str) -> Iterator[tuple[str, int | None, str | None]]:
    """One copy of an agent for each fold, where every one of them would take too long."""
    seen: set[int | None] = set()
    for word, fold, source in _copies(study, agent):
        if fold not in seen:
            seen.add(fold)
            yield word, fold, source


def _sweeps(study: StudyConfig) -> Iterator[Cell]:
    """Degradation curves: one copy per fold of each agent, on the table's people only."""
    for knob, values in study.sweep.items():
        for value in values:
            changes = {
                SWEEP_KNOBS[knob]: [value] if knob == "sensitivity" else value,
                "drawn_per_group": 0,
                "days": study.sweep_days,
            }
            for agent in study.sweep_agents:
                for word, fold, source in _first_copies(study, agent):
                    name = f"cells/sweep/{knob}={value:g}/{agent}/{word}"
                    arguments = _judge(study, name, agent, source, study.protocol, "rule", fold)
                    arguments["changes"] = {**arguments["changes"], **changes}
                    yield Cell(name, judge_cell, arguments, (source,) if source else ())


def part(cells: Sequence[Cell], name: str | None = None, prefix: str | None = None) -> list[Cell]:
    """The cell of this name, or those whose names begin so, and what they need, in the order of the plan.

    Raises ValueError with the nearest name when there is none.
    """
    known = {cell.name: cell for cell in cells}
    wanted = [one for one in known if one == name or (prefix is not None and one.startswith(prefix))]
    if not wanted:
        asked = name or prefix or ""
        raise ValueError(f"no cell {asked!r}{near_miss(asked, known)}; --list shows the {len(known)} names")
    for one in wanted:  # grows while it is walked: needs have needs
        wanted += [need for need in known[one].needs if need not in wanted]
    return [cell for cell in cells if cell.name in set(wanted)]
