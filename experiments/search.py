"""A search for better hyperparameters: short trainings, any number of processes on one journal file.

Each trial draws from the algorithm's space (section `search` of its file), trains in a run folder of its own beside
the journal, which is deleted afterwards, and counts as the best score of its validation looks. Trials below the
median of the others at the same look end early. A process may be killed at any time: whoever goes on with the same
file reports its trial as failed and tries the same values again.
"""

import json
import logging
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from experiments.config import TrainConfig
from experiments.hyperparams import Range, Space, load_space
from experiments.records.config_files import build
from experiments.records.lock import FolderLock, FolderLocked
from experiments.runs import Run
from experiments.train import train
from twins.files import check_writable

UNTOLD = timedelta(seconds=60)
"""A running trial that has no folder after this time has lost its process."""
_MOST_BYTES = 64 << 20
"""Of a journal: JSON lines, which Optuna reads whole and without pickle."""
_STARTUP = 8
"""Trials drawn at random before the sampler learns from them; half of that before anything is pruned."""
_FAILED, _RETRY_OF = "failed", "retry_of"
_log = logging.getLogger(__name__)


def open_study(storage: str | Path, name: str) -> optuna.Study:
    """The study of this name in a journal file, which is made if needed. Raises StorageError, or ValueError for a
    file that is no journal."""
    storage = Path(storage)
    check_writable(storage.parent)
    if os.path.lexists(storage) and (not storage.is_file() or storage.stat().st_size > _MOST_BYTES):
        raise ValueError(
            f"{storage} is no plain file of at most {_MOST_BYTES} bytes; give the journal of a search, or a new name"
        )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        journal = JournalStorage(JournalFileBackend(str(storage)))
        return optuna.create_study(
            storage=journal,
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP // 2, n_warmup_steps=1),
        )
    except (LookupError, TypeError, AttributeError, AssertionError, ValueError, RecursionError) as error:
        raise ValueError(f"{storage} is no journal of a search ({error}); give another file") from None


def search(config: TrainConfig, storage: str | Path, name: str, trials: int) -> TrainConfig:
    """Work on a study until it holds `trials` trials; returns the settings of its best, for `scripts.train`.

    config: settings of every trial but for the hyperparameters that are searched. Several processes may do the same
    at once (a study may then end with a trial more per process). Raises ValueError when the study is one of other
    settings, or when no trial came to a score.
    """
    space = load_space(config.algo)
    study = open_study(storage, name)
    _claim(study, config, space)
    while True:
        _collect_lost(study, storage)
        held = _trials(study)
        begun = sum(_RETRY_OF not in trial.user_attrs for trial in held)
        if begun >= trials and not any(trial.state == TrialState.WAITING for trial in held):
            return best(study, config)
        _one(study, space, config, storage)


def best(study: optuna.Study, config: TrainConfig) -> TrainConfig:
    """The settings of the best trial so far. Raises ValueError when no trial came to a score."""
    if not any(trial.state == TrialState.COMPLETE for trial in _trials(study)):
        reasons = {trial.user_attrs.get(_FAILED, trial.state.name.lower()) for trial in _trials(study)}
        raise ValueError(
            f"no trial of the study came to a score ({'; '.join(sorted(reasons)) or 'none was begun'})"
        )
    return _with(config, _plain(study.best_trial.params))


def _claim(study: optuna.Study, config: TrainConfig, space: Space) -> None:
    """Write the settings into a new study; refuse to mix trials of other settings into an old one."""
    mine = config.model_dump(mode="json", exclude={"seed": True, "hyperparams": set(space)})
    held = study.user_attrs.get("settings", mine)
    if differ := ", ".join(key for key in mine if held.get(key) != mine[key]):
        raise ValueError(
            f"the study {study.study_name!r} was begun with other settings ({differ}); give the same ones, or "
            "another --study-name"
        )
    study.set_user_attr("settings", mine)


