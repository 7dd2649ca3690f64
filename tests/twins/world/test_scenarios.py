"""Days: meals as in simglucose, fixed and replayed ones, lows that are treated, what makes a day new."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from twins import cohort, random
from twins.bodies.model import NEUTRAL_DRIVE
from twins.random import Stream
from twins.world import scenarios
from twins.world.behaviour import EXACT, NEVER, REALISTIC, Behaviour
from twins.world.scenarios import (
    SCENARIOS,
    SIMGLUCOSE_DAY,
    Events,
    FixedMeals,
    RandomMeals,
    RecordedDays,
    Scenario,
)
from twins.world.serving import serve


def _keys(n: int = 1, seed: int = 0, replica: int = 0, episode: int = 0, split: str = "train") -> NDArray:
    return random.keys(split, seed, np.arange(n), replica, episode)


def _adults(n: int) -> NDArray:
    return np.full(n, 80.0)


def _meals(events: Events) -> tuple[NDArray, NDArray]:
    """Clock minutes and grams of every meal eaten by anybody."""
    eaten = np.isfinite(events.eat_minute)
    return events.eat_minute[eaten] % 1440, events.eat_g[eaten]


@pytest.fixture(scope="module")
def simglucose_days() -> list[tuple[list[float], list[float]]]:
    """Times and amounts of 1,500 days of simglucose's own RandomScenario."""
    from simglucose.simulation.scenario_gen import RandomScenario

    scenario = RandomScenario(start_time=datetime(2026, 1, 1), seed=1)
    days = (scenario.create_scenario()["meal"] for _ in range(1500))
    return [(day["time"], day["amount"]) for day in days]


@pytest.mark.reference
def test_random_meals_are_distributed_as_those_of_simglucose(
    simglucose_days: list[tuple[list[float], list[float]]],
) -> None:
    """Times and amounts of each of the six meals, and how many meals a day has."""
    ours = RandomMeals().events(_keys(300), _adults(300), 20)
    at, grams = _meals(ours)
    their_at = np.concatenate([times for times, _ in simglucose_days])
    their_grams = np.concatenate([amounts for _, amounts in simglucose_days])
    eaten = their_grams > 0  # a meal of 0 g is none
    for slot in SIMGLUCOSE_DAY:
        inside = (at > 60 * slot.earliest) & (at < 60 * slot.latest)
        their_inside = eaten & (their_at > 60 * slot.earliest) & (their_at < 60 * slot.latest)
        assert stats.ks_2samp(at[inside], their_at[their_inside]).pvalue > 0.01
        assert stats.ks_2samp(grams[inside], their_grams[their_inside]).pvalue > 0.01
        assert inside.sum() / 6000 == pytest.approx(their_inside.sum() / 1500, abs=0.05)
    assert len(at) / 6000 == pytest.approx(eaten.sum() / 1500, abs=0.1)
    carbs = ours.eat_g.sum(axis=1) / 20
    their_carbs = np.array([sum(amounts) for _, amounts in simglucose_days])
    assert carbs.mean() == pytest.approx(their_carbs.mean(), rel=0.03)


def test_the_six_meals_have_the_published_odds_times_and_amounts() -> None:
    """Against the truncated normal itself, with 6,000 days."""
    at, grams = _meals(RandomMeals().events(_keys(300, seed=5), _adults(300), 20))
    assert (at == np.round(at)).all()
    assert (grams == np.round(grams)).all()
    assert (grams > 0).all()
    for slot in SIMGLUCOSE_DAY:
        inside = (at > 60 * slot.earliest) & (at < 60 * slot.latest)
        chance = slot.probability * stats.norm.sf((0.5 - slot.carbs_g) / slot.carbs_sd)
        assert inside.sum() / 6000 == pytest.approx(chance, abs=0.025)
        times = stats.truncnorm(
            (slot.earliest - slot.hour) / slot.hour_sd, (slot.latest - slot.hour) / slot.hour_sd,
            60 * slot.hour, 60 * slot.hour_sd,
        )  # fmt: skip
        count = inside.sum()
        assert at[inside].mean() == pytest.approx(times.mean(), abs=4 * times.std() / np.sqrt(count))
        assert at[inside].std() == pytest.approx(times.std(), rel=4 / np.sqrt(count))
        if slot.carbs_g > 3 * slot.carbs_sd:  # else the cut at zero moves the mean
            assert grams[inside].mean() == pytest.approx(slot.carbs_g, abs=4 * slot.carbs_sd / np.sqrt(count))
            assert grams[inside].std() == pytest.approx(slot.carbs_sd, rel=4 / np.sqrt(count))


