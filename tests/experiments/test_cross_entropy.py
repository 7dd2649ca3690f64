"""The search finds a maximum, and no search hangs on those beside it."""

import numpy as np

from experiments import cross_entropy


def test_searches_find_their_own_maxima_whoever_is_beside_them() -> None:
    best = np.array([[0.2, 0.8, 0.5], [0.9, 0.1, 0.4]])

    def ended(searches: list[int]) -> cross_entropy.Found:
        return cross_entropy.search(
            lambda points, _: -((points - best[searches]) ** 2).sum(axis=2),
            np.full(3, 0.5),
            [np.random.default_rng(one) for one in searches],
            32,
            15,
        )

    both, one = ended([0, 1]), ended([1])
    np.testing.assert_allclose(both.centre, best, atol=0.05)
    np.testing.assert_array_equal(both.mean[1:], one.mean)
    assert (np.diff(both.curve[[0, 4, 14]], axis=0) > 0).all() and both.best.shape == (8, 2, 3)
