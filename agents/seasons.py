"""Plans of training that people follow, and extremes: one decision a day for a season.

All know the load that is prescribed, and spread what is left of it over the days that are left, in their own shape; so
that days lost and sessions skipped are made up for, as far as the bounds allow.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import yaml
from numpy.typing import NDArray

from agents import frozen
from agents.frozen import FrozenPolicy
from agents.learned import OfTask
from envs.season.plan import Plan, skipped_share
from envs.season.session import LEAST_INTENSITY, MOST_INTENSITY, MOST_MIN, Session, minutes_for
from envs.season.view import SeasonView
from twins.words import near_miss

Array = NDArray[np.float64]

WEEK_DAYS = 7
FOUND = Path(__file__).with_name("season-plan.yml")
"""Numbers of the plan that is best for a population, see `experiments.season.optimum`."""
HARD = 0.85
KNOT_DAYS = (0, 28, 56, 70, 77, 84)
"""Days, of a season of 84, between which a shape of load runs along lines."""
NUMBERS: dict[str, tuple[float, float, float]] = {
    **{f"load_day_{day}": (0.05, 2.0, 1.0) for day in KNOT_DAYS},
    "share": (0.9, 1.1, 1.0),
    "ahead": (1.0, 1.3, 1.0),
    "rest_days": (1.0, 3.99, 1.5),
    "hard_days": (0.0, 2.99, 0.5),
    "easy": (0.40, 0.59, 0.55),
    "evening": (0.0, 1.99, 0.5),
}
"""What a plan is made of, each with its least and most value and one to begin a search with.

load_day_*: relative load; share: of the prescribed load; ahead: by which more is asked for, as some is skipped;
rest_days, hard_days: a week, whole numbers below the value; easy: intensity of other days; evening: from 1 on."""
REST_ORDER, HARD_ORDER = (6, 2, 4), (1, 4)
"""Days of the week that become days of rest, and hard ones, first to last."""


class SeasonAgent(Protocol):
    """Decides a day of training for all people of a view."""

    def act(self, view: SeasonView) -> Session:
        """The session to ask for."""


class Scheme:
    """Follows a shape of load over the season. numbers: of `NUMBERS`, (K,) for all people or (n, K), a row for each.

    Raises ValueError for another width.
    """

    def __init__(self, numbers: Array) -> None:
        table = np.atleast_2d(numbers)
        if table.shape[1] != len(NUMBERS):
            raise ValueError(
                f"{table.shape[1]} numbers were given; a plan has {len(NUMBERS)}: {', '.join(NUMBERS)}"
            )
        self.numbers = table if np.ndim(numbers) == 2 else table[0]
        self._of = dict(zip(NUMBERS, table.T, strict=True))
        self._knots = table[:, : len(KNOT_DAYS)]
        self._days = 0

    @classmethod
    def of(cls, **numbers: float) -> "Scheme":
        """With these numbers, and for the others those that a search begins with."""
        for name in numbers:
            if name not in NUMBERS:
                raise ValueError(
                    f"a plan has no {name!r}{near_miss(name, NUMBERS)}; it has {', '.join(NUMBERS)}"
                )
        return cls(np.array([numbers.get(name, first) for name, (_, _, first) in NUMBERS.items()]))

    def act(self, view: SeasonView) -> Session:
        """See `SeasonAgent.act`."""
        if view.days != self._days:
            self._lay_out(view.days)
        now = np.minimum(view.day, view.days - 1)
        row = np.arange(len(view)) if len(self._relative) > 1 else np.zeros(len(view), int)
        share, ahead, easy = (self._of[name][row] for name in ("share", "ahead", "easy"))
        left = np.maximum(share * view.target_load - view.done_load, 0.0)
        load = ahead * left * self._relative[row, now] / np.maximum(self._to_come[row, now], 1e-9)
        intensity = np.where(self._hard[row, now], HARD, easy)
        return Session.checked(minutes_for(load, intensity), intensity, self._of["evening"][row] >= 1)

    def _lay_out(self, days: int) -> None:
        """Relative loads, hard days, and sums of the loads to come, each (n or 1, days)."""
        every = np.arange(days)
        places = np.array(KNOT_DAYS) * days / KNOT_DAYS[-1]
        shape = np.stack([np.interp(every + 0.5, places, knots) for knots in self._knots])
        rest = _chosen(self._of["rest_days"], REST_ORDER)[:, every % WEEK_DAYS]
        self._hard = _chosen(self._of["hard_days"], HARD_ORDER)[:, every % WEEK_DAYS] & ~rest
        self._relative = np.where(rest, 0.0, shape)
        self._to_come = np.cumsum(self._relative[:, ::-1], axis=1)[:, ::-1]
        self._days = days


def _chosen(count: Array, order: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which days of the week (n, 7) are among the first `count` of an order."""
    out = np.zeros((len(count), WEEK_DAYS), bool)
    for place, day in enumerate(order):
        out[:, day] = np.floor(count) > place
    return out


