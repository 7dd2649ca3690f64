"""Temporary basal rates: within the pump's safe limits, and not set anew while one much like it runs."""

from agents.oref.rounding import pump_rate, rounded
from twins.kernels import kernel

TOLERANCE = 0.2
"""A running rate within this share of the wanted one is left alone."""


@kernel
def set_rate(rate, minutes, now, profile, preferences, answer):  # type: ignore[no-untyped-def]
    """Ask for a temporary rate within the safe limits, unless one much like it runs long enough."""
    rate = pump_rate(min(max(rate, 0.0), safe_rate(profile, preferences)))
    runs = now.temp_left_min > minutes - 10 and now.temp_left_min <= 120 and minutes > 0
    alike = now.temp_u_per_h * (1 - TOLERANCE) <= rate <= now.temp_u_per_h * (1 + TOLERANCE)
    if not (runs and alike):
        answer.rate_u_per_h, answer.duration_min = rate, minutes


@kernel
def safe_rate(profile, preferences):  # type: ignore[no-untyped-def]
    return min(
        profile.max_basal_u_per_h,
        preferences.max_daily_safety_multiplier * profile.max_daily_basal_u_per_h,
        preferences.current_basal_safety_multiplier * profile.basal_u_per_h,
    )


@kernel
def set_neutral(basal, now, profile, preferences, answer):  # type: ignore[no-untyped-def]
    """The basal rate as a temporary one, unless it runs so already."""
    if not (now.temp_left_min > 15 and pump_rate(basal) == pump_rate(now.temp_u_per_h)):
        set_rate(basal, 30.0, now, profile, preferences, answer)


@kernel
def zero_minutes(units, basal_u_per_h, most):  # type: ignore[no-untyped-def]
    """Minutes of a zero rate, in halves of an hour, that take so many units off; at most `most`."""
    return min(most, max(0.0, rounded(rounded(60 * units / basal_u_per_h) / 30) * 30))
