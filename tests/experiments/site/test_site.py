"""The site: whole, alone, and with no number on it that is not in a committed file."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import numpy as np
import pytest
from markupsafe import escape

from agents.frozen import NOTICE
from experiments.explain import index as index_of_days
from experiments.joint.joint import RANKS
from experiments.joint.row import SHARES
from experiments.records.tables import read_table, select
from experiments.results.against_committed import OUTCOMES, RESULTS
from experiments.site import credibility, facts, figures, overview, studies, verdicts
from experiments.site.build import NOT_MADE, build, write
from experiments.site.document import blocks, inline
from experiments.site.gathered import DAYS, Site
from scripts import site as script


class Page(HTMLParser):
    """Links, ids, headings and everything else that a page names of other files."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.links, self.ids, self.loads = path, list[str](), set[str](), list[str]()
        self.headings = list[str]()
        self.text = path.read_text("utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "a":
            self.links.append(said.get("href") or "")
        if said.get("id"):
            assert said["id"] not in self.ids, f"{self.path}: id {said['id']} twice"
            self.ids.add(str(said["id"]))
        self.loads += [str(said[name]) for name in ("src", "srcset", "data") if said.get(name)]
        if tag == "link" and said.get("href") != "data:,":
            self.loads.append(str(said["href"]))
        if re.fullmatch(r"h\d", tag):
            self.headings.append(tag)


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """The site's own pages by name; copies of committed pages are tested where they are made."""
    found = [*site.glob("*.html"), *site.glob("protocols/*.html"), *site.glob("people/*.html")]
    return {path.relative_to(site).as_posix(): Page(path) for path in found}


def test_every_link_leads_to_a_file_and_a_place_in_it(pages: dict[str, Page], site: Path) -> None:
    followed = 0
    for name, page in pages.items():
        for link in page.links:
            path, place = urldefrag(link)
            assert not re.match(r"\w+:|//", path), f"{name} leads outside: {link}"
            target = (page.path.parent / unquote(path)).resolve() if path else page.path
            assert target.is_file() and target.is_relative_to(site.resolve()), f"{name}: {link} leads nowhere"
            inside = target.relative_to(site.resolve()).as_posix()
            assert not place or place in pages[inside].ids, f"{name}: {link} names no place"
            followed += 1
    assert followed > 2000


def test_every_page_is_alone_and_says_what_it_is_not(pages: dict[str, Page]) -> None:
    assert len(pages) == 3 + len(studies.PAGES) + 30
    for name, page in pages.items():
        assert page.loads == [], f"{name} loads {page.loads}"
        assert (
            "default-src 'none'" in page.text and NOTICE in page.text and '<html lang="en">' in page.text
        ), name
        assert page.headings.count("h1") == 1, name
        for before, after in zip(page.headings, page.headings[1:], strict=False):
            assert int(after[1]) <= int(before[1]) + 1, f"{name}: {after} follows {before}"
        assert not re.search(r"(?<![\w.~-])/(?:work|root|home/\w+|Users/\w+)/[\w.]", page.text), name


def test_every_committed_figure_and_table_stands_on_a_page(pages: dict[str, Page]) -> None:
    drawn = {
        path.relative_to(RESULTS).as_posix() for path in RESULTS.glob("*/*.svg") if "runs" not in path.parts
    }
    assert drawn == set(figures.FIGURES)
    for file, words in figures.FIGURES.items():
        for name in words.pages:
            page = pages[f"protocols/{name}.html"].text
            assert f'aria-label="{escape(words.alt)}"' in page and f">{file}</a>" in page, file
    told = {file for page in studies.PAGES.values() for file in page.documents}
    written = {
        path.relative_to(RESULTS).as_posix()
        for path in RESULTS.rglob("*.md")
        if "runs" not in path.parts and path.name not in ("README.md", "protocols.md")
    }
    tidy = {f"{path.parent.name}/table.md" for path in RESULTS.glob("*/study.json")}
    assert written - tidy == {file for file in told if (RESULTS / file).is_file()}
    assert told <= written


def test_the_table_page_has_every_row_and_says_how_to_read_it(pages: dict[str, Page], gathered: Site) -> None:
    text = pages["table.html"].text
    assert len(re.findall(r'<th scope="row">', text)) == len(gathered.joint.rows)
    assert set(gathered.joint.protocols) <= set(studies.PAGES)
    assert RANKS in text
    for row in gathered.joint.of("realistic"):
        small = f"<small>{row.share('tir_pct').interval}</small>" if row.share("tir_pct").interval else ""
        assert f">{row.share('tir_pct').text}{small}</td>" in text
    assert '<a href="files/policies/ppo-history/CARD.md">ppo-history</a>' in text


def test_counts_of_the_overview_are_those_of_the_tables(
    pages: dict[str, Page], site: Path, gathered: Site
) -> None:
    table = read_table(site / "table.csv")
    learned = (
        (table["learned"] == 1)
        & (table["visitor"] == "")
        & np.isfinite(table["failed"])
        & (table["shield"] != "")
    )
    failing = learned & (table["failed"] > 0)
    text = pages["index.html"].text
    assert f"<dd>{failing.sum()} of {learned.sum()}</dd>" in text
    assert (
        f"In {learned.sum() - failing.sum()} of {learned.sum()} rows of learned policies nothing failed"
        in text
    )
    outcomes = [one.outcome for one in gathered.compared]
    lost = sum(one in verdicts.LOST for one in outcomes)
    assert f"Of {len(outcomes)} comparisons of a learned policy with a rival, {lost} end" in text
    assert set(outcomes) <= set(OUTCOMES) == {*verdicts.LOST, *verdicts.OPEN, *verdicts.WON}
    order = [text.index(f'id="{name}"') for name in ("failed", "lost", "open", "won")]
    assert order == sorted(order)


def test_comparisons_are_those_of_the_studies(gathered: Site) -> None:
    primary = next(one for one in gathered.compared if one.by == "win rule; primary comparison")
    assert (primary.agent, primary.rival, primary.outcome) == ("ppo-history", "pid-cohort", "unclear")
    assert {"hidden-m1", "hidden-m2", "hidden-m3"} < {one.page for one in gathered.compared}
    hidden = [one for one in gathered.compared if one.page == "hidden-m3"]
    assert (hidden[0].agent, hidden[0].rival) == ("twin-posterior", "cohort-history")
    text = (RESULTS / "hidden" / "m3.md").read_text("utf-8")
    rows = [next(line for line in text.splitlines() if line.startswith(f"| {arm} | rule |")) for arm in
            ("twin-posterior", "cohort-history")]  # fmt: skip
    failures = " / ".join(row.split(" | ")[2] for row in rows)
    assert hidden[0].failures == failures, "failures come from the rows of the same table"
    for one in hidden:
        (line,) = [
            line for line in text.splitlines()
            if line.startswith(f"| {one.agent} | {one.rival} | {one.difference.text} {one.difference.interval} |")
        ]  # fmt: skip
        assert line.endswith(f"| {one.outcome} |")
    assert not any(one.rival.endswith("(oracle)") for one in gathered.compared)
    lows = [one for one in gathered.compared if one.page == "session" and "ratio" in one.measure]
    assert [one.outcome for one in lows] == ["unclear", "worse", "worse"], "more lows are worse"


def test_a_table_that_no_longer_compares_is_refused(tmp_path: Path) -> None:
    (tmp_path / "session").mkdir()
    text = (
        (RESULTS / "session" / "table.md")
        .read_text("utf-8")
        .replace("- Events a session over", "- Events over", 1)
    )
    (tmp_path / "session" / "table.md").write_text(text)
    with pytest.raises(ValueError, match="says nothing of events and time in range against a rival"):
        list(verdicts.of_sessions(tmp_path))


def test_a_person_s_page_has_their_numbers_and_the_worst(pages: dict[str, Page], gathered: Site) -> None:
    text = pages["people/child-001.html"].text
    episodes = gathered.joint.studies["realistic"].episodes
    mine = select(episodes, protocol="realistic", shield="rule", agent="ppo-history", person="child#001")
    means = {name: np.mean([mine[name][mine["train_seed"] == k].mean() for k in range(5)]) for name in SHARES}
    cells = "".join(f"<td>{means[name]:.{2 if name == 'below_54_pct' else 1}f}</td>" for name in SHARES)
    assert f"<td>0 of 5</td>{cells}" in text
    assert "34.6 kg" in text and "25.0 g/U" in text
    (person,) = (one for one in gathered.people if one.name == "child#001")
    failed = [one["failed"] for one in person.worst]
    assert failed[0] and failed == sorted(failed, reverse=True), "who failed comes first"
    worst = next(one for one in person.worst if one["protocol"] == "realistic-untreated" and one["learned"])
    rows = select(episodes, protocol="realistic-untreated", shield="rule", person="child#001")
    learned = rows["train_seed"] >= 0
    learned &= np.array([name != "pid-cohort" for name in rows["agent"].tolist()])
    assert float(worst["shares"]["below_54_pct"]) == pytest.approx(
        rows["below_54_pct"][learned].max(), abs=0.005
    )
    people = read_table(RESULTS / "published" / "people.csv")
    assert len(person.published) == (people["person"] == "child#001").sum()


def test_numbers_of_the_credibility_page_are_in_files(gathered: Site) -> None:
    known = facts.facts(gathered.results, gathered.joint, gathered.compared)
    words = credibility.WORDS.read_text("utf-8")
    used = set(re.findall(r"\{(\w+)\}", words))
    assert used <= set(known) and len(used) > 40
    for name, one in facts.SAID.items():
        assert known[name].text in facts.path_of(one.source, gathered.results).read_text("utf-8")
    rows = select(
        gathered.joint.studies["realistic"].episodes,
        protocol="realistic",
        shield="off",
        agent="ppo-history",
        drawn=0.0,
    )
    assert known["realistic_failed_off"].text == f"{rows['failed'].sum():.0f} of {len(rows['failed'])}"
    battery = read_table(RESULTS / "battery" / "battery.csv")
    own = (battery["agent"] == "ppo-history-fold0-seed0") & (battery["case"] != "none")
    assert known["battery_met"].text == f"{(battery['missed'][own] == 0).sum()} of {own.sum()}"
    bodies = select(
        read_table(RESULTS / "evidence" / "bodies.csv.gz"), stratum="faults", lows="untreated", shield="rule"
    )
    assert known["evidence_rule"].text.startswith(
        f"{100 * bodies['very_low'].mean():.1f} % of {len(bodies['person']):,}"
    )


def test_a_number_written_by_hand_is_refused(
    gathered: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = credibility.WORDS.read_text("utf-8")
    for old, new, message in (
        ("{exercise_in}", "9", "the number in '9,' is written by hand"),
        ("{exercise_in}", "{exercise_inn}", r"no fact 'exercise_inn'; did you mean 'exercise_in'"),
    ):
        (tmp_path / "words.yml").write_text(words.replace(old, new))
        monkeypatch.setattr(credibility, "WORDS", tmp_path / "words.yml")
        with pytest.raises(ValueError, match=message):
            credibility.read(gathered.results, gathered.joint, gathered.compared)


def test_a_file_that_says_another_number_changes_the_page_and_one_that_says_none_is_refused(
    gathered: Site, tmp_path: Path
) -> None:
    for path in gathered.results.iterdir():
        if path.name != "physiology":
            (tmp_path / path.name).symlink_to(path.resolve())
    (tmp_path / "physiology").mkdir()
    for path in (RESULTS / "physiology").glob("*.md"):
        text = path.read_text("utf-8").replace("Held out: 9 of 13 inside", "Held out: 7 of 13 inside")
        (tmp_path / "physiology" / path.name).write_text(text)
    said = credibility.read(tmp_path, gathered.joint, gathered.compared)
    assert "the twin meets 7," in json.dumps(said)
    (tmp_path / "physiology" / "exercise.md").write_text("# Exercise\n")
    with pytest.raises(ValueError, match=r"exercise.md says nothing like .*its words have changed"):
        credibility.read(tmp_path, gathered.joint, gathered.compared)


def test_every_factor_has_evidence_and_gaps_and_files_that_are_there(gathered: Site) -> None:
    said = credibility.read(gathered.results, gathered.joint, gathered.compared)
    assert [part["name"] for part in said["parts"]] == [
        "Verification",
        "Validation",
        "Uncertainty",
        "Applicability",
    ]
    for part in said["parts"]:
        for factor in part["factors"]:
            assert factor["evidence"] and factor["gaps"], factor["name"]
    assert all((RESULTS / source).is_file() for source in credibility.sources(said))
    frame = {one["name"] for one in said["frame"]}
    assert {
        "Context of use",
        "Influence of the model",
        "Consequence of a wrong decision",
        "Model risk",
    } <= frame


def test_days_are_copied_and_linked_from_overview_person_and_protocol(
    pages: dict[str, Page], site: Path
) -> None:
    assert (site / "days" / "day0.html").is_file()
    for name in ("index.html", "people/child-001.html", "protocols/realistic.html", "protocols/days.html"):
        assert any(link.endswith("days/day0.html") for link in pages[name].links), name
        assert "0123456789ab" in pages[name].text and "0123456789abc" not in pages[name].text, name
    assert not any("days/" in link for link in pages["protocols/sleep.html"].links)


def test_where_there_are_no_days_the_pages_say_so(gathered: Site, tmp_path: Path) -> None:
    child = next(one for one in gathered.people if one.name == "child#001")
    write(replace(gathered, days=(), people=(child,)), tmp_path)
    for name in ("index.html", "people/child-001.html", "protocols/realistic.html"):
        assert NOT_MADE in (tmp_path / name).read_text("utf-8"), name
    assert not (tmp_path / "days").exists()


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("{}", "holds no list"),
        ("[1", "cannot be read"),
        ('[{"file": "a.html"}]', "entry 0: needs the texts file, title"),
        ("../a.html", "is no page of this folder"),
        ("a.txt", "is no page of this folder"),
        ("gone.html", "there is no gone.html"),
    ],
)
def test_an_index_of_days_that_is_wrong_is_refused(tmp_path: Path, index: str, message: str) -> None:
    folder = tmp_path / DAYS
    folder.mkdir()
    (folder / "a.txt").write_text("")
    if index[0] not in "{[":
        names = ("title", "agent", "person", "protocol", "protocol_hash", "words")
        index = json.dumps([{"file": index, **dict.fromkeys(names, "x")}])
    (folder / index_of_days.INDEX).write_text(index)
    with pytest.raises(ValueError, match=f"{message}.*make the pages again"):
        index_of_days.read(folder)


