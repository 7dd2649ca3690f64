"""The page: whole, honest, accessible, self-contained, and at home on a phone."""

import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from experiments.compare import read_evaluation
from experiments.records.tables import write_table
from experiments.report import DISCLAIMER, write_report
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
        fake.write_evaluation(root / "diary" / agent, agent, "rule", seed, diary=True)
    return root


def _folders(root: Path, name: str) -> list[Path]:
    return sorted((root / name).iterdir())


@pytest.fixture(scope="module")
def path(root: Path) -> Path:
    folders = [_folders(root, name) for name in ("evaluations", "runs", "diary")]
    return write_report(root / "out" / "report.html", *folders, title="A study", notes=["A note."])


@pytest.fixture(scope="module")
def page(path: Path) -> Page:
    return Page(path)


def test_structure_that_a_screen_reader_needs(page: Page) -> None:
    assert page.all("html")[0][0]["lang"] == "en"
    assert page.all("title")[0][1] == "A study" == page.all("h1")[0][1]
    levels = [int(tag[1]) for tag, *_ in page.found if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels[:-1], levels[1:], strict=True))
    assert len(page.all("caption")) == len(page.all("table")) >= 5 and all(
        text for _, text in page.all("caption")
    )
    assert all(attrs.get("scope") in ("col", "row", "rowgroup") for attrs, _ in page.all("th"))
    assert len(page.all("img")) >= 8
    assert all(len(str(attrs["alt"])) > 60 for attrs, _ in page.all("img"))
    ids = [str(attrs["id"]) for _, attrs, _ in page.found if "id" in attrs]
    assert len(ids) == len(set(ids))
    named = [attrs[key] for _, attrs, _ in page.found for key in ("aria-labelledby",) if key in attrs]
    links = [str(attrs["href"])[1:] for attrs, _ in page.all("a")]
    assert {*map(str, named), *links} <= set(ids) and len(links) == len(page.all("h2"))


def test_the_page_is_alone_and_small(page: Page, path: Path) -> None:
    assert path.stat().st_size < 5_000_000
    for _, attrs, _ in page.found:
        for name in ("src", "href", "data", "action", "srcset", "poster"):
            assert str(attrs.get(name, "#")).startswith(("#", "data:"))
    assert not page.all("script") and not re.search(r"url\(|@import|\bon\w+=", page.html)


def test_what_was_simulated_and_who_failed_are_said(page: Page) -> None:
    text = page.text()
    assert "6 virtual persons (2 adults, 2 adolescents, 2 children)" in text
    assert "2 episodes of 2 days for every person" in text
    assert "2 runs of ppo (seed 0, 1), up to 5.76 million environment steps each" in text
    assert "Same bodies, new days: everybody judged here was also trained on" in text
    assert "child#001 constant-basal off 1 of 2 low" in text
    assert "24 of 24 judged episodes, 6 persons, 2 days each" in text
    assert "0123456789ab" in text and "python -m scripts.train --seed 1" in text and "A note." in text
    assert "\u2014" not in page.html


def test_claim_is_computed(page: Page) -> None:
    claim = next(text for attrs, text in page.all("p") if str(attrs.get("class")).startswith("claim"))
    assert claim.startswith("ppo (2 training seeds)") and "the best baseline under the same shield" in claim
    assert "95 % interval" in claim.replace("\u00a0", " ")
    assert "Over training seeds time in range goes from" in page.text()


def test_disclaimer_at_the_top_at_the_end_and_at_every_dose(page: Page) -> None:
    assert page.all("p")[0][1].startswith(DISCLAIMER)
    doses = [text for _, text in page.all("figcaption") if "day 1" in text]
    assert len(doses) == 4 and all(DISCLAIMER in text for text in doses)
    assert DISCLAIMER in page.all("footer")[0][1]


