"""Trials of sleep, light and stress done again on the twin, beside what people showed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.exercise.living import Plan, live
from experiments.records.provenance import ROOT
from experiments.sleep.clamp import clamp, insulin_for
from experiments.sleep.targets import HEAD, TARGETS, WORDS
from experiments.sleep.trials import Trials
from experiments.trials import table
from experiments.trials.target import Found, compare
from twins.bodies import glucose_kernel as k
from twins.bodies import stress
from twins.bodies.glucose import COLUMN, UvaPadova
from twins.bodies.glucose import PARAMETERS as BODY
from twins.bodies.model import DRIVE_NAMES, SENSITIVITY_PERIPHERAL, neutral_drive
from twins.units import GLUCOSE_MG_DL_PER_MMOL_L


@pytest.fixture(scope="module")
def trials() -> Trials:
    return Trials()


@pytest.fixture(scope="module")
def found(trials: Trials) -> list[Found]:
    """Every target beside the twin's value."""
    return compare(TARGETS, trials)


def test_a_clamp_is_where_the_kernel_comes_to_rest(trials: Trials) -> None:
    """Constant insulin and factor: after two days the kernel's glucose stands still, and there disposal equals what the
    liver makes."""
    body = np.ascontiguousarray(trials.adults.parameters[:, : len(BODY)])
    model, n = UvaPadova(), len(body)
    state, coefficients = model.basal_state(body), model.prepare(body)
    drive = np.tile(neutral_drive(DRIVE_NAMES), (n, 60, 1))
    drive[:, :, SENSITIVITY_PERIPHERAL] = 0.8
    for _ in range(72):
        glucose = model.advance(
            state, coefficients, 1.15 * model.basal_u_per_h(body), np.zeros(n), np.zeros((n, 60)), drive, 60
        )[:, -1]
    insulin = state[:, k.INSULIN_PLASMA] / body[:, COLUMN["Vi"]]
    for lane in range(n):  # each at its own glucose
        one, mmol_l = slice(lane, lane + 1), glucose[lane] / GLUCOSE_MG_DL_PER_MMOL_L
        rates = clamp(body[one], insulin[one], mmol_l, 0.8, 1.0)
        np.testing.assert_allclose(rates.infusion, 0.0, atol=0.01 * rates.disposal[0])
    wanted = insulin_for(body, 5.1, 0.25)
    rates = clamp(body, wanted, 5.1, 1.0, 1.0)
    np.testing.assert_allclose(rates.liver / rates.disposal, 0.25, atol=1e-9)


def test_factors_on_one_action_change_what_they_should(trials: Trials) -> None:
    n = len(trials.adults)
    plan = Plan.of(n, 120)
    calm = live(trials.adults, plan)
    for name in ("uptake", "liver"):
        less = live(trials.adults, replace(plan, **{name: np.full((n, 120), 0.7)}))
        assert (less[:, -1] > calm[:, -1] + 1).all(), name
    np.testing.assert_array_equal(live(trials.adults, replace(plan, uptake=np.ones((n, 120)))), calm)


def test_stress_is_nothing_at_rest_and_its_cortisol_follows_and_lasts() -> None:
    state = stress.calm(2)
    cortisol, felt = [], []
    for step in range(36 * 12):
        phase = np.full(2, (12.0 + step / 12) % 24)
        stress.step(state, phase, np.array([float(step < 4), 0.0]))
        cortisol.append(1.0 + state[0, stress.EXTRA] / stress.usual(phase)[0])
        felt.append(stress.sensitivity(state)[1])
    assert (np.array(felt)[:, 1] == 1.0).all() and (state[1] == 0).all()
    assert 2 <= np.argmax(cortisol[:60]) <= 12 and 1.8 < max(cortisol[:60]) < 3.0
    liver = np.array(felt)[:, 0]
    assert liver[11] > 0.95 and liver[6 * 12] < 0.9  # hours later
    assert liver[16 * 12] < 0.95  # and for more than sixteen
    mean = np.mean([stress.usual(np.array([hour]))[0] for hour in np.arange(0, 24, 0.1)])
    assert mean == pytest.approx(1.0, abs=1e-3)


def test_intervals_come_out_as_papers_say() -> None:
    by_name = {one.name: one for one in TARGETS}
    assert len(by_name) == len(TARGETS) and all(one.low < one.value < one.high for one in TARGETS)
    assert by_name["S6"].high == pytest.approx(-0.56, abs=0.01)  # P = 0.04, n = 20
    assert (by_name["S2"].low, by_name["S2"].high) == pytest.approx((1.04, 2.21), abs=0.01)


def test_what_was_used_lies_within_the_interval_of_people(found: list[Found]) -> None:
    assert all(one.inside for one in found if one.target.fitted)


def test_the_committed_table_is_that_of_the_twin_as_it_stands(found: list[Found], tmp_path: Path) -> None:
    kept = (ROOT / "results/physiology/sleep.md").read_text()
    command = ["python", "-m", "scripts.physiology", "--out", "results/physiology"]
    assert table.write(found, tmp_path, "sleep", HEAD, WORDS, command) == kept
    assert all(one.target.misfit and one.target.misfit in kept for one in found if not one.inside)
