"""A body around a body: what varies through the day, from day to day, with the infusion site and with the meal.

Any model of a body is wrapped, and no fitter knows of it: insulin works by a rhythm of the person's own and by the day;
the liver gives more at dawn; an infusion site lets insulin through faster as it ages, until it is changed; and a meal
is fast, slow, or comes in two peaks. A clock of its own, in the state, tells what is when.
"""

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.bodies.model import DRIVE_NAMES, LIVER_OUTPUT, SENSITIVITY_HEPATIC, SENSITIVITY_PERIPHERAL, Model
from twins.random import Stream
from twins.units import MINUTES_PER_DAY, MINUTES_PER_HOUR

NODES = 6
"""Times of day, four hours apart, at which a person's sensitivity is a parameter."""
DAYS = 28
"""A fortnight that a diary tells of, and the one after it; later days begin again at the first."""
NODE_LOG_SD = 0.2
DAY_LOG_SD, DAY_KEPT = 0.15, 0.5
"""Sensitivity from day to day: an autoregression, of which this share is kept (assumed)."""
DAWN_MEAN_MG_KG_MIN, DAWN_SD_MG_KG_MIN, DAWN_MIN, DAWN_WIDTH_MIN = 0.4, 0.2, 360.0, 90.0
"""What the liver gives beyond its own at the height of dawn, when that is, and its spread in time (assumed)."""
SITE_DAYS, SITE_MIN, SITE_LOG_MEAN, SITE_LOG_SD = 3, 20.0, 0.25, 0.15
"""A site is changed every third midnight. Insulin stays in it this long at first, and by this less (a logarithm) each
day. Assumed; that absorption quickens with wear: Luijf et al., Diabetes Technol Ther 15 (2013) 575."""
SLOW_SHARE, PEAKS_SHARE = 0.3, 0.2
"""Of the meals: slow ones, and those of two peaks; others are fast, as is all of up to `FAST_G`."""
FAST_G = 15.0
SLOW_MIN, SECOND_MIN, SECOND_PART = 45.0, 120.0, 0.4
"""A slow meal waits so long on average before the stomach; of one of two peaks this part waits longer."""
_SLOW_STAGES, _SECOND_STAGES = 2, 6
REST_G = 0.02

VARIATION = (
    "first_day", "dawn_mg_kg_min", "site_log_per_day", "person_number", "seed",
    *(f"sensitivity_{24 // NODES * node:02d}h" for node in range(NODES)),
    *(f"sensitivity_day_{day:02d}" for day in range(DAYS)),
)  # fmt: skip
"""Parameters of the variation. first_day: the number, from 0, of the day on which an episode begins."""
_FIRST, _DAWN, _SITE, _PERSON, _SEED = range(5)
_NODES, _DAYS = slice(5, 5 + NODES), slice(5 + NODES, 5 + NODES + DAYS)
_OWN_STATES = (
    "clock_min", "site_u", *(f"slow_{stage}_g" for stage in range(_SLOW_STAGES)),
    *(f"second_{stage}_g" for stage in range(_SECOND_STAGES)),
)  # fmt: skip
_CLOCK, _HELD = 0, 1
_SLOW, _SECOND = slice(2, 2 + _SLOW_STAGES), slice(2 + _SLOW_STAGES, 2 + _SLOW_STAGES + _SECOND_STAGES)


