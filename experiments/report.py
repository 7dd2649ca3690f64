"""One page about one study: what was simulated, who failed, what may be claimed, and from what.

The page is one HTML file without scripts that asks for nothing from outside. It is computed from the
tables of evaluations and training runs alone.
"""

import json
import re
from collections.abc import Sequence
from itertools import count as counter
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from experiments.compare import (
    GROUPS,
    METRICS,
    Evaluation,
    Row,
    all_episodes,
    decimals,
    persons,
    read_evaluation,
    results_table,
    verdict,
)
from experiments.config import TrainConfig
from experiments.page import figures, sentences
from experiments.plots import describe
from experiments.records.config_files import build, load_yaml
from experiments.records.tables import Table, read_table, select
from twins.files import atomic_write_text

DISCLAIMER = "Research software, not a medical device."
_TEMPLATES = Path(__file__).resolve().parent / "page" / "templates"
_SECTIONS = {
    "simulated": "What was simulated",
    "failures": "Failures",
    "results": "Results",
    "day": "Glucose through the day",
    "persons": "Person by person",
    "learning": "Learning",
    "strips": "One day, step by step",
    "diary": "A recorded person's meals on a virtual body",
    "provenance": "Where the numbers come from",
    "limits": "Limits",
    "notes": "Notes",
}

Part = dict[str, Any]
"""What the template gets."""


def write_report(
    out_html: str | Path,
    evaluations: Sequence[str | Path],
    runs: Sequence[str | Path] = (),
    diary: Sequence[str | Path] = (),
    title: str = "Learned insulin dosing on virtual people",
    notes: Sequence[str] = (),
) -> Path:
    """Write the page and give its path.

    evaluations: folders of scripts.evaluate; the claim is about the protocol of the first. runs: folders of
    scripts.train, all training seeds. diary: evaluations on the meals that a person recorded; their
    summary.json says under `diary` whose: {"data_set": ..., "person": ...}. notes: paragraphs for the end.
    Raises FileNotFoundError or ValueError that name file and remedy, or StorageError.
    """
    judged = [read_evaluation(folder) for folder in evaluations]
    every_row = results_table(judged)
    protocol = str(judged[0].episodes["protocol"][0])
    rows = [row for row in every_row if row["protocol"] == protocol]
    episodes = select(all_episodes(judged), protocol=protocol)
    of_protocol = [one for one in judged if one.episodes["protocol"][0] == protocol]
    found = verdict(rows, episodes)
    trained = [_Training(Path(folder)) for folder in runs]
    failed_text, failed_lines = sentences.failures(rows, episodes)
    trained_on = sentences.training(
        [one.config for one in trained], max([one.steps for one in trained], default=0.0), persons(episodes)
    )
    page: Part = {
        "title": title,
        "disclaimer": DISCLAIMER,
        "outcome": found["outcome"] if found else "unclear",
        "claim": sentences.claim(found, rows)[0],
        "details": sentences.claim(found, rows)[1:],
        "simulated": [*sentences.facts(of_protocol[0], episodes), ("Training", trained_on)],
        "failures": {"text": failed_text, "table": _failed(failed_lines)},
        "results": _results(every_row, f"All agents. {describe(episodes)}."),
        "groups": _by_group(of_protocol),
        "bars": [figures.bars(episodes, rows)],
        **_figures(of_protocol, episodes, rows, found),
        "learning": [figures.curve({one.name: one.table for one in trained})] if trained else [],
        "diary": _diary([read_evaluation(folder) for folder in diary]),
        "provenance": _provenance([*judged, *map(read_evaluation, diary)], trained),
        "limits": sentences.limits(episodes, found),
        "notes": list(notes),
    }
    page["sections"] = [(name, heading) for name, heading in _SECTIONS.items() if page[name]]
    numbers = counter(1)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["unbroken"] = _unbroken
    html = environment.get_template("report.html").render(page, next_number=lambda: next(numbers))
    out_html = Path(out_html)
    out_html.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_text(out_html, html)
    return out_html


def _unbroken(text: str) -> str:
    """The text with no line break between a number and its unit."""
    return re.sub(r"(?<=\d) (?=%|mg/dL)", "\u00a0", text)


