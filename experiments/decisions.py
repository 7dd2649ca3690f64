"""What an agent decided in a simulation, written into a log, and decided again to compare.

A line of `experiments.records.decision_log` holds of one decision of one lane: person, replica, minute (since the start
of the episode) and time; the hash of what the agent saw; its raw action or request; and, an entry per control interval,
what was requested, allowed by the shield and delivered by the pump, the shield's reason and its margin in mg/dL; the
hashes of agent and settings.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.base import Agent
from agents.frozen import NOTICE, FrozenPolicy
from agents.tunable import Tuned
from envs import trace
from envs.core import Core, Transition
from envs.shield import REASONS
from envs.therapy import Request
from experiments import people
from experiments.protocol import ProtocolConfig
from experiments.records.config_files import build
from experiments.records.decision_log import DecisionLog, Log, LogError, plain
from experiments.records.json_files import Kind, check_kinds
from experiments.records.simulator import simulator_hash
from experiments.simulate import simulate
from twins.cohort import Cohort

MOST_LANES = 32
"""A log is for looking at single days; the files of more episodes at once would be gigabytes."""
_SEEN = ("now", "cgm_buffer", "insulin_buffer", "hourly")
"""What of a view changes from reading to reading."""
_TIME = "utc"
"""When a line was written: the one thing that a second time is not the same."""
_ITSELF = ("kind", "n", "previous", _TIME)


def model_hash(agent: Agent) -> str:
    """SHA-256 (hex) of what an agent is: of a policy manifest and weights, of others source, name and tuned gains."""
    if isinstance(agent, FrozenPolicy):
        return hashlib.sha256(
            agent.manifest.model_dump_json().encode()
        ).hexdigest()  # holds that of the weights
    kind = type(agent)
    try:
        source = Path(inspect.getsourcefile(kind) or "").read_bytes()
    except (OSError, TypeError):  # typed into a console
        source = b""
    told: dict[str, Any] = {"class": kind.__qualname__, "source": hashlib.sha256(source).hexdigest()}
    if isinstance(agent, Tuned):
        values = agent.values
        told["family"] = agent.family.name
        told["gains"] = {who: one.tolist() for who, one in values.items()} if isinstance(values, dict) else (
            values.tolist()
        )  # fmt: skip
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def settings(protocol: ProtocolConfig, shield: str, fold: int | None) -> dict[str, Any]:
    """All that a simulation hangs on beside the agent, as plain values."""
    return {
        "protocol": protocol.model_dump(mode="json"),
        "shield": shield,
        "fold": fold,
        "kernel_hash": simulator_hash(),
    }


def _digest(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def opening(
    agent: Agent, name: str, protocol: ProtocolConfig, shield: str, fold: int | None
) -> dict[str, Any]:
    """The first line of a log. name: the agent's, as it was typed."""
    told = settings(protocol, shield, fold)
    return {
        "agent": name,
        "settings": told,
        "model_sha256": model_hash(agent),
        "config_sha256": _digest(told),
        _TIME: _now(),
        "notice": NOTICE,
    }


def check_lanes(cohort: Cohort, protocol: ProtocolConfig) -> None:
    """Raise ValueError where a log would have more than `MOST_LANES` episodes."""
    lanes = len(cohort) * protocol.replicas
    if lanes > MOST_LANES:
        raise ValueError(
            f"a decision log is for up to {MOST_LANES} episodes, and these are {lanes}; give --person and --replicas"
        )


class Notes:
    """Notes the decisions of a core, a row per lane, and hands each to `write`. See `experiments.simulate.run`.

    It stands between core and shield, and hands on what either says.
    """

    def __init__(self, write: Callable[[dict[str, Any]], None], hashes: Mapping[str, str]) -> None:
        self._write, self._hashes = write, dict(hashes)
        self._asked: list[tuple[Request, Request, NDArray[Any], NDArray[Any]]] = []

    def begin(self, core: Core) -> None:
        """Called when the lanes of a core sit, before the first decision."""
        shield = core._shield  # the margin leaves the core by no other way

        def noted(request: Request, *rest: Any, **more: Any) -> tuple[Request, NDArray[Any], NDArray[Any]]:
            allowed, reason, margin = shield(request, *rest, **more)
            self._asked.append((_copy(request), _copy(allowed), reason.copy(), margin.copy()))
            return allowed, reason, margin

        core._shield = noted
        people = len(core.setting.cohort)
        self._replica = np.arange(core.lanes) // people

    def decision(
        self, core: Core, minute: int, observation: NDArray[Any] | None, asked: NDArray[Any] | Request
    ) -> Callable[[Transition], None]:
        """Note what an agent sees (None: the view) and asks for; what is given back is told what came of it."""
        self._asked = []
        seen = [_seen(core, lane, observation) for lane in range(core.lanes)]
        wanted: list[Any]
        if isinstance(asked, Request):
            wanted = [
                {"basal_u_per_h": plain(basal), "bolus_u": plain(bolus)}
                for basal, bolus in zip(asked.basal_u_per_h, asked.bolus_u, strict=True)
            ]
        else:
            wanted = [{"action": [plain(value) for value in row]} for row in np.asarray(asked)]

        def done(what: Transition) -> None:
            first = what.trace[:, :: core.control_min]  # rates hold, and amounts stand in the first minute
            for lane in range(core.lanes):
                self._write(
                    {
                        "person": core.view.ids[lane],
                        "replica": int(self._replica[lane]),
                        "minute": minute,
                        _TIME: _now(),
                        "observation_sha256": seen[lane],
                        "asked": wanted[lane],
                        **self._intervals(lane),
                        "delivered_basal_u_per_h": [plain(v) for v in first[lane, :, trace.BASAL_U_PER_H]],
                        "delivered_bolus_u": [plain(v) for v in first[lane, :, trace.BOLUS_U]],
                        **self._hashes,
                    }
                )

        return done

    def _intervals(self, lane: int) -> dict[str, list[Any]]:
        """What went into the shield and came out of it, by control interval."""
        table: dict[str, list[Any]] = {}
        for request, allowed, reason, margin in self._asked:
            row = {
                "requested_basal_u_per_h": plain(request.basal_u_per_h[lane]),
                "requested_bolus_u": plain(request.bolus_u[lane]),
                "allowed_basal_u_per_h": plain(allowed.basal_u_per_h[lane]),
                "allowed_bolus_u": plain(allowed.bolus_u[lane]),
                "reason": REASONS[int(reason[lane])],
                "margin_mg_dl": plain(margin[lane]),
            }
            for name, value in row.items():
                table.setdefault(name, []).append(value)
        return table


