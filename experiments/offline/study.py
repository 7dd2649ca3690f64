"""The offline study of P3: log a closed loop, learn from the log alone, and say from it what the policy is worth."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import frozen
from agents.actors import ACTIVATION
from agents.frozen import NOTICE, FrozenPolicy
from agents.load import load
from agents.sb3 import weights
from envs.core import Core
from envs.faces.sb3 import Sb3Env
from envs.setting import Setting
from experiments.offline import logged, td3_bc, worth
from experiments.offline.logged import DECISION_MIN, LEARNER, Log, Moment
from experiments.offline.td3_bc import Settings
from experiments.offline.worth import Worth
from experiments.protocol import load_protocol
from experiments.records.tables import Table
from twins.files import atomic_write_bytes
from twins.kernels import kernel_hash

PROTOCOL, LOGGED = "emerson2023", "pid"
"""Whose days, and what was logged: the closed loop with its untuned gains, as the paper's expert is a PID."""
DAYS, REPLICAS = 10.0, 21
"""Of each person 100,800 readings, as many as in the paper."""
WORTH_REPLICAS, WORTH_SPLIT = 12, "validation"
"""The log that says what a policy is worth: days of another split than those that policies learn from."""
ROBUST_DECISIONS = 16
"""Decisions over which the doubly robust estimate weighs what was logged; Q stands for what comes after."""
STARTS = (96, 120, 144, 168)
"""Decisions of a log at which a policy's future begins: 00:00, 06:00, 12:00 and 18:00 of the second day."""
FUTURE = 192
"""Decisions of a future; what comes later is discounted to three thousandths."""


def log(
    seed: int, replicas: int = REPLICAS, keep: tuple[int, ...] = (), split: str = "train"
) -> tuple[Log, list[Moment]]:
    """Days of the people under the closed loop with noise, and the lanes at some decisions."""
    return logged.collect(world(seed, split), load(LOGGED), replicas, seed, keep)  # type: ignore[arg-type]


def world(seed: int, split: str = "train", days: float = DAYS) -> Setting:
    """The people of the protocol on days of a split."""
    return logged.setting(load_protocol(PROTOCOL), split, seed, days)


def train(out: Path, seed: int, settings: Settings | None = None, replicas: int = REPLICAS) -> FrozenPolicy:
    """Learn from a log and write the policy into the folder `out`. The last weights are kept: nobody looked at days."""
    settings = settings or Settings()
    days, _ = log(seed, replicas)
    env = Sb3Env(1, cohort="adult#001", action=logged.task().action)
    learned = td3_bc.learn(env, days.transitions(), settings, seed)
    task = logged.task()
    manifest = {
        "algo": "td3", "env": "Homeostat/Dosing-v0", "action": task.action, "decision_min": DECISION_MIN,
        "observation_names": task.observation_names, "action_names": tuple(field.name for field in task.fields),
        "net_arch": settings.net_arch, "activation": ACTIVATION["td3"], "kernel_hash": kernel_hash(),
        "trained_on": {
            "people": sorted(set(days.person.tolist())), "protocol": PROTOCOL, "split": "train", "seed": seed,
            "shield": "off", "episode_days": DAYS, "timesteps": int(days.valid.sum()),
            "person_days": float(days.valid.sum() * DECISION_MIN / 1440), "logged": LOGGED,
            "learner": LEARNER, **{name: value for name, value in asdict(settings).items() if name != "net_arch"},
        },
    }  # fmt: skip
    files = frozen.pack(manifest, weights(learned))
    frozen.keep(files, out)
    return frozen.unpack(files)


def acting(policy: FrozenPolicy) -> worth.Act:
    """A policy as a function of observations."""

    def act(observations: NDArray[np.float32]) -> NDArray[np.float64]:
        actions: NDArray[np.float64] = policy.predict(observations)[0][:, 0].astype(np.float64)
        return actions

    return act


