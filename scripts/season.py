"""Judge plans of twelve weeks of training: python -m scripts.season --model busso"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.seasons import SEASON_AGENTS
from experiments import command
from experiments.season import judge
from twins.bodies.fitness import MODELS


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of agents."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.season --model busso --people 500 --agent polarised even"
    )
    parser.add_argument("--agent", nargs="+", default=list(SEASON_AGENTS), help=", ".join(SEASON_AGENTS))
    parser.add_argument("--people", type=int, default=300, help="bodies, drawn anew for each (default: 300)")
    parser.add_argument(
        "--model", choices=list(MODELS), default="busso", help="of the bodies (default: busso)"
    )
    parser.add_argument(
        "--shield", choices=["rule", "off"], default="rule", help="the bounds (default: rule)"
    )
    parser.add_argument("--days", type=int, default=84, help="length (default: 84)")
    parser.add_argument("--seed", type=int, default=0, help="of bodies and days (default: 0)")
    args = parser.parse_args(argv)
    if args.people < 1:
        raise ValueError(f"people is {args.people}; give 1 or more")
    print(
        judge.table(
            args.agent, args.people, judge.setting(args.model, args.shield, args.days, seed=args.seed)
        )
    )
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
