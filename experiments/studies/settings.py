"""What a study is: who learns, what is tuned, on which protocols all are judged. One YAML file each in studies/."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from agents.hostile import HOSTILE
from agents.load import COHORT, PLANNERS, TREATMENTS, TUNED
from experiments.config import TrainConfig
from experiments.protocol import ProtocolConfig, Seed, load_protocol
from experiments.records.config_files import Config, ConfigError, build, load_yaml
from twins.words import near_miss

STUDIES = Path(__file__).resolve().parent

SWEEP_KNOBS = {
    "sensitivity": "sensitivity_factors",
    "carb_count": "carb_count_factor",
    "cgm_bias": "cgm_bias_mg_dl",
}
"""What degradation curves vary, and the protocol's setting behind it."""


_SIZE = {"people", "days", "warmup_days", "replicas", "drawn_per_group", "seed"}
"""Settings of the protocol of the claim that a study may change: who is judged, and for how long. Of these trainings
follow `people`; they would not follow others, so that agents would be trained for one world and judged in another."""


def _known(names: tuple[str, ...], known: tuple[str, ...], what: str) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}{near_miss(name, known)}; known are {', '.join(known)}")
    return names


class Learner(Config):
    """One learned agent of a study: settings of its training, and which copies are trained."""

    settings: dict[str, Any] = Field(
        description="settings of scripts.train; seed, fold and protocol are the study's"
    )
    words: str = Field(min_length=1, description="what the agent is, for reports")
    seeds: tuple[Seed, ...] = Field(min_length=1, description="training seeds")
    folds: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(
        None, description="folds of the protocol to train for; null: all of them"
    )


class FineTuned(Config):
    """Copies of a learner that go on learning on one person each, for a short time."""

    learner: str = Field(description="the learner to begin with")
    seed: Seed = Field(0, description="its training seed")
    fold: int | None = Field(None, description="its fold, whose people are fine-tuned to; null: no folds")
    max_wall_s: float = Field(45.0, gt=0, le=3600, description="seconds of training per person")


class StudyConfig(Config):
    """A study: every learner, tuned treatment and treatment on the same people and days."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="name, equal to that of the file")
    title: str = Field(min_length=1, description="heading of the page")
    protocol: str = Field(description="the protocol of the claim; agents are trained and tuned in its world")
    beside: tuple[str, ...] = Field((), description="protocols judged beside it, shield on")
    primary: str = Field(description="the learner of the one primary contrast")
    learners: dict[str, Learner] = Field(min_length=1, description="learned agents by name")
    treatments: Annotated[
        tuple[str, ...], AfterValidator(lambda names: _known(names, (*TREATMENTS, *PLANNERS), "treatment"))
    ] = Field((), description="treatments that need no simulator")
    tuned: Annotated[
        tuple[str, ...], AfterValidator(lambda names: _known(names, (*TUNED, *COHORT), "tuned treatment"))
    ] = Field((), description="treatments tuned on others (NAME-cohort) or on each person (NAME-tuned)")
    tune_person_days: int = Field(60_000, ge=100, description="simulated days that a tuning may use")
    tune_person_days_each: int | None = Field(
        None, ge=100, description="the same for gains of each person, per person; null: the tuner's own"
    )
    guarded: tuple[str, ...] = Field(
        (), description="agents judged under the twin shield too, hostile ones among them; one training each"
    )
    fine_tuned: FineTuned | None = Field(None, description="the learner fine-tuned to single people")
    sweep: dict[str, tuple[float, ...]] = Field(
        default_factory=dict, description=f"degradation curves: values of {', '.join(SWEEP_KNOBS)}"
    )
    sweep_agents: tuple[str, ...] = Field((), description="agents of these curves")
    sweep_days: float = Field(5.0, gt=0, le=366, description="scored days of an episode of these curves")

    notes: tuple[str, ...] = Field((), description="what a reader of the page has to know of the study")
    changes: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="of a protocol's settings by its name; marks what is judged as modified",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _known((self.primary,), tuple(self.learners), "learner")
        _known(tuple(self.sweep), tuple(SWEEP_KNOBS), "sweep")
        _known(self.sweep_agents, self.agents, "agent")
        _known(self.guarded, (*self.agents, *HOSTILE), "agent")
        folds = load_protocol(self.protocol).folds
        for name in (self.protocol, *self.beside):
            changed(name, self.changes.get(name))
        _known(tuple(self.changes), (self.protocol, *self.beside), "protocol of this study")
        if beyond := sorted(set(self.changes.get(self.protocol, {})) - _SIZE):
            raise ValueError(
                f"changes.{self.protocol}: {', '.join(beyond)} given, which trainings would not follow; allowed are "
                f"{', '.join(sorted(_SIZE))}. Write a protocol of your own, and name its file as protocol"
            )
        for name, learner in self.learners.items():
            if len(set(learner.seeds)) < len(learner.seeds):
                raise ValueError(f"learners.{name}.seeds: {list(learner.seeds)} given; needed is each once")
            for fold in learner.folds or ():
                if fold >= folds:
                    raise ValueError(
                        f"learners.{name}.folds: {fold} given; {self.protocol} has {folds} folds"
                    )
            try:
                self.training(name, learner.seeds[0], self.folds(name)[0])
            except ConfigError as error:
                raise ValueError(f"learners.{name}.settings: {error}") from None
        if self.fine_tuned is not None:
            _known((self.fine_tuned.learner,), tuple(self.learners), "learner")
        return self

    @property
    def agents(self) -> tuple[str, ...]:
        """Names of all agents."""
        return (*self.learners, *self.tuned, *self.treatments)

    def folds(self, learner: str) -> tuple[int | None, ...]:
        """The folds that a learner is trained for; (None,) when the protocol has none."""
        count = load_protocol(self.protocol).folds
        return (self.learners[learner].folds or tuple(range(count))) if count else (None,)

    def training(self, learner: str, seed: int, fold: int | None) -> TrainConfig:
        """Settings of one training."""
        own: dict[str, Any] = {"protocol": self.protocol, "seed": seed, "fold": fold}
        if "people" in self.changes.get(self.protocol, {}):
            own["people"] = self.changes[self.protocol]["people"]
        return build(TrainConfig, {**self.learners[learner].settings, **own}, f"learner {learner}")


def changed(protocol: str, changes: Mapping[str, Any] | None) -> ProtocolConfig:
    """A protocol with some settings changed. Raises ConfigError for a wrong one."""
    return build(ProtocolConfig, {**load_protocol(protocol).model_dump(), **(changes or {})}, protocol)


def load_study(name: str) -> StudyConfig:
    """The study of this name, or of a file of one's own (a path ending in .yml). Raises ConfigError."""
    path = Path(name) if name.endswith(".yml") else STUDIES / f"{name}.yml"
    if not name.endswith(".yml") and name not in studies():
        known = ", ".join(studies())
        raise ConfigError(
            f"unknown study {name!r}{near_miss(name, studies())}; known are {known}, or a path ending in .yml"
        )
    study = build(StudyConfig, load_yaml(path), path.name)
    if study.name != path.stem:
        raise ConfigError(f"{path.name}: name: {study.name!r} given; it must be that of the file")
    return study


def studies() -> tuple[str, ...]:
    """Names of the studies that come with the project."""
    return tuple(sorted(path.stem for path in STUDIES.glob("*.yml")))
