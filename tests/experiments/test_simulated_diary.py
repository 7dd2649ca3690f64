"""The simulated diary that comes with the project: made again it is the same, byte for byte."""

from pathlib import Path

from experiments.simulated_diary import COMMENT, DAYS, simulated_diary
from twins.world.diary import complete_days, summary
from twins.world.formats.plain import write_csv
from twins.world.readers import SIMULATED_DIARY, read


def test_the_shipped_diary_is_what_the_command_makes(tmp_path: Path) -> None:
    write_csv(simulated_diary(), tmp_path / "again.csv", COMMENT)
    assert (tmp_path / "again.csv").read_bytes() == SIMULATED_DIARY.read_bytes()


def test_it_says_that_it_is_simulated_and_is_small() -> None:
    text = SIMULATED_DIARY.read_text()
    assert text.startswith("# simulated: ") and len(text) < 200_000


def test_it_looks_like_a_treated_adult() -> None:
    diary = read(SIMULATED_DIARY)
    figures = summary(diary)
    assert len(complete_days(diary)) == figures.complete_days >= 10
    assert figures.days == DAYS and figures.coverage == 1
    assert 0.6 < figures.in_range < 0.95 and figures.below_70 < 0.1
    assert 100 < figures.carbs_g_per_day < 250 and 25 < figures.insulin_u_per_day < 80


def test_another_seed_is_another_person() -> None:
    one, other = simulated_diary(1, 1), simulated_diary(1, 2)
    assert (one.glucose_mg_dl != other.glucose_mg_dl).any() and one.basal_u_per_h[0] != other.basal_u_per_h[0]
