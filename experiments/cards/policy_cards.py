"""Model cards of the policies that come with the project, from their manifests and the committed studies.

The order follows Mitchell and others, "Model cards for model reporting" (FAT* 2019): what it is, what it is for,
training data, results with failures first, groups of people, what it was not tested on, limits. Nothing is written
by hand, so that a card says no more than the files beside it: see `stale`.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from agents import frozen
from agents.frozen import NOTICE, FrozenPolicy, Manifest
from agents.load import POLICIES
from experiments.cards.card_results import markdown_table, rows_of
from experiments.cards.card_results import results as results_of
from experiments.cards.exercise_cards import exercise_card
from experiments.cards.protocol_cards import protocols_page
from experiments.cards.published_cards import judged_on, published_results
from experiments.config import TrainConfig
from experiments.offline.logged import LEARNER
from experiments.protocol import protocols
from experiments.records.tables import select
from experiments.results import study_tables
from experiments.results.against_committed import RESULTS
from experiments.results.study_tables import Reader, StudyTables
from experiments.results.subgroups import CANNOT_BE_ASSESSED
from twins.files import atomic_write_text

CARD, PROTOCOLS_PAGE = "CARD.md", "protocols.md"
_COST = {
    "cost_limit": "limit of the mean cost of a decision in training",
    "cost_penalty": "fixed weight of the cost in training",
}
"""Settings of training that a card shows where they were used."""
_UNTESTED = (
    "real people, their data, and any pump or sensor that is worn",
    "another simulator or another model of the body than the one it was trained in",
    "exercise, illness, menstruation, pregnancy, failing infusion sets, glucagon",
    "attacks on its observations, and hours of the day or doses beyond those that training showed it",
)


def cards(policies: str | Path = POLICIES, results: str | Path = RESULTS) -> dict[Path, str]:
    """Path and text of every card: a CARD.md in each folder of `policies`, and protocols.md in `results`."""
    folders = sorted(path for path in Path(policies).glob("*") if _copies(path))
    read = cache(study_tables.read)
    studies = _studies(results, read)
    made = {folder / CARD: _card(folder, studies, Path(results)) for folder in folders}
    return made | {Path(results) / PROTOCOLS_PAGE: protocols_page(results, read)}


def write_cards(policies: str | Path = POLICIES, results: str | Path = RESULTS) -> list[Path]:
    """Write all cards; returns their paths."""
    made = cards(policies, results)
    for path, text in made.items():
        atomic_write_text(path, text)
    return list(made)


def stale(policies: str | Path = POLICIES, results: str | Path = RESULTS) -> list[Path]:
    """Cards that are missing or do not say what would be written now."""
    made = cards(policies, results)
    return [path for path, text in made.items() if not path.is_file() or path.read_text("utf-8") != text]


def _copies(folder: Path) -> list[Path]:
    """Folders of the trained copies of a policy: those below it, or itself."""
    found = sorted(path.parent for path in folder.glob(f"*/{frozen.MANIFEST}"))
    return found or ([folder] if (folder / frozen.MANIFEST).is_file() else [])


def policy_card(folder: str | Path, results: str | Path = RESULTS) -> str:
    """The card of the policy in agents/policies/NAME, Markdown. Raises what `frozen.load` and `study_tables.read` do.

    Results are those of the agent NAME in the committed studies.
    """
    return _card(Path(folder), _studies(results), Path(results))


def _studies(results: str | Path, read: Reader = study_tables.read) -> list[StudyTables]:
    return [read(path.parent) for path in sorted(Path(results).glob("*/study.json"))]


def _card(folder: Path, studies: list[StudyTables], tables: Path) -> str:
    copies = {path.name: frozen.load(path, task=None) for path in _copies(folder)}
    if not copies:
        raise FileNotFoundError(
            f"no policy in {folder}; give a folder with {frozen.MANIFEST}, or of such folders"
        )
    if next(iter(copies.values())).task != "dosing":
        return exercise_card(folder.name, copies)
    manifests = [one.manifest for one in copies.values()]
    studies = [one for one in studies if folder.name in one.episodes["agent"]]
    sections = (
        ("What it is", _what(copies)),
        ("What it is for", _purpose()),
        ("What it was trained on", _training(manifests)),
        ("Results", published_results(folder.name, tables) or results_of(folder.name, studies)),
        ("What it was not tested on", _untested(folder.name, studies, tables)),
        ("Limits", (f"- {one}" for one in (*CANNOT_BE_ASSESSED, *_limits(manifests)))),
        ("Made with", _commands(folder.name, manifests, studies)),
        ("Files", _files(copies)),
    )
    lines = [
        f"# {folder.name}",
        "",
        f"**{NOTICE}** Made by `python -m scripts.cards`; everything below is simulated.",
    ]
    for title, body in sections:
        lines += ["", f"## {title}", "", *body]
    return "\n".join([*lines, ""])


def _what(copies: dict[str, FrozenPolicy]) -> list[str]:
    one = next(iter(copies.values()))
    said, facts = one.manifest, one.manifest.trained_on
    layers = " x ".join(map(str, said.net_arch))
    memory = f" after an LSTM of {said.lstm_hidden_size}" if said.lstm_hidden_size else ""
    size = sum(weights.size for weights in one.weights.values())
    seen = len(said.observation_names)
    body = "this body, on other days" if facts.get("fold") is None else "other bodies"
    days = np.mean([float(copy.manifest.trained_on.get("person_days", np.nan)) for copy in copies.values()])
    simulator = f"{days:,.0f} simulated person-days a copy" if np.isfinite(days) else "days not recorded"
    rows = [
        ("kind", f"{said.algo}, layers {layers} ({said.activation}){memory}, {size:,} numbers"),
        ("copies", f"{len(copies)}: {', '.join(copies)}"),
        ("decides", f"{', '.join(said.action_names)} ({said.action}), every {said.decision_min} min"),
        ("sees", f"{seen} numbers: {', '.join(_grouped(said.observation_names))}"),
        ("sees the simulator's state", "yes (oracle)" if said.oracle else "no"),
        ("knows beforehand", f"T2, simulator access: {simulator}, {body}"),
        (
            "environment",
            f"`{said.env}`, kernels `{_only({m.manifest.kernel_hash for m in copies.values()})}`",
        ),
        ("made by", "The Homeostat developers; MIT licence; cite as in CITATION.cff"),
    ]
    return markdown_table(("", ""), rows)


def _grouped(names: Sequence[str]) -> Iterator[str]:
    """Names of observations; readings and hours of the past as ranges."""
    series: dict[str, list[str]] = {}
    for name in names:
        series.setdefault(re.sub(r"_\d+(min|h)$", "", name), []).append(name)
    for same in series.values():
        yield f"{same[0]} ... {same[-1]}" if len(same) > 2 else ", ".join(same)


def _only(values: set[str]) -> str:
    return ", ".join(sorted(values))


def _purpose() -> Iterator[str]:
    yield "For: research on learned dosing in simulation, as a policy to compare others with, under the shield."
    yield ""
    yield (
        "Not for: dosing insulin for anybody, advice to anybody, driving a pump, scoring people, or use without the "
        "shield that it was judged under. Nothing here says how it would do outside the simulator."
    )


def _training(manifests: Sequence[Manifest]) -> list[str]:
    facts = [one.trained_on for one in manifests]

    def told(name: str) -> str:
        values = list(dict.fromkeys(str(one[name]) for one in facts if one.get(name) is not None))
        numbers = [float(one[name]) for one in facts if isinstance(one.get(name), int | float)]
        if numbers:
            return " to ".join(dict.fromkeys(f"{end:,.10g}" for end in (min(numbers), max(numbers))))
        return ", ".join(values) or "not recorded"

    people = sorted({len(one.get("people") or ()) for one in facts})
    folds = sorted({int(one["fold"]) for one in facts if one.get("fold") is not None})
    left_out = f"; each copy leaves out its fold ({', '.join(map(str, folds))})" if folds else ""
    rows = [
        ("people", f"{' or '.join(map(str, people))} virtual people of the table{left_out}"),
        ("drawn around each age group of these", told("drawn_per_group")),
        ("world", f"protocol {told('protocol')}, split {told('split')}: no day of a test"),
        (
            "seeds",
            ", ".join(
                sorted({str(one.get("seed", "?")) for one in facts}, key=lambda word: (len(word), word))
            ),
        ),
        ("steps", told("timesteps")),
        ("simulated person-days", told("person_days")),
        ("length of an episode, days", told("episode_days")),
        ("shield during training", told("shield")),
        *((title, told(name)) for name, title in _COST.items() if any(name in one for one in facts)),
        *(
            _learned_from(facts)
            or [("chosen on", f"validation days of people drawn for it, seed {told('validation_seed')}")]
        ),
        ("began from", told("init_from") if any(one.get("init_from") for one in facts) else "random weights"),
    ]
    return markdown_table(("", ""), rows)


def _learned_from(facts: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Of a policy that learned from logs: of what, and that nothing was chosen."""
    if any(one.get("learner") != LEARNER for one in facts):
        return []
    logged = ", ".join(sorted({str(one.get("logged")) for one in facts}))
    return [
        ("learned by", f"{LEARNER} from logs of `{logged}` with noise; it did not act"),
        ("chosen on", "nothing: the last weights"),
    ]


