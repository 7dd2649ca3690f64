"""Judge plans of twelve weeks of training: python -m scripts.season --model busso"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.seasons import SEASON_AGENTS
from experiments import command
from experiments.daily import ORACLE_NAME
from experiments.season import judge, optimum, report
from experiments.season.train import train
from twins.bodies.fitness import MODELS


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of agents, and write it with its figures; or find or train what is judged."""
    parser = command.parser(__doc__ or "", "python -m scripts.season --agent ramp-taper oracle --people 100")
    known = ", ".join((*SEASON_AGENTS, ORACLE_NAME))
    parser.add_argument("--agent", nargs="+", help=f"{known}, or folders of policies (default: all)")
    parser.add_argument("--people", type=int, default=300, help="bodies, drawn anew for each (default: 300)")
    parser.add_argument(
        "--model", nargs="+", choices=MODELS, default=["busso"], help="of bodies (default: busso)"
    )
    parser.add_argument(
        "--shield", choices=["rule", "off"], default="rule", help="the bounds (default: rule)"
    )
    parser.add_argument("--days", type=int, default=84, help="length (default: 84)")
    parser.add_argument(
        "--seed", type=int, default=0, help="of bodies and days, or of a training (default: 0)"
    )
    parser.add_argument(
        "--out", metavar="DIR", help="where table.md and figures go, or a policy that is trained"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--find", action="store_true", help="find the population's plan anew and keep it")
    what.add_argument(
        "--train", action="store_true", help="train a policy into --out, within 5 min on one core"
    )
    args = parser.parse_args(argv)
    if args.people < 1:
        raise ValueError(f"people is {args.people}; give 1 or more")
    if args.train and not args.out:
        raise ValueError("no folder for the policy was given; give --out DIR")
    typed = " ".join(command.typed("season", argv))
    if args.find:
        found = optimum.for_everybody(args.days)
        optimum.store(found, typed)
        print(f"objective of the best plans of a generation: {report.series(found.curve[:, 0])}")
    elif args.train:
        looks = train(args.seed, args.out)
        print(
            f"{looks['timesteps'][-1]:,.0f} days in {looks['wall_s'][-1]:.0f} s: {report.series(looks['score'])}"
        )
    else:
        settings = [judge.setting(one, args.shield, args.days, seed=args.seed) for one in args.model]
        print(report.judged_table(args.agent or report.everybody(), args.people, settings, args.out, typed))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
