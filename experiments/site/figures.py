"""The committed figures: on which pages they stand, what they show in words, and how they get into a page."""

from dataclasses import dataclass
from pathlib import Path

from experiments.joint.tables import HIDDEN
from experiments.page.svg import Drawing, embedded
from twins.files import read_file

MOST_BYTES = 4 << 20


@dataclass(frozen=True)
class Words:
    """pages: names of the pages it stands on. caption: what it shows. alt: what a reader who cannot see it is told.
    dose: whether doses are shown."""

    pages: tuple[str, ...]
    caption: str
    alt: str
    dose: bool = False


_PRIMARY = "realistic", "simglucose-default"
_PUBLISHED = ("fox2020", "g2p2c", "emerson2023")
FIGURES: dict[str, Words] = {
    **{
        f"{study}/bars.svg": Words(
            (study,),
            "Time in five ranges of true plasma glucose, rule shield, failures first.",
            "Stacked bars, one for each agent, of the share of time below 54, 54 to 70, 70 to 180, 180 to 250 and "
            "above 250 mg/dL; above each bar the failed episodes and the numbers of the table.",
        )
        for study in _PRIMARY
    },
    **{
        f"{study}/day.svg": Words(
            (study,),
            "One simulated day under the learned policy.",
            "True and measured glucose over 24 hours; below it meals, the basal rate and boluses, asked for and given, "
            "and when the shield changed a dose.",
            dose=True,
        )
        for study in _PRIMARY
    },
    **{
        f"{study}/profile.svg": Words(
            (study,),
            "Glucose by hour of the day under the learned policy, over all people and days.",
            "A line of the median by hour, a band of half of all readings and dotted lines around nine tenths.",
        )
        for study in _PRIMARY
    },
    "published/published.svg": Words(
        _PUBLISHED,
        "The papers' numbers beside ours: with the stomach of then (full) and as it is now (rings).",
        "Three panels of dots, one for each published protocol: the papers' rows as diamonds, ours as full dots with "
        "the stomach of then and as rings with the corrected one. The numbers stand in the table.",
    ),
    **{
        f"hidden/{rung}-arms.svg": Words(
            (f"hidden-{rung}",),
            "Time in range of every arm on new days of hidden people, training seeds and 95 % intervals.",
            "One line for each arm: its mean with an interval, and a dot for each training seed.",
        )
        for rung in HIDDEN
    },
    **{
        f"hidden/{rung}-foreseen.svg": Words(
            (f"hidden-{rung}",),
            "What twins foresaw of an arm, and what came true.",
            "Two scatter plots against the diagonal, time in range and time below 70 mg/dL: foreseen by the twin and "
            "come true on new days, a mark for each person and arm.",
        )
        for rung in HIDDEN
    },
    "battery/map.svg": Words(
        ("battery",),
        "Change of time below 54 mg/dL by fault and agent; red: a bar is missed.",
        "A grid of faults and agents; each cell has the change of time below 54 mg/dL in points, tinted where bars are "
        "missed, with a cross for a death.",
    ),
    "physiology/exercise.svg": Words(
        ("physiology",),
        "Exercise: the twin beside results of trials in people, those fitted above, those held out below.",
        "One line for each result of a trial: the difference of the twin from people in halves of the 95 % interval; "
        "dots outside it are red.",
    ),
    "physiology/sleep.svg": Words(
        ("physiology",),
        "Sleep, the clock and stress: the twin beside results of trials in people.",
        "One line for each result of a trial: the difference of the twin from people in halves of the 95 % interval; "
        "dots outside it are red.",
    ),
    "wearable/beside.svg": Words(
        ("physiology",),
        "Days of people by their watch beside simulated days.",
        "Three panels by hour: share asleep, steps and glucose, of recorded people and of simulated ones, with bands.",
    ),
    "wearable/phase.svg": Words(
        ("physiology",),
        "The clock's phase of one person from light and from movement, by three clocks.",
        "Two panels by day: the estimated hour of melatonin onset by each clock, over the hours asleep.",
    ),
    "shield/frontier.svg": Words(
        ("shield",),
        "What the twin shield protects from against what it costs, by its settings.",
        "Three panels: runs that came too low with miscounted carbs and with phantom meals, and bodies below the "
        "floor, against the points of time in range that it costs; bars are dotted lines.",
    ),
    "session/around.svg": Words(
        ("session",),
        "Glucose, basal rate and carbohydrate around a session of exercise.",
        "Glucose of four fifths of all sessions from two hours before to ten after a planned start, under the learned "
        "policy and the tuned consensus; below it basal over scheduled and carbohydrate an hour.",
        dose=True,
    ),
    "shield/convergence.svg": Words(
        ("shield",),
        "What a harder search still gains the planner, with 95 % intervals.",
        "Two lines, of the clairvoyant and of the planner: cost of the glucose lived above that of the hardest search, "
        "in %, against the plans tried for a dose; a dashed line marks the default.",
    ),
    "session/frontier.svg": Words(
        ("session",),
        "Time in range against lows a completed session.",
        "A dot with intervals for each agent: events below 70 mg/dL on one axis, time in range on the other.",
    ),
    "session/week.svg": Words(
        ("session",),
        "Seven days with a session of one person under two agents.",
        "Seven panels, one a day: glucose under two agents, the session as a band, food as ticks and the basal rate.",
        dose=True,
    ),
    "season/fitness.svg": Words(
        ("season",),
        "Performance, fitness and fatigue over twelve weeks.",
        "Lines by week for each agent: performance above, fitness and fatigue below.",
    ),
    "season/load.svg": Words(
        ("season",),
        "Load of the week over the prescribed one, and the ratio of acute to chronic load.",
        "Lines by week for each agent; in the lower panels the ratio's mean and its highest value beside the bound.",
    ),
    "season/calendar.svg": Words(
        ("season",),
        "One person's twelve weeks under the learned policy.",
        "A calendar of twelve weeks: minutes of each session, easy or vigorous, mornings or evenings, skipped and "
        "injured days.",
    ),
    "sleep/sleepiness.svg": Words(
        ("sleep",),
        "Sleepiness in required hours over three weeks.",
        "Lines by day for each agent, on Karolinska's scale.",
    ),
    "sleep/raster.svg": Words(
        ("sleep",),
        "One person's nights under two plans.",
        "Two rasters of three weeks: asleep, in bed, light, required hours, and when the body is coldest.",
    ),
    "whole/week.svg": Words(
        ("whole",),
        "A week of one person: glucose, insulin, exercise and sleep.",
        "A strip of seven days with glucose, doses, sessions and nights.",
        dose=True,
    ),
    "whole/couplings.svg": Words(
        ("whole",),
        "What each coupling does to mean glucose, with it less without it.",
        "One line for each coupling: change of mean glucose with intervals, for insulin alone and with advice.",
    ),
    "whole/strength.svg": Words(
        ("whole",),
        "What advice adds to insulin alone, by the strength of the couplings.",
        "Dots with intervals by strength, over a band of half a point either way.",
    ),
    "whole/map.svg": Words(
        ("whole",),
        "What acts on what in a whole person, with what each coupling does under insulin alone.",
        "A drawing of boxes and arrows: exercise, fitness, sleep, clock, strain, insulin's action and glucose; each "
        "arrow has its change of mean glucose and a colour for how sure it is.",
    ),
    "forecast/people.svg": Words(
        ("forecast",),
        "Error at 60 min of each person.",
        "A pair of dots for each person: the forecaster and the regression from readings alone.",
    ),
    "forecast/alarms.svg": Words(
        ("forecast",),
        "Events caught and lead by false alarms a day.",
        "Two lines by false alarms a day: share of events caught, and median lead in minutes.",
    ),
    "forecast/net_benefit.svg": Words(
        ("forecast",),
        "Net benefit by the risk from which one acts.",
        "Three lines of the net benefit for each 1,000 moments: forecaster, gradient boosting, always acting.",
    ),
}  # fmt: skip
"""Every committed figure, by its file below results."""


def of_page(name: str, results: Path) -> list[dict[str, object]]:
    """The figures of a page that are committed, as its template takes them."""
    found = []
    for k, (file, words) in enumerate(FIGURES.items()):
        if name in words.pages and (results / file).is_file():
            drawing: Drawing = embedded(read_file(results / file, MOST_BYTES).decode("utf-8"), f"f{k}")
            found.append(
                {
                    "file": file,
                    "caption": words.caption,
                    "alt": words.alt,
                    "dose": words.dose,
                    "drawing": drawing,
                }
            )
    return found
