"""What a person does with meals and lows: counts carbs, forgets, is late, treats hypoglycaemia.

A behaviour turns meals eaten into meals told to the therapy (its carb announcements), draws how
insulin sensitivity moves through the day and from day to day, and says how lows are treated.
Figures: carb-count errors and missed boluses, see `REALISTIC`.
"""

import difflib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.random import Stream

NEVER = np.inf
DRAWS_PER_MEAL = 4


@dataclass(frozen=True)
class Behaviour:
    """Habits of a person; the defaults are a perfect one who treats no lows.

    Times in minutes, probabilities per meal. `lag_min` is the time from the first bite to the
    announcement; simglucose's controller learns of a meal at the first sample after it began.
    """

    carb_bias_sd: float = 0.0
    """Spread between persons of the (log) bias in counting carbs."""
    carb_count_factor: float = 1.0
    """What everybody's counts are multiplied by: 0.7 counts three tenths too little."""
    carb_error_sd: float = 0.0
    """Spread from meal to meal of the (log) error in counting carbs."""
    missed: float = 0.0
    """Probability that a meal is eaten without being announced (no bolus)."""
    late: float = 0.0
    late_min: tuple[float, float] = (15.0, 60.0)
    """Probability that the announcement is late, and the range of the delay."""
    unlogged_below_g: float = 0.0
    """Snacks smaller than this are never announced."""
    lag_min: float = 1.0
    """Below zero: announced before it is eaten."""
    sensitivity_day_sd: float = 0.0
    """Spread from day to day of the logarithm of insulin sensitivity (drawn each day)."""
    sensitivity_hour_sd: float = 0.0
    """Amplitude of the daily course of its logarithm (phase drawn per episode)."""
    sensitivity_factors: tuple[float, ...] = (1.0,)
    """Constant multipliers of insulin sensitivity: replica r of a person lives with number r of them."""
    treats_lows_day: float = 0.0
    treats_lows_night: float = 0.0
    """Probability per quarter of an hour with plasma glucose < 70 mg/dL of taking `rescue_g`;
    night is 00:00-06:00."""
    rescue_g: float = 15.0


EXACT = Behaviour()
REALISTIC = Behaviour(
    carb_bias_sd=0.15,
    carb_error_sd=0.25,
    missed=0.07,
    late=0.15,
    unlogged_below_g=6.0,
    sensitivity_day_sd=0.12,
    sensitivity_hour_sd=0.10,
    treats_lows_day=0.7,
    treats_lows_night=0.35,
)
"""Project's own setting, in the range of the literature: carb counts err by 20-50 % (median 28 %
under), a third of teenagers miss more than 15 % of boluses, later or missed boluses in nearly every
fortnight; lows at night are noticed about half as often."""
REALISTIC_UNTREATED = replace(REALISTIC, treats_lows_day=0.0, treats_lows_night=0.0)
STRESS = replace(REALISTIC, missed=0.15, late=0.30, sensitivity_factors=(0.7, 1.3))
"""Twice the missed and late meals of `REALISTIC`; 30 % less sensitive, and 30 % more."""
TREATS_LOWS = Behaviour(treats_lows_day=0.7, treats_lows_night=0.35)
FOX2020 = Behaviour(carb_error_sd=0.2, missed=0.05)
"""Of the basal-bolus controller in Fox and others, MLHC 2020 (manual_bb.py of MLD3/RL4BG)."""
G2P2C = Behaviour(lag_min=-20.0)
"""Announces 20 min before the first bite: of the clinical treatment in RL4H/G2P2C."""

NAMED = {
    "exact": EXACT,
    "treats-lows": TREATS_LOWS,
    "realistic": REALISTIC,
    "realistic-untreated": REALISTIC_UNTREATED,
    "stress": STRESS,
    "fox2020": FOX2020,
    "g2p2c": G2P2C,
}


def named(name: str) -> Behaviour:
    """The behaviour of this name; ValueError with the nearest known ones otherwise."""
    if name not in NAMED:
        near = difflib.get_close_matches(name, NAMED, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown behaviour {name!r}; {hint}Known are {', '.join(NAMED)}")
    return NAMED[name]


def announce(
    behaviour: Behaviour,
    keys: NDArray[np.uint32],
    eat_minute: NDArray[np.float64],
    eat_g: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When and how many grams are announced for each meal: two arrays (n, K), `NEVER` where none.

    eat_minute (n, K) with `NEVER` as padding, eat_g (n, K) in grams.
    """
    n, meals = eat_minute.shape
    stream = random.stream(keys, Stream.BEHAVIOUR)
    unit = random.uniform(stream, 2 + meals * DRAWS_PER_MEAL)[:, 2:].reshape(n, meals, DRAWS_PER_MEAL)
    person = keys.copy()  # the bias belongs to the person: it stays the same over episodes and replicas
    person[:, [random.REPLICA, random.EPISODE]] = 0
    bias = behaviour.carb_bias_sd * random.normal(random.stream(person, Stream.BEHAVIOUR), 1)
    # One more pair of normals per meal, from draws that no other use of the stream reaches.
    error = random.normal(stream, meals, first=1_000_000) * behaviour.carb_error_sd
    told = np.maximum(eat_g * behaviour.carb_count_factor * np.exp(bias + error), 1.0)
    delay = behaviour.lag_min + np.where(
        unit[:, :, 0] < behaviour.late,
        behaviour.late_min[0] + unit[:, :, 1] * (behaviour.late_min[1] - behaviour.late_min[0]),
        0.0,
    )
    missed, unlogged = unit[:, :, 2] < behaviour.missed, eat_g < behaviour.unlogged_below_g
    silent = missed | unlogged | ~np.isfinite(eat_minute)
    minute = np.where(silent, NEVER, eat_minute + delay)
    order = np.argsort(minute, axis=1, kind="stable")
    minute, told = np.take_along_axis(minute, order, axis=1), np.take_along_axis(told, order, axis=1)
    return minute, np.where(np.isfinite(minute), told, 0.0)


def sensitivity(behaviour: Behaviour, keys: NDArray[np.uint32], hours: int) -> NDArray[np.float64]:
    """Multiplier of insulin sensitivity in each hour of the episode, shape (n, hours), 1 when constant."""
    stream = random.stream(keys, Stream.SENSITIVITY)
    days = -(-hours // 24)
    phase = 2 * np.pi * random.uniform(stream, 1)
    by_day = behaviour.sensitivity_day_sd * random.normal(stream, days, first=2)
    hour = np.arange(hours)
    course = behaviour.sensitivity_hour_sd * np.cos(2 * np.pi * hour / 24 - phase)
    shift = np.take(
        behaviour.sensitivity_factors, keys[:, random.REPLICA] % len(behaviour.sensitivity_factors)
    )
    multiplier: NDArray[np.float64] = shift[:, None] * np.exp(by_day[:, hour // 24] + course)
    return multiplier