def _one(study: optuna.Study, space: Space, config: TrainConfig, storage: str | Path) -> None:
    """Draw, train, tell."""
    trial = study.ask()
    folder = _folder(storage, trial.number)
    check_writable(folder)
    try:
        with FolderLock(folder):
            try:
                state, value = _trained(trial, study, space, config, folder / "run")
            except BaseException:
                _fail(study, trial.number, trial.params)
                raise
            study.tell(trial, value, state=state)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _trained(
    trial: optuna.Trial, study: optuna.Study, space: Space, config: TrainConfig, folder: Path
) -> tuple[TrialState, float | None]:
    """How a trial ends, and its score."""
    # A seed per trial: processes that share a study must not draw the same.
    seed = (config.seed + trial.number) % 2**32
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP)
    seeds = {"train": config.seed, "sampler": seed}
    trial.set_user_attr("seeds", seeds)
    values = _plain(_draw(trial, space))
    scores: list[float] = []
    try:
        drawn = _with(config, values)
        with Run.create(folder, drawn, ["experiments.search"], seeds) as run:
            train(drawn, run, on_look=_looks(trial, scores))
    except optuna.TrialPruned:
        return TrialState.PRUNED, None
    except (ValueError, RuntimeError) as error:  # such as weights that are no longer finite
        _log.warning("trial %d failed: %s", trial.number, error)
        trial.set_user_attr(_FAILED, str(error))
        return TrialState.FAIL, None
    return TrialState.COMPLETE, max(scores)


def _looks(trial: optuna.Trial, scores: list[float]) -> Callable[[int, float], None]:
    """Reports each look by its number, as trials look at different steps; ends the training when it is pruned."""

    def look(timesteps: int, score: float) -> None:
        scores.append(score)
        trial.report(max(scores), len(scores) - 1)
        if trial.should_prune():
            raise optuna.TrialPruned(f"below the median at {timesteps} steps")

    return look


def _draw(trial: optuna.Trial, space: Space) -> dict[str, Any]:
    return {name: _suggest(trial, name, held) for name, held in space.items()}


def _suggest(trial: optuna.Trial, name: str, held: Range | list[Any]) -> Any:
    if isinstance(held, list):
        return trial.suggest_categorical(name, [json.dumps(choice) for choice in held])
    if isinstance(held.low, int) and isinstance(held.high, int):
        return trial.suggest_int(name, held.low, held.high, log=held.log)
    return trial.suggest_float(name, held.low, held.high, log=held.log)


def _plain(params: dict[str, Any]) -> dict[str, Any]:
    """Drawn values as settings: choices are kept as JSON, because a study holds no lists."""
    return {name: json.loads(value) if isinstance(value, str) else value for name, value in params.items()}


def _with(config: TrainConfig, drawn: dict[str, Any]) -> TrainConfig:
    plain = config.model_dump(mode="json")
    return build(TrainConfig, {**plain, "hyperparams": {**plain["hyperparams"], **drawn}}, "a trial")


# --- trials whose process is gone ---------------------------------------------------------------------------
def _collect_lost(study: optuna.Study, storage: str | Path) -> None:
    """Fail the trials that a killed process left running, delete their folders, and try their values again."""
    for trial in _trials(study, [TrialState.RUNNING]):
        folder = _folder(storage, trial.number)
        if folder.is_dir():
            with suppress(FolderLocked), FolderLock(folder):  # somebody is at it, or nobody is
                _fail(study, trial.number, trial.params)
                shutil.rmtree(folder, ignore_errors=True)
        elif trial.datetime_start is not None and datetime.now() - trial.datetime_start > UNTOLD:
            _fail(study, trial.number, trial.params)


def _fail(study: optuna.Study, number: int, params: dict[str, Any]) -> None:
    """End a trial that came to nothing, and line its values up to be tried again."""
    with suppress(ValueError):  # another process was faster
        study.tell(number, state=TrialState.FAIL)
        _log.warning("trial %d was interrupted; its values are tried again", number)
        study.enqueue_trial(params, user_attrs={_RETRY_OF: number})


def _folder(storage: str | Path, number: int) -> Path:
    """The run folder of a trial."""
    storage = Path(storage)
    return storage.parent / f"{storage.name}.trials" / f"{number:05d}"


def _trials(study: optuna.Study, states: Sequence[TrialState] | None = None) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=None if states is None else tuple(states))
