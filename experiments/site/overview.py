"""The overview: what failed, where learned policies lose, what cannot be told, where they win; all of it counted."""

from collections.abc import Sequence
from typing import Any

from experiments.joint.row import JointRow
from experiments.results.words import count
from experiments.site.verdicts import LOST, OPEN, WON, Comparison

_BATTERY, _EVIDENCE = "battery", "evidence"


def claim(found: Sequence[Comparison]) -> str:
    """The first sentence: how the comparisons with rivals came out."""
    lost, open_, won = (len(of(found, which)) for which in (LOST, OPEN, WON))
    return (
        f"Of {count(len(found), 'comparison')} of a learned policy with a rival, {lost} end in more failures or worse, "
        f"{open_} cannot be told or have a price in lows, and {won} are better or won. Which is which stands below, "
        "failures first; comparisons of different protocols do not add up to a verdict."
    )


def of(found: Sequence[Comparison], outcomes: Sequence[str]) -> list[Comparison]:
    """Those with one of these outcomes, unsafe ones first."""
    mine = [one for one in found if one.outcome in outcomes]
    return sorted(mine, key=lambda one: outcomes.index(one.outcome))


def counts(rows: Sequence[JointRow], found: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Numbers in large letters, failures first."""
    learned = _learned(rows)
    failing = [one for one in learned if one.failed is not None and one.failed.count]
    lost, won = of(found, LOST), of(found, WON)
    return [
        {"words": "learned rows with a failure", "number": f"{len(failing)} of {len(learned)}", "bad": True},
        {"words": "comparisons with a rival: unsafe or worse", "number": f"{len(lost)} of {len(found)}", "bad": True},
        {"words": "better or won", "number": f"{len(won)} of {len(found)}", "bad": False},
        {"words": "rows in the joint table", "number": f"{sum(not one.visitor for one in rows):,}", "bad": False},
    ]  # fmt: skip


def failed(rows: Sequence[JointRow]) -> dict[str, Any]:
    """Sentences on the safety studies, and the rows of learned policies with a failure, the largest share first."""
    learned = _learned(rows)
    failing = [one for one in learned if one.failed is not None and one.failed.count]
    failing.sort(key=lambda one: -_share(one))
    text = [
        f"In {len(learned) - len(failing)} of {len(learned)} rows of learned policies nothing failed; in "
        f"{len(failing)} something did. A row is an agent under one shield setting on one group of people of one "
        "protocol."
    ]
    text += [_battery(one) for one in rows if one.protocol == _BATTERY and one.measure.name.startswith("faults")
             and one.information.learned]  # fmt: skip
    text += [
        _evidence(one) for one in rows
        if one.protocol == _EVIDENCE and one.information.learned and one.note and "faults" in one.part
    ]  # fmt: skip
    table = [
        [one.agent, f"{one.protocol}: {one.part}", one.shield, one.failed.text, one.failed.what]
        for one in failing
        if one.failed is not None
    ]
    return {"text": text, "rows": table}


def _learned(rows: Sequence[JointRow]) -> list[JointRow]:
    """Rows of learned agents that act and can fail, without a visitor's; forecasts fail at nothing."""
    return [
        one
        for one in rows
        if one.information.learned and not one.visitor and one.failed is not None and one.shield
    ]


def _share(row: JointRow) -> float:
    assert row.failed is not None, "only rows that can fail are asked"
    return row.failed.count / (row.failed.of or 1)


def _battery(row: JointRow) -> str:
    assert row.failed is not None, "the battery counts deaths"
    met = f"{row.measure.value.text} {row.measure.unit} faults"
    return (
        f"Fault battery: behind the {row.shield} shield alone {row.agent} meets all bars under {met}, and "
        f"{row.failed.text} {row.failed.what} under a fault."
    )


def _evidence(row: JointRow) -> str:
    assert row.failed is not None, "bodies are counted"
    return (
        f"Drawn bodies, {row.part}, behind the {row.shield} shield: plasma glucose below 40 mg/dL in "
        f"{row.measure.value.text} % of {row.persons:,} bodies, {row.note}; {row.failed.text} died. This is no risk of "
        "people."
    )