def _copy(request: Request) -> Request:
    return Request(request.basal_u_per_h.copy(), request.bolus_u.copy())


def _seen(core: Core, lane: int, observation: NDArray[Any] | None) -> str:
    """The hash of what the agent was shown of a lane."""
    digest = hashlib.sha256()
    parts = [getattr(core.view, name)[lane] for name in _SEEN] if observation is None else [observation[lane]]
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


# --- once more ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Replayed:
    """How many decisions of a log came out again, and the first that did not, in words (empty: all did)."""

    same: int
    logged: int
    first_difference: str


_KINDS: dict[str, Kind] = {
    "agent": str, "settings": dict, "model_sha256": str, "config_sha256": str, _TIME: str, "notice": str,
}  # fmt: skip
_SETTINGS_KINDS: dict[str, Kind] = {
    "protocol": dict, "shield": str, "fold": (int, type(None)), "kernel_hash": str,
}  # fmt: skip


def logged_settings(log: Log) -> tuple[ProtocolConfig, str, int | None]:
    """Protocol, shield and fold of a log. Raises LogError, or ConfigError where they cannot be used here."""
    told = log.opening
    lacking = set(_KINDS) - set(told) or set(_SETTINGS_KINDS) - set(told["settings"])
    if lacking:
        raise LogError(f"line 1 of the log lacks {', '.join(sorted(lacking))}; give a log of this version")
    check_kinds(told, _KINDS, "line 1 of the log", "give a log of this version")
    held = told["settings"]
    check_kinds(held, _SETTINGS_KINDS, "line 1 of the log, settings", "give a log of this version")
    if _digest(held) != told["config_sha256"]:
        raise LogError("line 1 of the log: config_sha256 is not that of its settings; it was edited")
    if held["kernel_hash"] != simulator_hash():
        raise LogError(
            "the log was written by another version of the simulator; replay it with that one (its chain holds)"
        )
    return build(ProtocolConfig, held["protocol"], "protocol of the log"), held["shield"], held["fold"]


def logged_agent(log: Log, known: Sequence[str]) -> str:
    """The agent that a log names, if it is one of `known`: what somebody's file names is neither imported nor opened.

    Raises LogError otherwise.
    """
    name = log.opening["agent"]
    if name not in known:
        raise LogError(
            f"the log names the agent {str(name)[:80]!r}, which is none that goes by a name; what else a log names is "
            "not loaded: give --agent"
        )
    return str(name)


def replay(log: Log, agent: Agent) -> Replayed:
    """Let the agent decide once more on the days of a log; every decision must come out bit for bit.

    An unfinished log is compared as far as it goes. Raises LogError when the agent is not the one that was logged, or
    settings do not fit this version.
    """
    protocol, shield, fold = logged_settings(log)
    if (mine := model_hash(agent)) != log.opening["model_sha256"]:
        raise LogError(
            f"this agent has the hash {mine[:12]}..., the logged one {log.opening['model_sha256'][:12]}...; give the "
            "same files (a tuned one: the same gains) and the same version of the code"
        )
    cohort = people.judged(protocol, fold)
    check_lanes(cohort, protocol)
    again: list[dict[str, Any]] = []
    hashes = {name: log.opening[name] for name in ("model_sha256", "config_sha256")}
    simulate(agent, protocol, shield, cohort, watcher=Notes(again.append, hashes))
    # As they would be read back from a file.
    again = json.loads(json.dumps(again))
    same, first = 0, ""
    for number, (old, new) in enumerate(zip(log.decisions, again, strict=False), 2):
        odd = [name for name in {**old, **new} if name not in _ITSELF and old.get(name) != new.get(name)]
        same += not odd
        if odd and not first:
            first = f"line {number}: {', '.join(odd)}: logged {_brief(old, odd)}, now {_brief(new, odd)}"
    if len(log.decisions) > len(again) or (not log.unfinished and len(log.decisions) < len(again)):
        first = first or f"the log has {len(log.decisions)} decisions, the protocol has {len(again)}"
    return Replayed(same, len(log.decisions), first)


def _brief(line: Mapping[str, Any], odd: list[str]) -> str:
    return str(line.get(odd[0]))[:80]


def start_log(
    path: str | Path, agent: Agent, name: str, protocol: ProtocolConfig, shield: str, fold: int | None
) -> tuple[DecisionLog, Notes]:
    """A new log and what fills it. Raises as `DecisionLog` does."""
    told = opening(agent, name, protocol, shield, fold)
    log = DecisionLog(path, told)
    return log, Notes(log.write, {key: told[key] for key in ("model_sha256", "config_sha256")})
