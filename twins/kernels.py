"""How the compiled functions of the project are compiled, and where they are cached.

numba keys its cache by the file that holds a function and does not notice edits in the files that
function calls. So the cache folder is named by a hash of every source that may hold a kernel. Results
hang on fewer of them: what is inferred from a person's records changes no simulation, but for what the
environments use of it. The hash of these is part of a protocol's hash, so that old results are never read
as new ones.
"""

import ast
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba

_ROOT = Path(__file__).resolve().parent.parent


@cache
def kernel_hash() -> str:
    """SHA-256 (hex) of what a simulation hangs on: all of ``twins`` and ``envs``, but of ``twins.inference`` only
    what the rest imports."""
    apart = _ROOT / "twins" / "inference"
    return hash_of(_reached(path for path in _sources("twins", "envs") if apart not in path.parents))


def _source_hash() -> str:
    """SHA-256 (hex) of all that may hold a kernel."""
    return hash_of(_sources("twins", "envs", "agents"))


def _sources(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from (_ROOT / package).rglob("*.py")


def hash_of(paths: Iterable[Path]) -> str:
    """SHA-256 (hex) over names and contents of these files of the project."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(_ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _reached(paths: Iterable[Path]) -> set[Path]:
    """These files and all that they import, directly or not, of the packages at the root."""
    found: set[Path] = set()
    left = list(paths)
    while left:
        if (path := left.pop()) not in found:
            found.add(path)
            left += _imports(path)
    return found


def _imports(path: Path) -> Iterator[Path]:
    """Files below the root that one file imports, with the packages around them. Imports are absolute here."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name}" for name in names]
        for name in names:
            parts = name.split(".")
            for count in range(1, len(parts) + 1):
                stem = _ROOT.joinpath(*parts[:count])
                yield from (one for one in (stem.with_suffix(".py"), stem / "__init__.py") if one.is_file())


def _cache_folder() -> Path:
    """Where compiled functions are kept; a folder for temporary files where the usual one cannot be written.

    What lies there is loaded as code, so that a folder which somebody else can write into is not used.
    """
    base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    name = Path("homeostat") / _source_hash()[:16]
    folder = Path(base) / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return _own_temporary_folder() / name


def _own_temporary_folder() -> Path:
    """A folder that this user alone may write into: the one of an earlier call, or a new one."""
    folder = Path(tempfile.gettempdir()) / f"homeostat-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(0o700)
    held = folder.lstat()
    mine = stat.S_ISDIR(held.st_mode) and held.st_uid == os.getuid() and not held.st_mode & 0o022
    return folder if mine else Path(tempfile.mkdtemp(prefix="homeostat-"))


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
