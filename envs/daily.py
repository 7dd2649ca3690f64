"""What cores that decide once a day share: which settings may be, who is seated, and what is saved and put back.

core: of `envs.season` or `envs.nights`; both hold rows, people and a cohort's setting, and a view that is a dataclass.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from envs.view import Visible
from twins import random
from twins.random import SPLITS, check_seed
from twins.units import MINUTES_PER_DAY
from twins.words import near_miss

SHIELDS = ("rule", "off")
V = TypeVar("V", bound=Visible)
SETTING = "setting"
"""A number that tells settings apart: with another body, clock or length a state would go on as nonsense."""


def check_setting(
    setting: Any,
    what: str,
    days: tuple[int, int, int],
    words: Mapping[str, Sequence[str | None]],
    amounts: Sequence[str],
    switches: Sequence[str],
) -> None:
    """Raise ValueError naming the field of a setting that is wrong.

    what: is decided. days: the least, the most, and an example. words: what is allowed, by field, beside shield and
    split; amounts: fields of 0 and more; switches: of True and False.
    """
    least, most, example = days
    if (
        isinstance(setting.days, bool)
        or not isinstance(setting.days, int)
        or not least <= setting.days <= most
    ):
        raise ValueError(
            f"days is {setting.days!r}; give whole days from {least} to {most}, such as {example}"
        )
    for name, allowed in {**words, "shield": SHIELDS, "split": tuple(SPLITS)}.items():
        given, told = getattr(setting, name), [str(one) for one in allowed]
        if given not in allowed:
            raise ValueError(
                f"{name} is {given!r}{near_miss(str(given), told)}; allowed are {', '.join(told)}"
            )
    for name in amounts:
        given = getattr(setting, name)
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < np.inf:
            raise ValueError(f"{name} is {given!r}; allowed is 0 and more")
    for name in switches:
        if not isinstance(given := getattr(setting, name), bool):
            raise ValueError(f"{name} is {given!r}; allowed are True and False")
    if setting.decision_min != MINUTES_PER_DAY:
        raise ValueError(
            f"decision_min is {setting.decision_min!r}; {what} is decided once a day, 1440; leave it out"
        )
    check_seed(setting.seed)


def check_seats(core: Any, rows: Any, lanes: NDArray[np.int64], seated: bool, *keys: Any) -> None:
    """Raise ValueError unless persons `rows` (m,) under each of `keys` (m, 6) can be seated in `lanes` (m,), all of
    them where nobody is `seated` yet."""
    shapes = (len(lanes),), (len(lanes), random.KEY_COLUMNS)
    many = len(core.setting.cohort)
    known = (np.asarray(rows) >= 0).all() and (np.asarray(rows) < many).all()
    if np.shape(rows) != shapes[0] or any(np.shape(one) != shapes[1] for one in keys) or not known:
        raise ValueError(
            f"rows {np.shape(rows)} and keys {np.shape(keys[0])} do not fit; needed are shapes {shapes[0]} and "
            f"{shapes[1]}, rows from 0 to {many - 1}"
        )
    if not seated and len(lanes) < core.lanes:
        raise ValueError("reset all lanes first")


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
