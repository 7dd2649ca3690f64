"""What days cost: rates are of the work that was done, and spans are reckoned from them."""

from pathlib import Path

import pytest

from experiments import cost
from scripts import cost as script


def test_a_work_says_how_many_person_days_it_was_and_more_days_take_longer() -> None:
    work = cost.WORKS[0]
    assert work(0.05) == pytest.approx(30 * 2.0)
    assert work(0.001) == pytest.approx(30 * 0.05)  # never shorter than a decision


def test_spans_of_studies_follow_from_the_rates() -> None:
    rates = {work.words: 10.0 for work in cost.WORKS}
    page = cost.words(rates, 2, 1.9, "a command")
    assert "by 2 processes and by one, start included: 1.90 times" in page
    assert "| 3 rows of 300 bodies x 35 days behind the twin shield | 75 | 52.5 min | 42 s | 42 s |" in page
    assert "the planner | 1 | 1.5 min | 1.5 min | 1.5 min |" in page
    assert "Reckoned, not measured" in page and "medical device" in page


@pytest.mark.slow
def test_the_command_measures_and_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["--share", "0.002", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "cost.md").read_text("utf-8")
    assert capsys.readouterr().out.startswith(page)
    for work in cost.WORKS:
        assert f"| {work.words} | " in page
    with pytest.raises(ValueError, match="--share: 2.0 given; give a number above 0"):
        script.main(["--share", "2", "--out", str(tmp_path)])
