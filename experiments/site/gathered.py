"""What the site is made of, read once: the joint table, the comparisons, people and days, and the commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.explain import index
from experiments.explain.index import Day
from experiments.joint.joint import Joint, joint
from experiments.records.provenance import git
from experiments.results.against_committed import RESULTS
from experiments.site import people, verdicts
from experiments.site.people import Person
from experiments.site.verdicts import Comparison

DAYS = "days"
"""The folder of pages of single days, below results and in the site."""


@dataclass(frozen=True)
class Site:
    """results: the folder that was read. command: what builds the site. commit: in short; empty if it is not known."""

    results: Path
    joint: Joint
    compared: tuple[Comparison, ...]
    people: tuple[Person, ...]
    days: tuple[Day, ...]
    command: str
    commit: str


def gather(results: str | Path = RESULTS, beside: Sequence[str | Path] = (), command: str = "") -> Site:
    """Read all that is committed below results, and a visitor's folders. Raises what its readers do."""
    results = Path(results)
    found = joint(results, beside)
    return Site(
        results,
        found,
        tuple(verdicts.comparisons(found, results)),
        tuple(people.everybody(found.studies, results)),
        tuple(index.read(results / DAYS)),
        command,
        _commit(git()),
    )


def _commit(state: Mapping[str, Any]) -> str:
    """The commit in short, where it can be told, and whether files differ from it."""
    if not state["commit"]:
        return ""
    return f"{state['commit'][:12]}{' with changes' if state['diff_sha256'] else ''}"
