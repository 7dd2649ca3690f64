"""Tests that need something from outside are skipped or fail without it (`tests.needs`)."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip


def _browser() -> str | None:
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m MARK`, files that use no such mark are not even imported: that takes longer than many tests."""
    mark = config.option.markexpr
    if not re.fullmatch(r"[a-z]+", mark) or not re.fullmatch(r"test_\w+\.py", collection_path.name):
        return None
    return None if f"mark.{mark}" in collection_path.read_text("utf-8") else True


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("real"):
        from tests.needs import lacking
        from twins.world.readers import recordings_folder

        if recordings_folder() is None:
            lacking("No recordings of real people: set HOMEOSTAT_DATA to their folder (see the README).")
    if item.get_closest_marker("browser") and _browser() is None:
        from tests.needs import lacking

        lacking(
            f"No browser: put one of {', '.join(_BROWSERS)} on the PATH (Debian: apt-get install chromium)."
        )


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium browser; for tests marked `browser`."""
    path = _browser()
    assert path is not None, "mark tests that use this fixture with pytest.mark.browser"
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """A browser without a screen, see `tests.browsing`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        yield browser
        browser.close()
