"""What an agent may know: the past of sensor, pump and announcements, in physical units.

One row per lane. Scalars that are kept up to date stand in `View.now`, histories in two buffers that
are written twice, half a length apart, so that the latest window is always one contiguous slice.
"""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twins.cohort import ADULT, AGE_GROUP, BASAL_U_PER_H
from twins.kernels import kernel
from twins.units import MINUTES_PER_DAY

(
    CGM_MG_DL,
    CGM_AGE_MIN,
    SLOPE_MG_DL_PER_MIN,
    IOB_U,
    IOB_NET_U,
    ACTIVITY_U_PER_H,
    COB_FAST_G,
    COB_SLOW_G,
    ANNOUNCED_G,
    UNCOVERED_G,
    SINCE_ANNOUNCED_MIN,
    MINUTE_OF_DAY,
    INSULIN_30MIN_U,
    INSULIN_2H_U,
    LAST_VALID_MG_DL,
    RUNNING_MIN,
    INSULIN_6H_U,
    COUNTED_1H_U,
    COUNTED_24H_U,
    SINCE_BOLUS_MIN,
) = range(20)
NOW_COLUMNS = 20
"""`COUNTED_1H_U` and `COUNTED_24H_U`: insulin of the last hour, and of the last 24 to 25 hours, with each interval
counted as at least scheduled basal (why: see `envs.shield.rule`)."""

CGM_SUM_MG_DL, READINGS, READINGS_LOW, HOUR_INSULIN_U, HOUR_ANNOUNCED_G = range(5)
HOUR_COUNTED_U, HOUR_BEFORE_U = 5, 6
HOURLY_COLUMNS = 7
"""`HOUR_BEFORE_U`: `HOUR_COUNTED_U` of the hour that a slot held the day before."""
PAST_HOURS = 24
NEAR_LOW_MG_DL = 80.0
"""`READINGS_LOW` counts the readings below this."""

CGM_HISTORY_MIN = 240
INSULIN_HISTORY_MIN = 360
"""Duration of insulin action, as LoopKit's and oref0's curves of rapid-acting insulin (6 h)."""
PEAK_MIN = {"adult": 75.0, "young": 65.0}
"""Time of peak activity: rapid-acting adult and child presets of LoopKit."""
COB_FAST_MIN, COB_SLOW_MIN = 40.0, 120.0
SLOPE_SPAN_MIN = 15
COVER_WITHIN_MIN, COVER_SLOWLY_MIN = 60.0, 120.0
"""Carbs whose bolus the shield held back may be covered this long after their announcement; longer where the shield
waits for the meal to show in the readings before it trusts it."""

LOWEST_READING, HIGHEST_READING = 30.0, 1000.0
"""Outside these a reading is impossible and not used as the last valid one, mg/dL. No sensor that is modelled reports
less than 32, so that what reads lower is an error code or a number in mmol/L."""


def insulin_on_board(
    minute: ArrayLike, peak_min: float = 75.0, duration_min: float = 360.0
) -> NDArray[np.float64]:
    """Share of a dose still on board after `minute` minutes: the exponential curve of LoopKit and oref0.

    Raises ValueError unless duration > 2 peak (the formula has no meaning otherwise).
    """
    if not duration_min > 2 * peak_min > 0:
        raise ValueError(
            f"duration {duration_min} min, peak {peak_min} min; the duration must exceed twice the peak"
        )
    tau = peak_min * (1 - peak_min / duration_min) / (1 - 2 * peak_min / duration_min)
    a = 2 * tau / duration_min
    scale = 1 / (1 - a + (1 + a) * np.exp(-duration_min / tau))
    t = np.clip(np.asarray(minute, np.float64), 0.0, duration_min)
    left = 1 - scale * (1 - a) * (
        (t**2 / (tau * duration_min * (1 - a)) - t / tau - 1) * np.exp(-t / tau) + 1
    )
    share: NDArray[np.float64] = np.where(t >= duration_min, 0.0, left)
    return share


@dataclass
class Visible:
    """What a core keeps for others to see, as arrays."""

    ids: tuple[str, ...]

    def shown(self) -> Self:
        """A copy for an agent, read-only: whatever it writes reaches neither shield nor body."""
        arrays = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, np.ndarray):
                value = value.copy()
                value.setflags(write=False)
            arrays[one.name] = value
        return replace(self, **arrays)


