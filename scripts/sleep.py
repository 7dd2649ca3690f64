"""Judge plans of three weeks of sleep and light: python -m scripts.sleep --clock hannay skeldon"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.sleepers import FOUND, SLEEPERS
from experiments import command, daily
from experiments.nights import judge, optimum, report
from experiments.nights.train import train
from twins.bodies.circadian import CLOCKS


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of agents, and write it with its figures; or find or train what is judged."""
    parser = command.parser(__doc__ or "", "python -m scripts.sleep --agent usual published --people 60")
    parser.add_argument(
        "--clock", nargs="+", choices=CLOCKS, default=["hannay", "skeldon"], help="of bodies (default: the two "
        "that nothing was found or trained with)",
    )  # fmt: skip
    daily.add_arguments(parser, tuple(SLEEPERS), 150, 21, "the average person's plan", 15)
    args = parser.parse_args(argv)
    daily.check(args, 2)
    typed = " ".join(command.typed("sleep", argv))
    if args.find:
        optimum.store(optimum.for_the_average(), typed)
        print(FOUND.read_text("utf-8"))
    elif args.train:
        looks = train(args.seed, args.out)
        print(f"{looks['timesteps'][-1]:,.0f} days in {looks['wall_s'][-1]:.0f} s: {looks['score'].round(2)}")
    else:
        settings = [judge.setting(one, args.shield, args.days, seed=args.seed) for one in args.clock]
        print(report.judged_table(args.agent or report.everybody(), args.people, settings, args.out, typed))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
