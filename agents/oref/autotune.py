"""autotune: basal rates, correction factor and carb ratio moved a fifth of the way that each day of a diary asks for.

None goes further than autosens's bounds from the settings that the person's pump has.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from agents.oref.autosens import middle
from agents.oref.rounding import rounded
from agents.oref.situation import Preferences
from agents.oref.sorting import FEW, Day, Meal, Settings, Sorted, Told, sort

SHARE = 0.2
"""Of what a day asks for is taken."""
LEAST, MOST = Preferences.autosens_min, Preferences.autosens_max
"""Bounds of autosens: of basal rates and of sensitivity, relative to the pump's settings."""
RATIO_G_PER_U = (3.0, 150.0)
HOURS_BEFORE = (-3, -2, -1)
"""Basal insulin acts in the three hours after it."""


def autotune(days: Iterable[Day], pump: Settings) -> Settings:
    """The settings after these days in their order, beginning with the pump's."""
    tuned = pump
    for day in days:
        tuned = tune(sort(day, tuned), tuned, pump)
    return tuned


def tune(found: Sorted, tuned: Settings, pump: Settings) -> Settings:
    """The settings `tuned` moved by what a sorted day says of them, within the bounds around `pump`."""
    return Settings(
        _basal(found.basal, tuned, pump),
        _sensitivity(found.sensitivity, tuned.isf_mg_dl_per_u, pump.isf_mg_dl_per_u),
        _ratio(found.meals, tuned, pump.carb_ratio_g_per_u),
    )


def _basal(told: list[Told], tuned: Settings, pump: Settings) -> NDArray[np.float64]:
    """Each hour's deviations ask for more or less in the three hours before it."""
    old = np.array([rounded(rate, 3) for rate in tuned.basal_u_per_h])
    new = old.copy()
    for hour in range(24):
        off = rounded(sum(one.deviation for one in told if one.hour == hour), 3)
        needed = rounded(SHARE * off / tuned.isf_mg_dl_per_u, 2)
        before = [(hour + offset) % 24 for offset in HOURS_BEFORE]
        factor = 1 + needed / float(new[before].sum())
        for one in before:
            if needed > 0:
                new[one] = rounded(new[one] + needed / 3, 3)
            elif needed < 0:
                new[one] = rounded(new[one] * factor, 3)
    schedule = np.array([rounded(rate, 3) for rate in pump.basal_u_per_h])
    new = np.array([rounded(rate, 3) for rate in np.clip(new, LEAST * schedule, MOST * schedule)])
    return _untold(old, new)


def _untold(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hours that nothing was said of lean a tenth to the last and to the next that something was said of."""
    last = 0
    for hour in range(24):
        if old[hour] != new[hour]:
            last = hour
            continue
        after = next((one for one in range(hour, 24) if old[one] != new[one]), 23)
        new[hour] = rounded(0.8 * old[hour] + 0.1 * new[last] + 0.1 * new[after], 3)
    return new


def _ratio(meals: list[Meal], tuned: Settings, pump: float) -> float:
    """Carbs of all meals over the insulin that would have brought each back to where it began."""
    carbs = insulin = 0.0
    for meal in meals:
        of_meal = meal.from_iob_u + meal.insulin_u + (meal.to_mg_dl - meal.from_mg_dl) / tuned.isf_mg_dl_per_u
        if of_meal > 0:
            carbs, insulin = carbs + meal.carbs_g, insulin + of_meal
    old = tuned.carb_ratio_g_per_u
    if carbs == 0:
        return old
    low, high = max(pump * LEAST, RATIO_G_PER_U[0]), min(pump * MOST, RATIO_G_PER_U[1])
    wanted = min(max(rounded(carbs / rounded(insulin, 3), 3), low), high)
    return float(rounded(min(max((1 - SHARE) * old + SHARE * wanted, low), high), 3))


def _sensitivity(told: list[Told], old: float, pump: float) -> float:
    """The factor under which half of the readings would have fallen less, half more.

    Where insulin does nothing a reading asks for infinitely much; where half of them do, nothing is changed.
    """
    changes = [one.deviation / one.bgi if one.bgi else np.inf * (one.deviation or 1.0) for one in told]
    wanted = old
    if len(told) >= FEW:
        wanted = rounded(old * rounded(middle(np.sort(1 + np.array(changes))), 3), 3)
    if not np.isfinite(wanted):
        wanted = old
    low, high = pump / MOST, pump / LEAST
    wanted = min(max(old if wanted < 0 else wanted, low), high)
    return float(rounded(min(max((1 - SHARE) * old + SHARE * wanted, low), high), 3))
