"""Tables of numbers of a page: caption, source, heads [(text, unit)] and parts [{"heading", "rows"}].

A row has name, note, link (the id of a line of provenance), learned, and cells [{"text", "small", "bad"}].
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.page import standings
from experiments.page.findings import Findings
from experiments.plots.style import describe
from experiments.records.tables import Table, select
from experiments.results.evaluations import GROUPS, METRICS, Row, decimals
from experiments.results.words import POPULATIONS, shield_words

Part = dict[str, Any]

_MAIN = tuple(name for name in METRICS if name not in standings.COSTS)
_INTERVAL = "small: 95 % interval over training seeds and persons (crossed bootstrap)"


def results(view: Findings) -> Part:
    """The main table: a part for every protocol and shield setting, a line for every agent, failures first."""
    caption = (
        f"All agents. {describe(view.judged)} in protocol {view.primary['protocol']}. Means over persons, {_INTERVAL}. "
        "Time after a failure counts as out of range. Tinted: learned. Names lead to runs and commands."
    )
    return {
        "caption": caption,
        "source": view.source("episodes.csv"),
        "heads": [("Agent", ""), ("Failures", "episodes"), *(METRICS[name] for name in _MAIN)],
        "parts": _parts(view, view.rows, _MAIN),
    }


def costs(view: Findings) -> Part:
    """What time in range cost, as numbers, for every agent of the primary protocol."""
    shown = [name for name in standings.COSTS if name in view.main[0]]
    return {
        "caption": f"What time in range cost. Means over persons, {_INTERVAL}. {describe(view.judged)}. Advice to "
        "follow: boluses asked for and changes of the basal rate by more than a tenth. Suspended: hours without basal "
        "insulin. Alarms: sensor below 70 or above 250 mg/dL.",
        "source": view.source("episodes.csv"),
        "heads": [("Agent", ""), *(standings.COSTS[name] for name in shown)],
        "parts": [
            {**part, "rows": [{**row, "cells": row["cells"][1:]} for row in part["rows"]]}
            for part in _parts(view, view.main, shown)
        ],
    }


def _parts(view: Findings, rows: Sequence[Row], metrics: Sequence[str]) -> list[Part]:
    several = len({row["protocol"] for row in rows}) > 1 or view.study.about["protocols"].keys() - {
        rows[0]["protocol"]
    }
    found = []
    for protocol, shield in dict.fromkeys((row["protocol"], row["shield"]) for row in rows):
        mine = [row for row in rows if (row["protocol"], row["shield"]) == (protocol, shield)]
        heading = shield_words(shield)
        if several:
            heading += f", protocol {protocol}, {POPULATIONS[view.population(protocol)]}"
        most = max(row["persons"] for row in mine)
        found.append({"heading": heading, "rows": [_line(row, metrics, most) for row in mine]})
    return found


def _line(row: Row, metrics: Sequence[str], most: int) -> Part:
    """A line of numbers, failures first; it says how many persons where they are fewer than others'."""
    cells = [_failed(row["failures"], row["episodes"])]
    for name in metrics:
        places, low, high = decimals(name), row[f"{name}_low"], row[f"{name}_high"]
        small = f"{low:.{places}f}\u2013{high:.{places}f}" if np.isfinite(low) else ""
        cells.append(cell(f"{row[name]:.{places}f}", small))
    notes = ["best baseline"] if row["best_baseline"] else []
    notes += [f"{len(row['train_seeds'])} seeds"] if len(row["train_seeds"]) > 1 else []
    notes += [f"{row['persons']} persons"] if row["persons"] < most else []
    link = anchor(row["protocol"], row["agent"], row["shield"])
    return {
        "name": row["agent"], "note": ", ".join(notes), "link": link, "learned": row["learned"], "cells": cells,
    }  # fmt: skip


def _failed(failures: int, episodes: int) -> Part:
    return {"text": str(failures), "small": f"of {episodes:,}", "bad": failures > 0}


def cell(text: str, small: str = "", bad: bool = False) -> Part:
    """One number of a table, smaller words below it, and whether it is bad news."""
    return {"text": text, "small": small, "bad": bad}