def test_time_amount_and_the_next_meal_are_drawn_independently() -> None:
    keys = _keys(6000, seed=6)
    events = RandomMeals(day=SIMGLUCOSE_DAY[2:4]).events(keys, _adults(6000), 1)
    lunch = (events.eat_minute[:, 0] > 600) & (events.eat_minute[:, 0] < 840)
    snack = np.isfinite(events.eat_minute[lunch, 1])
    at, grams = events.eat_minute[lunch, 0], events.eat_g[lunch, 0]
    table = np.corrcoef([at, np.abs(at - 720), grams, np.abs(grams - 70), snack])
    assert np.abs(table - np.eye(5)).max() < 4 / np.sqrt(lunch.sum())


def test_amounts_are_scaled_by_weight_up_to_seventy_kilograms() -> None:
    keys, weight = _keys(3), np.array([35.0, 70.0, 100.0])
    plain = RandomMeals().events(keys, weight, 3)
    scaled = RandomMeals(scale_by_weight=True).events(keys, weight, 3)
    np.testing.assert_array_equal(scaled.eat_minute, plain.eat_minute)
    np.testing.assert_allclose(scaled.eat_g, plain.eat_g * np.array([[0.5], [1.0], [1.0]]), rtol=1e-15)
    assert scaled.eat_g[0].sum() > 50
    np.testing.assert_array_equal(scaled.tell_g[scaled.tell_g > 0], scaled.eat_g[scaled.eat_g > 0])


@pytest.mark.parametrize("days", [0.5, 1, 2.25])
def test_no_meal_begins_after_the_episode_ends(days: float) -> None:
    events = RandomMeals().events(_keys(50), _adults(50), days)
    eaten = np.isfinite(events.eat_minute)
    assert events.eat_minute[eaten].max() < 1440 * days
    assert (events.eat_g[eaten] > 0).all()
    assert (events.eat_g[~eaten] == 0).all()
    assert events.sensitivity.shape == (50, int(24 * days))


@pytest.mark.parametrize("habit", [EXACT, REALISTIC], ids=["exact", "realistic"])
def test_meals_are_in_order_of_time_with_padding_last(habit: Behaviour) -> None:
    events = RandomMeals(habit).events(_keys(50), _adults(50), 3)
    for minute in (events.eat_minute, events.tell_minute):
        assert (np.diff(np.where(np.isinf(minute), 1e9, minute), axis=1) >= 0).all()


EVERY = {
    "random": RandomMeals(REALISTIC, scale_by_weight=True),
    "fixed": FixedMeals(((7.5, 45.0), (12.0, 70.0)), REALISTIC),
    "recorded": RecordedDays((((400.0, 30.0), (800.0, 50.0)), (), ((5.0, 20.0),)), "P1", REALISTIC),
    "fasting": FixedMeals((), REALISTIC),
}


def _same(one: Events, other: Events) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(Events)
    )


@pytest.mark.parametrize("name", EVERY)
def test_the_same_key_is_the_same_day_whoever_else_is_there(name: str) -> None:
    scenario: Scenario = EVERY[name]
    keys, weight = _keys(40), np.linspace(20, 100, 40)
    together = scenario.events(keys, weight, 2)
    assert _same(together, scenario.events(keys, weight, 2))
    order = np.random.default_rng(0).permutation(40)[:13]
    part = scenario.events(keys[order], weight[order], 2)
    for field in fields(Events):
        np.testing.assert_array_equal(getattr(part, field.name), getattr(together, field.name)[order])


def test_a_longer_episode_begins_with_the_days_of_a_shorter_one() -> None:
    short, long = (RandomMeals(REALISTIC).events(_keys(20), _adults(20), days) for days in (1, 4))
    for row in range(20):
        for name in ("eat_minute", "eat_g"):
            first_day = getattr(long, name)[row][long.eat_minute[row] < 1440]
            np.testing.assert_array_equal(first_day, getattr(short, name)[row][: len(first_day)])
            assert np.isfinite(short.eat_minute[row]).sum() == len(first_day)


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"replica": 1}, {"episode": 1}, {"split": "validation"}, {"split": "test"}],
    ids=lambda change: "-".join(map(str, *change.items())),
)
def test_a_new_seed_replica_episode_or_split_is_a_new_day(other: dict[str, int]) -> None:
    scenario = RandomMeals(REALISTIC)
    one = scenario.events(_keys(30), _adults(30), 2)
    two = scenario.events(_keys(30, **other), _adults(30), 2)  # type: ignore[arg-type]
    for row in range(30):
        assert not np.array_equal(one.eat_minute[row], two.eat_minute[row])
        assert not np.array_equal(one.sensitivity[row], two.sensitivity[row])