def test_a_visitor_stands_marked_with_the_words_of_refusal(pages: dict[str, Page], visit: Path) -> None:
    for name in ("table.html", "protocols/realistic.html"):
        text = pages[name].text
        assert text.count("your own: ") == 1 and str(visit) in text, name
        assert "Not compared with the committed table of realistic: it is modified (" in text
    assert "your own: " not in pages["protocols/sleep.html"].text
    claim = overview.counts([], [])
    assert [one["number"] for one in claim[:1]] == ["0 of 0"]


def test_markdown_becomes_blocks_and_nothing_slips_through() -> None:
    text = "# T\n\nOne\ntwo.\n\n- a `b` <i>\n- **c**\n\n| x | y |\n|---|---:|\n| 1 | 2 |\n\n```\nmake <all>\n```\n"
    kinds = blocks(text)
    assert [one["kind"] for one in kinds] == ["paragraph", "list", "table", "code"]
    assert kinds[0]["text"] == "One two." and kinds[2]["numbers"] == [False, True]
    assert inline("a `b<` **c** [d](e) <script>") == "a <code>b&lt;</code> <b>c</b> d &lt;script&gt;"


def test_the_command_builds_it_and_refuses_what_is_no_evaluation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"no summary.json in .*; give a folder that scripts.evaluate has finished"
    ):
        script.main(["--out", str(tmp_path / "site"), "--beside", str(tmp_path)])
    monkeypatch.setattr(
        script, "build", lambda out, beside, command: [Path(out) / "index.html", Path(command)]
    )
    assert script.main(["--out", str(tmp_path)]) == 0
    assert f"{tmp_path / 'index.html'} and 1 more pages" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["results", "."])
def test_a_site_is_not_built_over_results(name: str, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with pytest.raises(ValueError, match="holds the results that the site is made of"):
        build(tmp_path / name, tmp_path / "results")


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="which would be lost"):
        build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
