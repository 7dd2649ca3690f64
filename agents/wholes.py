"""Plans for whole persons: insulin by rules with numbers, exercise and nights by rules with numbers, and extremes.

One family serves all that were searched for, so that what differs between them is which levers they may move and what
they were searched under: `Levers`. What it asks for is an action of `envs.tasks.whole_person`, so that a meal that is
told of between two decisions is covered at once.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import yaml
from numpy.typing import NDArray

from agents import frozen
from agents.frozen import FrozenPolicy
from agents.learned import OfTask
from envs import view as v
from envs.bouts.bounds import WEEK_MIN
from envs.living import seen as s
from envs.tasks.dosing import BASAL_GAIN, BOLUS_GAIN
from envs.tasks.whole_person import ACTIONS, WholePerson
from envs.view import View
from twins.cohort import DAILY_INSULIN_U
from twins.words import near_miss

Array = NDArray[np.float64]

FOUND = Path(__file__).with_name("whole-person-plans.yml")
"""Numbers that were found, see `experiments.whole.optimum`."""

DOSES: dict[str, tuple[float, float, float]] = {
    "basal": (0.6, 1.5, 1.0),
    "bolus": (0.3, 1.5, 1.0),
    "by_glucose": (0.0, 1.5, 0.0),
    "by_trend": (0.0, 1.5, 0.0),
    "by_board": (0.0, 1.5, 0.0),
    "morning": (0.7, 1.6, 1.0),
    "night": (0.6, 1.4, 1.0),
    "before": (0.0, 1.0, 0.0),
    "during": (0.0, 1.0, 0.0),
    "after_4h": (0.0, 1.0, 0.0),
    "after_16h": (0.0, 1.0, 0.0),
    "meal_near": (0.0, 0.7, 0.0),
    "short_night": (-0.05, 0.15, 0.0),
    "heavy_day": (-0.1, 0.3, 0.0),
    "trained": (-0.1, 0.3, 0.0),
}
"""What is done about insulin, each with its least and most value and one to begin a search with.

