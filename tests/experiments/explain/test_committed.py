"""The committed days: whose they are, how large, and that what the README says of their tests stands in the tables."""

import re

from experiments.explain import index
from experiments.explain.examples import middle
from experiments.protocol import load_protocol
from experiments.records.provenance import ROOT

DAYS = ROOT / "results" / "days"


def test_they_are_those_of_the_rule_and_small() -> None:
    entries = index.read(DAYS)
    pages = sorted(path.name for path in DAYS.glob("*.html"))
    assert [entry.file for entry in entries] == pages and len(pages) == 3
    assert sorted(entry.person for entry in entries) == sorted(
        middle(load_protocol("realistic"), "ppo-history").values()
    )
    for entry in entries:
        text = (DAYS / entry.file).read_text("utf-8")
        assert len(text.encode()) < 400_000 and entry.title in text
        assert f"has not met {entry.person}" in text and "Research software, not a medical device" in text


def test_the_readme_says_what_the_tables_say() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    deletion, bands = ((DAYS / name).read_text("utf-8") for name in ("deletion.md", "bands.md"))
    area = {
        (what, order): float(re.search(rf"\| basal \| {what} \| {order} \|.*?\| ([\d.]+) \[", deletion)[1])  # type: ignore[index]
        for what in ("single inputs", "kinds of inputs")
        for order in ("integrated gradients", "random orders")
    }
    single, kinds = (
        tuple(area[what, order] for order in ("integrated gradients", "random orders"))
        for what in ("single inputs", "kinds of inputs")
    )
    assert f"area {single[0]:.2f} against {single[1]:.2f} at random" in readme
    assert f"({kinds[0]:.2f} against {kinds[1]:.2f})" in readme
    found = re.search(r"basal ([\d.]+); bolus ([\d.]+)\. Near 0", deletion)
    assert found is not None and f"rank correlation of {found[1]}" in readme
    all_four = re.search(r"\| all four \| (\d+ \[.*?\]) \| (\d+) (\[.*?\]) \|", bands)
    assert all_four is not None
    half, most, ends = all_four.groups()
    assert f"for {most} % of the time {ends}" in readme and f"for {half.replace(' [', ' % [')}" in readme
