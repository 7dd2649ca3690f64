"""The name that results carry: of the sources, or of earlier ones that were shown to give the same."""

from pathlib import Path

import pytest

from experiments.records import simulator
from twins.kernels import kernel_hash


def test_a_chain_of_equal_simulators_has_the_name_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "simulators.json"
    assert simulator.name_of("first", path) == "first"
    simulator.adopt("first", {"realistic": ["cells/a"]}, 3, "second", path)
    simulator.adopt("second", {"realistic": ["cells/b"]}, 4, "third", path)
    assert simulator.name_of("third", path) == simulator.name_of("second", path) == "first"
    assert simulator.name_of("fourth", path) == "fourth"
    entry = simulator.listed(path)["third"]
    assert (
        entry["cells"] == {"realistic": ["cells/b"]} and entry["seed"] == 4 and entry["machine"]["cores"] >= 1
    )


def test_the_simulator_at_hand_is_named_by_its_sources_or_by_the_list() -> None:
    listed = simulator.listed()
    assert simulator.simulator_hash() == listed.get(kernel_hash(), {"same_as": kernel_hash()})["same_as"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "holds no JSON object"),
        ('{"abc": {"same_as": "def"}}', "abc needs exactly same_as, cells, seed"),
        (
            '{"abc": {"same_as": 3, "cells": {}, "seed": 1, "machine": {}, "created_utc": ""}}',
            "same_as is '3'; needed is str",
        ),
    ],
)
def test_a_broken_list_is_refused_with_what_to_do(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "simulators.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=says) as error:
        simulator.name_of("abc", path)
    assert "restore the file from git" in str(error.value)
