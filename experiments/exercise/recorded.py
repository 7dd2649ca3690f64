"""Real bouts of real people: does the twin foresee glucose better when it is told how hard they worked?

A causal twin is fitted to a person's first days: without exercise, with what exercise does by the medians of the
trials, and with the share of that which fits those days best (none of it is allowed, too). All forecast from the begin
of each bout of the days after, told food and planned insulin. The effort that they are told lies in the future:
this asks whether the twin's physiology holds, not whether a bout can be foreseen. Effort is the watch's estimate in
quarters of an hour; the heart rate of these files stands at wrong times (`twins.world.formats.t1d_uom_watch`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.statistics import SEED
from twins.bodies import exercise
from twins.bodies.model import LIVER_OUTPUT, NEUTRAL_DRIVE, SENSITIVITY_PERIPHERAL, UPTAKE
from twins.inference.identify import errors, fit, for_causes
from twins.inference.record import Record, record
from twins.world import readers
from twins.world.diary import STEP_MIN, STEPS_PER_DAY, Diary, DiaryError, onto
from twins.world.formats import t1d_uom_habits
from twins.world.formats.t1d_uom_habits import Activity

FIT_DAYS, LAST_DAY = 10, 38
HORIZONS_MIN = (30, 60, 120)
HARD, LONG_MIN, APART_MIN = 0.25, 15, 60
"""A bout: this share of the reserve or more for so long; the next one begins so long after at the earliest."""
HIGHEST_MET = 10.0
"""What adults of forty years reach, women and men (Kaminsky et al., Mayo Clin Proc 90 (2015) 1515: 8.6 and 10.9)."""
MOST_AT_REST_MET = 2.0
LEAST_BOUTS = 8
DRAWS = 2000
SHARES = (0.0, 0.25, 0.5, 1.0)
TWINS = ("without", "as trials", "own share")


@dataclass(frozen=True)
class Person:
    """A person's bouts. change: of glucose (bouts, horizons) [mg/dL]; errors: of each of `TWINS` alike; share: of the
    trials' effect that fits the first days best."""

    who: str
    change: NDArray[np.float64]
    errors: dict[str, NDArray[np.float64]]
    share: float


def reserve_in_use(active: Activity, diary: Diary) -> NDArray[np.float64]:
    """Share of the reserve in use (n,) on the steps of a diary, 0 where the watch was off.

    Shares of the heart rate's reserve are about those of oxygen's (Swain & Leutholtz, Med Sci Sports Exerc 29 (1997)
    410), of which metabolic equivalents are a measure.
    """
    met = np.nan_to_num(
        onto(active.met.reshape(-1), active.start, len(diary.glucose_mg_dl), diary.start), nan=1.0
    )
    return np.clip((met - 1.0) / (HIGHEST_MET - 1.0), 0.0, 1.0)


def driven(held: Record, reserve: NDArray[np.float64], share: float = 1.0) -> Record:
    """The record with a share of what exercise does to an ordinary person at each step."""
    p = exercise.draw(np.zeros(1, np.uint32), np.ones(1), spread=0.0)
    minutes = np.repeat(reserve, STEP_MIN)[None]
    drive = np.empty((1, minutes.shape[1], len(NEUTRAL_DRIVE)))
    given = np.tile(np.array(NEUTRAL_DRIVE), (1, minutes.shape[1], 1))
    exercise.work(np.zeros((1, len(exercise.STATES))), p, minutes, np.ones(1), given, drive)
    mean = drive[0].reshape(len(reserve), STEP_MIN, -1).mean(axis=1)
    parts = [mean[:, SENSITIVITY_PERIPHERAL] - 1.0, mean[:, UPTAKE], mean[:, LIVER_OUTPUT]]
    return replace(held, exercise=share * np.stack(parts, axis=1))


def bouts(reserve: NDArray[np.float64]) -> NDArray[np.int64]:
    """Steps at which bouts begin."""
    hard = reserve >= HARD
    long = LONG_MIN // STEP_MIN
    whole = np.convolve(hard, np.ones(long), "full")[long - 1 :][: len(hard)] >= long
    found: list[int] = []
    for step in np.flatnonzero(whole):
        fresh = not found or step - found[-1] >= APART_MIN // STEP_MIN
        if fresh and (step == 0 or not hard[step - 1]):
            found.append(int(step))
    return np.array(found, np.int64)


