"""Fitness, fatigue, load and injury: published responses, laws, and what hangs on what."""

import numpy as np
import pytest
from numpy.typing import NDArray

from twins import random
from twins.bodies import fitness as f
from twins.bodies.fitness import Fitness

SAFE = np.array([[1.0, 0.5]])
"""Draws under which nobody is hurt."""


def _person(**changes: float) -> NDArray[np.float64]:
    p = f.MEDIANS[None].copy()
    for name, value in changes.items():
        p[0, f.PARAMETERS.index(name)] = value
    return p


def _live(
    model: Fitness, p: NDArray[np.float64], loads: list[float], habit: bool = True
) -> NDArray[np.float64]:
    """Performance after each day."""
    state = model.begin(p)
    if not habit:
        state[:, : f.ACUTE] = 0.0
    return np.array([model.advance(state, p, np.array([load]), SAFE).performance[0] for load in loads])


def test_one_hard_day_is_answered_as_morton_says() -> None:
    """45 and 15 days, weights 1 and 2: below the start for 15.6 days, best after 40."""
    p = _person(fitness_days=45.0, fatigue_days=15.0, fitness_per_load=1.0, fatigue_per_load=2.0)
    answer = _live(Fitness(f.BANISTER), p, [f.HARD_LOAD] + [0.0] * 80, habit=False) - f.BASE
    assert np.flatnonzero(answer > 0)[0] + 1 == 16
    assert abs(int(answer.argmax()) + 1 - 40) <= 1


def _weeks(count: int, minutes: float, intensity: float, sessions: int) -> list[float]:
    """Loads of weeks with so many sessions, on every second day as far as they go."""
    load = float(f.trimp_load(np.array([minutes]), np.array([intensity]))[0])
    on = (0, 2, 4, 5, 1)[:sessions]
    return [load if day in on else 0.0 for day in range(7)] * count


@pytest.mark.parametrize("model", f.MODELS)
def test_training_does_what_it_did_in_studies(model: str) -> None:
    body, p = Fitness(model), _person()
    heritage = [
        load
        for week in range(20)
        for load in _weeks(1, 30 + 20 * min(week / 14, 1), 0.55 + 0.2 * min(week / 14, 1), 3)
    ]
    gained = _live(body, p, [*heritage, 0.0, 0.0], habit=False)[-1] - f.BASE
    assert 12 < gained < 25  # 16 to 17 % of VO2max
    # Four to five times five minutes, three minutes between: 8 weeks of three, 4 of five sessions, weeks without.
    hard = [a + b for a, b in zip(_weeks(1, 22.5, 0.9, 5), _weeks(1, 13.0, 0.5, 5), strict=True)]
    few = [load if day in (0, 2, 4) else 0.0 for day, load in enumerate(hard)]
    busso = [*few * 8, *[0.0] * 7, *hard * 4, *[0.0] * 14]
    assert 15 < _live(body, p, busso, habit=False).max() - f.BASE < 37  # 30, SD 7
    trained = [*_six(0.6) * 40, *[0.0] * 84]
    lost = _live(body, p, trained)
    assert -0.24 < lost[-1] / lost[279] - 1 < -0.10  # 16 %
    assert -0.14 < lost[279 + 28] / lost[279] - 1 < 0  # 4 to 14 % of VO2max (Mujika & Padilla 2000)


def _six(load: float) -> list[float]:
    """A week of a mean daily load, its last day of rest."""
    return [load * 7 / 6] * 6 + [0.0]


@pytest.mark.parametrize("model", f.MODELS)
def test_a_taper_brings_percents_and_twelve_weeks_of_more_bring_some(model: str) -> None:
    body, p = Fitness(model), _person()
    tapered = _live(body, p, [*_six(0.6) * 40, *_six(0.3) * 2])
    assert 0.005 < tapered[-1] / tapered[-15] - 1 < 0.06
    before = _six(0.35) * 30
    more = [load for week in range(10) for load in _six(0.4 + 0.022 * week)] + _six(0.36) + _six(0.24)
    season = _live(body, p, before + more)
    assert 3 < season[-1] - season[209] < 9
    idle = _live(body, p, [*before, *[0.0] * 84])
    assert idle[-1] - idle[209] < -10


@pytest.mark.parametrize("model", f.MODELS)
def test_overdoing_hurts(model: str) -> None:
    """Twelve weeks: the load of a sensible plan, twice as much, and what nobody bears."""
    body, p = Fitness(model), _person()
    sensible, most, over = (_live(body, p, _six(0.35) * 4 + _six(load) * 12)[-1] for load in (0.5, 1.0, 2.0))
    assert over < sensible - 3 and over < most - 8


