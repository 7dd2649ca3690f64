"""Pages of the site in Chromium: accessible, quiet, alone, at home on a phone; sorted by keyboard, read as they are."""

from pathlib import Path
from typing import Any

import pytest

from tests.browsing import check_accessible, opened

pytestmark = pytest.mark.browser

KINDS = (
    "index.html", "table.html",
    *(
        pytest.param(name, marks=pytest.mark.verify)
        for name in (
            "credibility.html", "people/child-001.html", "protocols/realistic.html", "protocols/twins.html",
            "protocols/physiology.html",
        )
    ),
)  # fmt: skip
"""A page of each kind: overview, table; credibility, person; protocols with a card, with documents, without rows."""
FEW = "realistic ppo"
"""Of the table these rows alone are looked at by axe, which takes a minute for all; they are made by one template."""


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_a_page_is_accessible_alone_quiet_and_no_wider_than_the_screen(
    browser: Any, site: Path, name: str
) -> None:
    noticed: list[str] = []
    page = opened(browser, site / name, noticed)
    page.wait_for_load_state("networkidle")
    assert noticed == [f"request: {(site / name).as_uri()}"]
    if name == "table.html":
        page.get_by_label("Rows that contain").fill(FEW)
    check_accessible(page)
    assert not [one for one in noticed if one.startswith(("console", "error"))]
    page.close()


_GROUPS = """() => [...document.querySelectorAll('table.joint tbody')].map((body) => ({
  first: body.rows[0].className, values: [...body.rows].slice(1).filter((row) => !row.hidden)
    .map((row) => row.cells[6].dataset.v), hidden: body.hidden}))"""


@pytest.mark.slow
def test_the_table_is_sorted_by_keyboard_within_each_group(browser: Any, site: Path) -> None:
    page = opened(browser, site / "table.html", [])
    head = page.locator("table.joint thead th").nth(6)
    assert head.inner_text().startswith("70-180") and head.get_attribute("aria-sort") is None
    before = page.evaluate(_GROUPS)
    head.locator("button").focus()
    for want, order in (("descending", -1), ("ascending", 1)):
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == want
        assert page.locator("thead th[aria-sort]").count() == 1
        after = page.evaluate(_GROUPS)
        assert [one["first"] for one in after] == ["group"] * len(before)
        for one, other in zip(before, after, strict=True):
            assert sorted(one["values"]) == sorted(other["values"]), "rows stay in their group"
            numbers = [float(value) for value in other["values"] if value]
            assert numbers == sorted(numbers, key=lambda number: order * number)
            assert all(not value for value in other["values"][len(numbers) :]), (
                "rows without a number come last"
            )
        assert f"Sorted by 70-180, {want}, within each group." == page.locator("[role=status]").inner_text()
    other = page.locator("table.joint thead th").nth(0)
    other.locator("button").click()
    assert other.get_attribute("aria-sort") == "ascending" and head.get_attribute("aria-sort") is None
    page.close()


@pytest.mark.slow
def test_the_filter_shows_what_contains_all_words_and_says_how_much(browser: Any, site: Path) -> None:
    page = opened(browser, site / "table.html", [])
    everything = page.locator("table.joint tbody tr:not(.group)").count()
    page.get_by_label("Rows that contain").fill("stress  ppo-history")
    shown = page.locator("table.joint tbody:not([hidden]) tr:not(.group):not([hidden])")
    assert 0 < shown.count() < 6
    assert all("ppo-history" in text for text in shown.all_inner_texts())
    assert page.locator("[role=status]").inner_text() == f"{shown.count()} of {everything} rows."
    page.get_by_label("Rows that contain").fill("")
    assert shown.count() == everything
    page.close()


@pytest.mark.slow
def test_the_keyboard_reaches_the_content_and_every_wide_table(browser: Any, site: Path) -> None:
    page = opened(browser, site / "people" / "child-001.html", [])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    wide = page.locator(".wide")
    assert wide.count() > 3
    for k in range(wide.count()):
        wide.nth(k).focus()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        assert wide.nth(k).get_attribute("aria-labelledby")
    page.close()


@pytest.mark.slow
def test_it_is_read_without_its_script(browser: Any, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "table.html").as_uri())
    assert page.locator("table.joint tbody tr").first.is_visible()
    assert page.locator("table.joint button").count() == 0 and not page.locator(".tools").is_visible()
    page.goto((site / "protocols" / "realistic.html").as_uri())
    assert page.locator("figure svg").first.bounding_box()["height"] > 200
    context.close()
