"""Random numbers: the published generator, good statistics, and independence of company."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from twins import random
from twins.random import EPISODE, KEY_COLUMNS, PERSON, REPLICA, SEED, SPLIT, STREAM, Stream

ONES = 0xFFFFFFFF


@pytest.mark.kernels
@pytest.mark.parametrize(
    ("counter", "key", "block"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
    ids=["zeros", "ones", "digits of pi"],
)
def test_philox_gives_the_published_known_answers(
    counter: tuple[int, ...], key: tuple[int, ...], block: tuple[int, ...]
) -> None:
    """philox4x32-10 in the file kat_vectors of Random123."""
    words = [np.uint64(word) for word in (*counter, *key)]
    assert tuple(int(word) for word in random._philox(*words)) == block


@pytest.mark.kernels
def test_a_draw_is_the_philox_block_that_its_key_names() -> None:
    """Counter: block, stream and split, episode, replica; Philox key: seed, person. So no two collide."""
    keys = random.stream(random.keys("test", 7, 11, 13, 17), Stream.TREATMENT)
    words = [np.uint64(word) for word in (1, 256 * Stream.TREATMENT + 2, 17, 13, 7, 11)]
    w0, w1, w2, w3 = (int(word) for word in random._philox(*words))
    expected = [((w0 << 32 | w1) >> 12) + 0.5, ((w2 << 32 | w3) >> 12) + 0.5]
    np.testing.assert_array_equal(random.uniform(keys, 2, first=2)[0] * 2.0**52, expected)


@pytest.mark.kernels
def test_a_uniform_number_is_never_zero_or_one() -> None:
    """Whatever the generator gives: the next layers take logarithms and quantiles of it."""
    none, all_ones = np.uint64(0), np.uint64(ONES)
    assert 0 < random._unit(none, none) < 1e-15
    assert 1 - 1e-15 < random._unit(all_ones, all_ones) < 1


def _keys(n: int = 50) -> NDArray[np.uint32]:
    return random.keys("train", 3, np.arange(n), 1, 2)


def test_uniform_numbers_are_uniform() -> None:
    draws = random.uniform(_keys(), 4000)
    assert stats.kstest(draws.ravel(), "uniform").pvalue > 0.01
    per_person = [stats.kstest(row, "uniform").pvalue for row in draws]
    assert stats.kstest(per_person, "uniform").pvalue > 0.01, "persons differ more or less than chance"


def test_normal_numbers_are_standard_normal() -> None:
    draws = random.normal(_keys(), 4000)
    assert stats.kstest(draws.ravel(), "norm").pvalue > 0.01
    assert draws.mean() == pytest.approx(0, abs=4 / np.sqrt(draws.size))
    assert draws.std() == pytest.approx(1, abs=4 / np.sqrt(2 * draws.size))
    assert stats.kurtosis(draws.ravel()) == pytest.approx(0, abs=4 * np.sqrt(24 / draws.size))


@pytest.mark.parametrize("kind", [random.uniform, random.normal], ids=["uniform", "normal"])
def test_draws_of_one_stream_do_not_follow_each_other(kind: Callable[..., NDArray]) -> None:
    draws = kind(_keys(1), 100_000)[0]
    for lag in (1, 2, 3, 4, 10):
        assert abs(np.corrcoef(draws[:-lag], draws[lag:])[0, 1]) < 4 / np.sqrt(len(draws))
    # pairs come from one block: neither the first nor its distance from the middle tells the second
    assert abs(np.corrcoef(np.abs(draws[::2] - draws.mean()), draws[1::2])[0, 1]) < 0.02


def test_two_keys_that_differ_in_any_column_are_unrelated() -> None:
    """Neighbouring numbers too, which weak generators mix up."""
    base = random.uniform(_keys(1), 20_000)[0]
    assert sorted((SPLIT, SEED, PERSON, REPLICA, STREAM, EPISODE)) == list(range(KEY_COLUMNS))
    for column in range(KEY_COLUMNS):
        keys = _keys(1)
        keys[:, column] += 1
        other = random.uniform(keys, 20_000)[0]
        assert not np.isin(other, base).any()
        assert abs(np.corrcoef(base, other)[0, 1]) < 4 / np.sqrt(len(base))


def test_streams_and_splits_of_a_day_share_no_number() -> None:
    keys = [random.stream(random.keys(split, 0, 5, 0, 0), name) for split in random.SPLITS for name in Stream]
    draws = random.uniform(np.concatenate(keys), 1000)
    assert len(np.unique(draws)) == draws.size
    assert np.abs(np.corrcoef(draws) - np.eye(len(draws))).max() < 0.15


@pytest.mark.kernels
@pytest.mark.parametrize("kind", [random.uniform, random.normal], ids=["uniform", "normal"])
def test_draws_do_not_depend_on_company_order_or_portion(kind: Callable[..., NDArray]) -> None:
    keys = _keys(7)
    together = kind(keys, 9)
    order = np.array([3, 0, 6, 1, 5, 2, 4])
    np.testing.assert_array_equal(kind(keys[order], 9), together[order])
    for row in range(7):
        np.testing.assert_array_equal(kind(keys[[row]], 9), together[[row]])
    for first in range(5):  # odd ones begin in the middle of a block
        np.testing.assert_array_equal(kind(keys, 4, first=first), together[:, first : first + 4])
    np.testing.assert_array_equal(kind(keys, 2), together[:, :2])


def test_keys_broadcast_and_hold_what_was_given() -> None:
    keys = random.keys("validation", 2**32 - 1, np.array([5, 6, 7]), np.arange(3), 9)
    assert keys.shape == (3, KEY_COLUMNS)
    assert keys.dtype == np.uint32
    assert (keys[:, SPLIT] == 1).all()
    assert (keys[:, SEED] == 2**32 - 1).all()
    assert keys[:, PERSON].tolist() == [5, 6, 7]
    assert keys[:, REPLICA].tolist() == [0, 1, 2]
    assert keys[:, EPISODE].tolist() == [9, 9, 9]
    assert random.keys("train", 0, 5, np.arange(4), 0).shape == (4, KEY_COLUMNS)


def test_choosing_a_stream_leaves_the_keys_as_they_are() -> None:
    keys = _keys(2)
    chosen = random.stream(keys, Stream.SENSOR)
    assert (keys[:, STREAM] == 0).all()
    assert (chosen[:, STREAM] == Stream.SENSOR).all()


def test_a_persons_number_is_the_crc_of_the_id() -> None:
    """The published check value of CRC-32; the numbers of a cohort's ids differ."""
    assert random.person_number("123456789") == 0xCBF43926
    ids = [f"{group}#{number:03d}" for group in ("adult", "child", "adult~0") for number in range(1000)]
    assert len({random.person_number(person) for person in ids}) == len(ids)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "1", None, True, np.float64(3)])
