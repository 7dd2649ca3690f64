"""Train a forecaster of glucose and lows and judge it on later days: python -m scripts.forecast DATA_SET --out DIR"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.forecast.learn import Settings
from experiments import command
from experiments.forecast.study import FILES, study


def main(argv: Sequence[str] | None = None) -> int:
    """Write the forecaster, table.md, numbers.json and figures into --out, and print the table."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.forecast ../shared/data/azt1d --out results/runs/forecast"
    )
    parser.add_argument("source", help="a data set's folder, or a file of one person")
    parser.add_argument(
        "--people", nargs="+", default=[], metavar="ID", help="of the data set (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=Settings.rounds, help=f"default: {Settings.rounds}")
    parser.add_argument("--seed", type=int, default=0, help="of the training (default: 0)")
    parser.add_argument("--no-twins", action="store_true", help="leave out everybody's personal twin")
    parser.add_argument("--trained", metavar="DIR", help="judge the forecaster in this folder; train none")
    parser.add_argument(
        "--out", metavar="DIR", required=True, help="folder of the forecaster and the figures"
    )
    args = parser.parse_args(argv)
    if args.rounds < 1 or not 0 <= args.seed < 2**32:
        raise ValueError("--rounds is at least 1, --seed a whole number from 0 to 2^32 - 1")
    settings = Settings(rounds=args.rounds, seed=args.seed)
    trained = Path(args.trained) if args.trained else None

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    made_by = shlex.join(command.typed("forecast", argv))
    twins = not args.no_twins
    print(study(Path(args.source), Path(args.out), args.people, settings, twins, trained, made_by, say))
    print(f"written: {args.out}/{', '.join(FILES)}")
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
