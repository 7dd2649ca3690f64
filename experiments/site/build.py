"""The site: a folder of pages that ask for nothing from outside, computed from committed files alone.

Nothing is simulated or trained. Every page is read without its script, which sorts and filters tables.
"""

import base64
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from agents.frozen import NOTICE
from experiments.joint import joint as joint_table
from experiments.joint.information import tiers
from experiments.joint.joint import RANKS, Joint, joint
from experiments.joint.markdown import read_page
from experiments.joint.row import SHARES
from experiments.page.svg import inline as inline_svg
from experiments.plots.persons import among
from experiments.records.provenance import git
from experiments.records.tables import Table, select
from experiments.results.against_committed import RESULTS
from experiments.results.words import is_reference
from experiments.site import credibility, days, figures, overview, people, rows, studies, verdicts
from experiments.site.days import Day
from experiments.site.document import inline
from experiments.site.people import Person
from experiments.site.studies import PAGES
from experiments.site.verdicts import Comparison
from twins.files import atomic_write_text, check_writable

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_SHARED = Path(__file__).resolve().parent.parent / "page" / "templates"
_NAV = (
    ("index.html", "Overview"),
    ("table.html", "Table"),
    ("index.html#protocols", "Protocols and studies"),
    ("index.html#people", "People"),
    ("index.html#days", "Days"),
    ("credibility.html", "Credibility"),
)
_SECTIONS = (
    ("failed", "What failed"),
    ("lost", "Where the learned policy loses"),
    ("open", "What cannot be told"),
    ("won", "Where it wins"),
    ("protocols", "Protocols and studies"),
    ("people", "People"),
    ("days", "One day, step by step"),
)
NOT_MADE = "No page of a single day is committed yet: results/days/ does not exist."
_PRIMARY = "realistic"


@dataclass
class Site:
    """What the pages are made of. files: committed files that pages link to, below results."""

    out: Path
    results: Path
    joint: Joint
    compared: list[Comparison]
    people: list[Person]
    days: list[Day]
    command: str
    commit: str
    files: set[str] = field(default_factory=set)
    made: list[Path] = field(default_factory=list)


def build(
    out: str | Path, results: str | Path = RESULTS, beside: Sequence[str | Path] = (), command: str = ""
) -> list[Path]:
    """Write the site into a folder; the paths of its pages, the overview first.

    beside: folders of `scripts.evaluate` that are set beside what is committed. Raises FileNotFoundError or ValueError
    that name file and remedy, or StorageError.
    """
    out, results = Path(out), Path(results)
    check_writable(out, 40.0)
    found = joint(results, beside)
    state = git()
    site = Site(
        out, results, found, verdicts.comparisons(found, results), people.everybody(found.studies, results),
        days.read(results), command or "python -m scripts.site", _commit(state),
    )  # fmt: skip
    joint_table.write(found.rows, out)
    environment = _environment(site)
    _overview(site, environment)
    _table(site, environment)
    _credibility(site, environment)
    for name in PAGES:
        _protocol(site, environment, name)
    for k, person in enumerate(site.people):
        _person(site, environment, person, site.people[k - 1 : k] or [], site.people[k + 1 : k + 2])
    for day in site.days:
        _copy(site.results / days.FOLDER / day.file, out / days.FOLDER / day.file)
    for file in sorted(site.files):
        _copy(results / file, out / "files" / file)
    return site.made


def _commit(state: Mapping[str, Any]) -> str:
    """The commit in short, where it can be told, and whether files differ from it."""
    if not state["commit"]:
        return ""
    return f"{state['commit'][:12]}{' with changes' if state['diff_sha256'] else ''}"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _environment(site: Site) -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_TEMPLATES, _SHARED]), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["inline"] = inline
    made.globals |= {
        "notice": NOTICE, "nav": _NAV, "ranks": RANKS, "heads": rows.HEADS, "command": site.command,
        "commit": site.commit, "pages_of": {}, "share_names": tuple(SHARES), "share_heads": tuple(SHARES.values()),
    }  # fmt: skip
    return made


def _write(
    site: Site, environment: jinja2.Environment, template: str, path: str, sorts: bool = False, **given: Any
) -> None:
    """Fill a template and write it at a path below the site's folder. sorts: the page has a table that is sorted."""
    script = (_TEMPLATES / "sort.js").read_text(encoding="utf-8") if sorts else ""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    root = "../" * path.count("/")
    text = environment.get_template(template).render(
        here=path, root=root, script=script, script_hash=digest, **given
    )
    target = site.out / path
    target.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_text(target, text)
    site.made.append(target)


