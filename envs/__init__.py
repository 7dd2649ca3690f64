"""Environments over twins: what is decided, seen, rewarded and forbidden. Importing registers the ids."""

from typing import Any, Literal

import gymnasium

from envs.compat import quiet_gym
from envs.faces.build import TASKS
from twins.words import near_miss

__all__ = ["make_vec"]


def make_vec(
    id: str, num_envs: int = 1, face: Literal["gymnasium", "sb3"] = "gymnasium", **keywords: Any
) -> Any:
    """Many persons side by side: a `gymnasium.vector.VectorEnv` or a Stable-Baselines3 `VecEnv`.

    id: such as "Homeostat/Dosing-v0"; keywords as for `gymnasium.make` of that id, such as task="plan". Raises
    ValueError or TypeError with the nearest known name.
    """
    if id not in TASKS:
        raise ValueError(f"unknown environment {id!r}{near_miss(id, TASKS)}; known are {', '.join(TASKS)}")
    task = keywords.pop("task", TASKS[id])
    if face == "gymnasium":
        from envs.faces.vector import BatchEnv

        return BatchEnv(num_envs, task, **keywords)
    if face == "sb3":
        from envs.faces.sb3 import Sb3Env

        return Sb3Env(num_envs, task, **keywords)
    raise ValueError(
        f"face is {face!r}{near_miss(str(face), ('gymnasium', 'sb3'))}; allowed are 'gymnasium' and 'sb3'"
    )


_VECTOR = {"session": "exercise", "sleep": "sleep", "whole": "whole"}
"""Entry points of batches, by default task."""

quiet_gym()
for _id, _task in TASKS.items():
    if _id not in gymnasium.registry:
        gymnasium.register(
            _id,
            entry_point="envs.faces.single:SingleEnv",
            vector_entry_point=f"envs.faces.vector:{_VECTOR.get(_task, 'BatchEnv')}",
            kwargs={"task": _task},
        )
