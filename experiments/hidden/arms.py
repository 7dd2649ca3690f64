"""From a hidden person's diary to policies and back to the person: the work of one cell of the ladder each.

All arms of a person get the same settings, by the clinical rules from the diary, but for the one that goes on as lived.
Who is refused by their card keeps the policy of the cohort in every arm that would have used the twin, and is counted.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import frozen
from agents.base import Agent
from agents.load import FAMILIES, load
from agents.tunable import Tuned
from experiments.config import PERSONAL, TrainConfig
from experiments.hidden.fortnight import DIARY_DAYS, diaries, new_days
from experiments.hidden.people import People, people
from experiments.personal import twin_file
from experiments.personal.fit import fit_person
from experiments.protocol import load_protocol
from experiments.records.config_files import build
from experiments.records.gains import load_gains, save_tuning
from experiments.records.json_files import load_object
from experiments.records.provenance import ROOT
from experiments.records.tables import Table, concat, read_table, write_table
from experiments.tune import scored, tune
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U
from twins.files import atomic_write_text
from twins.inference.posterior_cohort import posterior_cohort, resampled

FIT_DAYS, TEST_DAYS = 10, DIARY_DAYS - 10
SHIELDS = ("rule", "off")
DRAWS = 64
TUNE_DRAWS, TUNE_PERSON_DAYS = 8, 4000.0
"""Draws of the twin that gains are found on, and the budget of that."""
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
LEARNER = {
    "algo": "ppo", "history": True, "decision_min": 30, "lanes": 320, "episode_days": 5, "n_timesteps": 307_200,
    "eval_days": 5, "eval_replicas": 2, "eval_freq": 76_800, "save_freq": 307_200, "max_wall_s": None,
    "protocol": PERSONAL,
    "hyperparams": {"learning_rate": 3.0e-4, "learning_rate_schedule": "linear", "n_steps": 16, "n_epochs": 8,
                    "batch_size": 640},
}  # fmt: skip
"""Settings of all trainings of one person: below 45 s on one core."""
COHORTS = {"cohort": "ppo-domain", "cohort-history": "ppo-history", "cohort-twin-settings": "ppo-history"}
POLICY_FOLDERS = ROOT / "agents" / "policies"
GAINS = ROOT / "results" / "realistic" / "tuned" / "pid-cohort-fold0.json"
FOLD = 0
NONE = "{}\n"
"""Of a file of gains that were not looked for, since the twin was refused."""
FORESEEN = ("tir_pct", "below_70_pct")
"""What a twin foresaw of the policy that was trained on it stands beside what came true."""


def parent(arm: str, seed: int) -> Path:
    """The shipped policy of the cohort."""
    return POLICY_FOLDERS / COHORTS[arm] / f"fold{FOLD}-seed{seed}"


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
    """Gains of a family for the person of a twin, found on draws of its posterior; none for a refused one."""
    held = twin_file.load(folder / twin / "twin.json")
    if not held.accepted:
        atomic_write_text(out, NONE)
        return
    draws = resampled(posterior_cohort(held.belief, held, held.therapy), TUNE_DRAWS)
    protocol = load_protocol(PERSONAL)
    save_tuning(tune(family, protocol, "rule", draws, shared=True, person_days=TUNE_PERSON_DAYS), out)


def train_cell(
    folder: Path, out: Path, arm: str, person: Mapping[str, Any], twin: str, train_seed: int
) -> None:
    """Train the cohort's policy further for one person; nothing for a refused twin."""
    from experiments.runs import Run
    from experiments.train import train
    from experiments.trainees import Trainees

    settings: dict[str, Any] = LEARNER | {
        "seed": train_seed, "init_from": str(parent("cohort-history", train_seed)),
    }  # fmt: skip
    whom = None
    if arm == "true-body":
        therapy = twin_file.load(folder / twin / "twin.json").therapy
        body = one(**person).afterwards(0, therapy[None])
        whom = Trainees(body, body, body.ids)
    elif twin_file.load(folder / twin / "twin.json").accepted:
        settings |= {"twin": str(folder / twin), "twin_draws": DRAWS if arm == "twin-posterior" else 1}
    else:
        out.mkdir(parents=True)
        return
    config = build(TrainConfig, settings, str(out))
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
                    settings = _found(folder / tunings["basal-bolus-twin"], therapy)
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


def _found(gains: Path, therapy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Settings (1, 7) with the gains that were found on a twin; as they are for a refused one."""
    out = therapy.copy()
    if gains.read_text("utf-8") != NONE:
        values = load_gains(gains, "basal-bolus-cohort")
        assert not isinstance(values, Mapping)
        basal, bolus = values
        out[:, BASAL_U_PER_H] *= basal
        out[:, CARB_RATIO_G_PER_U] /= bolus
    return out


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
        if (folder / tunings[arm]).read_text("utf-8") != NONE:
            return Tuned(FAMILIES[family], load_gains(folder / tunings[arm], f"{family}-cohort")), True
        return load("basal-bolus") if family == "basal-bolus" else _agent(
            folder, "pid-cohort", -1, 0, {}, {}, []
        )[0], False
    if arm in COHORTS:
        return frozen.load(parent(arm, train_seed)), True
    trained = [trainings[arm][place]] if arm in trainings else [names[place] for names in placebos]
    for name in trained:  # of the placebo: the next person whose twin was accepted
        if (folder / name / "policy").is_dir():
            return frozen.load(folder / name), True
    return frozen.load(parent("cohort-history", train_seed)), False
