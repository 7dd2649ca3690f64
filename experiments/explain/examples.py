"""The committed days: of which people is a rule, and the deletion test on everybody whom a policy has not met."""

import sys
from pathlib import Path

import numpy as np

from agents import frozen
from agents.frozen import NOTICE
from experiments import people
from experiments.explain.bands import bands_table
from experiments.explain.day import company, explain, update_index, write_day
from experiments.explain.deletion import HEADS, MOST_DELETED, RANDOM_ORDERS, Deleted, lines
from experiments.explain.lived import first_day, live
from experiments.explain.network import Asked
from experiments.explain.reasons import samples, tests, verdicts
from experiments.explain.sanity import agreement
from experiments.protocol import ProtocolConfig
from experiments.records.tables import select
from experiments.results.against_committed import committed
from twins import cohort
from twins.cohort import GROUPS
from twins.files import atomic_write_text

TRAIN_SEED = 0
"""Of the copies whose days are shown."""
EVERY = 7
"""The committed test takes one decision of so many."""
TABLE, BANDS = "deletion.md", "bands.md"


def middle(protocol: ProtocolConfig, agent: str, shield: str = "rule") -> dict[str, str]:
    """Of each age group the person of the table with the middle time in range under an agent, in the committed table.

    Each is judged by the copy (of training seed 0) that has not met them; of an even number the lower middle counts.
    Raises ValueError where the agent was not judged on the protocol.
    """
    study = committed(protocol.name)
    episodes = None if study is None else study.episodes
    if episodes is not None:
        episodes = select(
            episodes,
            agent=agent,
            protocol=protocol.name,
            shield=shield,
            train_seed=TRAIN_SEED,
            drawn=0,
            replica=0,
        )
    if episodes is None or not len(episodes["person"]):
        raise ValueError(
            f"no committed table has {agent} on {protocol.name} under shield {shield}; give an agent of "
            "agents/policies that was judged on it, or --person and --day"
        )
    found = {}
    for group in reversed(GROUPS):
        mine = select(episodes, group=group)
        ranked = sorted(zip(mine["tir_pct"].tolist(), mine["person"].tolist(), strict=True))
        if ranked:
            found[group] = str(ranked[(len(ranked) - 1) // 2][1])
    return found


def write_examples(folder: str | Path, protocol: ProtocolConfig, out: str | Path, command: str) -> list[Path]:
    """Write the first scored day of the `middle` person of each group, the index, and the tables of both tests: of the
    bands, and of the attributions by deletion.

    folder: of the trained copies of a policy, such as agents/policies/ppo-history. Raises ValueError as `middle` does.
    """
    folder, out = Path(folder), Path(out)
    day = first_day(protocol)
    written = []
    for person in middle(protocol, folder.name).values():
        copy = folder / f"fold{people.fold_of(person, protocol.folds)}-seed{TRAIN_SEED}"
        typed = f"python -m scripts.explain --agent {copy} --protocol {protocol.name} --person {person} --day {day}"
        one = explain(frozen.load(copy), str(copy), protocol, person, day, command=f"{typed} --out DIR")
        path = write_day(one, out)
        update_index([(path.name, one)], out)
        written.append(path)
        print(path, file=sys.stderr)
    table = cohort.select(protocol.people)
    atomic_write_text(out / BANDS, bands_table(folder, protocol, table, day, TRAIN_SEED, command))
    print(out / BANDS, file=sys.stderr)
    atomic_write_text(out / TABLE, deletion_table(folder, protocol, command))
    return [*written, out / BANDS, out / TABLE]


def deletion_table(folder: Path, protocol: ProtocolConfig, command: str) -> str:
    """The deletion test of all copies of a policy, each on the people of the table whom it has not met, as Markdown."""
    copies = sorted(path.parent for path in folder.glob(f"*/{frozen.MANIFEST}"))
    tested: list[tuple[int, Deleted]] = []
    alike: dict[int, list[float]] = {}
    for copy in copies:
        policy = frozen.load(copy)
        who = company(protocol, policy)
        lived = live(policy, protocol, who[0], first_day(protocol), beside=who)
        found = list(tests(policy, lived, EVERY, policy.train_seed))
        tested += found
        if policy.train_seed == TRAIN_SEED:
            asked = Asked(policy)
            for output, _, rows, average in samples(asked, lived, EVERY):
                alike.setdefault(output, []).append(float(np.mean(agreement(asked, rows, average, output))))
        print(f"{copy.name}: {sum(len(one) for _, one in found)} tests", file=sys.stderr)
    outputs = Asked(policy).outputs
    summed = verdicts(outputs, tested)
    most = max(one.missed for one in summed)
    sizes = "; ".join(
        f"{name}: {size:,}" for name, size in {one.output: one.decisions for one in summed}.items()
    )
    first = summed[0]
    told = "; ".join(
        f"{outputs[output][0]} {np.mean(values):.2f}" for output, values in sorted(alike.items())
    )
    return "\n".join(
        [
            f"# {folder.name}: do its attributions point at what its decisions hang on?",
            "",
            f"{NOTICE} Made by `{command}`; protocol {protocol.name}, simulated.",
            "",
            f"{first.persons} persons, each under the copies that have not met them ({first.trainings} training "
            f"seeds); decisions: {sizes} (of boluses those at which one was asked for). Integrated gradients (Captum) "
            "of what is asked for, from each person's average moment over the scored days; shares of all inputs add "
            f"up to what they should but for {most:.4f} at most.",
            "",
            f"Inputs are set to their average one after the other, up to {MOST_DELETED}, or all of a kind together, "
            "but for the last kind; inputs that never differ from their average (settings, weight) are not deleted. "
            "What is left: distance to what is asked for at the average, as a share of that before, decisions "
            "averaged within persons first. Area: its mean over the deletions, 0 is best. Random: the mean of "
            f"{RANDOM_ORDERS} orders. Gradient x change: the gradient at the decision times the distance from the "
            "average. Intervals of 95 % over training seeds and persons.",
            "",
            *(f"- {one.words}." for one in summed),
            f"- Sanity check (copies of training seed {TRAIN_SEED}): rank correlation of the sizes of a decision's "
            f"attributions with those of the same network with its weights shuffled, mean over persons: {told}. Near "
            "0: they hang on what was learned; near 1: on the inputs alone.",
            "",
            f"| {' | '.join(HEADS)} |",
            f"|{'|'.join(['---'] * 3 + ['---:'] * (len(HEADS) - 3))}|",
            *(f"| {' | '.join(line)} |" for line in lines(summed)),
            "",
        ]
    )  # fmt: skip
