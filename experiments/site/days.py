"""Pages of one simulated day, where there are any: what the policy saw, did and why, made elsewhere and linked here."""

import json
from dataclasses import dataclass
from pathlib import Path

from twins.files import UnfitFile, read_file

FOLDER, INDEX = "days", "index.json"
MOST_BYTES = 16 << 20
_NEEDED = ("file", "title", "agent", "person", "protocol", "words")
_REMEDY = "make the days again"


@dataclass(frozen=True)
class Day:
    """A page of one day: its file in the folder, whom and what it shows, and a sentence about it."""

    file: str
    title: str
    agent: str
    person: str
    protocol: str
    words: str


def read(results: Path) -> list[Day]:
    """The days below results; none where there is no index. Raises ValueError that names file and fault: not a list of
    objects with these texts, a file that is elsewhere, no page, or missing."""
    path = results / FOLDER / INDEX
    if not path.is_file():
        return []
    try:
        listed = json.loads(read_file(path, MOST_BYTES))
    except (UnfitFile, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read ({error}); {_REMEDY}") from None
    if not isinstance(listed, list):
        raise ValueError(f"{path} holds no list; {_REMEDY}")
    found = []
    for k, one in enumerate(listed):
        if not isinstance(one, dict) or not all(isinstance(one.get(name), str) for name in _NEEDED):
            raise ValueError(f"{path}, entry {k}: needs the texts {', '.join(_NEEDED)}; {_REMEDY}")
        day = Day(**{name: one[name] for name in _NEEDED})
        if Path(day.file).name != day.file or not day.file.endswith(".html"):
            raise ValueError(f"{path}, entry {k}: file {day.file!r} is no page of this folder; {_REMEDY}")
        if not (path.parent / day.file).is_file():
            raise ValueError(f"{path}, entry {k}: there is no {day.file}; {_REMEDY}")
        found.append(day)
    return found