basal, bolus: factors. by_glucose: basal rises by so much for each 100 mg/dL above 120, by_trend for each 2 mg/dL/min,
and falls by by_board for insulin on board above scheduled basal of a tenth of the day's. morning, night: factors of
basal from 4:00 to 9:00 and from 23:00 to 4:00. before: share of basal taken away in the hour before a planned session,
during: while it goes on, after_4h, after_16h: after 30 intensity-minutes, fading so fast; meal_near: share of a bolus
taken away within two hours of a session. short_night: basal and bolus rise by so much for each hour that the watch saw
less than usual, heavy_day: on a heavy day, trained: fall by so much at 150 minutes in the last week."""

PLANS: dict[str, tuple[float, float, float]] = {
    "move_work": (-0.3, 1.0, -0.1),
    "move_free": (-0.3, 1.0, -0.1),
    "at_work": (-1.0, 1.0, 0.5),
    "at_free": (-1.0, 1.0, 0.0),
    "reserve": (-1.0, 1.0, 0.0),
    "carbs": (-0.3, 1.0, -0.1),
    "enough": (-1.0, 1.0, 0.0),
    "bed_work": (-1.0, 0.5, 0.0),
    "bed_free": (-1.0, 0.5, 0.0),
    "rise_work": (-0.5, 1.0, 0.0),
    "rise_free": (-0.5, 1.0, 0.0),
}
"""What is advised, as actions before working and free days; enough: by so much less exercise at 150 minutes done in the
last week."""


class WholeAgent(Protocol):
    """Decides for all people of a view."""

    def act(self, view: View) -> Array:
        """An action (n, 8) of `envs.tasks.whole_person`."""


class Levers:
    """Rules with numbers. doses (K,) or (n, K): of `DOSES`; plans: of `PLANS`, None: nothing is advised.

    Raises ValueError for other widths.
    """

    def __init__(self, doses: Array, plans: Array | None = None) -> None:
        self._doses = _by_name(doses, DOSES, "doses")
        self._plans = None if plans is None else _by_name(plans, PLANS, "plans")

    def advising(self, plans: Array) -> "Levers":
        """The same doses with other plans."""
        return Levers(np.stack(list(self._doses.values()), axis=1), plans)

    def act(self, view: View) -> Array:
        """See `WholeAgent.act`."""
        assert view.activity is not None, "nobody lives in this setting"
        action = np.zeros((len(view), len(ACTIONS)))
        seen = view.activity.T
        self._dose(view, seen, action)
        if self._plans is not None:
            self._advise(seen, action)
        return np.clip(action, -1.0, 1.0)

    def _dose(self, view: View, seen: Array, action: Array) -> None:
        d, now = self._doses, view.now.T
        hour, planned = seen[s.HOUR], seen[s.PLANNED] > 0
        active, to_start = seen[s.ACTIVE] > 0, seen[s.TO_START_MIN]
        since = np.where(seen[s.SINCE_END_MIN] > 0, seen[s.SINCE_END_MIN], np.inf)
        work = seen[s.LAST_WORK] / 30.0
        basal = d["basal"] * (1.0 + d["by_glucose"] * (now[v.CGM_MG_DL] - 120.0) / 100.0)
        basal = basal + d["by_trend"] * now[v.SLOPE_MG_DL_PER_MIN] / 2.0
        basal = basal - d["by_board"] * now[v.IOB_NET_U] / (0.1 * view.therapy[:, DAILY_INSULIN_U])
        basal = basal * np.where((hour >= 4.0) & (hour < 9.0), d["morning"], 1.0)
        basal = basal * np.where((hour >= 23.0) | (hour < 4.0), d["night"], 1.0)
        basal = basal * np.where(planned & ~active & (to_start <= 60.0), 1.0 - d["before"], 1.0)
        basal = basal * np.where(active, 1.0 - d["during"], 1.0)
        for name, fades_min in (("after_4h", 240.0), ("after_16h", 960.0)):
            basal = basal * np.maximum(
                1.0 - d[name] * np.minimum(work, 1.5) * np.exp(-since / fades_min), 0.0
            )
        near = active | (planned & (to_start <= 120.0)) | (since < 120.0)
        bolus = d["bolus"] * np.where(near, 1.0 - d["meal_near"], 1.0)
        state = 1.0 + d["short_night"] * (seen[s.USUAL_SLEEP_H] - seen[s.SLEPT_H])
        state = state + d["heavy_day"] * seen[s.HEAVY_TODAY] - d["trained"] * seen[s.WEEK_MIN] / WEEK_MIN
        action[:, 0] = (np.maximum(basal * state, 0.0) - 1.0) / BASAL_GAIN
        action[:, 1] = (bolus * state - 1.0) / BOLUS_GAIN

    def _advise(self, seen: Array, action: Array) -> None:
        assert self._plans is not None
        p, today, tomorrow = self._plans, seen[s.WORK_TODAY] > 0, seen[s.WORK_TOMORROW] > 0
        action[:, 2] = np.where(today, p["at_work"], p["at_free"])
        action[:, 3] = (
            np.where(today, p["move_work"], p["move_free"]) - p["enough"] * seen[s.WEEK_MIN] / WEEK_MIN
        )
        action[:, 4], action[:, 5] = p["reserve"], p["carbs"]
        action[:, 6] = np.where(tomorrow, p["bed_work"], p["bed_free"])
        action[:, 7] = np.where(tomorrow, p["rise_work"], p["rise_free"])


def _by_name(given: Array, known: Mapping[str, tuple[float, float, float]], what: str) -> dict[str, Array]:
    table = np.atleast_2d(given)
    if table.ndim != 2 or table.shape[1] != len(known):
        raise ValueError(f"{what} have shape {np.shape(given)}; needed are {len(known)}: {', '.join(known)}")
    return dict(zip(known, table.T, strict=True))


def first(known: Mapping[str, tuple[float, float, float]], **changed: float) -> Array:
    """The numbers that a search begins with, some of them changed. Raises ValueError for a name that is not known."""
    for name in changed:
        if name not in known:
            raise ValueError(f"there is no {name!r}{near_miss(name, known)}; there are {', '.join(known)}")
    return np.array([changed.get(name, value) for name, (_, _, value) in known.items()])


ADVISED_DOSES = {"before": 0.5, "during": 0.5, "after_16h": 0.2, "meal_near": 0.25}
"""What guidelines say of aerobic exercise: half of basal from an hour before it on, a fifth less overnight, a quarter
less of a bolus near it (Riddell et al., Lancet Diabetes Endocrinol 5 (2017) 377)."""
ADVISED_PLAN = {
    "move_work": 0.6, "move_free": 0.6, "at_work": 0.57, "at_free": 0.0, "carbs": 0.5, "bed_work": -0.5,
    "bed_free": -0.3,
}  # fmt: skip
"""45 minutes a day, as not all of it is followed, with 15 g, after work or at two; and to bed three quarters of an hour
earlier before work."""


def found(name: str, **changed: float) -> Levers:
    """Levers that were found under this name, some doses of theirs changed. Raises FileNotFoundError or ValueError
    naming what is wrong."""
    try:
        held = yaml.safe_load(FOUND.read_text(encoding="utf-8"))["found"][name]
        doses = held["doses"]
        plans = held.get("plans")
    except (KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ValueError(
            f"{FOUND} is damaged, or lacks {name} ({error}); make it anew with python -m scripts.whole --find"
        ) from None
    for table, known in ((doses, DOSES), (plans or dict.fromkeys(PLANS), PLANS)):
        if not isinstance(table, Mapping) or set(table) != set(known):
            raise ValueError(
                f"{FOUND} does not hold all numbers of {name}; make it anew with python -m scripts.whole --find"
            )
    return Levers(
        first(DOSES, **{one: float(value) for one, value in doses.items()} | changed),
        None if plans is None else first(PLANS, **{one: float(value) for one, value in plans.items()}),
    )


def fixed_advice() -> Levers:
    """The doses of "dosing-only", guidelines' reductions, and what guidelines advise. Raises what `found` does."""
    return found("dosing-only", **ADVISED_DOSES).advising(first(PLANS, **ADVISED_PLAN))


