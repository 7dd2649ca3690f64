"""Compiled functions: where they are cached, and that the cache is never stale."""

import os
from collections.abc import Callable
from pathlib import Path

import numba
import pytest

from twins import kernels


@pytest.mark.parametrize("compute", [kernels.kernel_hash.__wrapped__, kernels._source_hash])
def test_any_edit_of_a_source_that_may_hold_a_kernel_gives_another_hash(
    compute: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "_ROOT", tmp_path)
    seen = {compute()}
    for file, text in [
        ("twins/a.py", "x = 1"),
        ("twins/a.py", "x = 2"),
        ("twins/deep/b.py", ""),
        ("envs/a.py", "x = 1"),
    ]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
        assert compute() not in seen, f"{file} does not count"
        seen.add(compute())
    (tmp_path / "twins" / "table.csv").write_text("1")
    assert compute() in seen
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "c.py").write_text("x = 1")
    of_cache = compute is kernels._source_hash
    assert (compute() not in seen) == of_cache, "an agent's kernel counts for the cache, not for a simulation"
    (tmp_path / "twins" / "a.py").rename(tmp_path / "twins" / "c.py")
    assert compute() not in seen, "the name counts too"


def test_of_inference_only_what_the_rest_imports_changes_a_simulation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "_ROOT", tmp_path)
    files = {
        "twins/__init__.py": "",
        "twins/inference/__init__.py": "",
        "twins/inference/used.py": "import twins.inference.deep.used as far",
        "twins/inference/deep/used.py": "",
        "twins/inference/alone.py": "from twins.inference import used",
        "envs/core.py": "def later():\n    from twins.inference import used",
    }
    for file, text in files.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    of_results, of_cache = kernels.kernel_hash.__wrapped__, kernels._source_hash
    for file, text in files.items():
        before = of_results(), of_cache()
        (tmp_path / file).write_text(f"{text}\nx = 1")
        assert (of_results() != before[0]) == (file != "twins/inference/alone.py"), file
        assert of_cache() != before[1], file


def test_the_cache_folder_is_named_by_the_hash() -> None:
    assert len(kernels._source_hash()) == len(kernels.kernel_hash()) == 64
    assert Path(numba.config.CACHE_DIR).name == kernels._source_hash()[:16]


def test_no_folder_of_somebody_else_is_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in the cache is loaded as code, and everybody may write into the folder for temporary files."""
    monkeypatch.setattr(kernels.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(kernels.tempfile, "tempdir", str(tmp_path))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))  # cannot be a folder
    mine = tmp_path / f"homeostat-{os.getuid()}"
    assert kernels._cache_folder() == mine / "homeostat" / kernels._source_hash()[:16]
    assert mine.stat().st_mode & 0o077 == 0 and kernels._cache_folder().parent.parent == mine
    mine.chmod(0o777)
    other = kernels._cache_folder().parent.parent
    assert other != mine and other.stat().st_mode & 0o077 == 0
    mine.rmdir()
    mine.symlink_to(tmp_path)
    assert kernels._cache_folder().parent.parent not in (mine, tmp_path)


@pytest.mark.kernels
def test_division_by_zero_in_a_kernel_follows_ieee() -> None:
    @kernels.inlined
    def inverse(x):  # type: ignore[no-untyped-def]
        return 1.0 / x

    assert inverse(4.0) == 0.25
    if not numba.config.DISABLE_JIT:
        assert inverse(0.0) == float("inf")