def _untested(name: str, studies: Sequence[StudyTables], tables: Path) -> Iterator[str]:
    judged = {one for study in studies for one in select(study.episodes, agent=name)["protocol"].tolist()}
    judged |= judged_on(name, tables)
    if missing := [one for one in protocols() if one not in judged]:
        yield f"- the project's protocols {', '.join(missing)}"
    yield from (f"- {one}" for one in _UNTESTED)


def _limits(manifests: Sequence[Manifest]) -> Iterator[str]:
    if any(one.trained_on.get("fold") is None for one in manifests):
        yield "Copies without a fold have met all people of the table: of new bodies they say nothing."
    yield "The shield bounds doses, not glucose; with wrong carb counts glucose still falls low."
    yield "One method, one simulator: intervals speak of other trainings and of bodies like these, of nobody real."


def _commands(name: str, manifests: Sequence[Manifest], studies: Sequence[StudyTables]) -> Iterator[str]:
    runs = [
        run["command"] for study in studies for run in study.about.get("runs", ()) if run["agent"] == name
    ]
    judged = [
        row["command"] for study in studies for row in rows_of(select(study.cells, agent=name, status="done"))
    ]
    yield "```"
    yield str(runs[0]) if runs else train_command(manifests[0])
    yield from map(str, judged[:1])
    yield "```"
    yield ""
    yield "Those of the first copy; a training that ends by the clock is not repeated bit for bit."


