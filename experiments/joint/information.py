"""What agents of the joint table may know and learned from, told by what is committed: agents.csv, cards, names.

Rules of tasks other than dosing have no card and no place in `agents.load`; what they know is said here, of each one.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from agents.hostile import HOSTILE
from agents.load import NAMES, POLICIES
from agents.load import tier as treatment_tier
from experiments.cards.policy_cards import CARD
from experiments.joint.row import Information
from experiments.records.tables import Table
from experiments.results.agents_table import UNKNOWN
from experiments.results.words import AGENTS, ORACLE, TIERS

_OTHER, _THIS, _STATE = "T2 (other bodies)", "T2 (this body)", "T3 (simulator state)"
_CELL = re.compile(r"^\| ([^|]+) \| ([^|]*) \|$", re.M)
_COPY = re.compile(r"-(?:fold\d+-)?seed\d+$| \(\d+ seeds?\)$")
"""What stands behind a policy's name in tables: which copy, or of how many seeds."""

RULES: dict[str, tuple[str, str]] = {
    "usual": ("T0", "nothing: what is done on other days"),
    "consensus": ("T0", "nothing: a published consensus as it stands"),
    "consensus-tuned": (_THIS, "sessions of each person's own body"),
    "higher-target": ("T0", "nothing: a closed loop with a higher target"),
    "zero": ("T0", "nothing: an extreme"),
    "most": ("T0", "nothing: an extreme"),
    "random": ("T0", "nothing: chance"),
    "rest": ("T0", "nothing: an extreme"),
    "even": ("T0", "nothing: a plan that people follow"),
    "polarised": ("T0", "nothing: a plan that people follow"),
    "ramp-taper": ("T0", "nothing: a plan that people follow"),
    "population-optimal": (_OTHER, "a search on a population of bodies of Banister's model"),
    "population-optimal-hours": (_OTHER, "the same search, and this person's skipped sessions of two weeks"),
    "published": ("T0", "nothing: published schedules"),
    "average-optimal": (_OTHER, "a search on the average person under Forger's clock"),
    "oracle (knows the person)": (_STATE, "a search on the true body and habits of each person"),
    "dosing-only": (_OTHER, "a search on drawn adults, for insulin alone"),
    "fixed-advice": (_OTHER, "the same search; advice by guidelines"),
    "independent": (_OTHER, "searches on drawn adults, for insulin and for advice apart"),
    "joint": (_OTHER, "searches on drawn adults, for insulin and advice in turn"),
}
"""Tier and source of the rules of exercise, training, sleep and whole persons, by the name they have in tables."""
ARM_TIERS: dict[str, str] = {
    "as-lived": "T0", "basal-bolus": "T1", "basal-bolus-twin": "T1", "pid-cohort": _OTHER, "pid-twin": "T1",
    "cohort": _OTHER, "cohort-history": _OTHER, "cohort-twin-settings": "T1 and T2 (other bodies)",
    "twin-posterior": "T1 and T2 (other bodies)", "twin-map": "T1 and T2 (other bodies)",
    "somebody-elses-twin": _OTHER, "true-body": _THIS,
}  # fmt: skip
"""What the arms of hidden people know beside the sensor; all have settings from the diary."""


def of_study(agents: Table, agent: str) -> Information:
    """By agents.csv of a study. Raises ValueError for an agent that it does not list."""
    names = agents["agent"].tolist()
    if agent not in names:
        raise ValueError(f"agents.csv does not list {agent!r}; it lists {', '.join(names)}")
    k = names.index(agent)
    learned, days = bool(agents["learned"][k]), float(agents["person_days"][k])
    on = str(agents["trained_on"][k])
    tier = str(agents["tier"][k])
    told = on if on not in ("nothing", "") else TIERS.get(tier, UNKNOWN)
    if learned and days == days:
        told += f"; {days:,.0f} simulated person-days a training"
    return Information(tier, told, learned)


def of_treatment(name: str) -> Information | None:
    """By the name of a treatment of the project; None for other names."""
    plain = name.removesuffix(ORACLE)
    if plain not in NAMES:
        return None
    known = treatment_tier(plain)
    told = "nothing: it is hostile" if plain in HOSTILE else AGENTS.get(plain, TIERS[known])
    return Information(known, told, False)


def card_of(name: str, policies: Path = POLICIES) -> Path | None:
    """The card of the policy that this name is a copy of; None where there is none."""
    path = policies / _COPY.sub("", name) / CARD
    return path if path.is_file() else None


@cache
def of_policy(name: str, policies: Path = POLICIES) -> Information | None:
    """By the card of the policy that this name is a copy of; None where there is no such card.

    Raises ValueError for a card that does not say what it learned from.
    """
    path = card_of(name, policies)
    if path is None:
        return None
    said = {key: text for key, text in _CELL.findall(path.read_text("utf-8"))}
    if "knows beforehand" in said:
        told = said["knows beforehand"]
        tier = _OTHER if told.endswith("other bodies") else _THIS
        days = told.removeprefix("T2, simulator access: ").partition(" a copy")[0]
        by = f"{said['learned by']}; " if "learned by" in said else ""
        return Information(tier, f"{by}{said['people']}; {days}", True)
    if "trained on" in said:
        days = said["simulated person-days"]
        return Information(_OTHER, f"{said['trained on']}; simulated person-days of its copies: {days}", True)
    raise ValueError(
        f"{path} says neither what its policy knows beforehand nor what it was trained on; run scripts.cards"
    )


def of_rule(name: str) -> Information:
    """By `RULES`. Raises ValueError for a name that is not there: say what it knows before it stands in the table."""
    if name not in RULES:
        raise ValueError(
            f"what {name!r} learned from is not known; add it to experiments.joint.information.RULES"
        )
    tier, told = RULES[name]
    return Information(tier, told, False)


def of(name: str) -> Information:
    """By whatever knows this name: treatments, then cards, then rules. Raises ValueError where nothing does."""
    return of_treatment(name) or of_policy(name) or of_rule(name)


def unknown() -> Information:
    """Of an agent whose maker has not said."""
    return Information(UNKNOWN, UNKNOWN, False)


def tiers(rows: Sequence[Information]) -> dict[str, str]:
    """Words of the tiers that occur, in their order."""
    seen = {one.tier for one in rows}
    return {name: words for name, words in TIERS.items() if any(name in one for one in seen)}
