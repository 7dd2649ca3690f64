"""From a hidden person's diary to policies and back to the person: the work of one cell of the ladder each.

All arms of a person get the same settings, by the clinical rules from the diary, but for the one that goes on as lived.
Who is refused by their card keeps the policy of the cohort in every arm that would have used the twin, and is counted.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents import frozen
from agents.base import Agent
from agents.load import load
from experiments.config import PERSONAL
from experiments.hidden.fortnight import DIARY_DAYS, diaries, new_days
from experiments.hidden.people import People, people
from experiments.personal import policy, twin_file
from experiments.personal.fit import fit_person
from experiments.protocol import load_protocol
from experiments.records.gains import load_gains
from experiments.records.json_files import load_object
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, concat, read_table, write_table
from experiments.tune import scored
from twins.files import atomic_write_text

FIT_DAYS, TEST_DAYS = 10, DIARY_DAYS - 10
SHIELDS = ("rule", "off")
ARMS = {
    "as-lived": "basal-bolus with the settings that the person had lived with",
    "basal-bolus": "basal-bolus with settings by the clinical rules from the diary, as all below",
    "basal-bolus-twin": "basal-bolus with gains found on draws of the person's twin",
    "pid-cohort": "PID with one set of gains for everybody, found on other virtual people",
    "pid-twin": "PID with gains found on draws of the person's twin",
    "cohort": "policy of the cohort that sees four hours",
    "cohort-history": "policy of the cohort that sees its person's last 24 hours: the rival of every personal one",
    "cohort-twin-settings": "the same, with the basal rate and carb ratio that basal-bolus-twin has found",
    "twin-posterior": "cohort-history, trained further on draws of the twin's posterior",
    "twin-map": "the same, trained further on the most likely twin alone",
    "somebody-elses-twin": "what was trained on the posterior of another person: a placebo",
    "true-body": "the same, trained further on the person's true body: a reference, and no limit",
}
UNTRAINED = ("as-lived", "basal-bolus", "basal-bolus-twin", "pid-cohort", "pid-twin")
POLICIES = tuple(arm for arm in ARMS if arm not in UNTRAINED)
COHORTS = {"cohort": "ppo-domain", "cohort-history": "ppo-history", "cohort-twin-settings": "ppo-history"}
GAINS = ROOT / "results" / "realistic" / "tuned" / "pid-cohort-fold0.json"
FORESEEN = ("tir_pct", "below_70_pct")
"""What a twin foresaw of the policy that was trained on it stands beside what came true."""


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
    """Live the diary and fit the twin; what is true of the person is written beside the card."""
    person = one(rung, core, number, seed)
    fitted = fit_person(diaries(person, seed)[0], out, FIT_DAYS, TEST_DAYS)
    card = fitted.card
    truth = {
        "fall_mg_dl_per_u": float(person.fall_mg_dl_per_u[0]),
        "rise_mg_dl_per_10_g": float(person.rise_mg_dl_per_10_g[0]),
        "automated": bool(person.automated[0]),
        "accepted": card["accepted"],
    }
    atomic_write_text(out / "truth.json", json.dumps(truth) + "\n")


def tune_cell(folder: Path, out: Path, family: str, twin: str) -> None:
    """Gains of a family for the person of a twin; none for a refused one."""
    policy.tune_on(twin_file.load(folder / twin / "twin.json"), family, out)


def train_cell(
    folder: Path, out: Path, arm: str, person: Mapping[str, Any], twin: str, train_seed: int
) -> None:
    """Train the cohort's policy further for one person; nothing for a refused twin."""
    from experiments.runs import Run
    from experiments.train import train
    from experiments.trainees import Trainees

    held, whom = twin_file.load(folder / twin / "twin.json"), None
    if arm == "true-body":
        body = one(**person).afterwards(0, held.therapy[None])
        whom, config = Trainees(body, body, body.ids), policy.config(None, train_seed)
    elif held.accepted:
        config = policy.config(folder / twin, train_seed, policy.DRAWS if arm == "twin-posterior" else 1)
    else:
        out.mkdir(parents=True)
        return
    with Run.create(out, config, [], {"train": train_seed}, parent=config.init_from) as run:
        train(config, run, whom=whom)


