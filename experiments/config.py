"""The settings of training: what may be set, its limits and its meaning.

The descriptions are the texts of --help. Words follow Stable-Baselines3 and its zoo. Frequencies count
environment steps (decisions summed over all lanes), never calls.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, create_model, model_validator

from agents import frozen
from agents.actors import ALGOS, Algo
from agents.multiplier import MOST
from agents.planner import EVERY_MIN
from envs.setting import DIARY
from envs.tasks.dosing import Action
from experiments.hyperparams import SETTINGS, PpoConfig
from experiments.hyperparams import load_hyperparams as load_hyperparams
from experiments.protocol import People, Seed, load_protocol
from experiments.records.config_files import Config, ConfigError, apply_overrides, build, load_yaml
from twins.units import MINUTES_PER_DAY
from twins.words import near_miss

PERSONAL = "personal"
"""The protocol on which policies for one person are trained where no other is given."""
LAGRANGE = ("lagrange_kp", "lagrange_ki", "lagrange_kd", "lagrange_freq")
"""Settings that serve `cost_limit` alone."""


class TrainConfig(Config):
    """Everything that decides one training run, of PPO unless `algo` says otherwise.

    For another algorithm `build(TrainConfig, {"algo": "sac", ...})` gives the same settings with that one's
    hyperparameters (`kind_of`).
    """

    env: str = Field("Homeostat/Dosing-v0", min_length=1, description="id of the environment")
    algo: Algo = Field("ppo", description=f"learning algorithm: {', '.join(ALGOS)}")
    people: People = Field(
        ("all",), description="people to train on: ids such as adult#001, or all, adult, adolescent, child"
    )
    fold: int | None = Field(
        None,
        ge=0,
        description="part of the protocol's people to leave out and be judged on; null: train on all",
    )
    drawn_per_group: int = Field(
        0,
        ge=0,
        le=10_000,
        description="people drawn around each age group of the training people, trained on too",
    )
    copies: int = Field(
        1, ge=1, le=100, description="copies of each training person, each with settings wrong in its own way"
    )
    twin: Path | None = Field(
        None,
        description="folder of a personal twin (scripts.fit_twin) to train on, instead of people; protocol: personal",
    )
    twin_draws: int = Field(
        64, ge=1, le=10_000, description="draws of the twin's posterior to train on; 1: the most likely alone"
    )
    own_settings: bool = Field(
        False,
        description="train under the very settings that the protocol judges with (fine-tuning to a person)",
    )
    action: Action = Field(
        "modulation",
        description="how it doses: factors of basal rate and meal bolus; the basal rate alone, without or beside the "
        "usual boluses; or all insulin, for days whose meals are not announced",
    )
    history: bool = Field(
        False, description="whether the policy sees its person's last 24 hours, hour by hour"
    )
    lanes: int = Field(300, ge=1, le=100_000, description="persons simulated side by side, round-robin")
    decision_min: int = Field(30, ge=1, le=MINUTES_PER_DAY, description="minutes between decisions")
    episode_days: float = Field(2.0, gt=0, le=366, description="length of an episode in days")
    protocol: str = Field(
        "simglucose-default", min_length=1, description="protocol whose scenario and devices are trained on"
    )
    shield: Literal["rule", "off"] = Field("rule", description="safety shield during training")
    cost_penalty: float = Field(
        0.0,
        ge=0,
        le=MOST,
        description="fixed weight w of the cost in what is learned from, (reward - w cost) / (1 + w); cost: share of a "
        "decision's minutes below 70 mg/dL plus share below 54",
    )
    cost_limit: Annotated[float, Field(ge=0, le=2)] | None = Field(
        None,
        description="mean cost of a decision that training keeps to by moving the weight w (PID-Lagrangian), such as "
        "0.01; null: no limit",
    )
    lagrange_kp: float = Field(
        20.0, ge=0, le=10_000, description="weight per unit of mean cost above cost_limit, now"
    )
    lagrange_ki: float = Field(
        10.0,
        ge=0,
        le=10_000,
        description="weight per unit of mean cost above cost_limit, summed over updates",
    )
    lagrange_kd: float = Field(
        20.0, ge=0, le=10_000, description="weight per unit by which the mean cost rose since the last update"
    )
    lagrange_freq: int = Field(
        14_400, ge=1, description="environment steps between updates of the weight, at the end of a rollout"
    )
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
    teacher: Literal["planner"] | None = Field(
        None,
        description="who shows a new policy what it asks for, before it learns by itself: planner, or null. Its time "
        "counts",
    )
    init_from: Path | None = Field(None, description="folder of a saved policy to go on from (fine-tuning)")
    hyperparams: PpoConfig = Field(
        default_factory=lambda: build(PpoConfig, load_hyperparams().model_dump()),
        description="settings of the algorithm",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _of_its_algorithm(cls, data: Any, handler: Callable[[Any], Self]) -> Self:
        """Settings of another algorithm are built with that one's hyperparameters."""
        algo = data.get("algo") if isinstance(data, Mapping) else None
        kind = _KINDS.get(algo, cls) if isinstance(algo, str) else cls  # type: ignore[call-overload]
        if kind is cls:
            return handler(data)
        other: Self = kind.model_validate(data)
        return other

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        """Hyperparameters that are not given are those of the algorithm's file."""
        given = data.get("hyperparams") or {} if isinstance(data, Mapping) else None
        if not isinstance(given, Mapping):
            return data
        algo: Algo = cls.model_fields["algo"].default
        known = SETTINGS[algo].model_fields
        for word in given:
            if word not in known:
                hint = near_miss(word, known) or f". Known are {', '.join(known)}"
                raise ValueError(f"unknown key {word!r} in hyperparams of {algo}{hint}")
        env = data.get("env")
        tested = load_hyperparams(algo, env if isinstance(env, str) else cls.model_fields["env"].default)
        return {**data, "hyperparams": {**tested.model_dump(), **given}}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        protocol = load_protocol(self.protocol)
        if protocol.scenario.startswith(DIARY):
            raise ValueError(
                f"protocol: {protocol.name} given, which replays {protocol.scenario}: its days are the same for "
                "training and for judging; train on a protocol whose days are drawn"
            )
        if self.fold is not None and self.fold >= protocol.folds:
            allowed = f"0 to {protocol.folds - 1}" if protocol.folds else "null: it has no folds"
            raise ValueError(f"fold: {self.fold} given; for {protocol.name} allowed is {allowed}")
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
        self._check_twin()
        self._check_cost()
        self._check_teacher()
        self.hyperparams.check(self.lanes)
        return self

    def _check_twin(self) -> None:
        fields = type(self).model_fields
        of_people = ("people", "fold", "drawn_per_group", "copies", "own_settings")
        given = [name for name in of_people if getattr(self, name) != fields[name].default]
        if self.twin is not None and given:
            raise ValueError(
                f"{given[0]}: {getattr(self, given[0])!r} given beside twin {self.twin}, whose draws are the people; "
                "give one of the two"
            )
        if self.twin is None and self.twin_draws != fields["twin_draws"].default:
            raise ValueError(
                f"twin_draws: {self.twin_draws} given, which does nothing without a twin; give twin"
            )

    def _check_cost(self) -> None:
        if self.cost_limit is None:
            idle = [name for name in LAGRANGE if getattr(self, name) != type(self).model_fields[name].default]
            if idle:
                raise ValueError(
                    f"{idle[0]}: {getattr(self, idle[0]):g} given, which does nothing without a limit; give cost_limit"
                )
        elif self.cost_penalty:
            raise ValueError(
                f"cost_penalty: {self.cost_penalty:g} given beside cost_limit {self.cost_limit:g}, which moves that "
                "weight; give one of them"
            )
        elif not self.lagrange_kp + self.lagrange_ki:
            raise ValueError(
                "lagrange_kp: 0 given, and lagrange_ki: 0; nothing would follow from a cost above cost_limit. Give one "
                "above 0"
            )

    def _check_teacher(self) -> None:
        if self.teacher is None:
            return
        needed = {"algo": "ppo", "action": "modulation", "decision_min": EVERY_MIN, "init_from": None}
        for name, value in needed.items():
            if (given := getattr(self, name)) != value:
                raise ValueError(
                    f"{name}: {given} given beside teacher {self.teacher}, which teaches policies with {name} "
                    f"{'null' if value is None else value}; give that, or no teacher"
                )


