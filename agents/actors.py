"""The part of each learner's network that acts, under the names of weights that Stable-Baselines3 gives it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from agents.layers import LINEAR, RELU, TANH, dense, lstm_cell

Algo = Literal["ppo", "recurrent_ppo", "sac", "td3", "tqc", "crossq"]
ALGOS: tuple[Algo, ...] = get_args(Algo)
"""Learners by the names of rl-zoo3."""

Activation = Literal["tanh", "relu"]
ACTIVATION: dict[Algo, Activation] = {
    "ppo": "tanh", "recurrent_ppo": "tanh", "sac": "relu", "td3": "relu", "tqc": "relu", "crossq": "relu",
}  # fmt: skip
"""What follows the hidden layers. On-policy learners clip their actions, the others squash them by tanh."""

RENORM_EPS = 1e-3
"""Added to the variance in CrossQ's BatchRenorm (SB3's default)."""

Weights = Mapping[str, NDArray[Any]]
Memory = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Hidden and cell state, each (1, n, H), as SB3 hands them through `predict`."""


def _linear(algo: Algo, depth: int) -> list[str]:
    """Names of the layers from the observation (or the LSTM) to the action."""
    if algo in ("ppo", "recurrent_ppo"):
        return [*(f"mlp_extractor.policy_net.{2 * k}" for k in range(depth)), "action_net"]
    if algo == "td3":
        return [f"actor.mu.{2 * k}" for k in range(depth + 1)]
    step, first = (3, 1) if algo == "crossq" else (2, 0)  # of CrossQ's modules every third is a BatchRenorm
    return [*(f"actor.latent_pi.{step * k + first}" for k in range(depth)), "actor.mu"]


def _renorm(algo: Algo, depth: int) -> list[str]:
    """Names of the BatchRenorm before each of those layers; SB3 leaves them out of a net without hidden layers."""
    return [f"actor.latent_pi.{3 * k}" for k in range(depth + 1)] if algo == "crossq" and depth else []


def needed(algo: Algo, sizes: Sequence[int], lstm: int | None = None) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights that act, by name. sizes: observation, hidden layers, action. lstm: its units."""
    shapes: dict[str, tuple[int, ...]] = {}
    widths = list(sizes)
    if lstm is not None:
        for part, width in (("ih", widths[0]), ("hh", lstm)):
            shapes[f"lstm_actor.weight_{part}_l0"] = (4 * lstm, width)
            shapes[f"lstm_actor.bias_{part}_l0"] = (4 * lstm,)
        widths[0] = lstm
    depth = len(widths) - 2
    for name, before, after in zip(_linear(algo, depth), widths, widths[1:], strict=False):
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (after, before), (after,)
    for name, width in zip(_renorm(algo, depth), widths, strict=False):
        shapes |= {f"{name}.{part}": (width,) for part in ("ra_mean", "ra_var", "scale", "bias")}
    return shapes


class Actor:
    """The deterministic actor: rows of observations to rows of actions, in double precision.

    layers: of each dense layer weight (I, O), bias (O,) and the code of what follows it (`agents.layers`). clips:
    whether actions are clipped to [-1, 1] at the end.
    """

    def __init__(self, algo: Algo, depth: int, weights: Weights, lstm: int | None = None) -> None:
        names = _linear(algo, depth)
        maps = [_affine(weights, name) for name in names]
        for k, name in enumerate(_renorm(algo, depth)):
            maps[k] = _folded(weights, name, *maps[k])
        hidden = TANH if ACTIVATION[algo] == "tanh" else RELU
        self.clips = algo in ("ppo", "recurrent_ppo")
        last = LINEAR if self.clips else TANH
        self.layers = [
            (np.ascontiguousarray(weight.T), bias, hidden if k < depth else last)
            for k, (weight, bias) in enumerate(maps)
        ]
        self._lstm = lstm
        if lstm is not None:
            (enter, first), (recur, second) = (
                (weights[f"lstm_actor.weight_{part}_l0"], weights[f"lstm_actor.bias_{part}_l0"])
                for part in ("ih", "hh")
            )
            joined = np.concatenate([enter, recur], axis=1, dtype=np.float64)
            self._gates = np.ascontiguousarray(joined.T), first.astype(float) + second

    def __call__(
        self, rows: NDArray[np.float64], memory: Memory | None, begins: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float32], Memory | None]:
        """Actions (n, A) for rows (n, O), and the memory after them (of a recurrent actor)."""
        if self._lstm is not None:
            rows, memory = self._remember(rows, memory, begins)
        for weight, bias, activation in self.layers:
            rows = dense(rows, weight, bias, activation)
        return (np.clip(rows, -1.0, 1.0) if self.clips else rows).astype(np.float32), memory

    def _remember(
        self, rows: NDArray[np.float64], memory: Memory | None, begins: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float64], Memory]:
        """One step of the LSTM: its output (n, H) and its memory. Lanes that begin forget what was before."""
        assert self._lstm is not None
        shape = (1, len(rows), self._lstm)
        hidden, cell = (np.zeros(shape), np.zeros(shape)) if memory is None else memory
        for part in (hidden, cell):
            if np.shape(part) != shape:
                raise ValueError(
                    f"state has shape {np.shape(part)}; this policy needs two arrays of {shape}, as its last predict "
                    "gave them for the same lanes, or None at the start"
                )
        first = np.zeros(len(rows), bool) if begins is None else np.asarray(begins, bool).reshape(-1)
        if len(first) != len(rows):
            raise ValueError(f"episode_start has {len(first)} lanes; the observations have {len(rows)}")
        before = np.where(first[:, None], 0.0, np.asarray(hidden[0], np.float64))
        kept = np.where(first[:, None], 0.0, np.asarray(cell[0], np.float64))
        gates = dense(np.concatenate([rows, before], axis=1), *self._gates, LINEAR)
        hidden, cell = lstm_cell(gates, kept)
        return hidden, (hidden[None], cell[None])


def _affine(weights: Weights, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return weights[f"{name}.weight"].astype(float), weights[f"{name}.bias"].astype(float)


def _folded(
    weights: Weights, name: str, weight: NDArray[np.float64], bias: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The layer after a BatchRenorm with that one's running statistics in it: one affine map instead of two."""
    mean, variance, scale, shift = (
        weights[f"{name}.{part}"].astype(float) for part in ("ra_mean", "ra_var", "scale", "bias")
    )
    factor = scale / np.sqrt(variance + RENORM_EPS)
    return weight * factor, bias + weight @ (shift - mean * factor)