def test_a_seed_that_is_no_32_bit_number_is_refused(seed: object) -> None:
    with pytest.raises(ValueError, match="allowed are whole numbers from 0 to 4294967295"):
        random.keys("train", seed, 0, 0, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [0, 2**32 - 1, np.int64(5), np.uint32(7)])
def test_any_32_bit_seed_is_kept(seed: int) -> None:
    checked = random.check_seed(seed)
    assert checked == seed
    assert type(checked) is int


@pytest.mark.parametrize("split", ["Train", "", "training", "all"])
def test_an_unknown_split_is_refused_with_the_known_ones(split: str) -> None:
    with pytest.raises(ValueError, match="allowed are train, validation, test"):
        random.keys(split, 0, 0, 0, 0)


@pytest.mark.parametrize("shape", [(6,), (2, 5), (1, 2, 6)])
def test_keys_of_a_wrong_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"keys have shape .*needed is \(n, 6\)"):
        random.uniform(np.zeros(shape, np.uint32), 3)


def test_each_key_may_begin_at_a_place_of_its_own() -> None:
    keys, first = random.keys("train", 3, np.arange(5), 0, 0), np.array([0, 7, 2, 7, 1000])
    for draw in (random.uniform, random.normal):
        found = draw(keys, 3, first)
        for row, begin in enumerate(first.tolist()):
            np.testing.assert_array_equal(found[[row]], draw(keys[[row]], 3, begin))