def test_models_agree_at_hard_loads_and_both_punish_peaks() -> None:
    p = _person(habit_load=f.HARD_LOAD)
    even = {model: _live(Fitness(model), p, [f.HARD_LOAD] * 250)[-1] for model in f.MODELS}
    assert even[f.BUSSO] == pytest.approx(even[f.BANISTER], abs=0.5)
    for model in f.MODELS:
        assert even[model] - _live(Fitness(model), p, [3 * f.HARD_LOAD, 0.0, 0.0] * 84)[-1] > 3


def test_the_ratio_is_of_weighted_means_over_a_floor() -> None:
    model, p = Fitness(), _person(habit_load=0.4)
    state = model.begin(p)
    assert 0.85 < model.ratio(state)[0] < 1.0  # after a day of rest
    acute, chronic = state[0, f.ACUTE], state[0, f.CHRONIC]
    load = np.array([2.0])
    foreseen = model.ratio_after(state, load)
    day = model.advance(state, p, load, SAFE)
    assert (
        day.ratio[0]
        == foreseen[0]
        == pytest.approx((0.75 * acute + 0.25 * 2) / (27 / 29 * chronic + 2 / 29 * 2))
    )
    idle = model.begin(_person(habit_load=0.01))
    assert model.ratio(idle)[0] == pytest.approx(0.01 / f.CHRONIC_FLOOR, rel=0.2)


def _hurt(model: Fitness, p: NDArray[np.float64], loads: list[float]) -> float:
    """Share of 4,000 people who are hurt within these days."""
    many = np.repeat(p, 4000, axis=0)
    state = model.begin(many)
    keys = random.keys("train", 0, np.arange(4000), 0, 0)
    hurt = np.zeros(4000, bool)
    for day, load in enumerate(loads):
        hurt |= model.advance(state, many, np.full(4000, load), random.uniform(keys, 2, first=2 * day)).hurt
    return float(hurt.mean())


def test_injuries_come_with_load_and_the_ratio_is_a_switch() -> None:
    p = _person(habit_load=0.4)
    usual, jump = [0.4] * 14, [1.6] * 14
    rest = _hurt(Fitness(), p, [0.0] * 14)
    low, high = _hurt(Fitness(), p, usual), _hurt(Fitness(), p, jump)
    without = _hurt(Fitness(ratio_weight=0.0), p, jump)
    assert rest == 0 and 0.03 < low < 0.08 and high > 2 * low
    assert low < without < high


def test_who_is_hurt_does_not_train_and_then_comes_back() -> None:
    model, p = Fitness(), _person()
    state = model.begin(p)
    hurt = model.advance(state, p, np.array([1.0]), np.array([[1e-9, 0.5]]))
    assert hurt.hurt[0] and state[0, f.LOST] == f.LOST_MEDIAN_DAYS
    fit = state[0, f.FIT]
    for _ in range(8):
        day = model.advance(state, p, np.array([1.0]), SAFE)
        assert day.lost[0]
    assert state[0, f.FIT] < fit
    assert not model.advance(state, p, np.array([1.0]), SAFE).lost[0]


def test_too_much_for_too_long_takes_the_answer_to_training_and_rest_gives_it_back() -> None:
    model, p = Fitness(f.BUSSO), _person()
    state = model.begin(p)
    for _ in range(40):
        model.advance(state, p, np.array([3.0]), SAFE)
    assert state[0, f.RESPONSE] < 0.8
    for _ in range(60):
        model.advance(state, p, np.array([0.0]), SAFE)
    assert state[0, f.RESPONSE] == 1.0


def test_a_watch_shows_fatigue() -> None:
    model, p = Fitness(), _person()
    fresh = model.begin(p)
    tired = fresh.copy()
    for _ in range(7):
        model.advance(tired, p, np.array([2.0]), SAFE)
    (bpm, hrv), (bpm_tired, hrv_tired) = (model.shown(one, p, np.zeros((1, 2)))[0] for one in (fresh, tired))
    assert bpm_tired > bpm + 2 and hrv_tired < hrv - 0.05


def test_people_differ_by_their_keys_alone() -> None:
    keys = random.keys("test", 3, np.arange(50), 0, 0)
    many = f.draw(keys)
    assert (many[7] == f.draw(keys[7:8])[0]).all() and (f.draw(keys, spread=0.0) == f.MEDIANS).all()
    assert (many[:, f.FITNESS_DAYS] > many[:, f.FATIGUE_DAYS]).all()
    with pytest.raises(ValueError, match="model is 'calvert'; allowed are banister, busso"):
        Fitness("calvert")
