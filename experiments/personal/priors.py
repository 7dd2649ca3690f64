"""The committed prior: everybody of AZT1D whose record passes is fitted from the weak prior."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from twins.files import atomic_write_text
from twins.inference.identify import Fit, fit, for_forecasts
from twins.inference.priors import COLUMNS, rows
from twins.inference.quality import quality
from twins.inference.record import record
from twins.world import readers
from twins.world.diary import DiaryError


def make(path: Path, fit_days: int = 10) -> Iterator[str]:
    """Write priors.csv; a line of words for each person. Raises DiaryError when there are no recordings."""
    folder = readers.recordings_folder()
    if folder is None or not (folder / readers.FOLDERS["azt1d"]).is_dir():
        raise DiaryError(
            "the recordings of AZT1D are not here; set HOMEOSTAT_DATA to the folder that holds azt1d/"
        )
    fits: dict[str, Fit] = {}
    for person in readers.people(folder / readers.FOLDERS["azt1d"]):
        held = record(readers.named(f"azt1d/{person}"))
        part = held.days(1, fit_days)
        if reasons := quality(held, part).reasons:
            yield f"{held.who}: left out, {'; '.join(reasons)}"
            continue
        fits[held.who] = fit(held, part, for_forecasts())
        yield f"{held.who}: fitted"
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(fits))
    atomic_write_text(path, file.getvalue())
