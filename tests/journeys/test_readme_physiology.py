"""What the README says of bodies beside trials and recordings of people is what the committed tables say."""

import re
from pathlib import Path
from statistics import median

from tests.readme import README, said_line

ROOT = Path(__file__).resolve().parents[2]


def _table(name: str) -> str:
    return (ROOT / "results" / name).read_text(encoding="utf-8")


def _trials(name: str) -> dict[str, tuple[bool, bool]]:
    """For each trial whether it was fitted to and whether the twin is inside people's interval."""
    rows = re.findall(
        r"^\| (\w+[^|]*) \|[^|]+\|[^|]+\|[^|]+\| (yes|\*\*no\*\*) \| (fitted|held out) \|", _table(name), re.M
    )
    return {trial: (used == "fitted", inside == "yes") for trial, inside, used in rows}


def _inside(trials: dict[str, tuple[bool, bool]], fitted: bool) -> list[bool]:
    """Of the trials that were fitted to, or of the others: whether the twin is inside."""
    return [inside for one, inside in trials.values() if one == fitted]


def test_exercise_beside_trials() -> None:
    said = said_line("- **Beside trials in people** ([table](results/physiology/exercise")
    trials = _trials("physiology/exercise.md")
    fitted, held = _inside(trials, True), _inside(trials, False)
    assert all(fitted) and f"fitted to {len(fitted)} results, all of which the twin meets" in said
    assert f"of {len(held)} that were not fitted it meets {sum(held)}, " in said
    assert {trial for trial, (_, inside) in trials.items() if not inside} == {
        "E3a",
        "E3c",
        "E8 lows",
        "E8 highs",
    }
    assert (
        sum(trial.startswith("E3") for trial in trials) == 3
        and "It misses two of three kinds of sessions at home" in said
    )


def test_exercise_beside_bouts() -> None:
    told, said = _table("physiology/bouts.md"), said_line("- **Beside recorded bouts**")
    found = re.findall(
        r"^Told, as trials: RMSE ([-+][\d.]+) mg/dL \[([-+][\d.]+), ([-+][\d.]+)\].*in (\d) of (\d)",
        told,
        re.M,
    )
    (_, _, _, first, people), (_, _, _, second, _), (less, low, high, third, _) = found
    assert (first, second, third, people) == (
        "2",
        "2",
        "4",
        "4",
    ) and "an hour and an hour after it in two" in said
    assert f"RMSE {float(less):.1f} mg/dL less [{float(low):.1f}, {float(high):.1f}], four people" in said


def test_sleep_beside_trials() -> None:
    said = said_line("- **Beside trials in people** ([table](results/physiology/sleep")
    trials = _trials("physiology/sleep.md")
    fitted, held = _inside(trials, True), _inside(trials, False)
    assert all(fitted) and f"all {len(fitted)} results that sizes were set by" in said
    assert f"and {sum(held)} of {len(held)} others" in said
    shifts = re.findall(
        r"^\| S10 (?:forger|skeldon) \|[^|]+\|[^|]+\| \+([\d.]+) \|", _table("physiology/sleep.md"), re.M
    )
    low, high = sorted(map(float, shifts))
    assert f"by {low:.1f} to {high:.1f} h" in said
    people, twin = map(
        float,
        re.findall(
            r"^\| S9 \|[^|]+\| ([-+][\d.]+) [^|]+\| ([-+][\d.]+) \|", _table("physiology/sleep.md"), re.M
        )[0],
    )
    assert f"too long by {twin - people:.1f} h" in said


def test_watches() -> None:
    table, said = _table("wearable/table.md"), said_line("- **Beside recordings of real watches**")
    between, moved = re.findall(r"from light: ([\d.]+) h a day.*: \+([\d.]+) h\.", table)[0]
    assert (
        f"{between} h apart on a mean day" in said and f"those from light and from movement {moved} h" in said
    )
    wide = [float(one) for one in re.findall(r"\| (?:light|movement) \|.*\| ([\d.]+) \|$", table, re.M)]
    assert len(wide) == 6 and f"within {min(wide)} to {max(wide)} h" in said
    rows = re.findall(
        r"^\| (\d{4}) \| [\d:]+ \| ([\d.]+) \| [\d,]+ \| [\d:]+ \| \+([\d.]+) \| (\S+) \|$", table, re.M
    )
    early = [float(one[2]) for one in rows]
    assert f"of {len(rows)} people of T1D-UOM" in said and f"{min(early)} to {max(early)} h before" in said
    sleeps = dict(re.findall(r"^\| \*\*(T1D-UOM|simulated), .*?\*\* \| [\d:]+ \| ([\d.]+) \|", table, re.M))
    assert float(sleeps["T1D-UOM"]) == median(float(one[1]) for one in rows)
    assert (
        round(float(sleeps["T1D-UOM"]) - float(sleeps["simulated"])) == 1
        and "They sleep an hour longer" in said
    )
    pulse = [abs(float(one[3])) for one in rows if one[3] != "-"]
    assert max(pulse) < 0.1 and "[correlations near 0](results/wearable/table.md)" in README
