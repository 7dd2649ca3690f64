"""What the world does to a person: meals, drawn or replayed, as events over an episode.

An episode begins at 00:00 of its first day. Every draw hangs on the lane's key (`twins.random`), so
one key is one day, whoever else is simulated.
"""

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from twins import random
from twins.random import Stream
from twins.units import MINUTES_PER_DAY
from twins.world.behaviour import EXACT, NEVER, Behaviour, announce, sensitivity
from twins.world.behaviour import named as named_behaviour
from twins.world.energy import carbs_for_energy_g


@dataclass(frozen=True)
class Events:
    """An episode's events for n lanes. Minutes count from 00:00 of the first day; padding is infinity.

    eat_minute, eat_g (n, K): what is put on the plate, in order of time. tell_minute, tell_g (n, K): what is
    announced to the therapy. sensitivity (n, H): multiplier of insulin sensitivity in each hour.
    """

    eat_minute: NDArray[np.float64]
    eat_g: NDArray[np.float64]
    tell_minute: NDArray[np.float64]
    tell_g: NDArray[np.float64]
    sensitivity: NDArray[np.float64]


class Scenario(Protocol):
    """Draws events; knows no state of the body."""

    @property
    def behaviour(self) -> Behaviour:
        """Habits of the person."""

    @property
    def description(self) -> str:
        """In words, for a report."""

    def events(
        self,
        keys: NDArray[np.uint32],
        weight_kg: NDArray[np.float64],
        days: float,
        age_group: NDArray[np.int64] | None = None,
    ) -> Events:
        """Events for lanes with these keys (n, 6), body weights (n,) and age groups (n,) over `days`.

        Raises ValueError without age groups where amounts hang on them.
        """


@dataclass(frozen=True)
class Slot:
    """One possible meal of a day: probability, clock time and amount, each with its spread and limits."""

    probability: float
    hour: float
    hour_sd: float
    earliest: float
    latest: float
    carbs_g: float
    carbs_sd: float


SIMGLUCOSE_DAY = (
    Slot(0.95, 7.0, 1.0, 5.0, 9.0, 45.0, 10.0),
    Slot(0.30, 9.5, 0.5, 9.0, 10.0, 10.0, 5.0),
    Slot(0.95, 12.0, 1.0, 10.0, 14.0, 70.0, 10.0),
    Slot(0.30, 15.0, 0.5, 14.0, 16.0, 10.0, 5.0),
    Slot(0.95, 18.0, 1.0, 16.0, 20.0, 80.0, 10.0),
    Slot(0.30, 21.5, 0.5, 20.0, 23.0, 10.0, 5.0),
)
"""The random day of simglucose 0.2.11 (RandomScenario): truncated normal times, whole grams."""

EMERSON2023_DAY = (
    Slot(0.95, 7.0, 0.5, 5.0, 9.0, 50.0, 10.0),
    Slot(0.10, 9.5, 0.25, 9.0, 10.0, 15.0, 5.0),
    Slot(0.95, 12.0, 0.5, 10.0, 14.0, 70.0, 10.0),
    Slot(0.10, 15.0, 0.25, 14.0, 16.0, 15.0, 5.0),
    Slot(0.95, 18.0, 0.5, 16.0, 20.0, 90.0, 10.0),
    Slot(0.10, 21.5, 0.25, 20.0, 23.0, 30.0, 5.0),
)
"""The random day of Emerson, Guy and McConville, J Biomed Inform 142 (2023), 104376 (hemerson1/offline-glucose)."""
G2P2C_TRAINING_DAY = (
    Slot(0.95, 8.0, 1.0, 7.0, 9.0, 45.0, 5.0),
    Slot(0.95, 13.0, 1.0, 12.0, 14.0, 85.0, 5.0),
    Slot(0.95, 20.0, 1.0, 19.0, 21.0, 80.0, 10.0),
)
"""The random day that policies of RL4H/G2P2C train on."""
G2P2C_MEALS = ((8.0, 40.0), (13.0, 80.0), (20.0, 60.0))
"""The day that they are judged on: (clock hour, grams)."""

ADULT_WEIGHT_KG = 70.0


