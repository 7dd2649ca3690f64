"""Who sits where, and which day comes next."""

import numpy as np
import pytest

from envs.roster import Roster
from twins import cohort, random

PEOPLE = cohort.load(["adult#001", "child#002", "adolescent#003"])


def _next(roster: Roster, lanes: list[int]) -> tuple[list[int], np.ndarray]:
    rows, keys = roster.next(np.array(lanes))
    return rows.tolist(), keys


def test_lanes_are_filled_round_robin_as_replicas() -> None:
    rows, keys = _next(Roster(PEOPLE, 7, "test", 42), list(range(7)))
    assert rows == [0, 1, 2, 0, 1, 2, 0]
    assert keys[:, random.REPLICA].tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert keys[:, random.PERSON].tolist() == [PEOPLE.numbers[row] for row in rows]
    assert set(keys[:, random.SPLIT]) == {2} and set(keys[:, random.SEED]) == {42}
    assert set(keys[:, random.EPISODE]) == {0} and keys.dtype == np.uint32


def test_each_lane_counts_its_own_episodes_and_keeps_its_person() -> None:
    roster = Roster(PEOPLE, 4, "train", 0)
    roster.next(np.arange(4))
    rows, keys = _next(roster, [1, 3])
    assert rows == [1, 0] and keys[:, random.EPISODE].tolist() == [1, 1]
    _, keys = _next(roster, [0, 1, 2, 3])
    assert keys[:, random.EPISODE].tolist() == [1, 2, 1, 2]
    assert keys[:, random.REPLICA].tolist() == [0, 0, 0, 1]


def test_a_single_lane_takes_the_next_person_and_a_new_day_after_everybody() -> None:
    roster = Roster(PEOPLE, 1, "train", 0, rotate=True)
    got = [_next(roster, [0]) for _ in range(7)]
    assert [rows[0] for rows, _ in got] == [0, 1, 2, 0, 1, 2, 0]
    assert [keys[0, random.EPISODE] for _, keys in got] == [0, 0, 0, 1, 1, 1, 2]
    assert {keys[0, random.REPLICA] for _, keys in got} == {0}


def test_all_keys_of_a_long_training_differ() -> None:
    roster = Roster(PEOPLE, 8, "train", 0)
    keys = np.concatenate([roster.next(np.arange(8))[1] for _ in range(50)])
    assert len(np.unique(keys, axis=0)) == 400


def test_beginning_anew_under_a_seed_counts_from_the_first_episode_and_without_one_does_not() -> None:
    roster = Roster(PEOPLE, 2, "train", 0)
    for _ in range(3):
        roster.next(np.arange(2))
    roster.begin_anew(None)
    assert roster.next(np.arange(2))[1][:, random.EPISODE].tolist() == [3, 3]
    roster.begin_anew([7, 8])
    _, keys = roster.next(np.arange(2))
    assert keys[:, random.SEED].tolist() == [7, 8] and keys[:, random.EPISODE].tolist() == [0, 0]
    roster.begin_anew(2**32 - 1)
    assert roster.next(np.arange(2))[1][:, random.SEED].tolist() == [2**32 - 1] * 2


def test_seeds_that_do_not_fit_are_refused_and_change_nothing() -> None:
    roster = Roster(PEOPLE, 2, "train", 5)
    roster.next(np.arange(2))
    for wrong in ([1], [1, 2, 3], [1, -1], -1, 2**32, "1"):
        with pytest.raises(ValueError, match="seed"):
            roster.begin_anew(wrong)  # type: ignore[arg-type]
    _, keys = roster.next(np.arange(2))
    assert keys[:, random.SEED].tolist() == [5, 5] and keys[:, random.EPISODE].tolist() == [1, 1]
    with pytest.raises(ValueError, match="seed"):
        Roster(PEOPLE, 2, "train", -1)
