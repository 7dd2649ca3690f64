"""What the core asks of what people do beside insulin and food: a session of exercise, or an ordinary life."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.view import View


class Conduct(Protocol):
    """Arrays have one row per lane; minutes count from midnight of the first day. plan_names: columns of a request's
    plan."""

    plan_names: tuple[str, ...]

    @property
    def first_min(self) -> NDArray[np.int64]:
        """When the episodes begin (n,)."""

    def begin(self, lanes: NDArray[np.int64], keys: NDArray[np.uint32]) -> None:
        """Anew for these lanes, under keys (m, 6); shown by `show`."""

    def live(
        self,
        minute: NDArray[np.int64],
        plan: NDArray[np.float64] | None,
        view: View,
        plate: NDArray[np.float64],
        drive: NDArray[np.float64],
        glucose_mg_dl: NDArray[np.float64],
        first: bool,
    ) -> None:
        """The interval from `minute` (n,) on: what is eaten goes onto `plate` (n, M), what bodies do into `drive`
        (n, M, D). glucose_mg_dl (n,): in plasma; first: of a decision."""

    def show(self, minute: NDArray[np.int64], view: View) -> None:
        """What is seen at `minute` (n,) into `view.activity`."""

    def held(self) -> dict[str, NDArray[Any]]:
        """All that the future hangs on beside the keys, by name: the arrays themselves."""

    def fault_in(self, saved: Mapping[str, NDArray[Any]]) -> str:
        """The name of an array that holds what cannot be; empty when there is none. Shapes and types are right."""

    def restore(self, saved: Mapping[str, NDArray[Any]], keys: NDArray[np.uint32]) -> None:
        """Go on where these arrays were held; keys (n, 6) of the episodes. `show` comes next."""