def test_days_of_one_episode_differ() -> None:
    minute, _ = _meals(RandomMeals().events(_keys(1), _adults(1), 30))
    assert len(np.unique(minute)) > 60


def test_fixed_meals_come_every_day_at_their_hour() -> None:
    events = FixedMeals(((18.5, 80.0), (7.0, 45.0), (12.0, 0.0))).events(_keys(2), _adults(2), 2)
    np.testing.assert_array_equal(events.eat_minute, [[420, 1110, 1860, 2550, NEVER, NEVER]] * 2)
    np.testing.assert_array_equal(events.eat_g, [[45, 80, 45, 80, 0, 0]] * 2)
    np.testing.assert_array_equal(events.tell_minute, events.eat_minute + 1)
    np.testing.assert_array_equal(events.tell_g, events.eat_g)


def test_a_fast_has_no_meals() -> None:
    events = scenarios.named("fasting").events(_keys(3), _adults(3), 2)
    assert np.isinf(events.eat_minute).all()
    assert np.isinf(events.tell_minute).all()
    assert not events.eat_g.any()
    np.testing.assert_array_equal(events.sensitivity, np.ones((3, 48)))


RECORDED = RecordedDays((((420.5, 10.0),), ((480.0, 20.0), (470.0, 5.0)), ((540.0, 30.0),)), whose="P1")


@pytest.mark.parametrize(
    ("replica", "episode", "days", "grams"),
    [
        (0, 0, 1, [10.0]),
        (1, 0, 1, [5.0, 20.0]),
        (2, 0, 1, [30.0]),
        (3, 0, 1, [10.0]),
        (0, 2, 1, [30.0]),
        (0, 0, 2, [10.0, 5.0, 20.0]),
        (1, 0, 2, [30.0, 10.0]),
        (0, 1, 2, [30.0, 10.0]),
    ],
)
def test_recorded_days_are_dealt_to_replicas_and_episodes_in_turn(
    replica: int, episode: int, days: int, grams: list[float]
) -> None:
    events = RECORDED.events(_keys(1, replica=replica, episode=episode), _adults(1), days)
    assert events.eat_g[events.eat_g > 0].tolist() == grams
    assert events.tell_g[events.tell_g > 0].tolist() == grams


def test_recorded_meals_keep_their_minute_and_lanes_their_own_days() -> None:
    keys = np.concatenate([_keys(1, replica=0), _keys(1, replica=1)])
    events = RECORDED.events(keys, _adults(2), 1)
    np.testing.assert_array_equal(events.eat_minute, [[420, NEVER], [470, 480]])
    np.testing.assert_array_equal(events.eat_g, [[10, 0], [5, 20]])


def test_no_recorded_day_is_refused() -> None:
    with pytest.raises(ValueError, match="no recorded day of P1; needed is at least one"):
        RecordedDays((), "P1")


@pytest.mark.parametrize("meal", [(1440.0, 10.0), (-1.0, 10.0), (60.0, -5.0), (60.0, np.nan), (np.nan, 5.0)])
def test_a_meal_out_of_its_day_or_without_an_amount_is_refused(meal: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="allowed are 0 g or more at 0 ... 1439"):
        RecordedDays((((60.0, 10.0), meal),), "P1")
    with pytest.raises(ValueError, match="meal of .* g at minute"):
        FixedMeals(((meal[0] / 60, meal[1]),))


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios_have_names_and_say_what_they_are(name: str) -> None:
    scenario = scenarios.named(name, "realistic")
    assert scenario.behaviour is REALISTIC
    assert len(scenario.description) > 5
    one = scenario.events(_keys(5), np.full(5, 30.0), 2, np.zeros(5, int))
    other = scenarios.named("simglucose", "realistic").events(_keys(5), np.full(5, 30.0), 2)
    assert _same(one, other) == (name == "simglucose")


