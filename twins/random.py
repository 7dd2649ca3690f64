"""Counter-based random numbers: what a person draws does not depend on who else is simulated.

The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
1, 2, 3", SC'11). It has no state: a draw is a pure function of a key and a counter, so the same
person, episode and stream give the same numbers alone or in a batch, in any order, on any process.

A key is a row of six unsigned integers, columns `SPLIT` ... `EPISODE`. Two keys that differ in any
column give unrelated streams; train, validation and test can therefore never share a day.
"""

import zlib
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twins.kernels import kernel

SPLIT, SEED, PERSON, REPLICA, STREAM, EPISODE = range(6)
KEY_COLUMNS = 6

SPLITS = {"train": 0, "validation": 1, "test": 2}


class Stream(IntEnum):
    """Independent sources of randomness of one person's episode."""

    MEALS = 0
    SENSOR = 1
    BEHAVIOUR = 2
    SENSITIVITY = 3
    TREATMENT = 4
    COHORT = 5
    INITIAL_STATE = 6
    THERAPY = 7
    FAULTS = 8
    MISMATCH = 9
    EXERCISE = 10
    SESSIONS = 11
    FITNESS = 12
    TRAINING = 13
    CLOCK = 14
    SLEEP = 15
    COUPLINGS = 16
    DUTIES = 17
    NIGHTS = 18
    WEARABLE = 19
    SLEEP_CHANCE = 20
    ORDINARY = 21
    FOLLOWING = 22
    STRENGTH = 23


_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_12 = np.uint64(12)
_TO_UNIT = 1.0 / 4503599627370496.0  # 2^-52


@kernel
def _philox(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """One block of Philox4x32-10. All words are uint64 holding 32-bit values; returns four such words."""
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1 & _LOW, (p0 >> _32) ^ c3 ^ k1, p0 & _LOW
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@kernel
def _unit(high, low):  # type: ignore[no-untyped-def]
    """A uniform from two words: the middle of one of 2^52 equal parts, so never 0 and never 1.

    Of 2^53 parts the middle of the last could not be held and would be rounded to 1.
    """
    return (((high << _32) | low) >> _12) * _TO_UNIT + 0.5 * _TO_UNIT


@kernel
def pair(key, index):  # type: ignore[no-untyped-def]
    """Two uniforms in (0, 1) with 52 bits: block number `index` of the stream that `key` (row of 6) names.

    The seed and the person make the Philox key; block, stream and split, episode and replica make
    the counter, so the map from names to numbers is one to one.
    """
    w0, w1, w2, w3 = _philox(
        np.uint64(index) & _LOW,
        np.uint64(key[STREAM]) * np.uint64(256) + np.uint64(key[SPLIT]),
        np.uint64(key[EPISODE]),
        np.uint64(key[REPLICA]),
        np.uint64(key[SEED]),
        np.uint64(key[PERSON]),
    )
    return _unit(w0, w1), _unit(w2, w3)


@kernel
def normal_pair(key, index):  # type: ignore[no-untyped-def]
    """Two independent standard normals from block `index` (Box-Muller)."""
    first, second = pair(key, index)
    radius = np.sqrt(-2.0 * np.log(first))
    return radius * np.cos(2.0 * np.pi * second), radius * np.sin(2.0 * np.pi * second)


@kernel
def _fill(keys, first_draw, out, gaussian):  # type: ignore[no-untyped-def]
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            draw = first_draw[row] + column
            a, b = normal_pair(keys[row], draw // 2) if gaussian else pair(keys[row], draw // 2)
            out[row, column] = b if draw % 2 else a


First = int | NDArray[np.int64]


def uniform(keys: NDArray[np.uint32], count: int, first: First = 0) -> NDArray[np.float64]:
    """Draws `first` ... `first + count - 1` of each stream, uniform in (0, 1).

    keys: shape (n, 6), unsigned integers below 2^32; first: one number, or one for each key (n,). Returns shape
    (n, count).
    """
    return _draw(keys, count, first, gaussian=False)


def normal(keys: NDArray[np.uint32], count: int, first: First = 0) -> NDArray[np.float64]:
    """Like `uniform`, but standard normal."""
    return _draw(keys, count, first, gaussian=True)


def _draw(keys: NDArray[np.uint32], count: int, first: First, *, gaussian: bool) -> NDArray[np.float64]:
    keys = np.ascontiguousarray(keys, dtype=np.uint32)
    if keys.ndim != 2 or keys.shape[1] != KEY_COLUMNS:
        raise ValueError(
            f"keys have shape {keys.shape}; needed is (n, {KEY_COLUMNS}); build them with random.keys()"
        )
    out = np.empty((len(keys), count))
    begins = np.full(len(keys), first, np.int64)
    _fill(keys, begins, out, gaussian)
    return out


def person_number(person: str) -> int:
    """The number that stands for a person in a key: CRC-32 of the id, so it never depends on company."""
    return zlib.crc32(person.encode())


def check_seed(seed: int) -> int:
    """Return `seed` as int, or raise ValueError when it is not a whole number in 0 ... 2^32 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= int(seed) < 2**32:
        raise ValueError(f"seed is {seed!r}; allowed are whole numbers from 0 to 4294967295")
    return int(seed)


def keys(
    split: str, seed: int, person: ArrayLike, replica: ArrayLike, episode: ArrayLike
) -> NDArray[np.uint32]:
    """Keys of shape (n, 6) for `person` (numbers of `person_number`), `replica` and `episode`, stream 0.

    Use `stream(keys, Stream.SENSOR)` for one source of randomness. Raises ValueError for an unknown
    split or a seed outside 32 bits.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; allowed are {', '.join(SPLITS)}")
    person, replica, episode = np.broadcast_arrays(np.atleast_1d(person), replica, episode)
    table = np.zeros((len(person), KEY_COLUMNS), np.uint32)
    table[:, SPLIT] = SPLITS[split]
    table[:, SEED] = check_seed(seed)
    table[:, PERSON] = person
    table[:, REPLICA] = replica
    table[:, EPISODE] = episode
    return table


def stream(keys: NDArray[np.uint32], name: Stream) -> NDArray[np.uint32]:
    """A copy of `keys` that points at stream `name`."""
    chosen = keys.copy()
    chosen[:, STREAM] = int(name)
    return chosen
