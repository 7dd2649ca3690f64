"""Judge plans of twelve weeks of training: python -m scripts.season --model busso"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.seasons import SEASON_AGENTS
from experiments import command, daily
from experiments.season import judge, optimum, report
from experiments.season.train import train
from twins.bodies.fitness import MODELS


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of agents, and write it with its figures; or find or train what is judged."""
    parser = command.parser(__doc__ or "", "python -m scripts.season --agent ramp-taper oracle --people 100")
    parser.add_argument(
        "--model", nargs="+", choices=MODELS, default=["busso"], help="of bodies (default: busso)"
    )
    daily.add_arguments(parser, tuple(SEASON_AGENTS), 300, 84, "the population's plan", 5)
    args = parser.parse_args(argv)
    daily.check(args, 1)
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