class _Training:
    """What a training run's folder says: learning curve, settings, command, manifest."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.table = read_table(folder / "evaluations.csv")
        if not {"timesteps", "tir_pct", "below_70_pct"} <= set(self.table) or not len(
            self.table["timesteps"]
        ):
            raise ValueError(
                f"{folder / 'evaluations.csv'} has no learning curve; give a run that has trained"
            )
        self.steps = float(self.table["timesteps"].max())
        self.config = build(TrainConfig, load_yaml(folder / "config.yml"), str(folder / "config.yml"))
        self.command = (folder / "command.txt").read_text(encoding="utf-8").strip()
        self.manifest: Part = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def _failed(lines: list[list[str]]) -> Part:
    heads = ["Person", "Agent", "Shield", "Failed episodes", "Side", "Earliest, hours after the start"]
    return {"caption": "Who failed.", "heads": heads, "rows": lines, "code": False}


def _results(rows: Sequence[Row], counts: str) -> Part:
    """The main table: a part for every protocol and shield setting, a line for every agent."""
    parts = []
    several = len({row["protocol"] for row in rows}) > 1
    for protocol, shield in dict.fromkeys((row["protocol"], row["shield"]) for row in rows):
        heading = f"Shield {'on (rule)' if shield == 'rule' else shield}"
        mine = [row for row in rows if (row["protocol"], row["shield"]) == (protocol, shield)]
        heading += f", protocol {protocol}" if several else ""
        parts.append({"heading": heading, "rows": [_line(row, tuple(METRICS)) for row in mine]})
    caption = (
        f"{counts} Means over persons, small: 95 % bootstrap interval over persons. Time after a failure "
        "counts as out of range. Tinted: learned."
    )
    heads = [("Agent", ""), ("Failures", "episodes"), *METRICS.values()]
    return {"caption": caption, "heads": heads, "parts": parts}


def _line(row: Row, metrics: Sequence[str]) -> Part:
    """A line of the main table, failures first."""
    cells: list[Part] = [
        {"text": str(row["failures"]), "small": f"of {row['episodes']}", "bad": row["failures"] > 0}
    ]
    for name in metrics:
        places, low, high = decimals(name), row[f"{name}_low"], row[f"{name}_high"]
        small = f"{low:.{places}f}\u2013{high:.{places}f}" if np.isfinite(low) else ""
        cells.append({"text": f"{row[name]:.{places}f}", "small": small, "bad": False})
    return {**_who(row), "cells": cells}


def _who(row: Row) -> Part:
    note = "best baseline" if row["best_baseline"] else ""
    return {"name": row["agent"], "note": note, "learned": row["learned"]}


def _by_group(evaluations: Sequence[Evaluation]) -> Part:
    """Each age group's failures and times under the rule shield; no parts when there is only one group."""
    present = {group for one in evaluations for group in one.episodes["group"].tolist()}
    groups = [group for group in GROUPS if group in present]
    tables = [
        [row for row in results_table(evaluations, group) if row["shield"] == "rule"] for group in groups
    ]
    rows = []
    everybody = [row for row in results_table(evaluations) if row["shield"] == "rule"]
    for row in everybody if len(groups) > 1 else []:
        found = [next((other for other in table if other["agent"] == row["agent"]), None) for table in tables]
        cells = [cell for one in found for cell in _group_cells(one)]
        rows.append({**_who(row), "note": "", "cells": cells})
    heads = [("Agent", "")]
    heads += [(head, group) for group in groups for head in ("failures", "70-180, %", "<70, %")]
    caption = "By age group, rule shield: failed episodes and per cent of time, means over persons."
    return {"caption": caption, "heads": heads, "parts": [{"heading": "", "rows": rows}] if rows else []}


def _group_cells(row: Row | None) -> list[Part]:
    if row is None:
        return [{"text": "not judged", "small": "", "bad": False}] * 3
    failed, *_ = _line(row, ())["cells"]
    return [
        failed,
        *({"text": f"{row[name]:.1f}", "small": "", "bad": False} for name in ("tir_pct", "below_70_pct")),
    ]


