"""What people showed in trials of sleep, light and stress, and which of it the twin was set by."""

import numpy as np

from experiments.sleep.trials import Trials
from experiments.trials.target import Target, p_value, sd, se
from twins.bodies.circadian import CLOCKS

_DONGA = "Donga et al., Diabetes Care 33 (2010) 1573; n = 7, type 1"
_BUXTON = "Buxton et al., Diabetes 59 (2010) 2126; n = 20, healthy men"
_RIZZA = "Rizza, Mandarino & Gerich, J Clin Endocrinol Metab 54 (1982) 131; n = 6, healthy"
_WIESLI = "Wiesli et al., Diabetes Care 28 (2005) 1910; n = 20, type 1; no spread published"
_KHALSA = "Khalsa et al., J Physiol 549 (2003) 945; n = 21; no spread published"
_AKERSTEDT = "Akerstedt, Occup Med 53 (2003) 89, a review: two to four hours less"
_SMALL = (
    "the constants of light are the publications' own, which were set on repeated pulses and on days in other "
    "laboratories"
)
_NOISE = (
    "26 hours awake leave a pressure that outweighs the clock for most of the day; at home, daylight, noise and family "
    "cut the sleep of day further, which is not in the twin"
)
CORTISOL = 37.0 / 14.0

HEAD = "Sleep, the clock and stress: the twin beside trials in people"
WORDS = (
    "Clamps, meals and stress: the ten adults of the UVA/Padova table, with the mean effect of sleep. Nights: 60 "
    "people whose sleep and clocks are drawn. Held out: {inside} of {held} rows inside the interval, of four trials: "
    "S6 and S7 are of the same nights, S10 is one trial under three clocks; S5 follows from S1, the same night. The "
    "intervals of S4, S8 and S10 are guesses, since the papers give none."
)


def _of_ratio(
    one: tuple[float, float], other: tuple[float, float], people: int
) -> tuple[float, float, float]:
    """A ratio of two means that are given with their standard errors, as if these were of different people, and its
    interval."""
    value = one[0] / other[0]
    return value, *se(value, value * float(np.hypot(one[1] / one[0], other[1] / other[0])), people)


def _light(clock: str) -> Target[Trials]:
    words = f"from delay to advance by bright light, {clock}"
    return Target(
        f"S10 {clock}", words, "h", 5.02, 4.0, 6.0, "assumed", False, _KHALSA,
        lambda t: t.response_to_light(clock), _SMALL,
    )  # fmt: skip


TARGETS: tuple[Target[Trials], ...] = (
    Target(
        "S1", "disposal after a night of 4 h", "%", -13.7, *p_value(-13.7, 0.04, 7), "p", True, _DONGA,
        lambda t: t.disposal(t.one_short),
    ),
    Target(
        "S2", "insulin that uptake needs, a day at 2.6 x cortisol", "ratio", *_of_ratio((104, 9), (64, 7), 6), "sd",
        True, _RIZZA, lambda t: t.cortisol_for_a_day(CORTISOL)[0],
    ),
    Target(
        "S3", "insulin that the liver needs, the same day", "ratio", *_of_ratio((81, 19), (31, 5), 6), "sd", True,
        _RIZZA, lambda t: t.cortisol_for_a_day(CORTISOL)[1],
    ),
    Target(
        "S4", "later fall after a meal, public test 75 min after it", "min", 45.0, 15.0, 75.0, "assumed", True, _WIESLI,
        lambda t: t.later_after_a_meal(),
    ),
    Target(
        "S5", "glucose infused after a night of 4 h", "%", -21.6, *p_value(-21.6, 0.04, 7), "p", True, _DONGA,
        lambda t: t.infusion(t.one_short),
    ),
    # --- not used ------------------------------------------------------------------------------------------
    Target(
        "S6", "disposal after seven nights of 5 h, clamp", "%", -11.0, *p_value(-11.0, 0.04, 20), "p", False, _BUXTON,
        lambda t: t.disposal(t.week_short),
    ),
    Target(
        "S7", "sensitivity after seven nights of 5 h, glucose test", "%", -20.0, *sd(-20.0, 24.0, 20), "sd", False,
        _BUXTON, lambda t: t.infusion(t.week_short),
    ),
    Target(
        "S8", "rise of glucose by a public test, fasting", "mg/dL", 0.0, -9.0, 9.0, "assumed", False, _WIESLI,
        lambda t: t.fasting(),
    ),
    Target(
        "S9", "sleep from 9 to 17 after a night at work, against a night", "h", -3.0, -4.0, -2.0, "published", False,
        _AKERSTEDT, lambda t: t.shorter_by_day(), _NOISE,
    ),
    *(_light(clock) for clock in CLOCKS),
)  # fmt: skip
