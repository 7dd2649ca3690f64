"""Which inputs moved a decision, by integrated gradients (Sundararajan, Taly and Yan, ICML 2017) with Captum.

The sum over the inputs is what was asked for less what is asked for at the baseline (completeness). Gradients are
integrated numerically along the straight line from the baseline, whose inputs need not belong together.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

STEPS = 96
"""Points of Gauss and Legendre's rule along the line; what misses `TOLERANCE` is done again with more."""
MOST_STEPS = 1536
TOLERANCE = 0.02
"""Of the sum, in multiples of the scheduled basal rate or of the meal bolus."""
ROWS = 4096
"""Observations times points that are held at once."""


@dataclass(frozen=True)
class Attribution:
    """Of n decisions: shares (n, O) of each input, value (n,) asked for and at the baseline, and missed (n,), by how
    much the sum of the shares differs from value - at_baseline."""

    shares: NDArray[np.float64]
    value: NDArray[np.float64]
    at_baseline: float
    missed: NDArray[np.float64]


def integrated(
    asked: nn.Module, rows: NDArray[np.float64], baseline: NDArray[np.float64], output: int
) -> Attribution:
    """Integrated gradients of one output for observations (n, O), from the baseline (O,).

    Raises ValueError for shapes that do not fit, ModuleNotFoundError without Captum.
    """
    try:
        from captum.attr import IntegratedGradients
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "attributions are made with captum, which is not installed; run: pip install 'homeostat[explain]'"
        ) from None
    rows, baseline = np.asarray(rows, np.float64), np.asarray(baseline, np.float64)
    if rows.ndim != 2 or baseline.shape != rows.shape[1:]:
        raise ValueError(
            f"observations {rows.shape} and baseline {baseline.shape} do not fit; needed are (n, O) and (O,)"
        )
    method = IntegratedGradients(asked)
    start = torch.tensor(baseline)[None]
    value, at_baseline = values(asked, rows, output), float(values(asked, baseline[None], output)[0])
    shares = np.zeros_like(rows)
    left, steps = np.arange(len(rows)), STEPS
    while len(left):
        found = method.attribute(
            torch.tensor(rows[left]),
            start,
            target=output,
            n_steps=steps,
            internal_batch_size=max(ROWS, steps),
        )
        shares[left] = found.detach().numpy()
        missed = shares.sum(axis=1) - (value - at_baseline)
        left, steps = np.flatnonzero(np.abs(missed) > TOLERANCE), 4 * steps
        if steps > MOST_STEPS:
            break
    return Attribution(shares, value, at_baseline, shares.sum(axis=1) - (value - at_baseline))


def values(asked: nn.Module, rows: NDArray[np.float64], output: int) -> NDArray[np.float64]:
    """What is asked for (n,) at observations (n, O)."""
    with torch.no_grad():
        found: NDArray[np.float64] = asked(torch.tensor(rows))[:, output].numpy()
    return found


def gradient_times_change(
    asked: nn.Module, rows: NDArray[np.float64], baseline: NDArray[np.float64], output: int
) -> NDArray[np.float64]:
    """Gradient at each observation times its distance from the baseline, (n, O): the simplest rival."""
    at = torch.tensor(np.asarray(rows, np.float64), requires_grad=True)
    (slope,) = torch.autograd.grad(asked(at)[:, output].sum(), at)
    found: NDArray[np.float64] = slope.numpy() * (rows - baseline)
    return found
