"""The twin shield: its guarantee where the model is exact, and what was measured where it is not."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from envs import trace
from envs.core import Core
from envs.roster import Roster
from envs.setting import make_setting
from envs.shield import Reason, rule
from envs.shield import twin as shield
from envs.shield.twin import Guard
from envs.tasks.dosing import Dosing
from envs.therapy import Request, basal_bolus
from envs.view import RUNNING_MIN, SINCE_ANNOUNCED_MIN, UNCOVERED_G, View
from twins import cohort as cohorts
from twins import mismatch
from twins.bodies.glucose_kernel import GLUCOSE_PLASMA, GLUCOSE_TISSUE
from twins.cohort import Cohort
from twins.inference.filter import Belief

FEW = ["adult#007", "adolescent#002", "child#002", "child#006", "child#008"]


def _most(view: View) -> Request:
    return Request(np.full(len(view), 1000.0), np.full(len(view), 1000.0))


def _bang(view: View) -> Request:
    on = view.now[:, RUNNING_MIN] // 120 % 2 == 0
    return Request(1000.0 * on, 1000.0 * on)


def _chance(view: View) -> Request:
    rng = np.random.default_rng(int(view.now[0, RUNNING_MIN]))
    return Request(
        rng.uniform(0, 10, len(view)), rng.uniform(0, 10, len(view)) * (rng.random(len(view)) < 0.3)
    )


def _after_meals(view: View) -> Request:
    usual = basal_bolus(view)
    fed = (view.now[:, SINCE_ANNOUNCED_MIN] < 60) & (
        view.now[:, RUNNING_MIN] > view.now[:, SINCE_ANNOUNCED_MIN]
    )
    return Request(usual.basal_u_per_h, np.where(fed, 1000.0, 0.0))


HOSTILE = {"always the most": _most, "two hours of the most, two of nothing": _bang, "chance": _chance,
           "the most after every meal": _after_meals}  # fmt: skip


def live(
    agent: Any,
    people: Any,
    days: float,
    truth: Cohort | None = None,
    oracle: bool = False,
    phantom: float = 0.0,
    **guard: Any,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Plasma glucose of every minute (n, K) and the reason of every interval under the twin shield."""
    believed = people if isinstance(people, Cohort) else cohorts.load(people)
    n = len(believed)
    setting = make_setting(
        cohort=truth or believed, believed=believed, days=days, split="test", seed=11, shield="twin", oracle=oracle,
        guard=Guard(**guard),
    )  # fmt: skip
    core = Core(setting, Dosing(), n)
    rows, keys = Roster(believed, n, "test", 11).next(np.arange(n))
    core.reset(rows, keys)
    if phantom:
        core.eat_g[np.random.default_rng(3).random(core.eat_g.shape) < phantom] = 0.0
    done = [core.step(agent(core.view)).trace.copy() for _ in range(int(days * 288))]
    whole = np.concatenate(done, axis=1)
    return whole[:, :, trace.GLUCOSE_MG_DL], whole[:, ::5, trace.REASON]


@pytest.mark.parametrize("agent", HOSTILE)
def test_with_the_exact_twin_no_hostile_agent_gets_glucose_below_the_floor(agent: str) -> None:
    glucose, reason = live(HOSTILE[agent], FEW, 1.5, oracle=True, floor_mg_dl=80.0)
    assert glucose.min() >= 78.0
    assert (reason == Reason.TWIN).mean() > 0.2, "the agent is hostile"


@pytest.mark.verify
@pytest.mark.parametrize("agent", HOSTILE)
def test_with_the_exact_twin_30_people_over_a_week_stay_above_the_floor(agent: str) -> None:
    glucose, _ = live(HOSTILE[agent], "all", 7.0, oracle=True, floor_mg_dl=80.0)
    assert glucose.min() >= 78.0 and (glucose < 70).sum() == 0


def test_the_same_agent_kills_behind_the_rules_alone() -> None:
    """So the check above can fail."""
    people = cohorts.load(FEW)
    core = Core(make_setting(cohort=people, days=1.5, split="test", seed=11), Dosing(), len(people))
    core.reset(*Roster(people, len(people), "test", 11).next(np.arange(len(people))))
    lowest = min(core.step(_most(core.view)).trace[:, :, trace.GLUCOSE_MG_DL].min() for _ in range(432))
    assert lowest < 40


def test_from_readings_alone_the_most_stays_out_of_the_low_range() -> None:
    glucose, _ = live(_most, FEW, 1.0, members=1, sd=0.0, floor_mg_dl=90.0, uneaten_floor_mg_dl=None)
    assert glucose.min() >= 65
    assert ((glucose >= 70) & (glucose <= 180)).mean() > 0.75, "one of them is child#008"


