"""What is seen of a bout: columns of `View.activity`, in physical units."""

COLUMNS = (
    "moment", "planned", "to_start_min", "planned_intensity", "planned_min", "planned_kind", "reserve", "active",
    "done_share", "since_end_min", "to_bedtime_min", "basal_factor", "bolus_factor", "bedtime_factor",
    "bedtime_left_min", "carbs_30min_g", "ate_g", "refused", "ended",
    "missed",
)  # fmt: skip
(
    MOMENT, PLANNED, TO_START_MIN, PLANNED_INTENSITY, PLANNED_MIN, PLANNED_KIND, RESERVE, ACTIVE, DONE_SHARE,
    SINCE_END_MIN, TO_BEDTIME_MIN, BASAL_FACTOR, BOLUS_FACTOR, BEDTIME_FACTOR, BEDTIME_LEFT_MIN, CARBS_30MIN_G, ATE_G,
    REFUSED, ENDED, MISSED,
) = range(len(COLUMNS))  # fmt: skip
"""moment: of `envs.bouts.advice.Moment`. planned: 1 while a session is planned, or goes on. to_start_min: to the
planned start, negative after it. planned_*: of the plan; of the session itself once it goes on; 0 without. reserve:
share of the heart-rate reserve in use, as a watch shows it. active: 1 while it goes on. done_share: of its
intensity-minutes. since_end_min: 0 before. *_factor: in force; bedtime_left_min: of the night's rate. carbs_30min_g:
fast carbohydrate eaten on advice within half an hour. refused: 1 while a bound holds the start back. ate_g, ended:
since the last decision, eaten on advice, and whether it was over, done or not. missed: 1 when it took place and less
than `WHOLE` of its intensity-minutes were done."""
WHOLE = 0.90
