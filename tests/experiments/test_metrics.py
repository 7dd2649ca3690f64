"""Metrics against closed forms, published vectors and boundary values; the dead count; gaps."""

import numpy as np
import pytest

from experiments import metrics as m

STEP = 5.0
NAN = float("nan")


def _day(value: float = 120.0, samples: int = 288) -> np.ndarray:
    return np.full(samples, value)


def test_ranges_at_their_bounds() -> None:
    """54, 70, 140, 180, 250 are readings that pumps and sensors report; each belongs to one side."""
    g = np.array([53, 54, 69, 70, 140, 141, 180, 181, 250, 251], float)
    shares = m.time_in_ranges(g)
    assert {name: float(value) for name, value in shares.items()} == {
        "below_54_pct": 10,
        "below_70_pct": 30,
        "tir_pct": 40,
        "titr_pct": 20,
        "above_180_pct": 30,
        "above_250_pct": 10,
    }


def test_five_ranges_sum_to_100() -> None:
    g = np.random.default_rng(0).uniform(30, 400, (20, 97))
    g[g > 390] = NAN
    s = m.time_in_ranges(g)
    np.testing.assert_allclose(s["below_70_pct"] + s["tir_pct"] + s["above_180_pct"], 100, atol=1e-9)


def test_mean_sd_cv_gmi() -> None:
    g = np.array([[100.0, 120, NAN, 140], [154, 154, 154, NAN]])
    np.testing.assert_allclose(m.mean(g), [120, 154])
    np.testing.assert_allclose(m.sd(g), [20, 0], atol=1e-12)
    np.testing.assert_allclose(m.cv_pct(g), [100 / 6, 0], atol=1e-12)
    np.testing.assert_allclose(m.gmi_pct([100, 154]), [5.702, 6.99368])
    assert np.isnan(m.sd(np.array([100.0]))) and m.mean(np.array([100.0])) == 100


@pytest.mark.parametrize(
    ("glucose", "risk"),
    [
        (20, 100.04),
        (40, 36.418),
        (54, 18.461),
        (70, 7.755),
        (90, 1.725),
        (140, 1.665),
        (180, 7.729),
        (250, 22.436),
        (400, 57.046),
        (600, 99.95),
    ],
)
def test_kovatchev_vectors(glucose: float, risk: float) -> None:
    low, high = m.kovatchev_risk(glucose)
    assert low + high == pytest.approx(risk, abs=6e-3)
    assert (low > 0) == (glucose < 112.517) and (high > 0) == (glucose > 112.517)
    assert low + high == pytest.approx(22.77081 * (np.log(glucose) ** 1.084 - 5.381) ** 2, abs=1e-6)


def test_risk_indices_are_means_over_all_readings() -> None:
    g = np.array([70.0, 180.0, NAN, 112.517])
    low, high = m.kovatchev_risk(np.array([70.0, 180.0]))
    assert m.lbgi(g) == pytest.approx(low[0] / 3, abs=1e-6)
    assert m.hbgi(g) == pytest.approx(high[1] / 3, abs=1e-6)


def test_magni_risk() -> None:
    found = m.magni_risk([70, 280, 40, 54, 138.89, 180, 250])
    np.testing.assert_allclose(found, [25.00, 24.99, 84.3, 48.0, 0, 3.47, 17.6], atol=0.05)


def test_gri_and_cogi() -> None:
    assert m.gri(2, 5, 30, 10) == pytest.approx(3 * 2 + 2.4 * 3 + 1.6 * 10 + 0.8 * 20)
    assert m.gri(50, 90, 10, 5) == 100
    assert m.cogi(100, 0, 10) == pytest.approx(100)
    assert m.cogi(70, 3, 36.036) == pytest.approx(35 + 0.35 * 80 + 0.15 * 80)
    assert m.cogi(0, 20, 200) == pytest.approx(0)


@pytest.mark.parametrize(
    ("low", "high", "zone"),
    [
        (100, 150, "A"),
        (80, 150, "Lower B"),
        (100, 200, "Upper B"),
        (80, 200, "B"),
        (60, 150, "Lower C"),
        (100, 350, "Upper C"),
        (60, 200, "Lower D"),
        (80, 350, "Upper D"),
        (60, 350, "E"),
        (115, 500, "Upper C"),  # outside the grid: every episode has a zone
        (20, 105, "Lower C"),
    ],
)
def test_cvga_zone(low: float, high: float, zone: str) -> None:
    assert m.cvga_zone(np.repeat([low, high], 50).astype(float)) == zone