@pytest.mark.verify
def test_from_readings_alone_30_people_over_a_week() -> None:
    glucose, _ = live(_most, "all", 7.0, members=1, sd=0.0, floor_mg_dl=90.0, uneaten_floor_mg_dl=None)
    assert (glucose < 70).mean() <= 0.0005 and glucose.min() >= 65
    assert ((glucose >= 70) & (glucose <= 180)).mean() >= 0.92


@pytest.mark.slow
def test_bodies_that_differ_from_their_twins_stay_above_54() -> None:
    few = cohorts.load(FEW)
    glucose, _ = live(
        _most, few, 0.75, mismatch.mismatched(few, 0.2, "test", 5), floor_mg_dl=90.0, uneaten_floor_mg_dl=None
    )
    assert glucose.min() >= 54


@pytest.mark.verify
@pytest.mark.parametrize("seed", [1, 2])
def test_30_bodies_that_differ_from_their_twins_over_two_days(seed: int) -> None:
    everybody = cohorts.load("all")
    glucose, _ = live(
        _most,
        everybody,
        2.0,
        mismatch.mismatched(everybody, 0.2, "test", seed),
        floor_mg_dl=90.0,
        uneaten_floor_mg_dl=None,
    )
    assert (glucose < 54).mean() <= 0.001 and glucose.min() >= 40
    assert (glucose.min(axis=1) >= 54).mean() >= 0.95


@pytest.mark.slow
def test_meals_that_never_come_kill_nobody() -> None:
    guard: dict[str, Any] = {"members": 1, "sd": 0.0, "floor_mg_dl": 80.0}
    trusting, _ = live(_most, FEW, 1.0, phantom=1.0, uneaten_floor_mg_dl=None, **guard)
    doubting, _ = live(_most, FEW, 1.0, phantom=1.0, uneaten_floor_mg_dl=54.0, **guard)
    assert trusting.min() < 40 <= doubting.min(), "announcements that are trusted do harm"


# --- the pure function ------------------------------------------------------------------------------------
def decided(
    basal: float, bolus: float, **guard: Any
) -> tuple[Request, NDArray[np.int64], NDArray[np.float64], Core]:
    """What the shield answers to one request for everybody of `FEW`, an hour into a day with the true state."""
    people = cohorts.load(FEW)
    setting = make_setting(cohort=people, days=1, shield="twin", oracle=True, guard=Guard(**guard))
    core = Core(setting, Dosing(), len(people))
    core.reset(*Roster(people, len(people), "train", 0).next(np.arange(len(people))))
    for _ in range(12):
        core.step(basal_bolus(core.view))
    asked = Request(np.full(len(people), basal), np.full(len(people), bolus))
    return (*core._shield(asked, core.view, core.limits, core.belief), core)


def test_a_safe_request_is_given_as_asked_and_its_margin_says_by_how_much() -> None:
    allowed, reason, margin, core = decided(0.4, 0.05)  # at least a quarter of everybody's basal
    assert (allowed.basal_u_per_h == 0.4).all() and (allowed.bolus_u == 0.05).all()
    assert (reason == Reason.NONE).all() and (margin > 0).all()


def test_an_unsafe_request_is_cut_to_nearly_the_largest_safe_dose() -> None:
    allowed, reason, margin, core = decided(5.0, 17.0, floor_mg_dl=80.0)
    given = allowed.basal_u_per_h * 5 / 60 + allowed.bolus_u
    assert (reason == Reason.TWIN).all() and (given > 0).all()
    assert (margin >= 0).all() and (margin < 6).all(), "not a bite more than is safe, and not much less"
    ruled, _, _ = rule(Request(np.full(5, 5.0), np.full(5, 17.0)), core.view, core.limits)
    assert (allowed.basal_u_per_h <= ruled.basal_u_per_h).all() and (allowed.bolus_u <= ruled.bolus_u).all()


def test_a_cut_takes_the_bolus_before_the_basal_and_is_stable() -> None:
    allowed, reason, _, core = decided(0.3, 9.0, floor_mg_dl=80.0)
    assert (allowed.basal_u_per_h == 0.3).all() and (allowed.bolus_u < 9).all()
    again, why, _ = core._shield(allowed, core.view, core.limits, core.belief)
    assert np.allclose(again.bolus_u, allowed.bolus_u) and np.allclose(again.basal_u_per_h, 0.3)


