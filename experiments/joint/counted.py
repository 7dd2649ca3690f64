"""Rows of studies that are committed as tables of their own, by the functions that their Markdown is made with."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from experiments.battery.report import HOSTILE_CASE
from experiments.battery.run import NONE as CLEAN
from experiments.evidence import report as evidence_report
from experiments.evidence import sampler
from experiments.evidence.kept import BODIES
from experiments.joint import information
from experiments.joint.markdown import read_page
from experiments.joint.row import (
    NONE,
    PAPER,
    SHARES,
    TIME_IN_RANGE,
    Failed,
    Information,
    JointRow,
    Measure,
    Origin,
    Value,
)  # fmt: skip
from experiments.published import claims
from experiments.published import report as published_report
from experiments.published.run import PROTOCOLS
from experiments.records.tables import read_table, select

SHIELD_HEADS = (
    "world, agent", "shield", "runs x days", "died low", "died high", "lowest", "runs <40, %", "runs <54, %",
    "bodies <80, %", "runs >300 for 2 h, %", "<54, %", "<70, %", "70-180, %", "70-180 lost", "intervals cut, %",
    "decisions cut, %", "margin", "bars",
)  # fmt: skip
_BATTERY_SHARES = ("below_54_pct", "below_70_pct", "tir_pct", "above_250_pct")
_GROUPS = {"all": "all 30 people", "adult": "adults", "adolescent": "adolescents", "child": "children"}


def battery(results: Path) -> Iterator[JointRow]:
    """Agents under all faults of the battery, and without one."""
    page = read_page(results / "battery" / "table.md")
    table = read_table(results / "battery" / "battery.csv")
    people, per_case = page.found(r"(\d+) persons, (\d+) episode").groups()
    episodes = int(people) * int(per_case)
    origin = replace(page.origin(results), source="battery/battery.csv")
    for agent, under in dict.fromkeys(zip(table["agent"].tolist(), table["shield"].tolist(), strict=True)):
        mine = select(table, agent=agent, shield=under)
        known = information.of(agent)
        clean = select(mine, case=CLEAN)
        values = {name: Value(float(clean[name][0]), places=2) for name in _BATTERY_SHARES}
        yield JointRow(
            "safety", "battery", f"{people} people, no fault", agent, under, int(people),
            Failed(float(clean["died"][0]), episodes, "episodes that ended in a death"),
            Measure("lowest plasma glucose", "mg/dL", Value(float(clean["lowest_mg_dl"][0])), "more"), known, origin,
            values,
        )  # fmt: skip
        faults = {name: column[mine["case"] != CLEAN] for name, column in mine.items()}
        hostile = faults["case"].tolist() == [HOSTILE_CASE]
        many = len(faults["case"])
        whom = f"{people} people, {'the agent is the fault' if hostile else f'each of {many} faults'}"
        yield JointRow(
            "safety", "battery", whom, agent, under, int(people),
            Failed(float(faults["died"].sum()), many * episodes, "episodes that ended in a death"),
            Measure("faults under which all bars are met", f"of {many}",
                    Value(float((faults["missed"] == 0).sum()), places=0), "more"),
            known, origin,
        )  # fmt: skip


def evidence(results: Path) -> Iterator[JointRow]:
    """Bodies of sampler D that come to harm behind the shields."""
    page = read_page(results / "evidence" / "table.md")
    origin = replace(page.origin(results), source=f"evidence/{BODIES}")
    for row in evidence_report.rows(read_table(results / "evidence" / BODIES)):
        upper = evidence_report.percent(row["very_low_upper"])
        share = 100 * row["very_low"] / row["bodies"]
        shares = {name: Value(row[name], places=2) for name in ("below_54_pct", "below_70_pct", "tir_pct")}
        yield JointRow(
            "safety", "evidence",
            f"{_stratum(row['stratum'])}; lows {row['lows']}; {row['days']:g} days", row["agent"],
            row["shield"], row["bodies"], Failed(row["died"], row["bodies"], "bodies that died"),
            Measure("bodies below 40 mg/dL", "% of bodies", Value(share), "less"), information.of(row["agent"]),
            origin, shares,
            note=f"of new bodies at most {upper} (one-sided 95 % bound)" if upper else "",
        )  # fmt: skip


def _stratum(name: str) -> str:
    """Words of a stratum, where they speak of another one with that one's words."""
    words = sampler.stratum(name).words
    for other in sampler.STRATA:
        words = words.replace(f"settings and twins as wrong as in {other.name}", other.words)
    return words


def published(results: Path) -> Iterator[JointRow]:
    """The three published protocols: the papers' rows, and ours with both stomachs, with and without shield."""
    page = read_page(results / "published" / "table.md")
    ours = replace(page.origin(results), source="published/people.csv")
    found = published_report.rows(read_table(results / "published" / published_report.PEOPLE))
    for name in PROTOCOLS:
        risk = name == "fox2020"
        for claim in (one for one in claims.CLAIMS if one.protocol == name):
            tir = NONE if claim.tir_pct is None else Value(claim.tir_pct, places=2)
            value = NONE if claim.magni_risk is None else Value(claim.magni_risk, places=2)
            yield JointRow(
                "published protocols", name, _whom(claim.group, "legacy"), f"{PAPER}{claim.agent}", "off", None,
                None if claim.failed_pct is None else Failed(claim.failed_pct, None, "% of episodes"),
                _measure(risk, value if risk else tir), Information("as in the paper", claim.source, False),
                Origin("published/table.md", "reported, not computed here"), note="reported by the paper",
            )  # fmt: skip
        for row in (one for one in found if one["protocol"] == name):
            shares = {
                one: Value(row[one], places=1 if "above" in one or "tir" in one else 2) for one in SHARES
            }
            value = row["magni_risk"] if risk else row["tir_pct_published"]
            yield JointRow(
                "published protocols", name, _whom(row["group"], row["gut"]), row["agent"], row["shield"],
                row["persons"],
                Failed(round(row["failed_pct"] * row["episodes"] / 100), row["episodes"], "episodes"),
                _measure(risk, Value(value, places=2 if risk else 1)), information.of(row["agent"]), ours, shares,
            )  # fmt: skip


def shield(results: Path) -> Iterator[JointRow]:
    """The twin shield against its bars."""
    page = read_page(results / "shield" / "table.md")
    (table,) = page.with_heads(SHIELD_HEADS)
    for row in table.rows:
        runs = int(row[2].split(" x ")[0])
        died = sum(table.value(row, name).estimate for name in ("died low", "died high"))
        shares = {
            "below_54_pct": table.value(row, "<54, %"), "below_70_pct": table.value(row, "<70, %"),
            "tir_pct": table.value(row, "70-180, %"),
        }  # fmt: skip
        yield JointRow(
            "safety", "shield", f"{row[2]} days", row[0], row[1].partition(":")[0], None,
            Failed(died, runs, "runs that died"),
            Measure("lowest plasma glucose", "mg/dL", table.value(row, "lowest"), "more"),
            Information("", f"as the row says; shield {row[1]}", "policy" in row[0]), page.origin(results), shares,
            note=row[-1],
        )  # fmt: skip


def _whom(group: str, gut: str) -> str:
    return f"{_GROUPS[group]}, stomach {'as it erred then' if gut == 'legacy' else 'corrected'}"


def _measure(risk: bool, value: Value) -> Measure:
    if risk:
        return Measure("Magni risk, median, as published", "", value, "less")
    return Measure(f"{TIME_IN_RANGE}, as published", "% of time", value, "more")
