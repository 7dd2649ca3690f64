"""JSON objects from files that somebody else may have written: of a size, finite, and of the kinds asked for."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twins.files import UnfitFile, read_file

MOST_BYTES = 4 << 20
_LARGEST = 2**53
"""Whole numbers beyond this are not exact as floats, and no count or seed."""

Kind = type | tuple[type, ...]
"""What a value may be. bool is no int here; an int must be a count: 0 up to 2^53."""


def load_object(
    path: str | Path, remedy: str, kinds: Mapping[str, Kind] | None = None, most: int = MOST_BYTES
) -> dict[str, Any]:
    """The object in a JSON file. kinds: what the values of some keys must be, where these keys are present.

    Raises FileNotFoundError, or ValueError that names file and fault and ends with `remedy`: not JSON, no object, too
    large, nested too deeply, numbers that are not finite, a value of another kind.
    """
    path = Path(path)
    try:
        data = read_file(path, most)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"no {path.name} in {path.parent}; {remedy}") from None
    except (OSError, UnfitFile) as error:
        raise ValueError(f"{path} cannot be read ({error}); {remedy}") from None
    try:
        found = json.loads(data, parse_constant=_not_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON ({error}); {remedy}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no JSON object; {remedy}")
    check_kinds(found, kinds or {}, str(path), remedy)
    return found


def check_kinds(found: Mapping[str, Any], kinds: Mapping[str, Kind], where: str, remedy: str) -> None:
    """Raise ValueError where a value that is present is of another kind than `kinds` names."""
    for name, kind in kinds.items():
        if name not in found:
            continue
        value = found[name]
        allowed = kind if isinstance(kind, tuple) else (kind,)
        fits = isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))
        if fits and isinstance(value, int) and not 0 <= value <= _LARGEST:
            fits = False
        if not fits:
            words = " or ".join("null" if one is type(None) else one.__name__ for one in allowed)
            raise ValueError(
                f"{where}: {name} is {str(value)[:40]!r}; needed is {words}. It was edited; {remedy}"
            )


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


def _not_finite(word: str) -> float:
    raise ValueError(f"{word} is not a finite number")
