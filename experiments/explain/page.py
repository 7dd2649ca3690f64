"""The page of one day: what was decided, why, and what else could have been. One HTML file that asks for nothing."""

from pathlib import Path
from typing import Any

import numpy as np

from agents.frozen import NOTICE, FrozenPolicy
from envs.render import day_strip, one_day
from experiments.cards.policy_cards import CARD
from experiments.explain import moments
from experiments.explain.closely import about, anchor, closely
from experiments.explain.explained import Explained, Figure, figure
from experiments.explain.lived import TOGETHER_MIN
from experiments.explain.trust import trust
from experiments.explain.what_if import HORIZON_MIN
from experiments.page.fill import environment
from experiments.records.provenance import ROOT, versions
from experiments.records.simulator import simulator_hash
from experiments.results.words import AGENTS, count, listed
from twins.units import MINUTES_PER_DAY

_SECTIONS = {
    "day": "The day",
    "decisions": "Every decision",
    "moments": "Looked at closely",
    "reasons": "How far the reasons can be trusted",
    "provenance": "Where the numbers come from",
    "limits": "What this page does not show",
}
READING_MIN = 5
"""Readings of a sensor that measures more often are drawn at least so far apart."""
_CODES = ("command", "protocol hash", "simulator hash", "SHA-256 of the weights")


def render(one: Explained) -> str:
    """The page as HTML."""
    met = _met(one)
    return environment().get_template("day.html").render(
        title=one.title,
        disclaimer=NOTICE,
        outcome="unsafe"
        if met.startswith("This policy has met") or one.words.startswith("FAILED")
        else "unclear",
        claim=one.words,
        details=[text for text in (_who(one), met) if text],
        sections=list(_SECTIONS.items()),
        heads=_SECTIONS,
        day={"figures": [_strip(one)]},
        decisions=_decisions(one),
        moments={"text": about(one), "each": [closely(one, moment) for moment in one.chosen]},
        reasons=trust(one),
        provenance=_provenance(one),
        codes=_CODES,
        limits=_limits(one),
    )


def _who(one: Explained) -> str:
    said = AGENTS.get(one.word, "")
    if isinstance(one.agent, FrozenPolicy):
        manifest = one.agent.manifest
        said = (
            f"a policy trained by {manifest.algo}, which every {manifest.decision_min} min sets "
            f"{listed(list(manifest.action_names))} as multiples of the person's own therapy from "
            f"{len(manifest.observation_names)} numbers"
        )
    about = f"{one.label}: {said}. " if said else ""
    return (
        f"{about}Protocol {one.lived.protocol.name}, whose scored days are from day "
        f"{one.lived.first_scored_min // MINUTES_PER_DAY + 1} on."
    )


def _met(one: Explained) -> str:
    if not isinstance(one.agent, FrozenPolicy):
        return ""
    facts, person = one.agent.manifest.trained_on, one.lived.person
    people = facts.get("people") or ()
    if not people:
        return "Whom this policy was trained on is not recorded."
    if person in people:
        return (
            f"This policy has met {person}: it was trained on {count(len(people), 'person')} of the table, {person} "
            "among them. This is no test of it."
        )
    fold = f" (those of fold {facts['fold']} were left out)" if facts.get("fold") is not None else ""
    others = count(len(people), "other person")
    return f"This policy has not met {person}: it was trained on {others} of the table{fold}."


def _strip(one: Explained) -> Figure:
    day = one_day(one.lived.columns, one.lived.day - 1)
    level = day["glucose_mg_dl"]
    apart = -(-READING_MIN // one.lived.protocol.sample_min)
    shown = np.arange(len(level)) % apart == apart - 1
    day["cgm_mg_dl"] = np.where(shown, day["cgm_mg_dl"], np.nan)  # dots that touch say no more
    dots = "" if apart == 1 else f" (one reading of {apart} as a dot)"
    caption = (
        f"{one.lived.person}, day {one.lived.day}: glucose{dots}, meals as eaten, insulin as delivered (dashed: as "
        f"requested), and when the shield ({one.lived.shield}) changed a dose and why. {NOTICE}"
    )
    alt = (
        f"One day: glucose from {level.min():.0f} to {level.max():.0f} mg/dL, {np.nansum(day['carbs_g']):.0f} g of "
        f"carbohydrate, {np.nansum(day['bolus_u']):.1f} U of boluses; the shield changed "
        f"{100 * np.mean(day['reason'] != 'none'):.0f} % of the control intervals."
    )
    return figure("day", day_strip(day), caption, alt)


def _decisions(one: Explained) -> dict[str, Any]:
    lived = one.lived
    learned = lived.rows is not None
    each = f"Each of the {len(lived.decisions)} decisions of the policy"
    if not learned:
        each = f"It decides at every reading; {TOGETHER_MIN} min are told together"
    where = {moment.number: anchor(moment) for moment in one.chosen}
    return {
        "text": [
            f"{each}: the sensor's reading and what was on board then, what was asked for until the next, what the "
            "shield let through (the pump delivers it in its steps), what the person's own therapy would have given, "
            "and the true plasma glucose an hour later. A bolus that the shield holds back is asked for again at the "
            "next reading; it counts once. A time that is a link leads to a closer look."
        ],
        "table": {
            "caption": f"{one.title}. {NOTICE}",
            "heads": moments.HEADS,
            "rows": list(moments.rows(lived)),
            "links": [where.get(number, "") for number in range(len(lived.decisions))],
            "text_last": True,
        },
    }


def _provenance(one: Explained) -> list[tuple[str, str]]:
    lived, found = one.lived, versions()
    rows = [("command", one.command)]
    if isinstance(one.agent, FrozenPolicy):
        card = Path(one.word).resolve().parent / CARD
        if card.is_file():
            rows.append(
                ("policy card", str(card.relative_to(ROOT) if card.is_relative_to(ROOT) else card.name))
            )
        rows += [
            ("SHA-256 of the weights", one.agent.manifest.weights_sha256),
            ("training seed", str(one.agent.train_seed)),
        ]
    rows += [
        ("protocol", f"{lived.protocol.name}, version {lived.protocol.version}, seed {lived.protocol.seed}"),
        ("protocol hash", lived.protocol_hash),
        ("simulator hash", simulator_hash()),
        ("shield", lived.shield),
        (
            "versions",
            f"torch {str(found['torch']).partition('+')[0]}, numpy {found['numpy']}, numba {found['numba']}",
        ),
    ]
    return rows


def _limits(one: Explained) -> list[str]:
    text = [
        "A person: what a dose does here is what it does to a body of a simulator (UVA/Padova).",
        "How good an agent is: this is one day of one body. The tables of the studies are for that.",
        f"What comes after {HORIZON_MIN // 60} h, and other errors than those of the bands: a wrong model, a wrong "
        "state, other meals, exercise, illness.",
        "Advice: nobody's insulin can be reckoned from this.",
    ]
    if one.reasons is not None:
        text.insert(
            2,
            "What would be right, or what causes what in a body: attributions tell what a network's output hangs on, "
            "seen from an average moment; from another baseline the shares are others.",
        )
    return text
