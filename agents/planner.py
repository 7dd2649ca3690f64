"""A planner: at every quarter of an hour it looks for the doses of the next hours that its person's twin does best on.

Sampling-based model-predictive control by the cross-entropy method (Rubinstein 1999; de Boer et al., Ann Oper Res 134
(2005)) on the rollouts of the twin shield. The state comes from an observer that sees readings, insulin and
announcements. `Clairvoyant` is given the true body, its state and every meal to come: a reference for what could be
reached at all with these doses, as far as the search converges; not an optimum.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs import view as v
from envs.therapy import Request
from envs.view import View
from twins.bodies import glucose_forecast
from twins.bodies.glucose_forecast import STEP_MIN, Ahead, Forecast
from twins.bodies.model import NEUTRAL_DRIVE
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, Cohort
from twins.inference.filter import Filter

EVERY_MIN = 15
FREE_MIN, HORIZON_MIN = 300, 600
"""Doses are planned for five hours; none follow, and what that leads to is foreseen for five more, as insulin and food
outlast each other by hours."""
STARTS = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5])
"""Boluses that are tried in any case, in units of what the person's carb ratio asks for on what is on board."""


@dataclass(frozen=True)
class Search:
    """How hard is looked. The defaults cost a person 2 ms per plan."""

    population: int = 48
    iterations: int = 4
    elite: int = 8


@dataclass(frozen=True)
class Aim:
    """What a path of glucose costs: squares of mg/dL beyond low and high; thrice as much again below `grave`."""

    low_mg_dl: float = 85.0
    grave_mg_dl: float = 75.0
    high_mg_dl: float = 120.0
    low_weight: float = 6.0


class Planner:
    """See the module. It works with one twin per person, whose state it estimates. All lanes begin together."""

    oracle = False

    def __init__(self, search: Search | None = None, aim: Aim | None = None) -> None:
        self._search, self._aim = search or Search(), aim or Aim()
        self._ahead: Ahead | None = None

    def meet(
        self, twins: Cohort, rows: NDArray[np.int64], keys: NDArray[np.uint32], interval_min: int
    ) -> None:
        """See `agents.base.Acquainted`."""
        self._filter = Filter(twins, rows, members=1, sd=0.0, interval_min=interval_min)
        self._keys = keys
        legacy = bool(getattr(twins.model, "legacy_gut", False))
        self._ahead = glucose_forecast.prepare(twins.parameters[rows], HORIZON_MIN, STEP_MIN, legacy)
        self._drive = np.tile(np.array(NEUTRAL_DRIVE), (len(rows), 1))
        self._mean = np.empty((len(rows), FREE_MIN // EVERY_MIN))

    def act(self, view: View) -> Request:
        """Scheduled basal at most as a rate, the rest of a planned dose at once. Raises RuntimeError before `meet`."""
        if self._ahead is None:
            raise RuntimeError(
                "this agent plans with its persons' twins; call meet(...) before the first act()"
            )
        lanes, basal = np.arange(len(view)), view.therapy[:, BASAL_U_PER_H]
        begins = view.now[:, v.RUNNING_MIN] == 0
        told = view.now[:, v.ANNOUNCED_G]
        if begins.any():
            self._filter.begin(lanes[begins], self._keys[begins], told[begins])
            self._mean[begins] = (basal[begins] * EVERY_MIN / 60)[:, None]
            self._rate = basal.copy()
        else:
            self._filter.update(view.cgm_history_mg_dl[:, -1], view.insulin_history_u[:, -1], told)
        minute = int(view.now[0, v.RUNNING_MIN])
        if minute % EVERY_MIN >= view.interval_min:
            return Request(self._rate, np.zeros(len(view)))
        dose = self._plan(view, minute)
        self._rate = np.minimum(dose * 60 / EVERY_MIN, basal)
        return Request(self._rate, np.maximum(dose - self._rate * EVERY_MIN / 60, 0.0))

    def _state(self, view: View) -> NDArray[np.float64]:
        return self._filter.state[:, 0]

    def _food(self, view: View, minute: int) -> NDArray[np.float64] | None:
        return None

    def _plan(self, view: View, minute: int) -> NDArray[np.float64]:
        """The first dose [U] of the best plan of every lane."""
        assert self._ahead is not None
        search, rng = self._search, np.random.default_rng(minute)
        forecast = Forecast(self._ahead, self._state(view), self._drive, self._food(view, minute))
        block = view.therapy[:, [BASAL_U_PER_H]] * EVERY_MIN / 60
        covers = (
            np.maximum(view.now[:, v.COB_FAST_G], view.now[:, v.UNCOVERED_G])
            / view.therapy[:, CARB_RATIO_G_PER_U]
        )
        mean = np.concatenate([self._mean[:, 1:], block], axis=1)
        spread = np.maximum(mean, block)
        spread[:, 0] += 0.5 * covers
        for turn in range(search.iterations):
            # The same draws for every lane: a person's plan does not hang on company.
            z = rng.standard_normal((search.population, mean.shape[1]))
            plans = np.maximum(mean[:, None] + spread[:, None] * z, 0.0)
            plans[:, 0] = mean
            if turn == 0:
                plans[:, 1 : 1 + len(STARTS)] = np.broadcast_to(
                    block[:, :, None], (len(mean), 1, mean.shape[1])
                )
                plans[:, 1 : 1 + len(STARTS), 0] = covers[:, None] * STARTS
            cost = self._cost(forecast.paths(plans, EVERY_MIN))
            best = np.argsort(cost, axis=1, kind="stable")[:, : search.elite]
            elite = np.take_along_axis(plans, best[:, :, None], axis=1)
            mean, spread = elite.mean(axis=1), elite.std(axis=1) + 0.05 * block
        self._mean = elite[:, 0]
        first: NDArray[np.float64] = elite[:, 0, 0]
        return first

    def _cost(self, glucose: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, plans) of paths (n, plans, T): high glucose while doses are planned, low glucose up to the horizon."""
        aim = self._aim
        low = np.maximum(aim.low_mg_dl - glucose, 0.0) ** 2 * np.where(glucose < aim.grave_mg_dl, 3.0, 1.0)
        high = np.maximum(glucose[:, :, : FREE_MIN // STEP_MIN] - aim.high_mg_dl, 0.0) ** 2
        cost: NDArray[np.float64] = aim.low_weight * low.sum(axis=2) + high.sum(axis=2)
        return cost


class Clairvoyant(Planner):
    """The planner with perfect knowledge: true body, true state, every meal to come (`oracle=True`)."""

    oracle = True

    def _state(self, view: View) -> NDArray[np.float64]:
        assert view.oracle_state is not None
        return np.array(view.oracle_state)

    def _food(self, view: View, minute: int) -> NDArray[np.float64] | None:
        assert view.oracle_meals is not None
        at, grams = view.oracle_meals
        food = np.zeros((len(view), HORIZON_MIN))
        lane, meal = np.nonzero((at >= minute) & (at < minute + HORIZON_MIN))
        np.add.at(food, (lane, at[lane, meal].astype(int) - minute), grams[lane, meal])
        return food
