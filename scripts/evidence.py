"""Count what happens to bodies of sampler D behind the shields: python -m scripts.evidence --out results/runs/D"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, fleet
from experiments.evidence import count, kept, report
from experiments.records.tables import concat, read_table


def main(argv: Sequence[str] | None = None) -> int:
    """Do what is left of the cells, then write bodies.csv.gz and table.md; 1 when a cell failed."""
    parser = command.parser(__doc__ or "", "python -m scripts.evidence --share 0.01 --out results/runs/D")
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the bodies of each row (default: 1, all)"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="PREFIX",
        help="only cells whose names begin so, such as drawn/treated/rule",
    )
    parser.add_argument("--shield", choices=["rule", "twin"], help="only cells behind this shield")
    command.add_workers(parser)
    parser.add_argument(
        "--beside", metavar="DIR", help="bodies that were counted before, such as results/evidence: they stand in the "
        "table, too, and are not lived again",
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="show the cells and stop")
    parser.add_argument("--out", metavar="DIR", help="where the work lies and goes on")
    args = parser.parse_args(argv)
    if not 0 < args.share <= 1:
        raise ValueError(f"--share is {args.share}; give a number above 0 and up to 1")
    cells = count.cells(args.share)
    names = [f"cells/{prefix.removeprefix('cells/')}" for prefix in args.only or [""]]
    if unknown := [one for one in names if not any(cell.name.startswith(one) for cell in cells)]:
        raise ValueError(
            f"--only {unknown[0].removeprefix('cells/')}: no cell begins so; such as drawn/treated/rule (--list shows "
            "all)"
        )
    cells = [
        cell
        for cell in cells
        if cell.name.startswith(tuple(names)) and cell.arguments["shield"].startswith(args.shield or "")
    ]
    if not cells:
        raise ValueError(f"no cell of --only {args.only} is behind --shield {args.shield} (--list shows all)")
    before, asked = kept.read(args.beside) if args.beside else None, cells
    if before is not None:
        cells = kept.left(cells, before)
    if args.list:
        print(
            "\n".join(cell.name for cell in cells)
            or f"nothing is left: {args.beside} holds all of these bodies"
        )
        return 0
    if not args.out:
        raise ValueError("give --out DIR, and an --only that names cells (--list shows them)")
    folder = Path(args.out)
    flow = fleet.run(cells, folder, command.workers(args))
    tables = [read_table(folder / name) for name in flow.done]
    new = concat(tables) if tables else None
    everything = new if before is None else before if new is None else kept.merged(before, new)
    if everything is not None:
        had = {cell.name for cell in asked} - {cell.name for cell in cells}
        lost = count.lost(asked, {*flow.done, *had})
        made = kept.made_by(args.beside) if args.beside else []
        table = report.write(everything, folder / "results", command.typed("evidence", argv), lost, made)
        print(table.read_text("utf-8"))
    print(command.NOTICE)
    return 1 if flow.failed or flow.refused else 0


if __name__ == "__main__":
    command.run(main)
