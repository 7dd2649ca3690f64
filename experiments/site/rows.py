"""Rows of the joint table as templates take them: groups that are not compared with each other, and their cells."""

from collections.abc import Sequence
from typing import Any

from experiments.joint.information import card_of
from experiments.joint.joint import head_of, measured
from experiments.joint.row import SHARES, JointRow, Value

HEADS: tuple[tuple[str, str, str], ...] = (
    ("Agent", "", "text"),
    ("Shield", "", "text"),
    ("Persons", "", "number"),
    ("Failed", "", "number"),
    *((head, "% of time", "number") for head in SHARES.values()),
    ("Measure", "see the group", "number"),
    ("What it learned from", "", "text"),
)
"""Heads of the table: words, unit, and how the column is sorted."""
Group = dict[str, Any]


def groups(rows: Sequence[JointRow]) -> list[Group]:
    """A group for each protocol and part, in the order of the rows; a visitor's rows stand at the end of theirs."""
    found = []
    for key in dict.fromkeys((one.protocol, one.part) for one in rows):
        mine = [one for one in rows if (one.protocol, one.part) == key]
        first = head_of(mine)
        found.append(
            {
                "protocol": first.protocol,
                "part": first.part,
                "words": measured(first),
                "command": first.origin.command,
                "source": "" if first.visitor else first.origin.source,
                "hash": first.origin.protocol_hash[:12],
                "simulator": first.origin.simulator[:12],
                "rows": [_row(one) for one in mine],
            }
        )
    return found


def _row(one: JointRow) -> Group:
    measure, people = one.measure.value, "" if one.persons is None else f"{one.persons:,}"
    numbers = [
        {"text": people, "small": "", "sort": _sort(one.persons), "bad": False},
        {
            "text": "" if one.failed is None else one.failed.text,
            "small": "",
            "sort": _sort(None if one.failed is None else one.failed.count / (one.failed.of or 1)),
            "bad": one.failed is not None and one.failed.count > 0,
        },
        *(_cell(one.share(name)) for name in SHARES),
        _cell(measure),
    ]  # fmt: skip
    return {
        "agent": one.agent,
        "card": card(one),
        "note": one.note,
        "learned": one.information.learned,
        "visitor": one.visitor,
        "shield": one.shield,
        "cells": numbers,
        "tier": one.information.tier,
        "learned_from": one.information.learned_from,
    }


def card(one: JointRow) -> str:
    """Name of the policy's folder whose card tells of this row's agent; empty where there is none."""
    path = card_of(one.agent) if one.information.learned and not one.visitor else None
    return "" if path is None else path.parent.name


def _cell(value: Value) -> Group:
    return {"text": value.text, "small": value.interval, "sort": _sort(value.estimate), "bad": False}


def _sort(number: float | None) -> str:
    """What a cell is sorted by; empty where it has no number."""
    return "" if number is None or number != number else f"{number:.10g}"
