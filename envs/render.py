"""One day of one person as a figure: glucose, meals, insulin, and what the shield did.

Only numpy and matplotlib; matplotlib is imported inside the functions, because an environment that
is not drawn does not need it. Figures are objects of their own: no pyplot, no state between calls.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twins.units import GLUCOSE_MG_DL_PER_MMOL_L, MINUTES_PER_DAY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOW_MG_DL, HIGH_MG_DL = 70.0, 180.0

INK, MUTED, RULE = "#1b1f24", "#57606a", "#d0d7de"
ACCENT, MEAL, RESCUE = "#0b5c8a", "#8a5a00", "#c2410c"
IN_RANGE = "#e4f0ec"

REASONS = {
    "twin": ("twin foresees a low", "#e0699a"),
    "low": ("low glucose", "#b3261e"),
    "predicted_low": ("predicted low", "#d98200"),
    "max_iob": ("insulin-on-board cap", "#0b5c8a"),
    "max_hourly": ("cap of an hour", "#2f6f4f"),
    "max_daily": ("cap of a day", "#8c6d1f"),
    "max_bolus": ("bolus cap", "#4aa3d8"),
    "bolus_interval": ("boluses too close", "#9cc9e6"),
    "max_basal": ("basal cap", "#7fb6a8"),
    "stale": ("stale sensor", "#7a3e9d"),
    "impossible": ("impossible reading", "#9d5bbd"),
    "jump": ("jumping sensor", "#b88ad0"),
    "flat": ("flat sensor", "#6b6f76"),
    "starvation": ("starvation rule", "#1d7a4f"),
    "invalid_request": ("invalid request", "#000000"),
}
"""Words and colour of each reason of the shield, in the order of the legend."""

COLUMNS = ("minute", "glucose_mg_dl", "cgm_mg_dl", "basal_u_per_h", "bolus_u", "carbs_g", "reason")
"""Columns a strip needs; `rescue_g`, `requested_basal_u_per_h`, `requested_bolus_u` are drawn if given."""

WIDTH_INCHES = 4.2
"""Of every figure: legible at the width of a phone, two to a row on a desk."""
_STRIP_HEIGHT, _STRIP_BOX = 5.0, (0.1, 0.165, 0.8, 0.775)
_PANELS = {"glucose": (0.56, 0.44), "meals": (0.385, 0.075), "insulin": (0.13, 0.165), "shield": (0.0, 0.05)}
"""Bottom and height of each panel, as shares of the strip's height."""


def one_day(traces: Mapping[str, NDArray[Any]], day: int) -> dict[str, NDArray[Any]]:
    """The intervals of one day (0 = the first) from the traces of one person and replica."""
    minute = np.asarray(traces["minute"], float)
    keep = (minute > MINUTES_PER_DAY * day) & (minute <= MINUTES_PER_DAY * (day + 1))
    return {name: np.asarray(column)[keep] for name, column in traces.items()}


def day_strip(data: Mapping[str, NDArray[Any]], ax: "Axes | None" = None) -> "Axes":
    """Draw one day: glucose (true plasma as line, CGM as dots), meals, insulin, and the shield's changes.

    data: columns of traces.csv, shape (intervals,), see `COLUMNS`; minutes stand for the end of their
    interval, all within one day. Values may be nan. Without `ax` a figure of its own is made. The four
    panels are `ax.child_axes`, labelled glucose, meals, insulin and shield.
    Raises ValueError naming missing columns, unequal lengths, or a span of more than a day.
    """
    from matplotlib.figure import Figure

    day = _checked(data)
    if ax is None:
        ax = Figure(figsize=(WIDTH_INCHES, _STRIP_HEIGHT)).add_axes(_STRIP_BOX)
    ax.set_axis_off()
    panels = {}
    hours = range(0, 25, 3)
    for name, (bottom, height) in _PANELS.items():
        panel = ax.inset_axes((0, bottom, 1, height), label=name)
        panel.set_xlim(0, 24)
        panel.set_xticks(hours, labels=[f"{hour:02d}" for hour in hours] if name == "shield" else [])
        quiet(panel)
        panels[name] = panel
    _glucose(panels["glucose"], day)
    _meals(panels["meals"], day)
    _insulin(panels["insulin"], day)
    _shield(panels["shield"], day)
    return ax


