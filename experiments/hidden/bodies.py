"""Hidden bodies: virtual adults of whom it is known what a unit of insulin and ten grams truly do.

A body is one of the ten adults of simglucose with gut and absorption of insulin of its own. Its tissue and liver answer
to insulin so strongly that one unit lowers glucose by what the clinical rule says, but for an error that spreads as
widely as people do around the rule. The settings of its pump fit the body, with errors, too.

The rule goes by daily insulin, and these bodies need little for food. So there are two worlds (`DAILY`): where the rule
is right on average for the insulin that is delivered, which is what a fitter sees; and where it is right for twice the
planned basal, as it should be in a person of the books, so that from what is delivered it promises about 1.4 times too
much. A fit that starts from the rule is to be judged in both: how far the rule is off in real people nobody knows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.hidden.food import USUAL_G_PER_DAY
from twins import cohort, random
from twins.bodies.glucose import COLUMN
from twins.bodies.glucose_forecast import STEP_MIN, Forecast, prepare
from twins.bodies.model import NEUTRAL_DRIVE, Model
from twins.draw import BASAL_SHARE
from twins.random import Stream

DAILY = ("delivered", "planned")
"""Which daily insulin the rule is right for, on average."""
RULE_MG_DL = 1700.0
"""A unit lowers glucose by this over the daily insulin in U (the "1700 rule": Walsh, "Pumping Insulin")."""
FALL_LOG_SD = 0.25
"""Of a person's own fall per unit around the rule; the rule ranges from 1500 to 2200 between clinics, people more."""
RATES = ("ka1", "ka2", "kd", "kabs", "kmax", "kmin")
RATES_LOG_SD = 0.2
"""Of absorption of insulin, and of stomach and gut: what no scaling of a mean adult follows."""
SETTINGS_LOG_SD = 0.15
"""Of the errors of carb ratio and correction factor; assumed."""
EFFECT_MIN = 480
"""A unit of insulin and ten grams have their full effect within this time."""
MEAL_G, BACK_MIN = 50.0, 360
"""The carb ratio is found on a meal of this size, after which glucose is to be back where it was after this time."""
ROUNDS = 3
"""After these the fall per unit and the daily insulin agree within 2 % (a test)."""
_DOSES_U = np.linspace(0.0, 20.0, 201)
_STRENGTH = (0.05, 30.0)
"""The factor on insulin's effect is sought in this range."""


@dataclass(frozen=True, eq=False)
class Bodies:
    """n hidden people. who: n names. parameters (n, P) of `model`; the rest (n,), settings of the pump with errors.

    fall_mg_dl_per_u, rise_mg_dl_per_10_g: what 1 U lowers and 10 g eaten raise glucose at most, the truth to be found.
    """

    who: tuple[str, ...]
    parameters: NDArray[np.float64]
    fall_mg_dl_per_u: NDArray[np.float64]
    rise_mg_dl_per_10_g: NDArray[np.float64]
    basal_u_per_h: NDArray[np.float64]
    carb_ratio_g_per_u: NDArray[np.float64]
    correction_factor_mg_dl_per_u: NDArray[np.float64]
    keys: NDArray[np.uint32]
    """(n, 6) of `twins.random`: all that happens to a person hangs on theirs alone."""

    @property
    def model(self) -> Model:
        """The equations of everybody."""
        return cohort.load("adult").model

    def __len__(self) -> int:
        return len(self.who)


