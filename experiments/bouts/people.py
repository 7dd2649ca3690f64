"""Whom agents around a session learn from, and on whom they are judged: nobody is in two places."""

import numpy as np

from envs.faces.build import session_setting
from envs.setting import Setting
from experiments import people
from experiments.hidden import people as hidden
from experiments.hidden.cores.deichmann import ActiveHovorka
from experiments.protocol import ProtocolConfig, load_protocol
from twins.cohort import Cohort
from twins.draw import DRAWN

DRAWN_PER_GROUP, COPIES = 84, 2
"""Of those learned from: drawn people of each age group, and how often each of the table's is there, with other errors
of the settings and other effects of exercise."""
SECOND_BODY = 12
SEED = 41_000
"""Of the sessions and days that are judged."""
WHERE = {
    "table": "the 30 people of the table, none judged by a policy that has met them",
    "drawn": "people drawn with the keys of the test split",
    "second body": "adults of another model (Hovorka's, with exercise as Deichmann et al. 2021 have it)",
}
"""Groups of people that are judged."""


def _protocol() -> ProtocolConfig:
    """Whose folds, drawn people and errors of settings these are."""
    return load_protocol("realistic")


def folds() -> tuple[int, ...]:
    """The folds of the table's people."""
    return tuple(range(_protocol().folds))


def training(fold: int) -> Setting:
    """Sessions of split train, of people whom the policy of a fold may meet; the fold is the seed, too."""
    who = people.training(_protocol(), fold, DRAWN_PER_GROUP, COPIES, fold)
    return session_setting(cohort=who, split="train", seed=fold)


def looked_at(fold: int) -> Setting:
    """Sessions of split validation, of people whom nobody trains on and nobody is judged on."""
    return session_setting(cohort=people.validation(_protocol(), fold), split="validation", seed=fold)


def second_body(count: int = SECOND_BODY) -> Cohort:
    """Adults whose glucose and exercise follow other equations; settings as people's, with errors."""
    some = hidden.people("M2", "hovorka", count, SEED).cohort
    model = ActiveHovorka()
    return Cohort(
        model,
        some.ids,
        some.parameters[:, : len(model.parameter_names)],
        some.therapy,
        np.array(some.weight_kg),
    )


def judged(where: str, shield: str = "rule") -> Setting:
    """The setting of one of `WHERE`; sessions of split test. Raises ValueError for another."""
    if where not in WHERE:
        raise ValueError(f"where is {where!r}; allowed are {', '.join(WHERE)}")
    if where == "second body":
        who = second_body()
    else:
        everybody = people.judged(_protocol())
        apart = [DRAWN in person for person in everybody.ids]
        who = everybody.take([row for row, one in enumerate(apart) if one == (where == "drawn")])
    return session_setting(cohort=who, split="test", seed=SEED, shield=shield)
