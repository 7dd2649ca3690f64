"""The work of one cell of a study: train a policy, tune a treatment, or judge an agent.

Arguments are plain values, so that a cell can be sent to another process and named in a record. Paths of what other
cells made are relative to the study's `folder`; the cell's own output is `out`.
"""

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents import frozen
from agents.base import Agent
from agents.load import load
from experiments import people
from experiments.config import TrainConfig
from experiments.evaluate import evaluate
from experiments.protocol import load_protocol
from experiments.records.config_files import build
from experiments.records.gains import load_gains, save_tuning
from experiments.runs import Run, read_manifest
from experiments.studies.settings import changed
from experiments.tune import other_bodies, tune

VALIDATION_DAYS = 5.0
"""Scored days of an episode on which comparators and learners are chosen."""


def train_cell(
    folder: Path, out: Path, settings: Mapping[str, Any], command: str, init_from: str | None = None
) -> None:
    """Train into the run folder `out`, or go on with the run that an interrupted attempt left there.

    init_from: the folder of a training within the study to go on from.
    Raises ValueError when a training whose steps the study names was ended by its clock: its result would hang on how
    busy the machine was. The next attempt begins it anew.
    """
    # With torch, which the processes that tune or judge need not load.
    from experiments.train import cut, train

    parent = {"init_from": str(folder / init_from)} if init_from else {}
    config = build(TrainConfig, {**settings, **parent}, str(out))
    # A study that names no steps means its clock to end the training.
    whole = init_from is None and config.n_timesteps != TrainConfig.model_fields["n_timesteps"].default
    if (out / "manifest.json").is_file() and read_manifest(out)["status"] != "finished":
        with Run.resume(out) as run:
            train(config, run)
    elif not (out / "manifest.json").is_file() or (whole and cut(out, config)):
        if out.exists():
            shutil.rmtree(out)
        argv, seeds = shlex.split(command), {"train": config.seed}
        with Run.create(out, config, argv, seeds, parent=config.init_from) as run:
            train(config, run)
    if whole and cut(out, config):
        raise ValueError(
            f"{config.max_wall_s:g} s (max_wall_s) did not suffice for {config.n_timesteps:,} steps; do the cell again "
            "on a quieter machine, or give the study more time"
        )


def tune_cell(
    folder: Path,
    out: Path,
    family: str,
    protocol: str,
    changes: Mapping[str, Any],
    fold: int | None,
    shared: bool,
    person_days: float | None,
) -> None:
    """Find gains of a family and write them to the file `out`.

    shared: one set for everybody, found on the people that may be trained on (of a fold); otherwise a set for each
    judged person, found on that person's own body and settings, on days of the split train. person_days: budget of
    all together (shared) or of each person; None: the tuner's own.
    """
    config = changed(protocol, changes)
    cohort = other_bodies(config, fold) if shared else people.judged(config, fold)
    if not shared and person_days is not None:
        person_days *= len(cohort)
    save_tuning(tune(family, config, "rule", cohort, shared=shared, person_days=person_days), out)


def judge_cell(
    folder: Path,
    out: Path,
    agent: str,
    source: str | None,
    protocol: str,
    changes: Mapping[str, Any],
    shield: str,
    command: str,
    fold: int | None = None,
    whom: str = "judged",
    person: str | None = None,
    traces: int = 0,
) -> None:
    """Judge an agent and write the folder `out` (see `experiments.evaluate`).

    source: the training or the file of gains that the agent comes from, within the study; None for a treatment that
    needs neither. whom: "judged" = those whom policies of `fold` have not met (all, without a fold), "validation" =
    people drawn to choose on. changes: of the protocol's settings. person: only this one of them. traces: replicas
    whose traces are kept.
    """
    config = changed(protocol, changes)
    if whom == "validation":
        # The same world on other days; nobody who is trained on, and nobody who is judged.
        config = config.model_copy(update={"split": "validation", "days": VALIDATION_DAYS})
        cohort = people.validation(config, fold)
    else:
        cohort = people.judged(config, fold)
    if person is not None:
        cohort = cohort.take([cohort.ids.index(person)])
    evaluate(
        _agent(folder, agent, source),
        agent,
        config,
        out,
        shield=shield,
        modified=config != load_protocol(protocol),
        trace_replicas=traces,
        argv=shlex.split(command),
        cohort=cohort,
        fold=fold,
    )


def _agent(folder: Path, agent: str, source: str | None) -> Agent:
    if source is None:
        return load(agent)
    path = folder / source
    return frozen.load(path) if path.is_dir() else load(agent, lambda name: load_gains(path, name))
