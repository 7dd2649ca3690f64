"""Tables of arrays with a row for each lane, as dataclasses: made, taken from, put into."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]
Array = NDArray[np.float64]
_KINDS: Mapping[Any, Any] = {Counts: np.int64, Flags: np.bool_, Array: np.float64}
T = TypeVar("T")


def zeros(kind: type[T], n: int, wide: Mapping[str, int]) -> T:
    """A table of n rows; its fields are `Counts`, `Flags` and `Array`. wide: widths of those with more than one
    column."""
    made: dict[str, Any] = {}
    for one in fields(kind):  # type: ignore[arg-type]
        shape = (n, wide[one.name]) if one.name in wide else (n,)
        made[one.name] = np.zeros(shape, _KINDS[one.type])
    return kind(**made)


def put(into: Any, lanes: NDArray[np.int64], rows: Any) -> None:
    """Rows of a table into these lanes of another."""
    for one in fields(into):
        getattr(into, one.name)[lanes] = getattr(rows, one.name)


def take(table: T, lanes: NDArray[np.int64]) -> T:
    """These lanes of a table, as copies."""
    of: Any = table
    return type(table)(**{one.name: getattr(of, one.name)[lanes] for one in fields(of)})


def held(**tables: Any) -> dict[str, NDArray[Any]]:
    """All arrays of tables, by "table.field"."""
    return {
        f"{name}.{one.name}": getattr(table, one.name)
        for name, table in tables.items()
        for one in fields(table)
    }


def push(table: Array, value: Array) -> None:
    """A new last column (n,) of a table (n, K); the first goes."""
    table[:, :-1] = table[:, 1:].copy()
    table[:, -1] = value
