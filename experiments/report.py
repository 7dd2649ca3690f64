"""One page about one study: who failed, what may be claimed, from what, and what it cost.

The page is one HTML file that asks for nothing from outside and is computed from the tidy tables of a study alone.
It is read without its script, which only saves figures.
"""

from collections.abc import Mapping, Sequence
from itertools import count as counter
from pathlib import Path
from typing import Any

from agents.frozen import NOTICE
from experiments.page import beyond, figures, listings, sentences, standings, tables
from experiments.page.fill import TEMPLATES, environment, script
from experiments.page.findings import Findings
from experiments.plots.style import describe
from experiments.records.tables import select
from experiments.results import study_tables
from experiments.results.collect import collect
from experiments.results.study_tables import StudyTables
from experiments.results.subgroups import CANNOT_BE_ASSESSED
from twins.files import atomic_write_text

_SECTIONS = {
    "failures": "Failures",
    "results": "Results",
    "simulated": "What was simulated",
    "agents": "Who was judged, and what they may know",
    "persons": "Person by person",
    "costs": "What it cost",
    "curves": "Glucose by hour, after meals and at night",
    "doses": "What is dosed where",
    "degradation": "When the world changes",
    "groups": "Groups of people",
    "learning": "Learning",
    "strips": "One day, step by step",
    "diary": "A recorded person's meals on a virtual body",
    "provenance": "Where the numbers come from",
    "limits": "Limits",
    "notes": "Notes",
}

Part = dict[str, Any]
"""What the template gets."""


def write_report(
    out_html: str | Path,
    study: StudyTables | str | Path | Sequence[str | Path],
    runs: Sequence[str | Path] | Mapping[str | Path, str] = (),
    diary: Sequence[str | Path] = (),
    title: str | None = None,
    notes: Sequence[str] = (),
) -> Path:
    """Write the page and give its path.

    study: the tables of a study, their folder, or folders of scripts.evaluate; runs, diary (evaluations on recorded
    days) go with the last, see `experiments.results.collect`. title, notes: instead of and beside the study's own.
    Raises FileNotFoundError or ValueError that name file and remedy, or StorageError.
    """
    if isinstance(study, str | Path):
        study = study_tables.read(study)
    elif not isinstance(study, StudyTables):
        study = collect([*study, *diary], runs)
    html = render(Findings(study), title, notes)
    out_html = Path(out_html)
    out_html.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_text(out_html, html)
    return out_html


def render(view: Findings, title: str | None = None, notes: Sequence[str] = ()) -> str:
    """The page as HTML."""
    study = view.study
    claim = sentences.claim(view)
    failed_text, failed_lines = sentences.failures(view)
    compared = view.contrast is not None
    page: Part = {
        "title": title or study.about["title"],
        "disclaimer": NOTICE,
        "outcome": sentences.outcome(view),
        "claim": claim[0],
        "details": claim[1:],
        "failures": {
            "text": [sentences.flow(view), *failed_text],
            "table": listings.failed(view, failed_lines),
            "lost": listings.lost(view),
            "bounds": tables.bounds(view),
        },
        "results": {
            "text": [sentences.chosen(view)] if compared else [],
            "contrasts": tables.contrasts(view),
            "pairs": beyond.pairs(view),
            "tails": beyond.tails(view),
            "table": tables.results(view),
            "figures": [figures.bars(view), figures.pareto(view)],
        },
        "simulated": sentences.facts(view),
        "agents": {"text": sentences.training(view), "table": listings.agents(view)},
        "persons": [figures.dots(view), figures.profiles(view)] if compared else [figures.profiles(view)],
        "costs": {"table": tables.costs(view), "figures": [figures.costs(view)]},
        "curves": figures.aligned(view) if study.curves is not None else [],
        "doses": figures.dose_maps(view) if study.doses is not None else [],
        "degradation": [figures.sweep(view)] if study.sweep is not None else [],
        "groups": _groups(view),
        "learning": [figures.curve(view)] if study.learning is not None else [],
        "strips": figures.strips(view, view.primary["protocol"]),
        "diary": [_diary(view, protocol) for protocol in view.diaries()],
        "provenance": {
            "text": _provenance(study.about),
            "command": study.about["command"],
            "tables": listings.provenance(view),
        },
        "limits": sentences.limits(view),
        "notes": [*study.about.get("notes", ()), *notes],
    }
    page["heads"] = _SECTIONS
    page["sections"] = [(name, heading) for name, heading in _SECTIONS.items() if page[name]]
    numbers = counter(1)
    page |= script(TEMPLATES / "report.js")
    return environment().get_template("report.html").render(page, next_number=lambda: next(numbers))


def _groups(view: Findings) -> Part | None:
    table = tables.groups(view)
    if table is None:
        return None
    text = list(CANNOT_BE_ASSESSED) if view.study.subgroups is not None else []
    return {"text": text, "table": table, "checks": listings.checks(view)}


def _diary(view: Findings, protocol: str) -> Part:
    """A part for a recorded person: whose meals, the results, and one day."""
    episodes = select(view.study.episodes, protocol=protocol)
    return {
        "heading": protocol,
        "text": sentences.diary(view.study.about["protocols"][protocol], protocol, episodes),
        "table": tables.diary(
            view, protocol, standings.standings(episodes, view.learned), describe(episodes)
        ),
        "strips": figures.strips(view, protocol),
    }


def _provenance(about: Mapping[str, Any]) -> list[str]:
    """How to check a number, with versions and machine."""
    versions = "; ".join(f"{name} {version}" for name, version in about["versions"].items())
    cpu = (about.get("machine") or {}).get("cpu")
    return [
        "Every figure and table names its file, its protocol and the first twelve digits of the protocol's hash, of "
        "settings and simulator; evaluations are only compared when the whole hash is the same. Names of agents in "
        "tables lead to the lines below, which name run and command.",
        f"Versions: {versions}." + (f" Machine: {cpu}." if cpu else ""),
    ]
