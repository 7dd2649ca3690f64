"""The page of a day in Chromium: accessible, alone, at home on a phone, every part reached by keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.explain.day import write_day
from tests.experiments.explain.days import explained

pytestmark = pytest.mark.browser

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_day(explained(), tmp_path_factory.mktemp("days"))


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def seen(browser: Any, path: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page, and what it asked for, complained of or failed with."""
    noticed: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("console", lambda message: noticed.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: noticed.append(f"error: {error}"))
    page.on("request", lambda request: noticed.append(f"request: {request.url[:100]}"))
    page.goto(path.as_uri())
    yield page, noticed
    page.close()


def test_no_accessibility_violations_on_desk_and_phone(seen: tuple[Any, list[str]]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page, _ = seen
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") == width, "it sticks out sideways"


def test_it_asks_for_nothing_and_its_console_stays_empty(seen: tuple[Any, list[str]], path: Path) -> None:
    page, noticed = seen
    page.wait_for_load_state("networkidle")
    assert noticed == [f"request: {path.as_uri()[:100]}"]


def test_a_time_in_the_table_leads_to_the_closer_look(seen: tuple[Any, list[str]]) -> None:
    page, _ = seen
    link = page.locator("#decisions ~ div tbody th a").first
    time = link.text_content()
    link.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector(':target').textContent").startswith(time)
