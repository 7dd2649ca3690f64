"""Ten thousand nights of every agent that ships: what was lived keeps to the bounds, counted anew from the record."""

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.sleepers import SLEEPERS, Learned
from envs.nights import core as c
from envs.nights.core import NightsCore
from envs.nights.rest import Rest
from experiments.daily import copies, seats
from experiments.nights.judge import setting
from experiments.nights.report import POLICY
from twins.bodies.circadian import STEP_MIN
from twins.world import duties
from twins.world.duties import LESSONS, NIGHT, OFFICE, SCHOOL, USUAL_H

PEOPLE, DAYS, EPS = 240, 21, 1e-9
POLICIES = {folder.name: folder for folder in copies(POLICY)}
AGENTS = [*SLEEPERS, *POLICIES]
CLOCKS = ("hannay", "skeldon")


def _outside(core: NightsCore, day: dict[str, NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Which people lived the last day (n,) outside a bound. day: duty, before, bed_before, rise_before of it."""
    duty, before = day["duty"].astype(int), day["before"].astype(int)
    bed, rise, lived = core.view.bed, core.view.rise, core.lived
    ordinary = core.view.kind == SCHOOL
    usual_bed, usual_rise = USUAL_H[duty].T
    begin, end = duties.REQUIRED_H[duty].T
    hours_in_bed = (lived.in_bed & _within(bed, rise)).sum(axis=1) * STEP_MIN / 60
    up = bed + 24.0 - day["rise_before"]
    # Steps of five minutes: a night may hold one less.
    outside = hours_in_bed < np.where(ordinary, 7.0, 6.0) - STEP_MIN / 60 - EPS
    outside |= (rise - bed > 10.0 + EPS) | (up < 8.0 - EPS) | (lived.in_bed & lived.required).any(axis=1)
    outside |= (rise < np.minimum(10.0, usual_rise) - EPS) | (bed < -EPS) | (rise > 24.0 + EPS)
    outside |= ((duty == OFFICE) | (duty == LESSONS)) & (rise > begin - 0.75 + EPS)
    outside |= (duty == NIGHT) & (bed < end + 0.75 - EPS)
    later, earlier = day["bed_before"] + 1.0, day["bed_before"] - 1.0
    outside |= ordinary & (bed > np.maximum(later, usual_bed) + EPS)
    outside |= ordinary & (bed < np.minimum(np.minimum(earlier, usual_bed), 13.25 - 7.0) - EPS)
    usually = usual_bed + 24.0 - USUAL_H[before][:, 1]
    home = np.where(duty == NIGHT, end + 0.75 + 24.0 - day["rise_before"], 0.0)
    outside |= ~ordinary & (up > np.maximum(16.0 + np.maximum(usually - 16.0, 0.0), home) + EPS)
    outside |= ((lived.room_lux > lived.lux + EPS) & lived.required).any(axis=1)
    return np.asarray(outside)


def _within(bed: NDArray[np.float64], rise: NDArray[np.float64]) -> NDArray[np.bool_]:
    now = duties.hours()
    return np.asarray((now >= bed[:, None]) & (now < rise[:, None]))


def _count(name: str, clock: str, shield: str) -> tuple[int, int]:
    """Nights lived, and those outside."""
    where = setting(clock, shield, DAYS)
    agent = SLEEPERS[name]() if name in SLEEPERS else Learned.load(POLICIES[name])
    rows, keys = seats(PEOPLE, where)
    core = NightsCore(where, Rest(False), PEOPLE)
    core.reset(rows, keys)
    nights = outside = 0
    for number in range(DAYS):
        view = core.view
        day = {
            "duty": view.today.copy(), "before": view.duty[:, max(number - 1, 0)].copy(),
            "bed_before": view.bed.copy(), "rise_before": view.rise.copy(),
        }  # fmt: skip
        done = core.step(agent.act(view.shown()))
        assert np.array_equal(done.trace[:, 0, c.BED], core.view.bed)
        outside += int(_outside(core, day).sum())
        nights += PEOPLE
    return nights, outside


@pytest.mark.slow
@pytest.mark.parametrize("name", AGENTS)
def test_no_night_of_ten_thousand_is_outside_a_bound(name: str) -> None:
    counts = [_count(name, clock, "rule") for clock in CLOCKS]
    assert sum(nights for nights, _ in counts) >= 10_000
    assert sum(outside for _, outside in counts) == 0


@pytest.mark.parametrize("name", ["zero", "most", "random"])
def test_the_count_finds_nights_outside_where_nothing_bounds_them(name: str) -> None:
    nights, outside = _count(name, "hannay", "off")
    assert outside > 0.05 * nights
