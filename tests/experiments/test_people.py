"""Who is trained on and who is judged: nobody is on both sides, and settings are wrong by what is asked for."""

import numpy as np
import pytest

from experiments import people
from experiments.protocol import load_protocol
from twins import cohort
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U, DAILY_INSULIN_U
from twins.draw import DRAWN

REALISTIC = load_protocol("realistic")
MISTAKEN = [BASAL_U_PER_H, CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U]


def test_the_folds_part_the_table_and_everybody_is_judged_once() -> None:
    judged = [[p for p in people.judged(REALISTIC, fold).ids if DRAWN not in p] for fold in range(5)]
    assert sorted(sum(judged, [])) == sorted(cohort.names())
    assert all(len(part) == 6 for part in judged)
    assert judged[0] == [
        "adult#001",
        "adult#002",
        "adolescent#001",
        "adolescent#002",
        "child#001",
        "child#002",
    ]


@pytest.mark.parametrize("fold", range(5))
def test_nobody_is_trained_tuned_or_chosen_on_and_judged(fold: int) -> None:
    judged = people.judged(REALISTIC, fold)
    trained = people.training(REALISTIC, fold, 4, 2, seed=fold)
    chosen = people.validation(REALISTIC.model_copy(update={"split": "validation"}), fold)
    bodies = [{row.tobytes() for row in one.parameters} for one in (judged, trained, chosen)]
    assert not bodies[0] & bodies[1] and not bodies[0] & bodies[2] and not bodies[1] & bodies[2]
    assert len(trained) == 2 * 24 + 3 * 4 and len(bodies[1]) == 24 + 12


def test_people_drawn_for_a_fold_know_nothing_of_those_it_is_judged_on() -> None:
    """Another person in the fold's place: the drawn people around the others stay as they were."""
    trained = people.training(REALISTIC, 0, 4, 1, 0)
    around_all = people.training(REALISTIC, None, 4, 1, 0)
    mine = trained.parameters[[r for r, p in enumerate(trained.ids) if DRAWN in p]]
    others = around_all.parameters[[r for r, p in enumerate(around_all.ids) if DRAWN in p]]
    assert not np.allclose(mine, others)  # the mean and spread they are drawn from leave the fold out


def test_settings_are_wrong_by_up_to_a_fifth_and_alike_for_all_agents() -> None:
    judged, true = people.judged(REALISTIC), cohort.load("all")
    ratio = judged.therapy[:30, MISTAKEN] / true.therapy[:, MISTAKEN]
    assert 0.8 <= ratio.min() < 0.85 and 1.15 < ratio.max() <= 1.2
    np.testing.assert_array_equal(judged.therapy[:30, DAILY_INSULIN_U], true.therapy[:, DAILY_INSULIN_U])
    np.testing.assert_array_equal(judged.therapy, people.judged(REALISTIC).therapy)
    fold = people.judged(REALISTIC, 2)
    rows = [judged.ids.index(person) for person in fold.ids]
    np.testing.assert_array_equal(fold.therapy, judged.therapy[rows])  # in company or alone
    trained = people.training(REALISTIC, 0, 0, 2, seed=3)
    assert not np.allclose(trained.therapy[:24], trained.therapy[24:])  # each copy is wrong in its own way


def test_a_protocol_without_errors_and_folds_is_the_table() -> None:
    plain = load_protocol("simglucose-default")
    judged = people.judged(plain)
    np.testing.assert_array_equal(judged.therapy, cohort.load("all").therapy)
    with pytest.raises(
        ValueError, match="fold 0 given; protocol simglucose-default has none: it has no folds"
    ):
        people.judged(plain, 0)
    with pytest.raises(ValueError, match="fold 5 given; protocol realistic has 0 to 4"):
        people.training(REALISTIC, 5, 0, 1, 0)
