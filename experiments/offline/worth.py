"""What a policy is worth by a log of another: fitted Q evaluation, and the doubly robust estimate where it may be used.

Le, Voloshin and Yue, ICML 2019 (fitted Q); Jiang and Li, ICML 2016 (doubly robust, by decision). Weights of whole
days soon rest on one of them: below an effective sample size of `LEAST_ESS` the estimate is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t as student
from torch import nn

from experiments.offline.logged import Log, log_density, noise_after

LEAST_ESS = 50.0
LEVEL = 0.9
_NODES = 7
Act = Callable[[NDArray[np.float32]], NDArray[np.float64]]
"""Actions (n,) for observations (n, O)."""


@dataclass(frozen=True)
class Worth:
    """An estimated value with its interval; None where it is refused. ess: effective sample size (fitted Q: none)."""

    value: float | None
    low: float | None = None
    high: float | None = None
    ess: float | None = None


class Fitted:
    """An ensemble of Q functions of one policy, each fitted to episodes drawn anew from the log.

    act: the policy. gamma: discount of a decision. The members' spread is that of the log's episodes.
    """

    def __init__(
        self,
        log: Log,
        act: Act,
        gamma: float,
        members: int = 5,
        steps: int = 8_000,
        batch: int = 1024,
        seed: int = 0,
    ) -> None:
        self._act = act
        draw = np.random.default_rng(seed)
        self._members = [
            _fit(log.take(_within_persons(log.person, draw)), act, gamma, steps, batch, seed + member)
            for member in range(members)
        ]

    def values(self, observations: NDArray[np.float32]) -> NDArray[np.float64]:
        """Value of the policy at these observations (n, O) by every member: (members, n)."""
        return self.q(observations, self._act(observations))

    def q(self, observations: NDArray[np.float32], actions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Value of these actions (n,) there, and of the policy after them: (members, n)."""
        given = _joined(observations, actions)
        with torch.no_grad():
            return np.stack([member(given)[:, 0].numpy().astype(np.float64) for member in self._members])

    def worth(self, observations: NDArray[np.float32], missed: NDArray[np.float64]) -> Worth:
        """Mean value at these beginnings (n, O). missed (E,): by how much the mean return of each logged episode missed
        its value; futures of one episode overlap, so that an episode counts once."""
        means = self.values(observations).mean(axis=1)
        many = len(means)
        ours = student.ppf(0.5 + LEVEL / 2, many - 1) * means.std(ddof=1) * np.sqrt(1 + 1 / many)
        theirs = student.ppf(0.5 + LEVEL / 2, len(missed) - 1) * missed.std(ddof=1) / np.sqrt(len(missed))
        half = float(np.hypot(ours, theirs))
        value = float(means.mean())
        return Worth(value, value - half, value + half)


def doubly_robust(
    log: Log, fitted: Fitted, act: Act, gamma: float, last: NDArray[np.float64] | None = None
) -> Worth:
    """The doubly robust estimate of the mean value at the first observation of the log's episodes, cut where they end.

    The policy is taken with the noise that was logged, which goes on from `last` (E,), see `logged.log_density`.
    Refused below `LEAST_ESS`.
    """
    episodes, decisions = log.raw.shape
    flat = log.observations[:, :-1].reshape(episodes * decisions, -1)
    ours = act(flat).reshape(episodes, decisions)
    ratio = log_density(log.raw - ours, last) - log_density(log.raw - log.meant, last)
    weight = np.exp(np.cumsum(np.where(log.valid, ratio, 0.0), axis=1))
    final = weight[:, -1]
    ess = float(final.sum() ** 2 / np.maximum((final**2).sum(), 1e-300))
    if not ess >= LEAST_ESS:
        return Worth(None, ess=ess)
    q = fitted.q(flat, log.actions.ravel()).mean(axis=0).reshape(episodes, decisions)
    value = _noisy_value(log, fitted, ours, last)
    beyond = fitted.values(log.observations[:, -1]).mean(axis=0)[:, None]
    following = np.concatenate([value[:, 1:], beyond], axis=1) * ~log.ended
    surprise = np.where(log.valid, log.rewards + gamma * following - q, 0.0)
    each = value[:, 0] + (gamma ** np.arange(decisions) * weight * surprise).sum(axis=1)
    half = student.ppf(0.5 + LEVEL / 2, episodes - 1) * each.std(ddof=1) / np.sqrt(episodes)
    return Worth(float(each.mean()), float(each.mean() - half), float(each.mean() + half), ess)


def _noisy_value(
    log: Log, fitted: Fitted, ours: NDArray[np.float64], last: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Mean Q (E, T) of the policy's action with the noise that may follow the one before: without it the correction
    would not be zero on average."""
    episodes, decisions = ours.shape
    centre, sd = noise_after(log.raw - ours, last)
    flat = log.observations[:, :-1].reshape(episodes * decisions, -1)
    at, share = np.polynomial.hermite_e.hermegauss(_NODES)
    total = np.zeros((episodes, decisions))
    for node, weight in zip(at, share / share.sum(), strict=True):
        action = np.clip(ours + centre + sd * node, -1.0, 1.0)
        total += weight * fitted.q(flat, action.ravel()).mean(axis=0).reshape(episodes, decisions)
    return total


def returns(rewards: NDArray[np.float64], valid: NDArray[np.bool_], gamma: float) -> NDArray[np.float64]:
    """Discounted sums (n,) of rewards (n, T); what comes after a failure counts nothing."""
    summed: NDArray[np.float64] = (np.where(valid, rewards, 0.0) * gamma ** np.arange(rewards.shape[1])).sum(
        axis=1
    )
    return summed


def covered(worths: Sequence[Worth], truths: NDArray[np.float64]) -> float:
    """Share of intervals that hold the truth, of those that were not refused; NaN where all were."""
    held = [
        one.low <= truth <= one.high
        for one, truth in zip(worths, truths, strict=True)
        if one.low is not None and one.high is not None
    ]
    return float(np.mean(held)) if held else float("nan")


def _within_persons(person: NDArray[np.str_], draw: np.random.Generator) -> NDArray[np.int64]:
    """Episodes drawn anew, as many of each person as there were."""
    parts = [draw.choice(np.flatnonzero(person == one), (person == one).sum()) for one in np.unique(person)]
    return np.concatenate(parts)


def _fit(log: Log, act: Act, gamma: float, steps: int, batch: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    seen, done, reward, then, ended = log.transitions()
    following = torch.from_numpy(act(then)[:, None].astype(np.float32))
    data = [torch.from_numpy(np.ascontiguousarray(part)) for part in (seen, done, reward, then, ended)]
    width = seen.shape[1] + 1
    net, slow = _net(width), _net(width)
    slow.load_state_dict(net.state_dict())
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    draw = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        at = torch.randint(len(reward), (batch,), generator=draw)
        with torch.no_grad():
            value = slow(torch.cat([data[3][at], following[at]], dim=1))[:, 0]
            target = data[2][at] + gamma * (1 - data[4][at]) * value
        loss = nn.functional.mse_loss(net(torch.cat([data[0][at], data[1][at]], dim=1))[:, 0], target)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            for held, new in zip(slow.parameters(), net.parameters(), strict=True):
                held.lerp_(new, 0.01)
    return slow


def _net(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))


def _joined(observations: NDArray[np.float32], actions: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate([observations, actions[:, None]], axis=1).astype(np.float32))
