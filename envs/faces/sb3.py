"""Many persons as a Stable-Baselines3 `VecEnv`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices

from envs.faces.build import action_space, build, observation_space


class Sb3Env(VecEnv):
    """Lanes of one core for Stable-Baselines3: it resets ended lanes in the same step.

    Every info holds what the core tells of a step (glucose_mg_dl, ...), cost, reward_terms and shield; of an ended one
    also `terminal_observation` and `TimeLimit.truncated`. Keywords: see `envs.faces.single.SingleEnv`.
    """

    def __init__(self, num_envs: int = 1, task: str = "dosing", **keywords: Any) -> None:
        self.core, self._roster = build(task, num_envs, **keywords)
        self.task = self.core.task
        self.minutes_per_step = self.core.setting.decision_min
        self.render_mode = None
        self._all = np.arange(self.core.lanes)
        self._actions: NDArray[np.float32] | None = None
        super().__init__(self.core.lanes, observation_space(self.task), action_space(self.task))

    def reset(self) -> NDArray[np.float32]:
        """First observations (n, O); after `seed(s)` those of episode 0 of seed s, else of the next episode."""
        self._roster.begin_anew(self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        return self.core.reset(*self._roster.next(self._all))

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """The seed of all lanes from the next `reset` on (lanes differ by person and replica)."""
        self._seeds = [seed] * self.num_envs
        return self._seeds

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Keep the actions (n, A) for `step_wait`."""
        self._actions = actions

    def step_wait(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """One decision of every lane."""
        done = self.core.step(self._actions)
        infos = _infos(self.core.info(done), self.core.reasons, done.cost, done.terms)
        observation, ended = done.obs, done.terminated | done.truncated
        if ended.any():
            lanes = np.flatnonzero(ended)
            for lane in lanes:
                infos[lane]["terminal_observation"] = done.obs[lane]
                infos[lane]["TimeLimit.truncated"] = bool(done.truncated[lane])
            observation = self.core.reset(*self._roster.next(lanes), lanes)
        return observation, done.reward.astype(np.float32), ended, infos

    def save(self) -> dict[str, NDArray[Any]]:
        """The state of all lanes as arrays, for `restore`: training goes on in mid-episode, bit for bit."""
        return {
            **self.core.save(),
            "roster.episode": self._roster.episode.copy(),
            "roster.seed": self._roster.seed.copy(),
        }

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Take back what `save` gave; returns the observations (n, O). ValueError when it does not fit."""
        rest = dict(saved)
        for name, held in (("episode", self._roster.episode), ("seed", self._roster.seed)):
            new = rest.pop(f"roster.{name}", np.empty(0))
            if new.dtype != held.dtype or new.shape != held.shape:
                raise ValueError(f"saved roster.{name} is missing or does not fit {self.num_envs} lanes")
        observation = self.core.restore(rest)
        self._roster.episode[:], self._roster.seed[:] = saved["roster.episode"], saved["roster.seed"]
        return observation

    def close(self) -> None:
        """Nothing to close."""

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute of this object, once per lane."""
        return [getattr(self, attr_name)] * len(self._chosen(indices))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of this object (lanes share it)."""
        setattr(self, attr_name, value)

    def env_method(
        self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        """Call a method of this object, once per lane."""
        return [getattr(self, method_name)(*args, **kwargs) for _ in self._chosen(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        """Lanes are not wrapped one by one."""
        return [False] * len(self._chosen(indices))

    def _chosen(self, indices: VecEnvIndices) -> list[int]:
        return list(self._get_indices(indices))


def _infos(
    told: dict[str, Any],
    reasons: Sequence[str],
    cost: NDArray[np.float64],
    terms: Mapping[str, NDArray[np.float64]],
) -> list[dict[str, Any]]:
    shield = told.pop("shield")
    facts, parts = list(told), list(terms)
    rows = zip(
        cost.tolist(), shield["reason"].tolist(), shield["changed_min"].tolist(),
        zip(*(told[name].tolist() for name in facts), strict=True),
        zip(*(terms[name].tolist() for name in parts), strict=True), strict=True,
    )  # fmt: skip
    return [
        {
            **dict(zip(facts, values, strict=True)),
            "cost": c,
            "shield": {"reason": reasons[code], "changed_min": int(changed)},
            "reward_terms": dict(zip(parts, amounts, strict=True)),
        }
        for c, code, changed, values, amounts in rows
    ]
