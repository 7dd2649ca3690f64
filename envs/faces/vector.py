"""Many persons as a `gymnasium.vector.VectorEnv`."""

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from envs.compat import OLD_GYMNASIUM, SAME_STEP
from envs.faces.build import action_space, build, observation_space
from envs.nights.night import Night
from envs.season.session import Session
from envs.therapy import Request


class BatchEnv(VectorEnv):
    """Lanes of one core, stepped together; a lane that ends begins its next episode in the same step.

    The last observation of an ended episode is `info["final_obs"][lane]` (`info["_final_obs"]` tells which).
    `reset(seed=s)` begins episode 0 of seed s in all lanes (which differ by person and replica); a list gives
    one seed per lane. Infos are arrays with one row per lane. Keywords: see `envs.faces.single.SingleEnv`.
    """

    metadata = {"autoreset_mode": SAME_STEP}

    def __init__(
        self, num_envs: int = 1, task: str = "dosing", max_episode_steps: int | None = None, **keywords: Any
    ) -> None:
        if max_episode_steps is not None:
            raise ValueError(
                "max_episode_steps is not used here: give days=..., the core ends episodes itself"
            )
        self.core, self._roster = build(task, num_envs, **keywords)
        self.task = self.core.task
        self.num_envs = self.core.lanes
        self.minutes_per_step = self.core.setting.decision_min
        self.single_action_space = action_space(self.task)
        self.single_observation_space = observation_space(self.task)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.render_mode = self.spec = self.viewer = None
        self.closed = False
        self.is_vector_env = True  # 0.29's wrappers ask for it
        self._all = np.arange(self.num_envs)

    def reset(
        self, *, seed: int | list[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """First observations (n, O) of the next episode of every lane."""
        self._roster.begin_anew(seed)
        observation = self.core.reset(*self._roster.next(self._all))
        return observation, {"person": np.array(self.core.view.ids), **self.core.first_info()}

    def step(  # type: ignore[override]  # 0.29 gives it the types of a single environment
        self, actions: NDArray[np.float32] | Request | Session | Night | None
    ) -> tuple[
        NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
    ]:
        """One decision of every lane: actions (n, A), a `Request` in U/h and U, a `Session` or a `Night`."""
        done = self.core.step(actions)  # type: ignore[arg-type]
        info: dict[str, Any] = {**self.core.info(done), "cost": done.cost, "reward_terms": done.terms}
        observation, ended = done.obs, done.terminated | done.truncated
        if ended.any():
            lanes = np.flatnonzero(ended)
            info["final_obs"] = np.full(self.num_envs, None, object)
            info["final_obs"][lanes] = list(done.obs[lanes])
            info["_final_obs"] = ended
            if OLD_GYMNASIUM:
                info["final_observation"], info["_final_observation"] = info["final_obs"], ended
            observation = self.core.reset(*self._roster.next(lanes), lanes)
        return observation, done.reward, done.terminated, done.truncated, info

    def close_extras(self, **_: Any) -> None:
        """Nothing to close."""


def _with_default(task: str) -> Callable[..., BatchEnv]:
    """Makes a `BatchEnv` whose task is this one unless another is given: gymnasium 0.29 tells a vector entry point
    nothing of the id's own keywords."""

    def make(num_envs: int = 1, **keywords: Any) -> BatchEnv:
        return BatchEnv(num_envs, **{"task": task, **keywords})

    return make


exercise, sleep, whole = (_with_default(task) for task in ("session", "sleep", "whole"))
