"""How the compiled functions of the project are compiled, and where they are cached.

numba keys its cache by the file that holds a function and does not notice edits in the files that
function calls. So the cache folder is named by a hash of every source that may hold a kernel; the
same hash is part of a protocol's hash, so that old results are never read as new ones.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

_ROOT = Path(__file__).resolve().parent.parent


@cache
def kernel_hash() -> str:
    """SHA-256 (hex) over the names and contents of all Python files of ``twins`` and ``envs``."""
    digest = hashlib.sha256()
    for package in ("twins", "envs"):
        for path in sorted((_ROOT / package).rglob("*.py")):
            digest.update(str(path.relative_to(_ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _cache_folder() -> Path:
    """Where compiled functions are kept; the folder for temporary files where the usual one cannot be written."""
    base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    name = Path("homeostat") / kernel_hash()[:16]
    folder = Path(base) / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.gettempdir()) / name


numba.config.CACHE_DIR = str(_cache_folder())  # type: ignore[attr-defined]


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` with numba, cached on disk, with IEEE division (no Python zero checks).

    ``fastmath`` stays off: results must not depend on how a loop was vectorised. ``NUMBA_DISABLE_JIT=1``
    runs everything as plain Python (slow; for coverage and debugging).
    """
    compiled: Callable[..., Any] = numba.njit(cache=True, error_model="numpy")(function)
    return compiled


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Like `kernel`, for a helper that must be merged into its caller so that loops vectorise."""
    compiled: Callable[..., Any] = numba.njit(inline="always", error_model="numpy")(function)
    return compiled
