"""The medians of what exercise does: those under which the twin does as people did in the trials to be fitted."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from experiments.exercise.targets import TARGETS
from experiments.exercise.trials import Trials

PRIOR = np.array([0.019, 1.9, 0.006, 0.009, 0.5, 4.6, 0.80])
PRIOR_LOG_SD = np.array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.03])
"""What the fit begins from, in the order of `twins.bodies.exercise.PARAMETERS`, and how well that is known:
the values of the project's sources, at half of the reserve."""
ROUNDS = 15


def fit(rounds: int = ROUNDS) -> NDArray[np.float64]:
    """Medians (7,): least squares over the targets that are fitted, in standard errors, and the prior."""
    fitted = [one for one in TARGETS if one.fitted]

    def residuals(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        trials = Trials(PRIOR * np.exp(logs))
        missed = [(one.measure(trials) - one.value) / one.standard_error for one in fitted]
        return np.concatenate([missed, logs / PRIOR_LOG_SD])

    found = least_squares(residuals, np.zeros(len(PRIOR)), diff_step=0.02, max_nfev=rounds)
    medians: NDArray[np.float64] = PRIOR * np.exp(found.x)
    return medians
