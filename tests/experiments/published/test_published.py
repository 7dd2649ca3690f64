"""Published protocols: their worlds, what is scored twice, what is claimed of a repetition, and the command."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from agents import frozen
from agents.load import load
from envs.tasks.dosing import BASAL_U_PER_H
from experiments import people
from experiments.metrics import magni_risk
from experiments.protocol import load_protocol
from experiments.published import claims, report, run, score
from experiments.records.tables import Table, read_table
from experiments.simulate import simulate
from scripts import published as script
from tests.agents import tiny_policy
from twins.bodies.glucose import COLUMN
from twins.bodies.model import NEUTRAL_DRIVE
from twins.cohort import CARB_RATIO_G_PER_U, CORRECTION_FACTOR_MG_DL_PER_U, DAILY_INSULIN_U


def _small(name: str, agent: str = "pid", gut: str = "legacy", replicas: int = 2) -> run.ProtocolConfig:
    return run.world(name, gut, agent, replicas).model_copy(update={"people": ("adult#001", "child#001")})


@pytest.mark.parametrize("name", run.PROTOCOLS)
def test_people_are_treated_by_the_papers_rule_and_eat_with_the_stomach_asked_for(name: str) -> None:
    for gut in run.GUTS:
        whom = people.judged(_small(name, gut=gut))
        therapy = whom.therapy
        np.testing.assert_allclose(therapy[:, CARB_RATIO_G_PER_U], 500 / therapy[:, DAILY_INSULIN_U])
        np.testing.assert_allclose(
            therapy[:, CORRECTION_FACTOR_MG_DL_PER_U], 1800 / therapy[:, DAILY_INSULIN_U]
        )
        assert whom.model.legacy_gut == (gut == "legacy")  # type: ignore[attr-defined]
        if name == "g2p2c":
            np.testing.assert_allclose(therapy[:, BASAL_U_PER_H], 0.02 * therapy[:, DAILY_INSULIN_U])


def test_only_calculators_hear_of_meals_where_the_paper_s_agents_do_not() -> None:
    assert run.world("g2p2c", "legacy", "pid").announce == "none"
    assert run.world("g2p2c", "legacy", "basal-bolus-g2p2c").announce == "behaviour"
    assert run.world("emerson2023", "legacy", "pid").announce == "exact"
    told = simulate(load("basal-bolus-g2p2c"), _small("g2p2c", "basal-bolus-g2p2c"), "off")
    eaten = np.flatnonzero(told.columns["carbs_g"][0] > 0)[0] * 5
    assert np.flatnonzero(told.columns["announced_g"][0] > 0)[0] * 5 == pytest.approx(eaten - 20, abs=5)
    assert not simulate(load("pid"), _small("g2p2c"), "off").columns["announced_g"].any()


def test_readings_keep_to_the_paper_s_range_and_interval() -> None:
    rollout = simulate(load("constant-basal"), _small("fox2020"), "off")
    cgm = rollout.columns["cgm_mg_dl"]
    assert cgm.shape[1] == 9 * 288 and cgm.max() == 400.0 < rollout.glucose_mg_dl.max()


def test_the_time_after_a_failure_is_scored_once_and_left_out_once() -> None:
    protocol = _small("g2p2c")
    table = run.by_person(load("constant-basal"), protocol, "off")
    rollout = simulate(load("constant-basal"), protocol, "off")
    readings = rollout.columns["cgm_mg_dl"]
    before = np.cumsum((readings <= 40) | (readings >= 600), axis=1) == 0
    for row in range(2):
        lanes = np.arange(2) * 2 + row
        glucose, seen = rollout.glucose_mg_dl[lanes], readings[lanes]
        inside = (glucose >= 70) & (glucose <= 180) & rollout.alive[lanes]
        theirs = (seen >= 70) & (seen <= 180) & before[lanes]
        assert table["failed"][row] == (rollout.failed_side[lanes] != "").sum()
        assert table["failed_published"][row] == (~before[lanes].all(axis=1)).sum()
        assert table["tir_pct"][row] == pytest.approx(100 * inside.mean())
        assert table["tir_pct_published"][row] == pytest.approx(
            100 * (theirs.sum(axis=1) / before[lanes].sum(axis=1)).mean()
        )
    assert table["failed"].any() and (table["tir_pct"] < table["tir_pct_published"]).any()


def test_fox_scores_interstitial_glucose_of_those_alive() -> None:
    protocol = _small("fox2020")
    table = run.by_person(load("constant-basal"), protocol, "off")
    rollout = simulate(load("constant-basal"), protocol, "off")
    rates = people.judged(protocol).parameters[:, COLUMN["ksc"]]
    fluid = score.interstitial(rollout.glucose_mg_dl, np.tile(rates, 2), 5)
    risks = np.array([magni_risk(g[a]).mean() for g, a in zip(fluid, rollout.alive, strict=True)])
    assert table["magni_all"][0] == pytest.approx(np.median(risks))
    np.testing.assert_array_equal(table["failed"], table["failed_published"])


def test_a_cell_s_rows_hang_on_the_protocol_and_on_how_it_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    def digest() -> str:
        return run.cells(["g2p2c"], [], ["off"], ["legacy"], 2)[0].digest

    before, whole = digest(), run.world
    monkeypatch.setattr(run, "world", lambda *given: whole(*given).model_copy(update={"days": 2.0}))
    assert digest() != before
    monkeypatch.setattr(run, "world", whole)
    monkeypatch.setattr(run, "_scoring", lambda: "otherwise")
    assert digest() != before


def test_interstitial_glucose_is_the_twin_s_own_within_a_mg_per_dl() -> None:
    whom = people.judged(_small("g2p2c"))
    state, glucose, fluid = whom.model.basal_state(whom.parameters), [], []
    coefficients = whom.model.prepare(whom.parameters)
    drive = np.tile(np.array(NEUTRAL_DRIVE), (2, 1, 1))
    for step in range(60):
        food = np.zeros((2, 5))
        food[:, 0] = 50.0 * (step == 3)
        minutes = whom.model.advance(
            state, coefficients, whom.therapy[:, BASAL_U_PER_H], np.zeros(2), food, drive, 5
        )
        glucose.append(minutes[:, -1])
        fluid.append(whom.model.interstitial_mg_dl(state, whom.parameters))
    found = score.interstitial(np.array(glucose).T, whom.parameters[:, COLUMN["ksc"]], 5.0)
    assert np.abs(np.array(glucose).T - found).max() > 10
    np.testing.assert_allclose(found, np.array(fluid).T, atol=1.0)


def _row(**changes: object) -> dict[str, object]:
    plain = {
        "protocol": "g2p2c",
        "group": "adult",
        "agent": "basal-bolus-g2p2c",
        "gut": "legacy",
        "shield": "off",
    }
    return {**plain, "tir_pct_published": 72.0, "tir_error": 0.1, "episodes": 1000, "persons": 10, **changes}


@pytest.mark.parametrize(
    ("here", "error", "verdict"),
    [(72.0, 0.1, "repeated"), (69.3, 0.1, "repeated"), (72.0, 1.0, "undecided"), (74.6, 0.1, "not repeated"),
     (71.0, float("nan"), "too few"), (71.02, 1.5, "undecided"), (71.02, 1.5, "undecided")],
)  # fmt: skip
def test_a_treatment_is_repeated_when_the_whole_interval_lies_within_two_points(
    here: float, error: float, verdict: str
) -> None:
    (said,) = report.repeated([_row(tir_pct_published=here, tir_error=error)])
    assert verdict in said and ("not repeated" in said) == (verdict == "not repeated")


def test_nothing_is_said_of_other_stomachs_and_children_s_meals_are_named_unknown() -> None:
    assert report.repeated([_row(gut="corrected"), _row(shield="rule"), _row(agent="pid")]) == []
    (said,) = report.repeated([_row(group="child", tir_pct_published=67.0)])
    assert said.endswith("What these children ate is not known.")


def test_policies_are_judged_on_the_days_they_were_trained_for_and_others_refused(tmp_path: Path) -> None:
    def folder(days: str) -> str:
        plain = tiny_policy.manifest(action="closed-loop")
        plain["trained_on"] = {**plain["trained_on"], "protocol": days}
        where = tmp_path / Path(days).stem
        where.mkdir()
        for name, data in frozen.pack(plain, tiny_policy.weights(plain)).items():
            (where / name).write_bytes(data)
        return str(where)

    mine = folder("experiments/published/g2p2c-training.yml")
    made = run.cells(run.PROTOCOLS, [mine], ["off"], ["legacy"], 2)
    assert [cell.name for cell in made if "training" in cell.name] == [
        f"cells/g2p2c/legacy/off/{tmp_path.name}-g2p2c-training.csv"
    ]
    with pytest.raises(
        ValueError, match="was trained on realistic; needed is one of fox2020, g2p2c, emerson2023"
    ):
        run.cells(run.PROTOCOLS, [folder("realistic")])


def test_every_claim_is_of_a_protocol_here_and_names_its_source() -> None:
    for one in claims.CLAIMS:
        assert load_protocol(one.protocol).legacy_gut and one.source
        assert any(value is not None for value in dataclasses.astuple(one)[4:8])


@pytest.mark.slow
def test_the_command_writes_papers_rows_beside_ours_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["--protocol", "g2p2c", "--agent", "--shield", "off", "--replicas", "2", "--processes", "1"]
    assert script.main([*argv, "--out", str(tmp_path)]) == 0
    table = (tmp_path / report.TABLE).read_text("utf-8")
    assert table in capsys.readouterr().out
    assert "| paper | G2P2C | legacy | off |  | 1.62 |  | 72.69 |" in table and "medical device" in table
    assert "BBI of g2p2c, adults" in table and (tmp_path / report.FIGURE).stat().st_size > 1000
    rows: Table = read_table(tmp_path / report.PEOPLE)
    assert (
        sorted(set(rows["agent"].tolist())) == ["basal-bolus-g2p2c", "pid"] and len(rows["agent"]) == 4 * 30
    )
    assert script.main([*argv, "--out", str(tmp_path)]) == 0
    assert (tmp_path / report.TABLE).read_text("utf-8") == table


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--protocol", "g2p2"], "'g2p2' given; did you mean 'g2p2c'?"),
        (["--shield", "of"], "did you mean 'off'"),
        (["--replicas", "1"], "give 2 or more"),
        (["--agent", "nobody"], "unknown agent 'nobody'"),
    ],
)
def test_wrong_words_are_answered_with_what_is_allowed(argv: list[str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words.replace("?", r"\?")):
        script.main([*argv, "--out", str(tmp_path)])