def draw(keys: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Variation (n, V) of persons; each hangs on its key (n, 6) alone."""
    stream = random.stream(keys, Stream.SENSITIVITY)
    z = random.normal(stream, 2 + NODES + DAYS)
    out = np.zeros((len(keys), len(VARIATION)))
    out[:, _DAWN] = np.maximum(DAWN_MEAN_MG_KG_MIN + DAWN_SD_MG_KG_MIN * z[:, 0], 0.0)
    out[:, _SITE] = SITE_LOG_MEAN + SITE_LOG_SD * z[:, 1]
    out[:, _PERSON], out[:, _SEED] = keys[:, random.PERSON], keys[:, random.SEED]
    nodes = NODE_LOG_SD * z[:, 2 : 2 + NODES]
    out[:, _NODES] = nodes - nodes.mean(axis=1, keepdims=True)  # the mean is the body's own
    days = z[:, 2 + NODES :]
    for day in range(1, DAYS):
        days[:, day] = DAY_KEPT * days[:, day - 1] + np.sqrt(1 - DAY_KEPT**2) * days[:, day]
    out[:, _DAYS] = DAY_LOG_SD * days
    return out


def later(parameters: NDArray[np.float64], first_day: int) -> NDArray[np.float64]:
    """The same people, for episodes that begin on another of their days."""
    out = parameters.copy()
    out[:, len(parameters[0]) - len(VARIATION) + _FIRST] = first_day
    return out


class Varied:
    """A `twins.bodies.model.Model` around another: parameters and states of that one, then its own."""

    drive_names: tuple[str, ...] = DRIVE_NAMES

    def __init__(self, inner: Model) -> None:
        self.inner = inner
        self.parameter_names = (*inner.parameter_names, *VARIATION)
        self.state_names = (*inner.state_names, *_OWN_STATES)
        self._bodies = slice(0, len(inner.parameter_names))
        self._states = len(inner.state_names)

    def basal_u_per_h(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Model.basal_u_per_h`: at the mean of all variation."""
        return self.inner.basal_u_per_h(parameters[:, self._bodies])

    def basal_state(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Model.basal_state`; the clock stands at the midnight on which the person's first day begins."""
        state = np.zeros((len(parameters), len(self.state_names)))
        state[:, : self._states] = self.inner.basal_state(parameters[:, self._bodies])
        own, variation = state[:, self._states :], parameters[:, self._bodies.stop :]
        own[:, _CLOCK] = variation[:, _FIRST] * MINUTES_PER_DAY
        stays = _stays_min(own[:, _CLOCK], variation)
        own[:, _HELD] = self.basal_u_per_h(parameters) / MINUTES_PER_HOUR * stays
        return state

    def prepare(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """The variation, and what the inner model prepares."""
        both = np.empty(2, object)
        both[0] = np.array(parameters[:, self._bodies.stop :])
        both[1] = self.inner.prepare(parameters[:, self._bodies])
        return both

    def interstitial_mg_dl(
        self, state: NDArray[np.float64], parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See `Model.interstitial_mg_dl`."""
        return self.inner.interstitial_mg_dl(state[:, : self._states], parameters[:, self._bodies])

    def advance(
        self,
        state: NDArray[np.float64],
        coefficients: NDArray[np.float64],
        basal_u_per_h: NDArray[np.float64],
        bolus_u: NDArray[np.float64],
        carbs_g: NDArray[np.float64],
        drive: NDArray[np.float64],
        minutes: int,
    ) -> NDArray[np.float64]:
        """See `Model.advance`. The variation is held over the call."""
        variation, inner = coefficients
        own = state[:, self._states :]
        clock, stays = own[:, _CLOCK], _stays_min(own[:, _CLOCK], variation)
        given = basal_u_per_h / MINUTES_PER_HOUR + bolus_u / minutes  # U/min
        left = given * stays + (own[:, _HELD] - given * stays) * np.exp(-minutes / stays)
        leaves_u = own[:, _HELD] + given * minutes - left
        own[:, _HELD] = left
        stomach = _before_the_stomach(own, carbs_g, variation)
        moved = drive.copy()
        factor = np.exp(_course(clock, variation) + _day(clock, variation))[:, None]
        moved[:, :, SENSITIVITY_PERIPHERAL] *= factor
        moved[:, :, SENSITIVITY_HEPATIC] *= factor
        moved[:, :, LIVER_OUTPUT] += _dawn(clock, variation)[:, None]
        body = np.ascontiguousarray(state[:, : self._states])
        rate = leaves_u / minutes * MINUTES_PER_HOUR
        glucose = self.inner.advance(body, inner, rate, np.zeros(len(state)), stomach, moved, minutes)
        state[:, : self._states] = body
        clock += minutes
        return glucose


def _stays_min(clock: NDArray[np.float64], variation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean time (n,) that insulin stays in a site of this age."""
    age_days = clock / MINUTES_PER_DAY % SITE_DAYS
    stays: NDArray[np.float64] = SITE_MIN * np.exp(-variation[:, _SITE] * age_days)
    return stays


def _course(clock: NDArray[np.float64], variation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of sensitivity by the time of day (n,): straight lines between the nodes."""
    at = clock % MINUTES_PER_DAY / (MINUTES_PER_DAY / NODES)
    before = at.astype(int) % NODES
    nodes, lane = variation[:, _NODES], np.arange(len(clock))
    share = at % 1
    course: NDArray[np.float64] = (1 - share) * nodes[lane, before] + share * nodes[
        lane, (before + 1) % NODES
    ]
    return course


def _day(clock: NDArray[np.float64], variation: NDArray[np.float64]) -> NDArray[np.float64]:
    day = (clock // MINUTES_PER_DAY).astype(int) % DAYS
    found: NDArray[np.float64] = variation[:, _DAYS][np.arange(len(clock)), day]
    return found


def _dawn(clock: NDArray[np.float64], variation: NDArray[np.float64]) -> NDArray[np.float64]:
    off = (clock % MINUTES_PER_DAY - DAWN_MIN) / DAWN_WIDTH_MIN
    output: NDArray[np.float64] = variation[:, _DAWN] * np.exp(-(off**2) / 2)
    return output


def _before_the_stomach(
    own: NDArray[np.float64], carbs_g: NDArray[np.float64], variation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What reaches the body each minute (n, M) of what is eaten, by the kind of meal; no gram is lost."""
    out = carbs_g.copy()
    if not carbs_g.any() and not own[:, _SLOW.start : _SECOND.stop].any():
        return out
    for minute in range(carbs_g.shape[1]):
        for lane in np.flatnonzero(carbs_g[:, minute] > FAST_G):
            kind = _kind(own[lane, _CLOCK] + minute, variation[lane])
            if kind < SLOW_SHARE:
                own[lane, _SLOW.start] += carbs_g[lane, minute]
                out[lane, minute] = 0.0
            elif kind < SLOW_SHARE + PEAKS_SHARE:
                own[lane, _SECOND.start] += SECOND_PART * carbs_g[lane, minute]
                out[lane, minute] *= 1 - SECOND_PART
        for chain, mean in ((_SLOW, SLOW_MIN), (_SECOND, SECOND_MIN)):
            stages = own[:, chain]
            flow = stages * (1 - np.exp(-(chain.stop - chain.start) / mean))
            flow = np.where(stages.sum(axis=1, keepdims=True) < REST_G, stages, flow)
            stages -= flow
            stages[:, 1:] += flow[:, :-1]
            out[:, minute] += flow[:, -1]
    return out


def _kind(minute: float, variation: NDArray[np.float64]) -> float:
    """A uniform number that hangs on the person and the minute of their life alone."""
    key = random.stream(
        random.keys("test", int(variation[_SEED]), np.array([variation[_PERSON]], np.uint32), 0, 0),
        Stream.MISMATCH,
    )
    return float(random.uniform(key, 1, first=2 * int(minute))[0, 0])
