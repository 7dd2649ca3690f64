"""UVA/Padova or fewer equations for a personal twin? python -m scripts.families ../shared/data/azt1d --out DIR"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.hidden import families
from experiments.tabled import tabled


def main(argv: Sequence[str] | None = None) -> int:
    """Fit both families to everybody, print the table and write it to DIR/table.md; 1 when people could not be done."""
    parser = command.parser(
        __doc__ or "",
        "python -m scripts.families ../shared/data/azt1d --people 6 --out results/runs/families",
    )
    parser.add_argument("source", help="the folder of a data set")
    parser.add_argument("--people", type=int, default=12, help="hidden people of each kind (default: 12)")
    parser.add_argument("--seed", type=int, default=31, help="of hidden people and their days (default: 31)")
    command.add_workers(parser, "people")
    parser.add_argument("--out", metavar="DIR", required=True, help="where the work lies and goes on")
    args = parser.parse_args(argv)
    cells = families.cells(Path(args.source), args.people, args.seed)
    folder = Path(args.out)
    typed = command.typed("families", argv)
    return tabled(
        cells, folder, command.workers(args), lambda names: families.words(families.read(folder, names), typed)
    )


if __name__ == "__main__":
    command.run(main)
