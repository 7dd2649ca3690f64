"""The README keeps its word: its example runs, its files exist, its numbers are those of the committed tables."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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
    for name in ("simglucose-default/table.md", "speed.md"):
        rows = [line for line in (ROOT / "results" / name).read_text().splitlines() if line.startswith("| ")]
        assert rows and [row for row in rows if row not in README] == []


def test_every_script_and_flag_it_names_exists() -> None:
    named = set(re.findall(r"python -m scripts\.(\w+)", README))
    assert named and [name for name in named if not (ROOT / "scripts" / f"{name}.py").is_file()] == []
