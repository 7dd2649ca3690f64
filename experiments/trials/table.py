"""The twin beside trials in people, as a table and a figure."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.frozen import NOTICE
from experiments.plots.exercise import forest
from experiments.plots.style import svg
from experiments.records.tables import Table
from experiments.trials.target import Found
from twins.files import atomic_write_bytes, atomic_write_text


def tidy(found: Sequence[Found]) -> Table:
    """A row a target, as `experiments.plots.exercise.forest` reads them."""
    columns: Table = {
        name: np.array([getattr(one.target, name) for one in found])
        for name in ("words", "unit", "value", "low", "high", "fitted")
    }
    columns["twin"] = np.array([one.model for one in found])
    columns["inside"] = np.array([one.inside for one in found])
    return columns


def table(found: Sequence[Found], head: str, words: str, command: Sequence[str]) -> str:
    """Markdown: every target, fitted ones first, and why the twin misses where it does. words: on whom, and what the
    count of those held out is worth; {inside} and {held} stand for its numbers."""
    held = [one for one in found if not one.target.fitted]
    lines = [
        f"# {head}", "", f"Made by `{' '.join(command)}`. {NOTICE}", "",
        words.format(inside=sum(one.inside for one in held), held=len(held)), "",
        "| | trial | people [95 %] | twin | inside | used | interval | source |",
        "|---|---|---:|---:|---|---|---|---|",
    ]  # fmt: skip
    for one in found:
        target = one.target
        lines.append(
            f"| {target.name} | {target.words}, {target.unit} | {target.value:+.2f} [{target.low:+.2f}, "
            f"{target.high:+.2f}] | {one.model:+.2f} | {'yes' if one.inside else '**no**'} | "
            f"{'fitted' if target.fitted else 'held out'} | {target.how} | {target.source} |"
        )
    lines += [
        "",
        "Intervals: `published`; `sd`, from standard deviation and number of people; `p`, from the P value of the "
        "difference, or from the pairs that differ; `like`, with the standard deviation of a like trial; `assumed`.",
    ]
    missed = [one for one in found if not one.inside]
    if missed:
        lines += ["", "Where the twin misses, and why:", ""]
        lines += [f"- {one.target.name}: {one.target.misfit or 'no reason known'}." for one in missed]
    return "\n".join(lines) + "\n"


def write(
    found: Sequence[Found], out: str | Path, name: str, head: str, words: str, command: Sequence[str]
) -> str:
    """Write NAME.md and NAME.svg, the forest, into a folder; returns the table. head, words: see `table`."""
    text = table(found, head, words, command)
    atomic_write_bytes(Path(out) / f"{name}.svg", svg(forest(tidy(found))))
    atomic_write_text(Path(out) / f"{name}.md", text)
    return text
