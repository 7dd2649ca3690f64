"""The personal twin's own forecast, as one more rival: fitted on days before the test, for whom it can be fitted.

It is told what the others are not: its forecasts go on with the carbs and meal boluses that were logged within the hour
to come, as `twins.inference.replay` has it.
"""

import numpy as np
from numpy.typing import NDArray

from agents.forecast.features import LOW_MG_DL
from agents.forecast.targets import HORIZONS_MIN, STEPS
from experiments.forecast.people import Person
from experiments.forecast.rivals import Guess
from twins.inference.identify import errors, fit, for_forecasts
from twins.inference.priors import prior
from twins.inference.replay import forecasts
from twins.world.diary import STEPS_PER_DAY, DiaryError

FIT_DAYS = 10
_PATHS = 400
"""So many paths of errors stand for what a twin may miss by."""


def twin_guess(person: Person, starts: NDArray[np.int64]) -> Guess | str:
    """The twin's guess for moments of the test, or the reason why there is none.

    Fitted on the last `FIT_DAYS` days before those held out. The risk is the share of its errors on the days held out
    that would bring glucose below 70 within the hour.
    """
    begins = int(np.argmax(person.record.basal_known))
    record = person.record.take(slice(begins, None))
    last = person.train.stop - begins
    part = slice(last - FIT_DAYS * STEPS_PER_DAY, last)
    if not person.record.basal_known.any() or part.start < 0:
        return f"fewer than {FIT_DAYS} days with known basal insulin before the test"
    try:
        theta = fit(record, part, for_forecasts(prior(record.who))).theta[None]
    except DiaryError as error:
        return str(error)
    calm = person.starts(person.hold) - begins
    missed = errors(theta, record, calm, HORIZONS_MIN)[0]
    missed = missed[np.isfinite(missed).all(axis=1)]
    if not len(missed):
        return "no readings on the days held out"
    missed = missed[:: max(len(missed) // _PATHS, 1)]
    path = forecasts(theta, record, starts - begins, STEPS)[0]
    if not np.isfinite(path).all():
        return "its forecasts are not finite"
    low = [((one[None] - missed).min(axis=1) < LOW_MG_DL).mean() for one in path]
    return Guess(path[:, -1] - np.median(missed[:, -1]), np.array(low))