def _kind(algo: Algo) -> type[TrainConfig]:
    inner = TrainConfig.model_fields["hyperparams"].description
    return create_model(
        "TrainConfig",  # a name "train.learning_rate" begins with the kind of settings
        __base__=TrainConfig,
        __module__=__name__,
        algo=(Algo, Field(algo, description=TrainConfig.model_fields["algo"].description)),
        hyperparams=(
            SETTINGS[algo],
            Field(default_factory=lambda: load_hyperparams(algo), description=inner),
        ),
    )


_KINDS: dict[Algo, type[TrainConfig]] = {"ppo": TrainConfig}
_KINDS |= {algo: _kind(algo) for algo in ALGOS if algo != "ppo"}


def kind_of(algo: str) -> type[TrainConfig]:
    """The kind of settings of trainings with this algorithm. Raises ConfigError with the nearest known name."""
    if algo not in _KINDS:
        raise ConfigError(f"algo: {algo!r} given{near_miss(algo, ALGOS) or '.'} Allowed: {', '.join(ALGOS)}")
    return _KINDS[algo]


FLAGS = {
    "env": ("--env",),
    "algo": ("--algo",),
    "people": ("--people", "--person"),
    "twin": ("--twin",),
    "n_timesteps": ("-n", "--n-timesteps"),
    "max_wall_s": ("--max-wall-s",),
    "seed": ("--seed",),
    "protocol": ("--protocol",),
    "shield": ("--shield",),
    "decision_min": ("--decision-min",),
    "lanes": ("--n-envs",),
    "eval_freq": ("--eval-freq",),
    "save_freq": ("--save-freq",),
    "torch_threads": ("--num-threads",),
    "init_from": ("-i", "--trained-agent"),
}
"""Settings with a flag of their own on command lines that train, after rl-zoo3."""


