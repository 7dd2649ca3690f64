"""The deletion test: are the inputs that an attribution ranks first those that the decision hangs on?

The inputs of a decision are set to their baseline, one after the other, or all of a kind together, in the order of the
size of their attribution; the sooner the output comes to what it is at the baseline, the better the order. Beside it:
random orders, and the order by gradient times change. Samek and others, IEEE TNNLS 28 (2017), for images; what is left
when some inputs are deleted need not be a state that there is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from experiments.explain.attribution import gradient_times_change, integrated, values
from experiments.statistics import SEED, Interval, crossed_interval

MOST_DELETED = 10
RANDOM_ORDERS = 50
ORDERS = {
    "integrated": "integrated gradients",
    "gradient": "gradient x change",
    "random": "random orders",
}
SINGLE, KINDS = "single inputs", "kinds of inputs"


@dataclass(frozen=True)
class Deleted:
    """Of n decisions of one person under one policy: distance (n, K + 1) of the output from that at the baseline after
    0 ... K deletions, by order; what is deleted (`SINGLE`, `KINDS`); the largest miss of completeness."""

    what: str
    person: str
    train_seed: int
    left: dict[str, NDArray[np.float64]]
    missed: float

    def __len__(self) -> int:
        return len(self.left["random"])

    def curve(self, order: str) -> NDArray[np.float64]:
        """Mean distance left after 0 ... K deletions, as a share of that before; nan where there was none."""
        mean = self.left[order].mean(axis=0)
        shares: NDArray[np.float64] = mean / mean[0] if mean[0] > 0 else np.full(len(mean), np.nan)
        return shares

    def area(self, order: str) -> float:
        """Mean of the curve over 1 ... K deletions, the area under it. 1: nothing moved; 0: at the baseline at once."""
        return float(self.curve(order)[1:].mean())


def deleted(
    asked: nn.Module,
    rows: NDArray[np.float64],
    baseline: NDArray[np.float64],
    output: int,
    kinds: Sequence[str],
    person: str = "",
    train_seed: int = 0,
    orders: int = RANDOM_ORDERS,
) -> list[Deleted]:
    """Test an output of a policy on decisions (n, O) of a person, from a baseline (O,): input by input, and all inputs
    of a kind together, in the order of the sums over them.

    kinds (O,): that of each input. What ties is in random order, as the random orders are: the same every time.
    """
    found = integrated(asked, rows, baseline, output)
    slope = gradient_times_change(asked, rows, baseline, output)
    named = sorted(set(kinds))
    together = np.array([named.index(kind) for kind in kinds])
    tests = []
    for what, member, most in (
        (SINGLE, np.arange(rows.shape[1]), MOST_DELETED), (KINDS, together, len(named)),
    ):  # fmt: skip
        rng = np.random.default_rng(SEED)
        parts = np.eye(member.max() + 1)[member]  # (O, groups)
        # What is always as it is at the baseline, such as the settings, is not there to be deleted.
        moves = (np.abs(rows - baseline) @ parts > 0).any(axis=0)
        most = min(most, max(int(moves.sum()) - (what == KINDS), 1))

        def ranked(
            score: NDArray[np.float64],
            most: int = most,
            moves: Any = moves,
            rng: np.random.Generator = rng,
        ) -> NDArray[np.int64]:
            size = np.where(moves, np.abs(score), -1.0)
            return np.lexsort((rng.random(score.shape), -size), axis=1)[:, :most]

        left = {
            name: remaining(asked, rows, baseline, output, member, ranked(score @ parts))
            for name, score in (("integrated", found.shares), ("gradient", slope))
        }
        nothing = np.zeros((len(rows), parts.shape[1]))
        drawn = [remaining(asked, rows, baseline, output, member, ranked(nothing)) for _ in range(orders)]
        left["random"] = np.mean(drawn, axis=0)
        tests.append(Deleted(what, person, train_seed, left, float(np.abs(found.missed).max(initial=0.0))))
    return tests


def remaining(
    asked: nn.Module,
    rows: NDArray[np.float64],
    baseline: NDArray[np.float64],
    output: int,
    member: NDArray[np.int64],
    order: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Distance (n, K + 1) of the output from that at the baseline after 0 ... K deletions.

    member (O,): the group of each input; order (n, K): groups, the first to be deleted first.
    """
    at, now = values(asked, baseline[None], output)[0], rows
    left = [np.abs(values(asked, now, output) - at)]
    for group in order.T:
        now = np.where(member == group[:, None], baseline, now)
        left.append(np.abs(values(asked, now, output) - at))
    return np.stack(left, axis=1)


