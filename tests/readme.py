"""The README as tests read it."""

from pathlib import Path

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def said_line(begin: str) -> str:
    """The one line of the README that begins so."""
    (line,) = [line for line in README.splitlines() if line.startswith(begin)]
    return line
