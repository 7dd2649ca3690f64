"""Nothing, half, as asked, double: a decision's dose changed on the simulated body, and on bodies that differ from it.

A branch is the core itself, restored to the moment, with bodies beside the true one. All of them begin in its state,
with its meals, its habits and its sensor; after the decision all are treated by the person's own therapy, unshielded.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from envs import therapy, trace
from envs.core import Core
from envs.setting import Setting
from envs.tasks.dosing import Dosing
from envs.therapy import Request
from experiments.explain.lived import Decision
from twins import mismatch
from twins.cohort import Cohort
from twins.units import MINUTES_PER_DAY

SCALES = (0.0, 0.5, 1.0, 2.0)
WORDS = {0.0: "nothing", 0.5: "half", 1.0: "as asked", 2.0: "double"}
HORIZON_MIN = 360
MEMBERS = 64


@dataclass(frozen=True)
class WhatIf:
    """Futures from one moment. Plasma glucose [mg/dL] at the end of each of T control intervals: true (4, T) of the
    body, members (4, E, T) of the bodies beside it; a row for each of `SCALES`.

    minute (T,): since the moment. dose_u (4,): of the decision. rescue_g (4,): taken against lows by the true body.
    carbs_g: eaten beside that.
    """

    minute: NDArray[np.float64]
    dose_u: NDArray[np.float64]
    true: NDArray[np.float64]
    members: NDArray[np.float64]
    rescue_g: NDArray[np.float64]
    carbs_g: float

    def band(self, share: float) -> NDArray[np.float64]:
        """Ends (2, 4, T) of what holds the middle `share` of the members."""
        ends: NDArray[np.float64] = np.quantile(self.members, [(1 - share) / 2, (1 + share) / 2], axis=1)
        return ends

    def held(self, share: float) -> NDArray[np.bool_]:
        """Whether the true body's line lies in that band, (4, T)."""
        low, high = self.band(share)
        slack = 1e-9
        return np.asarray((self.true >= low - slack) & (self.true <= high + slack))


def members(setting: Setting, sd: float, count: int = MEMBERS) -> NDArray[np.float64]:
    """Bodies (E, P) around the twin of the setting's first person, off as its protocol's twins are from their bodies.

    As the twin is drawn around the body, so are they around the twin: `twins.mismatch`. sd 0: the body, E times.
    """
    twin = setting.twins.take([0])
    return np.asarray(mismatch.members(twin, count, sd)[0])


def what_if(
    setting: Setting, decision: Decision, bodies: NDArray[np.float64], horizon_min: int = HORIZON_MIN
) -> WhatIf:
    """Give the requested dose of a decision times each of `SCALES` at its moments, and own therapy afterwards.

    setting: of the day; its first person is branched. bodies (E, P): see `members`. The horizon ends with the episode.
    Raises ValueError where less than the decision is left of it.
    """
    control = setting.sensor.sample_min
    left = int(round(setting.days * MINUTES_PER_DAY)) - decision.minute
    count = min(horizon_min, left) // control
    basal, bolus = decision.basal_u_per_h("requested"), decision.bolus_u("requested")
    if count < len(basal):
        raise ValueError(
            f"{left} min are left of the episode; a branch needs the {len(basal) * control} of the decision"
        )
    core, each = _branch(setting, decision, bodies)
    scale = np.repeat(SCALES, each)
    glucose, rescue, eaten = np.empty((len(scale), count)), np.zeros(len(scale)), 0.0
    for k in range(count):
        of_decision = k < len(basal)
        lived = core.step(
            Request(scale * basal[k], scale * bolus[k]) if of_decision else therapy.basal_bolus(core.view)
        ).trace
        glucose[:, k] = lived[:, -1, trace.GLUCOSE_MG_DL]
        sugar = lived[:, :, trace.RESCUE_G].sum(axis=1)
        rescue += sugar
        eaten += float(lived[0, :, trace.CARBS_G].sum() - sugar[0])
    lines = glucose.reshape(len(SCALES), each, count)
    asked = float(basal.sum() * control / 60 + bolus.sum())
    return WhatIf(
        control * np.arange(1.0, count + 1), np.array(SCALES) * asked, lines[:, 0], lines[:, 1:],
        rescue.reshape(len(SCALES), each)[:, 0], eaten,
    )  # fmt: skip


def _branch(setting: Setting, decision: Decision, bodies: NDArray[np.float64]) -> tuple[Core, int]:
    """A core at the moment of the decision with the true body and the others, once for each scale; lanes per scale."""
    one = setting.cohort.take([0])
    each = 1 + len(bodies)
    lanes = len(SCALES) * each
    parameters = np.concatenate([one.parameters, bodies])
    cohort = Cohort(
        one.model,
        tuple(f"{one.ids[0]}~branch{lane}" for lane in range(lanes)),
        np.tile(parameters, (len(SCALES), 1)),
        np.repeat(one.therapy, lanes, axis=0),
        np.repeat(one.weight_kg, lanes),
    )
    control = setting.sensor.sample_min
    world = replace(setting, cohort=cohort, believed=None, decision_min=control, shield="off", oracle=False)
    core = Core(world, Dosing(), lanes)
    saved = {
        name: array if name == "view.position" else np.repeat(array, lanes, axis=0)
        for name, array in decision.saved.items()
        if not name.startswith("belief.")  # of the shield, which a branch does without
    }
    core.restore(saved | {"rows": np.arange(lanes), "people": cohort.numbers})
    return core, each
