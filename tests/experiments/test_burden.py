"""What a treatment asks of a person, counted by hand."""

import numpy as np
import pytest

from experiments.results.burden import burden


def _columns(samples: int = 480, lanes: int = 1) -> dict[str, np.ndarray]:
    """A day of readings every 3 min at 120 mg/dL under a steady basal rate."""
    shape = (lanes, samples)
    return {
        "cgm_mg_dl": np.full(shape, 120.0),
        "basal_u_per_h": np.ones(shape),
        "requested_basal_u_per_h": np.ones(shape),
        "requested_bolus_u": np.zeros(shape),
    }


def test_a_steady_day_asks_nothing() -> None:
    found = burden(_columns(), np.ones((1, 480), bool), 3)
    assert {name: value.tolist() for name, value in found.items()} == {
        "alarms_per_day": [0.0], "recommendations_per_day": [0.0], "suspended_h_per_day": [0.0],
    }  # fmt: skip


def test_alarms_changes_and_suspended_hours_are_counted() -> None:
    columns = _columns()
    columns["cgm_mg_dl"][0, 10:20] = 60.0  # half an hour low
    columns["cgm_mg_dl"][0, 100:140] = 260.0  # two hours high
    columns["cgm_mg_dl"][0, 200:202] = 60.0  # too short for an event
    columns["requested_bolus_u"][0, [50, 300]] = 3.0
    columns["requested_basal_u_per_h"][0, 400:] = 2.0  # one change
    columns["requested_basal_u_per_h"][0, 450:] = 2.05  # too small to notice
    columns["basal_u_per_h"][0, 10:30] = 0.0
    found = burden(columns, np.ones((1, 480), bool), 3)
    assert found["alarms_per_day"] == [2.0] and found["recommendations_per_day"] == [3.0]
    assert found["suspended_h_per_day"] == [1.0]


def test_only_the_time_alive_counts_and_lost_readings_alarm_nobody() -> None:
    columns = _columns()
    columns["cgm_mg_dl"][0, 300:] = 40.0
    columns["requested_bolus_u"][0, 250:] = 1.0
    alive = np.arange(480)[None] < 240
    found = burden(columns, alive, 3)
    assert found["alarms_per_day"] == [0.0] and found["recommendations_per_day"] == [0.0]
    columns["cgm_mg_dl"][:] = np.nan
    assert burden(columns, alive, 3)["alarms_per_day"] == [0.0]
    invalid = _columns() | {"requested_basal_u_per_h": np.full((1, 480), np.nan)}
    assert burden(invalid, alive, 3)["recommendations_per_day"] == [0.0]
    assert burden(columns, np.zeros((1, 480), bool), 3)["suspended_h_per_day"] == pytest.approx([0.0])
