"""An evaluation: three files that agree with each other, in which nobody who died is forgotten."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.base import Agent
from agents.frozen import load as load_policy
from agents.load import load
from envs.therapy import Request
from experiments.evaluate import TRACE_COLUMNS, evaluate
from experiments.page.findings import Findings
from experiments.protocol import ProtocolConfig, load_protocol
from experiments.records.simulator import simulator_hash
from experiments.records.tables import Table, select
from experiments.results.collect import collect
from experiments.results.evaluations import METRICS, read_evaluation
from tests.agents import tiny_policy
from twins import cohort
from twins.files import StorageError
from twins.world import readers
from twins.world.diary import complete_days

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = ("adult#001", "adolescent#003", "child#002")


def _protocol(**changes: Any) -> ProtocolConfig:
    small = {"people": PEOPLE, "days": 1.0, "replicas": 2} | changes
    return load_protocol("simglucose-default").model_copy(update=small)


class _Asks:
    """The same request at every reading."""

    def __init__(self, basal_u_per_h: float, bolus_u: float = 0.0) -> None:
        self._asked = basal_u_per_h, bolus_u

    def act(self, view: Findings) -> Request:
        basal, bolus = self._asked
        return Request(np.full(len(view), basal), np.full(len(view), bolus))


class _KillsAdolescents:
    """The usual treatment, but ten times the scheduled basal for one of the people."""

    def act(self, view: Findings) -> Request:
        asked = load("basal-bolus").act(view)  # type: ignore[union-attr]
        factor = np.array([10.0 if who.startswith("adolescent") else 1.0 for who in view.ids])
        return Request(asked.basal_u_per_h * factor, asked.bolus_u)


def _one(table: Table, person: str, replica: int) -> Table:
    return select(table, person=person, replica=float(replica))


def _recomputed(glucose: NDArray[np.float64], planned: int, side: str) -> dict[str, float]:
    """Shares of the planned time, by hand: what is missing is on the side of the death."""
    dead = planned - len(glucose)
    low, high = (dead, 0) if side == "low" else (0, dead)
    return {
        "tir_pct": 100 * ((glucose >= 70) & (glucose <= 180)).sum() / planned,
        "below_70_pct": 100 * ((glucose < 70).sum() + low) / planned,
        "below_54_pct": 100 * ((glucose < 54).sum() + low) / planned,
        "above_180_pct": 100 * ((glucose > 180).sum() + high) / planned,
        "above_250_pct": 100 * ((glucose > 250).sum() + high) / planned,
    }


def _check_against_traces(folder: Path) -> None:
    """Every episode's main columns are those that its rows of traces.csv give."""
    found = read_evaluation(folder)
    traces, episodes = found.traces(), found.episodes
    planned = int(found.summary["days"] * 288)
    for k in range(len(episodes["person"])):
        mine = _one(traces, str(episodes["person"][k]), int(episodes["replica"][k]))
        failed, side = bool(episodes["failed"][k]), str(episodes["failure_side"][k])
        lived = mine["glucose_mg_dl"][:-1] if failed else mine["glucose_mg_dl"]
        assert len(lived) == (episodes["failure_minute"][k] / 5 if failed else planned)
        for name, value in _recomputed(lived, planned, side).items():
            assert episodes[name][k] == pytest.approx(value, abs=1e-3), name
        alive = len(lived)
        if not alive:
            continue
        days = alive / 288
        basal = mine["basal_u_per_h"][:alive].sum() / 12
        bolus = mine["bolus_u"][:alive].sum()
        readings = mine["cgm_mg_dl"][:alive]
        hand = {
            "mean_mg_dl": lived.mean(),
            "insulin_u_per_day": (basal + bolus) / days,
            "basal_share_pct": 100 * basal / max(basal + bolus, 1e-9),
            "carbs_g_per_day": mine["carbs_g"][:alive].sum() / days,
            "rescue_carbs_g_per_day": mine["rescue_g"][:alive].sum() / days,
            "shield_changed_pct": 100 * (mine["reason"][:alive] != "none").mean(),
            "cgm_tir_pct": 100 * ((readings >= 70) & (readings <= 180)).mean(),
            "cgm_below_70_pct": 100 * (readings < 70).mean(),
        }
        for name, value in hand.items():
            assert episodes[name][k] == pytest.approx(value, rel=1e-4, abs=1e-3), name


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Basal-bolus on a day of three people."""
    folder = tmp_path_factory.mktemp("usual") / "basal-bolus"
    argv = ["python", "-m", "scripts.evaluate", "--agent", "basal-bolus"]
    evaluate(load("basal-bolus"), "basal-bolus", _protocol(), folder, modified=True, argv=argv)
    return folder


@pytest.fixture(scope="module")
def deadly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent that kills one of three, without a shield."""
    folder = tmp_path_factory.mktemp("deadly") / "deadly"
    evaluate(_KillsAdolescents(), "deadly", _protocol(), folder, shield="off")
    return folder


