"""Agents under the 25 faults: python -m scripts.battery --agent basal-bolus pid --out results/runs/battery"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.hostile import HOSTILE
from agents.load import NAMES
from envs.faults import BATTERY
from envs.shield import NAMES as SHIELDS
from experiments import command, tabled
from experiments.battery import evolve, report, run

_EXAMPLE = "python -m scripts.battery --agent basal-bolus --fault F4 F16 --days 3 --out results/runs/battery"


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is left of the battery and write its tables and map into --out; 1 when a cell failed."""
    parser = command.parser(__doc__ or "", _EXAMPLE)
    parser.add_argument(
        "--agent", nargs="+", default=[], metavar="NAME", help=f"{', '.join(NAMES)}, or folders of policies"
    )
    parser.add_argument("--shield", nargs="+", default=["rule"], help=f"{', '.join(SHIELDS)} (default: rule)")
    parser.add_argument(
        "--guarded",
        nargs="+",
        default=[],
        metavar="NAME",
        help="also these behind the twin shield, where hostile-max is the shield alone",
    )
    parser.add_argument("--fault", nargs="+", metavar="F4", help="only these, such as F4 (all sizes) or F4a")
    parser.add_argument(
        "--person", nargs="+", metavar="ID", help="only these (default: all whom no policy has met)"
    )
    parser.add_argument("--days", type=float, default=run.DAYS, help=f"of an episode (default: {run.DAYS:g})")
    parser.add_argument("--replicas", type=int, default=run.REPLICAS, help="episodes a person (default: 1)")
    parser.add_argument(
        "--drawn", type=int, default=run.DRAWN_PER_GROUP, help="drawn people of each age group (default: 10)"
    )
    command.add_workers(parser)
    parser.add_argument("--out", metavar="DIR", help="where the work lies and goes on")
    parser.add_argument("--list", action="store_true", help="show the faults and stop")
    parser.add_argument(
        "--evolve", action="store_true", help="breed hostile-evolved anew against the rule shield, and stop"
    )
    args = parser.parse_args(argv)
    if args.list:
        print("\n".join(f"{case.name:5} {case.words}" for case in BATTERY))
        return 0
    typed = command.typed("battery", argv)
    if args.evolve:
        values, score = evolve.evolve()
        evolve.store(values, score, " ".join(typed))
        print(f"{evolve.FOUND.name}: {score:.1f} mg/dL on fresh days")
        return 0
    if not (args.agent or args.guarded) or args.out is None:
        raise ValueError(
            f"give --agent or --guarded (such as basal-bolus, {', '.join(HOSTILE)}) and --out DIR"
        )
    todo = run.cells(
        args.agent, args.shield, args.fault, args.person, args.days, args.replicas, args.drawn, args.guarded
    )
    episodes, flow = tabled.rows_of(todo, args.out, command.workers(args))
    table = report.write(episodes, Path(args.out), typed)
    print(table.read_text(encoding="utf-8"), command.NOTICE, sep="\n")
    for word, lost in (("failed", flow.failed), ("refused", flow.refused)):
        for name, reason in lost.items():
            print(f"{word}: {name}: {reason}")
    return 1 if flow.failed or flow.refused else 0


if __name__ == "__main__":
    command.run(main)
