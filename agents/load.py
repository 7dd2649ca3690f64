"""From the words of a command line to an agent: a name, module:Class, or the folder of a saved policy."""

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from agents import frozen, published
from agents.basal_bolus import BASAL_BOLUS, BasalBolus, ConstantBasal, RuleOf500
from agents.base import Agent, Policy, Treatment
from agents.hostile import HOSTILE
from agents.low_glucose_suspend import LOW_GLUCOSE_SUSPEND
from agents.oref.loop import MICROBOLUSES, Oref0
from agents.pid import PID
from agents.planner import Clairvoyant, Planner
from agents.published import PublishedBasalBolus
from agents.tunable import Family, Tuned, Values
from twins.words import near_miss

TREATMENTS: dict[str, Callable[[], Treatment]] = {
    "basal-bolus": BasalBolus,
    "basal-bolus-rule": RuleOf500,
    "low-glucose-suspend": lambda: Tuned(LOW_GLUCOSE_SUSPEND),
    "pid": lambda: Tuned(PID),
    "oref0": Oref0,
    "oref1": lambda: Oref0(MICROBOLUSES),
    "constant-basal": ConstantBasal,
    "basal-bolus-fox2020": lambda: PublishedBasalBolus(published.FOX2020),
    "basal-bolus-g2p2c": lambda: PublishedBasalBolus(published.G2P2C),
    "basal-bolus-emerson2023": lambda: PublishedBasalBolus(published.EMERSON2023),
}
PLANNERS: dict[str, Callable[[], Treatment]] = {"planner": Planner, "clairvoyant": Clairvoyant}
"""Treatments that plan with a twin of the very person; the second is told body, state and all meals (`oracle=True`)."""
FAMILIES: dict[str, Family] = {family.name: family for family in (BASAL_BOLUS, LOW_GLUCOSE_SUSPEND, PID)}
TUNED: dict[str, Family] = {f"{name}-tuned": family for name, family in FAMILIES.items()}
"""Treatments with gains of each person, found on that person's own body by `experiments.tune`."""
COHORT: dict[str, Family] = {f"{name}-cohort": family for name, family in FAMILIES.items()}
"""Treatments with one set of gains for everybody, found on other bodies."""

POLICIES = Path(__file__).resolve().parent / "policies"
"""Where the shipped policies lie: a folder for each, with a folder for each training."""

NAMES = (*TREATMENTS, *PLANNERS, *TUNED, *COHORT, *HOSTILE)

Tier = Literal["T0", "T1", "T2 (other bodies)", "T2 (this body)", "T2 (own twin)", "T3 (simulator state)"]

TIERS: dict[Tier, str] = {
    "T0": "formulas from the therapy settings",
    "T1": "a diary of 14 days of the person",
    "T2 (other bodies)": "tuned or trained in the simulator, on bodies other than those that are judged",
    "T2 (this body)": "tuned or trained in the simulator on the very body that is judged, on other days",
    "T2 (own twin)": "plans with a twin of the very person, off by as much as the protocol says",
    "T3 (simulator state)": "the simulator's hidden state while it acts; a clairvoyant one all meals to come, too",
}
"""What an agent was allowed to learn from, in words; T2 goes with its number of simulated person-days."""


def tier(name: str) -> Tier:
    """The information tier of a treatment of `NAMES`. Raises ValueError for other words, with the nearest name.

    A trained policy is not among them: its tier hangs on whom it was trained on and on who is judged.
    """
    if name in TREATMENTS or name in HOSTILE:
        return "T0"
    if name in PLANNERS:
        return "T3 (simulator state)" if name == "clairvoyant" else "T2 (own twin)"
    if name in TUNED:
        return "T2 (this body)"
    if name in COHORT:
        return "T2 (other bodies)"
    raise ValueError(f"no information tier of {name!r}{near_miss(name, NAMES)}; known are {', '.join(NAMES)}")


def label(agent: str) -> str:
    """An agent's name in tables and folders: "ppo-history-fold0-seed0" of a folder that ends in these two."""
    return agent if agent in NAMES else "-".join(Path(agent).parts[-2:]).replace(":", "-")


def load(word: str, gains: Callable[[str], Values] | None = None) -> Agent:
    """The agent that `word` names. gains: called with the name when a treatment needs tuned gains.

    A class is built with no arguments and must have predict (SB3's words) or act(view). Raises
    ValueError, or FileNotFoundError, with the nearest known name.
    """
    if word in TREATMENTS or word in PLANNERS:
        return (TREATMENTS | PLANNERS)[word]()
    if word in HOSTILE:
        return HOSTILE[word]()
    if word in TUNED or word in COHORT:
        return _tuned(word, gains)
    if word and Path(word).is_dir():
        return frozen.load(word)
    if ":" in word:
        return _from_class(word)
    if "/" in word or Path(word).is_file():
        what = "is a file; give the folder" if Path(word).is_file() else "is no folder here; give that"
        raise ValueError(f"unknown agent: {word} {what} of a run or of a saved policy, or a name (see --help)")
    raise ValueError(
        f"unknown agent {word!r}{near_miss(word, NAMES)}; known are {', '.join(NAMES)}, module:Class, or the folder "
        "of a saved policy"
    )


def _tuned(word: str, gains: Callable[[str], Values] | None) -> Tuned:
    each = word in TUNED
    kind = "gains of each person" if each else "one set of gains for everybody"
    if gains is None:
        raise ValueError(f"{word} needs {kind}; tune them first")
    found = gains(word)
    if isinstance(found, Mapping) != each:
        raise ValueError(f"{word} needs {kind}, but was given the other kind; tune it under this name")
    return Tuned((TUNED if each else COHORT)[word], found)


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
