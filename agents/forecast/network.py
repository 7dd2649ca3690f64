"""The network of a forecaster: an LSTM over the last two hours, joined with figures of the person, under four heads.

Several small networks are averaged: errors of one that another does not share cancel out. The forward pass is that of
`agents.layers`, row by row and without torch, so that a forecast does not hang on the batch; `agents.forecast.learn`
checks that it agrees with torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.forecast.features import PAST_STEPS
from agents.forecast.targets import STEPS
from agents.layers import LINEAR, RELU, dense, lstm_cell

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SCALE_MG_DL = 40.0
"""Heads for glucose say by how many of these it will differ from the reading at the start."""
OUTPUTS = STEPS * (1 + len(QUANTILES) + 1) + 1
FARTHEST = 5.0
"""Figures count up to so many standard deviations of the training."""
_CHUNK = 4096

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Sizes:
    """Of each network: channels of a step, figures, units of the LSTM and of the layer after it; networks in all."""

    channels: int
    figures: int
    units: int = 36
    width: int = 48
    members: int = 3

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the weights of one network, by torch's names."""
        gates = 4 * self.units
        return {
            "lstm.weight_ih_l0": (gates, self.channels), "lstm.weight_hh_l0": (gates, self.units),
            "lstm.bias_ih_l0": (gates,), "lstm.bias_hh_l0": (gates,),
            "hidden.weight": (self.width, self.units + self.figures), "hidden.bias": (self.width,),
            "out.weight": (OUTPUTS, self.width), "out.bias": (OUTPUTS,),
        }  # fmt: skip

    @property
    def weights(self) -> int:
        """How many numbers are learned in all."""
        return self.members * sum(int(np.prod(shape)) for shape in self.shapes().values())


@dataclass(frozen=True, eq=False)
class Heads:
    """What a network says of W moments. mean (W, 12), quantiles (W, Q, 12): glucose less that of the start, in
    `SCALE_MG_DL`; low_by (W, 12), low_night (W,): probabilities of a reading below 70 up to then, within 7 h."""

    mean: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    low_by: NDArray[np.float64]
    low_night: NDArray[np.float64]


def heads(weights: Weights, past: NDArray[np.float32], figures: NDArray[np.float32]) -> Heads:
    """The answer of one network to windows `past` (W, 24, C) and scaled `figures` (W, S).

    Raises ValueError for other shapes.
    """
    if past.ndim != 3 or past.shape[1] != PAST_STEPS or len(past) != len(figures):
        raise ValueError(
            f"windows have shape {past.shape}, figures {figures.shape}; needed are (W, {PAST_STEPS}, C) and (W, S)"
        )
    gates = _map(np.concatenate([weights["lstm.weight_ih_l0"], weights["lstm.weight_hh_l0"]], axis=1))
    offset = weights["lstm.bias_ih_l0"].astype(float) + weights["lstm.bias_hh_l0"]
    hidden, out = _map(weights["hidden.weight"]), _map(weights["out.weight"])
    first, last = weights["hidden.bias"].astype(float), weights["out.bias"].astype(float)
    units, found = len(offset) // 4, np.empty((len(past), OUTPUTS))
    for begin in range(0, len(past), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        state = cell = np.zeros((len(past[part]), units))
        for step in range(PAST_STEPS):
            rows = np.concatenate([past[part, step].astype(float), state], axis=1)
            state, cell = lstm_cell(dense(rows, gates, offset, LINEAR), cell)
        joined = np.concatenate([state, figures[part].astype(float)], axis=1)
        found[part] = dense(dense(joined, hidden, first, RELU), out, last, LINEAR)
    return split(found)


def split(outputs: NDArray[np.float64]) -> Heads:
    """The heads in the outputs (W, `OUTPUTS`) of a network."""
    by_step = outputs[:, :-1].reshape(len(outputs), -1, STEPS)
    return Heads(by_step[:, 0], by_step[:, 1:-1], _chance(by_step[:, -1]), _chance(outputs[:, -1]))


def scaled(
    figures: NDArray[np.float32], mean: NDArray[np.float32], sd: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Figures (W, S) as networks see them: standard deviations from the mean of the training, 0 where unknown."""
    found = np.clip(np.nan_to_num((figures - mean) / sd), -FARTHEST, FARTHEST)
    return np.asarray(found, np.float32)


def _map(weight: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.ascontiguousarray(weight.T, np.float64)


def _chance(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
