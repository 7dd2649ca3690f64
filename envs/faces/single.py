"""One person as a `gymnasium.Env`."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from envs import render, trace
from envs.core import Core
from envs.faces.build import action_space, build, observation_space
from envs.nights.night import Night
from envs.season.session import Session
from envs.therapy import Request
from twins.units import MINUTES_PER_DAY

_FIRST = np.zeros(1, np.int64)


class SingleEnv(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """A gymnasium environment for one person; of a cohort the next person comes each episode.

    What is decided, seen and rewarded stands in the task's docstring (`env.unwrapped.task.__doc__`); keywords of dosing
    are those of `envs.setting.make_setting`, `action`, `history`, and render_mode=None or "rgb_array" (the day's
    strip); of the other tasks, "session", "plan", "sleep" and "whole", see `envs.faces.build.build`.
    `reset(seed=s)` begins episode 0 of seed s; `reset()` goes on to the next episode, which is a new day.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}

    def __init__(self, task: str = "dosing", render_mode: str | None = None, **keywords: Any) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode is {render_mode!r}; allowed are None and 'rgb_array'")
        if render_mode is not None and task in ("plan", "sleep"):
            raise ValueError("days of this task have no picture of glucose; leave render_mode out")
        self.render_mode = render_mode
        self.core, self._roster = build(task, 1, rotate=True, **keywords)
        self.task = self.core.task
        self.minutes_per_step = self.core.setting.decision_min
        self.action_space = action_space(self.task)
        self.observation_space = observation_space(self.task)
        self._day: list[NDArray[np.float64]] = []

    @property
    def person(self) -> str:
        """Id of the person of this episode."""
        return self.core.view.ids[0]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """The first observation of the next episode and facts about it."""
        super().reset(seed=seed)
        self._roster.begin_anew(seed)
        observation = self.core.reset(*self._roster.next(_FIRST))
        self._day = []
        facts = {name: float(value[0]) for name, value in self.core.first_info().items()}
        minute = int(self.core.minute[0])
        return observation[0], {"person": self.person, "minute": minute, **facts, "cost": 0.0}

    def step(
        self, action: NDArray[np.float32] | Request | Session | Night | None
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """One decision: an action of the space, a `Request` in U/h and U (a `Session` or a `Night` where those are
        planned), or None (no request)."""
        if action is not None and not isinstance(action, Request | Session | Night):
            action = np.asarray(action)[None]
        done = self.core.step(action)  # type: ignore[arg-type]
        if self.render_mode is not None:
            self._day.append(done.trace[0].copy())
        facts = self.core.info(done)
        shield = facts.pop("shield")
        info = {
            "person": self.person,
            "minute": int(self.core.minute[0]),
            **{name: float(value[0]) for name, value in facts.items()},
            "cost": float(done.cost[0]),
            "reward_terms": {name: float(term[0]) for name, term in done.terms.items()},
            "shield": {
                "reason": self.core.reasons[int(shield["reason"][0])],
                "changed_min": int(shield["changed_min"][0]),
            },
        }
        return done.obs[0], float(done.reward[0]), bool(done.terminated[0]), bool(done.truncated[0]), info

    def day(self) -> dict[str, NDArray[Any]]:
        """The day in progress as a table, a row per control interval; empty unless there is a render mode."""
        minutes = np.concatenate(self._day) if self._day else np.empty((0, trace.TRACE_COLUMNS))
        assert isinstance(self.core, Core)  # a season has no day to look at
        first = int(self.core.begin[0])
        today = (first + max(len(minutes) - 1, 0)) // MINUTES_PER_DAY * MINUTES_PER_DAY
        begin = max(today, first)
        return trace.of_lane(trace.intervals(minutes[None, begin - first :], begin, self.core.control_min), 0)

    def render(self) -> NDArray[np.uint8] | None:  # type: ignore[override]
        """The day in progress as pixels, shape (height, width, 3)."""
        return None if self.render_mode is None else render.rgb_array(self.day())
