"""What tests look at in a browser: a page as it opens, and what it says or asks for meanwhile."""

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
