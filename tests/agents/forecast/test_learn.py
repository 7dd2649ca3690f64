"""A tiny training learns what can be learned, the same for the same seed, and torch and numpy say the same."""

import numpy as np
import pytest
import torch

from agents.forecast.features import CHANNELS, PAST_STEPS, see
from agents.forecast.forecaster import Forecaster
from agents.forecast.learn import Examples, Network, Settings, learn, pinball_loss
from agents.forecast.network import OUTPUTS, QUANTILES, Sizes, heads, split
from agents.forecast.saved import MOST_WEIGHTS
from agents.forecast.targets import STEPS, ahead
from tests.agents.forecast.waves import wave

TINY = Settings(rounds=12, every=1, batch=64, units=12, width=16, members=1, dropout=0.0, learning_rate=0.02)


def examples(seed: int, part: slice) -> Examples:
    record = wave(seed=seed, days=4)
    seen = see(record)
    starts = np.arange(part.start, part.stop - STEPS)
    starts = starts[seen.allowed[starts]]
    return Examples(seen, starts, ahead(record, starts, part.stop))


TRAIN, HOLD, TEST = slice(0, 700), slice(700, 900), slice(900, 1152)


@pytest.fixture(scope="module")
def learned() -> Forecaster:
    return learn([examples(seed, TRAIN) for seed in (0, 1)], [examples(seed, HOLD) for seed in (0, 1)], TINY)


def test_a_wave_is_forecast_better_than_by_its_last_reading(learned: Forecaster) -> None:
    one = examples(0, TEST)
    found, seen = learned.of(one.seen, one.starts), one.ahead.glucose_mg_dl
    held = one.seen.now[one.starts, one.seen.names.index("glucose")]
    ours, theirs = (
        np.sqrt(np.nanmean((guess - seen[:, -1]) ** 2)) for guess in (found.mean_mg_dl[:, -1], held)
    )
    assert ours < 0.5 * theirs
    assert (np.diff(found.quantiles_mg_dl, axis=1) >= 0).all() and (found.low_mg_dl <= found.high_mg_dl).all()
    low = one.ahead.low
    assert np.nanmean(found.low[low == 1]) > 0.6 > 0.3 > np.nanmean(found.low[low == 0])
    read = np.isfinite(seen[:, -1])
    inside = (seen >= found.low_mg_dl) & (seen <= found.high_mg_dl)
    assert 0.7 < inside[read, -1].mean() <= 1


def test_forecasts_of_a_record_and_of_its_features_agree(learned: Forecaster) -> None:
    record = wave(seed=0, days=4)
    starts = np.flatnonzero(see(record).allowed)[:5]
    together = learned(record, starts)
    for number in range(5):  # a forecast does not hang on the others
        alone = learned.of(see(record), starts[[number]])
        np.testing.assert_array_equal(alone.mean_mg_dl[0], together.mean_mg_dl[number])
        assert alone.low[0] == together.low[number]


def test_the_same_seed_gives_the_same_weights_and_another_one_others() -> None:
    short = Settings(rounds=1, every=2, batch=64, units=4, width=4, members=2, seed=5)
    parts = [examples(0, TRAIN)], [examples(0, HOLD)]
    one, two = learn(*parts, short), learn(*parts, short)
    assert all((one.arrays[name] == two.arrays[name]).all() for name in one.arrays)
    assert (one.arrays["0.out.bias"] != one.arrays["1.out.bias"]).any(), "members are drawn apart"
    other = learn(*parts, Settings(rounds=1, every=2, batch=64, units=4, width=4, members=2, seed=6))
    assert (one.arrays["0.out.bias"] != other.arrays["0.out.bias"]).any()


def test_torch_and_numpy_agree() -> None:
    torch.manual_seed(0)
    network = Network(Sizes(len(CHANNELS), 5, 6, 7, 1), dropout=0.5).eval()
    past, figures = torch.randn(9, PAST_STEPS, len(CHANNELS)), torch.randn(9, 5)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    assert {name: value.shape for name, value in weights.items()} == Sizes(len(CHANNELS), 5, 6, 7, 1).shapes()
    with torch.no_grad():
        wanted = split(network(past, figures).numpy().astype(np.float64))
    found = heads(weights, past.numpy(), figures.numpy())
    for name in ("mean", "quantiles", "low_by", "low_night"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), atol=1e-5)
    assert found.quantiles.shape == (9, len(QUANTILES), STEPS) and found.low_night.shape == (9,)
    with pytest.raises(ValueError, match="needed are"):
        heads(weights, past.numpy()[:, :3], figures.numpy())


def test_a_forecaster_is_small() -> None:
    sizes = Sizes(len(CHANNELS), len(see(wave()).names))
    network = Network(sizes, 0.0)
    assert sizes.weights == sizes.members * sum(one.numel() for one in network.parameters()) < MOST_WEIGHTS
    assert network.out.out_features == OUTPUTS


def test_pinball_by_hand() -> None:
    quantiles = torch.zeros(1, len(QUANTILES), 1)
    above, below = (pinball_loss(quantiles, torch.full((1, 1, 1), value))[0, :, 0] for value in (2.0, -2.0))
    assert above.tolist() == pytest.approx([2 * share for share in QUANTILES])
    assert below.tolist() == pytest.approx([2 * (1 - share) for share in QUANTILES])


def test_too_little_is_refused() -> None:
    with pytest.raises(ValueError, match="give longer records, or more people"):
        learn([examples(0, slice(0, 60))], [examples(0, HOLD)], TINY)
    with pytest.raises(ValueError, match="0 to choose by"):
        learn([examples(0, TRAIN)], [], TINY)
