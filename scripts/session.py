"""Agents around a session of exercise: train, tune, judge: python -m scripts.session --out results/runs/session"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, fleet
from experiments.bouts import study
from experiments.bouts.people import WHERE


def main(argv: Sequence[str] | None = None) -> int:
    """Do what is left of the cells, then write table.md and figures into --out; 1 when a cell failed."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.session --where table --agent usual consensus --out DIR"
    )
    parser.add_argument("--where", nargs="+", default=list(WHERE), help=f"{', '.join(WHERE)} (default: all)")
    parser.add_argument(
        "--agent",
        nargs="+",
        default=list(study.NAMES),
        help=f"{', '.join(study.NAMES)} (default: all of these), or folders of policies",
    )
    parser.add_argument(
        "--sessions", type=int, help="of each person that is judged (default: 40; second body: 100)"
    )
    command.add_workers(parser)
    parser.add_argument("--list", action="store_true", help="show the cells and stop")
    parser.add_argument(
        "--commit", action="store_true", help="also keep tables, figures and policies in the tree"
    )
    parser.add_argument("--out", metavar="DIR", help="where the work lies and goes on")
    args = parser.parse_args(argv)
    if args.sessions is not None and args.sessions < 1:
        raise ValueError(f"--sessions is {args.sessions}; give 1 or more")
    cells = study.cells(args.where, args.agent, args.sessions)
    if args.list:
        print("\n".join(cell.name for cell in cells))
        return 0
    if args.out is None:
        raise ValueError("give --out DIR, where the work lies and goes on")
    folder = Path(args.out)
    flow = fleet.run(cells, folder, command.workers(args))
    for word, lost in (("failed", flow.failed), ("refused", flow.refused)):
        for name, reason in lost.items():
            print(f"{word}: {name}: {reason}")
    if flow.failed or flow.refused:
        return 1
    made = study.write(folder, args.where, args.agent, " ".join(command.typed("session", argv)))
    if args.commit:
        study.commit(folder, made)
    print((made / "table.md").read_text("utf-8"))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
