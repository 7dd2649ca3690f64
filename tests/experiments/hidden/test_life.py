"""Hidden days: food is logged as stated, a life hangs on its person alone, and a diary keeps what devices see."""

import numpy as np

from experiments.hidden import bodies, food
from experiments.hidden.life import live
from twins.inference.record import record

PEOPLE = bodies.make(2, 3, daily="planned")


def test_meals_are_left_out_and_miscounted_as_stated() -> None:
    keys = np.repeat(PEOPLE.keys[:1], 50, axis=0)
    keys[:, 3] = np.arange(50)  # as many replicas of a person
    held = food.eat(keys, 28)
    eaten, logged = held.eaten_g > 0, held.logged_g > 0
    for main, share, missed in (
        (True, 1.0, food.MAIN_UNLOGGED),
        (False, food.SNACK_EATEN, food.SNACK_UNLOGGED),
    ):
        of = held.main == main
        assert abs(eaten[of].mean() - share) < 0.02
        assert abs((~logged)[of & eaten].mean() - missed) < 0.02
    counted = np.log(held.logged_g[logged & held.main] / held.eaten_g[logged & held.main])
    assert abs(counted.std() - food.COUNT_LOG_SD) < 0.01 and not (logged & ~eaten).any()
    assert abs(held.logged_g[logged].sum() / held.eaten_g[logged].sum() - 1) < 0.02, "right on average"
    assert abs(held.eaten_g.sum() / (50 * 28) / food.USUAL_G_PER_DAY - 1) < 0.02
    fewer = food.eat(keys, 3)
    assert np.array_equal(fewer.eaten_g, held.eaten_g[:, : fewer.eaten_g.shape[1]])
    assert np.allclose(held.on_grid(held.eaten_g, 28 * 288).sum(axis=1), held.eaten_g.sum(axis=1))


def test_a_life_hangs_on_its_person_alone() -> None:
    both, again = live(PEOPLE, 1), live(bodies.make(1, 3, first=2, daily="planned"), 1)
    for name in ("state", "reading_mg_dl", "basal_u_per_h", "eaten_g", "drive"):
        assert np.array_equal(getattr(both, name)[1:], getattr(again, name)), name
    assert not np.isclose(both.reading_mg_dl[0], both.reading_mg_dl[1]).all()
    other = live(bodies.make(1, 4, daily="planned"), 1)
    assert not np.isclose(both.reading_mg_dl[0], other.reading_mg_dl[0]).all()


def test_a_pump_reacts_and_a_diary_keeps_what_devices_see() -> None:
    life = live(PEOPLE, 3)
    error = life.reading_mg_dl - life.bodies.model.interstitial_mg_dl(
        life.state.reshape(-1, life.state.shape[2]), np.repeat(PEOPLE.parameters, life.state.shape[1], axis=0)
    ).reshape(life.reading_mg_dl.shape)
    assert 4 < error.std() < 8 and np.corrcoef(error[0, 1:], error[0, :-1])[0, 1] > 0.8
    planned = PEOPLE.basal_u_per_h[:, None]
    assert ((life.basal_u_per_h >= 0) & (life.basal_u_per_h <= 3 * planned + 1e-9)).all()
    high, low = life.reading_mg_dl > 180, life.reading_mg_dl < 80
    assert (
        (life.basal_u_per_h / planned)[high].mean() > 1.5 > 0.5 > (life.basal_u_per_h / planned)[low].mean()
    )
    assert (life.meal_bolus_u > 0).sum() == (life.logged_g > 0).sum()
    sugar = life.eaten_g - life.food.on_grid(life.food.eaten_g, life.eaten_g.shape[1])
    assert (life.glucose_mg_dl[sugar > 0] < 65).all()
    held = record(life.diary(0))
    assert np.array_equal(held.glucose_mg_dl, life.reading_mg_dl[0])
    assert np.array_equal(held.carbs_g, life.logged_g[0])
    np.testing.assert_allclose(
        held.delivered_u, life.basal_u_per_h[0] / 12 + life.meal_bolus_u[0] + life.correction_u[0]
    )
