"""How often does the win rule call identical agents different? python -m scripts.aa_test"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.page.findings import Findings
from experiments.records.tables import select
from experiments.results import study_tables
from experiments.win_rule import false_positive_rate, halves, judged, simulated_pairs


def _split_trainings(view: Findings, pairs: int, seed: int) -> None:
    """The same of real trainings: of each agent with four or more, half against the others."""
    for agent in sorted(view.learned & set(view.judged["agent"].tolist())):
        own = judged(select(view.judged, agent=agent), trained=True)
        if len(own.tir_pct) > 3:
            found = false_positive_rate(halves(own, seed=seed, comparisons=pairs), seed=seed)
            print(f"trainings of {agent} against its others: {found}")


def main(argv: Sequence[str] | None = None) -> int:
    """Print wins and coverage on pairs of identical agents, for comparators with five trainings, one, and none."""
    parser = command.parser(__doc__ or "", "python -m scripts.aa_test --pairs 200")
    parser.add_argument("--pairs", type=int, default=200, help="comparisons for each kind (default: 200)")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated scores (default: 0)")
    parser.add_argument(
        "--study",
        metavar="DIR",
        help="also split the trainings of its agents in two, such as results/realistic",
    )
    args = parser.parse_args(argv)
    worst = 0.0
    for name, trainings, trained in (
        ("five trainings", 5, True),
        ("one training", 1, True),
        ("a treatment", 1, False),
    ):
        pairs = simulated_pairs(args.pairs, seed=args.seed, their_seeds=trainings, trained=trained)
        found = false_positive_rate(pairs, seed=args.seed)
        print(f"five trainings against {name}: {found}")
        worst = max(worst, found.wins / found.comparisons)
    if args.study:
        _split_trainings(Findings(study_tables.read(args.study)), args.pairs, args.seed)
    print(command.NOTICE)
    return 0 if worst <= 0.05 else 1


if __name__ == "__main__":
    command.run(main)