def test_recorded_meals_are_told_apart_from_simulated_glucose(page: Page) -> None:
    text = page.text()
    assert "a person of the data set example-diaries (id P7) recorded on 8 days" in text
    assert "replayed on the virtual body adult#003" in text
    assert "Glucose, readings and insulin are simulated. They are not this person's" in text


def test_same_folders_give_the_same_bytes(root: Path, path: Path, tmp_path: Path) -> None:
    folders = [_folders(root, name) for name in ("evaluations", "runs", "diary")]
    again = write_report(tmp_path / "again.html", *folders, title="A study", notes=["A note."])
    assert again.read_bytes() == path.read_bytes()


def _study(root: Path, learned: str, name: str = "", baseline: str = "basal-bolus-tuned") -> list[Path]:
    """Two evaluations: one passed off as learned, one baseline."""
    return [
        fake.write_evaluation(root / "learned", learned, "rule", 0, name=name),
        fake.write_evaluation(root / "baseline", baseline, "rule"),
    ]


def test_a_learned_agent_that_loses_is_said_to_lose(tmp_path: Path) -> None:
    page = Page(write_report(tmp_path / "r.html", _study(tmp_path, "constant-basal", "bad-policy")))
    assert "bad-policy (1 training seed) loses to basal-bolus-tuned, the best baseline" in page.text()
    assert "claim worse" in page.html and "No training run was given" in page.text()
    assert "A recorded person's meals" not in page.text()


def test_a_learned_agent_that_kills_beats_nobody(tmp_path: Path) -> None:
    folders = _study(tmp_path, "ppo", baseline="constant-basal")
    table = dict(read_evaluation(folders[0]).episodes)
    table["failed"][3], table["failure_minute"][3] = 1.0, 600.0
    table["failure_side"] = np.array(["", "", "", "low", *[""] * 8])
    write_table(folders[0] / "episodes.csv", table)
    summary = json.loads((folders[0] / "summary.json").read_text())
    (folders[0] / "summary.json").write_text(json.dumps(summary | {"failures": summary["failures"] + 1}))
    text = Page(write_report(tmp_path / "r.html", folders)).text()
    assert "ppo (1 training seed) failed in 1 of 12 simulated episodes" in text
    assert "this is no improvement" in text


def test_baselines_alone_make_a_page_without_a_claim(tmp_path: Path) -> None:
    folder = fake.write_evaluation(tmp_path / "one", "basal-bolus", "rule")
    text = Page(write_report(tmp_path / "r.html", [folder])).text()
    assert "No learned agent was judged under the rule shield. basal-bolus has the highest" in text


def test_a_learned_agent_alone_claims_nothing(tmp_path: Path) -> None:
    folder = fake.write_evaluation(tmp_path / "one", "ppo", "rule", 0)
    run = fake.write_training_run(tmp_path / "run", 0)
    (run / "config.yml").write_text("people: [adult#001, adult#007]\n")
    text = Page(write_report(tmp_path / "r.html", [folder], [run])).text()
    assert "was judged without a baseline under the same shield: nothing can be claimed of it" in text
    assert "1 of the 6 persons judged here were trained on, all on other days" in text
    (run / "config.yml").write_text("people: [adult#007]\n")
    text = Page(write_report(tmp_path / "r.html", [folder], [run])).text()
    assert "New bodies, new days: nobody judged here was trained on" in text


def test_one_person_has_no_interval(tmp_path: Path) -> None:
    folders = [
        fake.write_evaluation(tmp_path / agent, agent, "rule", seed, diary=True)
        for agent, seed in (("ppo", 0), ("basal-bolus", -1))
    ]
    text = Page(write_report(tmp_path / "r.html", folders)).text()
    assert "cannot be told apart" in text and "one person, so no interval" in text
    assert "By age group" not in text


def test_traces_of_some_episodes_only_are_counted_as_such(tmp_path: Path) -> None:
    folders = _study(tmp_path, "ppo")
    for folder in folders:
        traces = read_evaluation(folder).traces()
        keep = (traces["replica"] == 1) & np.isin(traces["person"], ["adult#001", "child#002"])
        write_table(folder / "traces.csv", {name: column[keep] for name, column in traces.items()})
    text = Page(write_report(tmp_path / "r.html", folders)).text()
    assert "2 of 12 judged episodes, 2 persons, 2 days each" in text
    assert "among the 2 recorded step by step" in text


