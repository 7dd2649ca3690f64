"""A body with a rhythm of the day: UVA/Padova without one, and with one at the level of the hour."""

import numpy as np
import pytest

from tests.twins.inference.virtual_record import PLAIN, blank
from twins.bodies.glucose import UvaPadova
from twins.bodies.model import NEUTRAL_DRIVE
from twins.inference import personal
from twins.inference.personal import LEVELS, NODES
from twins.inference.rhythmic import LIVER, Rhythmic, at

DAY = 1440


def _lived(model, parameters, days: int):  # type: ignore[no-untyped-def]
    n = len(parameters)
    state, coefficients = model.basal_state(parameters), model.prepare(parameters)
    basal, drive = model.basal_u_per_h(parameters), np.tile(np.array(NEUTRAL_DRIVE), (n, 1, 1))
    out = [
        model.advance(state, coefficients, basal, np.zeros(n), np.full((n, 5), 4.0 * (k == 100)), drive, 5)
        for k in range(days * DAY // 5)
    ]
    assert np.isfinite(model.interstitial_mg_dl(state, parameters)).all()
    return np.concatenate(out, axis=1)


def test_without_a_rhythm_it_is_uva_padova() -> None:
    bodies = personal.bodies(np.stack([PLAIN, PLAIN + 0.1]), blank(0.1))
    still = np.concatenate([bodies, np.zeros((2, NODES))], axis=1)
    assert np.array_equal(_lived(Rhythmic(), still, 1), _lived(UvaPadova(), bodies, 1))
    assert Rhythmic.parameter_names[-NODES:] == LIVER


def test_with_one_glucose_is_drawn_to_the_level_of_the_hour() -> None:
    theta = PLAIN.copy()
    theta[LEVELS] = [0.2, 0.2, 0.2, 0.2, -0.2, -0.2, -0.2, -0.2]
    bodies = personal.bodies(theta[None], blank(0.1))
    whole = np.concatenate([bodies, personal.rhythm(theta[None], bodies)], axis=1)
    lived, level = _lived(Rhythmic(), whole, 3)[0, 2 * DAY :], 120.0
    assert lived[8 * 60] > 1.1 * level and lived[20 * 60] < 0.9 * level
    assert lived[10 * 60] == pytest.approx(level * np.exp(0.2), rel=0.06)


def test_values_between_the_nodes_lie_on_straight_lines_around_the_clock() -> None:
    nodes = np.arange(8.0)[None]
    for minute, value in ((0.0, 0.0), (90.0, 0.5), (1260.0, 7.0), (1350.0, 3.5), (1440.0 + 180.0, 1.0)):
        assert at(nodes, np.array([minute]))[0] == pytest.approx(value)
