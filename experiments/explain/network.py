"""A frozen policy as a torch module: the same weights, for gradients of what it asks for."""

import math

import torch
from torch import Tensor, nn

from agents.actors import Actor
from agents.frozen import FrozenPolicy
from agents.layers import LINEAR, RELU, TANH
from envs.tasks.dosing import BASAL_GAIN, BOLUS_GAIN, MAX_BASAL_FACTOR, MAX_CLOSED_LOOP_FACTOR, Action, Dosing

_AFTER = {LINEAR: nn.Identity, TANH: nn.Tanh, RELU: nn.ReLU}


class Network(nn.Module):
    """Observations (n, O) to actions (n, A) in [-1, 1], as `FrozenPolicy.predict` gives them, in double precision."""

    def __init__(self, actor: Actor) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for weight, bias, after in actor.layers:
            layer = nn.Linear(weight.shape[0], weight.shape[1], dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.tensor(weight.T))
                layer.bias.copy_(torch.tensor(bias))
            parts += [layer, _AFTER[after]()]
        self.body = nn.Sequential(*parts).requires_grad_(False)
        self.clips = actor.clips

    def forward(self, rows: Tensor) -> Tensor:
        """See the class."""
        actions: Tensor = self.body(rows)
        return actions.clamp(-1.0, 1.0) if self.clips else actions


class Asked(nn.Module):
    """Observations (n, O) to what a policy asks for (n, A), in multiples of scheduled basal and meal bolus.

    outputs: (name, unit) of each. It is what `Dosing.decode` makes of an action, which has no gradients; a test holds
    the two together.
    """

    def __init__(self, policy: FrozenPolicy) -> None:
        """Raises ValueError for a policy with a memory: what it remembers is no input that could be replaced."""
        super().__init__()
        if policy.manifest.lstm_hidden_size is not None:
            raise ValueError(
                "the policy has a memory, which is no input: there are no attributions of its decisions; give one "
                "without, such as agents/policies/ppo-history/fold0-seed0"
            )
        assert policy.action is not None, "a policy of the task dosing"
        self.network, self.action = Network(policy.actor), policy.action
        self.outputs = tuple((field.name, field.unit) for field in Dosing(policy.action).fields)

    def forward(self, rows: Tensor) -> Tensor:
        """See the class."""
        return factors(self.action, self.network(rows))


def factors(kind: Action, action: Tensor) -> Tensor:
    """Multiples of scheduled basal (and of the meal bolus) that actions (n, A) of this kind stand for."""
    if kind == "modulation":
        basal, bolus = 1 + BASAL_GAIN * action[:, 0], 1 + BOLUS_GAIN * action[:, 1]
        return torch.stack([basal.clamp(min=0.0), bolus], dim=1)
    if kind == "closed-loop":
        steepness = math.log(MAX_CLOSED_LOOP_FACTOR - 1)
        return torch.expm1(steepness * (action + 1)) / math.expm1(steepness)
    return (action + 1) / 2 * MAX_BASAL_FACTOR
