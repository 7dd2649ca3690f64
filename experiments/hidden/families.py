"""Which equations serve a personal twin better, those of UVA/Padova or fewer: on real people, and on hidden ones.

Real people tell which family forecasts better. What a dose does is known of hidden people alone: of those of
`experiments.hidden.bodies`, whose meal boluses are tried otherwise, and of the last rung of the ladder, whose bodies
have equations of neither family or of one of them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.frozen import NOTICE
from experiments.fleet import Cell
from experiments.hidden import bodies
from experiments.hidden.bars import sources
from experiments.hidden.fortnight import diaries
from experiments.hidden.life import live
from experiments.hidden.people import RUNGS, people
from experiments.hidden.what_if import as_twins_say, truly
from experiments.records.tables import Table, concat, read_table, write_table
from twins.inference.family import UVA_PADOVA
from twins.inference.identify import errors, fit, for_causes, for_forecasts, rule, window_starts
from twins.inference.quality import quality
from twins.inference.record import Record, record
from twins.inference.reduced import REDUCED
from twins.inference.validity import HORIZONS_MIN, TEST_EVERY_MIN
from twins.random import check_seed
from twins.world import readers
from twins.world.diary import STEP_MIN, DiaryError

FAMILIES = {family.name: family for family in (UVA_PADOVA, REDUCED)}
FIT_DAYS, TEST_DAYS = 10, 4
AFTER_MIN = 180
RUNG = "M3"
COLUMNS = {
    **{f"forecast_{one}": f"forecast twin, {one // 60} h" for one in HORIZONS_MIN},
    **{f"causal_{one}": f"causal twin, {one // 60} h" for one in HORIZONS_MIN},
    "fall_over_rule": "fall per unit over the rule", "fall": "fall, said over true", "rise": "rise, said over true",
    "mard": "what-ifs, MARD %", "slope": "slope",
}  # fmt: skip
"""Of a line; NaN where it is not known. Slope: of foreseen on true change after 3 h."""


def cells(source: Path, per_core: int, seed: int) -> list[Cell]:
    """The work: everybody of a data set's folder, and `per_core` hidden people of each kind.

    Raises DiaryError for a folder that is no data set, ValueError for no people.
    """
    if per_core < 1:
        raise ValueError(f"{per_core} hidden people of each kind; give 1 or more")
    check_seed(seed)
    stamp = sources()
    made = [
        Cell(f"cells/real-{who}", real, {"source": str(source), "who": who}, stamp=stamp)
        for who in readers.people(source)
    ]
    kinds = [(daily, other_boluses, "daily") for daily in bodies.DAILY]
    for kind, work, word in [*kinds, *((core, hidden, "core") for core in RUNGS[RUNG].cores)]:
        for number in range(1, per_core + 1):
            asked = {word: kind, "number": number, "seed": seed}
            made.append(Cell(f"cells/{kind}-{number:03d}", work, asked, stamp=stamp))
    return made


def real(folder: Path, out: Path, source: str, who: str) -> None:
    """A line for each family of one recorded person; none of whom the quality gate refuses."""
    lines = []
    try:
        held = record(readers.read(source, None, who))
        if not quality(held, held.days(1, FIT_DAYS)).reasons:
            held.days(1, FIT_DAYS + TEST_DAYS)
            lines = [line for line, _ in _fitted(held, f"real people of {Path(source).name}")]
    except DiaryError:
        pass  # the table counts those whose record suffices
    _write(out, lines)


def hidden(folder: Path, out: Path, core: str, number: int, seed: int) -> None:
    """A line for each family of one hidden person of the ladder's last rung."""
    person = people(RUNG, core, 1, seed, number)
    held = record(diaries(person, seed)[0])
    lines = []
    for line, effect in _fitted(held, f"hidden bodies, {core}"):
        truth = person.fall_mg_dl_per_u[0], person.rise_mg_dl_per_10_g[0] / person.logged_share(seed)[0]
        lines.append(line | {"fall": effect[0] / truth[0], "rise": effect[1] / truth[1]})
    _write(out, lines)


