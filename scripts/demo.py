"""Train, judge, replay recorded days and write a page: python -m scripts.demo (or: make demo)"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.demo import demo
from experiments.runs import RUNS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; prints the results table and where the page is."""
    parser = command.parser(__doc__ or "", "python -m scripts.demo --train-s 60")
    parser.add_argument("--train-s", type=float, default=150.0, help="seconds of training (default: 150)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="training seeds (default: 0 1)")
    parser.add_argument("--people", nargs="+", help="people and groups (default: all)")
    parser.add_argument("--replicas", type=int, help="episodes per person (default: the protocol's)")
    parser.add_argument(
        "--out", default=str(RUNS / "demo"), help=f"folder of the results (default: {RUNS / 'demo'})"
    )
    args = parser.parse_args(argv)
    demo(args.out, args.train_s, args.seeds, args.people, args.replicas)
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
