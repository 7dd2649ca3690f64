"""An agent with a fault: slow, dead, raising, stuck, or asking for what no pump can deliver. To test what holds it.

`broken` puts an `AgentFault` around any agent; without a watchdog around it in turn, a loop stops or hangs.
"""

import threading
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.base import Agent, Policy
from envs import view as v
from envs.faults import AgentFault, BadAction, Dead, Raises, Slow, Stuck
from envs.faults.schedule import acts_at
from envs.therapy import Request
from envs.view import View

BAD = (np.nan, np.inf, 1e9, -1.0)
"""What a bad action is filled with, in turn; after these comes one of the wrong shape."""


class Broke(RuntimeError):
    """What a raising agent raises."""


class _Broken:
    """What both kinds of broken agents share; other attributes are those of the agent, such as meeting twins."""

    def __init__(self, agent: Any, fault: AgentFault) -> None:
        self._agent, self._fault = agent, fault
        self._bad = 0
        self._held: Any = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._agent, name)

    def _before(self, minute: float) -> bool:
        """Whether the fault acts; a slow, dead or raising agent is so before it answers."""
        fault = self._fault
        if not acts_at(fault, minute):
            self._held = None
            return False
        if isinstance(fault, Raises):
            raise Broke(f"minute {minute:g}")
        if isinstance(fault, Slow):
            time.sleep(fault.severity)
        if isinstance(fault, Dead):
            threading.Event().wait()
        return True

    def _next_bad(self) -> float | None:
        """What to fill the next bad action with; None for one of the wrong shape."""
        self._bad += 1
        return (*BAD, None)[(self._bad - 1) % (len(BAD) + 1)]


class BrokenPolicy(_Broken):
    """A policy with a fault."""

    def __init__(self, policy: Policy, fault: AgentFault, every_min: int) -> None:
        super().__init__(policy, fault)
        self._every_min, self._calls = every_min, 0

    def predict(
        self,
        observation: NDArray[Any],
        state: Any = None,
        episode_start: NDArray[Any] | None = None,
        deterministic: bool = False,
    ) -> tuple[NDArray[Any], Any]:
        """See `Policy.predict`; a new episode begins where it begins in all lanes."""
        self._calls = 0 if episode_start is None or np.all(episode_start) else self._calls + 1
        acts = self._before(self._calls * self._every_min)
        action, state = self._agent.predict(observation, state, episode_start, deterministic)
        if acts and isinstance(self._fault, Stuck):
            self._held = action if self._held is None else self._held
            action = self._held
        elif acts and isinstance(self._fault, BadAction):
            bad = self._next_bad()
            action = np.zeros(3) if bad is None else np.full(np.shape(action), bad)
        return action, state


class BrokenTreatment(_Broken):
    """A treatment with a fault."""

    def act(self, view: View) -> Request:
        """See `Treatment.act`."""
        acts = self._before(float(view.now[0, v.RUNNING_MIN]))
        asked: Request = self._agent.act(view)
        if acts and isinstance(self._fault, Stuck):
            self._held = asked if self._held is None else self._held
            return self._held  # type: ignore[no-any-return]
        if acts and isinstance(self._fault, BadAction):
            bad = self._next_bad()
            shape = (len(view) + 1,) if bad is None else (len(view),)
            return Request(np.full(shape, bad or 0.0), np.full(shape, bad or 0.0))
        return asked


def broken(agent: Agent, fault: AgentFault, every_min: int = 5) -> Agent:
    """The agent with the fault. every_min: minutes between decisions of a policy that does not say its own."""
    if not isinstance(fault, AgentFault):
        raise ValueError(
            f"{fault!r} is no fault of an agent; those of its world are given to the environment"
        )
    if isinstance(agent, Policy):
        return BrokenPolicy(agent, fault, int(getattr(agent, "decision_min", None) or every_min))
    return BrokenTreatment(agent, fault)
