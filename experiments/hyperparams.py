"""The settings of each learner, the tested values and the spaces searched for better ones (agents/hyperparams).

Words are those of Stable-Baselines3 and its zoo. A learner has no setting that it does not use.
"""

import math
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from agents.actors import Algo
from experiments.records.config_files import Config, ConfigError, build, load_yaml
from twins.words import near_miss

HYPERPARAMETERS = Path(__file__).resolve().parent.parent / "agents" / "hyperparams"
SEARCH = "search"
"""The section of a hyperparameter file that says what `scripts.search` tries."""

_Units = Annotated[int, Field(ge=1, le=4096)]


class LearnerConfig(Config):
    """What every learner has."""

    learning_rate: float = Field(gt=0, le=1, description="step size of Adam")
    learning_rate_schedule: Literal["constant", "linear"] = Field(
        description="constant, or linear: falls to 0 at the end of training"
    )
    gamma: float = Field(gt=0, le=1, description="discount per decision")
    net_arch: tuple[_Units, ...] = Field(
        max_length=8, description="units of each hidden layer of the policy (and of PPO's value function)"
    )


class PpoConfig(LearnerConfig):
    """Hyperparameters of PPO; the tested values are in agents/hyperparams/ppo.yml."""

    n_steps: int = Field(ge=1, le=100_000, description="decisions per lane in one rollout")
    batch_size: int = Field(ge=2, description="decisions in one minibatch; divides lanes x n_steps")
    n_epochs: int = Field(ge=1, le=1000, description="passes over each rollout")
    gae_lambda: float = Field(ge=0, le=1, description="trade of bias for variance in the advantage")
    clip_range: float = Field(gt=0, le=10, description="limit of the change of the policy's ratio")
    ent_coef: float = Field(ge=0, le=10, description="weight of the entropy in the loss")
    vf_coef: float = Field(ge=0, le=100, description="weight of the value function in the loss")
    max_grad_norm: float = Field(gt=0, le=1000, description="limit of the norm of the gradient")
    log_std_init: float = Field(ge=-10, le=5, description="initial log standard deviation of the action")
    target_kl: Annotated[float, Field(gt=0)] | None = Field(
        None, description="ends the epochs of a rollout early at this KL divergence; null: never"
    )

    def check(self, lanes: int) -> None:
        """Raises ValueError when minibatches do not divide a rollout of so many lanes."""
        rollout, batch = lanes * self.n_steps, self.batch_size
        if rollout < 2:
            raise ValueError("lanes x n_steps is 1; PPO needs at least two decisions in a rollout")
        if rollout % batch:
            fits = next(size for size in range(min(batch, rollout), 0, -1) if rollout % size == 0)
            raise ValueError(
                f"hyperparams.batch_size: {batch} given, which does not divide the rollout of {rollout} "
                f"decisions (lanes {lanes} x n_steps {self.n_steps}); use for example "
                f"{fits if fits > 1 else rollout} (--set hyperparams.batch_size=...)"
            )


class RecurrentPpoConfig(PpoConfig):
    """Hyperparameters of PPO with an LSTM before the hidden layers (sb3-contrib's RecurrentPPO)."""

    lstm_hidden_size: _Units = Field(description="units of the LSTM")
    enable_critic_lstm: bool = Field(
        description="whether the value function has an LSTM of its own, else a layer of that width"
    )


class OffPolicyConfig(LearnerConfig):
    """What SAC, TD3, TQC and CrossQ share: they learn from a replay buffer."""

    qf_arch: tuple[_Units, ...] = Field(max_length=8, description="units of each hidden layer of the critics")
    buffer_size: int = Field(ge=1, le=10**8, description="decisions kept in the replay buffer")
    learning_starts: int = Field(
        ge=0, description="environment steps before the first gradient step; the untrained policy acts"
    )
    batch_size: int = Field(ge=2, le=10**6, description="decisions in one gradient step")
    train_freq: int = Field(ge=1, le=10_000, description="decisions per lane between trainings")
    gradient_steps: int = Field(ge=1, le=10_000, description="gradient steps in one training")
    n_steps: int = Field(
        ge=1, le=1000, description="decisions whose rewards are summed before the critic's word"
    )

    def check(self, lanes: int) -> None:
        """Raises ValueError when the buffer cannot hold what one gradient step looks at."""
        least = lanes * (self.n_steps + 1)
        if self.buffer_size < least:
            raise ValueError(
                f"hyperparams.buffer_size: {self.buffer_size} given; {lanes} lanes and n_steps {self.n_steps} need at "
                f"least {least}"
            )


def _number_or_word(least: float, most: float, pattern: str, allowed: str) -> PlainValidator:
    """A check that lets through a number within limits, or a word."""

    def check(value: Any) -> float | str:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and math.isfinite(value) and least <= value <= most:
            return float(value)
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        raise ValueError(f"allowed are {allowed}")

    return PlainValidator(check)


