"""What tests need from outside, and what happens without it: skipped at home, an error in CI."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

from twins.world.readers import recordings_folder


def lacking(reason: str) -> NoReturn:
    """Skip the test, or fail it where nothing may be skipped (environment variable CI is set)."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} In CI this test may not be skipped.", pytrace=False)
    pytest.skip(reason)


def recordings_of(data_set: str) -> Path:
    """The folder of a data set among the recordings of real people, such as "t1d_uom"."""
    folder = recordings_folder()
    if folder is None or not (folder / data_set).is_dir():
        lacking(
            f"No folder {data_set} among the recordings of real people: set HOMEOSTAT_DATA (see the README)."
        )
    return folder / data_set
