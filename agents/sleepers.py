"""Plans of sleep and light that people follow under imposed hours, and extremes: one decision a day.

A scheme assumes where the clock is, without measuring it, and how fast it moves; light is sought and avoided around
that, sleep and naps are moved from the usual hours. What is published is one set of its numbers, what is best for the
average person another.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import yaml
from numpy.typing import NDArray

from agents import frozen
from agents.frozen import FrozenPolicy
from agents.learned import OfTask
from envs.nights.night import MOST_AVOID_H, MOST_NAP_H, MOST_SEEK_H, Night
from envs.nights.rest import MOST_SHIFT_H, Rest
from envs.nights.view import NightsView
from twins.world.duties import EAST, FREE, KINDS, NIGHTS, REQUIRED_H, SCHOOL, USUAL_H

Array = NDArray[np.float64]

FOUND = Path(__file__).with_name("sleep-plan.yml")
"""Numbers of the plans that are best for the average person, see `experiments.nights.optimum`."""
NUMBERS: dict[str, tuple[float, float]] = {
    "minimum": (0.0, 24.0), "rate": (-3.0, 3.0), "moves": (0.0, 12.0),
    "seek": (-8.0, 8.0), "seek_for": (0.0, MOST_SEEK_H), "avoid": (-8.0, 8.0), "avoid_for": (0.0, MOST_AVOID_H),
    "bed_busy": (-MOST_SHIFT_H, MOST_SHIFT_H), "rise_busy": (-MOST_SHIFT_H, MOST_SHIFT_H),
    "bed_free": (-MOST_SHIFT_H, MOST_SHIFT_H), "rise_free": (-MOST_SHIFT_H, MOST_SHIFT_H),
    "nap_busy": (0.0, 23.0), "nap_busy_for": (0.0, MOST_NAP_H),
    "nap_free": (0.0, 23.0), "nap_free_for": (0.0, MOST_NAP_H),
}  # fmt: skip
"""What a scheme is made of, each with its least and most value, in hours.

