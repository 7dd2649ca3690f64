"""Hidden people of a ladder of worlds, each rung harder for who fits a twin, whatever the equations of their bodies.

- M1: bodies of the twin's own family, with what no twin knows of (see `varied`); all is logged as it was.
- M2: the same under other equations: those of Hovorka et al., and Bergman's minimal model.
- M3: all three, nobody's weight known, and lives as they are: carbs counted with a bias of the person's own and an
  error each time, a tenth of the meals neither logged nor covered, boluses that come late, sugar against lows of which
  half is logged, and half of the people under a pump that doses by itself.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.hidden import bodies, varied
from experiments.hidden.cores.hovorka import Hovorka
from experiments.hidden.cores.kanderian import Kanderian
from experiments.hidden.measure import carb_ratio_g_per_u, effects
from experiments.hidden.varied import Varied
from twins import cohort as cohorts
from twins import random
from twins.bodies.glucose import COLUMN, UvaPadova
from twins.cohort import (
    ADULT,
    AGE_GROUP,
    BASAL_U_PER_H,
    CARB_RATIO_G_PER_U,
    CORRECT_ABOVE,
    CORRECT_ABOVE_MG_DL,
    CORRECTION_FACTOR_MG_DL_PER_U,
    DAILY_INSULIN_U,
    TARGET,
    TARGET_MG_DL,
    THERAPY_COLUMNS,
    Cohort,
)
from twins.draw import draw
from twins.random import Stream
from twins.world.behaviour import EXACT, Behaviour

EATEN_G_PER_DAY = 200.0
"""What the days of simglucose bring an adult."""
BASAL_RANGE_U_PER_H, DAILY_RANGE_U = (0.2, 3.0), (15.0, 100.0)
BASAL_SHARE_RANGE = (0.25, 0.75)
"""A body that needs less or more insulin, or another share of it as basal, is drawn anew."""
BASAL_LOG_SD = 0.1
"""Of the error of the basal rate that a person has lived with; of the other settings `bodies.SETTINGS_LOG_SD`."""
AUTOMATED_EVERY = 2
"""In M3 each second person lives with a pump that doses by itself."""
MOST_DRAWS = 200
KG = 75.0
"""Of a person whose weight nobody knows, as fits and policies take it."""


class _Uva(UvaPadova):
    """Adults drawn around the ten of simglucose, as the other cores draw theirs."""

    def draw(self, keys: NDArray[np.uint32], attempt: int) -> NDArray[np.float64]:
        """Parameters (n, P); number `attempt` of the draws of each key (n, 6)."""
        adults, numbers = cohorts.load("adult"), keys[:, random.PERSON].astype(np.uint32) + np.uint32(attempt)
        return np.concatenate([draw(adults, 1, int(number), split="test").parameters for number in numbers])


@dataclass(frozen=True)
class Rung:
    """Which cores, how people live and log, whether half of them have an automated pump, and whether anybody knows
    their weight (else all take them for `KG`)."""

    cores: tuple[str, ...]
    habits: Behaviour
    automated: bool = False
    weight_known: bool = True


_TREATS = replace(EXACT, treats_lows_day=0.7, treats_lows_night=0.35)
RUNGS = {
    "M1": Rung(("uva",), _TREATS),
    "M2": Rung(("hovorka", "kanderian"), _TREATS),
    "M3": Rung(
        ("uva", "hovorka", "kanderian"),
        replace(_TREATS, carb_bias_sd=0.15, carb_error_sd=0.25, missed=0.10, late=0.15),
        automated=True,
        weight_known=False,
    ),
}
CORES: dict[str, _Uva | Hovorka | Kanderian] = {"uva": _Uva(), "hovorka": Hovorka(), "kanderian": Kanderian()}


@dataclass(frozen=True, eq=False)
class People:
    """n hidden people of one core. cohort: as their diary begins, with the settings that they live with; automated
    (n,): whose pump doses by itself; fall_mg_dl_per_u, rise_mg_dl_per_10_g (n,): what 1 U and 10 g eaten truly do."""

    rung: str
    core: str
    cohort: Cohort
    automated: NDArray[np.bool_]
    fall_mg_dl_per_u: NDArray[np.float64]
    rise_mg_dl_per_10_g: NDArray[np.float64]

    def logged_share(self, seed: int) -> NDArray[np.float64]:
        """Grams that each person logs per gram eaten (n,), but for the error of a meal: their own bias."""
        keys = random.keys("test", seed, self.cohort.numbers, 0, 0)
        sd = self.habits.carb_bias_sd
        share: NDArray[np.float64] = np.exp(
            sd * random.normal(random.stream(keys, Stream.BEHAVIOUR), 1)[:, 0]
        )
        return share

    @property
    def habits(self) -> Behaviour:
        """How they eat, log and treat lows."""
        return RUNGS[self.rung].habits

    def afterwards(self, first_day: int, therapy: NDArray[np.float64]) -> Cohort:
        """The same bodies on later days, under other settings (n, 7)."""
        return replace(
            self.cohort, parameters=varied.later(self.cohort.parameters, first_day), therapy=therapy
        )


def people(rung: str, core: str, count: int, seed: int, first: int = 1) -> People:
    """People number `first` ... of a seed; nobody hangs on who else is made.

    Raises ValueError for rungs that are none, cores that a rung lacks, and counts below 1.
    """
    if rung not in RUNGS or core not in RUNGS[rung].cores:
        raise ValueError(
            f"rung {rung!r}, core {core!r}; allowed are "
            + "; ".join(f"{name} with {', '.join(one.cores)}" for name, one in RUNGS.items())
        )
    if count < 1 or first < 1:
        raise ValueError(f"{count} people from number {first} on were asked for; give 1 or more of both")
    numbers = np.arange(first, first + count)
    who = tuple(f"hidden~{rung}-{core}-{seed}#{number:03d}" for number in numbers)
    keys = random.keys("test", seed, np.array([random.person_number(one) for one in who]), 0, 0)
    body, need = _drawn(core, keys)
    model = CORES[core]
    fall, rise = effects(model, body).T
    z = random.normal(random.stream(keys, Stream.THERAPY), 4)
    error = np.exp(np.array([BASAL_LOG_SD, bodies.SETTINGS_LOG_SD, bodies.SETTINGS_LOG_SD]) * z[:, :3])
    therapy = np.empty((count, THERAPY_COLUMNS))
    therapy[:, BASAL_U_PER_H] = model.basal_u_per_h(body) * error[:, 0]
    therapy[:, CARB_RATIO_G_PER_U] = carb_ratio_g_per_u(model, body) * error[:, 1]
    therapy[:, CORRECTION_FACTOR_MG_DL_PER_U] = fall * error[:, 2]
    therapy[:, DAILY_INSULIN_U], therapy[:, AGE_GROUP] = need, ADULT
    therapy[:, TARGET_MG_DL], therapy[:, CORRECT_ABOVE_MG_DL] = TARGET, CORRECT_ABOVE
    weight = body[:, COLUMN["BW"] if core == "uva" else 0]
    if not RUNGS[rung].weight_known:  # to nobody: not to who fits, nor to who doses
        weight = np.full(count, KG)
    whole = np.concatenate([body, varied.draw(keys)], axis=1)
    lives = Cohort(Varied(model), who, whole, therapy, weight.copy())
    automated = (numbers % AUTOMATED_EVERY == 0) & RUNGS[rung].automated
    return People(rung, core, lives, automated, fall, rise)


def _drawn(core: str, keys: NDArray[np.uint32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bodies (n, P) and the insulin that they need in a day (n,) [U]."""
    model = CORES[core]
    own = random.stream(keys, Stream.COHORT)
    body, need, left = (
        np.empty((len(keys), len(model.parameter_names))),
        np.empty(len(keys)),
        np.arange(len(keys)),
    )
    for attempt in range(MOST_DRAWS):
        body[left] = model.draw(own[left], attempt)
        basal = model.basal_u_per_h(body[left])
        fits = (basal >= BASAL_RANGE_U_PER_H[0]) & (basal <= BASAL_RANGE_U_PER_H[1])
        need[left[~fits]] = np.nan
        some = left[fits]
        if len(some):
            need[some] = 24 * basal[fits] + EATEN_G_PER_DAY / carb_ratio_g_per_u(model, body[some])
        share = 24 * model.basal_u_per_h(body) / need
        fits = (need >= DAILY_RANGE_U[0]) & (need <= DAILY_RANGE_U[1])
        fits &= (share >= BASAL_SHARE_RANGE[0]) & (share <= BASAL_SHARE_RANGE[1])
        left = np.flatnonzero(~fits)
        if len(left) == 0:
            return body, need
    raise ValueError(f"no physiological person of {core} in {MOST_DRAWS} draws for {len(left)} of the keys")
