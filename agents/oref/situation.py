"""What oref0 decides from and what it answers, as records: one row a person.

Names are those of this project; each comment says what oref0 calls it where that differs.
"""

from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

TICK_MIN = 5
TICKS = 48
"""Forecasts look 4 h ahead, in steps of 5 min."""

Records = np.recarray
"""A numpy.recarray of one of the types below, shape (n,)."""


def _record(*names: str) -> np.dtype[np.void]:
    return np.dtype([(name, np.float64) for name in names])


SITUATION = _record(
    "glucose_mg_dl", "delta", "short_delta", "long_delta",  # mg/dL per 5 min: now, last 15 min, 20 to 40 min ago
    "age_min", "noise",  # of the reading; 0 clean ... 3 too noisy
    "temp_u_per_h", "temp_left_min",  # temporary basal rate that runs; left 0: none
    "iob_u", "activity_u_per_min", "since_bolus_min",  # net of scheduled basal
    "carbs_g", "cob_g", "since_carbs_min",  # of the last 6 h; still to be absorbed (mealCOB)
    "slope_from_max", "slope_from_min",  # of the deviations of the last 45 min, mg/dL per 5 min and 5 min
    "autosens",  # ratio; NaN: none known
)  # fmt: skip
PROFILE = _record(
    "basal_u_per_h", "max_daily_basal_u_per_h", "max_basal_u_per_h", "max_iob_u",
    "isf_mg_dl_per_u", "carb_ratio_g_per_u",
    "low_target_mg_dl", "high_target_mg_dl",  # min_bg, max_bg
    "temp_target",  # 1: the targets are temporary ones
)  # fmt: skip
ANSWER = _record(
    "rate_u_per_h", "duration_min",  # temporary basal rate to set; NaN: leave what runs
    "microbolus_u",  # NaN: none
    "eventual_mg_dl", "required_u",  # eventualBG, insulinReq
    "carbs_required_g",  # NaN: none
    "lowest_mg_dl", "guard_mg_dl",  # minPredBG, minGuardBG
    "reason",  # a `Why`
)  # fmt: skip


@dataclass(frozen=True)
class Preferences:
    """What everybody shares, with oref0's defaults. Shares and factors without unit; times in min."""

    max_daily_safety_multiplier: float = 3.0
    current_basal_safety_multiplier: float = 4.0
    autosens_max: float = 1.2
    autosens_min: float = 0.7
    sensitivity_raises_target: bool = True
    resistance_lowers_target: bool = False
    exercise_mode: bool = False
    low_temptarget_lowers_sensitivity: bool = False
    half_basal_exercise_target: float = 160.0
    noisy_target_multiplier: float = 1.3
    remaining_carbs_cap_g: float = 90.0
    remaining_carbs_fraction: float = 1.0
    min_carb_impact: float = 8.0
    max_cob_g: float = 120.0
    carbs_req_threshold_g: float = 1.0
    unannounced_meals: bool = True
    smb_always: bool = False
    smb_with_cob: bool = False
    smb_after_carbs: bool = False
    smb_with_temptarget: bool = False
    smb_high_bg: bool = False
    smb_high_bg_mg_dl: float = 110.0
    smb_with_high_temptarget: bool = False
    max_smb_basal_min: float = 30.0
    max_uam_smb_basal_min: float = 30.0
    smb_interval_min: float = 3.0
    bolus_increment_u: float = 0.1
    max_delta_share: float = 0.2

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not (isinstance(value, int | float) and np.isfinite(value) and value >= 0):
                raise ValueError(f"oref0 preference {one.name} is {value!r}; give a number of at least 0")
        if not self.autosens_min <= 1 <= self.autosens_max or self.autosens_min == 0:
            raise ValueError(
                f"autosens from {self.autosens_min:g} to {self.autosens_max:g}; the range must hold 1 and begin above 0"
            )

    def record(self) -> np.record:
        """The same as a record of floats, for the compiled functions."""
        held = asdict(self)
        table = np.zeros(1, _record(*held)).view(np.recarray)
        for name, value in held.items():
            table[name] = float(value)
        one: np.record = table[0]
        return one


def empty(kind: np.dtype[np.void], n: int) -> Records:
    """n records of a kind, all NaN."""
    table: NDArray[np.void] = np.empty(n, kind)
    for name in kind.names or ():
        table[name] = np.nan
    return table.view(np.recarray)
