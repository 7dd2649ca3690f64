"""Rows of studies that are committed as Markdown: one function for each file.

Columns are asked for by name, all of them and in their order, so that a table that changed is refused and not misread.
"""

from collections.abc import Iterator
from pathlib import Path

from experiments.hidden.arms import ARMS, POLICIES
from experiments.joint import information
from experiments.joint.markdown import read_page
from experiments.joint.row import SHARES, TIME_IN_RANGE, Failed, Information, JointRow, Measure
from experiments.results.evaluations import METRICS
from experiments.studies.settings import load_study

SESSION_HEADS = (
    "agent", "failed", "missed, %", "began against a bound", "asked against one", "events a session",
    "of them near it", "<70, %", "<54, %", "70-180, %", ">180, %", "carbs advised, g", "rescue carbs, g",
    "insulin, U", "reward",
)  # fmt: skip
SLEEP_HEADS = (
    "agent", "nights below the floor", "plans changed, %", "slept, h", "lapses", "sleepy, %", "objective",
)  # fmt: skip
SEASON_HEADS = (
    "agent", "days over ratio 1.5", "asked for", "bounded days", "load within 10 %, %", "weeks of 150 min, %",
    "days lost", "skipped", "people who gain, %", "gain, points", "objective",
)  # fmt: skip
WHOLE_HEADS = (
    "agent", "failed", "in range, %", "<70, %", "<54, %", ">180, %", "exercise, min/week", "weeks of 150 min, %",
    "slept, h", "to usual, min", "advice followed, %", "lows a session", "burden a day",
    "short of constraints a day", "objective a day",
)  # fmt: skip
HIDDEN = ("m3", "m2", "m1")
"""Rungs with hidden people that are committed, the primary one first."""
HIDDEN_HEADS = ("arm", "shield", "failures", "<54", "<70", "70-180", "shield acted", "what")
STUDY_HEADS = ("agent", "shield", "persons", "failures", *(name for name, _ in METRICS.values()))
FORECAST_HEADS = ("forecast", "people", "RMSE at 60 min, mg/dL", "AUC of a low", "Brier")
_HOURS = (1, 2, 4)
TWIN_KINDS = {
    "twin": "forecast twin", "causal": "causal twin", "persistence": "last reading",
    "time of day mean": "own mean by hour", "population twin": "twin of the others", "ridge": "ridge regression",
}  # fmt: skip
TWIN_HEADS = (
    "person", "light", *(f"{kind} {hours} h" for kind in TWIN_KINDS for hours in _HOURS), "90 % band", "fall / rule",
    "carbs",
)  # fmt: skip


def hidden(results: Path) -> Iterator[JointRow]:
    """Arms of hidden people on new days, of every rung."""
    for rung in HIDDEN:
        page = read_page(results / "hidden" / f"{rung}.md")
        (table,) = page.with_heads(HIDDEN_HEADS)
        people = int(page.found(r"(\d+) hidden people")[1])
        for row in table.rows:
            arm, tir = row[0], table.value(row, "70-180")
            if arm not in information.ARM_TIERS:
                raise ValueError(
                    f"{table.where}: what arm {arm!r} may know is not said in experiments.joint.information"
                )
            known = Information(information.ARM_TIERS[arm], ARMS[arm], arm in POLICIES)
            shares = {
                "below_54_pct": table.value(row, "<54"),
                "below_70_pct": table.value(row, "<70"),
                "tir_pct": tir,
            }
            yield JointRow(
                "dosing", f"hidden-{rung}", f"{people} hidden people, settings from their diaries", arm, row[1], people,
                table.failed(row, "failures", "fortnights"), Measure(TIME_IN_RANGE, "% of time", tir, "more"), known,
                page.origin(results), shares,
            )  # fmt: skip


def session(results: Path) -> Iterator[JointRow]:
    """Agents around a session of exercise, on three groups of people."""
    page = read_page(results / "session" / "table.md")
    for table in page.with_heads(SESSION_HEADS):
        for row in table.rows:
            shares = {
                "below_54_pct": table.value(row, "<54, %"), "below_70_pct": table.value(row, "<70, %"),
                "tir_pct": table.value(row, "70-180, %"), "above_180_pct": table.value(row, ">180, %"),
            }  # fmt: skip
            yield JointRow(
                "exercise", "session", table.under[-1], row[0], "rule and bounds", None,
                table.failed(row, "failed", "episodes of 26 h"),
                Measure("lows a completed session", "events", table.value(row, "events a session"), "less"),
                information.of(row[0]), page.origin(results), shares,
            )  # fmt: skip


def sleep(results: Path) -> Iterator[JointRow]:
    """Three weeks of sleep under imposed hours, by clock and kind of hours."""
    page = read_page(results / "sleep" / "table.md")
    for table in page.with_heads(SLEEP_HEADS):
        clock, (kind, people) = table.under[-2], table.under[-1].split(", ")
        for row in table.rows:
            below = table.value(row, "nights below the floor").estimate
            yield JointRow(
                "sleep", "sleep", f"{clock}, {_KINDS_OF_HOURS[kind]}", row[0], "bounds", int(people.split()[0]),
                Failed(below, None, "nights below the floor"),
                Measure("objective", "points", table.value(row, "objective"), "more"),
                information.of(row[0]), page.origin(results),
            )  # fmt: skip


