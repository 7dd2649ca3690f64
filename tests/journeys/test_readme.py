"""The README keeps its word: its example runs, its files exist, its numbers are those of the committed tables."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.page.findings import Findings
from experiments.results import study_tables

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_DIFFERENCE = r"([-+][\d.]+) \[([-+][\d.]+), ([-+][\d.]+)\]"


@pytest.mark.slow
def test_the_example_runs_as_it_stands() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "'reason'" in done.stdout


def test_every_file_it_links_to_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert len(links) >= 4
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_its_tables_are_the_committed_ones() -> None:
    for name in ("realistic/table.md", "simglucose-default/table.md", "speed.md"):
        rows = [line for line in (ROOT / "results" / name).read_text().splitlines() if line.startswith("| ")]
        rows = [row for row in rows if "| off |" not in row]  # those without shield stand in the files
        assert rows and [row for row in rows if row not in README] == []


def test_its_figures_of_personal_twins_are_the_committed_ones() -> None:
    for name in ("azt1d", "t1d-uom"):
        text = (ROOT / "results" / "personal" / f"{name}.md").read_text("utf-8")
        (middle,) = [line for line in text.splitlines() if line.startswith("| median of ")]
        cells = [cell.strip() for cell in middle.strip("|").split("|")]
        for column, twin in ((2, "forecast twin"), (5, "causal twin"), (8, "last reading"), (17, "ridge regression")):
            told = f"| {twin} | {' | '.join(f'{float(cell):.1f}' for cell in cells[column : column + 3])} |"
            assert told in README, told


def test_its_figures_of_hidden_people_are_the_committed_ones() -> None:
    lines = (ROOT / "results" / "hidden" / "m3.md").read_text("utf-8").splitlines()
    for rival, unit in (("cohort-history", " points"), ("somebody-elses-twin", "")):
        (line,) = [one for one in lines if one.startswith(f"| twin-posterior | {rival} |")]
        tir, low = ([f"{float(one):+.1f}" for one in found] for found in re.findall(_DIFFERENCE, line))
        told = f"{tir[0]}{unit} [{tir[1]}, {tir[2]}], below 70 {low[0]} [{low[1]}, {low[2]}]"
        assert told in README, told
    (row,) = [one for one in lines if one.startswith("| twin-posterior | rule |")]
    failures, tir_pct = row.split(" | ")[2], row.split(" | ")[5].partition(" ")[0]
    assert f"fails in {failures} fortnights" in README and f"has {tir_pct} % of time in range" in README
    (line,) = [one for one in lines if one.startswith("| basal-bolus-twin | basal-bolus |")]
    tir, low = ([f"{abs(float(one)):.1f}" for one in found] for found in re.findall(_DIFFERENCE, line))
    assert f"retuned on it has {tir[0]} points [{tir[1]}, {tir[2]}] more in range" in README
    assert f"and {low[0]} points [{low[1]}, {low[2]}] more below 70" in README


def test_what_it_says_of_foresight_is_what_the_table_says() -> None:
    table = (ROOT / "results" / "hidden" / "m3.md").read_text("utf-8")
    (said,) = [line for line in README.splitlines() if line.startswith("- Twins foresee too much")]
    foreseen = re.findall(r"^\| (?:basal-bolus-twin|pid-twin|twin-posterior) \| \+([\d.]+) \|", table, re.M)
    low, *_, high = sorted(map(float, foreseen))
    assert len(foreseen) == 3 and f"by {low:.0f} to {high:.0f} points of what is tuned on them" in said
    cores = re.findall(
        r"^\| (hovorka|kanderian|uva) \| 12 \| ([\d.]+) \(.*\) \| \d+ \| ([\d.]+) \(.*\) \| (\d+) \|", table, re.M
    )
    grams = {core: (float(rise), within) for core, _, rise, within in cores}
    assert f"({min(grams.values())[0]} to {max(grams.values())[0]} of the truth in the median" in said
    assert min(grams.values()) == grams["hovorka"] and grams["hovorka"][1] == "0"
    units = sorted(float(fall) for core, fall, _, _ in cores if core != "hovorka")
    assert f"({units[0]:.1f} to {units[1]:.1f} times the truth)" in said


@pytest.mark.parametrize("rung", ["m1", "m2"])
def test_its_figures_of_the_easier_rungs_are_the_committed_ones(rung: str) -> None:
    text = (ROOT / "results" / "hidden" / f"{rung}.md").read_text("utf-8")
    for rival in ("cohort-history", "somebody-elses-twin"):
        (line,) = re.findall(rf"^\| twin-posterior \| {rival} \| (.+)$", text, re.M)
        tir = [f"{float(one):+.1f}" for one in re.findall(_DIFFERENCE, line)[0]]
        assert f"{tir[0]} [{tir[1]}, {tir[2]}] over the {'cohort' if 'cohort' in rival else 'placebo'}" in README
    for arm, word in (("twin-posterior", "fortnights"), ("basal-bolus-twin", "under basal-bolus retuned")):
        (failures,) = re.findall(rf"^\| {arm} \| rule \| (\d+ of \d+) \|", text, re.M)
        assert f"{failures} {word}" in README


@pytest.mark.slow
def test_what_it_says_of_the_primary_comparison_is_what_the_tables_say() -> None:
    found = Findings(study_tables.read(ROOT / "results" / "realistic"))
    (drawn,) = [one for one in found.secondary if "drawn" in one.protocol]
    assert found.contrast is not None
    for one in (found.contrast, drawn):
        for gap in (one.verdict.tir, one.verdict.below_70):
            assert f"{gap.estimate:+.1f}" in README and f"{gap.low:+.1f} to {gap.high:+.1f}" in README
    assert (found.contrast.outcome, drawn.outcome) == (
        "unclear",
        "unclear",
    ) and f"p = {drawn.adjusted:.3f}," in README
    assert "**The learned policy does not win here.**" in README
    own = Findings(study_tables.read(ROOT / "results" / "simglucose-default")).contrast
    assert own is not None and own.outcome == "unclear" and "`ppo` cannot be told apart" in README
    assert f"{own.verdict.tir.estimate:+.1f} points" in README
    for gap in (own.verdict.tir, own.verdict.below_70):
        assert f"{gap.low:+.1f} to {gap.high:+.1f}" in README


def test_what_it_says_of_the_planners_search_is_what_the_table_says() -> None:
    table = (ROOT / "results" / "shield" / "convergence.md").read_text("utf-8")
    (said,) = [line for line in README.splitlines() if line.startswith("`planner` and `clairvoyant` look")]
    for agent in ("clairvoyant", "planner"):
        cells = rf"[^|]+ \| ([\d,]+) \|.*\| {_DIFFERENCE} \| [\d.]+ \| ([\d.]+) \|$"
        rows = re.findall(rf"^\| {agent} \| {cells}", table, re.M)
        (default,) = [row for row in rows if row[0] == "192"]
        assert f"{float(default[1]):.1f} % [{float(default[2]):.1f}, {float(default[3]):.1f}]" in said
        assert f"for {rows[-1][4]}" in said and f"instead of {default[4]}" in said
        assert int(rows[-1][0].replace(",", "")) == 32 * 192 and "32 times the plans" in said


def test_every_script_and_flag_it_names_exists() -> None:
    named = set(re.findall(r"python -m scripts\.(\w+)", README))
    assert named and [name for name in named if not (ROOT / "scripts" / f"{name}.py").is_file()] == []


def test_what_it_says_of_forecasts_is_what_the_table_says() -> None:
    table = (ROOT / "results" / "forecast" / "table.md").read_text("utf-8")
    (said,) = [line for line in README.splitlines() if line.startswith("trains a [forecaster]")]
    for name in ("forecaster", "last reading", "ridge, readings alone"):
        error = re.search(rf"^\| {name} \| 17 \| ([\d.]+) ", table, re.M)
        assert error is not None and error[1] in said
    for bar in ("AUC of a low within 60 min", "events caught"):
        reached = re.search(rf"^\| {bar} \| ([\d.]+) \|", table, re.M)
        assert reached is not None and (reached[1] in said or f"{100 * float(reached[1]):.0f} %" in said)
    assert re.findall(r"^\| ([^|]+) \|.*MISSED", table, re.M) == ["median lead, min"] and "that bar is missed" in said