def test_an_unknown_scenario_or_behaviour_is_answered_with_the_nearest_known() -> None:
    with pytest.raises(ValueError, match="unknown scenario 'simglucos'; did you mean 'simglucose'"):
        scenarios.named("simglucos")
    with pytest.raises(ValueError, match="unknown scenario 'zzz'; Known are simglucose, simglucose-weight"):
        scenarios.named("zzz")
    with pytest.raises(ValueError, match="unknown behaviour 'exactly'; did you mean 'exact'"):
        scenarios.named("simglucose", "exactly")


class Table:
    """Serves the events of n people in intervals of `length` minutes, as the stepping loop will."""

    def __init__(self, events: Events, keys: NDArray, length: int, treats: tuple[float, float, float]):
        n = len(keys)
        self.events, self.length, self.treats = events, length, treats
        self.keys = random.stream(keys, Stream.TREATMENT)
        self.cursor = np.zeros((n, 2), np.int64)
        self.plate, self.told = np.full((n, length), np.nan), np.full(n, np.nan)
        self.rescue = np.full(n, np.nan)
        self.drive = np.tile(NEUTRAL_DRIVE, (n, 1, 1))

    def serve(self, minute: int, glucose_mg_dl: float | NDArray = 120.0) -> None:
        n, events = len(self.keys), self.events
        serve(
            np.full(n, minute), events.eat_minute, events.eat_g, events.tell_minute, events.tell_g,
            events.sensitivity, self.cursor, self.keys, np.broadcast_to(glucose_mg_dl, n).astype(float),
            self.treats, self.plate, self.told, self.rescue, self.drive,
        )  # fmt: skip

    def minutes(self, start: int, end: int) -> Iterator[int]:
        yield from range(start, end, self.length)


NEVER_TREATS = (0.0, 0.0, 15.0)