def test_events_need_fifteen_minutes_to_begin_and_to_end() -> None:
    g = _day()
    g[10:12] = 60  # 10 min: none
    g[20:23] = 60  # 15 min: one
    g[40:50] = 60
    g[43:45] = 75  # 10 min in between: still the same
    g[60:70] = 60
    g[64:67] = 75  # 15 min: two events
    (found,) = m.events(g, STEP)
    assert found == [(100, 15, False), (200, 50, False), (300, 20, False), (335, 15, False)]


def test_levels_extended_and_high_events() -> None:
    g = _day()
    g[0:24] = 69.9
    g[100:125] = 53
    g[200:] = 181
    assert [e.extended for e in m.events(g, STEP)[0]] == [False, True]  # 120 min, 125 min
    assert m.events(g, STEP, bound=54)[0] == [(500, 125, True)]
    assert m.events(g, STEP, bound=180, side="high")[0] == [(1000, 440, True)]
    assert m.events(np.full(288, 70.0), STEP)[0] == []


def test_short_gaps_are_bridged_and_long_ones_are_not() -> None:
    short, long = _day(60.0, 20), _day(60.0, 20)
    short[5:8] = NAN
    long[5:9] = NAN
    assert m.events(np.stack([short, long]), STEP) == [[(0, 100, False)], [(0, 25, False), (45, 55, False)]]
    edge = _day(60.0, 10)
    edge[:4] = NAN  # nothing before it that it could take the side of
    assert m.events(edge, STEP) == [[(20, 30, False)]]


def test_day_and_night() -> None:
    g = np.where(m.is_night(288, STEP), 80.0, 120.0)
    assert m.is_night(288, STEP).sum() == 72
    assert m.day_and_night(m.mean, g, STEP) == (120, 80)
    assert m.is_night(3, 60, first_minute=300).tolist() == [True, False, False]
    with pytest.raises(ValueError, match="shape"):
        m.day_and_night(m.mean, g[100:200], STEP, first_minute=500)


def test_mage_of_a_sine_is_twice_its_amplitude() -> None:
    t = np.arange(288)
    sine = 140 + 55 * np.sin(2 * np.pi * t / 72)
    assert m.mage(sine) == pytest.approx(110, abs=1e-6)
    ripple = 3 * np.sin(2 * np.pi * t / 6)  # below one SD: passed over
    assert m.mage(sine + ripple) == pytest.approx(110, abs=8)
    gaps = sine.copy()
    gaps[5:9] = NAN
    found = m.mage(np.stack([sine, gaps, _day()]))
    np.testing.assert_allclose(found, [110, 110, NAN])


def test_mage_goes_the_way_of_the_first_excursion() -> None:
    up_first = np.array([200, 60, 160, 80, 190, 70], float)  # legs between turning points: +100, -80, +110
    assert m.mage(up_first) == pytest.approx(105)


def test_sufficiency() -> None:
    g = np.full((2, 14 * 288), 120.0)
    g[1, : int(0.31 * g.shape[1])] = NAN
    assert m.is_sufficient(g, STEP).tolist() == [True, False]
    assert m.is_sufficient(g[:, :-1], STEP).tolist() == [False, False]
    assert m.sensor_active_pct(g)[1] == pytest.approx(69, abs=0.1)


@pytest.mark.parametrize(
    ("glucose", "message"),
    [
        ([], "not empty"),
        (np.empty((0, 5)), "not empty"),
        ([NAN, NAN], "no reading in episode 0"),
        ([[100, 100], [NAN, NAN]], "no reading in episode 1"),
        ([100, 0], "from 0 to 100 given"),
        ([100, np.inf], "finite"),
        (np.ones((2, 2, 2)), "shape"),
    ],
)
def test_no_glucose_is_an_error_not_zero(glucose: object, message: str) -> None:
    for metric in (m.time_in_ranges, m.mean, m.sd, m.lbgi, m.mage, m.cvga_zone, m.sensor_active_pct):
        with pytest.raises(ValueError, match=message):
            metric(glucose)  # type: ignore[arg-type]


