"""Training of a forecaster: everybody's windows together, minutes on one thread, the same result for the same seed.

Each network minimises the squared error of its mean (the root of which forecasts are compared by), the pinball loss of
its quantiles and the cross entropy of lows up to each step and in the night, and is kept as it was after the round with
the smallest loss on days that it did not learn from.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from agents.forecast.conformal import widening
from agents.forecast.features import CHANNELS, LOW_MG_DL, Seen
from agents.forecast.forecaster import COVERAGE, Arrays, Forecaster
from agents.forecast.network import OUTPUTS, QUANTILES, SCALE_MG_DL, Sizes, scaled
from agents.forecast.targets import STEPS, Ahead

Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """Of a training. every: of the windows, one in so many is learned from in a round, drawn anew."""

    rounds: int = 8
    every: int = 3
    batch: int = 512
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    dropout: float = 0.2
    low_weight: float = 3.0
    """Of the cross entropies beside the other two losses."""
    seed: int = 0
    units: int = Sizes.units
    width: int = Sizes.width
    members: int = Sizes.members


@dataclass(frozen=True, eq=False)
class Examples:
    """One person's moments to learn from: features of the record, W starts, and what came after them."""

    seen: Seen
    starts: NDArray[np.int64]
    ahead: Ahead


@dataclass(frozen=True, eq=False)
class _Tensors:
    """Everybody's examples. change (N, 12) in `SCALE_MG_DL`, 0 where not read; read, low_by, low_known (N, 12); night,
    night_known (N,)."""

    past: Tensor
    figures: Tensor
    change: Tensor
    read: Tensor
    low_by: Tensor
    low_known: Tensor
    night: Tensor
    night_known: Tensor

    def __len__(self) -> int:
        return len(self.past)

    def of(self, rows: Tensor) -> "_Tensors":
        return _Tensors(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


class Network(nn.Module):
    """The network of `agents.forecast.network` in torch."""

    def __init__(self, sizes: Sizes, dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(sizes.channels, sizes.units, batch_first=True)
        self.hidden = nn.Linear(sizes.units + sizes.figures, sizes.width)
        self.out = nn.Linear(sizes.width, OUTPUTS)
        self.drop = nn.Dropout(dropout)

    def forward(self, past: Tensor, figures: Tensor) -> Tensor:
        """Outputs (W, `OUTPUTS`) for windows (W, 24, C) and scaled figures (W, S)."""
        _, (state, _) = self.lstm(past)
        joined = self.drop(torch.cat([state[0], figures], dim=1))
        outputs: Tensor = self.out(self.drop(torch.relu(self.hidden(joined))))
        return outputs


def learn(
    train: Sequence[Examples],
    hold: Sequence[Examples],
    settings: Settings = Settings(),
    say: Say | None = None,
) -> Forecaster:
    """A forecaster from windows of many people; `hold` chooses the round and calibrates the intervals.

    say: is told of each round. Raises ValueError for fewer windows than a batch, or none to hold out.
    """
    count, held = (sum(len(one.starts) for one in part) for part in (train, hold))
    if count // settings.every < settings.batch or held == 0:
        raise ValueError(
            f"{count} windows to learn from and {held} to choose by; needed are {settings.batch * settings.every} and "
            "1 or more, so give longer records, or more people"
        )
    figures = np.concatenate([one.seen.now[one.starts] for one in train]).astype(np.float64)
    known = np.isfinite(figures).any(axis=0)
    mean, sd = np.zeros(figures.shape[1]), np.ones(figures.shape[1])
    mean[known], spread = np.nanmean(figures[:, known], axis=0), np.nanstd(figures[:, known], axis=0)
    sd[known] = np.where(spread > 1e-6, spread, 1.0)
    arrays = {"figures.mean": mean.astype(np.float32), "figures.sd": sd.astype(np.float32)}
    sizes = Sizes(len(CHANNELS), figures.shape[1], settings.units, settings.width, settings.members)
    learned, apart = _tensors(train, arrays), _tensors(hold, arrays)
    with _one_thread():
        for member in range(sizes.members):
            weights = _network(learned, apart, sizes, settings, member, say or (lambda _: None))
            arrays |= {f"{member}.{name}": value for name, value in weights.items()}
    return calibrated(Forecaster(sizes, arrays), hold)


def calibrated(forecaster: Forecaster, hold: Sequence[Examples]) -> Forecaster:
    """The forecaster with intervals that hold `COVERAGE` of the readings after the windows of `hold`, step by step."""
    bare = replace(forecaster, widening_mg_dl=(0.0,) * STEPS)
    found = [bare.of(one.seen, one.starts) for one in hold]
    low = np.concatenate([one.quantiles_mg_dl[:, 0] for one in found])
    high = np.concatenate([one.quantiles_mg_dl[:, -1] for one in found])
    came = np.concatenate([one.ahead.glucose_mg_dl for one in hold])
    wide = (widening(low[:, k], high[:, k], came[:, k], 1 - COVERAGE) for k in range(STEPS))
    return replace(forecaster, widening_mg_dl=tuple(wide))


def _network(
    train: _Tensors, hold: _Tensors, sizes: Sizes, settings: Settings, member: int, say: Say
) -> dict[str, NDArray[np.float32]]:
    """The weights of one network, by torch's names."""
    draw = np.random.default_rng((settings.seed, member))
    best, kept = np.inf, {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(draw.integers(2**31)))
        network = Network(sizes, settings.dropout)
        optimiser = torch.optim.AdamW(
            network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        batches = len(train) // settings.every // settings.batch
        rate = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, settings.learning_rate, total_steps=settings.rounds * batches + 1
        )
        for number in range(settings.rounds):
            network.train()
            order = torch.from_numpy(draw.permutation(len(train)))
            for batch in range(batches):
                part = train.of(order[batch * settings.batch : (batch + 1) * settings.batch])
                loss = _loss(network(part.past, part.figures), part, settings.low_weight)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
                rate.step()
            value = _on(network, hold, settings.low_weight)
            say(
                f"network {member + 1} of {sizes.members}, round {number + 1} of {settings.rounds}: loss {value:.4f}"
            )
            if value < best:
                best = value
                kept = {name: held.detach().numpy().copy() for name, held in network.state_dict().items()}
    return kept


def _on(network: Network, hold: _Tensors, low_weight: float) -> float:
    """The loss on held-out windows."""
    network.eval()
    total = 0.0
    with torch.no_grad():
        for first in range(0, len(hold), 4096):
            rows = torch.arange(first, min(first + 4096, len(hold)))
            part = hold.of(rows)
            total += len(rows) * float(_loss(network(part.past, part.figures), part, low_weight))
    return total / len(hold)


def _loss(outputs: Tensor, part: _Tensors, low_weight: float) -> Tensor:
    """Squared error, pinball loss, and cross entropies of lows within the hour and in the night, together."""
    heads = outputs[:, :-1].view(len(outputs), -1, STEPS)
    square = ((heads[:, 0] - part.change) ** 2 * part.read).mean()
    pinball = (pinball_loss(heads[:, 1:-1], part.change[:, None]) * part.read[:, None]).mean()
    low = binary_cross_entropy_with_logits(heads[:, -1], part.low_by, weight=part.low_known)
    night = binary_cross_entropy_with_logits(outputs[:, -1], part.night, weight=part.night_known)
    return square + pinball + low_weight * (low + night / 2)


def pinball_loss(quantiles: Tensor, seen: Tensor) -> Tensor:
    """The loss (..., Q, H) of `quantiles` (..., Q, H) at `QUANTILES`, against what came (..., 1, H)."""
    share = torch.tensor(QUANTILES)[:, None]
    missed = seen - quantiles
    return torch.maximum(share * missed, (share - 1) * missed)


def _tensors(people: Sequence[Examples], arrays: Arrays) -> _Tensors:
    parts: dict[str, list[NDArray[np.float32]]] = {name: [] for name in _Tensors.__dataclass_fields__}
    for one in people:
        figures, ahead = one.seen.now[one.starts], one.ahead
        glucose = figures[:, one.seen.names.index("glucose")].astype(np.float64)
        read, high = np.isfinite(ahead.glucose_mg_dl), glucose >= LOW_MG_DL
        known = (high & np.isfinite(ahead.low))[:, None]
        held = {
            "past": one.seen.windows(one.starts),
            "figures": scaled(figures, arrays["figures.mean"], arrays["figures.sd"]),
            "change": np.where(read, ahead.glucose_mg_dl - glucose[:, None], 0.0) / SCALE_MG_DL, "read": read,
            "low_by": ahead.low_by, "low_known": np.repeat(known, STEPS, axis=1),
            "night": np.nan_to_num(ahead.low_night), "night_known": high & np.isfinite(ahead.low_night),
        }  # fmt: skip
        for name, value in held.items():
            parts[name].append(np.asarray(value, np.float32))
    return _Tensors(*(torch.from_numpy(np.concatenate(parts[name])) for name in parts))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums of several threads come in any order, and results would differ from run to run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
