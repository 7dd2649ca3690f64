"""Hostile agents: by name, with what they ask for, whoever else is there."""

from pathlib import Path

import numpy as np
import pytest

from agents import hostile
from agents.hostile import ATTACKER, HOSTILE
from agents.load import load, tier
from envs import view as v
from envs.therapy import Request
from experiments.studies.settings import load_study, studies
from tests.envs.worlds import begun, request
from twins.cohort import BASAL_U_PER_H


def _asked(name: str, steps: int, lanes: int = 3) -> list[Request]:
    """What a hostile agent asks for at every reading of some hours with announced meals."""
    core, agent = (
        begun(lanes, cohort=["adult#001", "child#001", "adolescent#001"][:lanes], days=1),
        load(name),
    )
    told = []
    for _ in range(steps):
        told.append(agent.act(core.view.shown()))  # type: ignore[union-attr]
        core.step(request(core, core.view.therapy[:, BASAL_U_PER_H]))
    return told


@pytest.mark.parametrize("name", HOSTILE)
def test_every_name_is_a_treatment_of_tier_t0_that_no_study_lists(name: str) -> None:
    assert tier(name) == "T0"
    for asked in _asked(name, 3):
        assert np.isfinite(asked.basal_u_per_h).all() and (asked.basal_u_per_h >= 0).all()
        assert np.isfinite(asked.bolus_u).all() and (asked.bolus_u >= 0).all()
    assert all(name not in load_study(study).agents for study in studies())


def test_what_they_ask_for() -> None:
    most, least, bang, meal = (_asked(f"hostile-{name}", 260) for name in ("max", "min", "bang", "meal"))
    assert all((asked.basal_u_per_h >= 1000).all() and (asked.bolus_u >= 1000).all() for asked in most)
    assert all((asked.basal_u_per_h == 0).all() and (asked.bolus_u == 0).all() for asked in least)
    on = np.array([asked.bolus_u[0] > 0 for asked in bang])
    assert on[:24].all() and not on[24:48].any() and on[48:72].all()
    given = np.array([asked.bolus_u for asked in meal])
    assert (given[:60] == 0).all() and (given.max(axis=0) >= 1000).all()  # nobody eats before 05:00


def test_random_requests_differ_by_lane_and_minute_and_not_by_company() -> None:
    many, one = _asked("hostile-random", 40), _asked("hostile-random", 40, lanes=1)
    rates = np.array([asked.basal_u_per_h for asked in many])
    assert len(np.unique(rates)) == rates.size
    assert np.array_equal(rates[:, 0], [asked.basal_u_per_h[0] for asked in one])
    boluses = np.array([asked.bolus_u for asked in many])
    assert 0.02 < (boluses > 0).mean() < 0.25 and boluses.max() <= 20


def test_the_attacker_acts_within_its_thresholds_only() -> None:
    core = begun(1)
    now, scheduled = core.view.now, core.view.therapy[0, BASAL_U_PER_H]
    base = dict(zip(ATTACKER.names, ATTACKER.start, strict=True))

    def bolus(**values: float) -> float:
        row = np.array([list((base | values).values())])
        asked = ATTACKER.request(core.view, row)
        assert asked.basal_u_per_h[0] == scheduled * row[0, 6 if asked.bolus_u[0] else 7]
        return float(asked.bolus_u[0])

    now[0, v.CGM_MG_DL], now[0, v.SLOPE_MG_DL_PER_MIN], now[0, v.MINUTE_OF_DAY] = 150.0, 0.5, 600.0
    assert bolus() == 20.0 and bolus(bolus_share=0.25) == 5.0
    assert bolus(above_mg_dl=151.0) == bolus(rising_mg_dl_per_min=0.6) == 0.0
    assert bolus(from_hour=9.0, for_hours=2.0) == 20.0 and bolus(from_hour=11.0, for_hours=2.0) == 0.0
    assert bolus(from_hour=22.0, for_hours=12.5) == 20.0  # over midnight
    assert bolus(after_meal_min=60.0) == 0.0
    now[0, v.SINCE_ANNOUNCED_MIN] = 30.0
    assert bolus(after_meal_min=60.0) == 20.0
    now[0, v.IOB_NET_U] = 60.0
    assert bolus() == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "values: {}",
        "values: [1, 2]",
        "values: {above_mg_dl: 1000}",
        "values: {a: !!python/name:os.system ''}",
    ],
)
def test_a_file_that_holds_no_attacker_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "found.yml"
    path.write_text(text)
    with pytest.raises(ValueError, match="make it again"):
        hostile.evolved(path)
