"""The observer: the state of a twin from readings, delivered insulin and announced carbs.

An ensemble Kalman filter: every member is a whole body with parameters and a state of its own, advanced by the same
kernel as the person. A reading corrects plasma, tissue and subcutaneous glucose of a group of members by one gain,
from the group's covariances plus that of what no member models; insulin follows from delivery, food from
announcements. Members keep their parameters, so their spread never collapses (deterministic update: Sakov and Oke,
Tellus A 60 (2008)).

What was announced need not have been eaten. Beside the group that ate it all, others ate `shares` of it. They are
particles of a particle filter: how well each foresees the readings, cleaned of the sensor's slow error, gives its
weight, and those that are refuted count no more. At the next announcement they begin again from the best.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twins import mismatch, random
from twins.bodies.glucose import COLUMN
from twins.bodies.glucose_kernel import GLUCOSE_PLASMA, GLUCOSE_SUBCUTANEOUS, GLUCOSE_TISSUE, PLATE
from twins.bodies.model import NEUTRAL_DRIVE
from twins.cohort import Cohort
from twins.random import Stream

NOISE_SD_MG_DL = 11.6
"""Standard deviation of the error of the modelled sensors (Breton and Kovatchev 2008, as in simglucose 0.2.11)."""
NOISE_LAG_MIN, NOISE_AR = 15, 0.7
"""That error is autoregressive: this share of it is left after so many minutes."""
NOISE_CORRELATION_MIN = NOISE_LAG_MIN * (1 + NOISE_AR) / (1 - NOISE_AR)
"""Readings closer than this repeat each other's error: the integral of its autocorrelation, 85 min."""
MODEL_SD_MG_DL = 11.0
"""Error of glucose that no member explains, within that time."""
START_SD = 0.2
"""Glucose at the start is known to about 20 %."""
INNOVATION_MG_DL = 60.0
"""No single reading moves the belief by more than its gain times this."""
POSSIBLE_MG_DL = (20.0, 600.0)
"""Readings outside are not used."""
REFUTED = 1e-3
"""A group this much less likely than the best counts no more, until the next announcement."""

_GLUCOSE = np.array([GLUCOSE_SUBCUTANEOUS, GLUCOSE_PLASMA, GLUCOSE_TISSUE])


@dataclass(frozen=True)
class Belief:
    """What is believed of n bodies: state (n, E, S) of their members and weight (n, E), rows of which sum to 1."""

    state: NDArray[np.float64]
    weight: NDArray[np.float64]


