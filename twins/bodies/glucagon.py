"""Counter-regulation: glucagon, which the model of 2008 has not, as in the UVA/Padova model of 2013.

Equations: Dalla Man et al., "The UVA/PADOVA Type 1 Diabetes Simulator: New Features", J Diabetes Sci Technol 8 (2014)
26, (A5), (A18)-(A21). The paper gives no values for one person; these are those of LoopInsighT1 (MIT), which marks most
of them as without a reliable source. So it is an option, and off unless it is asked for.

It is followed once for each stretch that a body is advanced by, and held over it: its own time constants are 5 to 10
min, as long as a control interval. Stretches are to be of one length: a fall is taken to have lasted as long as the
stretch that follows it.
"""

import numpy as np
from numpy.typing import NDArray

from twins.bodies.model import LIVER_OUTPUT
from twins.kernels import kernel

STATES = ("glucagon_secretion_pg_ml_min", "glucagon_pg_ml", "glucagon_action_pg_ml", "glucose_before_mg_dl")
SECRETION, CONCENTRATION, EFFECT, BEFORE = range(len(STATES))

BASAL_PG_ML, CLEARED_PER_MIN, SECRETED_PER_MIN, ACTS_PER_MIN = 60.0, 0.2, 0.5, 0.1
PER_MG_DL, PER_FALL, LIVER_PER_PG_ML = 0.2, 0.1, 0.01
"""Hb, n, rho, kH; then sigma (pg/mL/min per mg/dL below basal glucose), delta (pg/mL per mg/dL of fall) and xi
(mg/kg/min of liver output per pg/mL)."""


def rest(glucose_mg_dl: NDArray[np.float64]) -> NDArray[np.float64]:
    """States (n, 4) in equilibrium at basal glucose."""
    state = np.zeros((len(glucose_mg_dl), len(STATES)))
    state[:, SECRETION], state[:, CONCENTRATION] = BASAL_PG_ML * CLEARED_PER_MIN, BASAL_PG_ML
    state[:, BEFORE] = glucose_mg_dl
    return state


@kernel
def answer(state, glucose, basal, insulin, insulin_basal, minutes, drive):  # type: ignore[no-untyped-def]
    """Let glucagon answer glucose (n,) [mg/dL] for some minutes; the liver's part is added to drive (n, M, 4).

    basal (n,): glucose at rest; insulin, insulin_basal (n,): in plasma [pmol/L], which hold secretion back.
    """
    for lane in range(len(state)):
        secretion, held, effect, before = state[lane]
        fall = max(before - glucose[lane], 0.0) / minutes
        ease = PER_MG_DL / (1.0 + max(insulin[lane] - insulin_basal[lane], 0.0))
        asked = max(ease * (basal[lane] - glucose[lane]) + BASAL_PG_ML * CLEARED_PER_MIN, 0.0)
        for _ in range(minutes):
            effect += ACTS_PER_MIN * (max(held - BASAL_PG_ML, 0.0) - effect)
            held += secretion + PER_FALL * fall - CLEARED_PER_MIN * held
            secretion += SECRETED_PER_MIN * (asked - secretion)
        state[lane, SECRETION], state[lane, CONCENTRATION], state[lane, EFFECT] = secretion, held, effect
        state[lane, BEFORE] = glucose[lane]
        for minute in range(drive.shape[1]):
            drive[lane, minute, LIVER_OUTPUT] += LIVER_PER_PG_ML * effect
