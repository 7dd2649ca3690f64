"""The table of agents around sessions, what it says of the bars, and its figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.frozen import NOTICE
from experiments.bouts import compare
from experiments.bouts.compare import FEWER_EVENTS, MARGIN_TIR_POINTS
from experiments.bouts.people import WHERE
from experiments.plots import sessions, style, week
from experiments.records.tables import Table
from experiments.statistics import Interval
from twins.files import atomic_write_bytes, atomic_write_text

LEARNED, BEST = "ppo-session", "consensus-tuned"
SHOWN_PERSON = "adult#001"
"""Whose week is drawn."""
_MEANS = (
    ("below_70_pct", "<70, %", 2), ("below_54_pct", "<54, %", 2), ("tir_pct", "70-180, %", 1),
    ("above_180_pct", ">180, %", 1), ("advised_g", "carbs advised, g", 1), ("rescue_g", "rescue carbs, g", 1),
    ("insulin_u", "insulin, U", 1), ("reward", "reward", 2),
)  # fmt: skip
_INTERVALS = ("tir_pct",)
Found = Mapping[str, Sequence[Table]]
"""By agent its tables, one for each training seed (one alone where nothing was trained)."""


def write(
    folder: Path, where: Mapping[str, Found], command: str, kept: Mapping[str, Table], interval_min: int
) -> Path:
    """table.md and the figures into `folder`, which it returns.

    kept: of the two agents that are compared, episodes with their traces (`experiments.bouts.judge.live` with `keep`);
    empty where they were not judged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if kept:
        curves, days = sessions.aligned(kept, interval_min), week.days_of(kept, SHOWN_PERSON, interval_min)
        atomic_write_bytes(folder / "around.svg", style.svg(sessions.around(curves, LEARNED, BEST)))
        atomic_write_bytes(folder / "week.svg", style.svg(week.week(days, LEARNED, BEST)))
    first = next(iter(where.values()))
    points = [
        (name, compare.event_rate(tables), compare.mean(tables, "tir_pct").estimate)
        for name, tables in first.items()
    ]
    atomic_write_bytes(folder / "frontier.svg", style.svg(sessions.frontier(points)))
    atomic_write_text(folder / "table.md", markdown(where, command))
    return folder


def markdown(where: Mapping[str, Found], command: str) -> str:
    """table.md: for each group of people a row an agent, failures first, and the bars."""
    lines = [
        "# Around a session of exercise", "", f"Made by `{command}`. Simulated people only. {NOTICE}", "",
        "A session comes from outside; 30 % of the planned ones are cancelled, 20 % of those that take place come "
        "unplanned. An episode is 26 hours. Glucose is true plasma. Events are of 15 min and more below 70 mg/dL, in "
        "episodes in which a session took place, per session of which 90 % or more was done; near ones begin up to six "
        "hours after it. Brackets hold 95 % intervals over people and training seeds. A session that is not done to "
        "90 % counts as missed. "
        f"`{LEARNED}`: five trainings, each on 24 people of the table (twice, with other errors) and "
        "252 drawn around them; none has met whom it "
        "is judged on. "
        f"`{BEST}`: gains of each person, found on that person's own body with 10,000 sessions each (a training sees "
        "28,000 to 64,000 of everybody).",
    ]  # fmt: skip
    for name, found in where.items():
        lines += ["", f"## {WHERE[name][0].upper()}{WHERE[name][1:]}", "", *_table(found), ""]
        if LEARNED in found and BEST in found:
            lines += [f"- {one}" for one in bars(found)]
    return "\n".join(lines) + "\n"


def _table(found: Found) -> list[str]:
    heads = [
        "agent",
        "failed",
        "missed, %",
        "began against a bound",
        "asked against one",
        "events a session",
        "of them near it",
    ]
    heads += [head for _, head, _ in _MEANS]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    order = sorted(found, key=lambda name: -compare.mean(found[name], "reward").estimate)
    for name in order:
        tables = found[name]
        happened = sum(int(one["happens"].sum()) for one in tables)
        cells = [
            name,
            f"{sum(int(one['failed'].sum()) for one in tables)} of {sum(len(one['failed']) for one in tables)}",
            f"{100 * sum(int(one['missed'].sum()) for one in tables) / max(happened, 1):.1f}",
            *(
                f"{sum(int((one[column] > 0).sum()) for one in tables)}"
                for column in ("began_against", "asked_against")
            ),
            *(_bracketed(compare.event_rate(tables, which), 2) for which in (compare.EVENTS, compare.NEAR)),
        ]
        for column, _, digits in _MEANS:
            value = compare.mean(tables, column)
            cells.append(
                _bracketed(value, digits) if column in _INTERVALS else f"{value.estimate:.{digits}f}"
            )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def bars(found: Found) -> list[str]:
    """What is asked of the learned policy against the tuned consensus, and whether it is met."""
    ours, best = found[LEARNED], found[BEST]
    ratio, near = (compare.event_ratio(ours, best, which) for which in (compare.EVENTS, compare.NEAR))
    tir = compare.difference(ours, best, "tir_pct")
    eaten = compare.difference(ours, best, "eaten_g")
    return [
        f"Events a session over those of {BEST}: {_bracketed(ratio, 2)}; asked is {FEWER_EVENTS:.2f} or less: "
        f"{_met(ratio.estimate <= FEWER_EVENTS)}.",
        f"The same ratio of events that begin no later than six hours after a session: {_bracketed(near, 2)}. Later "
        "ones follow other meals, whose doses nothing advised around a session changes; this was asked when validation "
        "people had been looked at.",
        f"Time in range less that of {BEST}: {_bracketed(tir, 1, True)} points; asked is that the interval stays above "
        f"-{MARGIN_TIR_POINTS:g}: {_met(tir.low > -MARGIN_TIR_POINTS)}.",
        f"Carbohydrate in all less that of {BEST}: {_bracketed(eaten, 1, True)} g; asked is no more: "
        f"{_met(eaten.estimate <= 0)}.",
    ]


def _met(yes: bool) -> str:
    return "met" if yes else "**missed**"


def _bracketed(value: Interval, digits: int, signed: bool = False) -> str:
    form = f"{'+' if signed else ''}.{digits}f"
    return f"{value.estimate:{form}} [{value.low:{form}}, {value.high:{form}}]"