def test_what_one_body_is_allowed_does_not_hang_on_what_others_ask_for() -> None:
    people = cohorts.load(FEW)  # from readings: 32 members a body, two blocks of lanes
    setting = make_setting(cohort=people, days=1, shield="twin", guard=Guard(floor_mg_dl=80.0))
    core = Core(setting, Dosing(), len(people))
    core.reset(*Roster(people, len(people), "train", 0).next(np.arange(len(people))))
    for _ in range(12):
        core.step(basal_bolus(core.view))
    everybody = Request(np.full(5, 5.0), np.full(5, 9.0))
    together, _, margin = core._shield(everybody, core.view, core.limits, core.belief)
    assert (together.bolus_u < 9).all()
    for row in range(5):
        only = np.arange(5) == row
        asked = Request(np.where(only, 5.0, 0.0), np.where(only, 9.0, 0.0))
        allowed, _, spare = core._shield(asked, core.view, core.limits, core.belief)
        assert allowed.bolus_u[row] == together.bolus_u[row] and spare[row] == margin[row]


def test_a_higher_floor_never_allows_more() -> None:
    doses = [decided(5.0, 5.0, floor_mg_dl=floor)[0].bolus_u for floor in (60.0, 80.0, 100.0)]
    assert (doses[0] >= doses[1]).all() and (doses[1] >= doses[2]).all() and (doses[0] > doses[2]).any()


def test_where_nothing_is_safe_nothing_is_given() -> None:
    *_, core = decided(0.0, 0.0, floor_mg_dl=140.0)
    belief = Belief(core.belief.state.copy(), core.belief.weight)  # type: ignore[union-attr]
    belief.state[:, :, [GLUCOSE_PLASMA, GLUCOSE_TISSUE]] *= 0.5
    allowed, reason, margin = core._shield(
        Request(np.full(5, 1.0), np.full(5, 5.0)), core.view, core.limits, belief
    )
    assert (margin < 0).all() and (reason == Reason.TWIN).all()
    assert (allowed.basal_u_per_h == 0).all() and (allowed.bolus_u == 0).all()


def test_rollouts_only_above_basal_leave_scheduled_basal_alone() -> None:
    _, _, _, core = decided(0.0, 0.0, floor_mg_dl=140.0, above_basal_only=True)
    scheduled = core.view.therapy[:, 0]
    asked = Request(scheduled.copy(), np.zeros(5))
    allowed, reason, margin = core._shield(asked, core.view, core.limits, core.belief)
    assert np.array_equal(allowed.basal_u_per_h, scheduled) and np.isnan(margin).all()
    allowed, reason, margin = core._shield(
        Request(scheduled * 1.5, np.zeros(5)), core.view, core.limits, core.belief
    )
    assert (reason == Reason.TWIN).any() and np.isfinite(margin).all()


def test_a_quantile_lets_a_share_of_the_belief_fall() -> None:
    spare = np.array([[-5.0, 1.0, 2.0, 3.0], [4.0, -1.0, -2.0, 9.0]])
    even = np.full((2, 4), 0.25)
    assert shield._quantile(spare, even, 0.0).tolist() == [-5.0, -2.0]
    assert shield._quantile(spare, even, 0.25).tolist() == [1.0, -1.0]
    assert shield._quantile(spare, even, 0.5).tolist() == [2.0, 4.0]
    refuted = np.array([[0.0, 0.5, 0.5, 0.0], [1.0, 0.0, 0.0, 0.0]])
    assert shield._quantile(spare, refuted, 0.0).tolist() == [1.0, 4.0], "what is refuted does not count"


def test_without_a_belief_there_is_no_twin_shield() -> None:
    *_, core = decided(0.0, 0.0)
    with pytest.raises(ValueError, match="needs a belief"):
        core._shield(Request.absent(5), core.view, core.limits)


def test_a_run_under_the_twin_shield_goes_on_bit_for_bit() -> None:
    people = cohorts.load(FEW[:2])
    setting = make_setting(
        cohort=people, days=1, shield="twin", guard=Guard(members=2, uneaten_floor_mg_dl=54.0)
    )
    cores = [Core(setting, Dosing(), 2) for _ in range(2)]
    cores[0].reset(*Roster(people, 2, "train", 0).next(np.arange(2)))
    for _ in range(100):
        cores[0].step(_most(cores[0].view))
    cores[1].restore(cores[0].save())
    ends = [[core.step(_most(core.view)).trace.copy() for _ in range(20)][-1] for core in cores]
    assert np.array_equal(ends[0], ends[1], equal_nan=True)
    with pytest.raises(ValueError, match=r"belief\.state"):
        cores[1].restore({k: a for k, a in cores[0].save().items() if k != "belief.state"})


@pytest.mark.parametrize(
    "wrong",
    [{"floor_mg_dl": 30.0}, {"members": 0}, {"members": 2.5}, {"sd": 1.0}, {"horizon_min": 601}, {"quantile": 0.6},
     {"members": True}, {"horizon_min": 600.0}, {"above_basal_only": "no"}, {"uneaten_floor_mg_dl": "64"},
     {"margin_mg_dl": -1.0}, {"uneaten_floor_mg_dl": 200.0}, {"floor_mg_dl": float("nan")}],
)  # fmt: skip
def test_a_guard_of_wrong_numbers_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Guard(**wrong)


