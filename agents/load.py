"""From the words of a command line to an agent: a name, module:Class, or the folder of a saved policy."""

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from agents import frozen
from agents.basal_bolus import BasalBolus, ConstantBasal, RuleOf500
from agents.base import Agent, Policy, Treatment
from agents.low_glucose_suspend import LowGlucoseSuspend
from twins.words import near_miss

Gains = Mapping[str, tuple[float, float]]

TREATMENTS: dict[str, Callable[[], Treatment]] = {
    "basal-bolus": BasalBolus,
    "basal-bolus-rule": RuleOf500,
    "low-glucose-suspend": LowGlucoseSuspend,
    "constant-basal": ConstantBasal,
}
TUNED: dict[str, Callable[[Gains], Treatment]] = {
    "basal-bolus-tuned": BasalBolus,
    "low-glucose-suspend-tuned": LowGlucoseSuspend,
}
"""Treatments that need gains of each person (basal, bolus), found by `experiments.tune`."""

NAMES = (*TREATMENTS, *TUNED)


def load(word: str, gains: Callable[[], Gains] | None = None) -> Agent:
    """The agent that `word` names. gains: called when a tuned treatment needs them.

    A class is built with no arguments and must have predict (SB3's words) or act(view). Raises
    ValueError, or FileNotFoundError, with the nearest known name.
    """
    if word in TREATMENTS:
        return TREATMENTS[word]()
    if word in TUNED:
        if gains is None:
            raise ValueError(f"{word} needs gains per person; tune them first")
        return TUNED[word](gains())
    if word and Path(word).is_dir():
        return frozen.load(word)
    if ":" in word:
        return _from_class(word)
    raise ValueError(
        f"unknown agent {word!r}{near_miss(word, NAMES)}; known are {', '.join(NAMES)}, module:Class, or the folder "
        "of a saved policy"
    )


def _from_class(word: str) -> Agent:
    module, _, name = word.partition(":")
    if "" not in sys.path:
        sys.path.append("")  # the current folder, which `python scripts/NAME.py` leaves out
    try:
        found = importlib.import_module(module) if module.strip(".") == module != "" else None
    except ModuleNotFoundError as error:
        raise ValueError(
            f"agent {word!r}: no module {error.name!r}; run from its folder, or put it on PYTHONPATH"
        ) from None
    kind = getattr(found, name, None)
    if kind is None:
        raise ValueError(
            f"agent {word!r}: no {name!r} in module {module!r}{near_miss(name, dir(found))}; needed is module:Class, "
            "a class that is built without arguments"
        )
    try:
        made = kind()
    except TypeError as error:
        raise ValueError(f"agent {word!r} cannot be built without arguments ({error})") from None
    if not isinstance(made, Policy | Treatment):
        raise ValueError(
            f"agent {word!r} has neither predict(observation, state, episode_start, deterministic) nor act(view); "
            "write one of them"
        )
    return made
