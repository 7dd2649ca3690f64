"""The settings of training: what may be set, its limits and its meaning.

The descriptions are the texts of --help. Words follow Stable-Baselines3 and its zoo. Frequencies count
environment steps (decisions summed over all lanes), never calls.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from envs.setting import DIARY
from experiments.protocol import People, Seed, load_protocol
from experiments.records.config_files import Config, ConfigError, build, load_yaml
from twins.units import MINUTES_PER_DAY
from twins.words import near_miss

HYPERPARAMETERS = Path(__file__).resolve().parent.parent / "agents" / "hyperparams"


class PpoConfig(Config):
    """Hyperparameters of PPO; the tested values are in agents/hyperparams/ppo.yml."""

    learning_rate: float = Field(gt=0, le=1, description="step size of Adam")
    learning_rate_schedule: Literal["constant", "linear"] = Field(
        description="constant, or linear: falls to 0 at the end of training"
    )
    n_steps: int = Field(ge=1, le=100_000, description="decisions per lane in one rollout")
    batch_size: int = Field(ge=2, description="decisions in one minibatch; divides lanes x n_steps")
    n_epochs: int = Field(ge=1, le=1000, description="passes over each rollout")
    gamma: float = Field(gt=0, le=1, description="discount per decision")
    gae_lambda: float = Field(ge=0, le=1, description="trade of bias for variance in the advantage")
    clip_range: float = Field(gt=0, le=10, description="limit of the change of the policy's ratio")
    ent_coef: float = Field(ge=0, le=10, description="weight of the entropy in the loss")
    vf_coef: float = Field(ge=0, le=100, description="weight of the value function in the loss")
    max_grad_norm: float = Field(gt=0, le=1000, description="limit of the norm of the gradient")
    log_std_init: float = Field(ge=-10, le=5, description="initial log standard deviation of the action")
    net_arch: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(
        max_length=8, description="units of each hidden layer, for policy and value function"
    )
    target_kl: Annotated[float, Field(gt=0)] | None = Field(
        None, description="ends the epochs of a rollout early at this KL divergence; null: never"
    )


def load_hyperparams(algo: str = "ppo", env: str = "Homeostat/Dosing-v0") -> PpoConfig:
    """Tested hyperparameters of an algorithm for an environment, or those of the section `default`."""
    path = HYPERPARAMETERS / f"{algo}.yml"
    sections = load_yaml(path)
    if env not in sections and "default" not in sections:
        raise ConfigError(f"{path.name}: no section {env} nor `default`{near_miss(env, sections)}")
    name = env if env in sections else "default"
    if not isinstance(sections[name], dict):
        raise ConfigError(f"{path.name}, {name}: expected lines 'name: value'")
    return build(PpoConfig, sections[name], f"{path.name}, {name}")


class TrainConfig(Config):
    """Everything that decides one training run."""

    env: str = Field("Homeostat/Dosing-v0", min_length=1, description="id of the environment")
    algo: Literal["ppo"] = Field("ppo", description="learning algorithm")
    people: People = Field(
        ("all",), description="people to train on: ids such as adult#001, or all, adult, adolescent, child"
    )
    fold: int | None = Field(
        None, ge=0, description="part of the protocol's people to leave out and be judged on; null: train on all"
    )
    drawn_per_group: int = Field(
        0, ge=0, le=10_000, description="people drawn around each age group of the training people, trained on too"
    )
    copies: int = Field(
        1, ge=1, le=100, description="copies of each training person, each with settings wrong in its own way"
    )
    history: bool = Field(False, description="whether the policy sees its person's last 24 hours, hour by hour")
    lanes: int = Field(300, ge=1, le=100_000, description="persons simulated side by side, round-robin")
    decision_min: int = Field(30, ge=1, le=MINUTES_PER_DAY, description="minutes between decisions")
    episode_days: float = Field(2.0, gt=0, le=366, description="length of an episode in days")
    protocol: str = Field(
        "simglucose-default", min_length=1, description="protocol whose scenario and devices are trained on"
    )
    shield: Literal["rule", "off"] = Field("rule", description="safety shield during training")
    seed: Seed = Field(0, description="seed of the policy and of the training days")
    n_timesteps: int = Field(5_760_000, ge=1, le=10**12, description="environment steps to train for")
    max_wall_s: Annotated[float, Field(gt=0)] | None = Field(
        180.0, description="ends training after this many seconds; null: no limit"
    )
    eval_freq: int = Field(288_000, ge=1, description="environment steps between looks at validation days")
    save_freq: int = Field(288_000, ge=1, description="environment steps between checkpoints")
    eval_days: float = Field(2.0, gt=0, le=366, description="length of a validation episode in days")
    eval_replicas: int = Field(5, ge=1, le=1000, description="validation episodes per person")
    torch_threads: int = Field(1, ge=1, le=1024, description="threads of torch; 1 for repeatable results")
    init_from: Path | None = Field(None, description="folder of a saved policy to go on from (fine-tuning)")
    hyperparams: PpoConfig = Field(default_factory=load_hyperparams, description="settings of the algorithm")

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        """Hyperparameters that are not given are those of the algorithm's file."""
        given = data.get("hyperparams") or {} if isinstance(data, Mapping) else None
        if not isinstance(given, Mapping):
            return data
        env = data.get("env")
        tested = load_hyperparams("ppo", env if isinstance(env, str) else cls.model_fields["env"].default)
        return {**data, "hyperparams": {**tested.model_dump(), **given}}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        protocol = load_protocol(self.protocol)
        if protocol.scenario.startswith(DIARY):
            raise ValueError(
                f"protocol: {protocol.name} given, which replays {protocol.scenario}: its days are the same for "
                "training and for judging; train on a protocol whose days are drawn"
            )
        if self.decision_min % protocol.sample_min:
            raise ValueError(
                f"decision_min: {self.decision_min} given; the sensor of {protocol.name} measures every "
                f"{protocol.sample_min} min, so give a multiple of {protocol.sample_min}"
            )
        if self.episode_days * MINUTES_PER_DAY < self.decision_min:
            raise ValueError(
                f"episode_days: {self.episode_days:g} given; an episode must hold at least one decision of "
                f"{self.decision_min} min"
            )
        rollout, batch = self.lanes * self.hyperparams.n_steps, self.hyperparams.batch_size
        if rollout < 2:
            raise ValueError("lanes x n_steps is 1; PPO needs at least two decisions in a rollout")
        if rollout % batch:
            fits = next(size for size in range(min(batch, rollout), 0, -1) if rollout % size == 0)
            raise ValueError(
                f"hyperparams.batch_size: {batch} given, which does not divide the rollout of {rollout} "
                f"decisions (lanes {self.lanes} x n_steps {self.hyperparams.n_steps}); use for example "
                f"{fits if fits > 1 else rollout} (--set hyperparams.batch_size=...)"
            )
        return self