def _row(glucose: np.ndarray, side: str = "", first: int = -1) -> dict[str, float]:
    table = m.episode_metrics(glucose[None], [side], [first], STEP, 10.0, 600.0)
    return {name: float(column[0]) for name, column in table.items()}


def test_episode_metrics_of_the_living_are_the_plain_metrics() -> None:
    g = np.random.default_rng(1).uniform(45, 300, (5, 576))
    table = m.episode_metrics(g, [""] * 5, [-1] * 5, STEP, 10, 600)
    for name, metric in (("mean_mg_dl", m.mean), ("sd_mg_dl", m.sd), ("lbgi", m.lbgi), ("hbgi", m.hbgi)):
        np.testing.assert_allclose(table[name], metric(g))
    np.testing.assert_allclose(table["tir_pct"], m.time_in_ranges(g)["tir_pct"])
    assert {column.shape for column in table.values()} == {(5,)}


def test_constant_trace_and_one_sample() -> None:
    row = _row(_day(112.517))
    assert (row["tir_pct"], row["titr_pct"], row["low_events_per_week"], row["gri"]) == (100, 100, 0, 0)
    assert [row["sd_mg_dl"], row["bgri"]] == pytest.approx([0, 0], abs=1e-6)
    one = _row(np.array([60.0]))
    assert one["below_70_pct"] == 100 and np.isnan(one["sd_mg_dl"])


def test_the_dead_count_on_the_side_of_their_death() -> None:
    """Half the planned time dead: that half is out of range, whatever stands in the array after it."""
    low, high = _row(_day(), "low", 144), _row(_day(), "high", 144)
    assert (low["tir_pct"], low["below_70_pct"], low["below_54_pct"], low["above_180_pct"]) == (50, 50, 50, 0)
    assert (high["tir_pct"], high["above_180_pct"], high["above_250_pct"], high["below_70_pct"]) == (
        50,
        50,
        50,
        0,
    )
    for row in (low, high):
        assert row["mean_mg_dl"] == 120 and row["sd_mg_dl"] == 0  # of the time alive
    assert low["lbgi"] == pytest.approx(float(m.kovatchev_risk(10.0)[0]) / 2)
    assert low["hbgi"] == pytest.approx(float(m.kovatchev_risk(120.0)[1]))
    assert high["hbgi"] > 40 and low["gri"] == 100
    assert (
        low["low_events_per_week"] == low["extended_low_events_per_week"] == 7
        and high["low_events_per_week"] == 0
    )


@pytest.mark.parametrize("side", ["low", "high"])
def test_a_death_never_improves_a_measure(side: str) -> None:
    g = np.random.default_rng(2).uniform(20, 500, 288)
    living = _row(g)
    for first in (0, 1, 100, 287):
        g_alive = g.copy()
        g_alive[first:] = NAN
        dead = _row(g_alive, side, first)
        alive = living if first == 0 else _row(g[:first])
        assert dead["tir_pct"] <= alive["tir_pct"]
        for name in ("lbgi", "hbgi"):
            assert not dead[name] < alive[name] - 1e-9
    assert np.isnan(_row(g, side, 0)["mean_mg_dl"])


@pytest.mark.parametrize(
    ("glucose", "side", "first", "bounds", "message"),
    [
        (np.ones((2, 3)) * 99, ["", ""], [-1], (10, 600), "shapes"),
        (np.ones((1, 3)) * 99, ["dead"], [1], (10, 600), "known are '', 'low', 'high'"),
        (np.ones((1, 3)) * 99, [""], [-1], (60, 600), "below 54 and above 250"),
        (np.ones((1, 3)) * NAN, [""], [-1], (10, 600), "no reading"),
    ],
)
def test_wrong_input_is_explained(
    glucose: np.ndarray, side: list[str], first: list[int], bounds: tuple[float, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        m.episode_metrics(glucose, side, first, STEP, *bounds)


def test_interval_must_be_positive() -> None:
    with pytest.raises(ValueError, match="interval_min: 0 given"):
        m.events(_day(), 0)
