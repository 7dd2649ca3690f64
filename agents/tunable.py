"""Families of treatments whose gains can be tuned: names, bounds and start values, and what is asked for with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.therapy import Request
from envs.view import View
from twins.words import near_miss

Values = Mapping[str, Sequence[float]] | Sequence[float]
"""Gains in the order of their family: of each person by id, or one set for everybody."""


@dataclass(frozen=True)
class Gain:
    """One number of a treatment: its untuned value and the bounds within which tuning may move it.

    name tells the unit where there is one; meaning is a sentence for reports.
    """

    name: str
    start: float
    low: float
    high: float
    meaning: str

    def __post_init__(self) -> None:
        if not -np.inf < self.low <= self.start <= self.high < np.inf or self.low == self.high:
            raise ValueError(
                f"gain {self.name}: start {self.start}, bounds {self.low} ... {self.high}; needed are finite "
                "bounds that differ, with the start within"
            )


@dataclass(frozen=True)
class Family:
    """A treatment up to the values of its gains.

    request(view, values (n, K)) is what every lane asks for under gains of its own; a pure function without
    memory, so that candidates, persons and replicas may share a batch.
    """

    name: str
    gains: tuple[Gain, ...]
    request: Callable[[View, NDArray[np.float64]], Request]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the gains, in the order of their values."""
        return tuple(gain.name for gain in self.gains)

    @property
    def start(self) -> NDArray[np.float64]:
        """The untuned values (K,)."""
        return np.array([gain.start for gain in self.gains])

    @property
    def bounds(self) -> NDArray[np.float64]:
        """The least and the greatest value of every gain (2, K)."""
        return np.array([[gain.low for gain in self.gains], [gain.high for gain in self.gains]])

    def checked(self, values: Sequence[float] | NDArray[np.float64], whose: str = "") -> NDArray[np.float64]:
        """One set of values (K,). Raises ValueError naming the gain that is missing, not finite or out of bounds."""
        of = f" of {whose}" if whose else ""
        try:
            found = np.array(values, np.float64)
        except (TypeError, ValueError):
            found = np.empty(0)
        if found.shape != (len(self.gains),):
            raise ValueError(
                f"gains{of} are {values!r}; {self.name} needs {len(self.gains)} numbers: {', '.join(self.names)}"
            )
        for gain, value in zip(self.gains, found.tolist(), strict=True):
            if not gain.low <= value <= gain.high:
                raise ValueError(
                    f"gain {gain.name}{of} is {value:g}; {self.name} allows {gain.low:g} to {gain.high:g}"
                )
        return found


class Tuned:
    """A family with values: a `Treatment`. values: see `Values`; without them the family's start values.

    Raises ValueError for values that do not fit the family.
    """

    def __init__(self, family: Family, values: Values | None = None) -> None:
        self.family = family
        self.values: dict[str, NDArray[np.float64]] | NDArray[np.float64]
        if isinstance(values, Mapping):
            self.values = {person: family.checked(held, person) for person, held in values.items()}
        else:
            self.values = family.start if values is None else family.checked(values)
        self._seated: tuple[tuple[str, ...], NDArray[np.float64]] = ((), np.empty((0, len(family.gains))))

    def act(self, view: View) -> Request:
        """See `Treatment.act`. Raises ValueError for a person without values when they are per person."""
        if self._seated[0] != view.ids:  # looked up once per batch, not at every reading
            self._seated = (view.ids, self._rows(view.ids))
        return self.family.request(view, self._seated[1])

    def _rows(self, ids: tuple[str, ...]) -> NDArray[np.float64]:
        """The values of every lane (n, K)."""
        if not isinstance(self.values, dict):
            return np.tile(self.values, (len(ids), 1))
        for person in ids:
            if person not in self.values:
                raise ValueError(
                    f"no tuned gains for {person!r}{near_miss(person, self.values)}; there are {len(self.values)} "
                    "persons with gains. Tune on the same people that are judged"
                )
        return np.array([self.values[person] for person in ids])


class PerLane:
    """A treatment with gains (n, K) of its own for every lane."""

    def __init__(self, family: Family, values: NDArray[np.float64]) -> None:
        self._family, self._values = family, values

    def act(self, view: View) -> Request:
        """See `Treatment.act`."""
        return self._family.request(view, self._values)