def _overview(site: Site, environment: jinja2.Environment) -> None:
    found = site.compared
    site.files |= {one.source for one in found}
    _write(
        site, environment, "index.html", "index.html",
        title="What learned policies do on digital twins, and what fails",
        claim=overview.claim(found), counts=overview.counts(site.joint.rows, found),
        failed=overview.failed(site.joint.rows), lost=overview.of(found, verdicts.LOST),
        open=overview.of(found, verdicts.OPEN), won=overview.of(found, verdicts.WON), sections=_SECTIONS,
        pages=[(name, page, len(site.joint.of(name))) for name, page in PAGES.items()], people=site.people,
        days=site.days, not_made=NOT_MADE,
    )  # fmt: skip


def _table(site: Site, environment: jinja2.Environment) -> None:
    all_rows = site.joint.rows
    site.files |= {one.origin.source for one in all_rows if not one.visitor}
    _write(
        site, environment, "table.html", "table.html", sorts=True, title="The joint table",
        groups=rows.groups(all_rows), count=f"{len(all_rows):,}", protocols=len(site.joint.protocols),
        tiers=tiers([one.information for one in all_rows]), said=site.joint.said,
    )  # fmt: skip


def _credibility(site: Site, environment: jinja2.Environment) -> None:
    said = credibility.read(site.results, site.joint, site.compared)
    site.files |= credibility.sources(said)
    _write(site, environment, "credibility.html", "credibility.html", title="Credibility", said=said)


def _protocol(site: Site, environment: jinja2.Environment, name: str) -> None:
    page = PAGES[name]
    mine = site.joint.of(name)
    shown = figures.of_page(name, site.results)
    site.files |= {studies.PROTOCOLS, *page.documents, *page.reports, *(str(one["file"]) for one in shown)}
    own = {one.visitor for one in mine if one.visitor}
    _write(
        site, environment, "protocol.html", f"protocols/{name}.html", sorts=bool(mine), title=page.title,
        words=page.words, reports=page.reports, groups=rows.groups(mine), figures=shown,
        command_of={str(one["file"]): _command_of(site, str(one["file"])) for one in shown},
        compared=[one for one in site.compared if one.page == name],
        card=studies.card(page.card, site.results) if page.card else [],
        documents=studies.documents(page, site.results),
        said={folder: words for folder, words in site.joint.said.items() if folder in own},
        days=[one for one in site.days if one.protocol == name],
        not_made="" if site.days or not page.card else NOT_MADE,
    )  # fmt: skip


def _command_of(site: Site, file: str) -> str:
    """The command that made a figure: that of the tables beside it."""
    folder = file.partition("/")[0]
    if folder in site.joint.studies:
        return str(site.joint.studies[folder].about["command"])
    beside = next(iter(sorted((site.results / folder).glob("*.md"))))
    return read_page(beside).command


def _person(
    site: Site,
    environment: jinja2.Environment,
    person: Person,
    before: Sequence[Person],
    after: Sequence[Person],
) -> None:
    known = {
        protocol: name for name, study in site.joint.studies.items() for protocol in study.about["protocols"]
    }
    about = {protocol: site.joint.studies[name].about for protocol, name in known.items()}
    _write(
        site, environment, "person.html", f"people/{person.file}", title=person.name, person=person,
        before=before[0] if before else None, after=after[0] if after else None, figure=_among(site, person),
        days=[one for one in site.days if one.person == person.name], not_made="" if site.days else NOT_MADE,
        study_of=known, command_for={name: said["command"] for name, said in about.items()},
        hash_of={name: said["protocols"][name]["hash"][:12] for name, said in about.items()},
        simulator_of={name: str(said.get("simulator", ""))[:12] for name, said in about.items()},
    )  # fmt: skip


def _among(site: Site, person: Person) -> dict[str, Any] | None:
    """This person among all of the table under each agent of the primary protocol that was judged on everybody."""
    study = site.joint.studies.get(_PRIMARY)
    if study is None:
        return None
    table: Table = select(study.episodes, protocol=_PRIMARY, shield="rule", drawn=0.0)
    names = [one.agent for one in person.tables.get((_PRIMARY, "rule"), []) if one.of == len(site.people)]
    names = [name for name in names if not is_reference(name)]
    return {
        "drawing": inline_svg(among(table, person.name, names), "among"),
        "alt": f"One line for each agent: time in range of all {len(site.people)} people as grey dots, of "
        f"{person.name} as a coloured one, a cross where it failed. The numbers stand in the tables.",
        "caption": f"Time in range of {person.name} (blue) among all {len(site.people)} people (grey), protocol "
        f"{_PRIMARY}, rule shield; a red cross: failed.",
    }