def follow(folder: Path, who: str) -> Person:
    """One person's bouts under both twins. Raises DiaryError where the record does not suffice."""
    diary = readers.read(folder, "t1d-uom", who)
    active = t1d_uom_habits.activity(folder, who)
    if np.nanmedian(active.met) > MOST_AT_REST_MET:
        raise DiaryError(
            f"T1D-UOM {who}: {np.nanmedian(active.met):.1f} metabolic equivalents at most hours; a mistake"
        )
    plain = record(diary)
    reserve = reserve_in_use(active, diary)[len(diary.glucose_mg_dl) - len(plain) :]
    part = plain.days(1, FIT_DAYS)
    last = min(len(plain), LAST_DAY * STEPS_PER_DAY) - max(HORIZONS_MIN) // STEP_MIN
    if not len(bouts(reserve[part])):
        raise DiaryError(
            f"T1D-UOM {who}: no bout in the {FIT_DAYS} days of the fit, the watch begins {active.start:%Y-%m-%d}; a "
            "share is fitted to one or more"
        )
    starts = bouts(reserve)
    starts = starts[(starts >= part.stop) & (starts < last) & np.isfinite(plain.glucose_mg_dl[starts])]
    if len(starts) < LEAST_BOUTS:
        raise DiaryError(
            f"T1D-UOM {who}: {len(starts)} bouts after day {FIT_DAYS}; needed are {LEAST_BOUTS} or more"
        )
    fits, missed = {}, {}
    for share in SHARES:
        held = driven(plain, reserve, share)
        fits[share] = fit(held, part, for_causes(held, part))
        missed[share] = errors(fits[share].theta[None], held, starts, HORIZONS_MIN)[0]
    own = min(SHARES, key=lambda share: fits[share].cost)
    ahead = np.array(HORIZONS_MIN) // STEP_MIN
    change = plain.glucose_mg_dl[starts[:, None] + ahead] - plain.glucose_mg_dl[starts, None]
    return Person(who, change, dict(zip(TWINS, (missed[0.0], missed[1.0], missed[own]), strict=True)), own)


def everybody(folder: Path) -> Iterator[Person | str]:
    """All people with a watch, or in words why somebody is left out."""
    for who in t1d_uom_habits.active_people(folder):
        try:
            yield follow(folder, who)
        except DiaryError as error:
            yield str(error)


def table(people: Sequence[Person], left_out: Sequence[str]) -> str:
    """Markdown: for each horizon the change of glucose, and error (mean, RMSE) of each twin, over a person's bouts;
    then over persons, with intervals of what being told gains."""
    lines = []
    rng = np.random.default_rng(SEED)
    for h, horizon in enumerate(HORIZONS_MIN):
        rmse = np.array([[_rmse(one.errors[name][:, h]) for name in TWINS] for one in people])
        heads = " | ".join(f"{name}: mean error | RMSE" for name in TWINS)
        lines += [
            f"\n{horizon} min from the begin of a bout, mg/dL:\n",
            f"| person | bouts | own share | change | {heads} |", "|---|---:|---:|---:|" + "---:|" * 2 * len(TWINS),
        ]  # fmt: skip
        for one, errs in zip(people, rmse, strict=True):
            means = [float(np.nanmean(one.errors[name][:, h])) for name in TWINS]
            cells = " | ".join(f"{mean:+.1f} | {err:.1f}" for mean, err in zip(means, errs, strict=True))
            change = float(np.nanmean(one.change[:, h]))
            lines.append(f"| {one.who} | {len(one.change)} | {one.share:g} | {change:+.1f} | {cells} |")
        drawn = rmse[rng.integers(len(people), size=(DRAWS, len(people)))].mean(axis=1)
        for k, name in enumerate(TWINS[1:], 1):
            low, high = np.percentile(drawn[:, 0] - drawn[:, k], [2.5, 97.5])
            better = int((rmse[:, k] < rmse[:, 0]).sum())
            lines.append(
                f"\nTold, {name}: RMSE {(rmse[:, 0] - rmse[:, k]).mean():+.1f} mg/dL [{low:+.1f}, {high:+.1f}] better "
                f"than without; better in {better} of {len(people)} people."
            )
    return "\n".join([*lines, "", *(f"- left out: {reason}" for reason in left_out)]) + "\n"


def _rmse(missed: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.nanmean(missed**2)))