def rgb_array(data: Mapping[str, NDArray[Any]], width: int = 640, height: int = 760) -> NDArray[np.uint8]:
    """The day strip as pixels, shape (height, width, 3), 0-255."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    dpi = width / WIDTH_INCHES
    size = ((width + 1e-3) / dpi, (height + 1e-3) / dpi)  # the canvas cuts fractions of pixels off
    figure = Figure(figsize=size, dpi=dpi, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    day_strip(data, figure.add_axes(_STRIP_BOX))
    pixels, _ = canvas.print_to_buffer()  # type: ignore[no-untyped-call]
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 4)[:, :, :3].copy()


def glucose_axis(ax: "Axes", top: float = 300.0, bottom: float = 40.0) -> None:
    """Make `ax` a glucose axis: mg/dL left, mmol/L right, the range 70-180 shaded, 54 numbered if it fits."""
    from matplotlib.ticker import FixedLocator

    ax.axhspan(LOW_MG_DL, HIGH_MG_DL, color=IN_RANGE, lw=0, zorder=0)
    ax.set_ylim(bottom, top)
    crowded = top - bottom > 260
    ticks = [tick for tick in (0, 54, 70, 120, 180, 250, 300, 400, 500, 600) if bottom <= tick <= top]
    ax.set_yticks([tick for tick in ticks if not (tick == 300 and top > 400 or tick == 54 and crowded)])
    quiet(ax)
    ax.grid(axis="y", color=RULE, lw=0.5)
    if crowded:
        ax.axhline(54, color=RULE, lw=0.5, zorder=0.5)
    right = ax.secondary_yaxis("right", functions=(_to_mmol, _to_mg))  # type: ignore[arg-type]
    right.yaxis.set_major_locator(FixedLocator([3.9, 6, 10, 14, 18, 22, 28] + [3] * (not crowded)))
    right.yaxis.set_major_formatter("{x:g}")
    right.tick_params(labelsize=7.5, colors=MUTED, length=0)
    right.spines["right"].set_visible(False)
    _head(ax, "Glucose, mg/dL")
    _head(ax, "mmol/L", right=True)


def _to_mmol(mg_dl: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(mg_dl) / GLUCOSE_MG_DL_PER_MMOL_L


def _to_mg(mmol: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(mmol) * GLUCOSE_MG_DL_PER_MMOL_L


def quiet(ax: "Axes") -> None:
    """Hairlines, no box, small grey labels."""
    ax.set_axisbelow(True)
    ax.set_facecolor("none")
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set(color=RULE, lw=0.7)
    ax.tick_params(labelsize=7.5, colors=MUTED, length=0)


def _head(ax: "Axes", text: str, right: bool = False, color: str = INK, lift: float = 4.0) -> None:
    """What a panel shows, above an upper corner; `lift` in points leaves room for numbers over bars."""
    ax.annotate(
        text, (float(right), 1), (0, lift), xycoords="axes fraction", textcoords="offset points",
        ha="right" if right else "left", va="bottom", fontsize=8, color=color,
    )  # fmt: skip


def _checked(data: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The columns as arrays, with `start` and `hour`, beginning and end of each interval in hours."""
    missing = [name for name in COLUMNS if name not in data]
    if missing:
        raise ValueError(f"a day strip lacks {', '.join(missing)}; it needs the columns {', '.join(COLUMNS)}")
    day = {name: np.asarray(column) for name, column in data.items() if name == "reason" or name != "person"}
    lengths = {name: day[name].shape for name in COLUMNS}
    if len(set(lengths.values())) != 1 or len(lengths["minute"]) != 1:
        raise ValueError(f"columns of a day strip have shape (intervals,), all the same; given {lengths}")
    minute = day["minute"].astype(float)
    step = float(np.median(np.diff(minute))) if len(minute) > 1 else 5.0
    if len(minute) and minute[-1] - minute[0] >= MINUTES_PER_DAY:
        raise ValueError(
            f"a day strip shows one day; the minutes given run from {minute[0]:g} to {minute[-1]:g}. "
            "Choose a day with envs.render.one_day(data, day)"
        )
    first = MINUTES_PER_DAY * np.floor((minute[0] - 1e-6) / MINUTES_PER_DAY) if len(minute) else 0.0
    day["hour"] = (minute - first) / 60
    day["start"] = (minute - step - first) / 60
    return day