@pytest.mark.kernels
@pytest.mark.parametrize("length", [1, 3, 5, 30])
def test_every_meal_reaches_the_plate_in_its_minute_and_is_told_at_the_next_sample(length: int) -> None:
    events = FixedMeals(((0.0, 4.0), (1 + 7 / 60, 45.0), (1 + 8 / 60, 5.0))).events(_keys(2), _adults(2), 1)
    table = Table(events, _keys(2), length, NEVER_TREATS)
    plate, told = [], {}
    for minute in table.minutes(0, 120):
        table.serve(minute)
        plate.append(table.plate.copy())
        if table.told.any():
            told[minute] = table.told.tolist()
    grams = np.concatenate(plate, axis=1)
    expected = np.zeros((2, 120))
    expected[:, [0, 67, 68]] = (4.0, 45.0, 5.0)
    np.testing.assert_array_equal(grams, expected)

    def sample(minute: int) -> int:
        return -(-minute // length) * length

    meals = ((0, 4.0), (67, 45.0), (68, 5.0))
    by_sample: dict[int, float] = {}
    for minute, amount in meals:
        by_sample[sample(minute + 1)] = by_sample.get(sample(minute + 1), 0.0) + amount
    assert told == {minute: [amount, amount] for minute, amount in by_sample.items()}


def test_all_that_is_drawn_is_served_once() -> None:
    keys = _keys(30)
    events = RandomMeals(REALISTIC).events(keys, _adults(30), 3)
    table = Table(events, keys, 5, NEVER_TREATS)
    eaten, told = np.zeros(30), np.zeros(30)
    for minute in table.minutes(0, 3 * 1440):
        table.serve(minute)
        eaten += table.plate.sum(axis=1)
        told += table.told
    np.testing.assert_allclose(eaten, events.eat_g.sum(axis=1))
    late = np.where(events.tell_minute < 3 * 1440 - 5, events.tell_g, 0.0)
    np.testing.assert_allclose(told, late.sum(axis=1))


@pytest.mark.kernels
def test_the_sensitivity_of_the_hour_reaches_both_multipliers_and_nothing_else() -> None:
    keys = _keys(2)
    events = FixedMeals((), REALISTIC).events(keys, _adults(2), 0.25)
    table = Table(events, keys, 5, NEVER_TREATS)
    for minute in (0, 55, 60, 359, 360, 5000):
        table.serve(minute)
        expected = events.sensitivity[:, min(minute // 60, 5)]
        np.testing.assert_array_equal(table.drive[:, 0, 0], expected)
        np.testing.assert_array_equal(table.drive[:, 0, 1], expected)
        np.testing.assert_array_equal(table.drive[:, 0, 2:], 0.0)


def _fasting(n: int, length: int, treats: tuple[float, float, float]) -> Table:
    keys = _keys(n)
    return Table(FixedMeals(()).events(keys, _adults(n), 2), keys, length, treats)


def test_lows_are_treated_with_the_odds_of_day_and_night() -> None:
    n = 4000
    table = _fasting(n, 5, (0.7, 0.35, 15.0))
    for minute, odds in ((0, 0.35), (345, 0.35), (360, 0.7), (720, 0.7), (1425, 0.7), (1440, 0.35)):
        table.serve(minute, 69.9)
        treated = table.rescue > 0
        assert treated.mean() == pytest.approx(odds, abs=4 * np.sqrt(odds * (1 - odds) / n)), minute
        assert set(table.rescue.tolist()) == {0.0, 15.0}
        np.testing.assert_array_equal(table.plate[:, 0], table.rescue)
        assert not table.plate[:, 1:].any()
        assert not table.told.any(), "rescue carbs are no announced meal"


@pytest.mark.kernels
@pytest.mark.parametrize("glucose", [70.0, 120.0, np.nan])
def test_what_is_not_low_is_not_treated(glucose: float) -> None:
    table = _fasting(3, 5, (1.0, 1.0, 15.0))
    for minute in table.minutes(600, 660):
        table.serve(minute, glucose)
        assert not table.rescue.any()
        assert not table.plate.any()


@pytest.mark.kernels
@pytest.mark.parametrize("length", [1, 3, 5, 15])
def test_a_low_is_treated_at_most_once_in_a_quarter_of_an_hour(length: int) -> None:
    table = _fasting(2, length, (1.0, 1.0, 20.0))
    at = []
    for minute in table.minutes(600, 720):
        table.serve(minute, np.array([60.0, 100.0]))
        assert table.rescue[1] == 0
        if table.rescue[0]:
            assert table.rescue[0] == 20.0
            at.append(minute)
    assert at == list(range(600, 720, 15))


def test_each_quarter_of_an_hour_and_each_person_is_drawn_anew() -> None:
    table = _fasting(500, 5, (0.5, 0.5, 15.0))
    treated = []
    for minute in range(600, 600 + 15 * 20, 15):
        table.serve(minute, 60.0)
        treated.append(table.rescue > 0)
    correlations = np.corrcoef(np.array(treated, float))
    assert np.abs(correlations - np.eye(20)).max() < 0.2
    per_person = np.sum(treated, axis=0)
    assert per_person.var() == pytest.approx(5.0, rel=0.3), "binomial: 20 x 0.5 x 0.5"


@pytest.mark.kernels
def test_a_rescue_adds_to_a_meal_of_the_same_minute() -> None:
    events = FixedMeals(((10.0, 40.0),)).events(_keys(1), _adults(1), 1)
    table = Table(events, _keys(1), 5, (1.0, 1.0, 15.0))
    table.serve(595, 120.0)
    table.serve(600, 60.0)
    assert (table.plate[0, 0], table.rescue[0]) == (55.0, 15.0)


@pytest.mark.kernels
def test_what_is_served_does_not_depend_on_company() -> None:
    keys = _keys(6)
    scenario = RandomMeals(REALISTIC)
    glucose = np.array([60.0, 100.0, 65.0, 50.0, 69.0, 71.0])
    served = []
    for rows in ([0, 1, 2, 3, 4, 5], [4], [5, 3, 0]):
        events = scenario.events(keys[rows], _adults(len(rows)), 1)
        table = Table(events, keys[rows], 5, (0.7, 0.35, 15.0))
        history = []
        for minute in table.minutes(0, 900):
            table.serve(minute, glucose[rows])
            history.append(np.concatenate([table.plate, table.told[:, None], table.drive[:, 0]], axis=1))
        served.append(np.array(history))
    np.testing.assert_array_equal(served[1][:, 0], served[0][:, 4])
    np.testing.assert_array_equal(served[2], served[0][:, [5, 3, 0]])


def test_meals_of_people_of_a_cohort_differ() -> None:
    people = cohort.load("all")
    keys = random.keys("test", 0, people.numbers, 0, 0)
    events = RandomMeals().events(keys, people.weight_kg, 1)
    assert len(np.unique(events.eat_minute, axis=0)) == 30