class Learned(OfTask):
    """A trained policy of the task "whole"."""

    def __init__(self, policy: FrozenPolicy) -> None:
        super().__init__(policy, WholePerson(), "a whole person shows")

    @classmethod
    def load(cls, folder: str | Path) -> "Learned":
        """From the folder of a policy. Raises what `agents.frozen.load` does."""
        return cls(frozen.load(folder, "whole"))

    def act(self, view: View) -> Array:
        """See `WholeAgent.act`."""
        return self.action(view)


class Always:
    """The same action, always."""

    def __init__(self, *action: float) -> None:
        self._action = np.array(action)

    def act(self, view: View) -> Array:
        """See `WholeAgent.act`."""
        return np.tile(self._action, (len(view), 1))


class Random:
    """Anything; what, hangs on the seed, on how often it was asked and for how many."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, view: View) -> Array:
        """See `WholeAgent.act`."""
        drawn: Array = self._rng.uniform(-1.0, 1.0, (len(view), len(ACTIONS)))
        return drawn


WHOLES: dict[str, Callable[[], WholeAgent]] = {
    "usual": lambda: Levers(first(DOSES)),
    "dosing-only": lambda: found("dosing-only"),
    "fixed-advice": fixed_advice,
    "independent": lambda: found("independent"),
    "joint": lambda: found("joint"),
    "zero": lambda: Always(-1.0, -1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0),
    "most": lambda: Always(1.0, 1.0, 0.5, 1.0, 1.0, 1.0, -1.0, 1.0),
    "random": Random,
}
"""By name. usual: therapy and habit. dosing-only: doses searched for in a life without advice. fixed-advice: these, and
guidelines' reductions around the exercise and nights that guidelines advise. independent: doses and plans, each
searched for with the other as usual. joint: searched for in turn, each under the other. zero: as little insulin as
there is; most: as much of all."""
