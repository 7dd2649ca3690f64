"""Who is trained on and who is judged: folds of the 30 people, drawn people, settings that are wrong for them.

A fold is two of the ten people of each age group (at five folds). A policy of fold k has met neither these nor
anybody drawn around them; it is judged on them, and on people drawn with the keys of the test split.
"""

from collections.abc import Sequence

from experiments.protocol import ProtocolConfig
from twins import cohort as cohorts
from twins.cohort import DAILY_INSULIN_U, GROUPS, Cohort
from twins.draw import draw, mistaken_therapy

BASAL_SHARE = 0.48
"""Of the daily insulin, by the rule of RL4H/G2P2C and GluCoEnv."""
VALIDATION_PER_GROUP = 8
"""People drawn around the training people on whom checkpoints and baselines are chosen."""


def judged(protocol: ProtocolConfig, fold: int | None = None) -> Cohort:
    """The people of a protocol with their settings as the protocol gives them: the table's, then drawn ones.

    fold: of the table's people only those whom the policies of this fold have not met. Raises ValueError for a
    fold that the protocol does not have.
    """
    ids = cohorts.select(protocol.people)
    if fold is not None:
        ids = tuple(person for person in ids if fold_of(person, protocol.folds) == _checked(fold, protocol))
    parts = [cohorts.load(ids, protocol.legacy_gut)] if ids else []
    if protocol.drawn_per_group:
        parts += [
            draw(
                cohorts.load(group, protocol.legacy_gut),
                protocol.drawn_per_group,
                protocol.seed,
                split=protocol.split,
            )
            for group in _groups(protocol.people)
        ]
    return _treated(protocol, cohorts.join(parts))


def training(
    protocol: ProtocolConfig, fold: int | None, drawn_per_group: int, copies: int, seed: int
) -> Cohort:
    """The people that may be trained and tuned on: `copies` of each of the table's, and people drawn around them.

    Copies share a body and differ in their settings (when the protocol's are wrong). fold: see `judged`; None
    leaves nobody out. seed: of the drawn people and of the errors of the settings.
    """
    table = cohorts.load(known(protocol, fold), protocol.legacy_gut)
    parts = [table] + [table.renamed(f"/{copy}") for copy in range(2, copies + 1)]
    parts += _drawn_around(table, drawn_per_group, seed, "train")
    return _treated(protocol, cohorts.join(parts), "train", seed)


def validation(protocol: ProtocolConfig, fold: int | None, seed: int = 0) -> Cohort:
    """People nobody trains on and nobody is judged on, drawn around the training people of a fold."""
    table = cohorts.load(known(protocol, fold), protocol.legacy_gut)
    drawn = _drawn_around(table, VALIDATION_PER_GROUP, seed, "validation")
    return _treated(protocol, cohorts.join(drawn), "validation", seed)


def fold_of(person: str, folds: int) -> int:
    """The fold that a person of the table belongs to: "adult#001" and "adult#002" to 0 of 5; -1 for a drawn person."""
    group, _, number = person.partition("#")
    return (int(number) - 1) * folds // 10 if group in GROUPS else -1


def known(protocol: ProtocolConfig, fold: int | None) -> tuple[str, ...]:
    """Ids of the table's people that policies of a fold may meet: all but those of the fold."""
    ids = cohorts.select(protocol.people)
    if fold is None:
        return ids
    return tuple(person for person in ids if fold_of(person, protocol.folds) != _checked(fold, protocol))


def _drawn_around(table: Cohort, per_group: int, seed: int, split: str) -> list[Cohort]:
    if not per_group:
        return []
    rows = [[row for row in range(len(table)) if table.group(row) == group] for group in GROUPS]
    return [draw(table.take(row), per_group, seed, split=split) for row in reversed(rows) if row]


def _treated(
    protocol: ProtocolConfig, people: Cohort, split: str | None = None, seed: int | None = None
) -> Cohort:
    if protocol.settings != "quest":
        people = people.with_rule_of_500()
    if protocol.settings == "rule-of-500-and-basal":
        daily = people.therapy[:, DAILY_INSULIN_U]
        people = people.with_therapy(basal_u_per_h=BASAL_SHARE * daily / 24)
    if not protocol.therapy_error:
        return people
    return mistaken_therapy(
        people, protocol.therapy_error, split or protocol.split, protocol.seed if seed is None else seed
    )


def _groups(people: Sequence[str]) -> list[str]:
    """Age groups of some people, adults first."""
    present = {person.partition("#")[0] for person in cohorts.select(people)}
    return [group for group in reversed(GROUPS) if group in present]


def _checked(fold: int, protocol: ProtocolConfig) -> int:
    if not 0 <= fold < protocol.folds:
        allowed = (
            f"0 to {protocol.folds - 1}"
            if protocol.folds
            else "none: it has no folds; leave the fold out, or name a protocol that has some, such as realistic"
        )
        raise ValueError(f"fold {fold} given; protocol {protocol.name} has {allowed}")
    return fold