_KINDS_OF_HOURS = {
    "all": "all hours", "east": "after a flight east", "nights": "rota of nights", "school": "school",
}  # fmt: skip


def season(results: Path) -> Iterator[JointRow]:
    """Twelve weeks of training on bodies of two models."""
    page = read_page(results / "season" / "table.md")
    tables = page.with_heads(SEASON_HEADS)
    said = [one.split(", ") for one in page.text.splitlines() if one.endswith(" test.") and "bounds" in one]
    if [len(one) for one in said] != [5] * len(tables):
        raise ValueError(
            f"{page.path}: a line such as '300 people, 84 days, busso, ...' is wanted before each table"
        )
    for table, (people, _, model, *_) in zip(tables, said, strict=True):
        for row in table.rows:
            over = table.value(row, "days over ratio 1.5").estimate
            yield JointRow(
                "training", "season", f"bodies of {model.capitalize()}'s model", row[0], "bounds",
                int(people.split()[0]), Failed(over, None, "days over the ratio of loads, a person"),
                Measure("gain", "points of performance", table.value(row, "gain, points"), "more"),
                information.of(row[0]), page.origin(results),
            )  # fmt: skip


def whole(results: Path) -> Iterator[JointRow]:
    """Four weeks of insulin, exercise and sleep."""
    page = read_page(results / "whole" / "table.md")
    (table,) = page.with_heads(WHOLE_HEADS)
    people = int(page.found(r"lives of (\d+) people")[1])
    for row in table.rows:
        shares = {
            "below_54_pct": table.value(row, "<54, %"), "below_70_pct": table.value(row, "<70, %"),
            "tir_pct": table.value(row, "in range, %"), "above_180_pct": table.value(row, ">180, %"),
        }  # fmt: skip
        yield JointRow(
            "whole person", "whole", "drawn adults, couplings from the prior", row[0], "rule and bounds", people,
            table.failed(row, "failed", "lives of four weeks"),
            Measure("objective", "a day", table.value(row, "objective a day"), "more"),
            information.of(row[0]), page.origin(results), shares,
        )  # fmt: skip


def constrained(results: Path) -> Iterator[JointRow]:
    """Learning under a limit of cost."""
    yield from _learned_in_minutes(results, "constrained")


def taught(results: Path) -> Iterator[JointRow]:
    """Learning from lessons of the planner."""
    yield from _learned_in_minutes(results, "taught")


def _learned_in_minutes(results: Path, name: str) -> Iterator[JointRow]:
    """A study whose policies are not kept; its table is."""
    page = read_page(results / name / "table.md")
    (table,) = page.with_heads(STUDY_HEADS)
    learners = load_study(name).learners
    rows = [(row, int(row[2])) for row in table.rows]
    most = max(count for _, count in rows)
    for row, persons in rows:
        shares = {name: table.value(row, head) for name, (head, _) in METRICS.items() if name in SHARES}
        agent = row[0].removesuffix(" \\*")
        known = information.of_treatment(agent) or Information(
            "T2 (other bodies)", f"a few minutes on the people of the other folds; {learners[agent].words}", True
        )
        yield JointRow(
            "dosing", name, f"protocol realistic, {'all' if persons == most else 'fold 0 of the'} people",
            agent, row[1], persons, table.failed(row, "failures", "episodes"),
            Measure(TIME_IN_RANGE, "% of time", shares["tir_pct"], "more"), known, page.origin(results), shares,
        )  # fmt: skip


def twins(results: Path) -> Iterator[JointRow]:
    """Personal twins of recorded people and their rivals, on days after their fit."""
    for name, words in (("azt1d", "AZT1D"), ("t1d-uom", "T1D-UOM")):
        page = read_page(results / "personal" / f"{name}.md")
        (table,) = page.with_heads(TWIN_HEADS)
        last = table.rows[-1]
        people = page.found(r"median of (\d+) whose record suffices")[1]
        refused = len([line for line in page.text.splitlines() if " may not be used: " in line])
        fitted = len(table.rows) - 1
        for kind, agent in TWIN_KINDS.items():
            error = table.value(last, f"{kind} {_HOURS[-1]} h")
            yield JointRow(
                "forecasts of people", "twins", f"{words}, median of {people} whose record suffices", agent, "",
                int(people), Failed(refused, fitted, "records that may not be used"),
                Measure(f"error of forecasts at {_HOURS[-1]} h", "mg/dL (RMSE)", error, "less"),
                Information("T1" if "twin" in agent else "", "ten days of the person" if agent != "twin of the others"
                            else "the other people", "twin" in agent),
                page.origin(results),
            )  # fmt: skip


def forecast(results: Path) -> Iterator[JointRow]:
    """Forecasters of glucose an hour ahead on AZT1D."""
    page = read_page(results / "forecast" / "table.md")
    (table,) = page.with_heads(FORECAST_HEADS)
    for row in table.rows:
        yield JointRow(
            "forecasts of people", "forecast", "AZT1D, last fifth of each record", row[0], "", int(row[1]), None,
            Measure("error at 60 min", "mg/dL (RMSE)", table.value(row, "RMSE at 60 min, mg/dL"), "less"),
            Information("", "earlier days of the same people", row[0].startswith(("forecaster", "gradient"))),
            page.origin(results),
        )  # fmt: skip
