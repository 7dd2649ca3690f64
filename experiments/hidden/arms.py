"""From a hidden person's diary to policies and back to the person: the work of one cell of the ladder each.

All arms get settings by the clinical rules from the diary, but for the one that keeps those it was lived with and the
one that takes settings from the twin. For who is refused by their card, what needs no twin stands in: the cohort's
policy, the cohort's gains, or plain basal-bolus; they stay in the table, and are counted.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import frozen
from agents.base import Agent
from agents.load import load
from experiments.config import PERSONAL
from experiments.hidden.fortnight import DIARY_DAYS, diaries, new_days
from experiments.hidden.people import People, people
from experiments.personal import policy, twin_file
from experiments.personal.fit import fit_person
from experiments.personal.twin_file import TwinFile
from experiments.protocol import load_protocol
from experiments.records.gains import load_gains
from experiments.records.json_files import load_object
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, concat, write_table
from experiments.simulate import simulate
from experiments.trainees import many
from experiments.tune import scored
from twins.cohort import Cohort, join
from twins.files import atomic_write_text

FIT_DAYS, TEST_DAYS = 10, DIARY_DAYS - 10
SHIELDS = ("rule", "off")
ARMS = {
    "as-lived": "basal-bolus with the settings that the diary was lived with (without its automated pump)",
    "basal-bolus": "basal-bolus with settings by the clinical rules from the diary, as all below",
    "basal-bolus-twin": "basal-bolus with gains found on draws of the person's twin",
    "pid-cohort": "PID with one set of gains for everybody, found on other virtual people",
    "pid-twin": "PID with gains found on draws of the person's twin",
    "cohort": "policy of the cohort that sees four hours",
    "cohort-history": "policy of the cohort that sees its person's last 24 hours: the rival of every personal one",
    "cohort-twin-settings": "the same, with the basal rate and carb ratio that basal-bolus-twin has found",
    "twin-posterior": "cohort-history, trained further on draws of the twin's posterior",
    "twin-map": "the same, trained further on the most likely twin alone",
    "somebody-elses-twin": "what was trained on the posterior of another person of the same kind: a placebo",
    "true-body": "cohort-history, trained further on the person's true body (with habits as the twins'): a reference",
}
UNTRAINED = ("as-lived", "basal-bolus", "basal-bolus-twin", "pid-cohort", "pid-twin")
POLICIES = tuple(arm for arm in ARMS if arm not in UNTRAINED)
COHORTS = {"cohort": "ppo-domain", "cohort-history": "ppo-history", "cohort-twin-settings": "ppo-history"}
GAINS = ROOT / "results" / "realistic" / "tuned" / "pid-cohort-fold0.json"
FORESEEN = ("basal-bolus", "basal-bolus-twin", "pid-twin", "cohort-history", "twin-posterior")
"""Arms of which it is noted what draws of the twin foresee, on days that no training has seen."""
FORESEEN_DRAWS, FORESEEN_DAYS = 8, 14.0
FIRST_DAYS = 10
"""The true body is trained on as it is from one of these days of the diary on."""


def policies(train_seeds: Sequence[int]) -> str:
    """SHA-256 of what comes with the project and is judged here: policies of the cohort, and gains."""
    digest = hashlib.sha256(GAINS.read_bytes())
    for name in sorted(set(COHORTS.values())):
        for train_seed in train_seeds:
            digest.update(
                frozen.load(policy.cohort_policy(train_seed, name)).manifest.weights_sha256.encode()
            )
    return digest.hexdigest()


def one(rung: str, core: str, number: int, seed: int) -> People:
    """One hidden person."""
    return people(rung, core, 1, seed, number)


def fit_cell(folder: Path, out: Path, rung: str, core: str, number: int, seed: int) -> None:
    """Live the diary and fit the twin. Beside the card lies what is true of the person, of 1 U and of 10 g logged (as
    far as their own bias goes)."""
    person = one(rung, core, number, seed)
    weight_kg = float(person.cohort.weight_kg[0])
    fitted = fit_person(diaries(person, seed)[0], out, FIT_DAYS, TEST_DAYS, weight_kg)
    truth = {
        "who": person.cohort.ids[0],
        "fall_mg_dl_per_u": float(person.fall_mg_dl_per_u[0]),
        "rise_mg_dl_per_10_g": float(person.rise_mg_dl_per_10_g[0] / person.logged_share(seed)[0]),
        "automated": bool(person.automated[0]),
        "accepted": fitted.card["accepted"],
    }
    atomic_write_text(out / "truth.json", json.dumps(truth) + "\n")


def tune_cell(folder: Path, out: Path, family: str, twin: str) -> None:
    """Gains of a family for the person of a twin; none for a refused one."""
    policy.tune_on(twin_file.load(folder / twin / "twin.json"), family, out)


def train_cell(
    folder: Path, out: Path, arm: str, person: Mapping[str, Any], twin: str, train_seed: int
) -> None:
    """Train the cohort's policy further for one person; nothing for a refused twin."""
    from experiments.train import train_anew  # with torch, which those who fit, tune or judge need not load

    held = twin_file.load(folder / twin / "twin.json")
    if arm == "true-body":
        whom = many(_on_their_days(one(**person), held.therapy), (twin,))
        train_anew(policy.config(None, train_seed), out, whom)
    elif held.accepted:
        draws = policy.DRAWS if arm == "twin-posterior" else 1
        train_anew(policy.config(folder / twin, train_seed, draws), out)
    else:
        out.mkdir(parents=True)


