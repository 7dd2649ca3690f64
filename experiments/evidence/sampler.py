"""Sampler D: new bodies, their days, and what goes wrong in them, in strata that are never pooled.

Its seeds are sealed: no policy, gain, shield or threshold was chosen on them. A bound speaks of a new body of a
stratum of this sampler, whose hash stands beside it, and of no human being.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from envs.faults import (
    Bias,
    CarbError,
    CompressionLow,
    DeliveryGain,
    Exercise,
    Fault,
    Gap,
    Illness,
    MissedBolus,
    Occlusion,
    PhantomMeal,
    Spike,
)
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.simulator import simulator_hash
from twins import cohort as cohorts
from twins.cohort import GROUPS, Cohort
from twins.draw import draw, mistaken_therapy
from twins.words import near_miss

DAYS = 35.0
SEED = 50_000
_DAY = 1440.0

FAULTS: tuple[Fault, ...] = (
    Gap(duration_min=120, every_min=_DAY, jitter_min=1200, chance=0.3),
    Bias(0.15, chance=0.25),
    Bias(-0.15, chance=0.25),
    CompressionLow(1.0, chance=0.1),
    Spike(60, every_min=_DAY, jitter_min=1380, chance=0.3),
    Occlusion(0.5, duration_min=240, every_min=3 * _DAY, jitter_min=4000, chance=0.2),
    DeliveryGain(0.1, chance=0.3),
    MissedBolus(1.0, onset_min=570, duration_min=300, every_min=_DAY, chance=0.15),
    CarbError(0.2),
    PhantomMeal(30.0, onset_min=480, duration_min=60, every_min=_DAY, jitter_min=720, chance=0.02),
    Exercise(1.5, onset_min=960, duration_min=480, every_min=2 * _DAY, jitter_min=180, chance=0.5),
    Illness(0.7, onset_min=3 * _DAY, duration_min=3 * _DAY, every_min=14 * _DAY, jitter_min=10 * _DAY, chance=0.5),
)  # fmt: skip
"""Rates of an ordinary month, by this project's reckoning: each happens with a chance of its own, to each body anew."""


@dataclass(frozen=True)
class Stratum:
    """One kind of mistake about a body. error: of settings, and of the twin that shield and planner work with."""

    name: str
    words: str
    error: float = 0.0
    faults: tuple[Fault, ...] = ()
    drawn: bool = True


STRATA: tuple[Stratum, ...] = (
    Stratum("drawn", "settings right, twins exact"),
    Stratum("error-20", "settings wrong by up to 20 %, twins by about 20 %", 0.2),
    Stratum("error-40", "settings wrong by up to 40 %, twins by about 40 %", 0.4),
    Stratum("faults", "settings and twins as wrong as in error-20, and faults of sensor, pump and life", 0.2, FAULTS),
    Stratum("seen", "the 30 people of the table, settings and twins as wrong as in error-20", 0.2, drawn=False),
)  # fmt: skip
LOWS = {"treated": "realistic", "untreated": "realistic-untreated"}
"""Whether lows are treated when they are noticed, and the protocol whose life the bodies lead."""


def stratum(name: str) -> Stratum:
    """The stratum of this name. Raises ValueError with the nearest one."""
    for one in STRATA:
        if one.name == name:
            return one
    known = [one.name for one in STRATA]
    raise ValueError(f"unknown stratum {name!r}{near_miss(name, known)}; known are {', '.join(known)}")


def bodies(one: Stratum, first: int, count: int) -> Cohort:
    """Bodies number `first` ... `first + count - 1` of a stratum, with their settings: the age groups in turn.

    A body hangs on stratum and number alone. Raises ValueError for numbers the stratum does not have.
    """
    if first < 0 or count < 1 or (not one.drawn and first + count > 30):
        raise ValueError(f"bodies {first} to {first + count - 1} of stratum {one.name!r}; there are no such")
    if not one.drawn:
        everybody = cohorts.load("all").take(range(first, first + count))
        return mistaken_therapy(everybody, one.error, "test", SEED)
    seed = SEED + STRATA.index(one)
    numbers = range(first, first + count)
    per_group = numbers[-1] // len(GROUPS) + 1
    drawn = cohorts.join([draw(cohorts.load(group), per_group, seed, split="test") for group in GROUPS])
    rows = [number % len(GROUPS) * per_group + number // len(GROUPS) for number in numbers]
    return mistaken_therapy(drawn.take(rows), one.error, "test", seed)


def life(one: Stratum, lows: str, days: float = DAYS) -> ProtocolConfig:
    """The protocol that bodies of a stratum live by: the realistic one's days, without warm-up."""
    if lows not in LOWS:
        raise ValueError(f"lows is {lows!r}; allowed are {', '.join(LOWS)}")
    return load_protocol(LOWS[lows]).model_copy(
        update={
            "name": f"sampler-d-{one.name}-{lows}", "twin_error": one.error, "folds": 0, "drawn_per_group": 0,
            "days": days, "warmup_days": 0.0, "seed": SEED + STRATA.index(one),
        }
    )  # fmt: skip


def sampler_hash(strata: Sequence[Stratum] = STRATA) -> str:
    """SHA-256 (hex) of all that the sampler draws from, of the simulator, and of the lives led."""
    told = [repr(replace(one)) for one in strata]
    lives = [life(one, lows).model_dump(mode="json") for one in strata for lows in LOWS]
    plain = json.dumps([told, lives, simulator_hash()], sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()
