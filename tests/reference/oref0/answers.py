"""What the package oref0 answers: as it was kept, and asked anew under Node.

python -m tests.reference.oref0.answers      asks anew and keeps the answers in answers.json.gz
"""

import gzip
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.reference.oref0.questions import (
    NOW_MS,
    SETTINGS,
    History,
    Question,
    asked_of,
    histories,
    past,
    states,
)
from twins.files import atomic_write_bytes

HERE = Path(__file__).parent
KEPT = HERE / "answers.json.gz"
CURVE_MIN = list(range(0, 361, 5))
LOOKBACKS = (96, 288)
MEAL_WINDOW_MIN = 360
_DECIDED = ("rate", "duration", "units", "eventualBG", "insulinReq", "carbsReq", "predBGs")


def questions() -> Iterator[Question]:
    """All there is to ask, in the order in which answers are kept."""
    many = states()
    for of, microbolus in SETTINGS:
        yield from asked_of(many, of, microbolus)
    for day in histories():
        yield of_diary(day)
    yield {"ask": "insulin", "minutes": CURVE_MIN, "profile": {"curve": "rapid-acting", "dia": 6}}
    for day in histories():
        yield from of_history(day)


def of_history(day: History) -> Iterator[Question]:
    """Glucose status, deviations, what was absorbed of each recent meal, all meals without insulin, autosens."""
    readings, pump, meals, profile = past(day)
    basals = profile["basalprofile"]
    inputs = {
        "glucose_data": readings,
        "iob_inputs": {"profile": profile, "history": pump},
        "basalprofile": basals,
    }
    yield {"ask": "status", "readings": readings}
    since = NOW_MS - MEAL_WINDOW_MIN * 60_000
    yield {"ask": "absorbed", "now": NOW_MS, "inputs": inputs | {"mealTime": since, "ciTime": NOW_MS}}
    for age in day.meal_age_min[day.meal_age_min < MEAL_WINDOW_MIN].tolist():
        yield {"ask": "absorbed", "now": NOW_MS, "inputs": inputs | {"mealTime": NOW_MS - age * 60_000}}
    opts = {
        "treatments": meals,
        "profile": profile,
        "pumphistory": [],
        "glucose": readings,
        "basalprofile": basals,
    }
    yield {"ask": "meal", "now": NOW_MS, "opts": opts}
    for lookback in LOOKBACKS:
        more = {"carbs": meals, "temptargets": [], "retrospective": False, "deviations": lookback}
        yield {"ask": "autosens", "now": NOW_MS, "inputs": inputs | more}


def of_diary(day: History) -> Question:
    """The day's sorted readings, and the settings that they ask for."""
    readings, pump, meals, profile = past(day)
    return {
        "ask": "autotune", "now": NOW_MS,
        "opts": {
            "treatments": meals, "profile": profile, "pumpHistory": pump, "glucose": readings,
            "basalprofile": profile["basalprofile"], "pumpbasalprofile": profile["basalprofile"],
        },
        "pump": profile,
    }  # fmt: skip


def installed(folder: Path) -> Path:
    """The package in this folder, from the registry. Raises FileNotFoundError without npm."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise FileNotFoundError("no node and npm on the PATH (Debian: apt-get install nodejs npm)")
    shutil.copy(HERE / "package.json", folder)
    words = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(words, cwd=folder, check=True, timeout=300)
    return folder


def ask(folder: Path, asked: Iterable[Question]) -> list[Any]:
    """Answers of the package that is installed in a folder."""
    said = "".join(json.dumps(one) + "\n" for one in asked)
    words = ["node", str(HERE / "ask.js"), str(folder)]
    done = subprocess.run(
        words,
        input=said,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"TZ": "UTC"},
        timeout=600,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        {k: one[k] for k in _DECIDED if k in one} if "temp" in one or "reason" in one else one
        for one in found
    ]


def kept() -> list[Any]:
    """The answers in the tree."""
    found: list[Any] = json.loads(gzip.decompress(KEPT.read_bytes()))
    return found


def main() -> None:
    """Ask anew and keep the answers."""
    with tempfile.TemporaryDirectory() as place:
        found = ask(installed(Path(place)), questions())
    text = json.dumps(found, separators=(",", ":"), sort_keys=True)
    atomic_write_bytes(KEPT, gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(found)} answers, {KEPT.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
