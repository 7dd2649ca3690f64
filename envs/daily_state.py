"""What the future of a core that decides once a day hangs on, as arrays by name: taken, checked and put back.

core: of `envs.season` or `envs.nights`; both hold rows, people and a cohort's setting, and a view that is a dataclass.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from envs.view import Visible

V = TypeVar("V", bound=Visible)
SETTING = "setting"
"""A number that tells settings apart: with another body, clock or length a state would go on as nonsense."""


def _told(setting: Any) -> NDArray[Any]:
    words = {one.name: getattr(setting, one.name) for one in fields(setting) if one.name not in _FREE}
    return np.array([zlib.crc32(repr(words).encode())], np.int64)


_FREE = ("cohort", "split", "seed")
"""What may differ: the people are checked by themselves, and keys hold the rest."""


def take(
    core: Any, names: Sequence[str], view: Visible, view_names: Sequence[str]
) -> dict[str, NDArray[Any]]:
    """Copies of these arrays of a core, and of its view."""
    return (
        {SETTING: _told(core.setting)}
        | {name: getattr(core, name).copy() for name in names}
        | {f"view.{name}": getattr(view, name).copy() for name in view_names}
    )


def put(
    core: Any, names: Sequence[str], empty: V, view_names: Sequence[str], saved: Mapping[str, NDArray[Any]]
) -> V:
    """Back into the core and into an empty view, which is returned. Raises ValueError when it does not fit; nothing has
    happened then."""
    held = {SETTING: _told(core.setting)} | {name: getattr(core, name) for name in names}
    held |= {f"view.{name}": getattr(empty, name) for name in view_names}
    if set(saved) != set(held):
        odd = ", ".join(sorted(set(saved).symmetric_difference(held)))
        raise ValueError(f"saved state does not fit this setting ({odd}); save and restore must agree")
    for name, array in held.items():
        new = saved[name]
        if new.dtype != array.dtype or new.shape != array.shape or not np.isfinite(new).all():
            raise ValueError(
                f"saved {name} is {new.dtype}{new.shape}, needed is {array.dtype}{array.shape}, finite"
            )
    if not np.array_equal(saved[SETTING], held[SETTING]):
        raise ValueError("this state was saved under other settings; restore with those of the save")
    if not ((saved["view.day"] >= 0) & (saved["view.day"] <= core.setting.days)).all():
        raise ValueError("saved view.day lies outside the setting's days; use an older save")
    rows, cohort = saved["rows"], core.setting.cohort
    fits = (rows >= 0).all() and (rows < len(cohort)).all()
    if not fits or not np.array_equal(saved["people"], cohort.numbers[rows]):
        raise ValueError("saved rows are not people of this setting; restore with the cohort of the save")
    for name in names:
        getattr(core, name)[...] = saved[name]
    for name in view_names:
        getattr(empty, name)[...] = saved[f"view.{name}"]
    empty.ids = tuple(cohort.ids[row] for row in core.rows)
    return empty
