"""What goes wrong with an agent: it is slow, dead, raises, is stuck, or answers with what no pump can deliver.

These are facts about one agent that decides for all lanes: they have no chance and no delay of a lane's own. A world
cannot play them; `agents.broken` puts them around an agent.
"""

from dataclasses import dataclass
from typing import ClassVar

from envs.faults.schedule import Fault, Stage


class AgentFault(Fault):
    """A fault of the agent. Raises ValueError for a chance or a delay."""

    stage: ClassVar[Stage] = Stage.AGENT
    allowed: ClassVar[tuple[float, float]] = (1.0, 1.0)
    unit: ClassVar[str] = "this fault has none"
    draws: ClassVar[int] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.chance < 1 or self.jitter_min > 0:
            raise ValueError(
                f"{type(self).__name__}: one agent decides for all lanes; leave chance and jitter_min out"
            )


@dataclass(frozen=True)
class Slow(AgentFault):
    """Answers come late. Severity: seconds by the wall clock."""

    severity: float = 1.2
    kind: ClassVar[int] = 24
    allowed: ClassVar[tuple[float, float]] = (0.0, 60.0)
    unit: ClassVar[str] = "seconds by the wall clock"


@dataclass(frozen=True)
class Dead(AgentFault):
    """The agent never answers again."""

    severity: float = 1.0
    kind: ClassVar[int] = 25


@dataclass(frozen=True)
class Raises(AgentFault):
    """The agent raises an exception."""

    severity: float = 1.0
    kind: ClassVar[int] = 26


@dataclass(frozen=True)
class Stuck(AgentFault):
    """The agent repeats its first answer within an occurrence."""

    severity: float = 1.0
    kind: ClassVar[int] = 27


@dataclass(frozen=True)
class BadAction(AgentFault):
    """Answers in turn: not a number, infinity, 1e9, a negative one, one of the wrong shape."""

    severity: float = 1.0
    kind: ClassVar[int] = 28
