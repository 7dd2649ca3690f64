"""What a page says in words: the claim, what was simulated, who failed, and the limits.

Sentences are chosen by the numbers; a learned agent that loses is said to lose.
"""

from typing import Any

import numpy as np

from experiments.page.findings import Findings
from experiments.page.standings import Contrast
from experiments.records.tables import Table, select
from experiments.results.agents_table import UNKNOWN
from experiments.results.evaluations import GROUPS, Row, persons
from experiments.results.words import POPULATIONS, count, listed
from experiments.statistics import inference
from experiments.win_rule import LOW_POINTS, WIN_POINTS


def outcome(view: Findings) -> str:
    """The word that the claim is coloured by."""
    return view.contrast.verdict.outcome if view.contrast else "unclear"


def claim(view: Findings) -> list[str]:
    """The sentence that a page begins with, and what has to be said beside it."""
    ours, base, found = view.row(view.primary["agent"]), view.row(view.primary["baseline"]), view.contrast
    if ours is None:
        best = next((row for row in view.ruled if row["best_baseline"]), view.ruled[0])
        return [
            f"No learned agent was judged under shield {best['shield']}. {best['agent']} has the highest time in "
            f"range of the baselines, {best['tir_pct']:.1f} %."
        ]
    name = (
        f"{ours['agent']} ({count(len(ours['train_seeds']), 'training seed')})"
        if ours["learned"]
        else ours["agent"]
    )
    if base is None or found is None:
        return [f"{name} was judged without a baseline under the same shield: nothing can be claimed of it."]
    return [_sentence(view, found, name, ours, base), *_beside(view, found, ours, base)]


def _sentence(view: Findings, found: Contrast, name: str, ours: Row, base: Row) -> str:
    tir, lows = found.verdict.tir, found.verdict.below_70
    span = f"95 % interval {tir.low:+.1f} to {tir.high:+.1f}"
    if not np.isfinite(tir.low):
        lone = found.persons > 1
        span = "one training, so no interval" if lone else "one person, so no interval"
    points = f"{abs(tir.estimate):.1f} percentage points"
    which = (
        "the primary comparator"
        if view.primary.get("prespecified")
        else "the best baseline under the same shield"
    )
    rival = f"{base['agent']}, {which}"
    kept = f"keeps glucose in 70-180 mg/dL for {ours['tir_pct']:.1f} % of the time"
    return {
        "win": f"{name} beats {rival}: it {kept}, {points} more ({span}), with no more failures and with time below "
        "70 mg/dL shown to be non-inferior.",
        "better": f"{name} is a little above {rival}: it {kept}, {points} more ({span}). A difference of "
        f"{WIN_POINTS:g} point or less is not counted as a win.",
        "mixed": f"{name} has more time in range than {rival} ({tir.estimate:+.1f} percentage points, {span}), but "
        f"its time below 70 mg/dL is not shown to be as low ({lows.estimate:+.1f} points, 95 % interval "
        f"{lows.low:+.1f} to {lows.high:+.1f}; allowed are {LOW_POINTS:g}): no improvement is claimed.",
        "worse": f"{name} loses to {rival}: it {kept}, {points} less ({span}).",
        "unclear": f"{name} cannot be told apart from {rival}: it {kept}, a difference of {tir.estimate:+.1f} "
        f"percentage points ({span}).",
        "unsafe": f"{name} failed in {ours['failures']} of {ours['episodes']} simulated episodes and {rival}, in "
        f"{base['failures']} of {base['episodes']}: whatever its time in range, this is no improvement.",
    }[found.verdict.outcome]


def _beside(view: Findings, found: Contrast, ours: Row, base: Row) -> list[str]:
    told = (
        f"Both were judged on the same days of the same {count(found.persons, 'person')}; the agent has more time in "
        f"range in {found.better} of them. Failed episodes: {ours['failures']} of {ours['episodes']} against "
        f"{base['failures']} of {base['episodes']}. Time below 70 mg/dL: {ours['below_70_pct']:.1f} % against "
        f"{base['below_70_pct']:.1f} %, below 54 mg/dL: {ours['below_54_pct']:.2f} % against "
        f"{base['below_54_pct']:.2f} %."
    )
    seeds = ours["seed_tir_pct"]
    if len(seeds) > 1:
        told += f" Over training seeds time in range goes from {min(seeds):.1f} to {max(seeds):.1f} %."
    return [told, whom(view, found.persons)]


