"""What is committed of a study: its table, the means of each person, its page, each with the command that makes it."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.compare import METRICS, Evaluation, Row, all_episodes, decimals, failed_text, results_table
from experiments.page import figures
from experiments.page.figures import PageFigure
from experiments.records.provenance import machine, versions
from experiments.records.tables import Table, select, write_table
from experiments.report import write_report
from twins.files import atomic_write_bytes, atomic_write_text, check_writable

DISCLAIMER = "Simulated people only. Research software, not a medical device."


def commit_study(
    out: str | Path,
    evaluations: Sequence[Evaluation],
    runs: Sequence[Path],
    command: str,
    diary: Sequence[Evaluation] = (),
) -> list[Row]:
    """Write table.md, persons.csv, report.html and figures into `out`; returns the rows of the table."""
    out = Path(out)
    check_writable(out, 10.0)
    rows = results_table(evaluations)
    note = f"Made by `{command}`."
    write_report(
        out / "report.html",
        [one.folder for one in evaluations],
        runs,
        [one.folder for one in diary],
        notes=[note],
    )
    write_table(out / "persons.csv", _persons(evaluations))
    for name, figure in _figures(evaluations, rows).items():
        atomic_write_bytes(out / f"{name}.svg", base64.b64decode(figure.data))
    days = f"{rows[0]['persons']} people, {rows[0]['replicas']} episodes of {rows[0]['days']:g} days each"
    atomic_write_text(
        out / "table.md",
        f"# {rows[0]['protocol']}: {days}\n\n{note} {DISCLAIMER}\n\n{markdown(rows)}\n\n"
        + "".join(
            f"- Failed, {row['agent']}, shield {row['shield']}: {failed_text(row)}\n"
            for row in rows
            if row["failures"]
        ),
    )
    return rows


def _figures(evaluations: Sequence[Evaluation], rows: Sequence[Row]) -> dict[str, PageFigure]:
    """The bars of all agents, and profile and day of the first learned one (or the first at all)."""
    agent = next((row["agent"] for row in rows if row["learned"]), rows[0]["agent"])
    tables = figures.traces_of(evaluations, agent)
    judged = sum(row["episodes"] for row in rows if row["agent"] == agent and row["shield"] == "rule")
    return {
        "bars": figures.bars(all_episodes(evaluations), rows),
        "profile": figures.profile(tables, agent, judged),
        "day": figures.strips({agent: tables[0]})[0],
    }


def _persons(evaluations: Sequence[Evaluation]) -> Table:
    """Means of each person, agent, shield and training seed over the replicas, with the number of failures."""
    episodes = all_episodes(evaluations)
    keys = ("agent", "shield", "train_seed", "person")
    groups = sorted(set(zip(*(episodes[name].tolist() for name in keys), strict=True)))
    parts: list[dict[str, Any]] = []
    for key in groups:
        mine = select(episodes, **dict(zip(keys, key, strict=True)))
        row: dict[str, Any] = dict(zip(keys, key, strict=True))
        row |= {"episodes": len(mine["person"]), "failures": int(mine["failed"].sum())}
        parts.append(row | {name: float(np.mean(mine[name])) for name in METRICS})
    return {name: np.array([part[name] for part in parts]) for name in parts[0]}


def markdown(rows: Sequence[Row]) -> str:
    """The results as a Markdown table, failures first; 95 % intervals over persons."""
    heads = ["agent", "shield", "failures", *(name for name, _ in METRICS.values())]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * (len(heads) - 2)]
    for row in rows:
        cells = [
            row["agent"] + " \\*" * row["best_baseline"],
            row["shield"],
            f"{row['failures']} of {row['episodes']}",
        ]
        for name in METRICS:
            text = f"{row[name]:.{decimals(name)}f}"
            if name in ("tir_pct", "below_70_pct"):
                text += f" [{row[f'{name}_low']:.1f}, {row[f'{name}_high']:.1f}]"
            cells.append(text)
        lines.append("| " + " | ".join(cells) + " |")
    units = "; ".join(
        f"{name}: {unit}" for name, unit in METRICS.values() if unit and not unit.startswith("% of time")
    )
    lines += [
        "",
        f"Ranges of glucose in mg/dL are shares of time in %; {units}. \\* best baseline of its shield setting.",
    ]
    return "\n".join(lines)


def commit_speed(out: str | Path, measured: Mapping[str, Mapping[str, float]], command: str) -> str:
    """Write speed.json and speed.md into `out`; returns the Markdown table."""
    out = Path(out)
    check_writable(out, 1.0)
    kernel, step, ppo = measured["kernel"], measured["step"], measured["ppo"]
    rows = [
        (
            "glucose kernel, float64, one core, 256 people, million person-min/s",
            kernel["kernel_person_min_per_s"] / 1e6,
            ".1f",
        ),
        ("- ratio to simglucose's T1DPatient.step", kernel["ratio_to_simglucose"], ",.0f"),
        ("- ratio to it with its parameters in a plain object", kernel["ratio_to_simglucose_plain"], ",.0f"),
        ("gymnasium.Env.step, one person, 5 min, rule shield on, us", step["step_us"], ".1f"),
        ("- simglucose's environment, 3 min, us", step["simglucose_step_us"], ",.0f"),
        (
            "PPO end to end, one thread, decisions every 5 min, environment steps/s",
            ppo["ppo_steps_per_s_5min"],
            ",.0f",
        ),
        ("- the same with decisions every 30 min", ppo["ppo_steps_per_s_30min"], ",.0f"),
        (
            "- the same PPO on simglucose's environment in two processes, steps/s",
            ppo["simglucose_ppo_steps_per_s"],
            ".1f",
        ),
        ("- ratio (5 min) to it", ppo["ratio_to_simglucose"], ",.0f"),
    ]
    table = "\n".join(
        ["| what | measured |", "|---|---:|", *(f"| {name} | {value:{form}} |" for name, value, form in rows)]
    )
    about = {"command": command, "machine": machine(), "versions": versions()}
    atomic_write_text(out / "speed.json", json.dumps({**measured, **about}, indent=2) + "\n")
    cpu = about["machine"]["cpu"]  # type: ignore[index]
    atomic_write_text(
        out / "speed.md",
        f"# Speed\n\nMade by `{command}` on {cpu}; both sides of a ratio in one run.\n\n{table}\n",
    )
    return table
