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
from experiments.hidden.measure import carb_ratio_g_per_u, effects
from twins import cohort, random
from twins.bodies.glucose import COLUMN
from twins.bodies.model import Model
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
ROUNDS = 3
"""After these the fall per unit and the daily insulin agree within 2 % (a test)."""
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
    parameters, model = drawn(keys, daily), cohort.load("adult").model
    fall, rise = effects(model, parameters).T
    error = np.exp(SETTINGS_LOG_SD * random.normal(random.stream(keys, Stream.THERAPY), 2))
    ratio = carb_ratio_g_per_u(model, parameters) * error[:, 0]
    return Bodies(
        who, parameters, fall, rise, model.basal_u_per_h(parameters), ratio, fall * error[:, 1], keys
    )


def drawn(keys: NDArray[np.uint32], daily: str = "delivered") -> NDArray[np.float64]:
    """Parameters (n, P) of bodies that answer to insulin by the rule and by chance; each hangs on its key alone."""
    own, adults = random.stream(keys, Stream.COHORT), cohort.load("adult")
    parameters = adults.parameters[(random.uniform(own, 1)[:, 0] * len(adults)).astype(int)].copy()
    z = random.normal(own, len(RATES) + 1, first=2)  # the pair before went into the choice of an adult
    parameters[:, [COLUMN[name] for name in RATES]] *= np.exp(RATES_LOG_SD * z[:, 1:])
    basal = adults.model.basal_u_per_h(parameters)
    own_fall = RULE_MG_DL * np.exp(FALL_LOG_SD * z[:, 0])
    parameters = _answering(adults.model, parameters, own_fall / (basal * 24 / BASAL_SHARE))
    for _ in range(ROUNDS if daily == "delivered" else 0):  # who needs less for food answers more
        needed = basal * 24 + USUAL_G_PER_DAY / carb_ratio_g_per_u(adults.model, parameters)
        parameters = _answering(adults.model, parameters, own_fall / needed)
    return parameters


def _answering(
    model: Model, parameters: NDArray[np.float64], fall_mg_dl: NDArray[np.float64]
) -> NDArray[np.float64]:
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
        weak = effects(model, with_strength(middle))[:, 0] < fall_mg_dl
        low, high = np.where(weak, middle, low), np.where(weak, high, middle)
    return with_strength(np.sqrt(low * high))
