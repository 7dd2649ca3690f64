"""Where a result comes from: code, versions, machine."""

import hashlib
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

_PACKAGES = {
    "homeostat": "homeostat",
    "numpy": "numpy",
    "torch": "torch",
    "gymnasium": "gymnasium",
    "sb3": "stable-baselines3",
    "numba": "numba",
    "scipy": "scipy",
    "simglucose": "simglucose",
}


def provenance() -> dict[str, Any]:
    """Git state, versions and machine, as plain values; null where something is not known."""
    return {"git": git(), "versions": versions(), "machine": machine()}


def git() -> dict[str, Any]:
    """Commit, whether tracked files differ from it or untracked ones lie about, hash of the difference."""
    if not (ROOT / ".git").exists():
        return {"commit": None, "dirty": None, "diff_sha256": None}
    commit, status, difference = (
        _git("rev-parse", "--verify", "HEAD"),
        _git("status", "--porcelain"),
        _git("diff", "HEAD"),
    )
    return {
        "commit": commit.decode().strip() if commit else None,
        "dirty": bool(status) if status is not None else None,
        "diff_sha256": hashlib.sha256(difference).hexdigest() if difference else None,
    }


def _git(*words: str) -> bytes | None:
    """Output of a git command in the checkout; None when it fails."""
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(ROOT), *words], capture_output=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that results depend on; null where one is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name, package in _PACKAGES.items():
        try:
            found[name] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def machine() -> dict[str, Any]:
    """CPU model, number of cores that this process may use, and system."""
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "cpu": _cpu_model(),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "system": platform.platform(),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()
