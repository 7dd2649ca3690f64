"""A committed Markdown file as blocks that a page can show: headings, paragraphs, lists, tables, commands."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup, escape

from experiments.joint.markdown import cells
from experiments.page.fill import unbroken

Block = dict[str, Any]
"""kind: heading (text, level), paragraph (text), list (items), code (text), table (heads, rows, numbers: which columns
are aligned to the right)."""


def blocks(text: str) -> list[Block]:
    """The blocks of a file, without its first heading. Only what the project's own tables use is known."""
    lines = text.splitlines()
    found = list(_blocks(lines))
    return found[1:] if found and found[0]["kind"] == "heading" and found[0]["level"] == 1 else found


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    k = 0
    while k < len(lines):
        line = lines[k]
        if not line.strip():
            k += 1
        elif heading := re.fullmatch(r"(#+) (.+)", line):
            yield {"kind": "heading", "level": len(heading[1]), "text": heading[2]}
            k += 1
        elif line.startswith("```"):
            end = next((n for n in range(k + 1, len(lines)) if lines[n].startswith("```")), len(lines))
            yield {"kind": "code", "text": "\n".join(lines[k + 1 : end])}
            k = end + 1
        elif line.startswith("|"):
            end = _while(lines, k, "|")
            yield _table(lines[k:end])
            k = end
        elif line.startswith("- "):
            end = _while(lines, k, "- ")
            yield {"kind": "list", "items": [one.removeprefix("- ") for one in lines[k:end]]}
            k = end
        else:
            end = k
            while end < len(lines) and lines[end].strip() and not re.match(r"[#|]|- |```", lines[end]):
                end += 1
            yield {"kind": "paragraph", "text": " ".join(lines[k:end])}
            k = end


def _while(lines: Sequence[str], first: int, begins: str) -> int:
    """The first line from `first` on that does not begin so."""
    end = first
    while end < len(lines) and lines[end].startswith(begins):
        end += 1
    return end


def _table(lines: Sequence[str]) -> Block:
    rows = [cells(line) for line in lines]
    numbers = [cell.endswith(":") for cell in rows[1]] if len(rows) > 1 else []
    return {"kind": "table", "heads": rows[0], "rows": rows[2:], "numbers": numbers}


def inline(text: str) -> Markup:
    """A line of Markdown as HTML: `code`, **bold**, and the words of links; all else is escaped."""
    plain = str(escape(text.replace("\\*", "*")))
    plain = re.sub(r"\[([^\]]+)\]\([^)\s]+\)", r"\1", plain)
    plain = re.sub(r"`([^`]+)`", r"<code>\1</code>", plain)
    plain = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", plain)
    return Markup(unbroken(plain))
