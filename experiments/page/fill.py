"""How pages are made of templates: text is escaped, what is not given is an error, scripts are named by a hash."""

import base64
import hashlib
import re
from pathlib import Path

import jinja2

TEMPLATES = Path(__file__).resolve().parent / "templates"


def environment(*folders: Path, trim: bool = False) -> jinja2.Environment:
    """Templates of these folders, then those that all pages share; with the filter `unbroken`.

    trim: lines that hold a block alone leave nothing.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, TEMPLATES]), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=trim, lstrip_blocks=trim,
    )  # fmt: skip
    made.filters["unbroken"] = unbroken
    return made


def unbroken(text: str) -> str:
    """The text with no line break between a number and its unit."""
    return re.sub(r"(?<=\d) (?=%|mg/dL)", "\u00a0", text)


def script(path: Path | None) -> dict[str, str]:
    """What the frame of a page asks for to run this script alone: its text, and its hash for the page's policy."""
    text = "" if path is None else path.read_text(encoding="utf-8")
    return {"script": text, "script_hash": base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}
