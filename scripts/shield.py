"""Measure the twin shield, or what it costs: python -m scripts.shield --out results/runs/shield"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, fleet
from experiments.records.tables import read_table
from experiments.shield import bars, frontier, rows


def main(argv: Sequence[str] | None = None) -> int:
    """Do the rows that are left and print the table; 1 when a row failed."""
    parser = command.parser(__doc__ or "", "python -m scripts.shield --only readings carbs --out DIR")
    parser.add_argument("--only", nargs="+", metavar="ROW", help="only these rows (--list shows them)")
    parser.add_argument(
        "--frontier",
        action="store_true",
        help="instead: what protection costs, by settings, on days to choose by; into another DIR",
    )
    parser.add_argument("--days", type=float, help="of an episode (default: of each row its own)")
    command.add_workers(parser, "rows")
    parser.add_argument("--list", action="store_true", help="show the rows and stop")
    parser.add_argument("--out", metavar="DIR", help="where the work lies and goes on")
    args = parser.parse_args(argv)
    if args.frontier and args.only:
        raise ValueError(
            "--only names rows of the bars; leave it out with --frontier, which needs all of its own"
        )
    if args.days is not None and not 0 < args.days <= 366:
        raise ValueError(f"--days is {args.days}; give a number above 0 and up to 366")
    if args.list:
        listed = frontier.rows() if args.frontier else rows.ROWS
        print("\n".join(f"{row.name:22} {row.shield if args.frontier else row.words}" for row in listed))
        return 0
    if not args.out:
        raise ValueError("--out is missing; give a folder")
    folder = Path(args.out)
    cells = frontier.cells(args.days) if args.frontier else bars.cells(args.only, args.days)
    flow = fleet.run(cells, folder, command.workers(args))
    done = {Path(name).stem: read_table(folder / name) for name in flow.done}
    write = frontier.write if args.frontier else bars.write
    print(write(done, folder / "results", command.typed("shield", argv)).read_text("utf-8"))
    print(command.NOTICE)
    return 1 if flow.failed or flow.refused else 0


if __name__ == "__main__":
    command.run(main)