# --- what is written ---------------------------------------------------------------------------------------
def test_an_evaluation_is_five_files(usual: Path) -> None:
    names = ["curves.csv", "doses.csv", "episodes.csv", "summary.json", "traces.csv"]
    assert sorted(path.name for path in usual.iterdir()) == names


def test_episodes_have_one_row_per_person_and_replica(usual: Path) -> None:
    table = read_evaluation(usual).episodes
    assert table["person"].tolist() == list(PEOPLE) * 2
    assert table["replica"].tolist() == [0] * 3 + [1] * 3
    assert table["group"].tolist() == ["adult", "adolescent", "child"] * 2
    for name, value in (("agent", "basal-bolus"), ("shield", "rule"), ("protocol", "simglucose-default")):
        assert set(table[name]) == {value}
    assert set(table["seed"]) == {20000} and set(table["train_seed"]) == {-1} and set(table["days"]) == {1}
    assert set(METRICS) <= set(table) and {"failed", "failure_side", "failure_minute"} <= set(table)
    inside = table["below_70_pct"] + table["tir_pct"] + table["above_180_pct"]
    np.testing.assert_allclose(inside, 100, atol=1e-3)


def test_traces_have_one_row_per_reading_with_what_happened(usual: Path) -> None:
    traces = read_evaluation(usual).traces()
    assert tuple(traces) == ("agent", "shield", "person", "replica", *TRACE_COLUMNS)
    assert len(traces["minute"]) == 6 * 288
    mine = _one(traces, "child#002", 1)
    assert mine["minute"].tolist() == list(range(5, 1445, 5))
    assert mine["carbs_g"].sum() == mine["announced_g"].sum() > 0


def test_episodes_agree_with_traces(usual: Path) -> None:
    _check_against_traces(usual)


def test_the_summary_says_what_was_done_and_with_what(usual: Path) -> None:
    found = read_evaluation(usual)
    summary = found.summary
    assert (summary["agent"], summary["shield"], summary["protocol"]) == (
        "basal-bolus",
        "rule",
        "simglucose-default",
    )
    assert summary["protocol_hash"] == _protocol().hash(simulator_hash())
    assert summary["protocol_settings"]["people"] == list(PEOPLE)
    assert (summary["persons"], summary["replicas"], summary["days"], summary["seed"]) == (3, 2, 1, 20000)
    assert summary["command"] == "python -m scripts.evaluate --agent basal-bolus"
    assert summary["disclaimer"] == "Research software, not a medical device."
    assert summary["versions"]["numpy"] and summary["diary"] is None and summary["trained_on"] is None
    assert list(summary["groups"]) == ["adult", "adolescent", "child"]
    for name in METRICS:
        mean = float(np.mean(found.episodes[name]))
        assert summary["means"][name] == pytest.approx(mean, abs=1e-3, rel=1e-4)
        child = select(found.episodes, group="child")
        assert summary["groups"]["child"][name] == pytest.approx(
            float(np.mean(child[name])), abs=1e-3, rel=1e-4
        )


def test_no_file_of_an_evaluation_names_a_folder_of_the_machine(usual: Path) -> None:
    for path in usual.iterdir():
        text = path.read_text()
        assert str(usual.parent) not in text and str(ROOT) not in text


def test_fewer_replicas_in_the_traces_leave_all_episodes(tmp_path: Path, usual: Path) -> None:
    few = evaluate(load("basal-bolus"), "basal-bolus", _protocol(), tmp_path / "few", trace_replicas=1)
    assert (tmp_path / "few" / "episodes.csv").read_bytes() == (usual / "episodes.csv").read_bytes()
    assert set(few.traces()["replica"]) == {0} and len(few.traces()["minute"]) == 3 * 288


