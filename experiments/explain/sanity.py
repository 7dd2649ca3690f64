"""Do attributions hang on what a policy has learned? Beside them those of the same network with its weights shuffled.

After Adebayo and others, "Sanity checks for saliency maps" (NeurIPS 2018): an attribution that ranks the inputs of a
shuffled network alike tells of the inputs, not of the policy.
"""

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import nn

from experiments.explain.attribution import integrated


def shuffled(asked: nn.Module, seed: int = 0) -> nn.Module:
    """A copy of a network in which the numbers of every weight and of every bias have changed places at random."""
    rng, other = np.random.default_rng(seed), copy.deepcopy(asked)
    with torch.no_grad():
        for values in other.parameters():
            values.copy_(torch.tensor(rng.permutation(values.numpy().ravel()).reshape(values.shape)))
    return other


def agreement(
    asked: nn.Module, rows: NDArray[np.float64], baseline: NDArray[np.float64], output: int
) -> NDArray[np.float64]:
    """Spearman's rank correlation of the sizes of the attributions with those of the `shuffled` network, of each
    decision (n, O) where there is one; inputs that never differ from the baseline are left out."""
    moves = (rows != baseline).any(axis=0)
    ranks = []
    for network in (asked, shuffled(asked)):
        sizes = np.abs(integrated(network, rows, baseline, output).shares[:, moves])
        rank = rankdata(sizes, axis=1)
        ranks.append(rank - rank.mean(axis=1, keepdims=True))
    one, other = ranks
    with np.errstate(invalid="ignore"):  # all shares alike: no order to compare
        found = (one * other).sum(axis=1) / np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    return np.asarray(found[np.isfinite(found)])
