"""The credibility page in the manner of ASME V&V 40: what is asked, in which context, the evidence, and the gaps.

The words stand in credibility.yml, with names of facts where numbers belong. A number that is written there by hand is
refused, so that the page cannot say what no committed file says.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from experiments.joint.joint import Joint
from experiments.site.facts import Fact, facts
from experiments.site.verdicts import Comparison
from twins.files import read_file
from twins.words import near_miss

WORDS = Path(__file__).resolve().parent / "credibility.yml"
MOST_BYTES = 1 << 20
NAMES = (
    "V&V 40", "T1D-UOM", "AZT1D", "UVA/Padova 2008", "model of 2008", "type-1", "P2", "40 mg/dL", "90 %",
)  # fmt: skip
"""What may stand in the words with a digit: names, and limits and levels that are definitions."""
_AS_IT_IS = ("see", "command")
_PLACE = re.compile(r"\{(\w+)\}")


def read(results: Path, joint: Joint, compared: Sequence[Comparison]) -> dict[str, Any]:
    """The page's words with their numbers: question, introduction, frame, parts.

    A point has text, sources (files below results whose numbers it tells), and command. Raises ValueError for a fact
    that there is none of, or a number written by hand.
    """
    said = yaml.safe_load(read_file(WORDS, MOST_BYTES))
    made: dict[str, Any] = _filled(said, facts(results, joint, compared))
    return made


def sources(said: Mapping[str, Any]) -> set[str]:
    """All files below results that the page links to."""
    factors = [factor for part in said["parts"] for factor in part["factors"]]
    points = (one for factor in factors for kind in ("evidence", "gaps") for one in factor[kind])
    return {source for one in points for source in one["sources"]} | set(said["question"]["sources"])


def _filled(said: Any, known: Mapping[str, Fact]) -> Any:
    """The words with facts in their places; each mapping with a text also gets the sources of its facts."""
    if isinstance(said, list):
        return [_filled(one, known) for one in said]
    if isinstance(said, dict):
        made = {name: one if name in _AS_IT_IS else _filled(one, known) for name, one in said.items()}
        if isinstance(said.get("text"), str):
            named = [_fact(name, known) for name in _PLACE.findall(said["text"])]
            listed = dict.fromkeys([*(one.source for one in named), *said.get("see", ())])
            made["sources"] = [one for one in listed if _linked(one)]
            made["command"] = said.get("command", "")
        return made
    return fill(said, known) if isinstance(said, str) else said


def _linked(source: str) -> bool:
    """Whether a source lies below results; tests and sources of code are not copied into the site."""
    return not source.startswith("tests/") and source != "table.csv"


def fill(text: str, known: Mapping[str, Fact]) -> str:
    """A text with facts in their places. Raises ValueError for an unknown fact, or a number written by hand."""
    if by_hand := list(handwritten(text)):
        raise ValueError(
            f"credibility.yml: the number in {by_hand[0]!r} is written by hand; name a fact of experiments.site.facts"
        )
    return _PLACE.sub(lambda place: _fact(place[1], known).text, text)


def handwritten(text: str) -> Iterator[str]:
    """Words with a digit that are neither a fact, nor one of `NAMES`, nor part of a command in backticks."""
    plain = _PLACE.sub("", re.sub(r"`[^`]*`", "", text))
    for name in sorted(NAMES, key=len, reverse=True):
        plain = plain.replace(name, "")
    yield from (word for word in plain.split() if any(letter.isdigit() for letter in word))


def _fact(name: str, known: Mapping[str, Fact]) -> Fact:
    if name not in known:
        raise ValueError(f"credibility.yml: there is no fact {name!r}{near_miss(name, known)}")
    return known[name]
