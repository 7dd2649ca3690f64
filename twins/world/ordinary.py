"""Ordinary weeks of a person: work, strain, habits of bed and exercise, and how much of any advice is followed.

Days are counted from midnight to midnight of the local clock; a night belongs to the day on which its evening lies. Who
has a slow clock goes to bed later. People sleep less than they need on working days and more on free ones, as people
do; sizes that are not cited are assumed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies import circadian
from twins.bodies.exercise import SESSION_LOG_SD
from twins.random import Stream
from twins.world import duties

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

WORK_H = (9.0, 17.0)
WEEK_DAYS = 7
BED_H, BED_SD_H, BED_PER_PERIOD_H = 23.75, 0.5, 1.5
"""Mean bedtime before working days, its spread between people, and how much later for each hour of a longer period."""
LATER_FREE_H = 0.75
RISE_H, RISE_SD_H, RISE_FREE_H = 6.75, 0.25, 8.5
NIGHTLY_SD_H = 0.4
"""How bedtimes of a person scatter around the habit."""
OWN_SHARE, OWN_AT_H, OWN_MIN, OWN_RESERVE = 0.15, 17.5, 30, 0.40
"""Share of days with a session that nobody advised or announced."""
HEAVY_SHARE = 0.2
SPELLS = 3
LIGHT_STRAIN, LIGHT_SPELL_MIN, HEAVY_STRAIN, HEAVY_SPELL_MIN = 0.15, 15.0, 0.8, 45.0
"""Three spells on each working day; on a heavy one (of one in five, which the calendar tells) hard and long ones, 1
being a public test."""
FOLLOWS, FOLLOWS_SD, MOST_FOLLOWED = 0.6, 0.5, 0.7
"""Of an easy piece of advice an average person follows this share; spread of its logit between people; nobody follows
more than the last, as in trials of advice on health."""
PER_HALF_HOUR, PER_DEBT_H, PER_FEAR, PER_SHIFT_H = 0.3, 0.1, 0.8, 0.5
"""What lowers the logit: each half hour of exercise beyond the first; an hour of debt of sleep (associations as in
McDonough et al. 2017 are confounded: a quarter of them); a low in the session before; an hour from the usual
bedtime."""
FEAR_KEPT_A_DAY = 0.85


@dataclass(frozen=True)
class Ordinary:
    """Weeks of n people. work, heavy, own (n, days); strain_at_h (n, days, 3): begins of spells; bed_h, rise_h (n,
    days): the habit of each night, bed after 24 where it is after midnight, rise that of the morning of the day;
    scatter_h (n, days): of bedtimes; chance (n, days, 2): uniform draws for what is followed, of exercise and of the
    night; gain (n, days): of the day's session; willing (n,): logit; daylight_h (n,)."""

    work: Flags
    heavy: Flags
    own: Flags
    strain_at_h: Array
    bed_h: Array
    rise_h: Array
    scatter_h: Array
    chance: Array
    gain: Array
    willing: Array
    daylight_h: Array


def draw(keys: NDArray[np.uint32], days: int) -> Ordinary:
    """Weeks of people under keys (n, 6), each hanging on its key alone."""
    n, traits = len(keys), random.stream(keys, Stream.ORDINARY)
    u, z = random.uniform(traits, 2), random.normal(traits, 3, first=8)
    period = circadian.draw(keys)[:, circadian.PERIOD_H] - circadian.PERIOD_MEAN_H
    every = random.stream(keys, Stream.FOLLOWING)
    v = random.uniform(every, 8 * days).reshape(n, days, 8)
    noise = random.normal(every, 2 * days, first=1 << 20).reshape(n, days, 2)
    weekday = ((WEEK_DAYS * u[:, 0]).astype(np.int64)[:, None] + np.arange(days + 1)) % WEEK_DAYS
    works = weekday < 5
    work = works[:, :days]
    bed = BED_H + BED_SD_H * z[:, 0] + BED_PER_PERIOD_H * period
    rise = RISE_H + RISE_SD_H * z[:, 1]
    return Ordinary(
        work, work & (v[:, :, 0] < HEAVY_SHARE), v[:, :, 1] < OWN_SHARE,
        WORK_H[0] + (WORK_H[1] - WORK_H[0] - 1.0) * v[:, :, 2 : 2 + SPELLS],
        np.clip(bed[:, None] + np.where(works[:, 1:], 0.0, LATER_FREE_H), 22.0, 26.0),
        np.clip(np.where(work, rise[:, None], RISE_FREE_H), 6.0, 9.0),
        NIGHTLY_SD_H * noise[:, :, 0], v[:, :, 5:7], np.exp(SESSION_LOG_SD * noise[:, :, 1]),
        np.log(FOLLOWS / (1 - FOLLOWS)) + FOLLOWS_SD * z[:, 2],
        duties.SUN_H[0] + (duties.SUN_H[1] - duties.SUN_H[0]) * u[:, 1],
    )  # fmt: skip


def strain(strain_at_h: Array, work: Flags, heavy: Flags, hour: Array) -> Array:
    """Strain (n,) of a day at an hour (n,): strain_at_h (n, 3), work, heavy (n,)."""
    lasts = np.where(heavy, HEAVY_SPELL_MIN, LIGHT_SPELL_MIN) / 60
    into = hour[:, None] - strain_at_h
    busy = ((into >= 0) & (into < lasts[:, None])).any(axis=1)
    felt: Array = np.where(busy & work, np.where(heavy, HEAVY_STRAIN, LIGHT_STRAIN), 0.0)
    return felt


def follows(willing: Array, minutes: Array, shift_h: Array, debt_h: Array, fear: Array) -> Array:
    """The probability (n,) that advice is followed: a session of so many minutes, or a bedtime so far from the usual
    one (the other is 0)."""
    logit = willing - PER_HALF_HOUR * np.maximum(minutes - 30.0, 0.0) / 30.0 - PER_SHIFT_H * np.abs(shift_h)
    logit = logit - PER_DEBT_H * debt_h - PER_FEAR * fear * (minutes > 0)
    chance: Array = np.minimum(1.0 / (1.0 + np.exp(-logit)), MOST_FOLLOWED)
    return chance


def light_of_days(daylight_h: Array) -> Array:
    """Lux (n, 2, 288) from midnight on, of a free and of a working day, with open eyes."""
    n = len(daylight_h)
    nothing = np.zeros((n, duties.STEPS), bool)
    both = [duties.light(np.full(n, duty), daylight_h, nothing) for duty in (duties.FREE, duties.OFFICE)]
    lux: Array = np.roll(np.stack(both, axis=1), round(duties.BEGINS_H * 12), axis=2)
    return lux
