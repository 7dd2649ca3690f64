"""Alarms and events in series made by hand."""

import numpy as np
import pytest

from experiments.forecast.events import Alarms, Course, alarm_steps, choose, event_starts, score

NAN = np.nan


def series(*parts: tuple[float, int]) -> np.ndarray:
    return np.concatenate([np.full(count, value) for value, count in parts])


@pytest.mark.parametrize(
    ("parts", "starts"),
    [
        (((100, 5), (69, 3), (100, 9)), [5]),
        (((100, 5), (69, 2), (100, 9)), []),  # 10 min are no event
        (((100, 5), (70, 5), (100, 9)), []),  # 70 is not below 70
        (((60, 4), (100, 9)), [0]),
        (((100, 5), (60, 3), (80, 2), (60, 3), (80, 9)), [5]),  # 10 min above do not end it
        (((100, 5), (60, 3), (80, 3), (60, 3), (80, 9)), [5, 11]),
        (
            ((100, 5), (60, 3), (80, 1), (NAN, 9), (80, 2), (60, 3)),
            [5, 20],
        ),  # a gap neither ends nor prolongs it
        (((100, 5), (60, 2), (NAN, 1), (60, 2)), []),
        (((100, 9),), []),
    ],
)
def test_events(parts: tuple[tuple[float, int], ...], starts: list[int]) -> None:
    assert event_starts(series(*parts)).tolist() == starts


@pytest.mark.parametrize(
    ("risk", "refractory_min", "steps"),
    [
        ([0.1, 0.5, 0.6, 0.1, 0.5, 0.1], 0, [1, 4]),  # it sounds when the risk comes up, not while it stays
        ([0.1, 0.5, 0.6, 0.1, 0.5, 0.1], 15, [1, 4]),
        ([0.1, 0.5, 0.6, 0.1, 0.5, 0.1], 20, [1]),
        ([0.5, 0.5], 0, [0]),
        ([0.1, NAN, 0.5, NAN, 0.5, 0.1], 0, [2]),  # over a gap the last risk stands
        ([NAN, NAN], 0, []),
        ([0.49, 0.4], 0, []),
    ],
)
def test_alarms(risk: list[float], refractory_min: int, steps: list[int]) -> None:
    assert alarm_steps(np.array(risk), 0.5, refractory_min).tolist() == steps


def course(alarms: list[int], events: list[int], steps: int = 288) -> Course:
    risk = np.zeros(steps)
    risk[alarms] = 0.9
    return Course(risk, np.array(events, np.int64))


@pytest.mark.parametrize(
    ("alarms", "events", "recall", "false", "lead"),
    [
        ([20], [26], 1.0, 0, 30.0),
        ([20], [32], 1.0, 0, 60.0),
        ([20], [33], 0.0, 1, NAN),  # 65 min before is too early
        ([20], [20], 0.0, 1, NAN),  # as it begins is too late
        ([20, 24], [26], 1.0, 0, 30.0),  # the earliest counts
        ([10, 24], [26], 1.0, 1, 10.0),
        ([20], [26, 28], 1.0, 0, 35.0),  # one alarm may announce two
        ([20, 100, 200], [26, 150], 0.5, 2, 30.0),
        ([], [26], 0.0, 0, NAN),
    ],
)
def test_alarms_are_scored_as_events(
    alarms: list[int], events: list[int], recall: float, false: int, lead: float
) -> None:
    found = score([course(alarms, events)], 0.5, refractory_min=0)
    assert found == Alarms(0.5, len(events), recall, false, pytest.approx(lead, nan_ok=True), 1.0)


def test_people_are_scored_together() -> None:
    found = score([course([20], [26]), course([50], [80], steps=576)], 0.5)
    assert (found.events, found.recall, found.days, found.false_per_day) == (
        2,
        0.5,
        3.0,
        pytest.approx(1 / 3),
    )
    assert np.isnan(score([course([20], [])], 0.5).recall)


def test_the_threshold_is_the_lowest_that_is_quiet_enough() -> None:
    risk = np.zeros(288)
    risk[[30, 60, 90]] = 0.8, 0.6, 0.4  # false alarms; the event at 140 has the risk 0.5 before it
    risk[135] = 0.5
    courses = [Course(risk, np.array([140]))]
    assert choose(courses, 1.0) == pytest.approx(0.61)
    assert choose(courses, 2.0) == pytest.approx(0.41)
    assert score(courses, 0.41).recall == 1
    assert choose(courses, 9.0) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="more than -1 false alarms a day"):
        choose(courses, -1.0)