def _glucose(ax: "Axes", day: Mapping[str, NDArray[Any]]) -> None:
    plasma, cgm = day["glucose_mg_dl"].astype(float), day["cgm_mg_dl"].astype(float)
    both = np.concatenate([plasma, cgm])
    seen = both[np.isfinite(both)]
    top = next((top for top in (300.0, 400.0) if seen.max(initial=0.0) < top), 600.0)
    glucose_axis(ax, top, 40.0 if seen.min(initial=60.0) > 45 else 0.0)
    ax.plot(day["hour"], cgm, ".", ms=2.6, color="#7d8791", mew=0, label="CGM")
    ax.plot(day["hour"], plasma, color=INK, lw=1.3, label="true plasma")
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.56, 1.0), ncols=2, frameon=False, fontsize=7.5, labelcolor=INK,
        handlelength=1.2, columnspacing=1.2, borderaxespad=0.1, handletextpad=0.4, borderpad=0.3,
        markerscale=1.8,
    )  # fmt: skip


def _meals(ax: "Axes", day: Mapping[str, NDArray[Any]]) -> None:
    rescue = np.nan_to_num(day["rescue_g"].astype(float)) if "rescue_g" in day else np.zeros(len(day["hour"]))
    meals = np.maximum(np.nan_to_num(day["carbs_g"].astype(float)) - rescue, 0.0)
    drawn = [(*one, MEAL) for one in _together(meals)] + [(*one, RESCUE) for one in _together(rescue)]
    most = max([grams for _, grams, _ in drawn], default=1.0)
    ax.set_ylim(0, most)
    ax.set_yticks([])
    marks = []
    for index, grams, color in drawn:
        hour = float(day["start"][index])
        ax.bar(hour, grams, width=0.22, align="edge", color=color)
        marks.append((hour + 0.11, grams, f"{grams:.0f}", color))
    _labels(ax, marks)
    _head(ax, "Meals, g of carbohydrate", lift=11)
    if rescue.any():
        _head(ax, f"taken against lows: {rescue.sum():.0f} g", right=True, color=RESCUE, lift=11)


def _insulin(ax: "Axes", day: Mapping[str, NDArray[Any]]) -> None:
    edges = np.append(day["start"], day["hour"][-1:])
    basal = np.nan_to_num(day["basal_u_per_h"].astype(float))
    highest = basal.max(initial=0.0)
    ax.stairs(basal, edges if len(basal) else [0, 0][: len(basal) + 1], fill=True, color="#a9cbe0", lw=0)
    if "requested_basal_u_per_h" in day:
        asked = day["requested_basal_u_per_h"].astype(float)
        asked = np.where(np.abs(asked - basal) > 0.05 * max(highest, 0.1), asked, np.nan)
        if len(asked):
            ax.stairs(asked, edges, color=ACCENT, lw=0.7, ls=(0, (2, 1.5)))
        highest = max(highest, np.nanmax(asked, initial=0.0))
    ax.set_ylim(0, max(2.2 * highest, 0.1))
    ax.set_yticks(*_round_ticks(highest))
    bolus = np.nan_to_num(day["bolus_u"].astype(float))
    wanted = bolus
    if "requested_bolus_u" in day:
        wanted = np.maximum(np.nan_to_num(day["requested_bolus_u"].astype(float)), bolus)
    stems = ax.twinx()
    stems.set_ylim(0, max(min(wanted.max(initial=0.0), 1.4 * bolus.max(initial=0.0)), 0.1))
    stems.set_axis_off()
    held = np.flatnonzero(wanted > bolus + 0.05)
    stems.vlines(day["start"][held], bolus[held], wanted[held], color=ACCENT, lw=0.8, ls=(0, (2, 1.5)))
    given = np.flatnonzero(bolus > 0)
    stems.vlines(day["start"][given], 0, bolus[given], color=ACCENT, lw=1.4)
    tips = np.minimum(wanted, stems.get_ylim()[1])
    told = [i for i in given if bolus[i] >= 0.05]
    _labels(stems, [(float(day["start"][i]), float(tips[i]), f"{bolus[i]:.1f}", ACCENT) for i in told])
    _head(ax, "Basal, U/h (dashed: requested)", lift=11)
    _head(ax, "boluses, U", right=True, color=ACCENT, lift=11)


