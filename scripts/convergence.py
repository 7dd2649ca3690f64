"""How far the planner's search has converged: python -m scripts.convergence --out results/runs/convergence"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, convergence, fleet
from experiments.records.tables import read_table


def main(argv: Sequence[str] | None = None) -> int:
    """Live what is left of the searches and print the table; 1 when one failed."""
    parser = command.parser(__doc__ or "", "python -m scripts.convergence --out results/runs/convergence")
    parser.add_argument("--days", type=float, help=f"of an episode (default: {convergence.DAYS:g})")
    command.add_workers(parser, "searches")
    parser.add_argument("--out", metavar="DIR", required=True, help="where the work lies and goes on")
    args = parser.parse_args(argv)
    if args.days is not None and not 0.05 <= args.days <= 366:
        raise ValueError(f"--days is {args.days}; give a number from 0.05 to 366")
    folder = Path(args.out)
    flow = fleet.run(convergence.cells(args.days), folder, command.workers(args))
    done = {Path(name).stem: read_table(folder / name) for name in flow.done}
    print(convergence.write(done, folder / "results", command.typed("convergence", argv)).read_text("utf-8"))
    print(command.NOTICE)
    return 1 if flow.failed or flow.refused else 0


if __name__ == "__main__":
    command.run(main)