@dataclass(frozen=True)
class RandomMeals:
    """Meals drawn anew each day. `scale_by_weight`: amounts times min(weight / 70 kg, 1), for children."""

    behaviour: Behaviour = EXACT
    scale_by_weight: bool = False
    day: tuple[Slot, ...] = SIMGLUCOSE_DAY
    source: str = "as in simglucose"

    @property
    def description(self) -> str:
        """In words, for a report."""
        scaled = "scaled to body weight" if self.scale_by_weight else "of adult size for everybody"
        return f"random meals {self.source}, {scaled}"

    def events(
        self,
        keys: NDArray[np.uint32],
        weight_kg: NDArray[np.float64],
        days: float,
        age_group: NDArray[np.int64] | None = None,
    ) -> Events:
        """See `Scenario.events`."""
        scale = np.ones(len(keys))
        if self.scale_by_weight:
            scale = np.minimum(weight_kg / ADULT_WEIGHT_KG, 1.0)

        def sized(grams: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.maximum(np.round(grams), 0.0) * scale[:, None, None]

        return _random_days(self.behaviour, keys, self.day, days, sized)


@dataclass(frozen=True)
class EnergyMeals:
    """A day of meals that covers a person's need of energy: Fox and others, MLHC 2020 (MLD3/RL4BG, scenario_gen.py).

    Basal metabolism after Harris and Benedict (1918), of an age and height that the weight suggests, times 1.2; 45 % of
    it as carbohydrate, shared out over simglucose's six moments; amounts spread by 15 %.
    """

    behaviour: Behaviour = EXACT

    @property
    def description(self) -> str:
        """In words, for a report."""
        return "random meals that cover the need of energy (Harris-Benedict), at simglucose's times"

    def events(
        self,
        keys: NDArray[np.uint32],
        weight_kg: NDArray[np.float64],
        days: float,
        age_group: NDArray[np.int64] | None = None,
    ) -> Events:
        """See `Scenario.events`."""
        if age_group is None:
            raise ValueError(
                "these meals hang on age; give age_group, one of twins.cohort.GROUPS by number for each lane"
            )
        carbs = carbs_for_energy_g(weight_kg, age_group)
        shares = np.array(_SHARES) / sum(_SHARES)
        mean = (carbs[:, None] * shares)[:, None, :]
        return _random_days(
            self.behaviour,
            keys,
            _ENERGY_DAY,
            days,
            lambda z: np.maximum(np.round(mean * (1 + _ENERGY_SD * z)), 0.0),
        )


_SHARES = (1.1, 0.15, 1.3, 0.15, 1.55, 0.15)
_ENERGY_SD = 0.15
_ENERGY_DAY = tuple(replace(slot, carbs_g=0.0, carbs_sd=1.0) for slot in SIMGLUCOSE_DAY)
"""Amounts are drawn as standard normals and scaled to the person."""


def _random_days(
    behaviour: Behaviour,
    keys: NDArray[np.uint32],
    day: tuple[Slot, ...],
    days: float,
    sized: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Events:
    """Events of days drawn from the slots of `day`; sized: what is eaten of amounts (n, days, slots)."""
    n, whole_days, slots = len(keys), int(np.ceil(days)), len(day)
    chance, hour, hour_sd, earliest, latest, carbs, carbs_sd = np.array([astuple(s) for s in day]).T
    draws = random.uniform(random.stream(keys, Stream.MEALS), whole_days * slots * 4)
    unit = draws.reshape(n, whole_days, slots, 4)
    low, high = ndtr((earliest - hour) / hour_sd), ndtr((latest - hour) / hour_sd)
    at = np.round(60 * (hour + hour_sd * ndtri(low + unit[..., 1] * (high - low))))
    amount = sized(carbs + carbs_sd * ndtri(unit[..., 2]))
    at = at + MINUTES_PER_DAY * np.arange(whole_days)[:, None]
    eaten = (unit[..., 0] < chance) & (amount > 0) & (at < days * MINUTES_PER_DAY)
    return _with_behaviour(
        behaviour,
        keys,
        np.where(eaten, at, NEVER).reshape(n, -1),
        np.where(eaten, amount, 0.0).reshape(n, -1),
        days,
    )


@dataclass(frozen=True)
class FixedMeals:
    """The same meals every day: (clock hour, grams). An empty tuple is a fast."""

    meals: tuple[tuple[float, float], ...] = ()
    behaviour: Behaviour = EXACT

    def __post_init__(self) -> None:
        _check_meals((60 * hour, grams) for hour, grams in self.meals)

    @property
    def description(self) -> str:
        """In words, for a report."""
        meals = ", ".join(f"{grams:g} g at {hour:g} h" for hour, grams in self.meals)
        return f"fixed meals: {meals}" if meals else "fasting"

    def events(
        self,
        keys: NDArray[np.uint32],
        weight_kg: NDArray[np.float64],
        days: float,
        age_group: NDArray[np.int64] | None = None,
    ) -> Events:
        """See `Scenario.events`."""
        one_day = [(60 * hour, grams) for hour, grams in self.meals]
        return _replay(self.behaviour, keys, [[one_day]] * len(keys), days)


@dataclass(frozen=True)
class RecordedDays:
    """Recorded days of a real person (or a simulated diary), each a list of (minute of day, grams).

    Replica r of an episode of D days gets the days r D ... r D + D - 1 of the list, beginning again at
    its end; further episodes go on from there. The meals are announced as they were logged.
    """

    days: tuple[tuple[tuple[float, float], ...], ...]
    whose: str
    behaviour: Behaviour = EXACT

    def __post_init__(self) -> None:
        if not self.days:
            raise ValueError(f"no recorded day of {self.whose}; needed is at least one, which may be a fast")
        _check_meals(meal for day in self.days for meal in day)

    @property
    def description(self) -> str:
        """In words, for a report."""
        return f"{len(self.days)} recorded days of {self.whose}, logged meals replayed"

    def events(
        self,
        keys: NDArray[np.uint32],
        weight_kg: NDArray[np.float64],
        days: float,
        age_group: NDArray[np.int64] | None = None,
    ) -> Events:
        """See `Scenario.events`."""
        length = int(np.ceil(days))
        lanes = []
        for key in keys:
            first = (int(key[random.REPLICA]) + int(key[random.EPISODE])) * length
            lanes.append([list(self.days[(first + day) % len(self.days)]) for day in range(length)])
        return _replay(self.behaviour, keys, lanes, days)


def _check_meals(meals: Iterable[tuple[float, float]]) -> None:
    for minute, grams in meals:
        if not (0 <= minute < MINUTES_PER_DAY and 0 <= grams < np.inf):
            raise ValueError(
                f"meal of {grams} g at minute {minute} of the day; allowed are 0 g or more at 0 ... 1439"
            )


def _replay(
    behaviour: Behaviour,
    keys: NDArray[np.uint32],
    lanes: Sequence[Sequence[Sequence[tuple[float, float]]]],
    days: float,
) -> Events:
    """Events from lists of (minute of day, grams) per lane and day (days repeat when there are too few)."""
    whole_days = int(np.ceil(days))
    meals = [
        sorted(
            (day * MINUTES_PER_DAY + minute, grams)
            for day in range(whole_days)
            for minute, grams in lane[day % len(lane)]
        )
        for lane in lanes
    ]
    width = max(1, max(len(lane) for lane in meals))
    eat_minute, eat_g = np.full((len(keys), width), NEVER), np.zeros((len(keys), width))
    for row, lane in enumerate(meals):
        for column, (minute, grams) in enumerate(lane):
            if minute < days * MINUTES_PER_DAY and grams > 0:
                eat_minute[row, column], eat_g[row, column] = np.floor(minute), grams
    return _with_behaviour(behaviour, keys, eat_minute, eat_g, days)


def _with_behaviour(
    behaviour: Behaviour,
    keys: NDArray[np.uint32],
    eat_minute: NDArray[np.float64],
    eat_g: NDArray[np.float64],
    days: float,
) -> Events:
    order = np.argsort(eat_minute, axis=1, kind="stable")
    eat_minute = np.take_along_axis(eat_minute, order, axis=1)
    eat_g = np.take_along_axis(eat_g, order, axis=1)
    tell_minute, tell_g = announce(behaviour, keys, eat_minute, eat_g)
    by_hour = sensitivity(behaviour, keys, int(np.ceil(days * 24)))
    return Events(eat_minute, eat_g, tell_minute, tell_g, by_hour)


SCENARIOS = {
    "simglucose": "simglucose's random meals, adult-sized for everybody",
    "simglucose-weight": "simglucose's random meals scaled by min(weight / 70 kg, 1)",
    "fasting": "no meals",
    "fox2020": "random meals that cover the need of energy, as in Fox and others 2020",
    "g2p2c": "40, 80 and 60 g at 8, 13 and 20 h, as RL4H/G2P2C judges",
    "g2p2c-training": "random meals as RL4H/G2P2C trains on",
    "emerson2023": "random meals as in Emerson and others 2023",
}


def named(name: str, behaviour: str = "exact") -> Scenario:
    """A scenario by name (see `SCENARIOS`); ValueError with the nearest known ones otherwise."""
    habits = named_behaviour(behaviour)
    published: dict[str, Scenario] = {
        "fasting": FixedMeals((), habits),
        "fox2020": EnergyMeals(habits),
        "g2p2c": FixedMeals(G2P2C_MEALS, habits),
        "g2p2c-training": RandomMeals(habits, day=G2P2C_TRAINING_DAY, source="as RL4H/G2P2C trains on"),
        "emerson2023": RandomMeals(habits, day=EMERSON2023_DAY, source="as in Emerson and others 2023"),
    }
    if name in published:
        return published[name]
    if name in SCENARIOS:
        return RandomMeals(habits, scale_by_weight=name.endswith("-weight"))
    near = difflib.get_close_matches(name, SCENARIOS, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"unknown scenario {name!r}; {hint}Known are {', '.join(SCENARIOS)}")