def _shield(ax: "Axes", day: Mapping[str, NDArray[Any]]) -> None:
    from matplotlib.patches import Patch

    reasons = np.array([str(reason) if str(reason) != "nan" else "" for reason in day["reason"]])
    present = [name for name in REASONS if name in reasons]
    present += sorted(set(reasons) - set(REASONS) - {"", "none"})
    ax.set_ylim(0, 1)
    ax.set_yticks([])
    legend = []
    minutes = 60 * (day["hour"] - day["start"])
    for row, name in enumerate(present):
        words, color = REASONS.get(name, (name.replace("_", " "), MUTED))
        bottom, height = 1 - (row + 1) / len(present), 0.86 / len(present)
        for first, last in _runs(reasons == name):
            left = float(day["start"][first])
            width = max(float(day["hour"][last]) - left, 0.15)
            ax.bar(left, height, width, bottom, align="edge", color=color)
        legend.append(Patch(color=color, label=f"{words}, {minutes[reasons == name].sum():.0f} min"))
    _head(ax, "Changed by the shield" if present else "The shield changed nothing")
    if legend:
        ax.legend(
            handles=legend, loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=_below(ax, 14),
            borderaxespad=0, borderpad=0, ncols=2, frameon=False, fontsize=7.5, labelcolor=INK,
            handlelength=0.9, handleheight=0.9, columnspacing=1.4,
        )  # fmt: skip
    ax.annotate(
        "Simulation; hour of the day. Research software, not a medical device.",
        (0, 0), (0, -18 - 12 * ((len(legend) + 1) // 2)),
        xycoords="axes fraction", textcoords="offset points", va="top", fontsize=7, color=MUTED,
    )  # fmt: skip


def _below(ax: "Axes", points: float) -> Any:
    """Axes coordinates, moved down by some points."""
    from matplotlib.transforms import ScaledTranslation

    return ax.transAxes + ScaledTranslation(0, -points / 72, ax.get_figure(root=True).dpi_scale_trans)  # type: ignore[union-attr]


def _runs(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and last index of every unbroken run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    for first, end in edges.reshape(-1, 2):
        yield int(first), int(end) - 1


def _together(amount: NDArray[Any]) -> list[tuple[int, float]]:
    """Index of the first interval and sum of every unbroken run of positive amounts."""
    return [(first, float(amount[first : last + 1].sum())) for first, last in _runs(amount > 0)]


def _labels(ax: "Axes", marks: list[tuple[float, float, str, str]]) -> None:
    """Numbers over bars or stems, the largest first; one that would touch another is left out."""
    from matplotlib.patheffects import withStroke

    placed: list[float] = []
    for hour, height, text, color in sorted(marks, key=lambda mark: -mark[1]):
        if all(abs(hour - other) > 1.6 for other in placed):
            placed.append(hour)
            ax.annotate(
                text, (hour, height), (0, 1.5), textcoords="offset points", ha="center", va="bottom",
                fontsize=7, color=color, annotation_clip=False,
                path_effects=[withStroke(linewidth=1.6, foreground="white")],
            )  # fmt: skip


def _round_ticks(highest: float) -> tuple[list[float], list[str]]:
    """Zero and one round value near the highest."""
    if highest <= 0:
        return [0.0], ["0"]
    power = 10 ** np.floor(np.log10(highest))
    value = float(power * max(step for step in (1, 2, 3, 4, 5, 6, 8) if step * power <= highest * 1.001))
    return [0.0, value], ["0", f"{value:g}"]
