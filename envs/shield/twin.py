"""The twin shield: a dose is allowed when the person's twin, rolled ten hours ahead without any more insulin, stays
above a floor; else the largest dose that is.

A request passes the rules first. Then every member of the belief is rolled ahead with the requested dose now and none
after it, without food and with a virtual bite at several times (`twins.bodies.glucose_forecast.SNACKS`). The lowest
glucose falls with the dose, so the largest safe one is found by bracketing. Where no dose is safe there is none.

What is guaranteed: with the true parameters and state (`oracle=True`), no disturbance that the model does not know, and
no later food that lowers glucose more than the bites that are tried, giving nothing stays safe after every allowed
dose: glucose does not fall below the floor by more than the steps of the rollout cost (2 mg/dL), whatever the agent
asks for. Over 150 ordinary weeks of 30 people one went 2.2 mg/dL below, all others less than 2 (results/shield); bites
of 1 g placed on purpose after 100 to 150 g went up to 6 mg/dL lower. All else is measured, not guaranteed: a state that
is estimated from readings, bodies that differ from their twin, carbs that are miscounted or never eaten, exercise. A
conformal margin over the floor, meant for nine in ten new bodies, held for 88 % of 240 (results/shield/table.md).
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.shield.reasons import Reason
from envs.shield.rule import rule
from envs.therapy import Request
from envs.view import View
from twins.bodies import glucose_forecast
from twins.bodies.glucose_forecast import Forecast
from twins.bodies.model import NEUTRAL_DRIVE
from twins.cohort import BASAL_U_PER_H
from twins.inference.filter import Belief
from twins.words import near_miss

DOUBTS = (0.0, 0.25, 0.5, 0.75)
"""Shares of the announced carbs that were really eaten, as far as they are doubted."""
ROUNDS = 6
"""Tries in the search for the largest safe dose; what is left to find is at most an eighth of the request, mostly far
less."""


_RANGES = {
    "floor_mg_dl": (40, 140), "uneaten_floor_mg_dl": (0, 140), "members": (1, 1024), "sd": (0, 0.9),
    "horizon_min": (60, 1440), "quantile": (0, 0.5), "margin_mg_dl": (0, 100),
}  # fmt: skip
_WHOLE = ("members", "horizon_min")


def _allowed(name: str) -> str:
    """What a setting with a range may be, in words."""
    low, high = _RANGES[name]
    told = f"{'a whole number, ' if name in _WHOLE else ''}{low} ... {high}"
    return f"{told}, or none" if name == "uneaten_floor_mg_dl" else told


@dataclass(frozen=True)
class Guard:
    """Settings of the twin shield. Glucose in mg/dL.

    floor_mg_dl: what the rollouts must stay above. uneaten_floor_mg_dl: the same for members that have eaten none of
    what was announced (None: no such members). members, sd: the ensemble around the person's twin and its spread; one
    member has no spread. quantile: share of the belief's weight that may fall below (0: nobody). margin_mg_dl: a
    conformal margin added to the floor. above_basal_only: rollouts only for what exceeds scheduled basal.
    """

    floor_mg_dl: float = 90.0
    uneaten_floor_mg_dl: float | None = 64.0
    members: int = 32
    sd: float = 0.2
    horizon_min: int = 600
    quantile: float = 0.0
    margin_mg_dl: float = 0.0
    above_basal_only: bool = False

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if name == "uneaten_floor_mg_dl" and value is None:
                continue
            whole = name not in _WHOLE or isinstance(value, int)
            if not (_number(value) and low <= value <= high and whole):
                raise ValueError(f"{name} of the guard is {value!r}; allowed is {_allowed(name)}")
        if self.horizon_min % glucose_forecast.STEP_MIN:
            raise ValueError(
                f"horizon_min of the guard is {self.horizon_min}; give a multiple of {glucose_forecast.STEP_MIN}"
            )
        if not isinstance(self.above_basal_only, bool):
            raise ValueError(f"above_basal_only is {self.above_basal_only!r}; allowed are True and False")

    @property
    def trusting(self) -> int:
        """How many members have eaten all that was announced; those that doubt it are of the ensemble."""
        return max(self.members - len(self.shares), 1)

    @property
    def shares(self) -> tuple[float, ...]:
        """What other members than the trusting ones have eaten of what was announced."""
        return () if self.uneaten_floor_mg_dl is None else DOUBTS


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def named(word: str) -> tuple[str, Guard]:
    """The name of a shield and its guard from one word: "rule", "twin", or "twin:floor_mg_dl=80,members=1".

    Raises ValueError that names the wrong setting, what is allowed and the near miss; plain names pass as they are.
    """
    name, colon, rest = word.partition(":")
    if name != "twin":
        if colon:
            raise ValueError(
                f"shield {word!r}: settings may follow 'twin' alone{near_miss(name, ['twin'])}; give a shield without "
                "a colon, or such as 'twin:floor_mg_dl=80'"
            )
        return word, Guard()
    if colon and not rest:
        raise ValueError(
            f"shield {word!r}: no setting follows the colon; give 'twin', or 'twin:floor_mg_dl=80'"
        )
    if not rest:
        return word, Guard()
    known = {field.name: field for field in fields(Guard)}
    settings: dict[str, Any] = {}
    for part in rest.split(","):
        key, value = (word.strip() for word in (part.partition("=")[0], part.partition("=")[2]))
        if key not in known:
            raise ValueError(
                f"shield {word!r}: unknown setting {key!r}{near_miss(key, known)}; known are {', '.join(known)}"
            )
        if key in settings:
            raise ValueError(f"shield {word!r}: {key} is given twice; give it once")
        settings[key] = _value(word, key, value)
    return name, Guard(**settings)


def _value(word: str, key: str, text: str) -> float | int | bool | None:
    plain: dict[str, bool | None] = {"true": True, "false": False, "none": None}
    if key == "above_basal_only" and text.lower() not in ("true", "false"):
        raise ValueError(f"shield {word!r}: {key} is {text!r}; allowed are true and false")
    if text.lower() in plain:
        return plain[text.lower()]
    try:
        return int(text) if text.lstrip("-").isdigit() and key in _WHOLE else float(text)
    except ValueError:
        raise ValueError(f"shield {word!r}: {key} is {text!r}; allowed is {_allowed(key)}") from None


class TwinShield:
    """The shield over lanes whose belief has members of these parameters (n, E, P), eaters of `carb_share` (E,)."""

    def __init__(
        self,
        guard: Guard,
        parameters: NDArray[np.float64],
        carb_share: NDArray[np.float64],
        interval_min: int,
        legacy_gut: bool = False,
    ) -> None:
        self._guard, self._interval_min = guard, interval_min
        self._shape = parameters.shape[:2]
        flat = parameters.reshape(-1, parameters.shape[2])
        self._ahead = glucose_forecast.prepare(flat, guard.horizon_min, interval_min, legacy_gut)
        self._drive = np.tile(np.array(NEUTRAL_DRIVE), (len(flat), 1))
        floor = guard.floor_mg_dl + guard.margin_mg_dl
        uneaten = floor
        if guard.uneaten_floor_mg_dl is not None:
            uneaten = guard.uneaten_floor_mg_dl + guard.margin_mg_dl
        self._floor = uneaten + np.minimum(carb_share, 1.0) * (floor - uneaten)

    def __call__(
        self, request: Request, view: View, limits: NDArray[np.float64], belief: Belief | None = None
    ) -> tuple[Request, NDArray[np.int64], NDArray[np.float64]]:
        """The allowed request, reasons and margins [mg/dL]: how far above the floor the lowest rollout stays.

        Raises ValueError without a belief.
        """
        if belief is None:
            raise ValueError('the twin shield needs a belief; use a core with shield="twin", which keeps one')
        allowed, reason, _ = rule(request, view, limits)
        hours = self._interval_min / 60
        asked = allowed.basal_u_per_h * hours + allowed.bolus_u
        scheduled = view.therapy[:, BASAL_U_PER_H] * hours
        looked = asked > scheduled * (1 + 1e-9) if self._guard.above_basal_only else np.ones(len(view), bool)
        margin = np.full(len(view), np.nan)
        if not looked.any():
            return allowed, reason, margin
        dose, margin[looked] = self._largest(asked, belief, looked)
        cut = looked & (dose < asked)
        basal = np.where(cut, np.minimum(allowed.basal_u_per_h, dose / hours), allowed.basal_u_per_h)
        bolus = np.where(cut, np.clip(dose - basal * hours, 0.0, allowed.bolus_u), allowed.bolus_u)
        return Request(basal, bolus, allowed.plan), np.where(cut, int(Reason.TWIN), reason), margin

    def _largest(
        self, asked: NDArray[np.float64], belief: Belief, looked: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The largest safe dose [U] up to what is asked, (n,), and the margins of the lanes that were looked at."""
        state, members = belief.state.reshape(len(self._drive), -1), self._shape[1]
        forecast = Forecast(self._ahead, state, self._drive, wanted=np.repeat(looked, members))

        def spare(dose: NDArray[np.float64], lanes: NDArray[np.bool_]) -> NDArray[np.float64]:
            low = forecast.lowest(np.repeat(dose, members), np.repeat(lanes, members)).reshape(self._shape)
            low = np.where(np.isfinite(low), low, -1000.0)  # what cannot be foreseen is not safe
            return _quantile(low - self._floor, belief.weight, self._guard.quantile)

        safe, best = asked.copy(), spare(asked, looked)
        unsafe = looked & (best < 0)
        if unsafe.any():
            high, above = asked.copy(), best.copy()
            low, below = np.zeros(len(asked)), spare(np.zeros(len(asked)), unsafe)
            searched = unsafe & (below >= 0)
            for turn in range(ROUNDS if searched.any() else 0):
                # Secants close in from the unsafe side; every other try halves, so that the bracket surely shrinks.
                share = np.clip(below / np.maximum(below - above, 1e-9), 0.02, 0.98) if turn % 2 == 0 else 0.5
                at = low + share * (high - low)
                now = spare(at, searched)
                good = searched & (now >= 0)
                low, below = np.where(good, at, low), np.where(good, now, below)
                high, above = np.where(good, high, at), np.where(good, above, now)
            safe, best = np.where(unsafe, low, safe), np.where(unsafe, below, best)
        return safe, best[looked]


def _quantile(spare: NDArray[np.float64], weight: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The value (n,) below which at most `share` of each row's weight lies; share 0: the least that has any weight."""
    if share == 0:
        least: NDArray[np.float64] = np.where(weight > 0, spare, np.inf).min(axis=1)
        return least
    order = np.argsort(spare, axis=1, kind="stable")
    below = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
    first = (below > share).argmax(axis=1)
    return np.take_along_axis(np.take_along_axis(spare, order, axis=1), first[:, None], axis=1)[:, 0]