def other_boluses(folder: Path, out: Path, daily: str, number: int, seed: int) -> None:
    """A line for each family of one person of `bodies`, with what other meal boluses would have done."""
    life = live(bodies.make(1, seed, number, daily), FIT_DAYS + TEST_DAYS)
    asked = truly(life, FIT_DAYS + 1, FIT_DAYS + TEST_DAYS)
    held = record(life.diary(0))
    true = asked.other - asked.factual[:, None]
    late, lines = AFTER_MIN // STEP_MIN - 1, []
    for line, effect in _fitted(held, f"hidden bodies, rule right for what is {daily}"):
        family = FAMILIES[str(line["family"])]
        said = as_twins_say(effect[2:][None], held, asked.step, family)[0]
        line |= {
            "fall": effect[0] / life.bodies.fall_mg_dl_per_u[0],
            "rise": effect[1] / life.bodies.rise_mg_dl_per_10_g[0],
            "mard": float((100 * np.abs(said - true) / asked.other).mean()),
            "slope": float((true[..., late] * said[..., late]).sum() / (true[..., late] ** 2).sum()),
        }
        lines.append(line)
    _write(out, lines)


def _fitted(held: Record, of: str) -> Iterator[tuple[dict[str, object], NDArray[np.float64]]]:
    """For each family the line of a person, and fall, rise and theta (2 + 17,) of the causal twin."""
    part, test = held.days(1, FIT_DAYS), held.days(FIT_DAYS + 1, FIT_DAYS + TEST_DAYS)
    starts = window_starts(held, test, TEST_EVERY_MIN)
    for name, family in FAMILIES.items():
        twins = {
            "forecast": fit(held, part, for_forecasts(family=family)).theta,
            "causal": fit(held, part, for_causes(held, part, family=family)).theta,
        }
        line: dict[str, object] = {"who": held.who, "of": of, "family": name} | dict.fromkeys(COLUMNS, np.nan)
        missed = errors(np.stack(list(twins.values())), held, starts, HORIZONS_MIN, family)
        for row, twin in enumerate(twins):
            root = np.sqrt(np.nanmean(missed[row] ** 2, axis=0))
            line |= {f"{twin}_{horizon}": one for horizon, one in zip(HORIZONS_MIN, root, strict=True)}
        effect = family.effects(twins["causal"][None], held)[0]
        line["fall_over_rule"] = effect[0] / rule(held, part)
        yield line, np.concatenate([effect, twins["causal"]])


def _write(out: Path, lines: Sequence[dict[str, object]]) -> None:
    out.mkdir(parents=True)
    names = ("who", "of", "family", *COLUMNS)
    write_table(out / "lines.csv", {name: np.array([line[name] for line in lines]) for name in names})


def read(folder: Path, names: Sequence[str]) -> Table:
    """The lines of some cells."""
    found = [read_table(folder / name / "lines.csv") for name in names]
    return concat([one for one in found if len(one["who"])])


def words(table: Table, command: Sequence[str]) -> str:
    """The table as Markdown: medians over people."""
    lines = [
        "# Which equations serve a personal twin better?", "", NOTICE, "", f"Made by `{' '.join(command)}`.", "",
        f"Twins fitted on {FIT_DAYS} days and judged on the {TEST_DAYS} after them, without a prior learned from "
        "others, from the same weak one for both families; people whose record does not suffice are left out. Errors "
        "of forecasts in mg/dL (RMSE). Medians over people.", "",
        f"| people | n | family | {' | '.join(COLUMNS.values())} |", "|---|---:|---|" + "---:|" * len(COLUMNS),
    ]  # fmt: skip
    for of in dict.fromkeys(table["of"].tolist()):
        for family in FAMILIES:
            mine = (table["of"] == of) & (table["family"] == family)
            shown = []
            for name in COLUMNS:
                values = table[name][mine]
                shown.append(f"{np.median(values):.2f}" if np.isfinite(values).all() else "")
            lines.append(f"| {of} | {int(mine.sum())} | {family} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"
