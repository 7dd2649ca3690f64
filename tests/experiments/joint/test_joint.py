"""The joint table: the numbers that are committed and no others; changed tables refused; a visitor's own beside."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.joint import information, tables
from experiments.joint.joint import CSV, MARKDOWN, RANKS, Joint, joint, markdown, write
from experiments.joint.markdown import read_page, value
from experiments.joint.row import SHARES, JointRow
from experiments.records.provenance import ROOT
from experiments.records.tables import read_table
from experiments.results.against_committed import RESULTS
from experiments.results.evaluations import METRICS, read_evaluation
from scripts.evaluate import main as evaluate
from tests.experiments.tiny_study import PEOPLE, episodes, study

NO_AGENT = {"physiology", "wearable"}
"""Folders of results in which nobody is judged: the body beside people, and what a watch shows."""


@pytest.fixture(scope="module")
def whole() -> Joint:
    return joint()


def test_it_says_what_the_readme_says_of_the_primary_study(whole: Joint) -> None:
    heads = ("agent", "shield", "persons", "failures", *(name for name, _ in METRICS.values()))
    compared = 0
    for table in read_page(ROOT / "README.md").with_heads(heads):
        for told in table.rows:
            agent = told[0].removesuffix(" \\*")
            study = "simglucose-default" if _stands_in(told, "simglucose-default") else "realistic"
            (row,) = (
                one
                for one in whole.of(study)
                if (one.agent, one.shield, str(one.persons)) == (agent, told[1], told[2])
                and one.part.startswith("people of the published table")
            )
            assert row.failed is not None and row.failed.text == told[3]
            for name, head in SHARES.items():
                cell = told[heads.index(head)]
                assert cell in (row.share(name).text, f"{row.share(name).text} {row.share(name).interval}"), (
                    cell
                )
            compared += 1
    assert compared > 30


def _stands_in(row: tuple[str, ...], study: str) -> bool:
    return f"| {' | '.join(row)} |" in (RESULTS / study / "table.md").read_text("utf-8")


def test_every_folder_of_results_stands_in_it(whole: Joint) -> None:
    read = {row.origin.source.partition("/")[0] for row in whole.rows}
    folders = {path.name for path in RESULTS.iterdir() if path.is_dir() and path.name != "runs"}
    assert folders - read - NO_AGENT == {"days"} & folders
    assert all((RESULTS / row.origin.source).is_file() for row in whole.rows)


def test_numbers_of_markdown_are_those_that_stand_there(whole: Joint) -> None:
    """Each number of these rows, as it is printed, stands in a line of its table that begins with its agent."""
    checked = 0
    for row in whole.rows:
        if not row.origin.source.endswith(".md") or row.protocol in ("twins", "shield"):
            continue
        lines = (RESULTS / row.origin.source).read_text("utf-8").splitlines()
        agent = row.agent.removeprefix("paper: ")
        found = [line for line in lines if line.startswith("|") and f"| {agent} " in line.replace("\\*", "")]
        shown = [row.measure.value.text, *(row.share(name).text for name in SHARES)]
        assert any(all(number in line for number in shown) for line in found), row
        checked += 1
    assert checked > 150


def test_published_rows_are_those_of_their_table(whole: Joint) -> None:
    text = (RESULTS / "published" / "table.md").read_text("utf-8")
    for row in (one for one in whole.rows if one.origin.source == "published/people.csv"):
        tir = row.share("tir_pct").text
        assert any(
            f"| {row.agent} |" in line and f"| {row.shield} |" in line and f" {tir} " in line
            for line in text.splitlines()
        ), row


def test_bounds_of_new_bodies_are_written_as_in_their_own_table(whole: Joint) -> None:
    notes = {one.agent: one.note for one in whole.of("evidence") if one.shield == "rule"}
    assert notes["hostile-max"] == "of new bodies at most 100 % (one-sided 95 % bound)"
    assert not any("e+" in note for note in notes.values())


def test_protocols_are_not_pooled_and_parts_hold_one_measure(whole: Joint) -> None:
    for key in {(row.protocol, row.part) for row in whole.rows}:
        mine = [row for row in whole.rows if (row.protocol, row.part) == key]
        assert len({row.measure.name for row in mine}) == 1, key
        assert len({(row.agent, row.shield, row.origin.source) for row in mine}) == len(mine), key
    people = {
        (row.protocol, row.part): row.persons
        for row in whole.rows
        if row.origin.source.startswith("realistic")
    }
    for row in whole.of("realistic"):
        assert row.persons == people[row.protocol, row.part], "who is judged on fewer people stands apart"


def test_everybody_says_what_they_learned_from(whole: Joint) -> None:
    for row in whole.rows:
        assert row.information.learned_from and row.origin.command, row
    ppo = next(row for row in whole.of("realistic") if row.agent == "ppo-history")
    assert ppo.information.learned and ppo.information.tier == "T2 (other bodies)"
    assert "person-days" in ppo.information.learned_from
    with pytest.raises(ValueError, match=r"what 'somebody' learned from is not known; add it to .*RULES"):
        information.of("somebody")


def test_it_is_written_as_a_tidy_table_and_as_markdown(whole: Joint, tmp_path: Path) -> None:
    write(whole.rows, tmp_path)
    table = read_table(tmp_path / CSV)
    assert len(table["agent"]) == len(whole.rows)
    np.testing.assert_allclose(table["value"], [row.measure.value.estimate for row in whole.rows], rtol=1e-5)
    text = (tmp_path / MARKDOWN).read_text("utf-8")
    assert RANKS in text and "not a medical device" in text
    assert len(read_page(tmp_path / MARKDOWN).tables) == len({(row.protocol, row.part) for row in whole.rows})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("| reward |", "| return |", r"no table with the columns agent \| failed .*Its columns have changed"),
        ("| 0 of 1200 | 4.6 |", "| 4.6 |", r"line 11: 14 cells under 15 heads"),
        ("| 0 of 1200 |", "| none |", r"column 'failed': 'none' is no count such as '3 of 72'"),
        ("| 0.56 [0.36, 0.81] |", "| about 0.5 |", r"column 'events a session': 'about 0.5' is no number"),
        ("python -m scripts.session", "a hand", r"names no command `python -m scripts...` that made it"),
    ],
)
def test_a_markdown_table_that_is_not_what_it_was_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = (RESULTS / "session" / "table.md").read_text("utf-8")
    assert old in text
    (tmp_path / "session").mkdir()
    changed = text.replace(old, new, -1 if old == "| reward |" else 1)
    (tmp_path / "session" / "table.md").write_text(changed)
    with pytest.raises(ValueError, match=message):
        list(tables.session(tmp_path))
    with pytest.raises(FileNotFoundError, match="restore it from git"):
        list(tables.whole(tmp_path))


def test_cells_are_read_as_they_are_printed() -> None:
    assert (value("82.5 [78.1, 86.6]").text, value("82.5 [78.1, 86.6]").interval) == ("82.5", "[78.1, 86.6]")
    assert value("+0.23 [-1.84, +1.26]").text == "+0.23" and value("1,013").estimate == 1013
    assert not value("").known and not value("-").known and value("13 %").text == "13"
    for text in ("1 of 2", "82.5 [78.1]", "n/a", "--1"):
        with pytest.raises(ValueError, match="is no number"):
            value(text)


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real evaluation: one day of one person."""
    out = tmp_path_factory.mktemp("visit") / "mine"
    words = ["--agent", "pid", "--person", "adult#001", "--days", "1", "--set", "replicas=1"]
    assert evaluate([*words, "--protocol", "simglucose-default", "--out", str(out)]) == 0
    return out


