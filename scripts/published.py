"""Rerun published protocols beside their papers' numbers: python -m scripts.published --out results/runs/published"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, tabled
from experiments.published import report, run
from twins.words import near_miss


def main(argv: Sequence[str] | None = None) -> int:
    """Do what is left of the cells and write table and figure into --out; 1 when a cell failed."""
    parser = command.parser(
        __doc__ or "",
        "python -m scripts.published --protocol g2p2c --replicas 50 --out results/runs/published",
    )
    parser.add_argument(
        "--protocol",
        nargs="+",
        default=list(run.PROTOCOLS),
        metavar="NAME",
        help=f"{', '.join(run.PROTOCOLS)} (all)",
    )
    parser.add_argument(
        "--agent",
        nargs="*",
        default=None,
        metavar="FOLDER",
        help="policies beside the treatments (default: shipped)",
    )
    parser.add_argument("--shield", nargs="*", default=list(run.SHIELDS), help="off, rule (both)")
    parser.add_argument("--replicas", type=int, help="episodes a person (default: those of the protocol)")
    command.add_workers(parser)
    parser.add_argument("--out", required=True, metavar="DIR", help="where the work lies and goes on")
    args = parser.parse_args(argv)
    for word, given, allowed in (
        ("protocol", args.protocol, run.PROTOCOLS),
        ("shield", args.shield, run.SHIELDS),
    ):
        for one in given:
            if one not in allowed:
                raise ValueError(
                    f"--{word}: {one!r} given{near_miss(one, allowed)}; allowed are {', '.join(allowed)}"
                )
    if args.replicas is not None and args.replicas < 2:
        raise ValueError(f"--replicas: {args.replicas} given; give 2 or more, so that there is an interval")
    policies = run.shipped(args.protocol) if args.agent is None else args.agent
    todo = run.cells(args.protocol, policies, args.shield, replicas=args.replicas)
    people, flow = tabled.rows_of(todo, args.out, command.workers(args))
    lost = flow.failed | flow.refused
    table = report.write(people, Path(args.out), command.typed("published", argv), lost)
    print(table.read_text(encoding="utf-8"), command.NOTICE, sep="\n")
    return 1 if lost else 0


if __name__ == "__main__":
    command.run(main)