def _on_their_days(hidden: People, therapy: NDArray[np.float64]) -> Cohort:
    """The one body as it is from each of some days of the diary on, under settings (7,)."""
    return join([
        hidden.afterwards(day, therapy[None]).renamed(f"@{day}") for day in range(FIRST_DAYS)
    ])  # fmt: skip


def judge_cell(
    folder: Path, out: Path, person: Mapping[str, Any], twin: str, trainings: Mapping[str, list[str]],
    tunings: Mapping[str, str], placebo: list[str], train_seeds: list[int],
) -> None:  # fmt: skip
    """Write episodes.csv: a line for each arm, training seed and shield, on the person's new days."""
    hidden, held = one(**person), twin_file.load(folder / twin / "twin.json")
    truth = load_object(folder / twin / "truth.json", "fit the person again")
    lines: list[Table] = []
    for arm in ARMS:
        for place, train_seed in enumerate(train_seeds if arm in POLICIES else [-1]):
            agent, own = _agent(folder, arm, train_seed, place, held.accepted, trainings, tunings, placebo)
            settings = hidden.cohort.therapy if arm == "as-lived" else held.therapy[None]
            if arm == "cohort-twin-settings":
                settings = policy.settings_found(folder / tunings["basal-bolus-twin"], settings)
                own = held.accepted
            told = arm in FORESEEN and place == 0
            foreseen = _foreseen(agent, held) if told else {"tir_pct": np.nan, "below_70_pct": np.nan}
            for shield in SHIELDS:
                rollout = new_days(hidden, agent, settings, shield, person["seed"])
                words = {"arm": arm, "person": hidden.cohort.ids[0], "core": hidden.core, "shield": shield}
                numbers = {
                    "train_seed": train_seed, "own": int(own), "accepted": int(held.accepted),
                    "automated": int(truth["automated"]), "shield_changed_pct": rollout.shield_changed_pct[0],
                    **{f"foreseen_{name}": value for name, value in foreseen.items()},
                }  # fmt: skip
                line: Table = {name: np.array([value]) for name, value in (words | numbers).items()}
                lines.append(line | scored(rollout, load_protocol(PERSONAL)))
    out.mkdir(parents=True)
    write_table(out / "episodes.csv", concat(lines))


def _foreseen(agent: Agent, held: TwinFile) -> dict[str, float]:
    """What draws of a twin foresee of an agent behind the rule shield, on days of the split test."""
    protocol = held.world().model_copy(update={"days": FORESEEN_DAYS})
    table = scored(simulate(agent, protocol, "rule", held.draws(FORESEEN_DRAWS)), protocol)
    return {name: float(table[name].mean()) for name in ("tir_pct", "below_70_pct")}


def _agent(
    folder: Path, arm: str, train_seed: int, place: int, accepted: bool, trainings: Mapping[str, list[str]],
    tunings: Mapping[str, str], placebo: list[str],
) -> tuple[Agent, bool]:  # fmt: skip
    """An arm's agent, and whether it is the arm's own (and not what stands in where a twin was refused)."""
    if arm in ("as-lived", "basal-bolus"):
        return load("basal-bolus"), True
    if arm == "pid-cohort":
        return load(arm, lambda name: load_gains(GAINS, name)), True
    if arm in tunings:
        family = arm.removesuffix("-twin")
        found = policy.tuned(family, folder / tunings[arm])
        if found is not None:
            return found, True
        instead = "basal-bolus" if family == "basal-bolus" else "pid-cohort"
        return _agent(folder, instead, train_seed, place, accepted, trainings, {}, placebo)[0], False
    if arm in COHORTS:
        return frozen.load(policy.cohort_policy(train_seed, COHORTS[arm])), True
    trained = folder / trainings.get(arm, placebo)[place]
    # A twin that was refused earns nobody's: so the placebo, too, is what the person would get without any.
    if (accepted or arm == "true-body") and (trained / "policy").is_dir():
        return frozen.load(trained), True
    return frozen.load(policy.cohort_policy(train_seed)), False
