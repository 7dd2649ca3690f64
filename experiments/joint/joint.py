"""The joint table: every row of everything that is committed, and visitors' own evaluations set beside them.

Protocols are not pooled: a row stands with those of its protocol and part alone, and nothing is averaged over them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from agents.frozen import NOTICE
from experiments.joint import counted, information, studies, tables
from experiments.joint.row import PAPER, SHARES, JointRow, Origin
from experiments.page.standings import standings
from experiments.records.tables import Table, write_table
from experiments.results import study_tables
from experiments.results.against_committed import RESULTS, against_committed
from experiments.results.agents_table import agents_table
from experiments.results.evaluations import Evaluation, read_evaluation
from experiments.results.study_tables import StudyTables
from twins.files import atomic_write_text

CSV, MARKDOWN = "table.csv", "table.md"
READERS: Mapping[str, Callable[[Path], Iterator[JointRow]]] = {
    "published": counted.published,
    "hidden": tables.hidden,
    "constrained": tables.constrained,
    "taught": tables.taught,
    "battery": counted.battery,
    "shield": counted.shield,
    "evidence": counted.evidence,
    "session": tables.session,
    "season": tables.season,
    "sleep": tables.sleep,
    "whole": tables.whole,
    "twins": tables.twins,
    "forecast": tables.forecast,
}
"""Who reads which study that has no tidy tables, in the order in which they stand."""
RANKS = (
    "Ranks may be read within a protocol and its part only: worlds, people and measures differ between them, and "
    "nothing is averaged over protocols."
)


@dataclass(frozen=True)
class Joint:
    """rows: all of them, in their order. studies: those with tidy tables, by name. said: how each visitor's evaluation
    stands to the committed ones, in the project's own words, by its folder."""

    rows: tuple[JointRow, ...]
    studies: Mapping[str, StudyTables]
    said: Mapping[str, str]

    def of(self, protocol: str) -> list[JointRow]:
        """The rows of one protocol or study."""
        return [one for one in self.rows if one.protocol == protocol]

    @property
    def protocols(self) -> list[str]:
        """Names of all protocols and studies with rows, in their order."""
        return list(dict.fromkeys(one.protocol for one in self.rows))


def joint(results: str | Path = RESULTS, beside: Sequence[str | Path] = ()) -> Joint:
    """Read everything. beside: folders of `scripts.evaluate`, whose rows are marked as the visitor's own.

    Raises FileNotFoundError or ValueError that name file and remedy, also where a committed table changed its columns.
    """
    results = Path(results)
    # first, so that what is no evaluation is refused at once
    visits = [(str(folder), read_evaluation(folder)) for folder in beside]
    read = cache(study_tables.read)
    known = {path: read(path) for path in studies.read_all(results)}
    ours = [row for path in known for row in studies.rows(path, known[path])]
    rows = studies.split_by_people(ours)
    for reader in READERS.values():
        rows += reader(results)
    said = dict[str, str]()
    for folder, done in visits:
        said[folder] = against_committed(done, results, read)
        rows += studies.split_by_people(list(_visitor(done, folder, said[folder])), among=ours)
    order = {name: k for k, name in enumerate(dict.fromkeys(row.protocol for row in rows))}
    rows.sort(key=lambda row: order[row.protocol])  # stable: a visitor's row comes last of its protocol
    return Joint(tuple(rows), {path.name: study for path, study in known.items()}, said)


def _visitor(done: Evaluation, folder: str, said: str) -> Iterator[JointRow]:
    """A row for each population of a visitor's evaluation; the note says where it may not be compared, and why."""
    agent, facts = str(done.summary["agent"]), agents_table([done], {})
    origin = Origin(folder, str(done.summary["command"]), str(done.summary["protocol_hash"]))
    known = information.of_study(facts, agent)
    refused = said.splitlines()[0] if said.startswith("Not compared") else ""
    for population, episodes in studies.populations(done.episodes):
        for row in standings(episodes, {agent} if known.learned else (), tuple(SHARES)):
            yield studies.joint_row(row, population, known, origin, folder, refused)


