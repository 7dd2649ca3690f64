"""The dead man's switch around an agent: one that answers late, wrong or not at all loses its say.

An agent works in a thread of its own. After an exception, no answer within the limit, or one of the wrong shape the
request is absent, so that the shield's fallback (`envs.shield.fallback`) takes the decision; after three failures
in a row the agent is not asked again. A treatment that asks for the same boluses again and again is taken for stuck:
its request is absent until it asks for something else. (The actions of a policy multiply a therapy that still looks
at glucose and meals.) A thread that never returns is left behind, and ends with the process.
"""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from envs.core import Core, Transition
from envs.therapy import Request

LIMIT_S, FIRST_LIMIT_S = 1.0, 60.0
"""Seconds by the wall clock for an answer, and for the first, which may compile what it needs."""
FAILURES = 3
STUCK = 3
"""So many requests in a row, bit for bit the same in all lanes and with a bolus among them, are a stuck agent's."""


class Watchdog:
    """Asks one agent; see above. `failures` counts them by kind; `disabled`: the agent is not asked any more."""

    def __init__(
        self, limit_s: float = LIMIT_S, first_limit_s: float = FIRST_LIMIT_S, after: int = FAILURES
    ) -> None:
        if not (limit_s > 0 and first_limit_s > 0 and after >= 1):
            raise ValueError(
                f"limits {limit_s} and {first_limit_s} s, {after} failures given; allowed are limits above 0 and 1 "
                "failure or more"
            )
        self._limit_s, self._first_limit_s, self._after = limit_s, first_limit_s, after
        self._answered = False
        self._in_a_row = 0
        self._busy: threading.Thread | None = None
        self._last: Request | None = None
        self._same = 0
        self.failures: dict[str, int] = {}

    @property
    def disabled(self) -> bool:
        """Whether the agent has failed too often in a row."""
        return self._in_a_row >= self._after

    def decide(self, core: Core, ask: Callable[[], tuple[Any, Any]], state: Any) -> tuple[Transition, Any]:
        """One decision of a core: what `ask` answers, (action or request, state), or else the fallback.

        Returns the transition and the agent's state, which stays what it was where there is no answer.
        """
        answer = None if self.disabled else self._answer(ask)
        if answer is None:
            return core.step(None), state
        asked, new_state = answer
        if self._stuck(asked):
            self.failures["stuck"] = self.failures.get("stuck", 0) + 1
            return core.step(None), new_state
        try:
            done = core.step(asked)
        except (ValueError, TypeError):  # of the wrong shape or kind; the core has not moved
            self._fails("wrong")
            return core.step(None), state
        self._in_a_row = 0
        return done, new_state

    def _answer(self, ask: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any] | None:
        if self._busy is not None and self._busy.is_alive():
            self._fails("late")
            return None
        answers: list[tuple[Any, Any]] = []

        def work() -> None:
            try:
                answers.append(ask())
            except Exception:  # whatever an agent raises: it is counted, and the fallback takes over
                return

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(self._limit_s if self._answered else self._first_limit_s)
        if thread.is_alive():
            self._busy = thread
            self._fails("late")
            return None
        if not answers:
            self._fails("raised")
            return None
        self._answered = True
        return answers[0]

    def _stuck(self, asked: Any) -> bool:
        """Whether this request is the same as the ones before it."""
        if not isinstance(asked, Request) or not np.any(np.asarray(asked.bolus_u) > 0):
            self._last, self._same = None, 0
            return False
        last = self._last
        again = last is not None and all(
            np.array_equal(new, old, equal_nan=True)
            for new, old in ((asked.basal_u_per_h, last.basal_u_per_h), (asked.bolus_u, last.bolus_u))
        )
        self._same = self._same + 1 if again else 1
        self._last = Request(np.array(asked.basal_u_per_h), np.array(asked.bolus_u))
        return self._same >= STUCK

    def _fails(self, kind: str) -> None:
        self.failures[kind] = self.failures.get(kind, 0) + 1
        self._in_a_row += 1