def whom(view: Findings, number: int) -> str:
    """What the intervals are over, and whom they speak of."""
    population = view.population(view.primary["protocol"])
    intervals = (
        "Intervals are over training seeds and persons (crossed bootstrap, persons drawn within age groups, corrected "
        "for few seeds). "
    )
    return intervals + inference("drawn" if population == "drawn" else "fixed", number)


def chosen(view: Findings) -> str:
    """How the primary comparison was chosen."""
    if view.contrast is None:
        return "There is no primary comparison."
    if view.primary.get("prespecified"):
        return (
            "The primary comparison (agent, baseline, protocol, shield, population) was named before the numbers were "
            "seen. All other comparisons are secondary and adjusted by Holm's method."
        )
    return (
        "The agent and the baseline were picked by the time in range shown here; a comparison of the picked ones is "
        "somewhat too kind to the agent. All other comparisons are secondary and adjusted by Holm's method."
    )


def flow(view: Findings) -> str:
    """How many evaluations were attempted, and what became of them."""
    numbers = view.study.about["flow"]
    text = (
        f"{count(numbers['attempted'], 'evaluation')} {'was' if numbers['attempted'] == 1 else 'were'} attempted (an "
        f"agent, a training, a shield setting and a protocol each): {numbers['refused']} refused, {numbers['failed']} "
        f"failed, {numbers['analysed']} analysed."
    )
    if numbers["analysed"] == numbers["attempted"]:
        return text + " None is left out."
    return text + " Those refused or failed are listed below and are in no table."


def facts(view: Findings) -> list[tuple[str, str]]:
    """What was simulated, as terms and sentences."""
    name = str(view.primary["protocol"])
    said, episodes = view.study.about["protocols"][name], view.judged
    settings = said.get("settings") or {}
    changed = (
        " Its settings were changed for this study; what follows is what was run." if said["modified"] else ""
    )
    people = persons(episodes)
    group = dict(zip(episodes["person"].tolist(), episodes["group"].tolist(), strict=True))
    numbers = [(sum(group[person] == word for person in people), word) for word in GROUPS]
    groups = ", ".join(count(number, word) for number, word in numbers if number)
    replicas, days = len(np.unique(episodes["replica"])), float(episodes["days"].max())
    seeds = listed([f"{seed:.0f}" for seed in np.unique(episodes["seed"])])
    found = [("Protocol", f"{name}. {said['description']}{changed}".strip())]
    if said["scenario"]:
        found.append(("Meals", f"{said['scenario'][:1].upper()}{said['scenario'][1:]}."))
    population = view.population(name)
    kind = POPULATIONS[population] if (view.study.episodes["drawn"] > 0).any() else "published parameters"
    found.append(("Persons", f"{count(len(people), 'virtual person')} ({groups}); {kind}."))
    unseen = ""
    if settings.get("split", "test") == "test" and not said.get("diary"):
        unseen = " Days of test, validation and training are drawn apart: no agent has seen these."
    warm = f" after {settings['warmup_days']:g} of warm-up" if settings.get("warmup_days") else ""
    found.append(
        (
            "Days",
            f"{count(replicas, 'episode')} of {days:g} {'day' if days == 1 else 'days'}{warm} for every person and "
            f"training, all agents on the same days (seed {seeds}).{unseen}",
        )
    )
    found += [
        ("Glucose", "True plasma glucose is scored; agents and shield see only what the sensor shows."),
        (
            "Shield",
            "Rule: every dose is capped, and insulin stops when glucose is low or soon will be. Off: none of it. The "
            f"claim is about shield {view.primary['shield']}.",
        ),
        (
            "Winning",
            "A win needs, in this order: no more failures per episode; the 95 % interval of the difference of time "
            f"in range above 0; time below 70 mg/dL non-inferior (less than {LOW_POINTS:g} points more, by its "
            f"interval); and a difference above {WIN_POINTS:g} point.",
        ),
        (
            "Words",
            "CV: coefficient of variation of glucose; LBGI: low blood glucose index (Kovatchev); shield acted: share "
            "of time in which the shield changed the dose. Mean, CV and insulin are of the time alive.",
        ),
    ]
    return found


