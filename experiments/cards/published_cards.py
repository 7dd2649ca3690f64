"""What a card says of a policy that was judged on a published protocol."""

from pathlib import Path

import numpy as np

from experiments.published import report
from experiments.records.tables import Table, read_table

FOLDER = "published"


def judged_on(name: str, results: Path) -> set[str]:
    """Names of the published protocols that the policy was judged on."""
    people = _mine(name, results)
    return set() if people is None else set(people["protocol"].tolist())


def _mine(name: str, results: Path) -> Table | None:
    path = results / FOLDER / report.PEOPLE
    if not path.is_file():
        return None
    people = read_table(path)
    mine = np.array([agent.rpartition("-")[0] == name for agent in people["agent"].tolist()])
    return {column: values[mine] for column, values in people.items()} if mine.any() else None


def published_results(name: str, results: Path) -> list[str]:
    """Lines of the results of the policy `name` among those of the published protocols; none where it has none."""
    people = _mine(name, results)
    if people is None:
        return []
    rows = report.rows(people)
    return [
        f"On the protocol whose days it was trained on, beside the paper's rows: `results/{FOLDER}/{report.TABLE}`. "
        "Failures first; shares of time in %, dead counted; people of the training, other days.",
        "",
        "| copy | people | stomach | shield | episodes | failed, % | in range | below 70 | below 54 | above 250 |",
        "|---|---|---|---|" + "---:|" * 6,
        *(
            f"| {row['agent'].removeprefix(f'{name}-')} | {row['group']} | {row['gut']} | {row['shield']} | "
            f"{row['episodes']:,} | {row['failed_pct']:.2f} | {row['tir_pct']:.1f} | {row['below_70_pct']:.2f} | "
            f"{row['below_54_pct']:.2f} | {row['above_250_pct']:.1f} |"
            for row in rows
        ),
    ]