def tidy(rows: Sequence[JointRow]) -> Table:
    """The rows as columns; "nan" where a study does not give a number."""
    nan = float("nan")
    columns: dict[str, list[str | float]] = {
        "task": [one.task for one in rows],
        "protocol": [one.protocol for one in rows],
        "part": [one.part for one in rows],
        "agent": [one.agent for one in rows],
        "shield": [one.shield for one in rows],
        "visitor": [one.visitor for one in rows],
        "tier": [one.information.tier for one in rows],
        "learned_from": [one.information.learned_from for one in rows],
        "learned": [float(one.information.learned) for one in rows],
        "persons": [nan if one.persons is None else float(one.persons) for one in rows],
        "failed": [nan if one.failed is None else one.failed.count for one in rows],
        "failed_of": [
            nan if one.failed is None or one.failed.of is None else float(one.failed.of) for one in rows
        ],
        "failed_what": ["" if one.failed is None else one.failed.what for one in rows],
    }
    for name in SHARES:
        columns[name] = [one.share(name).estimate for one in rows]
        columns[f"{name}_low"] = [one.share(name).low for one in rows]
        columns[f"{name}_high"] = [one.share(name).high for one in rows]
    columns |= {
        "measure": [one.measure.name for one in rows],
        "unit": [one.measure.unit for one in rows],
        "better": [one.measure.better for one in rows],
        "value": [one.measure.value.estimate for one in rows],
        "value_low": [one.measure.value.low for one in rows],
        "value_high": [one.measure.value.high for one in rows],
        "note": [one.note for one in rows],
        "source": [one.origin.source for one in rows],
        "command": [one.origin.command for one in rows],
        "protocol_hash": [one.origin.protocol_hash for one in rows],
        "simulator": [one.origin.simulator for one in rows],
    }
    return {name: np.array(column) for name, column in columns.items()}


def markdown(rows: Sequence[JointRow]) -> str:
    """The rows as Markdown, a table for each protocol and part, failures first."""
    lines = [
        "# The joint table",
        "",
        f"Made by `python -m scripts.site`. Simulated people. {NOTICE}",
        "",
        RANKS,
        "",
    ]
    heads = (
        "agent",
        "shield",
        "persons",
        "failures",
        *SHARES.values(),
        "measure",
        "learned from",
        "from",
        "note",
    )
    for key in dict.fromkeys((one.protocol, one.part) for one in rows):
        mine = [one for one in rows if (one.protocol, one.part) == key]
        first = head_of(mine)
        lines += [
            f"## {_shown(key[0])}: {_shown(key[1])}",
            "",
            f"{measured(first)}; made by `{_shown(first.origin.command)}`.",
            "",
        ]
        lines += [f"| {' | '.join(heads)} |", "|---|---|" + "---:|" * (len(heads) - 5) + "---|---|---|"]
        lines += [f"| {' | '.join(_cells(one))} |" for one in mine] + [""]
    return "\n".join(lines)


def head_of(rows: Sequence[JointRow]) -> JointRow:
    """The row that speaks for a group: of the project's own, not a visitor's nor a paper's, where there is one."""
    return next((one for one in rows if not one.visitor and not one.agent.startswith(PAPER)), rows[0])


def measured(row: JointRow) -> str:
    """What counts as failed, and the measure with its unit, in words."""
    failed = f"Failed: {row.failed.what}. " if row.failed is not None else ""
    unit = f", {row.measure.unit}" if row.measure.unit else ""
    better = f" ({row.measure.better} is better)" if row.measure.better else ""
    return f"{failed}Measure: {row.measure.name}{unit}{better}"


def _shown(value: object) -> str:
    """Text within a line of Markdown: names come from folders and files that anybody wrote."""
    text = " ".join(str(value).split())
    for mark, instead in (("&", "&amp;"), ("<", "&lt;"), ("|", "/"), ("`", "'")):
        text = text.replace(mark, instead)
    return text


def _cells(row: JointRow) -> list[str]:
    shares = [f"{row.share(name).text} {row.share(name).interval}".strip() for name in SHARES]
    value = row.measure.value
    cells = [
        f"{row.agent} (your own)" if row.visitor else row.agent,
        row.shield, "" if row.persons is None else str(row.persons),
        "" if row.failed is None else row.failed.text, *shares, f"{value.text} {value.interval}".strip(),
        f"{row.information.tier}: {row.information.learned_from}".removeprefix(": "), row.origin.source, row.note,
    ]  # fmt: skip
    return [_shown(one) for one in cells]


def write(rows: Sequence[JointRow], folder: str | Path) -> list[Path]:
    """Write table.csv and table.md into a folder that exists; their paths."""
    paths = [Path(folder) / CSV, Path(folder) / MARKDOWN]
    write_table(paths[0], tidy(rows))
    atomic_write_text(paths[1], markdown(rows))
    return paths
