"""Make the committed prior of personal twins from the people of AZT1D: python -m scripts.priors"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.personal.priors import make
from twins.inference.priors import PATH


def main(argv: Sequence[str] | None = None) -> int:
    """Fit everybody whose record passes, and write the means and spreads."""
    parser = command.parser(__doc__ or "", "python -m scripts.priors --out priors.csv")
    parser.add_argument("--fit-days", type=int, default=10, help="days of each record (default: 10)")
    parser.add_argument("--out", metavar="FILE", default=str(PATH), help="default: the committed file")
    args = parser.parse_args(argv)
    for line in make(Path(args.out), args.fit_days):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    command.run(main)
