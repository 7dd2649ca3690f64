"""What exercise does to the twin, beside trials in people: python -m scripts.physiology --out results/physiology"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.exercise.fit import fit
from experiments.exercise.report import write
from experiments.exercise.targets import compare
from twins.bodies import exercise


def main(argv: Sequence[str] | None = None) -> int:
    """Write table and figure of all targets, or fit anew."""
    parser = command.parser(__doc__ or "", "python -m scripts.physiology --out results/physiology")
    parser.add_argument("--out", metavar="DIR", help="where table.md and forest.svg go")
    parser.add_argument(
        "--fit", action="store_true", help="find the medians anew and print them; nothing is kept"
    )
    parser.add_argument("--glucagon", action="store_true", help="with counter-regulation")
    args = parser.parse_args(argv)
    if not args.fit and not args.out:
        raise ValueError("nothing was asked for; give --out DIR for the comparison, or --fit")
    if args.fit:
        for name, value in zip(exercise.PARAMETERS, fit().tolist(), strict=False):
            print(f"{name}: {value:.3g}")
    if args.out:
        Path(args.out).mkdir(parents=True, exist_ok=True)
        found = compare(exercise.MEDIANS, args.glucagon)
        print(write(found, args.out, command.typed("physiology", argv)))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
