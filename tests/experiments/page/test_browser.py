"""The page in Chromium: accessible, quiet, alone, usable by keyboard, at home on a phone; figures can be saved."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.report import write_report
from experiments.results.collect import collect
from tests.browsing import check_accessible, opened
from tests.experiments import fake_evaluation as fake

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("study")
    judged = [
        fake.write_evaluation(root / f"ppo-{s}", "ppo", "rule", s, trained_on=fake.PEOPLE, bodies=True)
        for s in (0, 1)
    ]
    judged += [fake.write_evaluation(root / "bb", "basal-bolus", "rule", bodies=True)]
    judged += [fake.write_evaluation(root / "c", "constant-basal", "off", bodies=True)]
    judged += [
        fake.write_evaluation(root / "diary", "ppo", "rule", 0, True, trained_on=fake.PEOPLE, bodies=True)
    ]
    run = fake.write_training_run(root / "run", 0)
    study = collect(judged, [run], command="make x", notes=["A note."])
    return write_report(root / "report.html", replace(study, sweep=fake.make_sweep()))


@pytest.fixture
def seen(browser: Any, path: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page, open and unfolded, and what it asked for, complained of or failed with."""
    noticed: list[str] = []
    page = opened(browser, path, noticed)
    yield page, noticed
    page.close()


@pytest.mark.slow
def test_no_accessibility_violations_on_desk_and_phone(seen: tuple[Any, list[str]]) -> None:
    check_accessible(seen[0])


def test_it_asks_for_nothing_and_its_console_stays_empty(seen: tuple[Any, list[str]], path: Path) -> None:
    page, noticed = seen
    page.wait_for_load_state("networkidle")
    assert noticed == [f"request: {path.as_uri()}"]


@pytest.mark.slow
def test_the_keyboard_reaches_everything(seen: tuple[Any, list[str]]) -> None:
    """Tab goes to the skip link, the sections, every wide table, every link and every button, each with an outline."""
    page, _ = seen
    wanted = page.evaluate("document.querySelectorAll('a[href], button, summary, [tabindex=\"0\"]').length")
    reached: set[str] = set()
    first = ""
    for _ in range(wanted + 1):
        page.keyboard.press("Tab")
        what, outline = page.evaluate(
            """() => { const one = document.activeElement; if (one === document.body) return ["", ""];
            const all = [...document.querySelectorAll('*')];
            return [one.tagName + all.indexOf(one), getComputedStyle(one).outlineStyle]; }"""
        )
        if what:
            assert outline != "none", what
            reached.add(what)
            first = first or page.evaluate("document.activeElement.textContent")
    assert first == "Skip to the results" and len(reached) == wanted


def test_a_link_in_a_table_leads_to_run_and_command(seen: tuple[Any, list[str]]) -> None:
    page, _ = seen
    page.locator("#results ~ div tbody th a").first.focus()
    page.keyboard.press("Enter")
    target = page.evaluate("document.querySelector(':target').textContent")
    assert "python -m scripts.evaluate" in target and "0123456789ab" in target


@pytest.mark.parametrize(("kind", "begins"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_figures_are_saved_by_keyboard(
    seen: tuple[Any, list[str]], tmp_path: Path, kind: str, begins: bytes
) -> None:
    page, noticed = seen
    button = page.get_by_role("button", name=f"Save figure 2 as {kind.upper()}")
    button.focus()
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert saved.value.suggested_filename == f"tradeoff.{kind}"
    saved.value.save_as(tmp_path / "figure")
    data = (tmp_path / "figure").read_bytes()
    assert data.startswith(begins) and len(data) > 5_000
    assert not [one for one in noticed if one.startswith(("console", "error"))]
    if kind == "svg":
        from xml.etree import ElementTree

        root = ElementTree.fromstring(data)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_it_is_read_without_its_script(browser: Any, path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator("figure svg").first.bounding_box()["height"] > 200
    assert not page.locator(".save").first.is_visible()
    context.close()
