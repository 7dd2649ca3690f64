"""Numbers that the credibility page tells, each read from a committed file, so that none can go stale.

A fact is found by a pattern in a file, or counted from the joint table and the comparisons. Nothing is written by hand.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.joint.joint import Joint
from experiments.joint.row import JointRow
from experiments.published.run import PROTOCOLS
from experiments.records.provenance import ROOT
from experiments.records.simulator import simulator_hash
from experiments.site.verdicts import LOST, OPEN, WON, Comparison
from twins.files import read_file

MOST_BYTES = 4 << 20


@dataclass(frozen=True)
class Fact:
    """The words of a number, and the file that it was read or counted from: below results, or of the sources."""

    text: str
    source: str


@dataclass(frozen=True)
class Said:
    """Where a number stands: the group of a pattern in a file."""

    source: str
    pattern: str


_SESSION, _M3, _WORTH = "session/table.md", "hidden/m3.md", "published/worth.md"
_SPAN = r"([+-]?[\d.]+ \[[+-]?[\d.]+, [+-]?[\d.]+\])"
SAID: dict[str, Said] = {
    "kernel_bound": Said("tests/reference/test_glucose_reference.py", r"BOUND_MG_DL = ([\d.]+)"),
    "kernel_speed": Said("speed.md", r"million person-min/s \| ([\d.]+) \|"),
    "kernel_ratio": Said("speed.md", r"T1DPatient.step \| ([\d,]+) \|"),
    "control_intervals": Said("battery/table.md", r"over ([\d,]+) control intervals"),
    "rules_broken": Said("battery/table.md", r"agents and faults: broken (\w+)"),
    "exercise_in": Said("physiology/exercise.md", r"Held out: (\d+) of \d+ inside"),
    "exercise_held": Said("physiology/exercise.md", r"Held out: \d+ of (\d+) inside"),
    "sleep_in": Said("physiology/sleep.md", r"Held out: (\d+) of \d+ rows"),
    "sleep_held": Said("physiology/sleep.md", r"Held out: \d+ of (\d+) rows"),
    "sleep_guessed": Said("physiology/sleep.md", r"intervals of ([^.]+) are guesses"),
    "azt1d_people": Said("personal/azt1d.md", r"median of (\d+) whose record suffices"),
    "azt1d_over_mean": Said("personal/azt1d.md", r"4 h over the own mean by hour ([\d.]+)"),
    "azt1d_over_last": Said("personal/azt1d.md", r"4 h over the last reading ([\d.]+)"),
    "azt1d_bands": Said("personal/azt1d.md", r"90 % bands hold ([\d.]+) % on average"),
    "uom_people": Said("personal/t1d-uom.md", r"median of (\d+) whose record suffices"),
    "uom_over_mean": Said("personal/t1d-uom.md", r"4 h over the own mean by hour ([\d.]+)"),
    "slope_right": Said("personal/in_silico.md", r"slope of foreseen on true change.*? \| [^|]+ \| ([\d.]+) \| MISSED"),
    "slope_high": Said("personal/in_silico_planned.md", r"slope of foreseen on true.*? \| [^|]+ \| ([\d.]+) \| met"),
    "calibrated_fall": Said("personal/calibration.md", r"fall with factor \d+ \((\d+) %\)"),
    "calibrated_rise": Said("personal/calibration.md", r"rise with factor \d+ \((\d+) %\)"),
    "m3_people": Said(_M3, r"^(\d+) hidden people"),
    "m3_accepted": Said(_M3, r"(\d+) \(\d+ %; wanted: \d+\) were accepted"),
    "m3_placebo": Said(_M3, rf"twin-posterior \| somebody-elses-twin \| {_SPAN}"),
    "m3_placebo_verdict": Said(_M3, r"twin-posterior \| somebody-elses-twin \|.*\| (\w+) \|"),
    "m3_cohort": Said(_M3, rf"twin-posterior \| cohort-history \| {_SPAN}"),
    "m3_foreseen": Said(_M3, r"^\| twin-posterior \| ([+-][\d.]+) \| [\d.]+ \|"),
    "m3_rms": Said(_M3, r"^\| twin-posterior \| [+-][\d.]+ \| ([\d.]+) \|"),
    "forecast_lead": Said("forecast/table.md", r"median lead, min \| ([\d.]+) \|"),
    "forecast_lead_wanted": Said("forecast/table.md", r"median lead, min \| [\d.]+ \| >= (\d+) \|"),
    "bouts_better": Said("physiology/bouts.md", r"120 min from[\s\S]*?as trials:.*better in (\d+ of \d+) people"),
    "ope_holds": Said(_WORTH, r"Fitted Q: (\d+ of \d+) intervals hold"),
    "ope_wanted": Said(_WORTH, r"wanted: (\d+)\)"),
    "bbi_adults": Said("published/table.md", r"adults: .*\): ((?:not )?repeated within \d+ points)"),
    "bbi_adolescents": Said("published/table.md", r"adolescents: .*\): ((?:not )?repeated within \d+ points)"),
    "whole_none": Said("whole/table.md", rf"without effect, the gain is {_SPAN} points"),
    "whole_rest": Said("whole/table.md", rf"muscles at rest, too, the gain is {_SPAN} points"),
    "cost_twin": Said("cost.md", r"shipped policy, twin shield \| ([\d.]+) \|"),
}  # fmt: skip
"""Facts that stand in a file as they are told, by name."""


def facts(results: Path, joint: Joint, compared: Sequence[Comparison]) -> dict[str, Fact]:
    """All facts, by name. Raises ValueError where a file no longer says what a pattern asks for."""
    found = {name: _found(results, one) for name, one in SAID.items()}
    for name, (source, counted) in _counted(joint, compared, results).items():
        found[name] = Fact(counted(), source)
    return found


def path_of(source: str, results: Path) -> Path:
    """The file of a source: below results, else of the checkout."""
    return results / source if (results / source).is_file() else ROOT / source


def _found(results: Path, one: Said) -> Fact:
    path = path_of(one.source, results)
    if not path.is_file():
        raise FileNotFoundError(f"no {one.source} below {results}; restore it from git")
    match = re.search(one.pattern, read_file(path, MOST_BYTES).decode("utf-8"), re.M)
    if match is None:
        raise ValueError(
            f"{path} says nothing like {one.pattern!r}, which the credibility page tells; its words have changed: "
            "change the pattern in experiments.site.facts, too"
        )
    return Fact(match[1], one.source)


def _counted(
    joint: Joint, compared: Sequence[Comparison], results: Path
) -> Mapping[str, tuple[str, Callable[[], str]]]:
    """Facts that are counted: name, source, and how."""
    row = _rows(joint)
    made: dict[str, tuple[str, Callable[[], str]]] = {
        "comparisons": ("table.csv", lambda: str(len(compared))),
        "lost": ("table.csv", lambda: str(sum(one.outcome in LOST for one in compared))),
        "open": ("table.csv", lambda: str(sum(one.outcome in OPEN for one in compared))),
        "won": ("table.csv", lambda: str(sum(one.outcome in WON for one in compared))),
        "session_missed": (_SESSION, lambda: str(_count(results / _SESSION, r"\*\*missed\*\*"))),
        "session_asked": (_SESSION, lambda: str(_count(results / _SESSION, r": (?:\*\*missed\*\*|met)\.$"))),
        "shield_missed": ("shield/table.md", lambda: str(_count(results / "shield/table.md", "MISSED"))),
        "shield_met": ("shield/table.md", lambda: str(_count(results / "shield/table.md", r": met\b"))),
        "in_silico_missed": (
            "personal/in_silico.md", lambda: str(_count(results / "personal/in_silico.md", "MISSED")),
        ),
    }  # fmt: skip
    if "realistic" in joint.studies:
        study, source = joint.studies["realistic"], "realistic/study.json"
        flow, primary = study.about["flow"], study.about["primary"]
        same = str(study.about.get("simulator", "")) == simulator_hash()
        seeds = study.agents["seeds"][study.agents["agent"] == primary["agent"]][0]
        mine = [one for one in compared if one.page == "realistic" and "primary comparison" in one.by]
        made |= {
            "evaluations_done": (source, lambda: str(flow["analysed"])),
            "evaluations_tried": (source, lambda: str(flow["attempted"])),
            "simulator": (source, lambda: "the same as" if same else "another than"),
            "training_seeds": ("realistic/agents.csv", lambda: str(len(str(seeds).split(",")))),
            "primary_agent": (source, lambda: str(primary["agent"])),
            "primary_rival": (source, lambda: str(primary["baseline"])),
            "primary_gap": (source, lambda: f"{mine[0].difference.text} {mine[0].difference.interval}"),
            "primary_outcome": (source, lambda: mine[0].outcome),
            "realistic_failed": (
                "realistic/episodes.csv.gz", lambda: _failed(row("realistic", primary["agent"], "rule")),
            ),
            "realistic_failed_off": (
                "realistic/episodes.csv.gz", lambda: _failed(row("realistic", primary["agent"], "off")),
            ),
            "stress_failed": ("realistic/episodes.csv.gz", lambda: _failed(row("stress", primary["agent"], "rule"))),
        }  # fmt: skip
    battery = [
        one
        for one in joint.of("battery")
        if one.measure.name.startswith("faults") and one.information.learned
    ]
    evidence = [
        one for one in joint.of("evidence") if one.information.learned and "faults of sensor" in one.part
    ]
    made |= {
        "battery_met": ("battery/battery.csv", lambda: f"{battery[0].measure.value.text} {battery[0].measure.unit}"),
        "battery_died": ("battery/battery.csv", lambda: _failed(battery[0])),
        "evidence_rule": ("evidence/bodies.csv.gz", lambda: _bodies(evidence, "rule")),
        "evidence_twin": ("evidence/bodies.csv.gz", lambda: _bodies(evidence, "twin")),
        "azt1d_refused": ("personal/azt1d.md", lambda: _failed(joint.of("twins")[0])),
        "uom_refused": ("personal/t1d-uom.md", lambda: _failed(joint.of("twins")[-1])),
        "published_seeds": ("published/people.csv", lambda: _seeds(joint)),
    }  # fmt: skip
    return made


def _rows(joint: Joint) -> Callable[[str, str, str], JointRow]:
    def row(protocol: str, agent: str, shield: str) -> JointRow:
        return next(
            one for one in joint.of(protocol) if (one.agent, one.shield, one.visitor) == (agent, shield, "")
        )

    return row


def _failed(row: JointRow) -> str:
    assert row.failed is not None, "only rows that can fail are asked"
    return row.failed.text


def _bodies(rows: Sequence[JointRow], shield: str) -> str:
    one = next(one for one in rows if one.shield == shield and "untreated" in one.part)
    return f"{one.measure.value.text} % of {one.persons:,} bodies, {one.note}"


def _seeds(joint: Joint) -> str:
    """How many trainings of a policy the published protocols were run with, at most."""
    trained = {one.agent for name in PROTOCOLS for one in joint.of(name) if one.information.learned}
    by_policy: dict[str, int] = {}
    for agent in trained:
        name = agent.rpartition("-seed")[0]
        by_policy[name] = by_policy.get(name, 0) + 1
    most = max(by_policy.values(), default=0)
    return "one training seed" if most == 1 else f"{most} training seeds"


def _count(path: Path, pattern: str) -> int:
    return len(re.findall(pattern, read_file(path, MOST_BYTES).decode("utf-8"), re.M))
