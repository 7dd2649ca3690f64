"""What tests of the environment layer share: cores, actions of their own for each lane, whole stories."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.core import Core
from envs.faces.build import build
from envs.therapy import Request

Story = dict[str, NDArray[Any]]
"""By name, an array with one row per lane and one column per step."""


def seated(
    lanes: int, episode: int = 0, **keywords: Any
) -> tuple[Core, NDArray[np.int64], NDArray[np.uint32]]:
    """A core (not yet reset), and the rows and keys that the roster gives its lanes in this episode."""
    core, roster = build("dosing", lanes, **keywords)
    for _ in range(episode + 1):
        rows, keys = roster.next(np.arange(lanes))
    return core, rows, keys


def begun(lanes: int = 1, **keywords: Any) -> Core:
    """A core at the beginning of its first episode."""
    core, rows, keys = seated(lanes, **keywords)
    core.reset(rows, keys)
    return core


def own_actions(keys: NDArray[np.uint32], steps: int, fields: int = 2) -> NDArray[np.float64]:
    """Actions (steps, n, fields) that hang on each lane's key alone, some of them outside [-1, 1]."""
    lanes = [np.random.default_rng(key.tolist()).uniform(-1.3, 1.3, (steps, fields)) for key in keys]
    return np.stack(lanes, axis=1)


def story(core: Core, actions: NDArray[np.float64] | list[Any]) -> Story:
    """What the lanes live through under these actions, one per step."""
    seen: dict[str, list[NDArray[Any]]] = {}
    for action in actions:
        done = core.step(action)
        now = {
            "obs": done.obs, "reward": done.reward, "cost": done.cost, "terminated": done.terminated,
            "truncated": done.truncated, "trace": done.trace, "state": core.state, "view": core.view.now,
        }  # fmt: skip
        for name, value in (now | done.terms).items():
            seen.setdefault(name, []).append(value.copy())
    return {name: np.stack(values, axis=1) for name, values in seen.items()}


def lanes_of(told: Story, lanes: Any, steps: slice = slice(None)) -> Story:
    """Some lanes and steps of a story."""
    return {name: value[lanes][:, steps] for name, value in told.items()}


def check_same(one: Story, other: Story) -> None:
    """Fail unless two stories are the same, bit for bit (NaN equals NaN)."""
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def minutes(told: Story) -> NDArray[np.float64]:
    """The trace of a story with all minutes in a row: shape (n, minutes, columns)."""
    trace = told["trace"]
    return trace.reshape(len(trace), -1, trace.shape[-1])


def request(core: Core, basal_u_per_h: Any, bolus_u: Any = 0.0) -> Request:
    """The same request for all lanes, or one value per lane."""
    return Request(np.full(core.lanes, basal_u_per_h, float), np.full(core.lanes, bolus_u, float))
