"""Words of a page: what agents are, what they may know, and numbers with their nouns."""

from agents.hostile import HOSTILE
from agents.load import TIERS as TREATMENT_TIERS

ORACLE = " (oracle)"
"""What the names of agents end in that are shown the simulator's state: references, never baselines."""

AGENTS = {
    "basal-bolus": "the person's basal rate, and meal boluses by carb ratio and correction factor",
    "basal-bolus-rule": "basal-bolus with carb ratio 500 / daily insulin and correction factor 1800 / daily insulin",
    "basal-bolus-tuned": "basal-bolus with two factors of each person, found on that person's own training days",
    "basal-bolus-cohort": "basal-bolus with two factors for everybody, found on other people",
    "low-glucose-suspend": "basal-bolus whose basal stops while glucose is predicted below 80 mg/dL",
    "low-glucose-suspend-tuned": "low-glucose-suspend with factors, horizon and threshold of each person",
    "low-glucose-suspend-cohort": "low-glucose-suspend with factors, horizon and threshold found on other people",
    "pid": "closed loop: PID with insulin feedback, meal feed-forward and predictive suspend, untuned",
    "oref0": "the open artificial pancreas's loop: temporary basal rates, carbs on board, autosens",
    "oref1": "oref0 with microboluses at any time",
    "pid-tuned": "the closed loop with 14 gains of each person, found on that person's own training days",
    "pid-cohort": "the closed loop with 14 gains for everybody, found on other people",
    "constant-basal": "the basal rate and no meal bolus",
    "planner": "looks every quarter of an hour for the doses its person's twin does best on",
    "clairvoyant": "the planner that is told the true body and all meals to come",
    "hostile-max": "asks for the most there is, always: what it gets is the shield's own choice",
    "ppo": "the learned policy; it scales the person's basal rate and meal boluses",
}
"""What the agents of the project do, in words; studies say it of their learners."""

TIERS = {str(name): words for name, words in TREATMENT_TIERS.items()}
"""Information tiers: what an agent got beside what the sensor and the announcements show to all."""

POPULATIONS = {
    "drawn": "people drawn by the sampler of bodies",
    "table": "people of the published table",
    "all": "people of the published table and people drawn by the sampler",
}

METRICS = {
    "tir_pct": "time in 70-180 mg/dL",
    "below_70_pct": "time below 70 mg/dL",
    "below_54_pct": "time below 54 mg/dL",
    "above_250_pct": "time above 250 mg/dL",
    "gri": "glycemia risk index",
    "alarms_per_day": "alarms a day",
    "recommendations_per_day": "recommendations a day",
    "tir_difference": "time in range against the baseline",
    "below_54_difference": "time below 54 mg/dL against the baseline",
}

KNOBS = {
    "sensitivity": ("Insulin sensitivity", "times that of training"),
    "carb_count": ("Carb counts", "times the true amount"),
    "cgm_bias": ("Bias of the sensor", "mg/dL"),
}
"""What a sweep turns: words and unit."""


def count(number: int, word: str) -> str:
    """``1 person``, ``2 persons``, ``3 children``."""
    if number == 1:
        return f"1 {word}"
    return f"{number:,} children" if word == "child" else f"{number:,} {word}s"


def listed(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def shield_words(shield: str) -> str:
    """How a shield setting is called in headings."""
    return "Shield on (rule)" if shield == "rule" else f"Shield {shield}"


def is_reference(agent: str) -> bool:
    """Whether nobody can be compared with this agent: it is clairvoyant, or hostile."""
    return ORACLE in agent or agent in HOSTILE
