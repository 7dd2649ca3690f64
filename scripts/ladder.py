"""From a diary to a twin, a policy, and back to the hidden person: python -m scripts.ladder M3 --out results/runs/M3"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, fleet
from experiments.hidden import ladder, outcome
from experiments.hidden.people import RUNGS
from experiments.plots import hidden as plots
from experiments.plots.style import svg
from experiments.records.tables import write_table
from twins.files import atomic_write_bytes, atomic_write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Do what is left of a rung's cells, then write tables and figures into DIR; 1 when a cell failed."""
    parser = command.parser(__doc__ or "", "python -m scripts.ladder M3 --people 12 --out results/runs/M3")
    parser.add_argument(
        "rung", choices=list(RUNGS), help="M1: what no twin knows; M2: other equations; M3: both, and life"
    )
    parser.add_argument("--people", type=int, default=12, help="of each core (default: 12)")
    parser.add_argument("--seed", type=int, default=11, help="of people and days (default: 11)")
    parser.add_argument(
        "--train-seed", type=int, nargs="+", default=[0, 1, 2], help="seeds of the policies (default: 0 1 2)"
    )
    command.add_workers(parser)
    parser.add_argument("--list", action="store_true", help="show the cells and stop")
    parser.add_argument("--out", metavar="DIR", help="where the work lies and goes on")
    args = parser.parse_args(argv)
    cells = ladder.cells(args.rung, args.people, args.seed, args.train_seed)
    if args.list:
        print("\n".join(cell.name for cell in cells))
        return 0
    if not args.out:
        raise ValueError("give --out DIR, where the work lies and goes on (or --list)")
    folder = Path(args.out)
    flow = fleet.run(cells, folder, command.workers(args))
    if flow.failed or flow.refused:
        print("\n".join(f"{name}: {reason}" for name, reason in (flow.failed | flow.refused).items()))
        return 1
    episodes = ladder.read(folder, flow.done)
    write_table(folder / "episodes.csv", episodes)
    text = outcome.words(args.rung, episodes, folder, command.typed("ladder", argv))
    atomic_write_text(folder / "table.md", text)
    atomic_write_bytes(folder / "arms.svg", svg(plots.arms(episodes)))
    atomic_write_bytes(folder / "foreseen.svg", svg(plots.foreseen(episodes)))
    print(text)
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
