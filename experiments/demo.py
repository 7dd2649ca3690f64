"""The demonstration: from a person's diary to their twin, from the twin to a policy, and what the policy then does.

With recordings at hand it is a real person's; then policies are judged on the twin alone, for nobody may be dosed by
them. Otherwise it is the simulated diary that comes with the project, of a virtual adult whose body no fit has seen;
then they are judged on that body, too.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from agents import frozen
from agents.base import Agent
from agents.load import load
from experiments import fleet
from experiments.evaluate import evaluate
from experiments.fleet import Cell
from experiments.personal import policy, twin_file
from experiments.personal.compared import compared
from experiments.personal.fit import fit_person
from experiments.personal.page import write_page
from experiments.personal.twin_file import TwinFile
from experiments.runs import RUNS
from experiments.simulated_diary import LIFE, body
from twins.cohort import Cohort
from twins.inference.record import KG
from twins.world import readers
from twins.world.diary import Diary, DiaryError

PERSON = "azt1d/10"
"""A person of AZT1D whose record suffices, once its units and repeated rows are repaired."""
HIDDEN = "a simulated adult"
FIT_DAYS, TEST_DAYS = 10, 4
JUDGED_DRAWS, JUDGED_DAYS = 12, 14
NEW_REPLICAS = 2
"""Fortnights on which the hidden body is judged."""
SHIELDS = ("rule", "off")
TREATMENTS = ("basal-bolus", "basal-bolus-twin", "pid-twin")
FAMILIES = {"basal-bolus-twin": "basal-bolus", "pid-twin": "pid"}


def demo(out: str | Path = RUNS / "demo", seeds: Sequence[int] = (0, 1), person: str | None = None) -> Path:
    """Run the whole path into `out` and return the page. An earlier demonstration there is renamed, not lost.

    person: a recorded one, such as "azt1d/10"; by default that one where the recordings are, else the simulated diary
    ("simulated"). seeds: of the trainings, each in a process of its own. Raises ValueError or DiaryError for what is
    not there, before anything is begun.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds: {list(seeds)} given; needed is at least one, and each once")
    for seed in seeds:
        policy.cohort_policy(seed)
    diary, hidden = whose(person)
    out = Path(out)
    keep_earlier(out)
    weight_kg = float(body().weight_kg[0]) if hidden else KG
    fitted = fit_person(diary, out / "twin", FIT_DAYS, TEST_DAYS, weight_kg)
    print(f"fitted the twin of {diary.who}: {fitted.card['light']}")
    page = out / "report.html"
    if not fitted.card["accepted"]:
        write_page(fitted, page)
        print(f"the card refuses this twin, so no policy is trained on it\nthe page: {page}")
        return page
    work = cells(seeds, hidden)
    flow = fleet.run(work, out)
    if flow.failed or flow.refused:
        raise RuntimeError(
            "; ".join(f"{name}: {reason}" for name, reason in (flow.failed | flow.refused).items())
        )
    part = compared(out, [cell.name for cell in work if cell.name.startswith("judged/")], hidden)
    write_page(fitted, page, part)
    for table in part.tables:
        print(f"\n{table['caption']}\n{_aligned([table['heads'], *table['rows']])}")
    print(f"\nthe page: {page}")
    return page


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of words in columns, the last as it is."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(word.ljust(width) for word, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    )


def whose(person: str | None) -> tuple[Diary, bool]:
    """The diary to begin with, and whether it is that of a hidden virtual person."""
    if person is None:
        try:
            return readers.named(PERSON), False
        except DiaryError as error:
            print(f"{error}\nInstead the simulated diary that comes with the project is used.")
            person = "simulated"
    diary = readers.named(person)
    return (replace(diary, who=HIDDEN), True) if person == "simulated" else (diary, False)


def cells(seeds: Sequence[int], hidden: bool) -> list[Cell]:
    """Trainings and tunings on the twin, and every agent judged where it may be."""
    made = [Cell(f"train/seed{seed}", train_cell, {"seed": seed}) for seed in seeds]
    made += [Cell(f"tuned/{arm}.json", tune_cell, {"family": family}) for arm, family in FAMILIES.items()]
    agents: list[tuple[str, int | None, tuple[str, ...]]] = [
        (arm, None, (f"tuned/{arm}.json",) if arm in FAMILIES else ()) for arm in TREATMENTS
    ]
    agents += [("cohort", seed, ()) for seed in seeds]
    agents += [("personal", seed, (f"train/seed{seed}",)) for seed in seeds]
    for where in ("twin", "body") if hidden else ("twin",):
        for shield in SHIELDS:
            for arm, seed, needs in agents:
                name = f"judged/{where}/{shield}/{arm}{'' if seed is None else f'-seed{seed}'}"
                arguments = {"where": where, "shield": shield, "arm": arm, "seed": seed}
                made.append(Cell(name, judge_cell, arguments, needs))
    return made


def train_cell(folder: Path, out: Path, seed: int) -> None:
    """Train the cohort's policy further on draws of the twin."""
    from experiments.train import train_anew  # with torch, which those who tune or judge need not load

    train_anew(policy.config(folder / "twin", seed), out)


def tune_cell(folder: Path, out: Path, family: str) -> None:
    """Find gains of a family on draws of the twin."""
    policy.tune_on(twin_file.load(folder / "twin" / "twin.json"), family, out)


def judge_cell(folder: Path, out: Path, where: str, shield: str, arm: str, seed: int | None) -> None:
    """Judge an agent on new days of draws of the twin, or of the hidden body that the diary is of."""
    twin = twin_file.load(folder / "twin" / "twin.json")
    protocol = twin.world().model_copy(update={"days": float(JUDGED_DAYS)})
    if where == "body":
        # The life of the diary; its own days are those of replica 0, which `compared` leaves out.
        protocol = protocol.model_copy(
            update={**LIFE, "carbs_g_per_day": None, "warmup_days": 0.0, "replicas": 1 + NEW_REPLICAS}
        )
    evaluate(
        _agent(folder, arm, seed), arm, protocol, out, shield=shield, modified=True, trace_replicas=0,
        cohort=_judged(twin, where),
    )  # fmt: skip


def _judged(twin: TwinFile, where: str) -> Cohort:
    """People under the settings that the clinical rules find in the diary."""
    if where == "twin":
        return twin.draws(JUDGED_DRAWS)
    return replace(body(), therapy=twin.therapy[None])


def _agent(folder: Path, arm: str, seed: int | None) -> Agent:
    if arm in FAMILIES:
        found = policy.tuned(FAMILIES[arm], folder / "tuned" / f"{arm}.json")
        assert found is not None, "of an accepted twin"
        return found
    if seed is None:
        return load(arm)
    return frozen.load(policy.cohort_policy(seed) if arm == "cohort" else folder / "train" / f"seed{seed}")


def keep_earlier(folder: Path) -> None:
    """Rename a folder that holds something, so that nothing saved is lost."""
    if folder.exists() and any(folder.iterdir()):
        stamp = datetime.fromtimestamp(folder.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%SZ")
        kept = folder.with_name(f"{folder.name}-{stamp}")
        shutil.move(folder, kept)
        print(f"earlier results are kept in {kept}")
