"""Measure the twin shield against its bars: python -m scripts.shield --out results/runs/shield"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, fleet, shield_bars
from experiments.records.tables import read_table


def main(argv: Sequence[str] | None = None) -> int:
    """Do the rows that are left and print the table; 1 when a row failed."""
    parser = command.parser(__doc__ or "", "python -m scripts.shield --only readings carbs --out DIR")
    parser.add_argument("--only", nargs="+", metavar="ROW", help="only these rows (--list shows them)")
    parser.add_argument("--days", type=float, help="of an episode (default: of each row its own)")
    command.add_workers(parser, "rows")
    parser.add_argument("--list", action="store_true", help="show the rows and stop")
    parser.add_argument("--out", metavar="DIR", help="where the work lies and goes on")
    args = parser.parse_args(argv)
    if args.list:
        print("\n".join(f"{row.name:22} {row.words}" for row in shield_bars.ROWS))
        return 0
    if not args.out:
        raise ValueError("--out is missing; give a folder")
    folder = Path(args.out)
    flow = fleet.run(shield_bars.cells(args.only, args.days), folder, command.workers(args))
    done = {Path(name).stem: read_table(folder / name) for name in flow.done}
    print(shield_bars.write(done, folder / "results", command.typed("shield", argv)).read_text("utf-8"))
    print(command.NOTICE)
    return 1 if flow.failed or flow.refused else 0


if __name__ == "__main__":
    command.run(main)