def judge(
    policy: FrozenPolicy, replicas: int = WORTH_REPLICAS, seed: int = 0, **fit: Any
) -> tuple[Table, list[Worth]]:
    """What a log says the policy is worth, and what it is worth when it acts from the same moments: one row a person,
    and the doubly robust estimate of everybody from each of `STARTS`.

    Values of the table are discounted rewards per decision, (1 - gamma) times their sum, of the mean over the moments.
    fit: see `worth.Fitted`.
    """
    gamma = Settings().gamma
    days, moments = log(seed, replicas, STARTS, WORTH_SPLIT)
    act = acting(policy)
    fitted = worth.Fitted(days, act, gamma, seed=seed, **fit)
    around = world(seed, WORTH_SPLIT)
    truth = {moment.decision: _future(around, moment, act, gamma) for moment in moments}
    rows: dict[str, list[Any]] = {}
    for person in dict.fromkeys(days.person.tolist()):
        mine = np.flatnonzero(days.person == person)
        starts, real, missed = [], [], np.full((len(mine), len(moments)), np.nan)
        for column, moment in enumerate(moments):
            living = moment.alive[mine]
            here = mine[living]
            starts.append(days.observations[here, moment.decision])
            real.append(truth[moment.decision][here])
            after = slice(moment.decision, moment.decision + FUTURE)
            came = worth.returns(days.rewards[here, after], days.valid[here, after], gamma)
            missed[living, column] = came - fitted.q(starts[-1], days.actions[here, moment.decision]).mean(
                axis=0
            )
        known = np.isfinite(missed).any(axis=1)
        said = fitted.worth(np.concatenate(starts), np.nanmean(missed[known], axis=1))
        row = {
            "person": person, "moments": len(np.concatenate(real)), "truth": np.concatenate(real).mean(),
            "fitted": said.value, "low": said.low, "high": said.high,
        }  # fmt: skip
        for name, value in row.items():
            scaled = name in ("truth", "fitted", "low", "high")
            rows.setdefault(name, []).append(value * (1 - gamma) if scaled else value)
    robust = [_robust(days, moment, fitted, act, gamma) for moment in moments]
    return {name: np.array(column) for name, column in rows.items()}, robust


def _robust(days: Log, moment: Moment, fitted: worth.Fitted, act: worth.Act, gamma: float) -> Worth:
    living = days.take(np.flatnonzero(moment.alive))
    last = (living.raw - living.meant)[:, moment.decision - 1]
    cut = living.between(moment.decision, moment.decision + ROBUST_DECISIONS)
    return worth.doubly_robust(cut, fitted, act, gamma, last)


def _future(around: Setting, moment: Moment, act: worth.Act, gamma: float) -> NDArray[np.float64]:
    """Discounted rewards (lanes,) when the policy acts from a moment on."""
    core = Core(around, logged.task(), len(moment.alive))
    observation = core.restore(moment.saved)
    rewards, valid = np.zeros((2, core.lanes, FUTURE))
    alive = moment.alive.copy()
    for decision in range(FUTURE):
        done = core.step(act(observation)[:, None])
        rewards[:, decision], valid[:, decision] = done.reward, alive
        alive &= ~done.terminated
        observation = done.obs
    return worth.returns(rewards, valid > 0, gamma)


def write(table: Table, robust: Sequence[Worth], path: Path, name: str, command: str) -> None:
    """The table of what a log says of a policy, as Markdown."""
    inside = (table["low"] <= table["truth"]) & (table["truth"] <= table["high"])
    bands = zip(table["fitted"], table["low"], table["high"], strict=True)
    share = worth.covered([Worth(*one) for one in bands], table["truth"])
    error, gamma = table["fitted"] - table["truth"], Settings().gamma
    lines = [
        f"# What a log says {name} is worth",
        "",
        f"Made by `{command}`. {NOTICE}",
        "",
        f"From logged episodes of {len(inside)} people under `{LOGGED}` with noise, days of the split {WORTH_SPLIT}, "
        "of which policies learn nothing; true is what came when the policy acted from the same moments. Discounted "
        f"reward of a decision of {DECISION_MIN} min ({gamma:g} a decision). Brackets: 90 %.",
        "",
        f"- Fitted Q: {inside.sum()} of {len(inside)} intervals hold the truth ({100 * share:.0f} %; wanted: "
        f"85). Mean error {error.mean():+.4f}, root mean square {np.sqrt((error**2).mean()):.4f}; the truth is "
        f"{table['truth'].mean():.4f} and differs between people by {table['truth'].std(ddof=1):.4f} (SD).",
        f"- Doubly robust, everybody's days together, weighing {ROBUST_DECISIONS} decisions: "
        + "; ".join(_said(one, decision, gamma) for one, decision in zip(robust, STARTS, strict=True))
        + ".",
        "",
        "| person | moments | true | fitted Q | holds |",
        "|---|---:|---:|---:|---|",
    ]
    for row in range(len(inside)):
        lines.append(
            f"| {table['person'][row]} | {table['moments'][row]} | {table['truth'][row]:.4f} | "
            f"{table['fitted'][row]:.4f} [{table['low'][row]:.4f}, {table['high'][row]:.4f}] | "
            f"{'yes' if inside[row] else 'no'} |"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_bytes(path, ("\n".join(lines) + "\n").encode())


def _said(one: Worth, decision: int, gamma: float) -> str:
    at = f"from {decision * DECISION_MIN % 1440 // 60:02d}:00"
    if one.value is None or one.low is None or one.high is None:
        return f"{at} refused, its effective sample size is {one.ess:.1f}, below {worth.LEAST_ESS:g}"
    value, low, high = ((1 - gamma) * number for number in (one.value, one.low, one.high))
    return f"{at} {value:.4f} [{low:.4f}, {high:.4f}], effective sample size {one.ess:.0f}"