def train_command(manifest: Manifest) -> str:
    """The command line of a training like the one that a manifest tells of, as far as it does."""
    facts = manifest.trained_on
    if facts.get("learner") == LEARNER:
        return f"python -m scripts.offline --train --seed {facts['seed']} --out DIR"
    told: dict[str, Any] = {
        "algo": manifest.algo,
        "history": manifest.history,
        **({} if manifest.action is None else {"action": manifest.action}),
        "decision_min": manifest.decision_min,
    }
    told |= {name: value for name, value in facts.items() if name in TrainConfig.model_fields}
    if facts.get("fold") is not None:
        told.pop("people", None)  # those that the fold leaves over
    elif isinstance(told.get("people"), list):
        told["people"] = ",".join(told["people"])
    if "timesteps" in facts:
        told |= {"n_timesteps": facts["timesteps"], "max_wall_s": None}
    defaults = {name: field.default for name, field in TrainConfig.model_fields.items()}
    words = [
        f"--set {name}={'null' if value is None else value}"
        for name, value in told.items()
        if value != defaults[name]
    ]
    return " ".join(["python -m scripts.train", *words])


def _files(copies: dict[str, FrozenPolicy]) -> list[str]:
    rows = []
    for name, one in copies.items():
        facts = one.manifest.trained_on
        steps = f"{facts['timesteps']:,}" if isinstance(facts.get("timesteps"), int) else "not recorded"
        fold = facts.get("fold")
        rows.append(
            [
                name,
                str(facts.get("seed", "")),
                "none" if fold is None else str(fold),
                steps,
                f"`{one.manifest.weights_sha256}`",
            ]
        )
    return markdown_table(("copy", "seed", "fold", "steps", "SHA-256 of policy.safetensors"), rows)
