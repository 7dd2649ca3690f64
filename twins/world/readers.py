"""Reading recordings of people, whatever format they lie in."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from twins.words import near_miss
from twins.world.diary import Diary, DiaryError
from twins.world.formats import azt1d, plain, t1d_uom
from twins.world.formats.table import header

FORMATS = {"csv": plain.read, "t1d-uom": t1d_uom.read, "azt1d": azt1d.read}
DATA_SETS: dict[str, Callable[[Path], Mapping[str, object]]] = {
    "t1d-uom": t1d_uom.files,
    "azt1d": azt1d.files,
}

FOLDERS = {"t1d-uom": "t1d_uom", "azt1d": "azt1d"}
"""Names of the data sets' folders within the folder of recordings."""

_ROOT = Path(__file__).resolve().parents[2]
SIMULATED_DIARY = _ROOT / "twins" / "data" / "simulated_diary.csv"
"""A diary that comes with the project: 14 days of a virtual person, see `experiments.simulated_diary`."""


def recordings_folder() -> Path | None:
    """Where recordings of real people lie: HOMEOSTAT_DATA, by default ../shared/data beside the checkout.

    None when that folder does not exist.
    """
    folder = _wanted_folder()
    return folder if folder.is_dir() else None


def needed_recordings(what: str) -> Path:
    """The folder of recordings, which `what` needs. Raises DiaryError where it does not exist."""
    folder = recordings_folder()
    if folder is None:
        raise DiaryError(
            f"{what} needs the folder of recordings, and {_wanted_folder()} is none; set HOMEOSTAT_DATA (see README)"
        )
    return folder


def _wanted_folder() -> Path:
    return Path(os.environ.get("HOMEOSTAT_DATA") or _ROOT.parent / "shared" / "data")


def people(folder: str | Path) -> tuple[str, ...]:
    """Ids of the people in the folder of a data set (T1D-UOM, AZT1D). Raises DiaryError for other folders."""
    folder = Path(folder)
    return tuple(DATA_SETS[_data_set(folder)](folder))


def read(source: str | Path, format: str | None = None, person: str | None = None) -> Diary:
    """The recording of one person.

    source: a file, or the folder of a data set together with `person`. format: "csv" (see
    `formats.plain`), "t1d-uom" or "azt1d"; found out when not given. Raises DiaryError, which names
    file, line and remedy.
    """
    source = Path(source)
    if format is not None and format not in FORMATS:
        hint = near_miss(format, FORMATS) or "."
        raise DiaryError(f"unknown format {format!r}{hint} Known are {', '.join(FORMATS)}")
    chosen = format or (_data_set(source) if source.is_dir() else _format_of(source))
    if source.is_dir():
        if chosen not in DATA_SETS:
            raise DiaryError(f"{source} is a folder; a recording in format {chosen!r} is a file, so name it")
        if person is None:
            known = ", ".join(DATA_SETS[chosen](source))
            raise DiaryError(f"{source} is a data set of several people; name one of {known}")
    try:
        return FORMATS[chosen](source, person)
    except DiaryError as error:
        if source.name in str(error):
            raise
        raise DiaryError(f"{source.name}: {error}") from None


def named(name: str) -> Diary:
    """The diary of a scenario "diary:NAME": "simulated" (comes with the project), DATA_SET/PERSON such as
    "t1d-uom/2308" in the folder of recordings, or the path of a file.

    Raises DiaryError naming what is known when it is neither.
    """
    if name == "simulated":
        return read(SIMULATED_DIARY)
    data_set, _, person = name.partition("/")
    if data_set in DATA_SETS and person:
        return read(needed_recordings(f"diary:{name}") / FOLDERS[data_set], data_set, person)
    if not Path(name).is_file():
        raise DiaryError(
            f"diary:{name}: no such file; give the path of a diary, diary:simulated, or "
            f"{' or '.join(f'diary:{known}/PERSON' for known in DATA_SETS)}"
        )
    return read(Path(name))


def _data_set(folder: Path) -> str:
    if not folder.is_dir():
        raise DiaryError(f"{folder}: no such folder; give the folder of a data set")
    for name, files in DATA_SETS.items():
        if files(folder):
            return name
    raise DiaryError(
        f"{folder}: this folder holds neither T1D-UOM (UoMGlucose2301.csv) nor AZT1D (subject_01.csv); "
        "give the folder of a data set, or a file"
    )


def _format_of(path: Path) -> str:
    names = header(path)
    if azt1d.TIME_COLUMN in names:
        return "azt1d"
    return "t1d-uom" if any(name in names for name in t1d_uom.TIME_COLUMNS) else "csv"
