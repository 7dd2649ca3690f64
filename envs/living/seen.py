"""What is seen of an ordinary life: columns of `View.activity`, in physical units."""

COLUMNS = (
    "moment", "day", "hour", "work_today", "work_tomorrow", "heavy_today", "heavy_tomorrow", "usual_bed_h",
    "usual_rise_h", "to_bed_min", "in_bed", "slept_h", "slept_week_h", "usual_sleep_h", "watch_bed_h", "watch_rise_h",
    "sleepiness", "planned", "to_start_min", "planned_min", "planned_reserve", "reserve", "active", "since_end_min",
    "last_work", "week_min", "asked_share", "steps_hour", "lux_hour", "carbs_30min_g", "ate_g", "asked_min", "shift_h",
    "short_min", "short_sleep_h",
)  # fmt: skip
(
    MOMENT, DAY, HOUR, WORK_TODAY, WORK_TOMORROW, HEAVY_TODAY, HEAVY_TOMORROW, USUAL_BED_H, USUAL_RISE_H, TO_BED_MIN,
    IN_BED, SLEPT_H, SLEPT_WEEK_H, USUAL_SLEEP_H, WATCH_BED_H, WATCH_RISE_H, SLEEPINESS, PLANNED, TO_START_MIN,
    PLANNED_MIN, PLANNED_RESERVE, RESERVE, ACTIVE, SINCE_END_MIN, LAST_WORK, WEEK_MIN, ASKED_SHARE, STEPS_HOUR,
    LUX_HOUR, CARBS_30MIN_G, ATE_G, ASKED_MIN, SHIFT_H, SHORT_MIN, SHORT_SLEEP_H,
) = range(len(COLUMNS))  # fmt: skip
"""moment: of `envs.living.advice.Moment`. work_*, heavy_*: of the calendar. usual_*: bedtime of the coming night and
rising after it, by habit; to_bed_min: to the bedtime that is meant, negative in bed. slept_h, watch_*: the last night
by the watch (hours of the clock, bed after 24 where it was after midnight); slept_week_h: mean of seven nights, by the
watch; usual_sleep_h: what the habit's hours in bed give. sleepiness: said on waking. planned: advised for today and not
over, what is told of it follows; to_start_min: negative after it. reserve: share of the heart rate's reserve by the
watch. active: exercise that was advised goes on. since_end_min: of the last exercise that the watch saw, 0 before;
last_work: its intensity-minutes. week_min: of exercise in the last seven days. asked_share: share of advised sessions
that were begun. steps_hour, lux_hour: of the last hour, by the watch. carbs_30min_g: fast carbohydrate eaten on advice.
Since the last decision: ate_g; asked_min: of exercise advised; shift_h: of bedtime and rising advised; on waking,
short_min: of exercise in the last seven days less than 150, short_sleep_h: a night of these less slept than usual."""