def training(view: Findings) -> list[str]:
    """Whether those judged were trained on, agent by agent."""
    agents, text = view.study.agents, []
    kinds: dict[str, list[str]] = {}
    for agent, tier, learned in zip(
        *(agents[name].tolist() for name in ("agent", "tier", "learned")), strict=True
    ):
        if learned:
            kinds.setdefault(tier, []).append(agent)
    for tier, names in kinds.items():
        verb = "was" if len(names) == 1 else "were"
        if tier == UNKNOWN:
            text.append(
                f"What {listed(names)} learned from is not recorded: whether those judged were among it, the maker "
                "has to tell."
            )
        elif "this body" in tier:
            text.append(
                f"Same bodies, new days: {listed(names)} {verb} trained on bodies judged here, on other days."
            )
        else:
            text.append(f"New bodies, new days: {listed(names)} {verb} trained on nobody judged here.")
    return text


def failures(view: Findings) -> tuple[list[str], list[list[str]]]:
    """Paragraphs on failures, and a line for every person, agent and shield setting with one.

    A line has person, agent, protocol and shield, failed episodes, side, hour.
    """
    protocols = view.study.about["protocols"]
    settings = protocols[view.primary["protocol"]].get("settings") or {}
    bounds = "leaves the range that the simulator is made for"
    if "glucose_failure_low_mg_dl" in settings:
        low, high = settings["glucose_failure_low_mg_dl"], settings["glucose_failure_high_mg_dl"]
        bounds = f"goes below {low:g} or above {high:g} mg/dL"
    failing = [row["agent"] for row in view.ruled if row["failures"]]
    who = "no agent" if not failing else "every agent" if len(failing) == len(view.ruled) else listed(failing)
    text = [
        f"An episode fails when glucose {bounds}: a simulated death. The rest of its planned time counts as out of "
        f"range on that side. In protocol {view.primary['protocol']} under shield {view.primary['shield']}, {who} had "
        "failures.",
        "No failure seen is not no failure possible. The bounds below are exact (Clopper-Pearson, one-sided, 95 %) "
        "and count persons, not episodes: the episodes of one person share a body and a policy.",
    ]
    lines = []
    for row in view.rows:
        mine = select(view.episodes, agent=row["agent"], shield=row["shield"], protocol=row["protocol"])
        for person, failed in row["failed_persons"].items():
            dead = select(mine, person=person, failed=1.0)
            sides = ", ".join(sorted(set(dead["failure_side"].tolist())))
            of = f"{failed} of {(mine['person'] == person).sum()}"
            hour = f"{dead['failure_minute'].min() / 60:.1f}"
            where = f"{row['protocol']}, {row['shield']}" if len(protocols) > 1 else row["shield"]
            lines.append([person, row["agent"], where, of, sides, hour])
    return text, lines


def diary(said: dict[str, Any], protocol: str, episodes: Table) -> list[str]:
    """Whose recorded meals were replayed on which virtual body, and what is therefore not known."""
    source: dict[str, Any] = said.get("diary") or {}
    days = float(episodes["days"].max()) * len(np.unique(episodes["replica"]))
    held = source.get("complete_days", days)
    again = f" ({days:g} replayed, some of them more than once)" if days > held else ""
    days = min(days, held)
    if source.get("simulated"):
        whose = "a virtual person (the simulated diary that comes with the project; no real person)"
    else:
        whose = f"a person of the data set {source['data_set']} (id {source['person']})"
    return [
        f"The meals are those that {whose} recorded on {days:g} days{again}: their times and amounts of carbohydrate, "
        f"replayed on the virtual body {listed(persons(episodes))} (protocol {protocol}).",
        "Glucose, readings and insulin are simulated. They are not this person's, and nothing here says what this "
        "person's glucose would have been.",
    ]


def limits(view: Findings) -> list[str]:
    """What the numbers do not show."""
    text = [
        "Virtual people are sets of parameters of a simulator. Nothing here has been tried on a human being, and "
        "nothing shows how these agents would do outside the simulator.",
        "The simulator carries neither sex nor ethnicity nor income; differences between such groups cannot be "
        "assessed.",
    ]
    ours = view.row(view.primary["agent"])
    if ours is not None and ours["learned"] and len(ours["train_seeds"]) < 10:
        text.append(
            f"The learned agent was trained with {count(len(ours['train_seeds']), 'seed')}; a claim about the "
            "algorithm needs ten or more."
        )
    return text
