"""The site over the committed results, built once, with a visitor's real evaluation and two days beside them."""

import json
from pathlib import Path

import pytest

from experiments.results.against_committed import RESULTS
from experiments.site.build import write
from experiments.site.gathered import Site, gather
from scripts.evaluate import main as evaluate

DAY = "<!DOCTYPE html><html lang='en'><head><title>A day</title></head><body><p>A day.</p></body></html>"


@pytest.fixture(scope="session")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real evaluation of one person for a day."""
    out = tmp_path_factory.mktemp("visit") / "mine"
    words = ["--agent", "basal-bolus", "--person", "child#001", "--days", "1", "--set", "drawn_per_group=0"]
    assert evaluate([*words, "--protocol", "realistic", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed results, and pages of two days."""
    folder = tmp_path_factory.mktemp("results")
    for path in RESULTS.iterdir():
        if path.name not in ("runs", "days"):
            (folder / path.name).symlink_to(path)
    (folder / "days").mkdir()
    days = []
    for k, (person, protocol) in enumerate((("child#001", "realistic"), ("adult#001", "stress"))):
        (folder / "days" / f"day{k}.html").write_text(DAY)
        days.append(
            {
                "file": f"day{k}.html", "title": f"Day {k} of {person}", "agent": "ppo-history", "person": person,
                "protocol": protocol, "protocol_hash": "0123456789abcdef", "words": "A test's day.",
            }
        )  # fmt: skip
    (folder / "days" / "index.json").write_text(json.dumps(days))
    return folder


@pytest.fixture(scope="session")
def gathered(results: Path, visit: Path) -> Site:
    """What the site is made of."""
    return gather(results, [visit], "python -m scripts.site")


@pytest.fixture(scope="session")
def site(gathered: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site."""
    out = tmp_path_factory.mktemp("site")
    write(gathered, out)
    return out
