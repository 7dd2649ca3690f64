"""The shape of the project: which packages are imported, what imports what, what a wheel holds."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("twins", "envs", "agents", "experiments")


def _run(*command: str, cwd: Path = ROOT) -> str:
    """Standard output of a command; its whole output is shown when it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_those_of_this_checkout(package: str) -> None:
    """Other distributions also install packages called `agents` or `envs`."""
    file = importlib.import_module(package).__file__
    assert file is not None, f"{package} has no __init__.py"
    assert Path(file).resolve() == ROOT / package / "__init__.py"


def test_imports_run_one_way() -> None:
    tool = shutil.which("lint-imports", path=Path(sys.executable).parent)
    assert tool is not None, "import-linter is not installed beside this Python; run `make setup`"
    _run(tool, "--no-cache")


@pytest.mark.slow
def test_wheel_holds_the_four_packages_and_nothing_else(tmp_path: Path) -> None:
    """Every file of the four packages, data included; neither scripts nor tests."""
    copy = tmp_path / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    leave_out = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    for package in (*PACKAGES, "scripts", "tests"):
        shutil.copytree(ROOT / package, copy / package, ignore=leave_out)
    sources = {
        path.relative_to(copy).as_posix()
        for package in PACKAGES
        for path in (copy / package).rglob("*")
        if path.is_file()
    }

    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), cwd=copy)

    (wheel,) = tmp_path.glob("homeostat-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert sources - held == set(), "missing in the wheel (see package-data in pyproject.toml)"
    assert held - sources == set(), "in the wheel, but not in the four packages"


_IMPORT_ALL_OF_TWINS = """
import importlib, pkgutil, sys, twins
for module in pkgutil.walk_packages(twins.__path__, "twins."):
    importlib.import_module(module.name)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        (_IMPORT_ALL_OF_TWINS, ("gymnasium", "torch", "simglucose", "gym", "stable_baselines3")),
        ("import sys, envs", ("simglucose", "gym", "torch", "stable_baselines3")),
        ("import sys, scripts.study", ("torch", "stable_baselines3", "sklearn", "pandas")),
    ],
    ids=["twins", "envs", "studies"],
)
def test_light_packages_stay_light(code: str, forbidden: tuple[str, ...]) -> None:
    """In a fresh process the import brings none of the heavy or fragile packages."""
    listed = _run(sys.executable, "-c", f"{code}\nprint(*sys.modules, sep='\\n')").split()
    assert [name for name in forbidden if name in listed] == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    """Files that git tracks, or would track, hold no absolute path into somebody's home."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: no list of tracked files")
    paths = _run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    pattern = re.compile(rb"(?<![\w.~-])/(?:work|root|home/\w+|Users/\w+)/[\w.]")
    found = [
        f"{path}: {os.fsdecode(hit.group())}"
        for path in filter(None, paths)
        if (ROOT / path).is_file() and (hit := pattern.search((ROOT / path).read_bytes()))
    ]
    assert found == []
