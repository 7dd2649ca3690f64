"""What tests look at in a browser: a page as it opens, what it says or asks for meanwhile, and who can use it."""

from pathlib import Path
from typing import Any


def opened(browser: Any, path: Path, noticed: list[str]) -> Any:
    """The page of a file, on a desk's screen, with everything unfolded.

    noticed: is told of every message of its console, error and request.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("console", lambda message: noticed.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: noticed.append(f"error: {error}"))
    page.on("request", lambda request: noticed.append(f"request: {request.url}"))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    return page


def check_accessible(page: Any) -> None:
    """No rule of axe is broken on a desk's screen and on a phone's, and nothing sticks out sideways there.

    Contrast is looked at once, and takes longest: no style of ours changes a colour by the width of the screen.
    """
    from axe_playwright_python.sync_playwright import Axe

    for width, contrast in ((1280, True), (360, False)):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width, "it sticks out sideways"
        rules = {"color-contrast": {"enabled": contrast}}
        found = Axe().run(page, options={"resultTypes": ["violations"], "rules": rules})
        assert found.violations_count == 0, found.generate_report()
