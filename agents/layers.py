"""Forward kernels of small networks: each row by itself and in a fixed order, so that no result hangs on the batch.

torch's batched products change in the last bits with the number of rows; these do not.
"""

import numpy as np

from twins.kernels import kernel

LINEAR, TANH, RELU = 0, 1, 2
"""Codes of the functions that follow a dense layer."""


@kernel
def dense(rows, weight, bias, activation):  # type: ignore[no-untyped-def]
    """activation(rows (n, I) times weight (I, O) plus bias (O,)); sums run in the order of the inputs."""
    out = np.empty((rows.shape[0], weight.shape[1]))
    for r in range(rows.shape[0]):
        for o in range(weight.shape[1]):
            out[r, o] = bias[o]
        for i in range(weight.shape[0]):
            value = rows[r, i]
            for o in range(weight.shape[1]):
                out[r, o] += value * weight[i, o]
        if activation == TANH:
            for o in range(weight.shape[1]):
                out[r, o] = np.tanh(out[r, o])
        elif activation == RELU:
            for o in range(weight.shape[1]):
                if out[r, o] < 0.0:  # NaN stays NaN: a missing observation must not become an action
                    out[r, o] = 0.0
    return out


@kernel
def lstm_cell(gates, cell):  # type: ignore[no-untyped-def]
    """Hidden and cell state (n, H) after a step; gates (n, 4H) in torch's order: input, forget, cell, output."""
    n, width = cell.shape
    hidden, carried = np.empty((n, width)), np.empty((n, width))
    for r in range(n):
        for k in range(width):
            enter = 1.0 / (1.0 + np.exp(-gates[r, k]))
            keep = 1.0 / (1.0 + np.exp(-gates[r, width + k]))
            new = np.tanh(gates[r, 2 * width + k])
            show = 1.0 / (1.0 + np.exp(-gates[r, 3 * width + k]))
            carried[r, k] = keep * cell[r, k] + enter * new
            hidden[r, k] = show * np.tanh(carried[r, k])
    return hidden, carried
