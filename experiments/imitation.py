"""A policy that begins where somebody else is: it is shown what that agent asks for, and learns to ask so."""

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO

EPOCHS, BATCH, RATE = 25, 4096, 2e-3


def imitate(
    model: PPO,
    seen: NDArray[np.float32],
    asked: NDArray[np.float32],
    seed: int,
    counts: NDArray[np.float32] | None = None,
) -> float:
    """Teach the policy's mean action what was asked for; the mean squared error at the end.

    seen (m, O): observations; asked (m, A): actions; counts (m, A): 1 where a number of an action counts, 0 where
    another would do as well (default: all count).
    """
    torch.manual_seed(seed)
    weights = torch.ones(asked.shape) if counts is None else torch.as_tensor(counts)
    inputs, wanted = torch.as_tensor(seen), torch.as_tensor(asked)
    policy = model.policy
    optimizer = torch.optim.Adam(policy.parameters(), lr=RATE)
    error = torch.zeros(())
    for epoch in range(EPOCHS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - epoch / EPOCHS)
        order = torch.randperm(len(inputs))
        for at in range(0, len(order), BATCH):
            rows = order[at : at + BATCH]
            mean = policy.get_distribution(inputs[rows]).distribution.mean  # type: ignore[union-attr]
            error = (weights[rows] * (mean - wanted[rows]) ** 2).sum() / weights[rows].sum().clamp(min=1.0)
            optimizer.zero_grad()
            error.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return float(error.detach())
