"""The page of a day in Chromium: accessible, alone, at home on a phone, every part reached by keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.explain.day import write_day
from tests.browsing import check_accessible, opened
from tests.experiments.explain.days import explained

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_day(explained(), tmp_path_factory.mktemp("days"))


@pytest.fixture
def seen(browser: Any, path: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page, and what it asked for, complained of or failed with."""
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


def test_a_time_in_the_table_leads_to_the_closer_look(seen: tuple[Any, list[str]]) -> None:
    page, _ = seen
    link = page.locator("#decisions ~ div tbody th a").first
    time = link.text_content()
    link.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector(':target').textContent").startswith(time)