@dataclass(frozen=True)
class Verdict:
    """The test over people (and trainings): curves (K + 1,) and areas by order, and the integrated gradients' area less
    that of the others, with intervals over persons (and training seeds)."""

    output: str
    what: str
    persons: int
    trainings: int
    decisions: int
    curves: dict[str, NDArray[np.float64]]
    areas: dict[str, Interval]
    less: dict[str, Interval]
    missed: float

    @property
    def words(self) -> str:
        """What came out, in a sentence."""
        chance, slope = self.less["random"], self.less["gradient"]
        shorter = 1 - self.areas["integrated"].estimate / self.areas["random"].estimate
        first = (
            f"for {self.what} integrated gradients do better than chance (their area is {100 * shorter:.0f} % smaller)"
            if chance.high < 0
            else f"for {self.what} integrated gradients do NOT do better than chance"
        )
        second = (
            "better than gradient x change"
            if slope.high < 0
            else "worse than gradient x change"
            if slope.low > 0
            else "not clearly other than gradient x change"
        )
        return f"{self.output}: {first}, and {second}"


def verdict(output: str, what: str, tested: Sequence[Deleted]) -> Verdict:
    """Sum up tests of several people, decisions averaged within a person first. Raises ValueError without any."""
    tested = [one for one in tested if one.what == what and len(one) and np.isfinite(one.area("random"))]
    if not tested:
        raise ValueError(f"no decision was tested for {output}; give people who have such decisions")
    people = sorted({one.person for one in tested})
    seeds = sorted({one.train_seed for one in tested})
    tables = {name: np.full((len(seeds), len(people)), np.nan) for name in ORDERS}
    for one in tested:
        for name in ORDERS:
            tables[name][seeds.index(one.train_seed), people.index(one.person)] = one.area(name)
    rivals = {name: tables["integrated"] - tables[name] for name in ORDERS if name != "integrated"}
    return Verdict(
        output,
        what,
        len(people),
        len(seeds),
        sum(map(len, tested)),
        {name: np.mean([one.curve(name) for one in tested], axis=0) for name in ORDERS},
        {name: crossed_interval(table, seed=SEED) for name, table in tables.items()},
        {name: crossed_interval(table, seed=SEED) for name, table in rivals.items()},
        max(one.missed for one in tested),
    )


def lines(found: Sequence[Verdict]) -> Iterator[list[str]]:
    """Rows of a table under `HEADS`."""
    for one in found:
        for name, words in ORDERS.items():
            less = _interval(one.less[name]) if name in one.less else ""
            curve = one.curves[name]
            yield [
                one.output, one.what, words, *(f"{curve[k]:.2f}" if k < len(curve) else "" for k in _SHOWN),
                _interval(one.areas[name]), less,
            ]  # fmt: skip


_SHOWN = (1, 2, 3, 4, 10)
HEADS = (
    "output", "deleted", "in the order of", *(f"left after {k}" for k in _SHOWN), "area [95 %]",
    "integrated gradients less this",
)  # fmt: skip


def _interval(one: Interval) -> str:
    ends = "" if np.isnan(one.low) else f" [{one.low:.3f}, {one.high:.3f}]"
    return f"{one.estimate:.3f}{ends}"
