"""A trained forecaster: from a record and moments of it to glucose of the next hour and the risk of lows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.forecast.features import Seen, see
from agents.forecast.network import SCALE_MG_DL, Sizes, heads, scaled
from agents.forecast.targets import STEPS
from twins.inference.record import Record

COVERAGE = 0.9
"""Share of the readings that an interval is meant to hold; its ends are the outermost of `QUANTILES`."""
Arrays = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Forecast:
    """Of W moments, 5 to 60 min ahead. mean_mg_dl (W, 12); quantiles_mg_dl (W, Q, 12): at `QUANTILES`, as learned;
    low_mg_dl, high_mg_dl (W, 12): the interval of 90 %, widened by the calibration; low_by (W, 12), low_night (W,):
    probability of a reading below 70 mg/dL up to then, and within 7 h."""

    mean_mg_dl: NDArray[np.float64]
    quantiles_mg_dl: NDArray[np.float64]
    low_mg_dl: NDArray[np.float64]
    high_mg_dl: NDArray[np.float64]
    low_by: NDArray[np.float64]
    low_night: NDArray[np.float64]

    @property
    def low(self) -> NDArray[np.float64]:
        """Probability of a reading below 70 mg/dL within the hour (W,)."""
        return self.low_by[:, -1]


@dataclass(frozen=True, eq=False)
class Forecaster:
    """Networks and all that belongs to them. arrays: weights of the networks as "0.lstm.weight_ih_l0", ..., and
    "figures.mean", "figures.sd" (S,); widening_mg_dl (12,): of the intervals, by step; alarm: the probability of a low
    within the hour from which to warn, NaN where none was chosen."""

    sizes: Sizes
    arrays: Arrays
    widening_mg_dl: tuple[float, ...] = (0.0,) * STEPS
    alarm: float = float("nan")

    def __call__(self, record: Record, starts: NDArray[np.int64]) -> Forecast:
        """Forecasts from steps of a record. Raises ValueError for starts without a reading or two hours before them."""
        return self.of(see(record), starts)

    def of(self, seen: Seen, starts: NDArray[np.int64]) -> Forecast:
        """The same for features made before."""
        starts = np.asarray(starts, np.int64)
        past, figures = seen.windows(starts), seen.now[starts]
        glucose = figures[:, seen.names.index("glucose")].astype(np.float64)
        figures = scaled(figures, self.arrays["figures.mean"], self.arrays["figures.sd"])
        found = [heads(self.member(number), past, figures) for number in range(self.sizes.members)]
        mean = np.mean([one.mean for one in found], axis=0) * SCALE_MG_DL + glucose[:, None]
        quantiles = np.mean([one.quantiles for one in found], axis=0) * SCALE_MG_DL + glucose[:, None, None]
        quantiles = np.sort(quantiles, axis=1)  # learned apart, they may cross
        wide = np.asarray(self.widening_mg_dl)
        low, high = quantiles[:, 0] - wide, quantiles[:, -1] + wide
        middle = (low + high) / 2
        return Forecast(
            mean, quantiles, np.minimum(low, middle), np.maximum(high, middle),
            np.mean([one.low_by for one in found], axis=0), np.mean([one.low_night for one in found], axis=0),
        )  # fmt: skip

    def member(self, number: int) -> dict[str, NDArray[np.float32]]:
        """The weights of one network, by torch's names."""
        return {name: self.arrays[f"{number}.{name}"] for name in self.sizes.shapes()}


def needed(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Shapes of all arrays of a forecaster, by name."""
    shapes = {
        f"{number}.{name}": shape for number in range(sizes.members) for name, shape in sizes.shapes().items()
    }
    return shapes | {f"figures.{name}": (sizes.figures,) for name in ("mean", "sd")}