class _EntropyConfig(OffPolicyConfig):
    ent_coef: Annotated[
        float | str,
        _number_or_word(
            0, 10, r"auto(_(?=[\d.]*[1-9])\d*\.?\d+)?", "0 to 10, auto, or auto_X with X above 0"
        ),
    ] = Field(description="weight of the entropy: a number, auto (learned), or auto_X (learned, X at first)")
    target_entropy: Annotated[float | str, _number_or_word(-100, 100, "auto", "-100 to 100, or auto")] = (
        Field(description="entropy that a learned weight aims at; auto: minus the number of actions")
    )
    log_std_init: float = Field(ge=-10, le=2, description="initial log standard deviation before the tanh")


class SacConfig(_EntropyConfig):
    """Hyperparameters of SAC; the tested values are in agents/hyperparams/sac.yml."""

    tau: float = Field(gt=0, le=1, description="share of the critics that the slow copies take over per step")


class TqcConfig(SacConfig):
    """Hyperparameters of TQC: SAC whose critics predict quantiles of the return."""

    n_quantiles: int = Field(ge=1, le=1000, description="quantiles that each critic predicts")
    n_critics: int = Field(ge=1, le=20, description="number of critics")
    top_quantiles_to_drop_per_net: int = Field(
        ge=0, description="largest quantiles of each critic left out, against overestimation"
    )

    def check(self, lanes: int) -> None:
        """Raises ValueError also when no quantile is left."""
        super().check(lanes)
        if self.top_quantiles_to_drop_per_net >= self.n_quantiles:
            raise ValueError(
                f"hyperparams.top_quantiles_to_drop_per_net: {self.top_quantiles_to_drop_per_net} given; it must be "
                f"below n_quantiles, {self.n_quantiles}"
            )


class CrossQConfig(_EntropyConfig):
    """Hyperparameters of CrossQ: SAC with BatchRenorm and without slow copies."""

    policy_delay: int = Field(
        ge=1, le=1000, description="gradient steps of the critics per one of the policy"
    )


class Td3Config(OffPolicyConfig):
    """Hyperparameters of TD3; the tested values are in agents/hyperparams/td3.yml."""

    tau: float = Field(
        gt=0, le=1, description="share of the networks that the slow copies take over per step"
    )
    policy_delay: int = Field(
        ge=1, le=1000, description="gradient steps of the critics per one of the policy"
    )
    noise_std: float = Field(gt=0, le=2, description="standard deviation of the noise on actions in training")
    target_policy_noise: float = Field(
        ge=0, le=2, description="standard deviation of the noise on the actions that critics aim at"
    )
    target_noise_clip: float = Field(ge=0, le=2, description="limit of that noise")


Hyperparams = PpoConfig | RecurrentPpoConfig | SacConfig | Td3Config | TqcConfig | CrossQConfig
SETTINGS: dict[Algo, type[Hyperparams]] = {
    "ppo": PpoConfig,
    "recurrent_ppo": RecurrentPpoConfig,
    "sac": SacConfig,
    "td3": Td3Config,
    "tqc": TqcConfig,
    "crossq": CrossQConfig,
}


@cache
def _read(path: Path, _: int) -> dict[str, Any]:
    """The sections of a file as it was last written: every `TrainConfig` asks for them."""
    return load_yaml(path)


def _sections(algo: str) -> tuple[Path, dict[str, Any]]:
    path = HYPERPARAMETERS / f"{algo}.yml"
    return path, _read(path, path.stat().st_mtime_ns) if path.is_file() else load_yaml(path)


def load_hyperparams(algo: str = "ppo", env: str = "Homeostat/Dosing-v0") -> Hyperparams:
    """Tested hyperparameters of an algorithm for an environment, or those of the section `default`."""
    path, held = _sections(algo)
    sections = {name: section for name, section in held.items() if name != SEARCH}
    if env not in sections and "default" not in sections:
        raise ConfigError(f"{path.name}: no section {env} nor `default`{near_miss(env, sections)}")
    name = env if env in sections else "default"
    if not isinstance(sections[name], dict):
        raise ConfigError(f"{path.name}, {name}: expected lines 'name: value'")
    return build(SETTINGS[algo], sections[name], f"{path.name}, {name}")  # type: ignore[index]


class Range(Config):
    """Numbers that a search draws from; whole ones when both ends are."""

    low: int | float = Field(description="smallest value")
    high: int | float = Field(description="largest value")
    log: bool = Field(False, description="whether to draw evenly on a logarithmic scale")


Space = dict[str, Range | list[Any]]
"""What a search tries for each hyperparameter: a range, or a list of choices."""


def load_space(algo: Algo) -> Space:
    """The space of the section `search` of an algorithm's file. Raises ConfigError for a name it does not have."""
    path, sections = _sections(algo)
    space: Space = {}
    for name, held in (sections.get(SEARCH) or {}).items():
        known = SETTINGS[algo].model_fields
        if name not in known:
            raise ConfigError(f"{path.name}, {SEARCH}: {algo} has no {name!r}{near_miss(name, known)}")
        if not isinstance(held, list | dict) or not held:
            raise ConfigError(f"{path.name}, {SEARCH}.{name}: give a list of choices, or low, high and log")
        space[name] = held if isinstance(held, list) else build(Range, held, f"{path.name}, {SEARCH}.{name}")
    if not space:
        raise ConfigError(f"{path.name}: no section `{SEARCH}` with settings to try")
    return space
