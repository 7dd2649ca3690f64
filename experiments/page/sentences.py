"""What a report says in words: the claim, what was simulated, who failed, and the limits.

Sentences are chosen by the numbers; a learned agent that loses is said to lose.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.compare import GROUPS, LOW_MARGIN_POINTS, Evaluation, Row, persons
from experiments.config import TrainConfig
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.config_files import ConfigError
from experiments.records.tables import Table, select
from twins import cohort

AGENTS = {
    "basal-bolus": "the person's basal rate, and meal boluses by carb ratio and correction factor",
    "basal-bolus-rule": "the same with carb ratio 500 / daily insulin and correction factor 1800 / daily insulin",
    "basal-bolus-tuned": "the same with two factors per person, on basal and bolus, found on training days",
    "low-glucose-suspend": "basal-bolus whose basal stops while glucose is predicted below 80 mg/dL",
    "low-glucose-suspend-tuned": "the same with the factors of the tuned treatment",
    "constant-basal": "the basal rate and no meal bolus",
    "ppo": "the learned policy; it scales the person's basal rate and meal boluses",
}
"""What the agents of the project do, in words."""


def count(number: int, word: str) -> str:
    """``1 person``, ``2 persons``."""
    return f"{number} {word}" + ("" if number == 1 else "s")


def claim(found: Row | None, rows: Sequence[Row]) -> list[str]:
    """The sentence that a report begins with, and what has to be said beside it.

    found: of `experiments.compare.verdict`; rows: of one protocol, of `results_table`.
    """
    if found is None:
        best = next((row for row in rows if row["best_baseline"]), rows[0])
        return [
            f"No learned agent was judged under the rule shield. {best['agent']} has the highest time in "
            f"range of the baselines, {best['tir_pct']:.1f} % (shield {best['shield']})."
        ]
    ours, base, paired = found["learned"], found["baseline"], found["difference"]
    name = f"{ours['agent']} ({count(len(ours['train_seeds']), 'training seed')})"
    if base is None:
        return [f"{name} was judged without a baseline under the same shield: nothing can be claimed of it."]
    points = f"{abs(paired['mean']):.1f} percentage points"
    span = f"95 % interval {paired['low']:+.1f} to {paired['high']:+.1f}"
    if not np.isfinite(paired["low"]):
        span = "one person, so no interval"
    rival = f"{base['agent']}, the best baseline under the same shield"
    kept = f"keeps glucose in 70-180 mg/dL for {ours['tir_pct']:.1f} % of the time"
    sentence = {
        "better": f"{name} beats {rival}: it {kept}, {points} more ({span}).",
        "mixed": f"{name} has more time in range than {rival} ({paired['mean']:+.1f} percentage points, {span}), "
        f"but its time below 70 mg/dL is not shown to be as low ({found['lows']['mean']:+.1f} points, 95 % interval "
        f"{found['lows']['low']:+.1f} to {found['lows']['high']:+.1f}; allowed are {LOW_MARGIN_POINTS:g}): no "
        "improvement is claimed.",
        "worse": f"{name} loses to {rival}: it {kept}, {points} less ({span}).",
        "unclear": f"{name} cannot be told apart from {rival}: it {kept}, a difference of "
        f"{paired['mean']:+.1f} percentage points ({span}).",
        "unsafe": f"{name} failed in {ours['failures']} of {ours['episodes']} simulated episodes and {rival}, "
        f"in {base['failures']} of {base['episodes']}: whatever its time in range, this is no improvement.",
    }[found["outcome"]]
    beside = (
        f"Both were judged on the same days of the same {count(paired['persons'], 'person')}; the learned "
        f"agent has more time in range in {paired['better']} of them. Failed episodes: {ours['failures']} of "
        f"{ours['episodes']} against {base['failures']} of {base['episodes']}. Time below 70 mg/dL: "
        f"{ours['below_70_pct']:.1f} % against {base['below_70_pct']:.1f} %, below 54 mg/dL: "
        f"{ours['below_54_pct']:.2f} % against {base['below_54_pct']:.2f} %."
    )
    seeds = ours["seed_tir_pct"]
    if len(seeds) > 1:
        beside += f" Over training seeds time in range goes from {min(seeds):.1f} to {max(seeds):.1f} %."
    return [sentence, beside]


def _protocol(name: str) -> ProtocolConfig | None:
    """The settings of a protocol that comes with the project, None for another."""
    try:
        return load_protocol(name)
    except ConfigError:
        return None


def facts(one: Evaluation, episodes: Table) -> list[tuple[str, str]]:
    """What was simulated, as terms and sentences. one: an evaluation; episodes: all of its protocol."""
    name, people = str(episodes["protocol"][0]), persons(episodes)
    protocol = _protocol(name)
    about = f" {protocol.description}" if protocol else ""
    changed = " Its settings were changed for this evaluation; what follows is what was run."
    group = dict(zip(episodes["person"].tolist(), episodes["group"].tolist(), strict=True))
    numbers = [(sum(group[person] == word for person in people), word) for word in GROUPS]
    groups = ", ".join(_plural(number, word) for number, word in numbers if number)
    replicas, days = len(np.unique(episodes["replica"])), float(episodes["days"].max())
    seeds = ", ".join(f"{seed:.0f}" for seed in np.unique(episodes["seed"]))
    agents = sorted(set(episodes["agent"].tolist()))
    unseen = " Days of test, validation and training are drawn apart: no agent has seen these."
    split = one.summary.get("protocol_settings", {}).get("split", "test")
    drawn = split == "test" and not one.summary.get("diary")
    meals = [("Meals", f"{one.summary['scenario']}.")] if one.summary.get("scenario") else []
    return [
        ("Protocol", f"{name}.{about}{changed if one.summary.get('modified') else ''}"),
        *meals,
        ("Agents", "; ".join(f"{agent}: {AGENTS[agent]}" for agent in agents if agent in AGENTS) + "."),
        ("Persons", f"{count(len(people), 'virtual person')} ({groups}) with published parameters."),
        (
            "Days",
            f"{count(replicas, 'episode')} of {days:g} {'day' if days == 1 else 'days'} for every person and "
            f"agent, all agents on the same days (seed {seeds}).{unseen if drawn else ''}",
        ),
        (
            "Glucose",
            "True plasma glucose is scored; agents and shield see only what the sensor shows.",
        ),
        (
            "Shield",
            "Rule: every dose is capped, and insulin stops when glucose is low or soon will be. Off: none of "
            "it.",
        ),
        (
            "Words",
            "CV: coefficient of variation of glucose; LBGI: low blood glucose index (Kovatchev); shield acted: "
            "share of time in which the shield changed the dose. Mean, CV and insulin are of the time alive.",
        ),
    ]


def _plural(number: int, word: str) -> str:
    return count(number, word) if word != "child" or number == 1 else f"{number} children"


def training(configs: Sequence[TrainConfig], steps: float, judged: Sequence[str]) -> str:
    """On whom and what the learned agents were trained, and whether these are the persons judged."""
    if not configs:
        return "No training run was given to this report."
    seen = {person for config in configs for person in cohort.select(config.people)}
    same = sum(person in seen for person in judged)
    first, seeds = configs[0], ", ".join(str(config.seed) for config in configs)
    whom = f"{same} of the {len(judged)} persons judged here were trained on, all on other days"
    if same == len(judged):
        whom = "Same bodies, new days: everybody judged here was also trained on, on other days"
    elif not same:
        whom = "New bodies, new days: nobody judged here was trained on"
    return (
        f"{count(len(configs), 'run')} of {first.algo} (seed {seeds}), up to {steps / 1e6:.3g} million "
        f"environment steps each, on {count(len(seen), 'virtual person')} and training days of the protocol "
        f"{first.protocol}, shield {first.shield}. {whom}."
    )


def failures(rows: Sequence[Row], episodes: Table) -> tuple[list[str], list[list[str]]]:
    """Paragraphs on failures, and a line for every person, agent and shield setting with one.

    rows: of one protocol; episodes: all of it. A line has person, agent, shield, failed episodes, side, hour.
    """
    protocol = _protocol(str(episodes["protocol"][0]))
    bounds = "leaves the range that the simulator is made for"
    if protocol:
        low, high = protocol.glucose_failure_low_mg_dl, protocol.glucose_failure_high_mg_dl
        bounds = f"goes below {low:g} or above {high:g} mg/dL"
    ruled = [row for row in rows if row["shield"] == "rule"]
    clean = [row["episodes"] for row in ruled if not row["failures"]]
    failing = len(ruled) - len(clean)
    who = {0: "no agent", len(ruled): "every agent"}.get(
        failing, f"{failing} of {count(len(ruled), 'agent')}"
    )
    text = [
        f"An episode fails when glucose {bounds}: a simulated death. The rest of its planned time counts as "
        f"out of range on that side. Under the rule shield {who} had failures."
    ]
    if clean:
        bound = 100 * (1 - 0.05 ** (1 / min(clean)))
        text.append(
            f"No failure in {count(min(clean), 'episode')} still allows a true rate of up to {bound:.1f} % "
            "(upper bound of 95 %, were the episodes independent)."
        )
    lines = []
    for row in rows:
        mine = select(episodes, agent=row["agent"], shield=row["shield"])
        for person, failed in row["failed_persons"].items():
            dead = select(mine, person=person, failed=1.0)
            sides = ", ".join(sorted(set(dead["failure_side"].tolist())))
            hour = f"{dead['failure_minute'].min() / 60:.1f}"
            of = f"{failed} of {(mine['person'] == person).sum()}"
            lines.append([person, row["agent"], row["shield"], of, sides, hour])
    return text, lines


def diary(summary: dict[str, Any], episodes: Table) -> list[str]:
    """Whose recorded meals were replayed on which virtual body, and what is therefore not known."""
    source: dict[str, Any] = summary.get("diary") or {}
    days = float(episodes["days"].max()) * len(np.unique(episodes["replica"]))
    held = source.get("complete_days", days)
    again = f" ({days:g} replayed, some of them more than once)" if days > held else ""
    days = min(days, held)
    bodies = " and ".join(persons(episodes))
    if source.get("simulated"):
        whose = "a virtual person (the simulated diary that comes with the project; no real person)"
    elif source:
        whose = f"a person of the data set {source['data_set']} (id {source['person']})"
    else:
        whose = "a person"
    unknown = "" if source else f" The evaluation of {summary['protocol']} does not say whose they are."
    return [
        f"The meals are those that {whose} recorded on {days:g} days{again}: their times and amounts of carbohydrate, "
        f"replayed on the virtual body {bodies}.{unknown}",
        "Glucose, readings and insulin are simulated. They are not this person's, and nothing here says what "
        "this person's glucose would have been.",
    ]


def limits(episodes: Table, found: Row | None) -> list[str]:
    """What the numbers do not show."""
    text = [
        "Virtual people are sets of parameters of a simulator. Nothing here has been tried on a human being, "
        "and nothing shows how these agents would do outside the simulator.",
        f"Intervals are bootstrap intervals over the {count(len(persons(episodes)), 'person')}: they say how "
        "much a mean hangs on who was simulated, nothing about other persons.",
        "The parameters carry neither sex nor ethnicity, so differences between such groups cannot be "
        "assessed.",
        "The best baseline and the best learned agent were picked by the time in range shown here; a "
        "comparison of the picked ones is somewhat too kind to both.",
    ]
    seeds = len(found["learned"]["train_seeds"]) if found else 0
    if found and seeds < 10:
        text.append(
            f"The learned agent was trained with {count(seeds, 'seed')}; a claim about the algorithm needs "
            "ten or more."
        )
    return text
