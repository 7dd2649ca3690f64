"""The list of the pages of single days that lie in a folder, which others link to."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from twins.files import UnfitFile, atomic_write_text, read_file

INDEX = "index.json"
_PAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*\.html")
_MOST_BYTES = 4 << 20
_REMEDY = "remove it, and make the pages again"


@dataclass(frozen=True)
class Day:
    """A page of one day: its file in the folder, whom and what it shows, its protocol's hash, a sentence about it."""

    file: str
    title: str
    agent: str
    person: str
    protocol: str
    protocol_hash: str
    words: str


_TEXTS = tuple(one.name for one in fields(Day))


def read(folder: Path) -> list[Day]:
    """The days of a folder; none where there is no index. Raises ValueError that names file and fault: not a list of
    objects with these texts, a file that is elsewhere, no page, or missing."""
    path = folder / INDEX
    if not path.is_file():
        return []
    try:
        listed = json.loads(read_file(path, _MOST_BYTES))
    except (UnfitFile, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read ({error}); {_REMEDY}") from None
    if not isinstance(listed, list):
        raise ValueError(f"{path} holds no list; {_REMEDY}")
    found: list[Day] = []
    for k, one in enumerate(listed):
        if (
            not isinstance(one, dict)
            or set(one) != set(_TEXTS)
            or not all(isinstance(v, str) for v in one.values())
        ):
            raise ValueError(f"{path}, entry {k}: needs the texts {', '.join(_TEXTS)}; {_REMEDY}")
        day = Day(**one)
        twice = day.file in {one.file for one in found}
        if not _PAGE.fullmatch(day.file) or (folder / day.file).is_symlink() or twice:
            raise ValueError(
                f"{path}, entry {k}: file {day.file!r} is no page of this folder, or there twice; {_REMEDY}"
            )
        if not (folder / day.file).is_file():
            raise ValueError(f"{path}, entry {k}: there is no {day.file}; {_REMEDY}")
        found.append(day)
    return found


def enter(days: Iterable[Day], folder: Path) -> Path:
    """Enter pages that lie in a folder into its index, in the order of file names; the path of the index.

    Raises ValueError for an index that is none; nothing is written then.
    """
    held = {one.file: asdict(one) for one in (*read(folder), *days)}
    text = json.dumps([held[file] for file in sorted(held)], indent=2, ensure_ascii=False)
    atomic_write_text(folder / INDEX, text + "\n")
    return folder / INDEX
