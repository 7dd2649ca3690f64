"""How much carbohydrate a day of meals holds that covers a need of energy, after Harris and Benedict (1918)."""

import numpy as np
from numpy.typing import NDArray

_CHILDREN = (
    (25.6, 28.6, 32.0, 35.6, 39.9),
    (7, 8, 9, 10, 11, 12),
    (121.9, 128.0, 133.3, 138.4, 143.5, 149.1),
)
_ADOLESCENTS = (
    (50.8, 56.0, 60.8, 64.4, 66.9, 68.9, 70.3),
    (13, 14, 15, 16, 17, 18, 19, 20),
    (156.2, 163.8, 170.1, 173.4, 175.2, 175.7, 176.5, 177.0),
)
_ADULTS = ((), (45,), (177.0,))
"""Upper bounds of weight [kg], and age [years] and height [cm] of who weighs so much, as MLD3/RL4BG has them."""
SEDENTARY, CARBS_SHARE, KCAL_PER_G = 1.2, 0.45, 4.0


def carbs_for_energy_g(weight_kg: NDArray[np.float64], age_group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Carbohydrate [g] of a day that covers the need of energy of these people (n,).

    weight_kg (n,); age_group (n,): numbers of `twins.cohort.GROUPS`.
    """
    total = np.empty(len(weight_kg))
    for group, (bounds, ages, heights) in enumerate((_CHILDREN, _ADOLESCENTS, _ADULTS)):
        mine = age_group == group
        row = np.searchsorted(np.array(bounds), weight_kg[mine])
        age, height_cm = np.array(ages)[row], np.array(heights)[row]
        basal_kcal = 66.5 + 13.75 * weight_kg[mine] + 5.003 * height_cm - 6.755 * age
        total[mine] = SEDENTARY * basal_kcal * CARBS_SHARE / KCAL_PER_G
    return total
