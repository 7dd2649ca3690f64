"""The folder of what a wrist shows: the phase from a real recording, and simulated days beside real ones."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.frozen import NOTICE
from experiments.plots import wearable as plots
from experiments.plots.style import svg
from experiments.wearable import beside
from experiments.wearable.beside import REAL, Person
from experiments.wearable.phase import Phases, around, by_clock, eyes, of_movement, sleeps
from twins.bodies.circadian import FORGER
from twins.files import atomic_write_bytes, atomic_write_text, check_writable
from twins.world.diary import STEPS_PER_DAY, DiaryError
from twins.world.formats import actiwatch
from twins.world.readers import FOLDERS

LEAST_DAYS = 3
"""For a phase: the first evening's counts when the night after it is over."""
Sources = dict[str, dict[str, Phases]]


def of_recording(path: Path) -> tuple[Sources, NDArray[np.bool_]]:
    """Phases from light and from movement of an actigraph's recording, and when its wearer slept."""
    held = actiwatch.read(path)
    if len(held.lux) < LEAST_DAYS * STEPS_PER_DAY:
        raise DiaryError(
            f"{path.name}: {len(held.lux) // STEPS_PER_DAY} days; needed are {LEAST_DAYS} or more"
        )
    asleep = sleeps(held.asleep)
    lights = {"light": held.lux, "movement": of_movement(held.movement, asleep)}
    return {name: by_clock(eyes(one, asleep), np.isfinite(one)) for name, one in lights.items()}, asleep


def _drawn(sources: Sources) -> dict[str, dict[str, plots.Days]]:
    drawn: dict[str, dict[str, plots.Days]] = {}
    for source, found in sources.items():
        drawn[source] = {}
        for clock, one in found.items():
            low, high = one.interval()
            drawn[source][clock] = {"median": one.median, "low": low, "high": high}
    return drawn


def phase_table(sources: Sources) -> list[str]:
    """Median and range over days for each source and clock, and how wide people's interval is."""
    lines = [
        "| from | clock | melatonin onset, median of days | earliest, latest | 90 % of people, h wide |",
        "|---|---|---:|---:|---:|",
    ]
    for source, found in sources.items():
        for clock, one in found.items():
            low, high = one.interval()
            lines.append(
                f"| {source} | {clock} | {_clock(np.nanmedian(one.median))} | {_clock(np.nanmin(one.median))}, "
                f"{_clock(np.nanmax(one.median))} | {np.nanmedian(high - low):.1f} |"
            )
    both = [one[FORGER].median for one in sources.values()]
    clocks = [one.median for one in next(iter(sources.values())).values()]
    together = np.stack([around(one, clocks[0]) for one in clocks])
    return [
        *lines, "",
        f"Between the clocks, from light: {np.nanmean(np.ptp(together, axis=0)):.1f} h a day. Between light and "
        f"movement, by Forger's clock: {np.nanmean(around(both[1], both[0]) - both[0]):+.1f} h.",
    ]  # fmt: skip


def people_table(real: list[Person], simulated: list[Person]) -> list[str]:
    """A row a person of the recordings, and one for all that are simulated."""
    lines = [
        "| who | falls asleep, median | sleeps, h | steps a day | melatonin onset from steps | before sleep, h | pulse "
        "with steps, correlation |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one in real:
        together = f"{one.pulse_with_steps:+.2f}" if np.isfinite(one.pulse_with_steps) else "-"
        lines.append(
            f"| {one.who} | {_clock(one.fell_h)} | {one.slept_h:.1f} | {one.steps_day:,.0f} | {_clock(one.onset_h)} | "
            f"{one.fell_h - one.onset_h:+.1f} | {together} |"
        )
    for name, group in (
        (f"{REAL}, {len(real)} people", real),
        (f"simulated, {len(simulated)} people", simulated),
    ):
        fell, slept, steps = (
            np.median([getattr(one, field) for one in group]) for field in ("fell_h", "slept_h", "steps_day")
        )
        lines.append(f"| **{name}, median** | {_clock(fell)} | {slept:.1f} | {steps:,.0f} | | | |")
    return lines


def written(folder: Path, out: Path, command: str) -> str:
    """Everything into `out`: table.md, phase.svg, beside.svg. folder: of all recordings. Returns the tables.

    Raises DiaryError where a recording is not there.
    """
    check_writable(out, 5.0)
    lines = ["# What a wrist shows", "", f"Made by `{command}`. {NOTICE}", ""]
    sources, asleep = of_recording(actiwatch.find(folder / "circadian_arcascope"))
    lines += [
        "## The clock's phase from an actigraph", "",
        f"One person (Arcascope's sample, MIT), {len(asleep) // STEPS_PER_DAY} days, asleep by day on some of them as "
        "after work at night. Nobody measured melatonin: this shows how far estimates agree, not that they are right. "
        "Clocks are those of `twins.bodies.circadian`; people: 200 other periods and light gains, as environments draw "
        "them.", "", *phase_table(sources), "",
    ]  # fmt: skip
    real, simulated = beside.real(folder / FOLDERS["t1d-uom"]), beside.simulated()
    lines += [
        "## Days of people with type-1 diabetes, and simulated ones", "",
        "T1D-UOM (CC BY 4.0, doi 10.5281/zenodo.15806142), nights and steps by the watch. The size of simulated walks "
        "was set by these people's steps; when they sleep was not set by anything here. Melatonin onset: by Forger's "
        "clock of the median person from nights, and steps taken for light, which is a guess; in people it comes two "
        "to three hours before sleep. Pulse and steps of one watch rise together; where their correlation is near 0, "
        "the pulse stands at wrong times: these files hold it every five minutes without a gap, hours away from when "
        "it was.",
        "", *people_table(real, simulated),
    ]  # fmt: skip
    text = "\n".join(lines) + "\n"
    atomic_write_text(out / "table.md", text)
    atomic_write_bytes(
        out / "phase.svg", svg(plots.phases(_drawn(sources), asleep, "one person, Arcascope's sample"))
    )
    words = f"{len(real)} real, {len(simulated)} simulated people"
    atomic_write_bytes(out / "beside.svg", svg(plots.beside(beside.tidy([*real, *simulated]), words)))
    return text


def _clock(hours: float) -> str:
    """-: not known."""
    if not np.isfinite(hours):
        return "-"
    minutes = round(float(hours) * 60) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