def make(count: int, seed: int, first: int = 1, daily: str = "delivered") -> Bodies:
    """People number `first` ... `first + count - 1` of a seed; nobody hangs on who else is made.

    daily: one of `DAILY`. Raises ValueError for another, counts below 1 and seeds that are none.
    """
    if daily not in DAILY:
        raise ValueError(f"unknown daily insulin {daily!r}; allowed are {', '.join(DAILY)}")
    if count < 1 or first < 1:
        raise ValueError(f"{count} people from number {first} on were asked for; give 1 or more of both")
    who = tuple(f"hidden{seed}#{number:03d}" for number in range(first, first + count))
    keys = random.keys("test", seed, np.array([random.person_number(one) for one in who]), 0, 0)
    own = random.stream(keys, Stream.COHORT)
    adults = cohort.load("adult")
    parameters = adults.parameters[(random.uniform(own, 1)[:, 0] * len(adults)).astype(int)].copy()
    z = random.normal(own, len(RATES) + 1, first=2)  # the pair before went into the choice of an adult
    parameters[:, [COLUMN[name] for name in RATES]] *= np.exp(RATES_LOG_SD * z[:, 1:])
    basal = adults.model.basal_u_per_h(parameters)
    own_fall = RULE_MG_DL * np.exp(FALL_LOG_SD * z[:, 0])
    parameters = _answering(parameters, own_fall / (basal * 24 / BASAL_SHARE))
    for _ in range(
        ROUNDS if daily == "delivered" else 0
    ):  # who needs less insulin for food answers to it more
        parameters = _answering(
            parameters, own_fall / (basal * 24 + USUAL_G_PER_DAY / _carb_ratio(parameters))
        )
    fall, rise = effects(parameters).T
    error = np.exp(SETTINGS_LOG_SD * random.normal(random.stream(keys, Stream.THERAPY), 2))
    return Bodies(
        who, parameters, fall, rise, basal, _carb_ratio(parameters) * error[:, 0], fall * error[:, 1], keys
    )


def effects(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """What 1 U lowers and 10 g raise glucose at most, from basal equilibrium: (n, 2) [mg/dL]."""
    level, fed = (_paths(parameters, np.zeros(1), grams)[:, 0] for grams in (0.0, 10.0))
    return np.stack([_fall(parameters), (fed - level).max(axis=1)], axis=1)


def _fall(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    level, dosed = np.moveaxis(_paths(parameters, np.array([0.0, 1.0]), 0.0), 1, 0)
    fall: NDArray[np.float64] = (level - dosed).max(axis=1)
    return fall


def _paths(
    parameters: NDArray[np.float64], doses_u: NDArray[np.float64], grams: float
) -> NDArray[np.float64]:
    """Glucose (n, doses, T) [mg/dL] after each of these doses (over 5 min) and a meal now, from basal equilibrium."""
    n, steps, model = len(parameters), EFFECT_MIN // STEP_MIN, cohort.load("adult").model
    food = np.zeros((n, EFFECT_MIN))
    food[:, 0] = grams
    ahead = prepare(parameters, EFFECT_MIN, STEP_MIN)
    plans = np.tile(
        (model.basal_u_per_h(parameters) * STEP_MIN / 60)[:, None, None], (1, len(doses_u), steps)
    )
    plans[:, :, 0] += doses_u
    drive = np.tile(np.array(NEUTRAL_DRIVE), (n, 1))
    return Forecast(ahead, model.basal_state(parameters), drive, food).paths(plans, STEP_MIN)


def _answering(parameters: NDArray[np.float64], fall_mg_dl: NDArray[np.float64]) -> NDArray[np.float64]:
    """The bodies with tissue and liver that make 1 U lower glucose by `fall_mg_dl` (n,); basal equilibrium stays."""

    def with_strength(factor: NDArray[np.float64]) -> NDArray[np.float64]:
        out = parameters.copy()
        p = {name: out[:, column] for name, column in COLUMN.items()}  # views: what is set is set in `out`
        for name in ("Vmx", "kp3"):
            p[name] *= factor
        p["kp1"][:] = p["EGPb"] + p["kp2"] * p["Gb"] * p["Vg"] + p["kp3"] * p["Ib"]
        return out

    low, high = (np.full(len(parameters), end) for end in _STRENGTH)
    for _ in range(25):
        middle = np.sqrt(low * high)
        weak = _fall(with_strength(middle)) < fall_mg_dl
        low, high = np.where(weak, middle, low), np.where(weak, high, middle)
    return with_strength(np.sqrt(low * high))


def _carb_ratio(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Grams that 1 U covers (n,)."""
    after = _paths(parameters, _DOSES_U, MEAL_G)[:, :, BACK_MIN // STEP_MIN - 1]
    needed = [
        np.interp(-level, -left, _DOSES_U)
        for level, left in zip(parameters[:, COLUMN["Gb"]], after, strict=True)
    ]
    ratio: NDArray[np.float64] = MEAL_G / np.maximum(np.array(needed), _DOSES_U[1])
    return ratio