def test_malicious_names_stay_text(tmp_path: Path) -> None:
    name = '<script>alert("x")</script>'
    folders = _study(tmp_path, "ppo", name)
    runs = [fake.write_training_run(tmp_path / "runs" / "<b>$x_{", 0)]
    path = write_report(tmp_path / "r.html", folders, runs, title="<i>&", notes=['"><img src=x onerror=y>'])
    page = Page(path)
    assert not page.all("script") and not page.all("i") and name in page.text()
    assert len(page.all("img")) == 7
    assert page.all("h1")[0][1] == "<i>&"


def test_what_cannot_be_reported_is_an_error_with_a_remedy(root: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no summary.json in .*none; give a folder"):
        write_report(tmp_path / "r.html", [tmp_path / "none"])
    with pytest.raises(ValueError, match="the same episode was given twice"):
        write_report(tmp_path / "r.html", [root / "evaluations" / "ppo__rule__0"] * 2)
    run = fake.write_training_run(tmp_path / "run", 0)
    (run / "evaluations.csv").write_text("timesteps,tir_pct,below_70_pct\n")
    with pytest.raises(ValueError, match="has no learning curve"):
        write_report(tmp_path / "r.html", [root / "evaluations" / "ppo__rule__0"], [run])
    other = fake.write_evaluation(tmp_path / "other", "basal-bolus", "rule")
    summary = json.loads((other / "summary.json").read_text())
    (other / "summary.json").write_text(json.dumps({**summary, "protocol_hash": "f" * 64}))
    with pytest.raises(ValueError, match="under different hashes"):
        write_report(tmp_path / "r.html", [root / "evaluations" / "ppo__rule__0", other])
    assert not (tmp_path / "r.html").exists()


_WIDTH = """<script>
document.title = [document.documentElement.scrollWidth, window.innerWidth].join("/");
</script>"""


def _chromium(chromium: str, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    flags = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={home}",
    )
    return subprocess.run([chromium, *flags, *words], capture_output=True, text=True, timeout=120)


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_sideways(chromium: str, path: Path, tmp_path: Path, width: int) -> None:
    """The page in a frame of that width, because a headless window is never narrower than 500 px."""
    html = re.sub("<meta http-equiv[^>]*>", "", path.read_text("utf-8")).replace(
        "</body>", f"{_WIDTH}</body>"
    )
    (tmp_path / "page.html").write_text(html, "utf-8")
    (tmp_path / "frame.html").write_text(
        f'<iframe src="page.html" style="width:{width}px;height:800px;border:0"></iframe>'
        "<script>onload = () => { document.title = frames[0].document.title }</script>"
    )
    found = _chromium(
        chromium, tmp_path / "home", "--allow-file-access-from-files", "--window-size=1400,900",
        "--virtual-time-budget=5000", "--dump-dom", (tmp_path / "frame.html").as_uri(),
    )  # fmt: skip
    title = re.search(r"<title>(\d+)/(\d+)</title>", found.stdout)
    assert title is not None, found.stdout[-500:] + found.stderr[-500:]
    assert (int(title[1]), int(title[2])) == (width, width)


@pytest.mark.browser
def test_the_console_stays_empty(chromium: str, path: Path, tmp_path: Path) -> None:
    found = _chromium(
        chromium, tmp_path / "home", "--enable-logging=stderr", "--v=0", "--window-size=1280,900",
        f"--screenshot={tmp_path / 'page.png'}", path.as_uri(),
    )  # fmt: skip
    assert found.returncode == 0
    assert [line for line in found.stderr.splitlines() if "CONSOLE" in line] == []
    assert (tmp_path / "page.png").stat().st_size > 50_000
