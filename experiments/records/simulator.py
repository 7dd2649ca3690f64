"""The name of the simulator that results are of.

Results hang on the sources of twins and environments, and the hash of these sources names them. Sources also grow in
ways that change no result, as when another kind of body is added. `scripts.verify_results --adopt` shows that by
doing a part of the committed evaluations again, every protocol under every shield among them; where every episode comes
out to the last digit, it lists the new sources in `results/simulators.json` under the name of the earlier ones, with
what was done. Results keep their name then. Without such an entry other sources are another simulator. What trainings
alone see, rewards and costs, is in no evaluation: who changes these trains anew.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from experiments.records.json_files import Kind, check_kinds, load_object
from experiments.records.provenance import ROOT, machine
from twins.files import atomic_write_text
from twins.kernels import kernel_hash

LISTED = ROOT / "results" / "simulators.json"
_REMEDY = "restore the file from git"
_KINDS: dict[str, Kind] = {"same_as": str, "cells": dict, "seed": int, "machine": dict, "created_utc": str}


@cache
def simulator_hash() -> str:
    """SHA-256 (hex) that names the simulator as it stands: of its sources, or of earlier ones with the same results.

    Raises ValueError when the list is broken.
    """
    return name_of(kernel_hash())


def name_of(sources: str, path: Path = LISTED) -> str:
    """The name under which results of these sources are kept. Raises ValueError when the list is broken."""
    entry = listed(path).get(sources)
    return sources if entry is None else str(entry["same_as"])


def listed(path: Path = LISTED) -> dict[str, dict[str, Any]]:
    """Sources whose results were shown to be those of earlier ones, by hash; empty where there is no list."""
    if not path.is_file():
        return {}
    entries = load_object(path, _REMEDY)
    for sources, entry in entries.items():
        if not isinstance(entry, dict) or set(entry) != set(_KINDS):
            raise ValueError(f"{path}: {sources[:12]} needs exactly {', '.join(_KINDS)}; {_REMEDY}")
        check_kinds(entry, _KINDS, f"{path}, {sources[:12]}", _REMEDY)
    return entries


def adopt(
    earlier: str,
    cells: Mapping[str, Sequence[str]],
    seed: int,
    sources: str | None = None,
    path: Path = LISTED,
) -> None:
    """List sources (default: those at hand) as giving the results of `earlier`.

    cells: by study, the evaluations that were done again and came out equal; seed: of their choice.
    """
    entry = {
        "same_as": name_of(earlier, path),
        "cells": {study: list(names) for study, names in cells.items()},
        "seed": seed,
        "machine": machine(),
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    entries = listed(path) | {kernel_hash() if sources is None else sources: entry}
    atomic_write_text(path, json.dumps(entries, indent=2, sort_keys=True) + "\n")
    simulator_hash.cache_clear()