@dataclass
class View(Visible):
    """The visible past of n lanes. Arrays are the core's own: read them, do not write.

    ids: who sits in each lane. now: (n, 20), columns `CGM_MG_DL` ... `SINCE_BOLUS_MIN`. therapy: (n, 7), columns
    of `twins.cohort`. weight_kg: (n,). interval_min: minutes between readings. hourly: (n, 24, 7), columns
    `CGM_SUM_MG_DL` ... `HOUR_BEFORE_U`, the last 24 hours since the start in a ring: slot h holds the hours
    h, h + 24 ... (`past_hour` finds one). Only under `oracle=True`, else None: oracle_state (n, S) and
    oracle_glucose_mg_dl (n,), what the twin knows, and oracle_meals (2, n, K), minute and grams of every meal of the
    episode, those to come included. cover_min: how long carbs whose bolus was held back may be covered. activity:
    (n, C), columns of `envs.bouts.seen` around a session, of `envs.living.seen` of whole persons, else None.
    """

    ids: tuple[str, ...]
    now: NDArray[np.float64]
    therapy: NDArray[np.float64]
    weight_kg: NDArray[np.float64]
    interval_min: int
    cgm_buffer: NDArray[np.float64]
    insulin_buffer: NDArray[np.float64]
    position: NDArray[np.int64]
    curves: NDArray[np.float64]
    hourly: NDArray[np.float64]
    oracle_state: NDArray[np.float64] | None = None
    oracle_glucose_mg_dl: NDArray[np.float64] | None = None
    oracle_meals: NDArray[np.float64] | None = None
    cover_min: float = COVER_WITHIN_MIN
    activity: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        self._all = np.arange(len(self.now))

    @classmethod
    def empty(
        cls,
        ids: tuple[str, ...],
        therapy: NDArray[np.float64],
        weight_kg: NDArray[np.float64],
        interval_min: int,
    ) -> "View":
        """A view for lanes with these persons and their therapy, before any reading."""
        n = len(therapy)
        taps = INSULIN_HISTORY_MIN // interval_min
        # Newest dose last; a dose given over an interval is on average half an interval old at its end.
        age = interval_min * (np.arange(taps)[::-1] + 0.5)
        curves = np.empty((n, 2, taps))
        for lane, group in enumerate(therapy[:, AGE_GROUP]):
            peak = PEAK_MIN["adult" if group == ADULT else "young"]
            curves[lane, 0] = insulin_on_board(age, peak, INSULIN_HISTORY_MIN)
            step = 0.5
            curves[lane, 1] = (
                (insulin_on_board(age - step, peak) - insulin_on_board(age + step, peak)) / (2 * step) * 60
            )  # share of the dose acting per hour
        return cls(
            ids=ids,
            now=np.zeros((n, NOW_COLUMNS)),
            therapy=therapy,
            weight_kg=weight_kg,
            interval_min=interval_min,
            cgm_buffer=np.zeros((n, 2 * (CGM_HISTORY_MIN // interval_min + 1))),
            insulin_buffer=np.zeros((n, 2 * taps)),
            position=np.zeros(2, np.int64),
            curves=curves,
            hourly=np.zeros((n, PAST_HOURS, HOURLY_COLUMNS)),
        )

    def __len__(self) -> int:
        return len(self.now)

    @property
    def cgm_history_mg_dl(self) -> NDArray[np.float64]:
        """Readings of the last 4 h, oldest first, newest last; NaN where there was none: (n, 49 at 5 min)."""
        length = self.cgm_buffer.shape[1] // 2
        return self.cgm_buffer[:, self.position[0] : self.position[0] + length]

    @property
    def insulin_history_u(self) -> NDArray[np.float64]:
        """Insulin delivered in each interval of the last 6 h, oldest first: (n, 72 at 5 min)."""
        length = self.insulin_buffer.shape[1] // 2
        return self.insulin_buffer[:, self.position[1] : self.position[1] + length]

    def begin(
        self, lanes: NDArray[np.int64], cgm: NDArray[np.float64], minute: NDArray[np.int64] | int = 0
    ) -> None:
        """Forget the past of these lanes (scheduled basal for the last 6 h) and enter a first reading, cgm (m,).

        minute (m,): since 00:00 of some day.
        """
        self.now[lanes] = 0.0
        self.now[lanes, MINUTE_OF_DAY] = np.asarray(minute) % MINUTES_PER_DAY
        self.now[lanes, CGM_AGE_MIN] = np.inf
        self.now[lanes, LAST_VALID_MG_DL] = np.nan
        self.now[lanes, SINCE_ANNOUNCED_MIN] = np.inf
        self.now[lanes, SINCE_BOLUS_MIN] = np.inf
        self.cgm_buffer[lanes] = np.nan
        self.hourly[lanes] = 0.0
        for column in (HOUR_INSULIN_U, HOUR_COUNTED_U, HOUR_BEFORE_U):
            self.hourly[lanes, :, column] = self.therapy[lanes, BASAL_U_PER_H][:, None]
        self.now[lanes, COUNTED_24H_U] = (PAST_HOURS + 1) * self.therapy[lanes, BASAL_U_PER_H]
        per_interval = self.therapy[lanes, BASAL_U_PER_H] * self.interval_min / 60
        self.insulin_buffer[lanes] = per_interval[:, None]
        _sum_insulin(
            self.now,
            lanes,
            self.insulin_buffer,
            self.position[1],
            self.curves,
            self.therapy,
            self.interval_min,
        )
        _enter_reading(self.now, lanes, self.cgm_buffer, self.position[0], cgm, self.interval_min)

    def take(self, lanes: NDArray[np.int64], other: "View") -> None:
        """The past of another view's lanes (m,), the same persons at the same readings, becomes that of these."""
        self.now[lanes], self.hourly[lanes] = other.now, other.hourly
        for buffer, window, first in (
            (self.cgm_buffer, other.cgm_history_mg_dl, self.position[0]),
            (self.insulin_buffer, other.insulin_history_u, self.position[1]),
        ):
            length = window.shape[1]
            slots = (first + np.arange(length)) % length
            for half in (0, length):
                buffer[np.ix_(lanes, slots + half)] = window

    def see(
        self,
        cgm: NDArray[np.float64],
        basal_u_per_h: NDArray[np.float64],
        bolus_u: NDArray[np.float64],
        requested_bolus_u: NDArray[np.float64],
        allowed_bolus_u: NDArray[np.float64],
    ) -> None:
        """Enter a control interval of all lanes: insulin delivered and the reading at its end (NaN: none).

        Where the shield allowed only a part of a requested bolus, the rest of the announced carbs stays
        uncovered; so do all where requested_bolus_u is no valid request (NaN: the agent was not asked).
        """
        _see(
            self.now, self.cgm_buffer, self.insulin_buffer, self.hourly, self.position, self.curves, self.therapy, cgm,
            basal_u_per_h, bolus_u, requested_bolus_u, allowed_bolus_u, self.interval_min, self.cover_min,
            self._all,
        )  # fmt: skip


@kernel
def _see(  # type: ignore[no-untyped-def]
    now,
    cgm_buffer,
    insulin_buffer,
    hourly,
    position,
    curves,
    therapy,
    cgm,
    basal,
    bolus,
    requested_bolus,
    allowed_bolus,
    dt,
    cover_min,
    lanes,
):
    length = cgm_buffer.shape[1] // 2
    taps = insulin_buffer.shape[1] // 2
    position[0] = (position[0] + 1) % length
    position[1] = (position[1] + 1) % taps
    newest = (position[1] + taps - 1) % taps
    fast, slow = np.exp(-dt / COB_FAST_MIN), np.exp(-dt / COB_SLOW_MIN)
    for lane in lanes:
        row = now[lane]
        dose = basal[lane] * dt / 60.0 + bolus[lane]
        counted = max(dose, therapy[lane, BASAL_U_PER_H] * dt / 60.0)
        insulin_buffer[lane, newest] = dose
        insulin_buffer[lane, newest + taps] = dose
        hour = hourly[lane, int(row[RUNNING_MIN] // 60) % PAST_HOURS]
        if row[RUNNING_MIN] % 60 < dt:  # the slot's hour of yesterday is over
            before = hour[HOUR_COUNTED_U]
            hour[:] = 0.0
            hour[HOUR_BEFORE_U] = before
        hour[HOUR_INSULIN_U] += dose
        hour[HOUR_COUNTED_U] += counted
        total = hour[HOUR_BEFORE_U]  # of which a part is still within the last 24 h
        for k in range(PAST_HOURS):
            total += hourly[lane, k, HOUR_COUNTED_U]
        row[COUNTED_24H_U] = total
        row[SINCE_BOLUS_MIN] = dt if bolus[lane] > 0.0 else row[SINCE_BOLUS_MIN] + dt
        hour[HOUR_ANNOUNCED_G] += row[ANNOUNCED_G]
        if not np.isnan(cgm[lane]):
            hour[CGM_SUM_MG_DL] += cgm[lane]
            hour[READINGS] += 1.0
            hour[READINGS_LOW] += 1.0 if cgm[lane] < NEAR_LOW_MG_DL else 0.0
        row[RUNNING_MIN] += dt
        row[MINUTE_OF_DAY] = (row[MINUTE_OF_DAY] + dt) % 1440
        row[SINCE_ANNOUNCED_MIN] += dt
        row[COB_FAST_G] *= fast
        row[COB_SLOW_G] *= slow
        if requested_bolus[lane] > 0.0:
            row[UNCOVERED_G] *= max(1.0 - allowed_bolus[lane] / requested_bolus[lane], 0.0)
        elif requested_bolus[lane] == 0.0:
            row[UNCOVERED_G] = 0.0  # the agent chose not to cover it
        if row[SINCE_ANNOUNCED_MIN] >= cover_min:
            row[UNCOVERED_G] = 0.0
    _sum_insulin(now, lanes, insulin_buffer, position[1], curves, therapy, dt)
    _enter_reading(now, lanes, cgm_buffer, position[0], cgm, dt)


@kernel
def _sum_insulin(now, lanes, insulin_buffer, q, curves, therapy, dt):  # type: ignore[no-untyped-def]
    """Insulin on board, its activity and recent doses, from the window that begins at slot q."""
    taps = insulin_buffer.shape[1] // 2
    recent_30, recent_120 = max(30 // dt, 1), max(120 // dt, 1)
    last_hour = (60 + dt - 1) // dt
    for lane in lanes:
        row = now[lane]
        scheduled = therapy[lane, BASAL_U_PER_H] * dt / 60.0
        on_board = net = activity = 0.0
        for k in range(taps):
            dose = insulin_buffer[lane, q + k]
            on_board += curves[lane, 0, k] * dose
            net += curves[lane, 0, k] * (dose - scheduled)
            activity += curves[lane, 1, k] * dose
        row[IOB_U], row[IOB_NET_U], row[ACTIVITY_U_PER_H] = on_board, net, activity
        total = 0.0
        for k in range(recent_30):
            total += insulin_buffer[lane, q + taps - 1 - k]
        row[INSULIN_30MIN_U] = total
        for k in range(recent_30, recent_120):
            total += insulin_buffer[lane, q + taps - 1 - k]
        row[INSULIN_2H_U] = total
        for k in range(recent_120, taps):
            total += insulin_buffer[lane, q + taps - 1 - k]
        row[INSULIN_6H_U] = total
        total = 0.0
        for k in range(last_hour):
            total += max(insulin_buffer[lane, q + taps - 1 - k], scheduled)
        row[COUNTED_1H_U] = total


@kernel
def _enter_reading(now, lanes, cgm_buffer, p, cgm, dt):  # type: ignore[no-untyped-def]
    """The reading cgm[i] of lanes[i] becomes the newest of the window that begins at slot p."""
    length = cgm_buffer.shape[1] // 2
    newest = (p + length - 1) % length
    span = max(SLOPE_SPAN_MIN // dt, 1)
    for i in range(len(lanes)):
        lane, value = lanes[i], cgm[i]
        row = now[lane]
        cgm_buffer[lane, newest] = value
        cgm_buffer[lane, newest + length] = value
        if np.isnan(value):
            row[CGM_AGE_MIN] += dt
            continue
        row[CGM_MG_DL] = value
        row[CGM_AGE_MIN] = 0.0
        if LOWEST_READING < value < HIGHEST_READING:
            row[LAST_VALID_MG_DL] = value
        row[SLOPE_MG_DL_PER_MIN] = _slope(cgm_buffer[lane, p : p + length], span, dt)


@kernel
def _slope(window, span, dt):  # type: ignore[no-untyped-def]
    """Least-squares slope of the possible readings of the last `span` intervals, mg/dL/min; 0 with fewer than two."""
    n = s_t = s_g = s_tt = s_tg = 0.0
    for k in range(span + 1):
        value = window[len(window) - 1 - k]
        if LOWEST_READING < value < HIGHEST_READING:
            t = -float(k * dt)
            n += 1.0
            s_t += t
            s_g += value
            s_tt += t * t
            s_tg += t * value
    spread = n * s_tt - s_t * s_t
    return (n * s_tg - s_t * s_g) / spread if n >= 2.0 else 0.0


@kernel
def hear(now, lanes, told):  # type: ignore[no-untyped-def]
    """Enter the carbs announced at the beginning of an interval, told[i] grams for lanes[i]."""
    for i in range(len(lanes)):
        row = now[lanes[i]]
        grams = told[i]
        row[ANNOUNCED_G] = grams
        if grams > 0.0:
            row[COB_FAST_G] += grams
            row[COB_SLOW_G] += grams
            row[UNCOVERED_G] += grams
            row[SINCE_ANNOUNCED_MIN] = 0.0
