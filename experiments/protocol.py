"""Evaluation protocols: frozen, named, versioned and hashed with the kernels they run on."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from envs.setting import DIARY
from experiments.records.config_files import Config, ConfigError, build, load_yaml
from twins.cohort import select
from twins.words import near_miss
from twins.world import behaviour, devices, scenarios

PROTOCOLS = Path(__file__).resolve().parent / "protocols"
_MAX_SEED = 2**32 - 1
"""Seeds are one 32-bit word of a random key."""


def _words(value: Any) -> Any:
    return tuple(word.strip() for word in value.split(",")) if isinstance(value, str) else value


def _known_people(people: tuple[str, ...]) -> tuple[str, ...]:
    select(people)
    return people


def _known_behaviour(name: str) -> str:
    behaviour.named(name)
    return name


def _known_scenario(name: str) -> str:
    if not name.startswith(DIARY):
        scenarios.named(name)
    return name


People = Annotated[tuple[str, ...], BeforeValidator(_words), AfterValidator(_known_people)]
Seed = Annotated[int, Field(ge=0, le=_MAX_SEED)]


_LATER = ("carbs_g_per_day", "sensor_range_mg_dl", "settings", "legacy_gut")
"""Settings that came after the first results."""


class ProtocolConfig(Config):
    """A frozen, named description of an evaluation. An episode begins at 00:00."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="name, equal to that of the file")
    version: int = Field(ge=1, description="raised with every change of meaning")
    description: str = Field(min_length=1, description="in words, for reports")
    people: People = Field(description="who is simulated: ids and groups")
    drawn_per_group: int = Field(
        0, ge=0, le=10_000, description="people drawn around each age group of the 30, beside these"
    )
    folds: int = Field(
        0, ge=0, le=10, description="parts of the people for policies that must not have met them; 0: none"
    )
    therapy_error: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="basal rate, carb ratio, correction factor: each wrong by up to this share",
    )
    settings: Literal["quest", "rule-of-500", "rule-of-500-and-basal"] = Field(
        "quest",
        description="therapy settings: those of simglucose's Quest.csv; carb ratio 500 and correction factor 1800 by "
        "the daily insulin; these, and 0.48 of it as basal",
    )
    legacy_gut: bool = Field(
        False,
        description="whether the stomach errs as in simglucose before 0.2.3, on which older tables were made",
    )
    twin_error: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="twins that shield and planner work with: parameters wrong by about this share",
    )
    scenario: str = Field(description="name of a scenario, or diary:FILE for recorded days")
    behaviour: Annotated[str, AfterValidator(_known_behaviour)] = Field(
        "exact", description="habits of the person: carb counting, missed boluses, treating lows"
    )
    sensitivity_factors: tuple[Annotated[float, Field(gt=0.1, lt=10)], ...] | None = Field(
        None,
        min_length=1,
        description="instead of the behaviour's: insulin sensitivity of replica 0, 1 ... times this",
    )
    carb_count_factor: float | None = Field(
        None, gt=0, le=5, description="instead of the behaviour's: everybody's carb counts times this"
    )
    carbs_g_per_day: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="instead of the scenario's (of random meals): grams eaten in a day, on average",
    )
    announce: Literal["exact", "behaviour", "none"] = Field(
        "exact", description="what the therapy hears of meals: all, what the behaviour tells, nothing"
    )
    sensor: Literal["GuardianRT", "Dexcom", "Navigator"] = Field(description="glucose sensor")
    sample_min: int = Field(ge=1, le=60, description="minutes between readings, the control interval")
    sensor_range_mg_dl: tuple[float, float] | None = Field(
        None, description="instead of the sensor's: lowest and highest reading"
    )
    cgm_bias_mg_dl: float = Field(0.0, ge=-100, le=100, description="added to every reading")
    cgm_missing: float = Field(0.0, ge=0, lt=1, description="share of the readings lost, in gaps of an hour")
    compression_lows_per_night: float = Field(
        0.0, ge=0, le=1, description="probability of a night with a low reading from lying on the sensor"
    )
    pump: Literal["Insulet", "Cozmo"] = Field(description="insulin pump")
    days: float = Field(gt=0, le=366, description="scored length of an episode in days")
    warmup_days: float = Field(0.0, ge=0, le=366, description="days simulated before these and not scored")
    replicas: int = Field(ge=1, le=100_000, description="episodes per person")
    seed: Seed = Field(description="seed of the days")
    split: Literal["train", "validation", "test"] = Field("test", description="part of the days")
    primary: Literal["plasma"] = Field(
        "plasma",
        description="glucose behind the main metrics; those of the sensor stand in columns of their own",
    )
    glucose_failure_low_mg_dl: float = Field(10.0, gt=0, lt=54, description="below this: died, low")
    glucose_failure_high_mg_dl: float = Field(600.0, gt=250, le=2000, description="above this: failed, high")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _known_scenario(self.scenario)
        devices.adapted(self.sensor, self.sample_min, self.sensor_range_mg_dl)
        return self

    def hash(self, kernel_hash: str) -> str:
        """SHA-256 (hex) of these settings and of the kernels they ran on ."""
        # Where it is not set a later setting changes no hash: results made before it are of the same protocol.
        fields = type(self).model_fields
        later = {name for name in _LATER if getattr(self, name) == fields[name].default}
        plain = json.dumps(self.model_dump(mode="json", exclude=later), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(f"{plain}\n{kernel_hash}".encode()).hexdigest()


def load_protocol(name: str) -> ProtocolConfig:
    """The protocol of this name, or of a file of one's own (a path that ends in .yml). Raises ConfigError."""
    path = Path(name) if name.endswith(".yml") else PROTOCOLS / f"{name}.yml"
    if not name.endswith(".yml") and name not in protocols():
        hint = near_miss(name, protocols()) or "."
        known = ", ".join(protocols())
        raise ConfigError(f"unknown protocol {name!r}{hint} Known: {known}, or a path ending in .yml")
    protocol = build(ProtocolConfig, load_yaml(path), path.name)
    if protocol.name != path.stem:
        raise ConfigError(f"{path.name}: name: {protocol.name!r} given; it must be that of the file")
    return protocol


def protocols() -> tuple[str, ...]:
    """Names of the protocols that come with the project."""
    return tuple(sorted(path.stem for path in PROTOCOLS.glob("*.yml")))
