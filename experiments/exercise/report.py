"""The twin's exercise beside people's, as a table and a figure."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.frozen import NOTICE
from experiments.exercise.targets import Found
from experiments.plots.exercise import forest
from experiments.plots.style import svg
from experiments.records.tables import Table
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


def table(found: Sequence[Found], command: Sequence[str]) -> str:
    """Markdown: every target, fitted ones first, and why the twin misses where it does."""
    held = [one for one in found if not one.target.fitted]
    lines = [
        "# Exercise: the twin beside trials in people",
        "",
        f"Made by `{' '.join(command)}`. {NOTICE}",
        "",
        "Ten adults of the UVA/Padova table (three times, each time with exercise drawn anew; sixteen times at home) "
        f"and ten adolescents (twenty times). Held out: {sum(one.inside for one in held)} of {len(held)} inside the "
        "95 % interval of people. They were seen before the form of the equations was settled: that muscle levels "
        "off, and that what is held has an end, came after a first comparison (8 of 13). So the count says how well "
        "the twin does, not how well it foresees trials that nobody had looked at.",
        "",
        "| | trial | people [95 %] | twin | inside | used | interval | source |",
        "|---|---|---:|---:|---|---|---|---|",
    ]
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
        "difference, or from the pairs that differ; `like`, with the standard deviation of a like trial.",
    ]
    missed = [one for one in found if not one.inside]
    if missed:
        lines += ["", "Where the twin misses, and why:", ""]
        lines += [f"- {one.target.name}: {one.target.misfit or 'no reason known'}." for one in missed]
    return "\n".join(lines) + "\n"


def write(found: Sequence[Found], out: str | Path, command: Sequence[str]) -> str:
    """Write table.md and forest.svg into a folder; returns the table."""
    text = table(found, command)
    atomic_write_bytes(Path(out) / "forest.svg", svg(forest(tidy(found))))
    atomic_write_text(Path(out) / "table.md", text)
    return text
