"""The site: a folder of pages that ask for nothing from outside, computed from committed files alone.

Nothing is simulated or trained. Every page is read without its script, which sorts and filters tables.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from agents.frozen import NOTICE
from agents.load import POLICIES
from experiments.cards.policy_cards import CARD
from experiments.joint import joint as joint_table
from experiments.joint.information import tiers
from experiments.joint.joint import RANKS
from experiments.joint.markdown import read_page
from experiments.joint.row import SHARES
from experiments.page.fill import environment, script
from experiments.page.svg import inline as inline_svg
from experiments.plots.persons import among
from experiments.records.tables import Table, select
from experiments.results.against_committed import RESULTS
from experiments.results.words import is_reference
from experiments.site import credibility, figures, overview, rows, studies, verdicts
from experiments.site.document import inline
from experiments.site.gathered import DAYS, Site, gather
from experiments.site.people import Person
from experiments.site.studies import PAGES
from twins.files import atomic_write_text, check_writable

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_NAV = (
    ("index.html", "Overview"),
    ("table.html", "Table"),
    ("index.html#protocols", "Protocols and studies"),
    ("index.html#people", "People"),
    ("protocols/days.html", "Days"),
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
_OURS = "credibility.html"
"""A folder with this page is a site of before."""


def build(
    out: str | Path, results: str | Path = RESULTS, beside: Sequence[str | Path] = (), command: str = ""
) -> list[Path]:
    """Write the site into a folder; the paths of its pages, the overview first.

    The site of before is replaced as a whole when the new one is there, so that no page is left over and a killed build
    changes nothing. beside: folders of `scripts.evaluate` that are set beside what is committed. Raises
    FileNotFoundError or ValueError that name file and remedy, or StorageError.
    """
    out, kept = Path(out), Path(results)
    if out.resolve() == kept.resolve() or out.resolve() in kept.resolve().parents:
        raise ValueError(f"--out {out} holds the results that the site is made of; name another folder for it")
    if out.is_dir() and any(out.iterdir()) and not (out / _OURS).is_file():
        raise ValueError(f"--out {out} holds something else than a site, which would be lost; name another folder")
    check_writable(out, 40.0)
    new = out.with_name(f".{out.name}.new")  # beside it, so that renaming is one step
    shutil.rmtree(new, ignore_errors=True)
    made = write(gather(results, beside, command or "python -m scripts.site"), new)
    shutil.rmtree(out)
    new.rename(out)
    return [out / page.relative_to(new) for page in made]


def write(site: Site, out: Path) -> list[Path]:
    """The same of what was gathered before."""
    out.mkdir(parents=True, exist_ok=True)
    joint_table.write(site.joint.rows, out)
    pages = _Pages(site, out, _environment(site))
    _overview(pages)
    _table(pages)
    _credibility(pages)
    for name in PAGES:
        _protocol(pages, name)
    for k, person in enumerate(site.people):
        _person(pages, person, site.people[max(k - 1, 0) : k], site.people[k + 1 : k + 2])
    for day in site.days:
        _copy(site.results / DAYS / day.file, out / DAYS / day.file)
    for name in sorted({found for row in site.joint.rows if (found := rows.card(row))}):
        _copy(POLICIES / name / CARD, out / "files" / "policies" / name / CARD)
    for file in sorted(pages.files):
        _copy(site.results / file, out / "files" / file)
    return pages.made


@dataclass
class _Pages:
    """Where pages are written, and with what. files: committed files that they link to, below results."""

    site: Site
    out: Path
    environment: jinja2.Environment
    files: set[str] = field(default_factory=set)
    made: list[Path] = field(default_factory=list)

    def write(self, template: str, path: str, sorts: bool = False, **given: Any) -> None:
        """Fill a template and write it at a path below the folder. sorts: the page has a table that is sorted."""
        root = "../" * path.count("/")
        text = self.environment.get_template(template).render(
            here=path, root=root, **script(_TEMPLATES / "sort.js" if sorts else None), **given
        )
        target = self.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_text(target, text)
        self.made.append(target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _environment(site: Site) -> jinja2.Environment:
    made = environment(_TEMPLATES, trim=True)
    made.filters["inline"] = inline
    made.globals |= {
        "disclaimer": NOTICE, "nav": _NAV, "ranks": RANKS, "heads": rows.HEADS, "command": site.command,
        "commit": site.commit, "has_page": frozenset(PAGES), "share_names": tuple(SHARES),
        "share_heads": tuple(SHARES.values()),
    }  # fmt: skip
    return made


def _overview(pages: _Pages) -> None:
    site = pages.site
    found = site.compared
    pages.files |= {one.source for one in found}
    pages.write(
        "index.html", "index.html",
        title="What learned policies do on digital twins, and what fails",
        claim=overview.claim(found), counts=overview.counts(site.joint.rows, found),
        failed=overview.failed(site.joint.rows), lost=overview.of(found, verdicts.LOST),
        open=overview.of(found, verdicts.OPEN), won=overview.of(found, verdicts.WON), sections=_SECTIONS,
        pages=[(name, page, len(site.joint.of(name))) for name, page in PAGES.items()], people=site.people,
        days=site.days, not_made=NOT_MADE,
    )  # fmt: skip


def _table(pages: _Pages) -> None:
    site = pages.site
    all_rows = site.joint.rows
    pages.files |= {one.origin.source for one in all_rows if not one.visitor}
    pages.write(
        "table.html", "table.html", sorts=True, title="The joint table",
        groups=rows.groups(all_rows),
        count=f"{sum(not one.visitor for one in all_rows):,}", protocols=len(site.joint.protocols),
        tiers=tiers([one.information for one in all_rows]), said=site.joint.said,
    )  # fmt: skip


def _credibility(pages: _Pages) -> None:
    site = pages.site
    said = credibility.read(site.results, site.joint, site.compared)
    pages.files |= credibility.sources(said)
    pages.write("credibility.html", "credibility.html", title="Credibility", said=said)


def _protocol(pages: _Pages, name: str) -> None:
    site = pages.site
    page = PAGES[name]
    mine = site.joint.of(name)
    shown = figures.of_page(name, site.results)
    present = studies.present(page, site.results)
    pages.files |= {studies.PROTOCOLS, *present, *page.reports, *(str(one["file"]) for one in shown)}
    own = {one.visitor for one in mine if one.visitor}
    pages.write(
        "protocol.html", f"protocols/{name}.html", sorts=bool(mine), title=page.title,
        words=page.words, reports=page.reports, groups=rows.groups(mine), figures=shown,
        command_of={str(one["file"]): _command_of(site, str(one["file"])) for one in shown},
        compared=[one for one in site.compared if one.page == name],
        card=studies.card(page.card, site.results) if page.card else [],
        documents=studies.documents(page, site.results),
        said={folder: words for folder, words in site.joint.said.items() if folder in own},
        days=[one for one in site.days if name in (one.protocol, studies.DAYS)],
        not_made="" if site.days or not (page.card or name == studies.DAYS) else NOT_MADE,
    )  # fmt: skip


def _command_of(site: Site, file: str) -> str:
    """The command that made a figure: that of the table of its name, else of the tables beside it."""
    folder, own = file.partition("/")[0], (site.results / file).with_suffix(".md")
    if folder in site.joint.studies:
        return str(site.joint.studies[folder].about["command"])
    return read_page(own if own.is_file() else next(iter(sorted(own.parent.glob("*.md"))))).command


def _person(pages: _Pages, person: Person, before: Sequence[Person], after: Sequence[Person]) -> None:
    site = pages.site
    known = {
        protocol: name for name, study in site.joint.studies.items() for protocol in study.about["protocols"]
    }
    about = {protocol: site.joint.studies[name].about for protocol, name in known.items()}
    pages.write(
        "person.html", f"people/{person.file}", title=person.name, person=person,
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
    lines = person.tables.get((_PRIMARY, "rule"), [])
    everybody = max((one.of for one in lines), default=0)
    names = [one.agent for one in lines if one.of == everybody and not is_reference(one.agent)]
    return {
        "drawing": inline_svg(among(table, person.name, names), "among"),
        "alt": f"One line for each agent: time in range of all {everybody} people as grey dots, of "
        f"{person.name} as a coloured one, a cross where it failed. The numbers stand in the tables.",
        "caption": f"Time in range of {person.name} (blue) among all {everybody} people (grey), protocol "
        f"{_PRIMARY}, rule shield; a red cross: failed.",
    }