def test_what_doubt_holds_back_of_a_bolus_may_be_asked_for_over_two_hours() -> None:
    left = {}
    for word in ("twin:members=1,sd=0,uneaten_floor_mg_dl=none", "twin:members=1,sd=0"):
        people = cohorts.load(FEW)
        core = Core(make_setting(cohort=people, days=1, shield=word, scenario="fasting"), Dosing(), len(FEW))
        core.reset(*Roster(people, len(FEW), "train", 0).next(np.arange(len(FEW))))
        core.tell_minute[:], core.tell_g[:] = 10.0, 100.0  # announced, and never eaten
        for _ in range(20):
            core.step(basal_bolus(core.view))
        left[word] = core.view.now[:, UNCOVERED_G].max()
    trusting, doubting = left.values()
    assert trusting == 0 < doubting


def test_a_guard_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="Guard"):
        make_setting(shield="twin", guard={"floor_mg_dl": 90})  # type: ignore[arg-type]


def test_beside_a_guard_a_misspelt_shield_is_told_its_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'twin'"):
        make_setting(shield="twins", guard=Guard())


@pytest.mark.parametrize("word", ["rule", "off", "twin:floor_mg_dl=80"])
def test_a_guard_that_would_do_nothing_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=f"beside shield '{word}'; give a guard with shield 'twin' alone"):
        make_setting(shield=word, guard=Guard(floor_mg_dl=100.0))


def test_a_shield_is_named_with_its_settings_in_one_word() -> None:
    setting = make_setting(
        shield="twin:floor_mg_dl=80,members=4,uneaten_floor_mg_dl=none,above_basal_only=true"
    )
    wanted = Guard(floor_mg_dl=80.0, members=4, uneaten_floor_mg_dl=None, above_basal_only=True)
    assert setting.shield == "twin" and setting.guard == wanted
    assert make_setting(shield="twin").guard == Guard()


@pytest.mark.parametrize(
    ("word", "told"),
    [("twin:flor_mg_dl=80", "did you mean 'floor_mg_dl'"), ("twin:members=many", "'many'; allowed is a whole number"),
     ("twin:members=2.5", "members of the guard is 2.5; allowed is a whole number, 1 ... 1024"),
     ("twin:floor_mg_dl=abc", "floor_mg_dl is 'abc.; allowed is 40 ... 140"),
     ("twinn:members=1", "settings may follow 'twin' alone; did you mean 'twin'"),
     ("twin:", "no setting follows the colon"),
     ("twin:floor_mg_dl=10", "40 ... 140"), ("twins", "allowed are rule, off, twin"),
     ("rule:floor_mg_dl=80", "settings may follow 'twin' alone"), ("off:", "settings may follow 'twin' alone"),
     ("twin:uneaten_floor_mg_dl=200", "allowed is 0 ... 140, or none"),
     ("twin:uneaten_floor_mg_dl=x", "x.; allowed is 0 ... 140, or none"), ("twin:members=2,members=3", "given twice"),
     ("twin:above_basal_only=yes", "true and false")],
)  # fmt: skip
def test_a_wrong_word_is_answered(word: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_setting(shield=word)


def test_what_cannot_be_foreseen_is_not_safe() -> None:
    *_, core = decided(0.0, 0.0)
    assert core.belief is not None
    for state in (GLUCOSE_PLASMA, GLUCOSE_TISSUE):
        lost = Belief(core.belief.state.copy(), core.belief.weight)
        lost.state[:, :, state] = np.nan
        asked = Request(np.full(5, 1.0), np.full(5, 3.0))
        allowed, reason, _ = core._shield(asked, core.view, core.limits, lost)
        assert (allowed.basal_u_per_h == 0).all() and (allowed.bolus_u == 0).all()
        assert (reason == Reason.TWIN).all()


def test_the_legacy_gut_is_foreseen_as_it_is() -> None:
    people = cohorts.load(FEW, legacy_gut=True)
    glucose, _ = live(_most, people, 1.0, oracle=True, floor_mg_dl=80.0)
    assert glucose.min() >= 78


def test_a_save_that_does_not_fit_changes_nothing() -> None:
    people = cohorts.load(FEW[:2])
    cores = []
    for members in (8, 12):
        setting = make_setting(cohort=people, days=1, shield=f"twin:members={members}")
        cores.append(Core(setting, Dosing(), 2))
        cores[-1].reset(*Roster(people, 2, "train", 0).next(np.arange(2)))
    cores[0].step(_most(cores[0].view))
    before = cores[1].save()
    with pytest.raises(ValueError, match=r"belief\.state"):
        cores[1].restore(cores[0].save())
    after = cores[1].save()
    assert all(np.array_equal(before[name], after[name], equal_nan=True) for name in before)
