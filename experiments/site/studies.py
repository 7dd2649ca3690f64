"""The pages of protocols and studies: what each is called, and which committed files stand on it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.joint.markdown import MOST_BYTES
from experiments.site.document import Block, blocks
from twins.files import read_file

PROTOCOLS = "protocols.md"
DAYS = "days"
"""The page that lists all days."""


@dataclass(frozen=True)
class StudyPage:
    """title, words: of the page. card: the protocol whose card it shows. documents: Markdown below results that it
    shows whole, as far as they are there. reports: pages of their own below results."""

    title: str
    words: str
    card: str = ""
    documents: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()


_WHOLE = ("realistic/report.html",)
_PUBLISHED = ("published/table.md",)
PAGES: dict[str, StudyPage] = {
    "realistic": StudyPage(
        "realistic: people whom no policy has met", "The primary protocol of the project.", "realistic",
        reports=_WHOLE,
    ),
    "realistic-untreated": StudyPage(
        "realistic-untreated: the same, and nobody treats lows", "Beside the primary protocol.",
        "realistic-untreated", reports=_WHOLE,
    ),
    "stress": StudyPage(
        "stress: most things going wrong at once", "Beside the primary protocol.", "stress", reports=_WHOLE
    ),
    "simglucose-default": StudyPage(
        "simglucose-default: simglucose's own setting", "Same bodies, new days: no claim about other bodies.",
        "simglucose-default", reports=("simglucose-default/report.html",),
    ),
    "constrained": StudyPage(
        "Learning under a limit of cost", "Reward alone, a fixed penalty, a limit; inside the shield and without.",
        documents=("constrained/table.md",),
    ),
    "taught": StudyPage(
        "Learning from the planner", "Lessons alone, reward alone, and reward after lessons.",
        documents=("taught/table.md",),
    ),
    "fox2020": StudyPage("P1: Fox 2020", "A published protocol, rerun.", "fox2020", _PUBLISHED),
    "g2p2c": StudyPage("P2: G2P2C", "A published protocol, rerun.", "g2p2c", _PUBLISHED),
    "emerson2023": StudyPage(
        "P3: Emerson 2023", "A published protocol, rerun; and what a log says a policy is worth.", "emerson2023",
        (*_PUBLISHED, "published/worth.md"),
    ),
    "hidden-m3": StudyPage(
        "M3: hidden people", "From a diary to a twin, a policy and back to the person, on bodies that the fitter never "
        "saw.", documents=("hidden/m3.md",),
    ),
    "hidden-m2": StudyPage(
        "M2: hidden people of other models",
        "From a diary with whole logs to a twin, a policy and back, on bodies of two models that no twin knows.",
        documents=("hidden/m2.md",),
    ),
    "hidden-m1": StudyPage(
        "M1: hidden people of the twins' own model",
        "From a diary with whole logs to a twin, a policy and back, on bodies that vary from day to day.",
        documents=("hidden/m1.md",),
    ),
    "battery": StudyPage(
        "The fault battery", "Sensor, pump, body, announcements, clock and agent at fault, in the same days.",
        documents=("battery/table.md",),
    ),
    "shield": StudyPage("The twin shield against its bars", "What is met and what is missed, and what more would cost.",
                        documents=("shield/table.md", "shield/frontier.md", "shield/convergence.md")),
    "evidence": StudyPage("Bodies that come to harm", "Thousands of drawn bodies behind the shields, with bounds.",
                          documents=("evidence/table.md",)),
    "session": StudyPage("Around a session of exercise", "Insulin, food and the start of a session.",
                         documents=("session/table.md",)),
    "season": StudyPage("Twelve weeks of training", "One session a day, on bodies of two models.",
                        documents=("season/table.md",)),
    "sleep": StudyPage("Three weeks of sleep under imposed hours", "Bed, light and naps, on bodies with two clocks.",
                       documents=("sleep/table.md",)),
    "whole": StudyPage("Four weeks of a whole person", "Insulin, exercise and sleep, and what couples them.",
                       documents=("whole/table.md",)),
    "twins": StudyPage(
        "Personal twins", "Twins of recorded people on days after their fit, and of hidden ones.", documents=(
            "personal/azt1d.md", "personal/t1d-uom.md", "personal/in_silico.md", "personal/in_silico_planned.md",
            "personal/calibration.md", "personal/families.md",
        ),
    ),
    "forecast": StudyPage("Forecasts an hour ahead", "Glucose and lows on recorded people.",
                          documents=("forecast/table.md",)),
    "physiology": StudyPage(
        "The body beside people", "Exercise, sleep, stress and a watch's days beside trials and recordings. Nobody "
        "acts here.", documents=(
            "physiology/exercise.md", "physiology/sleep.md", "physiology/bouts.md", "wearable/table.md",
        ),
    ),
    "speed": StudyPage("Speed and cost", "What was measured, and what is reckoned from it. Nobody acts here.",
                       documents=("speed.md", "cost.md")),
    DAYS: StudyPage(
        "One day, step by step", "What a policy saw, did and why, and whether what is said of it stands a test.",
        documents=("days/deletion.md", "days/bands.md"),
    ),
    "diary": StudyPage("diary: a recorded person's meals", "No results are committed.", "diary"),
    "personal": StudyPage("personal: the world that personal policies are trained in", "No results are committed.",
                          "personal"),
}  # fmt: skip
"""By the name of the page, in the order in which they are listed."""


def card(name: str, results: Path) -> list[Block]:
    """The card of a protocol, as committed. Raises ValueError where there is none of this name."""
    text = read_file(results / PROTOCOLS, MOST_BYTES).decode("utf-8")
    for part in text.split("\n## ")[1:]:
        if part.startswith(f"{name} (version "):
            return blocks(part.partition("\n")[2])
    raise ValueError(f"{results / PROTOCOLS} has no card of {name!r}; run scripts.cards")


def present(page: StudyPage, results: Path) -> list[str]:
    """The documents of a page that are committed; those of days may not be. Raises FileNotFoundError for others."""
    lost = [file for file in page.documents if not (results / file).is_file()]
    if missing := [file for file in lost if not file.startswith(f"{DAYS}/")]:
        raise FileNotFoundError(f"no {missing[0]} below {results}; restore it from git")
    return [file for file in page.documents if file not in lost]


def documents(page: StudyPage, results: Path) -> list[dict[str, Any]]:
    """The Markdown of a page: its file, its first heading and its blocks."""
    found = []
    for file in present(page, results):
        text = read_file(results / file, MOST_BYTES).decode("utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        found.append({"file": file, "title": title, "blocks": blocks(text)})
    return found
