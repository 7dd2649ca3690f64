"""Judge insulin, exercise and sleep of whole persons: python -m scripts.whole --agent usual dosing-only joint"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.wholes import FOUND, WHOLES
from experiments import command, daily
from experiments.statistics import SEED
from experiments.whole import judge, optimum, report
from experiments.whole.train import train


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of agents, and write it with its figures; or find or train what is judged."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.whole --agent usual joint --people 10 --days 14"
    )
    daily.add_arguments(parser, tuple(WHOLES), 60, judge.DAYS, "the rules' numbers", 15, oracle=False)
    args = parser.parse_args(argv)
    daily.check(args, 2)
    typed = " ".join(command.typed("whole", argv))
    if args.find:
        optimum.store(optimum.find(optimum.setting()), typed)
        print(FOUND.read_text("utf-8"))
    elif args.train:
        looks = train(args.seed, args.out)
        print(
            f"{looks['timesteps'][-1]:,.0f} decisions in {looks['wall_s'][-1]:.0f} s: {looks['score'].round(2)}"
        )
    else:
        who = judge.people(min(args.people, judge.PEOPLE), SEED + args.seed)
        names = args.agent or report.everybody()
        print(report.judged_table(names, args.people, who, args.days, args.shield, args.out, typed))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
