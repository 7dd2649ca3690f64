"""Reading: only plain files, never more than is allowed, and that is found out before memory is gone."""

import gzip
import os
from pathlib import Path

import pytest

from twins.files import UnfitFile, read_file


def test_a_file_is_given_as_it_is_or_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(b"one") + gzip.compress(b" and two")
    (tmp_path / "plain").write_bytes(b"text")
    (tmp_path / "packed").write_bytes(packed)
    (tmp_path / "empty").write_bytes(b"")
    assert read_file(tmp_path / "plain", 4) == read_file(tmp_path / "plain", 4, unpack=True) == b"text"
    assert read_file(tmp_path / "packed", 100) == packed
    assert read_file(tmp_path / "packed", 100, unpack=True) == b"one and two"
    assert read_file(tmp_path / "empty", 0) == b""


def test_the_limit_is_exact_and_holds_for_what_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(bytes(11))
    (tmp_path / "packed").write_bytes(gzip.compress(bytes(1000)))
    assert len(read_file(tmp_path / "packed", 1000, unpack=True)) == 1000
    with pytest.raises(UnfitFile, match="has 11 bytes; such a file has at most 10"):
        read_file(tmp_path / "plain", 10)
    with pytest.raises(UnfitFile, match="holds more than 999 bytes"):
        read_file(tmp_path / "packed", 999, unpack=True)


@pytest.mark.parametrize("cut", [3, 12, -9, -1])
def test_a_damaged_gzip_file_is_named(tmp_path: Path, cut: int) -> None:
    (tmp_path / "packed").write_bytes(gzip.compress(b"some text" * 20)[:cut])
    with pytest.raises(UnfitFile, match="packed is not a gzip file"):
        read_file(tmp_path / "packed", 1000, unpack=True)


def test_what_is_no_plain_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # nobody will ever write into it
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(UnfitFile, match="is no plain file"):
            read_file(path, 100)
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for path in (tmp_path / "none", tmp_path / "circle"):
        with pytest.raises(OSError):
            read_file(path, 100)
