"""Whom a training meets: the people that it learns from, and those at whom it looks to choose the best policy."""

from dataclasses import dataclass

from experiments import people
from experiments.config import TrainConfig
from experiments.personal import twin_file
from experiments.protocol import ProtocolConfig, load_protocol
from twins.cohort import Cohort
from twins.inference.posterior_cohort import copies

BODIES, LOOKED_AT = 64, 8
"""Least people that a training on a twin learns from, and at whom it looks: with fewer draws their bodies come several
times, with habits of their own each. One person alone would miscount carbs by one factor in all of a training."""


@dataclass(frozen=True)
class Trainees:
    """cohort: who is learned from; looked_at: whose validation days choose the policy; met: names for the record."""

    cohort: Cohort
    looked_at: Cohort
    met: tuple[str, ...]


def world_of(config: TrainConfig) -> ProtocolConfig:
    """The protocol that `config` names, with meals of the size that the person of a twin logs."""
    if config.twin is None:
        return load_protocol(config.protocol)
    return twin_file.load(config.twin / "twin.json").world(config.protocol)


def trainees(config: TrainConfig, protocol: ProtocolConfig, validation: ProtocolConfig) -> Trainees:
    """Whom `config` names. validation: the protocol with the seed and days of the looks.

    Raises ValueError for a twin whose card refuses it, and what reading it raises.
    """
    if config.twin is not None:
        return _draws(config)
    whom = protocol.model_copy(update={"people": config.people})
    looked_at = validation.model_copy(update={"people": config.people})
    met = people.known(whom, config.fold)
    # With drawn people the question is how it does with strangers, else how it does on new days.
    strangers = people.validation(looked_at, config.fold) if config.drawn_per_group else None
    if config.own_settings:
        cohort = people.judged(whom.model_copy(update={"drawn_per_group": 0}))
    else:
        cohort = people.training(whom, config.fold, config.drawn_per_group, config.copies, config.seed)
    return Trainees(cohort, strangers or people.judged(looked_at), met)


def _draws(config: TrainConfig) -> Trainees:
    """Draws of the posterior of a person's causal twin; a single one is the most likely."""
    assert config.twin is not None
    twin = twin_file.load(config.twin / "twin.json")
    if not twin.accepted:
        raise ValueError(
            f"the card of {config.twin} refuses this twin, so no policy may be trained on it (reasons: "
            f"{config.twin / 'card.md'}); fit one to a better record, or train on virtual people"
        )
    if config.twin_draws == 1:
        most_likely = twin.cohort.take([0])
        return many(most_likely, most_likely.ids)
    cohort, looked_at = twin.draws(config.twin_draws), twin.draws(min(LOOKED_AT, config.twin_draws))
    return Trainees(copies(cohort, BODIES), copies(looked_at, LOOKED_AT), (f"twin of {twin.who}",))


def many(bodies: Cohort, met: tuple[str, ...]) -> Trainees:
    """Trainees of few bodies, each as several people; `met`: names for the record."""
    return Trainees(copies(bodies, BODIES), copies(bodies, LOOKED_AT), met)
