"""The last 24 hours, hour by hour: what a policy can learn of a person from the person's own past.

Four numbers an hour: mean reading, share of readings below 80 mg/dL, insulin delivered and carbs announced,
the last two relative to the person's need. The hour in progress comes first. Hours before the episode count as
140 mg/dL at scheduled basal; an hour without a reading takes the mean of the hour after it.
"""

from envs import view as v
from twins.cohort import CARB_RATIO_G_PER_U, DAILY_INSULIN_U
from twins.kernels import kernel

QUANTITIES = ("glucose", "low", "insulin", "carbs")
NAMES = tuple(f"past_{quantity}_{hour}h" for quantity in QUANTITIES for hour in range(v.PAST_HOURS))


@kernel
def observe_past(now, hourly, therapy, out):  # type: ignore[no-untyped-def]
    """Fill out (n, 96), the columns of `NAMES`."""
    hours = v.PAST_HOURS
    for lane in range(len(now)):
        daily, ratio = therapy[lane, DAILY_INSULIN_U], therapy[lane, CARB_RATIO_G_PER_U]
        # An hour in progress begins with its first interval: at a full hour the one before still counts.
        newest = int(max(now[lane, v.RUNNING_MIN] - 1.0, 0.0) // 60)
        glucose = 0.0
        for k in range(hours):
            hour = hourly[lane, (newest - k) % hours]
            readings = hour[v.READINGS]
            if readings > 0.0:
                glucose = (hour[v.CGM_SUM_MG_DL] / readings - 140.0) / 100.0
            out[lane, k] = glucose if newest - k >= 0 else 0.0
            out[lane, hours + k] = hour[v.READINGS_LOW] / max(readings, 1.0)
            out[lane, 2 * hours + k] = hour[v.HOUR_INSULIN_U] / (daily / 12.0)
            out[lane, 3 * hours + k] = hour[v.HOUR_ANNOUNCED_G] / (0.2 * daily * ratio)