def judge_cell(
    folder: Path, out: Path, person: Mapping[str, Any], twin: str, trainings: Mapping[str, list[str]],
    tunings: Mapping[str, str], placebos: list[list[str]], train_seeds: list[int],
) -> None:  # fmt: skip
    """Write episodes.csv: a line for each arm, training seed and shield, on the person's new days."""
    hidden = one(**person)
    therapy = twin_file.load(folder / twin / "twin.json").therapy[None]
    truth = load_object(folder / twin / "truth.json", "fit the person again")
    lines: list[Table] = []
    for arm in ARMS:
        for place, train_seed in enumerate(train_seeds if arm in POLICIES else [-1]):
            agent, own = _agent(folder, arm, train_seed, place, trainings, tunings, placebos)
            foreseen = _foreseen(folder / trainings[arm][place]) if arm in trainings else {}
            for shield in SHIELDS:
                settings = hidden.cohort.therapy if arm == "as-lived" else therapy
                if arm == "cohort-twin-settings":
                    settings = policy.settings_found(folder / tunings["basal-bolus-twin"], therapy)
                rollout = new_days(hidden, agent, settings, shield, person["seed"])
                table = scored(rollout, load_protocol(PERSONAL))
                words = {"arm": arm, "person": hidden.cohort.ids[0], "core": hidden.core, "shield": shield}
                numbers = {
                    "train_seed": train_seed, "own": int(own), "accepted": int(truth["accepted"]),
                    "automated": int(truth["automated"]), "shield_changed_pct": rollout.shield_changed_pct[0],
                    **{f"foreseen_{column}": foreseen.get(column, np.nan) for column in FORESEEN},
                }  # fmt: skip
                lines.append({name: np.array([value]) for name, value in (words | numbers).items()} | table)
    out.mkdir(parents=True)
    write_table(out / "episodes.csv", concat(lines))


def _foreseen(training: Path) -> dict[str, float]:
    """What the policy that a training kept had reached on its own validation days; nothing where none was trained."""
    if not (training / "evaluations.csv").is_file():
        return {}
    looks = read_table(training / "evaluations.csv")
    kept = int(np.argmax(looks["timesteps"] == frozen.load(training).manifest.trained_on["timesteps"]))
    return {column: float(looks[column][kept]) for column in FORESEEN}


def _agent(
    folder: Path, arm: str, train_seed: int, place: int, trainings: Mapping[str, list[str]],
    tunings: Mapping[str, str], placebos: list[list[str]],
) -> tuple[Agent, bool]:  # fmt: skip
    """An arm's agent, and whether it is the arm's own (and not what stands in for a refused twin)."""
    if arm in ("as-lived", "basal-bolus"):
        return load("basal-bolus"), True
    if arm == "pid-cohort":
        return load(arm, lambda name: load_gains(GAINS, name)), True
    if arm in tunings:
        family = arm.removesuffix("-twin")
        found = policy.tuned(family, folder / tunings[arm])
        if found is None:
            instead = "basal-bolus" if family == "basal-bolus" else "pid-cohort"
            return _agent(folder, instead, train_seed, place, trainings, {}, placebos)[0], False
        return found, True
    if arm in COHORTS:
        return frozen.load(policy.cohort_policy(train_seed, COHORTS[arm])), True
    trained = [trainings[arm][place]] if arm in trainings else [names[place] for names in placebos]
    for name in trained:  # of the placebo: the next person whose twin was accepted
        if (folder / name / "policy").is_dir():
            return frozen.load(folder / name), True
    return frozen.load(policy.cohort_policy(train_seed)), False
