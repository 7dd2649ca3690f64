"""Hidden people and their days: hung on themselves alone, logged as their rung says, and lived on by any agent."""

import numpy as np
import pytest

from agents.load import load
from experiments.hidden import fortnight
from experiments.hidden.fortnight import DIARY_DAYS, diaries, new_days
from experiments.hidden.people import RUNGS, People, people
from twins.cohort import BASAL_U_PER_H, CARB_RATIO_G_PER_U, DAILY_INSULIN_U
from twins.world.diary import Diary


@pytest.fixture(scope="module")
def everyday() -> People:
    return people("M3", "kanderian", 4, 7)


@pytest.fixture(scope="module")
def told(everyday: People) -> list[Diary]:
    return diaries(everyday, 7)


@pytest.mark.slow
@pytest.mark.parametrize(("rung", "core"), [(rung, core) for rung in RUNGS for core in RUNGS[rung].cores])
def test_a_person_hangs_on_seed_and_number_alone(rung: str, core: str) -> None:
    many, one, other = people(rung, core, 3, 5), people(rung, core, 1, 5, first=3), people(rung, core, 3, 6)
    assert one.cohort.ids == many.cohort.ids[2:] and one.automated[0] == many.automated[2]
    for of in (lambda who: who.cohort.parameters, lambda who: who.cohort.therapy):
        assert np.array_equal(of(one), of(many)[2:]) and not np.isclose(of(many)[0], of(other)[0]).all()
    need = many.cohort.therapy[:, DAILY_INSULIN_U]
    assert (need >= 15).all() and (need <= 100).all() and (many.fall_mg_dl_per_u > 1).all()


def test_what_is_no_rung_is_refused() -> None:
    with pytest.raises(
        ValueError, match="rung 'M1', core 'hovorka'; allowed are M1 with uva; M2 with hovorka"
    ):
        people("M1", "hovorka", 1, 1)
    with pytest.raises(ValueError, match="0 people"):
        people("M1", "uva", 0, 1)


@pytest.mark.slow
def test_a_diary_is_the_persons_own_and_is_that_of_a_person(everyday: People, told: list[Diary]) -> None:
    alone = diaries(people("M3", "kanderian", 1, 7, first=2), 7)[0]
    for name in ("glucose_mg_dl", "carbs_g", "bolus_u", "basal_u_per_h"):
        assert np.array_equal(getattr(told[1], name), getattr(alone, name), equal_nan=True), name
    for one, row in zip(told, range(4), strict=True):
        assert len(one.glucose_mg_dl) == DIARY_DAYS * 288 and np.isfinite(one.glucose_mg_dl).mean() > 0.99
        assert 80 < np.nanmean(one.glucose_mg_dl) < 250 and 2 < (one.carbs_g > 0).sum() / DIARY_DAYS < 8
        planned = everyday.cohort.therapy[row, BASAL_U_PER_H]
        steady = np.abs(one.basal_u_per_h - planned).max() < 0.06
        assert steady != everyday.automated[row], "a pump that doses by itself moves basal, the others do not"
        meals = one.bolus_u[one.carbs_g > 20].sum() / one.carbs_g[one.carbs_g > 20].sum()
        assert meals > 0.4 / everyday.cohort.therapy[row, CARB_RATIO_G_PER_U]


@pytest.mark.slow
def test_logs_are_whole_on_the_first_rungs_and_not_on_the_last(told: list[Diary]) -> None:
    exact = diaries(people("M2", "kanderian", 4, 7), 7)
    counts = [np.mean([(one.carbs_g > 0).sum() for one in lived]) for lived in (exact, told)]
    assert RUNGS["M2"].habits.missed == 0 and counts[1] < counts[0]


@pytest.mark.slow
def test_new_days_are_new_and_change_with_settings_and_agent(everyday: People) -> None:
    settings = everyday.cohort.therapy
    days = [
        new_days(everyday, load(name), therapy, "rule", 7, days=1)
        for name, therapy in (("basal-bolus", settings), ("basal-bolus", settings), ("pid", settings))
    ]
    halved = settings.copy()
    halved[:, BASAL_U_PER_H] /= 2
    less = new_days(everyday, load("basal-bolus"), halved, "rule", 7, days=1)
    assert days[0].glucose_mg_dl.shape == (4, 480)
    assert np.array_equal(days[0].glucose_mg_dl, days[1].glucose_mg_dl)
    assert (days[0].glucose_mg_dl != days[2].glucose_mg_dl).any()
    assert (less.glucose_mg_dl.mean(axis=1) > days[0].glucose_mg_dl.mean(axis=1)).all()
    assert not np.array_equal(fortnight._keys(everyday.cohort, 7, 0), fortnight._keys(everyday.cohort, 7, 1))