def anchor(protocol: str, agent: str, shield: str) -> str:
    """The id of the line of provenance of an agent; ids hold no blanks and no markup."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in f"{protocol}-{agent}-{shield}".lower())
    return f"from-{plain}"


def contrasts(view: Findings) -> Part | None:
    """The primary comparison and the secondary ones, with p values."""
    if view.contrast is None:
        return None
    parts = []
    for heading, found in (("Primary", [view.contrast]), ("Secondary, adjusted by Holm", view.secondary)):
        rows = []
        for one in found:
            tir, lows = one.verdict.tir, one.verdict.below_70
            p = one.p if heading == "Primary" else one.adjusted
            cells = [cell(one.outcome, "", one.outcome in ("worse", "unsafe"))]
            for gap in (tir, lows):
                small = f"{gap.low:+.1f} to {gap.high:+.1f}" if np.isfinite(gap.low) else "no interval"
                cells.append(cell(f"{gap.estimate:+.1f}", small))
            cells.append(cell(_p(p)))
            cells.append(cell(f"{one.better}", f"of {one.persons}"))
            rates = (one.verdict.failure_rate, one.verdict.their_failure_rate)
            cells.append(cell(" / ".join(f"{100 * rate:.2f}" for rate in rates), "", rates[0] > rates[1]))
            note = f"{one.protocol}, shield {one.shield}"
            rows.append(
                {
                    "name": f"{one.agent} - {one.baseline}",
                    "note": note,
                    "link": "",
                    "learned": False,
                    "cells": cells,
                }
            )
        parts += [{"heading": heading, "rows": rows}] if rows else []
    heads = [
        ("Comparison", ""), ("Outcome", ""), ("70-180", "points"), ("<70", "points"), ("p", "two-sided"),
        ("Better", "persons"), ("Failed", "% of episodes, each"),
    ]  # fmt: skip
    caption = (
        "Differences on the same days of the same persons, first minus second, 95 % intervals over training seeds and "
        "persons, not adjusted. p: of 2,000 resamples for time in range, so that 0.001 is the smallest. Outcome, by "
        "the win rule: unsafe, more failures; worse; mixed, more time in range but more lows; better, no more than a "
        "point; win; unclear, no difference is shown, of a secondary comparison also where adjusted p is 0.05 or more."
    )
    return {"caption": caption, "source": view.source("episodes.csv"), "heads": heads, "parts": parts}


def _p(value: float) -> str:
    return "none" if not np.isfinite(value) else "<0.002" if value < 0.002 else f"{value:.3f}"


def bounds(view: Findings) -> Part:
    """Upper bounds of the share of persons with a failure, by age group."""
    rows = []
    strata: list[str] = []
    for row in view.ruled:
        found = standings.failure_bounds(select(view.judged, agent=row["agent"]))
        strata = strata or [one.stratum for one in found]
        by_name = {one.stratum: one for one in found}
        cells = []
        for name in strata:
            one = by_name.get(name)
            if one is None:
                cells.append(cell("not judged"))
                continue
            small = f"{one.persons_with_event} of {one.persons}"
            cells.append(cell(f"\u2264 {100 * one.upper:.1f}", small, one.persons_with_event > 0))
        link = anchor(row["protocol"], row["agent"], row["shield"])
        rows.append(
            {"name": row["agent"], "note": "", "link": link, "learned": row["learned"], "cells": cells}
        )
    return {
        "caption": f"Share of persons with a failure, shield {view.primary['shield']}: upper bound in % (one-sided, "
        "95 %), small: persons with a failure of those judged.",
        "source": view.source("episodes.csv"),
        "heads": [("Agent", ""), *((name, "% of persons") for name in strata)],
        "parts": [{"heading": "", "rows": rows}],
    }


def groups(view: Findings) -> Part | None:
    """Subgroups of the primary pair; age groups alone where the study has no subgroups.csv."""
    table = view.study.subgroups
    pair = [name for name in (view.primary["agent"], view.primary["baseline"]) if name]
    if table is None or not all((table["agent"] == name).any() for name in pair) or not pair:
        return _ages(view)
    first = select(table, agent=pair[0])
    rows = []
    for k, (feature, group) in enumerate(
        zip(first["feature"].tolist(), first["group"].tolist(), strict=True)
    ):
        own = [select(table, agent=name, feature=feature, group=group) for name in pair]
        cells = [cell(f"{first['persons'][k]:.0f}")]
        for one in own:
            if not len(one["persons"]):
                cells += [cell("not judged")] * 3
                continue
            cells.append(_failed(int(one["failures"][0]), int(one["episodes"][0])))
            cells += [_span(one, "tir_pct", 1), _span(one, "below_54_pct", 2)]
        if len(pair) > 1:
            cells.append(_span(own[0], "tir_difference", 1, signed=True))
        bounds_of = str(first["bounds"][k]) if "bounds" in first else ""
        rows.append(
            {"name": f"{feature}: {group}", "note": bounds_of, "link": "", "learned": False, "cells": cells}
        )
    heads = [("Group", ""), ("Persons", "")]
    for name in pair:
        heads += [("Failures", name), ("70-180, %", name), ("<54, %", name)]
    heads += [("Difference of 70-180", "points")] * (len(pair) > 1)
    caption = (
        f"Groups of everybody judged in protocol {view.primary['protocol']}, shield {view.primary['shield']} (drawn or "
        f"not): means over persons, {_INTERVAL}."
    )
    return {
        "caption": caption, "source": view.source("subgroups.csv"), "heads": heads,
        "parts": [{"heading": "", "rows": rows}],
    }  # fmt: skip


def _span(table: Table, name: str, places: int, signed: bool = False) -> Part:
    """A mean with the ends of its interval, where the table has them."""
    if name not in table or not np.isfinite(table[name][0]):
        return cell("none")
    form = f"{'+' if signed else ''}.{places}f"
    low, high = (
        float(table[f"{name}_{end}"][0]) if f"{name}_{end}" in table else np.nan for end in ("low", "high")
    )
    between = " to " if signed else "\u2013"
    small = f"{low:{form}}{between}{high:{form}}" if np.isfinite(low) else ""
    return cell(f"{float(table[name][0]):{form}}", small)


def _ages(view: Findings) -> Part | None:
    present = [group for group in GROUPS if (view.judged["group"] == group).any()]
    if len(present) < 2:
        return None
    tables = {group: standings.standings(select(view.judged, group=group), view.learned) for group in present}
    rows = []
    for row in view.ruled:
        cells = []
        for group in present:
            one = next((other for other in tables[group] if other["agent"] == row["agent"]), None)
            if one is None:
                cells += [cell("not judged")] * 3
                continue
            cells.append(_failed(one["failures"], one["episodes"]))
            cells += [cell(f"{one[name]:.1f}") for name in ("tir_pct", "below_70_pct")]
        rows.append({"name": row["agent"], "note": "", "link": "", "learned": row["learned"], "cells": cells})
    heads = [("Agent", "")]
    heads += [(head, group) for group in present for head in ("Failures", "70-180, %", "<70, %")]
    caption = (
        f"By age group, shield {view.primary['shield']}: failed episodes and % of time, means over persons."
    )
    return {
        "caption": caption, "source": view.source("episodes.csv"), "heads": heads,
        "parts": [{"heading": "", "rows": rows}],
    }  # fmt: skip


def diary(view: Findings, protocol: str, rows: Sequence[Row], counts: str) -> Part:
    """All agents on the meals of a recorded person."""
    parts = _parts(view, rows, _MAIN)
    for part in parts:
        part["heading"] = part["heading"].split(",")[0]
    return {
        "caption": f"All agents on the recorded meals. {counts}. Means over persons. Time after a failure counts as "
        "out of range. Tinted: learned.",
        "source": view.source("episodes.csv", protocol),
        "heads": [("Agent", ""), ("Failures", "episodes"), *(METRICS[name] for name in _MAIN)],
        "parts": parts,
    }
