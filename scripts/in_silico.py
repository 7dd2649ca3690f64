"""Judge the causal twin on hidden people whose bodies are known: python -m scripts.in_silico --people 12 --seed 3"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.hidden import bars
from experiments.tabled import tabled


def main(argv: Sequence[str] | None = None) -> int:
    """Make people, fit their twins, print the table (and write it to DIR/table.md); 1 when people could not be done."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.in_silico --people 12 --seed 3 4 5 --out results/runs/in_silico"
    )
    parser.add_argument("--people", type=int, default=12, help="of each seed (default: 12)")
    parser.add_argument("--seed", type=int, nargs="+", default=[3], help="of people and days (default: 3)")
    parser.add_argument(
        "--rule", choices=list(bars.WORLDS), default="delivered",
        help="the daily insulin for which the clinical rule is right on average (default: delivered)",
    )  # fmt: skip
    command.add_workers(parser, "people")
    parser.add_argument("--out", metavar="DIR", help="where the work lies and goes on")
    args = parser.parse_args(argv)
    cells = bars.cells(args.people, args.seed, args.rule)
    with tempfile.TemporaryDirectory() as spare:
        folder = Path(args.out or spare)
        typed = command.typed("in_silico", argv)
        return tabled(
            cells,
            folder,
            command.workers(args),
            lambda names: bars.words(*bars.read(folder, names), args.rule, typed),
        )


if __name__ == "__main__":
    command.run(main)