def train_settings(
    given: Mapping[str, str | None], conf_file: str | None, overrides: Sequence[str]
) -> TrainConfig:
    """Training settings: the defaults, then the file, then flags (`given`), then --set ("name=value").

    With a twin the protocol is `PERSONAL` where no other is given. What fine-tuning cannot change is taken from the
    saved policy where nothing else is said: its algorithm, what it sees, how often it decides, its layers. Raises
    ConfigError, or what `frozen.load` raises.
    """
    data = load_yaml(conf_file) if conf_file else {}
    flags = {name: value for name, value in given.items() if value is not None}
    said = dict(item.removeprefix("train.").partition("=")[::2] for item in overrides) | {}
    folder = said.get("init_from") or flags.get("init_from") or data.get("init_from")
    if folder not in (None, "null"):
        data = _like(frozen.load(str(folder)).manifest, data)
    if (said.get("twin") or flags.get("twin") or data.get("twin")) not in (None, "null"):
        data = {"protocol": PERSONAL, **data}
    algo = said.get("algo") or flags.get("algo") or data.get("algo") or "ppo"
    base = build(kind_of(str(algo).strip()), {**data, "algo": str(algo).strip()}, conf_file or "settings")
    items = [f"{name}={value}" for name, value in flags.items()]
    return apply_overrides(base, [*items, *overrides], "command line" if flags else "--set")


def _like(parent: frozen.Manifest, data: Mapping[str, Any]) -> dict[str, Any]:
    """Settings for fine-tuning: those of the saved policy below the given ones."""
    inner: dict[str, Any] = {"net_arch": list(parent.net_arch)}
    if parent.lstm_hidden_size is not None:
        inner["lstm_hidden_size"] = parent.lstm_hidden_size
    own = {
        "env": parent.env,
        "algo": parent.algo,
        "history": parent.history,
        **({} if parent.action is None else {"action": parent.action}),
        "decision_min": parent.decision_min,
    }
    return {**own, **data, "hyperparams": {**inner, **(data.get("hyperparams") or {})}}
