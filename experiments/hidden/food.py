"""What hidden people eat and what they log of it: main meals mostly, snacks mostly not, grams miscounted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.random import Stream
from twins.world.diary import STEP_MIN, STEPS_PER_DAY

MAIN = ((7.5, 50.0), (12.5, 70.0), (18.5, 80.0))
SNACKS = ((10.5, 20.0), (15.5, 25.0), (21.5, 25.0))
"""Hour of the day and grams, of adults who eat about 240 g a day; assumed."""
SNACK_EATEN = 0.6
MAIN_UNLOGGED, SNACK_UNLOGGED = 0.1, 0.6
"""Shares of meals that nobody logs; assumed, after what real diaries lack."""
TIME_SD_H, SIZE_LOG_SD = 0.6, 0.3
USUAL_G_PER_DAY = float(
    (sum(grams for _, grams in MAIN) + SNACK_EATEN * sum(grams for _, grams in SNACKS))
    * np.exp(SIZE_LOG_SD**2 / 2)
)
"""What is eaten on average."""
COUNT_LOG_SD = 0.25
"""Of grams logged over grams eaten, right on average (errors of 20 to 30 % are usual: Brazeau et al., Diabetes Res Clin
Pract 99, 2013)."""


@dataclass(frozen=True, eq=False)
class Food:
    """Arrays (n, M), a column a possible meal. step: when; eaten_g: 0 where none was; logged_g: 0 where not logged;
    main: whether it is a main meal."""

    step: NDArray[np.int64]
    eaten_g: NDArray[np.float64]
    logged_g: NDArray[np.float64]
    main: NDArray[np.bool_]

    def on_grid(self, grams: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
        """`grams` (n, M) summed into the 5-min steps (n, steps) of their meals."""
        out = np.zeros((len(grams), steps))
        np.add.at(out, (np.arange(len(grams))[:, None], self.step), grams)
        return out


def eat(keys: NDArray[np.uint32], days: int) -> Food:
    """Meals of people with `keys` (n, 6) over some days; a day does not hang on how many follow."""
    table = np.array(MAIN + SNACKS)
    hour, grams, main = table[:, 0], table[:, 1], np.arange(len(table)) < len(MAIN)
    shape = (len(keys), days, len(table))
    chance = random.uniform(random.stream(keys, Stream.BEHAVIOUR), 2 * days * len(table)).reshape(*shape, 2)
    z = random.normal(random.stream(keys, Stream.MEALS), 4 * days * len(table)).reshape(*shape, 4)
    at = np.round((hour + TIME_SD_H * z[..., 0]) * 60 / STEP_MIN).astype(np.int64)
    step = np.clip(at, 0, STEPS_PER_DAY - 1) + STEPS_PER_DAY * np.arange(days)[:, None]
    eaten = np.where(main | (chance[..., 0] < SNACK_EATEN), grams * np.exp(SIZE_LOG_SD * z[..., 1]), 0.0)
    counted = np.round(eaten * np.exp(COUNT_LOG_SD * z[..., 2] - COUNT_LOG_SD**2 / 2))
    logged = np.where(chance[..., 1] >= np.where(main, MAIN_UNLOGGED, SNACK_UNLOGGED), counted, 0.0)
    flat = (len(keys), days * len(table))
    return Food(
        step.reshape(flat),
        eaten.reshape(flat),
        logged.reshape(flat),
        np.broadcast_to(main, shape).reshape(flat),
    )
