"""Committed tables of Markdown, read strictly: a table that is not what it is taken for is refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.joint.row import NAN, NONE, Failed, Origin, Value
from twins.files import UnfitFile, read_file

MOST_BYTES = 4 << 20
_NUMBER = r"[+-]?\d[\d,]*(?:\.\d+)?"
_VALUE = re.compile(rf"({_NUMBER})(?: \[({_NUMBER}), ({_NUMBER})\])?")
_COUNT = re.compile(r"(\d[\d,]*) of (\d[\d,]*)")
_COMMAND = re.compile(r"`(python -m scripts\.[^`]*)`")


@dataclass(frozen=True)
class MarkdownTable:
    """A table of a file: the headings above it, outermost first, its column names, and its rows as text."""

    path: Path
    under: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def where(self) -> str:
        """File and heading, for messages."""
        return f"{self.path}, under {self.under[-1]!r}" if self.under else str(self.path)

    def column(self, name: str) -> int:
        """Place of a column. Raises ValueError where there is none of this name."""
        if name not in self.heads:
            raise ValueError(f"{self.where}: no column {name!r}; the table has {', '.join(self.heads)}")
        return self.heads.index(name)

    def value(self, row: Sequence[str], name: str) -> Value:
        """The number of a cell, with its interval. Raises ValueError for anything else; an empty cell or - is none."""
        text = row[self.column(name)]
        try:
            return value(text)
        except ValueError as error:
            raise ValueError(f"{self.where}, row {row[0]!r}, column {name!r}: {error}") from None

    def failed(self, row: Sequence[str], name: str, what: str) -> Failed:
        """A cell such as ``3 of 72``. Raises ValueError for anything else."""
        text = row[self.column(name)]
        found = _COUNT.fullmatch(text)
        if found is None:
            raise ValueError(
                f"{self.where}, row {row[0]!r}, column {name!r}: {text!r} is no count such as '3 of 72'"
            )
        return Failed(_number(found[1]), int(_number(found[2])), what)


@dataclass(frozen=True)
class Page:
    """A Markdown file: its text, the command that made it, its tables."""

    path: Path
    text: str
    command: str
    tables: tuple[MarkdownTable, ...]

    def origin(self, results: Path) -> Origin:
        """Where its rows come from. results: the folder that it is named from."""
        return Origin(self.path.relative_to(results).as_posix(), self.command)

    def with_heads(self, heads: Sequence[str]) -> list[MarkdownTable]:
        """The tables with exactly these columns, in this order. Raises ValueError where there is none."""
        found = [one for one in self.tables if one.heads == tuple(heads)]
        if not found:
            known = "; ".join(" | ".join(one.heads) for one in self.tables) or "no table at all"
            raise ValueError(
                f"{self.path}: no table with the columns {' | '.join(heads)}; it has {known}. Its columns have "
                "changed: change those that are asked for where it is read, too"
            )
        return found

    def found(self, pattern: str) -> re.Match[str]:
        """Where the text says something. Raises ValueError where it does not."""
        match = re.search(pattern, self.text)
        if match is None:
            raise ValueError(f"{self.path}: says nothing like {pattern!r}; its words have changed")
        return match


def value(text: str) -> Value:
    """``82.5 [78.1, 86.6]``, ``+0.23``, ``1,013`` or ``13 %`` as a number; empty and - as none. Raises ValueError."""
    plain = text.strip().replace("*", "").removesuffix("%").strip()
    if plain in ("", "-"):
        return NONE
    found = _VALUE.fullmatch(plain)
    if found is None:
        raise ValueError(f"{text!r} is no number such as '82.5 [78.1, 86.6]'")
    low, high = (NAN if end is None else _number(end) for end in found.groups()[1:])
    return Value(
        _number(found[1]), low, high, places=len(found[1].partition(".")[2]), signed=found[1][0] in "+-"
    )


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def read_page(path: str | Path) -> Page:
    """A committed Markdown file. Raises FileNotFoundError, or ValueError that names file, line and fault: a row with
    another number of cells than its heads, no command of `scripts` that made it."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no table {path}; restore it from git, or make it again by its command")
    try:
        text = read_file(path, MOST_BYTES).decode("utf-8")
    except (UnfitFile, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({error}); restore it from git") from None
    command = _COMMAND.search(text)
    if command is None:
        raise ValueError(f"{path} names no command `python -m scripts...` that made it; make it again")
    return Page(path, text, command[1], tuple(_tables(path, text.splitlines())))


def _tables(path: Path, lines: Sequence[str]) -> list[MarkdownTable]:
    found, under = list[MarkdownTable](), list[tuple[int, str]]()
    k = 0
    while k < len(lines):
        line = lines[k]
        if heading := re.fullmatch(r"(#+) (.+)", line):
            depth = len(heading[1])
            under = [one for one in under if one[0] < depth] + [(depth, heading[2])]
        if line.startswith("|") and k + 1 < len(lines) and re.fullmatch(r"\|[\s|:-]+\|", lines[k + 1]):
            heads, rows = cells(line), list[tuple[str, ...]]()
            if len(cells(lines[k + 1])) != len(heads):
                raise ValueError(
                    f"{path}, line {k + 2}: the rule below {len(heads)} heads has another number of cells"
                )
            k += 2
            while k < len(lines) and lines[k].startswith("|"):
                row = cells(lines[k])
                if len(row) != len(heads):
                    raise ValueError(f"{path}, line {k + 1}: {len(row)} cells under {len(heads)} heads")
                rows.append(row)
                k += 1
            found.append(MarkdownTable(path, tuple(one for _, one in under), heads, tuple(rows)))
            continue
        k += 1
    return found


def cells(line: str) -> tuple[str, ...]:
    """The cells of a line of a table."""
    return tuple(cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|"))