def _beside(folder: Path, results: Path) -> list[JointRow]:
    return [row for row in joint(results, [folder]).rows if row.visitor]


def _other_results(tmp_path: Path) -> Path:
    """The committed results but for the studies, which take long."""
    for path in RESULTS.iterdir():
        if path.is_dir() and path.name not in ("runs", "realistic", "simglucose-default"):
            (tmp_path / path.name).symlink_to(path)
    return tmp_path


def test_a_visitor_is_set_beside_and_told_why_not_to_compare(visit: Path, tmp_path: Path) -> None:
    results = _other_results(tmp_path)
    (row,) = _beside(visit, results)
    assert row.note == "Not compared: no study of protocol simglucose-default is committed."
    study([episodes("base", [70.0] * len(PEOPLE))]).write(results / "simglucose-default")
    (row,) = _beside(visit, results)
    assert (row.agent, row.protocol, row.visitor) == ("pid", "simglucose-default", str(visit))
    assert row.part.endswith(", 1 of 4")  # judged on fewer people: not among the others
    assert "it is modified (" in row.note and "days" in row.note
    done = read_evaluation(visit)
    assert row.share("tir_pct").estimate == pytest.approx(done.episodes["tir_pct"].mean())
    assert row.information.tier == "T0" and row.origin.command.startswith("python -m scripts.evaluate")


@pytest.mark.verify
def test_a_visitor_with_another_hash_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    results = _other_results(tmp_path / "results")
    study([episodes("base", [70.0] * len(PEOPLE), people=PEOPLE)]).write(results / "simglucose-default")
    out = tmp_path / "mine"
    assert evaluate(["--agent", "constant-basal", "--protocol", "simglucose-default", "--out", str(out)]) == 0
    (row,) = _beside(out, results)
    assert "the hash of its protocol is another one" in row.note
    digest = read_evaluation(out).summary["protocol_hash"]
    study([episodes("base", [70.0] * len(PEOPLE))], digest=digest).write(results / "simglucose-default")
    (row,) = _beside(out, results)
    assert not row.note and row.persons == 30
    said = joint(results, [out]).said[str(out)]
    assert said.startswith("Against the committed table of simglucose-default") and "rank 2 of 2" in said


def test_the_markdown_says_whose_rows_are_whose_and_holds_no_marks_of_others(
    visit: Path, tmp_path: Path
) -> None:
    """The group is told of by the project's row; a visitor's note stands beside it; names open no cell and no tag."""
    results = _other_results(tmp_path)
    study([episodes("base", [70.0] * len(PEOPLE))]).write(results / "simglucose-default")
    rows = list(joint(results, [visit]).rows)
    ours = next(row for row in rows if row.protocol == "simglucose-default" and not row.visitor)
    # as one that was judged on as many people
    rows = [replace(row, part=ours.part) if row.visitor else row for row in rows]
    mine = next(row for row in rows if row.visitor)
    bad = replace(mine, agent="a|b\n\n## x<script>", origin=replace(mine.origin, source="`|<img"))
    text = markdown([*rows, bad])
    part = text[text.index(f"## {mine.protocol}: {mine.part}") :].split("\n## ")[0]
    assert mine.origin.command not in part.split("| agent |")[0]
    lines = [line for line in part.splitlines() if "(your own)" in line]
    assert len(lines) == 2 and all(mine.note.split(":")[0] in line for line in lines)
    assert {line.count("|") for line in part.splitlines() if line.startswith("|")} == {lines[0].count("|")}
    assert "<script" not in text and "<img" not in text and "\n## x" not in text
