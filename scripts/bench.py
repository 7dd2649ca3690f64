"""Measure speed, as ratios to simglucose: python -m scripts.bench (or: make bench)"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import bench, command
from experiments.committed import commit_speed


def main(argv: Sequence[str] | None = None) -> int:
    """Write speed.md and speed.json below --out; prints the table."""
    parser = command.parser(__doc__ or "", "python -m scripts.bench")
    parser.add_argument("--out", default="results", help="folder of the committed results (default: results)")
    args = parser.parse_args(argv)
    figures = {"kernel": bench.kernel_speed(), "step": bench.step_speed(), "ppo": bench.ppo_speed()}
    figures["shield"] = bench.shield_speed()
    print(commit_speed(Path(args.out), figures, "make bench"))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
