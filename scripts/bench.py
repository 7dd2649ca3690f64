"""Measure speed and make the committed results: python -m scripts.bench (or: make bench)"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import bench, command
from experiments.committed import commit_speed, commit_study, markdown
from experiments.runs import RUNS
from experiments.study import study

COMMAND = "make bench"


def main(argv: Sequence[str] | None = None) -> int:
    """Write speed.md, speed.json and the study simglucose-default below --out; prints both tables."""
    parser = command.parser(__doc__ or "", "python -m scripts.bench --only speed")
    parser.add_argument("--only", choices=("speed", "study"), help="one of the two parts (default: both)")
    parser.add_argument(
        "--train-s", type=float, default=300.0, help="seconds of training per seed (default: 300)"
    )
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2], help="training seeds (default: 0 1 2)"
    )
    parser.add_argument("--out", default="results", help="folder of the committed results (default: results)")
    parser.add_argument(
        "--runs", default=str(RUNS / "bench"), help="folder of runs and evaluations, not committed"
    )
    args = parser.parse_args(argv)
    out = Path(args.out)
    if args.only != "study":
        figures = {"kernel": bench.kernel_speed(), "step": bench.step_speed(), "ppo": bench.ppo_speed()}
        print(commit_speed(out, figures, COMMAND))
    if args.only != "speed":
        judged, runs = study(args.runs, "simglucose-default", args.train_s, args.seeds)
        print(markdown(commit_study(out / "simglucose-default", judged, runs, COMMAND)))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