def test_the_same_evaluation_gives_the_same_bytes(tmp_path: Path, usual: Path) -> None:
    evaluate(load("basal-bolus"), "basal-bolus", _protocol(), tmp_path / "again")
    for name in ("episodes.csv", "traces.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (usual / name).read_bytes()


def test_a_persons_row_is_the_same_alone_as_among_others(tmp_path: Path) -> None:
    policy = load_policy(tiny_policy.write(tmp_path / "policy"))
    lines: dict[tuple[str, ...], set[str]] = {}
    for people in (("all",), PEOPLE, ("child#002",)):
        folder = tmp_path / "+".join(people)
        evaluate(policy, "mine", _protocol(people=people), folder, trace_replicas=0)
        rows = (folder / "episodes.csv").read_text().splitlines()[1:]
        lines[people] = {row for row in rows if ",child#002," in row}
    assert lines[("all",)] == lines[PEOPLE] == lines[("child#002",)]
    assert len(lines[("child#002",)]) == 2


# --- the dead count ------------------------------------------------------------------------------------------
def test_who_dies_is_counted_by_name_and_the_rest_of_the_day_is_out_of_range(deadly: Path) -> None:
    found = read_evaluation(deadly)
    dead, living = (select(found.episodes, failed=float(failed)) for failed in (1, 0))
    assert dead["person"].tolist() == ["adolescent#003"] * 2 and len(living["person"]) == 4
    assert dead["failure_side"].tolist() == ["low"] * 2 and set(living["failure_side"]) == {""}
    assert (dead["failure_minute"] > 0).all() and set(living["failure_minute"]) == {-1}
    rest = 100 * (1440 - dead["failure_minute"]) / 1440
    assert (dead["below_54_pct"] >= rest - 1e-3).all() and (dead["tir_pct"] <= 100 - rest + 1e-3).all()
    assert found.summary["failures"] == 2 and found.summary["failed_persons"] == {"adolescent#003": 2}
    assert found.summary["means"]["failures"] == 2 and found.summary["groups"]["child"]["failures"] == 0
    assert next(iter(found.summary["means"])) == "failures", "failures come first"


def test_episodes_of_the_dead_agree_with_their_traces(deadly: Path) -> None:
    """The trace ends with the interval of the death; that interval is not time alive."""
    _check_against_traces(deadly)
    traces = _one(read_evaluation(deadly).traces(), "adolescent#003", 0)
    assert len(traces["minute"]) < 288 and traces["glucose_mg_dl"][-1] < 12
    assert (traces["glucose_mg_dl"][:-1] > 10).all()


def test_the_table_of_results_puts_failures_before_everything_else(deadly: Path, usual: Path) -> None:
    rows = Findings(collect([deadly])).rows
    assert rows[0]["failures"] == 2 and rows[0]["failed_persons"] == {"adolescent#003": 2}
    headings = list(rows[0])
    assert headings.index("failures") < min(headings.index(name) for name in METRICS)
    assert Findings(collect([usual])).rows[0]["failures"] == 0


def test_starving_a_person_of_insulin_is_a_failure_on_the_high_side(tmp_path: Path) -> None:
    protocol = _protocol(days=2.0, glucose_failure_high_mg_dl=400.0)
    found = evaluate(_Asks(0.0), "nothing", protocol, tmp_path / "out", shield="off")
    assert "high" in found.episodes["failure_side"] and "low" not in found.episodes["failure_side"]
    dead = select(found.episodes, failure_side="high")
    rest = 100 * (2880 - dead["failure_minute"]) / 2880
    assert (dead["above_250_pct"] >= rest - 1e-3).all()
    _check_against_traces(tmp_path / "out")


def test_who_dies_before_the_first_scored_minute_has_no_time_in_range(tmp_path: Path) -> None:
    protocol = _protocol(people=("child#002",), replicas=1, days=0.5, warmup_days=0.5)
    found = evaluate(_Asks(30.0, 10.0), "deadly", protocol, tmp_path / "out", shield="off")
    row = {name: column[0] for name, column in found.episodes.items()}
    assert (row["failed"], row["failure_side"], row["failure_minute"]) == (1, "low", 0)
    assert row["tir_pct"] == 0 and row["below_54_pct"] == 100 and np.isnan(row["mean_mg_dl"])
    assert found.summary["means"]["mean_mg_dl"] is None and found.summary["means"]["tir_pct"] == 0
    text = (tmp_path / "out" / "summary.json").read_text()
    assert json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


def test_warm_up_is_not_scored(tmp_path: Path) -> None:
    """The second half of a day, scored alone, has the values of the second half of the whole day."""
    whole = evaluate(load("basal-bolus"), "b", _protocol(), tmp_path / "whole")
    late = evaluate(load("basal-bolus"), "b", _protocol(days=0.5, warmup_days=0.5), tmp_path / "late")
    for k in range(6):
        person, replica = str(late.episodes["person"][k]), int(late.episodes["replica"][k])
        glucose = _one(whole.traces(), person, replica)["glucose_mg_dl"][144:]
        for name, value in _recomputed(glucose, 144, "").items():
            assert late.episodes[name][k] == pytest.approx(value, abs=1e-3)
    assert set(late.traces()["minute"]) == set(range(725, 1445, 5)) and set(late.episodes["days"]) == {0.5}


# --- names -----------------------------------------------------------------------------------------------------
def test_an_oracle_names_itself_in_every_table(tmp_path: Path) -> None:
    policy = load_policy(tiny_policy.write(tmp_path / "policy", oracle=True))
    found = evaluate(policy, str(tmp_path), _protocol(replicas=1), tmp_path / "out")
    assert found.summary["agent"] == "ppo (oracle)"
    assert set(found.episodes["agent"]) == set(found.traces()["agent"]) == {"ppo (oracle)"}
    assert Findings(collect([found.folder])).rows[0]["agent"] == "ppo (oracle)"


def test_a_saved_policy_goes_by_its_algorithm_and_brings_what_it_was_trained_on(tmp_path: Path) -> None:
    policy = load_policy(tiny_policy.write(tmp_path / "policy"))
    found = evaluate(policy, str(tmp_path / "policy"), _protocol(replicas=1), tmp_path / "out")
    assert found.summary["agent"] == "ppo" and found.summary["train_seed"] == 7
    assert found.summary["trained_on"] == {"people": ["adult#001"], "seed": 7, "episode_days": 2.0}
    assert set(found.episodes["train_seed"]) == {7} and Findings(collect([found.folder])).rows[0]["learned"]
    assert str(tmp_path) not in (tmp_path / "out" / "summary.json").read_text()


def test_changed_fields_of_a_protocol_are_marked(tmp_path: Path, usual: Path, deadly: Path) -> None:
    assert read_evaluation(usual).summary["modified"] is True
    assert read_evaluation(deadly).summary["modified"] is False


def test_the_column_shield_says_which_one_was_on(tmp_path: Path) -> None:
    tables = {}
    for shield in ("rule", "off"):
        found = evaluate(_Asks(6.0), "much", _protocol(replicas=1), tmp_path / shield, shield=shield)
        assert set(found.episodes["shield"]) == set(found.traces()["shield"]) == {shield}
        tables[shield] = found.episodes
    assert (tables["off"]["shield_changed_pct"] == 0).all()
    assert (tables["rule"]["shield_changed_pct"] > 50).all()
    assert (tables["rule"]["insulin_u_per_day"] < tables["off"]["insulin_u_per_day"]).all()
    with pytest.raises(ValueError, match="shield is 'rul'; did you mean 'rule'"):
        evaluate(_Asks(1.0), "x", _protocol(), tmp_path / "none", shield="rul")


def test_other_people_than_those_of_the_protocol_can_be_judged(tmp_path: Path) -> None:
    others = cohort.load(("adult#004", "adult#005")).with_therapy(target_mg_dl=120.0)
    found = evaluate(load("basal-bolus"), "b", _protocol(replicas=1), tmp_path / "out", cohort=others)
    assert found.episodes["person"].tolist() == ["adult#004", "adult#005"] and found.summary["persons"] == 2


# --- refusals ----------------------------------------------------------------------------------------------------
def test_results_are_never_overwritten(usual: Path) -> None:
    before = {path.name: path.read_bytes() for path in usual.iterdir()}
    with pytest.raises(FileExistsError, match="already holds files, and results never overwrite others"):
        evaluate(load("constant-basal"), "other", _protocol(), usual)
    assert {path.name: path.read_bytes() for path in usual.iterdir()} == before


def test_a_folder_that_cannot_be_written_stops_before_any_work() -> None:
    class Never:
        def act(self, view: Findings) -> Request:
            raise AssertionError("nobody is simulated")

    with pytest.raises(StorageError, match="cannot write"):
        evaluate(Never(), "never", _protocol(), Path("/proc/none/out"))


def test_an_agent_that_breaks_leaves_no_half_written_results(tmp_path: Path) -> None:
    class Breaks:
        def act(self, view: Findings) -> Request:
            return Request(np.zeros(2), np.zeros(2))

    with pytest.raises(ValueError, match="one value per lane"):
        evaluate(Breaks(), "breaks", _protocol(), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    evaluate(load("basal-bolus"), "b", _protocol(replicas=1), tmp_path / "out")


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_an_agent_whose_doses_are_nonsense_gets_the_fallback_and_is_told_on(
    tmp_path: Path, value: float
) -> None:
    agent: Agent = _Asks(value)
    found = evaluate(agent, "nonsense", _protocol(replicas=1), tmp_path / "out")
    assert (found.episodes["shield_changed_pct"] == 100).all()
    assert set(found.traces()["reason"]) >= {"invalid_request"}
    assert np.isfinite(found.episodes["tir_pct"]).all()


# --- recorded days ---------------------------------------------------------------------------------------------
def test_the_simulated_diary_is_replayed_and_named(tmp_path: Path) -> None:
    protocol = _protocol(people=("adult#001",), scenario="diary:simulated", replicas=3)
    found = evaluate(load("basal-bolus"), "b", protocol, tmp_path / "out")
    diary = readers.named("simulated")
    whose = {"data_set": "own file", "person": diary.who, "simulated": True}
    assert found.summary["diary"] == whose | {"complete_days": len(complete_days(diary))}
    recorded = {round(float(day.sum()), 3) for day in diary.carbs_g.reshape(-1, 288)}
    for replica in range(3):
        eaten = round(float(_one(found.traces(), "adult#001", replica)["carbs_g"].sum()), 3)
        assert eaten in recorded, "whole days of the diary are replayed"
    _check_against_traces(tmp_path / "out")


def test_the_diary_of_a_file_of_ones_own_is_named_without_its_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(readers.SIMULATED_DIARY.read_bytes())
    protocol = _protocol(people=("adult#001",), scenario=f"diary:{tmp_path / 'mine.csv'}", replicas=1)
    found = evaluate(load("basal-bolus"), "b", protocol, tmp_path / "out")
    assert found.summary["diary"]["data_set"] == "own file" and not found.summary["diary"]["simulated"]
    assert str(tmp_path) not in json.dumps(found.summary["diary"])


@pytest.mark.slow
@pytest.mark.real
def test_the_recorded_days_of_a_real_person_are_replayed_and_named(tmp_path: Path) -> None:
    protocol = _protocol(people=("adult#001",), scenario="diary:t1d-uom/2308", replicas=3)
    found = evaluate(load("basal-bolus"), "b", protocol, tmp_path / "out")
    assert (
        found.summary["diary"].items()
        >= {"data_set": "t1d-uom", "person": "2308", "simulated": False}.items()
    )
    diary = readers.named("t1d-uom/2308")
    recorded = {round(float(day.sum()), 3) for day in diary.carbs_g.reshape(-1, 288)}
    eaten = [float(_one(found.traces(), "adult#001", replica)["carbs_g"].sum()) for replica in range(3)]
    assert {round(grams, 3) for grams in eaten} <= recorded and len(set(eaten)) == 3
    _check_against_traces(tmp_path / "out")


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ("diary:no-such.csv", "no such file"),
        ("diary:t1d-uom/2308", "set HOMEOSTAT_DATA"),
    ],
)
def test_a_diary_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scenario: str, message: str
) -> None:
    monkeypatch.setenv("HOMEOSTAT_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match=message):
        evaluate(load("basal-bolus"), "b", _protocol(scenario=scenario), tmp_path / "out")
