"""The page: whole, honest, self-contained, and made from nothing but tidy tables. See page/test_browser.py, too."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from agents.frozen import NOTICE
from experiments.records.tables import write_table
from experiments.report import write_report
from experiments.results.collect import collect
from experiments.results.evaluations import read_evaluation
from experiments.results.study_tables import StudyTables
from tests.experiments import fake_evaluation as fake

VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """The elements of a page: (tag, attributes, text of the element and all within it)."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.html = path.read_text("utf-8")
        self.feed(self.html)
        assert not self._open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), []))
        if tag not in VOID:
            self._open.append(len(self.found) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.found[self._open.pop()][0] == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        for index in self._open:
            self.found[index][2].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        """Attributes and text of every element of this kind."""
        wanted = [(attrs, parts) for name, attrs, parts in self.found if name == tag]
        return [(attrs, " ".join(" ".join(parts).split())) for attrs, parts in wanted]

    def text(self) -> str:
        return self.all("body")[0][1].replace("\u00a0", " ")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("study")
    fake.write_study(root / "evaluations")
    for seed in range(2):
        fake.write_training_run(root / "runs" / f"seed-{seed}", seed)
    for agent, seed in (("ppo", 0), ("basal-bolus", -1)):
        fake.write_evaluation(
            root / "diary" / agent, agent, "rule", seed, diary=True, trained_on=fake.PEOPLE, bodies=True
        )
    return root


def _folders(root: Path, name: str) -> list[Path]:
    return sorted((root / name).iterdir())


@pytest.fixture(scope="module")
def study(root: Path) -> StudyTables:
    evaluations = [*_folders(root, "evaluations"), *_folders(root, "diary")]
    made = collect(evaluations, _folders(root, "runs"), title="A study", command="make x", notes=["A note."])
    return replace(made, sweep=fake.make_sweep())


@pytest.fixture(scope="module")
def path(study: StudyTables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(tmp_path_factory.mktemp("page") / "report.html", study)


@pytest.fixture(scope="module")
def page(path: Path) -> Page:
    return Page(path)


def test_structure_that_a_screen_reader_needs(page: Page) -> None:
    assert page.all("html")[0][0]["lang"] == "en"
    assert page.all("title")[0][1] == "A study" == page.all("h1")[0][1]
    levels = [int(tag[1]) for tag, *_ in page.found if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels[:-1], levels[1:], strict=True))
    assert len(page.all("caption")) == len(page.all("table")) >= 9
    assert all(text for _, text in page.all("caption"))
    assert all(attrs.get("scope") in ("col", "row", "rowgroup") for attrs, _ in page.all("th"))
    drawings = page.all("svg")
    assert len(drawings) == 17 and all(attrs["role"] == "img" for attrs, _ in drawings)
    assert all(len(str(attrs["aria-label"])) > 60 for attrs, _ in drawings)
    ids = [str(attrs["id"]) for _, attrs, _ in page.found if "id" in attrs]
    assert len(ids) == len(set(ids))
    named = [attrs[key] for _, attrs, _ in page.found for key in ("aria-labelledby",) if key in attrs]
    links = [str(attrs["href"])[1:] for attrs, _ in page.all("a")]
    assert {*map(str, named), *links} <= set(ids)
    headings = [attrs["id"] for attrs, _ in page.all("h2")]
    assert [link for link in dict.fromkeys(links) if link in headings] == headings


def test_the_page_is_alone_and_small(page: Page, path: Path) -> None:
    assert path.stat().st_size < 1_000_000
    for _, attrs, _ in page.found:
        for name in ("src", "href", "data", "action", "srcset", "poster"):
            assert str(attrs.get(name, "#")).startswith(("#", "data:"))
    assert len(page.all("script")) == 1 and not re.search(r"@import|\bon\w+=\"", page.html)
    assert all(found.startswith("#") for found in re.findall(r"url\(([^)]*)\)", page.html))
    policy = str(
        next(a["content"] for _, a, _ in page.found if a.get("http-equiv") == "Content-Security-Policy")
    )
    assert policy.startswith("default-src 'none'") and "script-src 'sha256-" in policy


def test_every_figure_and_table_says_where_its_numbers_come_from(page: Page) -> None:
    for _, text in [*page.all("figcaption"), *page.all("caption")]:
        assert re.search(r"Source: \w+\.(csv|json)", text), text
    captions = [text for _, text in page.all("figcaption")]
    assert sum("hash 0123456789ab" in text for text in captions) == len(captions)
    ids = {attrs.get("id") for _, attrs, _ in page.found}
    rows = [attrs for attrs, _ in page.all("a") if str(attrs["href"]).startswith("#from-")]
    assert rows and all(str(attrs["href"])[1:] in ids for attrs in rows)


def test_captions_name_persons_seeds_and_days(page: Page) -> None:
    told = [text.replace("\u00a0", " ") for _, text in page.all("figcaption")]
    for part in (
        "Share of time in five",
        "Time in range against",
        "Performance profile",
        "What time in range cost",
    ):
        caption = next(text for text in told if part in text)
        assert "6 persons, 2 episodes of 2 days each, 2 training seeds" in caption, caption


def test_failures_come_first_and_what_was_not_seen_is_bounded(page: Page) -> None:
    text = page.text()
    sections = [attrs["id"] for attrs, _ in page.all("h2")]
    assert sections[:2] == ["failures", "results"]
    assert (
        "14 evaluations were attempted" in text
        and "0 refused, 0 failed, 14 analysed. None is left out." in text
    )
    assert "child#001 constant-basal simglucose-default, off 1 of 2 low" in text
    assert "\u2264 39.3 0 of 6" in text, "1 - 0.05^(1/6)"
    heads = next(text for attrs, text in page.all("table") if "Share of persons with a failure" in text)
    assert heads.index("adult") < heads.index("adolescent") < heads.index("child") < heads.index(" all ")


def test_what_was_simulated_is_said(page: Page) -> None:
    text = page.text()
    assert "6 virtual persons (2 adults, 2 adolescents, 2 children)" in text
    assert "2 episodes of 2 days for every person" in text
    assert "Same bodies, new days: ppo was trained on bodies judged here" in text
    assert "T2 (this body)" in text and "24,000" in text
    assert "0123456789ab" in text and "python -m scripts.train --seed 1" in text and "A note." in text
    assert "make x" in text and "\u2014" not in page.html


def test_claim_is_computed(page: Page) -> None:
    claim = next(text for attrs, text in page.all("p") if str(attrs.get("class")).startswith("claim"))
    claim = claim.replace("\u00a0", " ")
    assert claim.startswith("ppo (2 training seeds)") and "the best baseline under the same shield" in claim
    assert "95 % interval" in claim
    text = page.text()
    assert "Over training seeds time in range goes from" in text
    assert "over training seeds and persons (crossed bootstrap" in text
    assert "These 6 bodies are a fixed set, drawn from no population" in text
    assert "were picked by the time in range shown here" in text and "adjusted by Holm" in text


def test_disclaimer_at_the_top_at_the_end_and_at_every_dose(page: Page) -> None:
    assert page.all("p")[0][1].startswith(NOTICE)
    doses = [text for _, text in page.all("figcaption") if "day 1" in text or "basal rate asked for" in text]
    assert len(doses) == 7 and all(NOTICE in text for text in doses)
    assert NOTICE in page.all("footer")[0][1]


def test_recorded_meals_are_told_apart_from_simulated_glucose(page: Page) -> None:
    text = page.text()
    assert "a person of the data set example-diaries (id P7) recorded on 8 days" in text
    assert "replayed on the virtual body adult#003" in text
    assert "Glucose, readings and insulin are simulated. They are not this person's" in text


def test_groups_are_compared_where_bodies_are_known(page: Page) -> None:
    text = page.text()
    assert (
        "insulin sensitivity: least sensitive" in text
        and "The simulator carries neither sex nor ethnicity" in text
    )
    assert "the project's own proposal, no clinical standard" in text


@pytest.mark.slow
def test_same_tables_give_the_same_bytes_from_memory_and_from_a_folder(
    study: StudyTables, path: Path, tmp_path: Path
) -> None:
    study.write(tmp_path / "study")
    again = write_report(tmp_path / "again.html", tmp_path / "study")
    assert again.read_bytes() == path.read_bytes()


def _in_words(folders: list[Path]) -> StudyTables:
    """The study of some evaluations without the tables of figures that no test of words looks at."""
    return replace(collect(folders), curves=None, doses=None, days=None)


def _study(root: Path, learned: str, name: str = "", baseline: str = "basal-bolus-tuned") -> list[Path]:
    """Two evaluations: one passed off as learned, one baseline."""
    return [
        fake.write_evaluation(root / "learned", learned, "rule", 0, name=name),
        fake.write_evaluation(root / "baseline", baseline, "rule"),
    ]


@pytest.mark.slow
def test_a_learned_agent_that_loses_is_said_to_lose(tmp_path: Path) -> None:
    folders = [
        fake.write_evaluation(tmp_path / str(seed), "constant-basal", "rule", seed, name="bad-policy")
        for seed in (0, 1)
    ]
    page = Page(
        write_report(tmp_path / "r.html", _in_words([*folders, *_study(tmp_path, "constant-basal")[1:]]))
    )
    assert "bad-policy (2 training seeds) loses to basal-bolus-tuned, the best baseline" in page.text()
    assert "claim worse" in page.html
    assert "A recorded person's meals" not in page.text() and not [
        1 for a, _ in page.all("h2") if a["id"] == "learning"
    ]


def test_one_training_says_nothing_about_a_method(tmp_path: Path) -> None:
    text = Page(
        write_report(tmp_path / "r.html", _in_words(_study(tmp_path, "constant-basal", "bad-policy")))
    ).text()
    assert (
        "bad-policy (1 training seed) cannot be told apart" in text and "one training, so no interval" in text
    )


def test_a_learned_agent_that_kills_beats_nobody(tmp_path: Path) -> None:
    folders = _study(tmp_path, "ppo", baseline="constant-basal")
    table = dict(read_evaluation(folders[0]).episodes)
    table["failed"][3], table["failure_minute"][3] = 1.0, 600.0
    table["failure_side"] = np.array(["", "", "", "low", *[""] * 8])
    write_table(folders[0] / "episodes.csv", table)
    summary = json.loads((folders[0] / "summary.json").read_text())
    (folders[0] / "summary.json").write_text(json.dumps(summary | {"failures": summary["failures"] + 1}))
    text = Page(write_report(tmp_path / "r.html", _in_words(folders))).text()
    assert "ppo (1 training seed) failed in 1 of 12 simulated episodes" in text
    assert "this is no improvement" in text


def test_baselines_alone_make_a_page_without_a_claim(tmp_path: Path) -> None:
    folder = fake.write_evaluation(tmp_path / "one", "basal-bolus", "rule")
    text = Page(write_report(tmp_path / "r.html", _in_words([folder]))).text()
    assert "No learned agent was judged under shield rule. basal-bolus has the highest" in text


@pytest.mark.slow
def test_a_learned_agent_alone_claims_nothing(tmp_path: Path) -> None:
    folder = fake.write_evaluation(tmp_path / "one", "ppo", "rule", 0, trained_on=("adult#007",))
    text = Page(write_report(tmp_path / "r.html", [folder])).text()
    assert "was judged without a baseline under the same shield: nothing can be claimed of it" in text
    assert "New bodies, new days: ppo was trained on nobody judged here" in text


def test_a_comparison_that_was_named_beforehand_is_said_to_be(study: StudyTables, tmp_path: Path) -> None:
    primary = {**study.about["primary"], "baseline": "basal-bolus", "prespecified": True}
    lost = {name: column[:2].copy() for name, column in study.cells.items()}
    lost |= {"status": np.array(["failed", "refused"]), "error": np.array(["out of memory", "other hash"])}
    cells = {name: np.concatenate([study.cells[name], lost[name]]) for name in study.cells}
    about = {
        **study.about,
        "primary": primary,
        "flow": {"attempted": 16, "refused": 1, "failed": 1, "analysed": 14},
    }
    bare = replace(study, about=about, cells=cells, curves=None, doses=None, days=None, sweep=None)
    text = Page(write_report(tmp_path / "r.html", bare)).text()
    assert "basal-bolus, the primary comparator" in text
    assert "was named before the numbers were seen" in text and "were picked by the time" not in text
    assert "1 refused, 1 failed, 14 analysed. Those refused or failed are listed below" in text
    assert "out of memory" in text and "other hash" in text


def test_drawn_people_are_another_population(study: StudyTables, tmp_path: Path) -> None:
    drawn = study.episodes | {"drawn": np.isin(study.episodes["group"], ("adult", "child")).astype(float)}
    about = {**study.about, "primary": {**study.about["primary"], "population": "drawn"}}
    bare = replace(
        study, about=about, episodes=drawn, curves=None, doses=None, days=None, sweep=None, learning=None
    )
    text = Page(write_report(tmp_path / "r.html", bare)).text()
    assert "other bodies of the sampler from which these 4 were drawn" in text
    assert "4 virtual persons (2 adults, 2 children); people drawn by the sampler of bodies" in text
    for heading in ("What is dosed where", "When the world changes", "One day, step by step"):
        assert heading not in text


def test_one_person_has_no_interval(tmp_path: Path) -> None:
    folders = [
        fake.write_evaluation(tmp_path / agent, agent, "rule", seed, diary=True)
        for agent, seed in (("ppo", 0), ("basal-bolus", -1))
    ]
    text = Page(write_report(tmp_path / "r.html", folders)).text()
    assert "cannot be told apart" in text and "one person, so no interval" in text
    assert "By age group" not in text


@pytest.mark.slow
def test_malicious_names_stay_text(tmp_path: Path) -> None:
    name = '<script>alert("x")</script>'
    folders = _study(tmp_path, "ppo", name)
    runs = [fake.write_training_run(tmp_path / "runs" / "<b>$x_{", 0)]
    path = write_report(tmp_path / "r.html", folders, runs, title="<i>&", notes=['"><img src=x onerror=y>'])
    page = Page(path)
    assert len(page.all("script")) == 1 and not page.all("i") and not page.all("img") and name in page.text()
    assert page.all("h1")[0][1] == "<i>&"


def test_what_cannot_be_reported_is_an_error_with_a_remedy(root: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no summary.json in .*none; give a folder"):
        write_report(tmp_path / "r.html", [tmp_path / "none"])
    with pytest.raises(FileNotFoundError, match=r"no study.json in .*none; give a folder"):
        write_report(tmp_path / "r.html", tmp_path / "none")
    with pytest.raises(ValueError, match="the same episode was given twice"):
        write_report(tmp_path / "r.html", [root / "evaluations" / "ppo__rule__0"] * 2)
    run = fake.write_training_run(tmp_path / "run", 0)
    (run / "evaluations.csv").write_text("timesteps,tir_pct,below_70_pct\n")
    with pytest.raises(ValueError, match="has no learning curve"):
        write_report(tmp_path / "r.html", [root / "evaluations" / "ppo__rule__0"], [run])
    assert not (tmp_path / "r.html").exists()