class Filter:
    """For each lane `members` bodies that ate what was announced, and for each of `shares` one that ate so much of it.

    cohort: the twins; rows (n,): whose twin stands in each lane; sd: spread of the members' parameters around the
    twin's. interval_min: minutes between readings. E = members + len(shares). Attributes: parameters (n, E, P),
    carb_share (E,), state (n, E, S).
    """

    def __init__(
        self,
        cohort: Cohort,
        rows: NDArray[np.int64] | None = None,
        members: int = 32,
        sd: float = 0.2,
        shares: tuple[float, ...] = (),
        interval_min: int = 5,
        seed: int = 0,
    ) -> None:
        if members < 1 or not all(0 <= share <= 3 for share in shares):
            raise ValueError(
                f"members {members!r}, shares {shares!r}; needed is at least one member, and shares within 0 ... 3"
            )
        rows = np.arange(len(cohort)) if rows is None else rows
        self.model, self.interval_min = cohort.model, interval_min
        self.carb_share = np.array([1.0] * members + list(shares))
        edges = [0, members, *range(members + 1, members + len(shares) + 1)]
        self._groups = [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
        people, lane = np.unique(rows, return_inverse=True)
        eaters = mismatch.members(cohort.take(people.tolist()), members, sd, seed)
        doubters = np.repeat(eaters[:, :1], len(shares), axis=1)
        self.parameters = np.concatenate([eaters, doubters], axis=1)[lane.ravel()]
        n, count, _ = self.parameters.shape
        flat = self.parameters.reshape(n * count, -1)
        self._coefficients = self.model.prepare(flat)
        self._volume = self.parameters[:, :, COLUMN["Vg"]]
        self._basal = self.model.basal_state(flat).reshape(n, count, -1)
        self._drive = np.tile(np.array(NEUTRAL_DRIVE), (len(flat), 1, 1))
        self._none, self._no_food = np.zeros(len(flat)), np.zeros((len(flat), interval_min))
        self._noise_variance = NOISE_SD_MG_DL**2 * max(NOISE_CORRELATION_MIN / interval_min, 1.0)
        self._lag = max(NOISE_LAG_MIN // interval_min, 1)
        self.state = self._basal.copy()
        self.log_weight = np.zeros((n, len(self._groups)))
        self.missed = np.full((n, len(self._groups), self._lag), np.nan)

    def begin(
        self, lanes: NDArray[np.int64], keys: NDArray[np.uint32], announced_g: NDArray[np.float64]
    ) -> None:
        """New episodes in `lanes` (m,) under keys (m, 6): glucose is known to about 20 %, announced_g (m,) at once."""
        draws = random.normal(random.stream(keys, Stream.INITIAL_STATE), self.state.shape[1])
        state = self._basal[lanes]
        state[:, :, _GLUCOSE] *= np.exp(START_SD * draws)[:, :, None]
        state[:, :, PLATE] += announced_g[:, None] * self.carb_share
        self.state[lanes], self.log_weight[lanes], self.missed[lanes] = state, 0.0, np.nan

    @property
    def belief(self) -> Belief:
        """What is believed now."""
        share = np.exp(self.log_weight - self.log_weight.max(axis=1, keepdims=True))
        share[share < REFUTED] = 0.0
        weight = np.empty(self.state.shape[:2])
        for group, members in enumerate(self._groups):
            weight[:, members] = share[:, [group]] / (members.stop - members.start)
        return Belief(self.state, weight / weight.sum(axis=1, keepdims=True))

    def update(
        self,
        cgm_mg_dl: NDArray[np.float64],
        delivered_u: NDArray[np.float64],
        announced_g: NDArray[np.float64],
    ) -> Belief:
        """One interval on: insulin delivered during it, the reading and the announcement at its end; each (n,).

        A reading of NaN, or one outside `POSSIBLE_MG_DL`, corrects nothing.
        """
        n, count, width = self.state.shape
        self.model.advance(
            self.state.reshape(n * count, width), self._coefficients, self._none, np.repeat(delivered_u, count),
            self._no_food, self._drive, self.interval_min,
        )  # fmt: skip
        low, high = POSSIBLE_MG_DL
        self._correct(np.where((cgm_mg_dl >= low) & (cgm_mg_dl <= high), cgm_mg_dl, np.nan))
        told = announced_g > 0
        if told.any():
            self._begin_meal(told)
            self.state[:, :, PLATE] += announced_g[:, None] * self.carb_share
        return self.belief

    def _correct(self, cgm: NDArray[np.float64]) -> None:
        glucose = self.state[:, :, _GLUCOSE] / self._volume[:, :, None]
        unmodelled = MODEL_SD_MG_DL**2 * np.array([1.0, 1.0, 0.6])
        step = np.empty_like(glucose)
        innovation = cgm[:, None] - glucose[:, :, 0]
        for group, members in enumerate(self._groups):
            mine = glucose[:, members]
            spread = mine - mine.mean(axis=1, keepdims=True)
            covariance = (spread * spread[:, :, :1]).mean(axis=1)  # of each with what the sensor sees: (n, 3)
            gain = (covariance + unmodelled) / (covariance[:, :1] + unmodelled[0] + self._noise_variance)
            clipped = np.clip(innovation[:, members], -INNOVATION_MG_DL, INNOVATION_MG_DL)
            step[:, members] = np.nan_to_num(clipped)[:, :, None] * np.clip(gain, 0.0, 1.0)[:, None]
            self._weigh(group, innovation[:, members].mean(axis=1), covariance[:, 0])
        # The tissue holds its own share of what the plasma holds.
        step[:, :, 2] *= glucose[:, :, 2] / np.maximum(glucose[:, :, 1], 1.0)
        self.state[:, :, _GLUCOSE] = np.maximum(glucose + step, 1.0) * self._volume[:, :, None]

    def _weigh(self, group: int, missed: NDArray[np.float64], variance: NDArray[np.float64]) -> None:
        """By how much a group missed a reading is evidence against it, less what the sensor's slow error explains.

        Readings within one lag of each other are one piece of evidence between them.
        """
        fresh = missed - NOISE_AR * self.missed[:, group, 0]
        expected = NOISE_SD_MG_DL**2 * (1 - NOISE_AR**2) + variance * (1 - NOISE_AR) ** 2
        self.log_weight[:, group] -= np.nan_to_num(fresh**2 / (2 * expected * self._lag))
        self.missed[:, group, :-1] = self.missed[:, group, 1:]
        self.missed[:, group, -1] = missed

    def _begin_meal(self, told: NDArray[np.bool_]) -> None:
        """At a new announcement refuted groups go on from the likeliest, and all are equally likely again."""
        best = self.log_weight.argmax(axis=1)
        away = self.log_weight - self.log_weight.max(axis=1, keepdims=True) < np.log(REFUTED)
        for group, members in enumerate(self._groups):
            for lane in np.flatnonzero(told & away[:, group]):
                source = self._groups[best[lane]]
                self.state[lane, members] = self.state[lane, source][: members.stop - members.start]
                self.missed[lane, group] = self.missed[lane, best[lane]]
        self.log_weight[told] = 0.0

    @staticmethod
    def shapes(
        lanes: int, members: int, shares: tuple[float, ...], interval_min: int, states: int
    ) -> dict[str, tuple[int, ...]]:
        """Names and shapes of what a filter of these numbers saves, as a core names them: "belief.state" and so on."""
        groups, lag = 1 + len(shares), max(NOISE_LAG_MIN // interval_min, 1)
        found = (lanes, members + len(shares), states), (lanes, groups), (lanes, groups, lag)
        return {f"belief.{name}": shape for name, shape in zip(Filter.saved, found, strict=True)}

    def save(self) -> dict[str, NDArray[Any]]:
        """All that the future of the belief hangs on."""
        return {name: getattr(self, name).copy() for name in self.saved}

    saved = ("state", "log_weight", "missed")

    def restore(self, held: Mapping[str, NDArray[Any]]) -> None:
        """Go on where `save` was called. Raises ValueError for another shape, or states that are not finite."""
        for name in self.saved:
            mine, new = getattr(self, name), held[name]
            if (
                new.shape != mine.shape
                or new.dtype != mine.dtype
                or (name != "missed" and not np.isfinite(new).all())
            ):
                raise ValueError(
                    f"saved {name} of a belief is {new.dtype}{new.shape}; needed are finite values, {mine.shape}"
                )
        for name in self.saved:
            getattr(self, name)[...] = held[name]