def _figures(
    evaluations: Sequence[Evaluation], episodes: Table, rows: Sequence[Row], found: Row | None
) -> Part:
    """Profiles, dots and strips of the best learned agent and the best baseline, under the rule shield."""
    pair = _pair(rows, found)
    traces = _traces(evaluations, pair)
    judged = {row["agent"]: row["episodes"] for row in pair}
    ruled = select(episodes, shield="rule")
    return {
        "day": [figures.profile(tables, agent, judged[agent]) for agent, tables in traces.items()],
        "persons": [figures.dots(ruled, *(row["agent"] for row in pair))] if len(pair) == 2 else [],
        "strips": _strips(traces),
    }


def _pair(rows: Sequence[Row], found: Row | None) -> list[Row]:
    """The best learned agent and the best baseline, as far as there are any, under the rule shield."""
    if found:
        return [row for row in (found["learned"], found["baseline"]) if row]
    return [row for row in rows if row["shield"] == "rule"][:1]


def _traces(evaluations: Sequence[Evaluation], rows: Sequence[Row]) -> dict[str, list[Table]]:
    """Traces of each row's agent under the rule shield; agents without any are left out."""
    found = {row["agent"]: figures.traces_of(evaluations, row["agent"]) for row in rows}
    return {agent: tables for agent, tables in found.items() if tables}


def _strips(traces: dict[str, list[Table]]) -> list[figures.PageFigure]:
    return figures.strips({agent: tables[0] for agent, tables in traces.items()}) if traces else []


def _diary(evaluations: Sequence[Evaluation]) -> list[Part]:
    """A part for every recorded person: whose meals, the results, and one day."""
    parts = []
    for protocol in dict.fromkeys(str(one.episodes["protocol"][0]) for one in evaluations):
        mine = [one for one in evaluations if one.episodes["protocol"][0] == protocol]
        episodes, rows = all_episodes(mine), results_table(mine)
        parts.append(
            {
                "heading": protocol,
                "text": sentences.diary(mine[0].summary, episodes),
                "table": _results(rows, f"All agents on the recorded meals. {describe(episodes)}."),
                "strips": _strips(_traces(mine, _pair(rows, verdict(rows, episodes)))),
            }
        )
    return parts


def _provenance(judged: Sequence[Evaluation], trained: Sequence[_Training]) -> Part:
    """Commands, versions and hashes."""
    heads = ["Agent", "Shield", "Training seed", "Protocol", "Hash", "Made (UTC)", "Command"]
    lines = []
    for one in judged:
        seeds = sorted({int(seed) for seed in one.episodes["train_seed"] if seed >= 0})
        said = {"protocol_hash": "?", "created_utc": "?", "command": "?", **one.summary}
        lines.append(
            [
                *(str(one.episodes[name][0]) for name in ("agent", "shield")),
                ", ".join(map(str, seeds)),
                str(one.episodes["protocol"][0]),
                str(said["protocol_hash"])[:12],
                *(str(said[name]) for name in ("created_utc", "command")),
            ]
        )
    tables = [{"caption": "Evaluations.", "heads": heads, "rows": lines, "code": True}]
    if trained:
        heads = ["Run", "Status", "Steps", "Command"]
        runs = [
            [one.name, str(one.manifest.get("status")), f"{one.steps:,.0f}", one.command] for one in trained
        ]
        tables.append({"caption": "Training runs.", "heads": heads, "rows": runs, "code": True})
    found = [one.summary.get("versions") or {} for one in judged]
    found += [one.manifest.get("versions") or {} for one in trained]
    versions: dict[str, set[str]] = {}
    for name, version in (item for one in found for item in one.items()):
        versions.setdefault(str(name), set()).add(str(version))
    text = [
        "The first twelve digits of a protocol's hash stand in the table; evaluations are only compared when "
        "the whole hash, of settings and simulator, is the same.",
        "Versions: "
        + "; ".join(f"{name} {' and '.join(sorted(seen))}" for name, seen in versions.items())
        + ".",
    ]
    return {"text": text, "tables": tables}
