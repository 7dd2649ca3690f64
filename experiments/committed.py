"""What is committed of a study: its tidy tables, its page, a table and figures, each with the command that makes it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.frozen import NOTICE
from envs.render import day_strip
from experiments.page.findings import Findings
from experiments.plots import glucose, style
from experiments.records.provenance import machine, versions
from experiments.records.tables import select
from experiments.report import render
from experiments.results.evaluations import METRICS, Row, decimals, failed_text
from experiments.results.study_tables import StudyTables
from twins.files import atomic_write_bytes, atomic_write_text, check_writable


def write_study(out: str | Path, study: StudyTables) -> list[Row]:
    """Write the tables, report.html, table.md and figures of a study into `out`; returns the table's rows."""
    out = Path(out)
    check_writable(out, 20.0)
    study.write(out)
    view = Findings(study)  # once: its intervals take most of the time
    atomic_write_text(out / "report.html", render(view))
    rows = view.main
    for name, drawing in _figures(view).items():
        atomic_write_bytes(out / f"{name}.svg", drawing)
    days = f"{rows[0]['persons']} people, {rows[0]['replicas']} episodes of {rows[0]['days']:g} days each"
    note = f"Made by `{study.about['command']}`."
    atomic_write_text(
        out / "table.md",
        f"# {rows[0]['protocol']}: {days}\n\n{note} Simulated people only. {NOTICE}\n\n{markdown(rows)}\n\n"
        + "".join(
            f"- Failed, {row['agent']}, shield {row['shield']}: {failed_text(row)}\n"
            for row in rows
            if row["failures"]
        ),
    )
    return rows


def _figures(view: Findings) -> dict[str, bytes]:
    """Figures for a README, letters as outlines: bars of those judged on everybody under the primary shield, and of the
    primary agent the glucose and one day."""
    agent = view.pair[0]
    everybody = max(row["persons"] for row in view.main)
    shown = [row for row in view.main if (row["shield"], row["persons"]) == (view.primary["shield"], everybody)]
    found = {"bars": style.svg(glucose.range_bars(shown))}
    if view.study.curves is not None:
        curves = view.of_primary(view.study.curves)
        if (curves["agent"] == agent).any():
            found["profile"] = style.svg(glucose.aligned(curves, [agent]))
    if view.study.days is not None:
        day = select(view.study.days, agent=agent, protocol=view.primary["protocol"])
        found["day"] = style.svg(day_strip(day))
    return found


def markdown(rows: Sequence[Row]) -> str:
    """The results as a Markdown table, failures first; 95 % intervals over training seeds and persons."""
    heads = ["agent", "shield", "persons", "failures", *(name for name, _ in METRICS.values())]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * (len(heads) - 2)]
    for row in rows:
        cells = [
            row["agent"] + " \\*" * row["best_baseline"],
            row["shield"],
            str(row["persons"]),
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
    kernel, step, ppo, shield = (measured[part] for part in ("kernel", "step", "ppo", "shield"))
    rows = [
        (
            "glucose kernel, float64, one core, 256 people, million person-min/s",
            kernel["kernel_person_min_per_s"] / 1e6,
            ".1f",
        ),
        ("- ratio to simglucose's T1DPatient.step", kernel["ratio_to_simglucose"], ",.0f"),
        ("- ratio to it with its parameters in a plain object", kernel["ratio_to_simglucose_plain"], ",.0f"),
        ("- the same people while they exercise, share of it", kernel["exercise_ratio_to_rest"], ".2f"),
        ("- whole persons, with sleep, clock and stress, share of it", kernel["whole_ratio_to_kernel"], ".2f"),
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
        ("twin shield, one decision of one person, 32 members, 10 h, search, ms", shield["twin_decision_ms"], ".1f"),
        ("- 99th percentile, ms", shield["twin_decision_p99_ms"], ".1f"),
        ("steps/s of 300 lanes under the rule shield, over those without", shield["rule_ratio_to_off"], ".2f"),
        ("- of PPO end to end, every 5 min, under it over without", ppo["ppo_rule_ratio_to_off"], ".2f"),
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