RAMP_TAPER = {
    "load_day_0": 0.75, "load_day_28": 0.96, "load_day_56": 1.16, "load_day_70": 1.25, "load_day_77": 0.75,
    "load_day_84": 0.4,
}  # fmt: skip
"""Along a line to five thirds of its beginning, then two weeks with half of that (Bosquet et al., Med Sci Sports Exerc
39 (2007) 1358: 41 to 60 % less for two weeks does best)."""


def population_optimal() -> Scheme:
    """The plan that was found best for bodies of the split train. Raises FileNotFoundError or ValueError naming it."""
    try:
        values = yaml.safe_load(FOUND.read_text(encoding="utf-8"))["numbers"]
    except (KeyError, TypeError, yaml.YAMLError) as error:
        raise ValueError(
            f"{FOUND} is damaged ({error}); make it anew with python -m scripts.season --find"
        ) from None
    if not isinstance(values, Mapping) or set(values) != set(NUMBERS):
        raise ValueError(
            f"{FOUND} does not hold {', '.join(NUMBERS)}; make it anew with python -m scripts.season --find"
        )
    return Scheme.of(**{name: float(value) for name, value in values.items()})


class TriesHours:
    """Follows another agent, but mornings in the first week, evenings in the second, and then the hour at which less
    was skipped."""

    def __init__(self, inner: SeasonAgent) -> None:
        self._inner = inner

    def act(self, view: SeasonView) -> Session:
        """See `SeasonAgent.act`."""
        asked = self._inner.act(view)
        morning, evening = skipped_share(view)
        hour = np.where(view.day < 2 * WEEK_DAYS, view.day >= WEEK_DAYS, evening < morning)
        return Session(asked.minutes, asked.intensity, hour.astype(np.int64))


class Learned(OfTask):
    """A trained policy of the task "plan"."""

    def __init__(self, policy: FrozenPolicy) -> None:
        self._task = Plan()
        super().__init__(policy, self._task, "a season shows")

    @classmethod
    def load(cls, folder: str | Path) -> "Learned":
        """From the folder of a policy. Raises what `agents.frozen.load` does."""
        return cls(frozen.load(folder, "plan"))

    def act(self, view: SeasonView) -> Session:
        """See `SeasonAgent.act`."""
        return self._task.decode(self.action(view), view)


class Rest:
    """Never trains."""

    def act(self, view: SeasonView) -> Session:
        """See `SeasonAgent.act`."""
        return Session.rest(len(view))


class Most:
    """Asks for the longest and hardest session every day."""

    def act(self, view: SeasonView) -> Session:
        """See `SeasonAgent.act`."""
        n = len(view)
        return Session.checked(np.full(n, MOST_MIN), np.full(n, MOST_INTENSITY))


class Random:
    """Asks for anything; what, hangs on the seed, on how often it was asked and for how many."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, view: SeasonView) -> Session:
        """See `SeasonAgent.act`."""
        u = self._rng.random((3, len(view)))
        intensity = LEAST_INTENSITY + (MOST_INTENSITY - LEAST_INTENSITY) * u[1]
        return Session.checked(u[0] * MOST_MIN, intensity, u[2] > 0.5)


SEASON_AGENTS: dict[str, Callable[[], SeasonAgent]] = {
    "even": Scheme.of,
    "polarised": lambda: Scheme.of(hard_days=1.5, easy=0.45),
    "ramp-taper": lambda: Scheme.of(**RAMP_TAPER),
    "population-optimal": population_optimal,
    "population-optimal-hours": lambda: TriesHours(population_optimal()),
    "rest": Rest,
    "most": Most,
    "random": Random,
}
"""By name. polarised: five easy days and a hard one a week, about 80 to 20 (Seiler, Int J Sports Physiol Perform 5
(2010) 276)."""
