"""The folder of what a wrist shows: the phase from a real recording, and simulated days beside real ones."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.plots import wearable as plots
from experiments.plots.style import svg
from experiments.wearable import beside
from experiments.wearable.beside import REAL, Person
from experiments.wearable.phase import Phases, around, by_clock, drawn, estimate, eyes, of_movement, sleeps
from twins.bodies.circadian import FORGER
from twins.files import atomic_write_bytes, atomic_write_text, check_writable
from twins.world.diary import DiaryError
from twins.world.formats import actiwatch, t1d_uom_habits

LEAST_DAYS = 3
"""For a phase: the first evening's counts when the night after it is over."""
Sources = dict[str, dict[str, Phases]]


def of_recording(path: Path) -> tuple[Sources, NDArray[np.bool_]]:
    """Phases from light and from movement of an actigraph's recording, and when its wearer slept."""
    held = actiwatch.read(path)
    if len(held.lux) < LEAST_DAYS * 288:
        raise DiaryError(f"{path.name}: {len(held.lux) // 288} days; needed are {LEAST_DAYS} or more")
    asleep = sleeps(held.asleep)
    lights = {"light": held.lux, "movement": of_movement(held.movement, asleep)}
    return {name: by_clock(eyes(one, asleep), np.isfinite(one)) for name, one in lights.items()}, asleep


def from_steps(folder: Path, who: str) -> float:
    """Melatonin onset of a person of T1D-UOM, median of days [h of the clock, 12 to 36], from steps and nights."""
    slept, active = t1d_uom_habits.nights(folder, who), t1d_uom_habits.activity(folder, who)
    steps = active.steps.reshape(-1)
    nights = beside.in_nights(slept)
    first = slept.fell.min().astype("datetime64[D]")
    ahead = int((np.datetime64(active.start) - first).astype("timedelta64[D]").astype(int)) * 288
    night = np.full(len(steps), np.nan)
    place = np.arange(len(steps)) + ahead
    there = (place >= 0) & (place < len(nights))
    night[there] = nights[place[there]]
    steps = np.where(np.isnan(night), np.nan, steps)
    if not np.isfinite(steps).any():
        raise DiaryError(
            f"T1D-UOM {who}: no day with both nights and steps; needed are files of the same days"
        )
    try:
        light = eyes(of_movement(steps, night > 0), night > 0)
    except ValueError as error:
        raise DiaryError(f"T1D-UOM {who}: {error}") from None
    days = estimate(FORGER, drawn(0), light, np.isfinite(steps)).median
    return float(np.nanmedian(days)) if np.isfinite(days).any() else float("nan")


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


def people_table(real: list[Person], simulated: list[Person], onset_h: dict[str, float]) -> list[str]:
    """A row a person of the recordings, and one for all that are simulated."""
    lines = [
        "| who | falls asleep, median | sleeps, h | steps a day | melatonin onset from steps | before sleep, h | pulse "
        "with steps, correlation |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one in real:
        at = onset_h[one.who]
        together = f"{one.pulse_with_steps:+.2f}" if np.isfinite(one.pulse_with_steps) else "-"
        lines.append(
            f"| {one.who} | {_clock(one.fell_h)} | {one.slept_h:.1f} | {one.steps_day:,.0f} | {_clock(at)} | "
            f"{one.fell_h - at:+.1f} | {together} |"
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
    lines = ["# What a wrist shows", "", f"Made by `{command}`. Research software, not a medical device.", ""]
    sources, asleep = of_recording(actiwatch.find(folder / "circadian_arcascope"))
    lines += [
        "## The clock's phase from an actigraph", "",
        f"One person (Arcascope's sample, MIT), {len(asleep) // 288} days, asleep by day on some of them as after work "
        "at night. Nobody measured melatonin: this shows how far estimates agree, not that they are right. Clocks are "
        "those of `twins.bodies.circadian`; people: 200 other periods and light gains, as environments draw them.", "",
        *phase_table(sources), "",
    ]  # fmt: skip
    uom = folder / "t1d_uom"
    real, simulated = beside.real(uom), beside.simulated()
    onset = {one.who: from_steps(uom, one.who) for one in real}
    lines += [
        "## Days of people with type-1 diabetes, and simulated ones", "",
        "T1D-UOM (CC BY 4.0, doi 10.5281/zenodo.15806142), nights and steps by the watch. The size of simulated walks "
        "was set by these people's steps; when they sleep was not set by anything here. Melatonin onset: by Forger's "
        "clock of the median person from nights, and steps taken for light, which is a guess; in people it comes two "
        "to three hours before sleep. Pulse and steps of one watch rise together; where their correlation is near 0, "
        "the "
        "pulse stands at wrong times: these files hold it every five minutes without a gap, hours away from when it "
        "was.",
        "", *people_table(real, simulated, onset),
    ]  # fmt: skip
    text = "\n".join(lines) + "\n"
    atomic_write_text(out / "table.md", text)
    atomic_write_bytes(
        out / "phase.svg", svg(plots.phases(_drawn(sources), asleep, "one person, Arcascope's sample"))
    )
    words = f"{len(real)} real, {len(simulated)} simulated people"
    atomic_write_bytes(out / "beside.svg", svg(plots.beside(beside.tidy([*real, *simulated]), words)))
    return text


def recordings(given: str | None, default: Path | None) -> Path:
    """The folder of recordings that was given, or the default one. Raises DiaryError where neither is there."""
    folder = Path(given) if given else default
    if folder is None or not folder.is_dir():
        raise DiaryError(f"no folder of recordings at {folder}; give one, or set HOMEOSTAT_DATA (see README)")
    return folder


def _clock(hours: float) -> str:
    """-: not known."""
    if not np.isfinite(hours):
        return "-"
    minutes = round(float(hours) * 60) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
