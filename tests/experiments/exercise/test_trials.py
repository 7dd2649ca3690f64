"""Trials of exercise done again on the twin, beside what people showed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.exercise import bouts
from experiments.exercise.living import Plan, customary_bolus, live
from experiments.exercise.targets import HEAD, TARGETS, WORDS
from experiments.exercise.trials import Trials
from experiments.records.provenance import ROOT
from experiments.trials import table
from experiments.trials.target import Found
from twins.bodies import exercise
from twins.bodies.person import Person


@pytest.fixture(scope="module")
def trials() -> Trials:
    return Trials(exercise.MEDIANS)


def test_bouts_are_as_long_and_as_hard_as_their_papers_say() -> None:
    assert len(bouts.sprints()) == 45 and bouts.sprints().max() == 0.95
    assert len(bouts.six_minutes()) == 12 and len(bouts.walking_after_meals(270)) == 270
    walking = bouts.walking_after_meals(270)
    assert (walking > 0.1).mean() == pytest.approx(33.5 / 60, abs=0.02)
    assert bouts.at_heart_rate(140.0, 14.0) == pytest.approx((140 - 66) / (208 - 9.8 - 66))


def test_a_plan_happens_when_it_says(trials: Trials) -> None:
    people = trials.adults
    quiet = Plan.of(len(people), 120)
    basal = people.parameters[:, Person.parameter_names.index("Gb")]
    np.testing.assert_allclose(live(people, quiet), np.repeat(basal[:, None], 120, 1), rtol=1e-3)
    moved = live(people, quiet.moves(60, bouts.steady(0.5, 30)))
    assert (moved[:, 59] == live(people, quiet)[:, 59]).all() and (moved[:, 89] < basal).all()
    stopped = live(people, quiet.pumps(0, 120, 0.0))
    assert (stopped[:, -1] > basal).all()
    lifted = live(people, replace(quiet, start_mg_dl=np.full(len(people), 200.0)))
    np.testing.assert_allclose(lifted[:, 0], 200.0, rtol=0.03)


def test_a_customary_bolus_brings_everybody_back(trials: Trials) -> None:
    people = trials.adults
    dose = customary_bolus(people, 60.0)
    after = live(people, Plan.of(len(people), 240).eats(0, 60.0).injects(0, dose))[:, -1]
    np.testing.assert_allclose(after, people.parameters[:, Person.parameter_names.index("Gb")], atol=1.0)


def test_intervals_come_out_as_papers_say() -> None:
    by_name = {one.name: one for one in TARGETS}
    assert len(by_name) == len(TARGETS)
    e16 = by_name["E16a"]
    assert (e16.low, e16.high) == pytest.approx((-88.1, -45.9), abs=0.1)  # -67 +- 41, n = 17
    assert by_name["E7 lows"].low == pytest.approx(5.3, abs=0.1)
    assert all(one.low < one.value < one.high for one in TARGETS)
    assert {one.name for one in TARGETS if one.fitted} >= {"E1", "E2", "E4a", "E5", "E6 steady", "E11a"}
    assert not any(one.fitted for one in TARGETS if one.name[:3] in ("E3a", "E7 ", "E8 ", "E9", "E12"))


@pytest.mark.parametrize("target", [one for one in TARGETS if one.fitted], ids=lambda one: str(one.name))
def test_what_was_fitted_lies_within_the_interval_of_people(target, trials: Trials) -> None:  # type: ignore[no-untyped-def]
    assert Found(target, target.measure(trials)).inside


@pytest.mark.slow
def test_the_committed_table_is_that_of_the_twin_as_it_stands(trials: Trials, tmp_path: Path) -> None:
    """All held-out trials too: their values are those that were committed, met or not."""
    found = [Found(one, one.measure(trials)) for one in TARGETS]
    kept = (ROOT / "results/physiology/exercise.md").read_text()
    command = ["python", "-m", "scripts.physiology", "--out", "results/physiology"]
    assert table.write(found, tmp_path, "exercise", HEAD, WORDS, command) == kept
    assert (tmp_path / "exercise.svg").stat().st_size > 10_000
    missed = [one for one in found if not one.inside]
    assert all(one.target.misfit and one.target.misfit in kept for one in missed)
