"""Who sits in which lane, and which day comes next: the rows and keys of episodes."""

import numpy as np
from numpy.typing import NDArray

from twins import random
from twins.cohort import Cohort
from twins.random import check_seed


class Roster:
    """Gives persons and keys to lanes.

    A batch fills its lanes with the cohort round-robin: lane i holds person i mod P as replica i div P, in
    every episode. With `rotate=True` (one lane) the next person comes each episode, as replica 0.
    """

    def __init__(self, cohort: Cohort, lanes: int, split: str, seed: int, rotate: bool = False) -> None:
        self._numbers, self._split, self._rotate = cohort.numbers, split, rotate
        self._rows = np.arange(lanes) % len(cohort)
        self._replica = np.arange(lanes) // len(cohort)
        self.seed = np.full(lanes, check_seed(seed), np.int64)
        self.episode = np.full(lanes, -1)

    def begin_anew(self, seed: int | list[int] | None) -> None:
        """Episodes count from 0 again, under a new seed (one for all lanes, or a list of one per lane)."""
        if seed is not None:
            seeds = seed if isinstance(seed, list | tuple) else [seed] * len(self.seed)
            if len(seeds) != len(self.seed):
                raise ValueError(
                    f"{len(seeds)} seeds were given for {len(self.seed)} lanes; give one for all, or one per lane"
                )
            self.seed[:] = [check_seed(one) for one in seeds]
            self.episode[:] = -1

    def next(self, lanes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Rows of the cohort (m,) and keys (m, 6) of the next episode of these lanes."""
        self.episode[lanes] += 1
        episode, rows = self.episode[lanes], self._rows[lanes]
        if self._rotate:
            rows, episode = episode % len(self._numbers), episode // len(self._numbers)
        keys = random.keys(self._split, 0, self._numbers[rows], self._replica[lanes], episode)
        keys[:, random.SEED] = self.seed[lanes]
        return rows, keys
