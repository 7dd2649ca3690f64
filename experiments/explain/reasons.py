"""What moved the decisions of a day, where an agent has inputs that can be asked about, and a test of the answers."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.base import Agent, Policy
from agents.frozen import FrozenPolicy
from agents.load import PLANNERS
from agents.tunable import Tuned
from experiments.explain.attribution import Attribution, integrated
from experiments.explain.deletion import KINDS, SINGLE, Deleted, Verdict, deleted, verdict
from experiments.explain.inputs import INPUTS, family
from experiments.explain.lived import Lived
from experiments.explain.network import Asked
from experiments.plots.explain import Share
from twins.cohort import CARB_RATIO_G_PER_U, DAILY_INSULIN_U

MOST_INPUTS = 5
LEAST = 0.005
"""A kind of input that moved less is left out."""


@dataclass(frozen=True)
class Reasons:
    """Attributions of every decision of a day, an `Attribution` for each output (name, unit) of the policy.

    names (O,), baseline (O,): of the inputs.
    """

    outputs: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    baseline: NDArray[np.float64]
    rows: NDArray[np.float64]
    found: tuple[Attribution, ...]

    def kinds(self, output: int, number: int) -> list[Share]:
        """What the kinds of inputs moved an output of a decision by, the largest first."""
        total: dict[str, float] = {}
        for name, share in zip(self.names, self.found[output].shares[number].tolist(), strict=True):
            total[family(name)] = total.get(family(name), 0.0) + share
        ordered = sorted(total.items(), key=lambda one: -abs(one[1]))
        return [Share(words, share) for words, share in ordered if abs(share) >= LEAST] or [
            Share(*ordered[0])
        ]

    def inputs(self, output: int, number: int, therapy: NDArray[np.float64]) -> list[Share]:
        """The single inputs that moved an output of a decision most. therapy (7,): of the person."""
        shares = self.found[output].shares[number]
        told = therapy[DAILY_INSULIN_U], therapy[CARB_RATIO_G_PER_U]
        best = [
            k for k in np.argsort(-np.abs(shares), kind="stable")[:MOST_INPUTS] if abs(shares[k]) >= LEAST
        ]
        return [
            Share(
                (one := INPUTS[self.names[k]]).words,
                float(shares[k]),
                f"{one.told(self.rows[number, k], *told)}; on average {one.told(self.baseline[k], *told)}",
            )
            for k in best
        ]


def reasons(policy: FrozenPolicy, lived: Lived) -> Reasons:
    """Attributions of every decision of the day; the baseline is the person's average moment (`baseline`).

    Raises ValueError for a policy with a memory.
    """
    asked = Asked(policy)
    rows = np.stack([one.observation for one in lived.decisions if one.observation is not None])
    average = baseline(lived, 0)
    found = tuple(integrated(asked, rows, average, output) for output in range(len(asked.outputs)))
    return Reasons(asked.outputs, policy.manifest.observation_names, average, rows, found)


def baseline(lived: Lived, person: int) -> NDArray[np.float64]:
    """The average moment of a person: the mean (O,) of every input over the decisions of the scored days."""
    assert lived.rows is not None, "a policy sees rows"
    mean: NDArray[np.float64] = lived.rows[person].mean(axis=0)
    return mean


def samples(
    asked: Asked, lived: Lived, every: int
) -> Iterator[tuple[int, str, NDArray[np.float64], NDArray[np.float64]]]:
    """What attributions are tested on, for everybody who lived under a policy and for each of its outputs: the output,
    the person, decisions (n, O) of the scored days and the person's own average moment (O,).

    One decision of `every`; of an output of boluses all at which one was asked for.
    """
    assert lived.rows is not None, "a policy sees rows"
    dosed = lived.bolus_asked()
    for person, who in enumerate(lived.setting.cohort.ids):
        for output, (name, _) in enumerate(asked.outputs):
            rows = lived.rows[person]
            rows = rows[dosed[person, : len(rows)]] if name == "bolus" else rows[::every]
            yield output, who, rows, baseline(lived, person)


def tests(
    policy: FrozenPolicy, lived: Lived, every: int, train_seed: int = 0
) -> Iterator[tuple[int, Deleted]]:
    """Deletion tests of each output on everybody who lived under a policy, see `samples`."""
    asked, kinds = Asked(policy), [family(name) for name in policy.manifest.observation_names]
    for output, who, rows, average in samples(asked, lived, every):
        for one in deleted(asked, rows, average, output, kinds, who, train_seed):
            yield output, one


def verdicts(outputs: tuple[tuple[str, str], ...], tested: list[tuple[int, Deleted]]) -> list[Verdict]:
    """The deletion tests of each output summed up, single inputs and kinds of them."""
    return [
        verdict(name, what, [one for of, one in tested if of == output])
        for output, (name, _) in enumerate(outputs)
        for what in (SINGLE, KINDS)
    ]


def why_none(agent: Agent, word: str) -> str | None:
    """Why an agent has no attributions, in words; None where it has."""
    if isinstance(agent, FrozenPolicy):
        if agent.manifest.lstm_hidden_size is None:
            return None
        return (
            "There are none of this policy: it has a memory, and what it remembers is no input that could be set to "
            "an average."
        )
    if word in PLANNERS:
        return (
            "There are none: it weighs no inputs, but searches for the doses that its person's twin does best on "
            f"(`{type(agent).__module__}`)."
        )
    if isinstance(agent, Policy):
        return (
            "There are none: it is no policy of the project's own format, so what is in it is not known here."
        )
    if isinstance(agent, Tuned):
        where, gains = inspect.getmodule(agent.family.request), f", with {len(agent.family.gains)} gains"
    else:
        where, gains = inspect.getmodule(type(agent)), ""
    return (
        f"There are none, and none are needed: it is a rule, which is written down{gains} "
        f"({where.__name__ if where else type(agent).__name__}). Whoever reads it knows why."
    )
