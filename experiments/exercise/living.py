"""Hours of persons under a plan that is fixed beforehand: meals, insulin and bouts, as a trial prescribes them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.exercise.bouts import Bout
from twins.bodies import glucose_kernel as k
from twins.bodies.model import SENSITIVITY_HEPATIC, SENSITIVITY_PERIPHERAL, neutral_drive
from twins.bodies.person import HEART_RATE_RESERVE, SESSION_GAIN, Person
from twins.cohort import Cohort

STEP_MIN = 5
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """What happens to n persons in some minutes. Arrays (n, minutes), or one value for all; sensitivity and gain (n,).

    basal: times the rate of the person's equilibrium; bolus_u: spread over its five minutes. start_mg_dl: None for
    basal glucose. uptake, liver: further factors on insulin's action there (n, minutes), None for 1.
    """

    minutes: int
    carbs_g: Array
    bolus_u: Array
    basal: Array
    reserve: Array
    sensitivity: Array
    gain: Array
    start_mg_dl: Array | None = None
    uptake: Array | None = None
    liver: Array | None = None

    @classmethod
    def of(cls, n: int, minutes: int) -> "Plan":
        """Nothing happens."""
        nothing = np.zeros((n, minutes))
        return cls(minutes, nothing, nothing, nothing + 1.0, nothing, np.ones(n), np.ones(n))

    def eats(self, at: int, grams: Array | float) -> "Plan":
        """With so many grams of carbohydrate from this minute on."""
        return replace(self, carbs_g=_with(self.carbs_g, at, 1, grams))

    def injects(self, at: int, units: Array | float) -> "Plan":
        """With a bolus in the five minutes of this minute."""
        at -= at % STEP_MIN
        return replace(self, bolus_u=_with(self.bolus_u, at, 1, units))

    def moves(self, at: int, bout: Bout) -> "Plan":
        """With a bout that begins at this minute."""
        reserve = self.reserve.copy()
        reserve[:, at : at + len(bout)] = bout[: self.minutes - at]
        return replace(self, reserve=reserve)

    def pumps(self, since: int, until: int, factor: float) -> "Plan":
        """With the basal rate times a factor for some time."""
        basal = self.basal.copy()
        basal[:, since:until] *= factor
        return replace(self, basal=basal)

    def rests(self) -> "Plan":
        """The same without any bout."""
        return replace(self, reserve=np.zeros_like(self.reserve))


def _with(array: Array, at: int, minutes: int, total: Array | float) -> Array:
    out = array.copy()
    out[:, at : at + minutes] += (
        np.broadcast_to(np.asarray(total, float).reshape(-1, 1), (len(out), 1)) / minutes
    )
    return out


def live(people: Cohort, plan: Plan) -> Array:
    """Plasma glucose (n, minutes) [mg/dL] at the end of each minute. people: of `Person`."""
    model = people.model
    assert isinstance(model, Person)
    state, coefficients = model.basal_state(people.parameters), model.prepare(people.parameters)
    if plan.start_mg_dl is not None:
        share = plan.start_mg_dl / (state[:, k.GLUCOSE_PLASMA] / people.parameters[:, _VG])
        for column in (k.GLUCOSE_PLASMA, k.GLUCOSE_TISSUE, k.GLUCOSE_SUBCUTANEOUS):
            state[:, column] *= share
    rate = model.basal_u_per_h(people.parameters)
    drive = np.tile(neutral_drive(model.drive_names), (len(people), STEP_MIN, 1))
    drive[:, :, SESSION_GAIN] = plan.gain[:, None]
    out = np.empty((len(people), plan.minutes))
    for at in range(0, plan.minutes, STEP_MIN):
        now = slice(at, at + STEP_MIN)
        drive[:, :, HEART_RATE_RESERVE] = plan.reserve[:, now]
        for column, factor in ((SENSITIVITY_PERIPHERAL, plan.uptake), (SENSITIVITY_HEPATIC, plan.liver)):
            drive[:, :, column] = plan.sensitivity[:, None] * (1.0 if factor is None else factor[:, now])
        out[:, now] = model.advance(
            state, coefficients, rate * plan.basal[:, at], plan.bolus_u[:, now].sum(axis=1), plan.carbs_g[:, now],
            drive, STEP_MIN,
        )  # fmt: skip
    return out


_VG = Person.parameter_names.index("Vg")


def customary_bolus(people: Cohort, carbs_g: float, back_min: int = 240) -> Array:
    """The dose (n,) [U] after which a meal at rest leaves everyone where they were `back_min` later: well set."""
    n, basal = len(people), people.parameters[:, Person.parameter_names.index("Gb")]
    low, high = np.zeros(n), np.full(n, 60.0)
    meal = Plan.of(n, back_min).eats(0, carbs_g)
    for _ in range(14):
        middle = (low + high) / 2
        above = live(people, meal.injects(0, middle))[:, -1] > basal
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    dose: Array = (low + high) / 2
    return dose