minimum: of temperature on the first day, since 18:00, as assumed; rate: by which it moves a day, later if above zero,
until it has moved by `moves`. seek, avoid: begins of bright light and of dark glasses, after the assumed minimum.
bed_*, rise_*: after the usual hours on days with required hours and on free ones; nap_*: since 18:00."""

PUBLISHED: dict[int, dict[str, float]] = {
    EAST: {
        "minimum": 18.0, "rate": -1.0, "moves": 8.0, "seek": 0.0, "seek_for": 3.0, "avoid": -4.0, "avoid_for": 4.0,
    },
    NIGHTS: {
        "minimum": 10.0, "seek": -8.0, "seek_for": 2.0, "avoid": 2.0, "avoid_for": 2.0,
        "bed_free": 3.0, "rise_free": 3.5, "nap_busy": 0.5, "nap_busy_for": 1.5,
    },
    SCHOOL: {
        "minimum": 12.5, "rate": -1.0, "moves": 2.5, "seek": 2.0, "seek_for": 1.0, "avoid": -8.0, "avoid_for": 4.0,
        "bed_busy": -1.0, "bed_free": -1.0, "rise_free": -1.5,
    },
}  # fmt: skip
"""East: light from the minimum on and none before it, both an hour earlier each day (Eastman & Burgess, Sleep Med Clin
4 (2009) 241). Nights: a compromise that is later by some hours, with light in the evening, dark glasses on the way
home, late hours on days off and a nap before work (Smith, Fogg & Eastman, Sleep 32 (2009) 1481). School: earlier
nights, light after rising, dim evenings (Crowley & Eastman, Sleep Med 16 (2015) 1). Numbers that the papers leave open
are set here."""


class Sleeper(Protocol):
    """Decides a day of sleep and light for all people of a view."""

    def act(self, view: NightsView) -> Night:
        """The plan to ask for."""


class Scheme:
    """Follows numbers of `NUMBERS`: (3, K), a row for each kind of weeks, or with `each=True` (n, K), one for each
    person. Raises ValueError for another width.
    """

    def __init__(self, numbers: Array, each: bool = False) -> None:
        self.numbers, self._each = np.asarray(numbers, float), each
        if self.numbers.ndim != 2 or self.numbers.shape[1] != len(NUMBERS):
            raise ValueError(f"numbers have shape {self.numbers.shape}; needed are {len(NUMBERS)} in a row")

    def act(self, view: NightsView) -> Night:
        """See `Sleeper.act`."""
        rows = self.numbers if self._each else self.numbers[view.kind]
        p = dict(zip(NUMBERS, rows.T, strict=True))
        moved = np.minimum(np.abs(p["rate"]) * view.day, p["moves"])
        minimum = p["minimum"] + np.sign(p["rate"]) * moved
        bed, rise = USUAL_H[view.today].T
        free = view.today == FREE

        begin, end = REQUIRED_H[view.today].T
        seek = (minimum + p["seek"]) % 24
        seek = np.where(
            (seek >= begin) & (seek < end), end, seek
        )  # light comes after required hours, not in them

        def of(name: str) -> Array:
            chosen: Array = np.where(free, p[f"{name}_free"], p[f"{name}_busy"])
            return chosen

        return Night.checked(
            view.today, bed + of("bed"), rise + of("rise"), of("nap"),
            np.where(free, p["nap_free_for"], p["nap_busy_for"]), seek % 24, p["seek_for"],
            (minimum + p["avoid"]) % 24, p["avoid_for"],
        )  # fmt: skip


def published() -> Scheme:
    """See `PUBLISHED`."""
    return Scheme(
        np.array([[PUBLISHED[kind].get(name, 0.0) for name in NUMBERS] for kind in range(len(KINDS))])
    )


def average_optimal() -> Scheme:
    """The plan that is best for the average person. Raises ValueError where it was not found yet, or its file is not as
    it is written."""
    if not FOUND.is_file():
        raise ValueError(f"{FOUND.name} is not there; find it by python -m scripts.sleep --find")
    told = yaml.safe_load(FOUND.read_text("utf-8"))
    try:
        rows = [[float(told["numbers"][kind][name]) for name in NUMBERS] for kind in KINDS]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{FOUND.name} lacks numbers ({error}); write it by scripts.sleep --find") from None
    return Scheme(np.array(rows))


class Usual:
    """The imposed hours, and nothing else."""

    def act(self, view: NightsView) -> Night:
        """See `Sleeper.act`."""
        return Night.usual(view.today)


class Always:
    """The same plan every day, in the order of the fields of `Night`."""

    def __init__(self, *hours: float) -> None:
        self._hours = hours

    def act(self, view: NightsView) -> Night:
        """See `Sleeper.act`."""
        return Night.checked(view.today, *(np.full(len(view), one) for one in self._hours))


class Random:
    """Anything; what, hangs on the seed, on how often it was asked and for how many."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, view: NightsView) -> Night:
        """See `Sleeper.act`."""
        return Rest().decode(self._rng.uniform(-1, 1, (len(view), 8)), view)


class Learned(OfTask):
    """A trained policy of the task "sleep"."""

    def __init__(self, policy: FrozenPolicy) -> None:
        self._task = Rest()
        super().__init__(policy, self._task, "weeks of sleep show")

    @classmethod
    def load(cls, folder: str | Path) -> "Learned":
        """From the folder of a policy. Raises what `agents.frozen.load` does."""
        return cls(frozen.load(folder, "sleep"))

    def act(self, view: NightsView) -> Night:
        """See `Sleeper.act`."""
        return self._task.decode(self.action(view), view)


SLEEPERS: dict[str, Callable[[], Sleeper]] = {
    "usual": Usual,
    "published": published,
    "average-optimal": average_optimal,
    "zero": lambda: Always(np.nan, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "most": lambda: Always(0.0, 24.0, 0.0, MOST_NAP_H, 2.0, MOST_SEEK_H, 12.0, MOST_AVOID_H),
    "random": Random,
}
"""By name. zero: as little in bed as is allowed from the usual bedtime on, and no light; most: as much of all as there
is, and a lamp in the evening."""
