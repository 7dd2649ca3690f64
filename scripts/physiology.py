"""Exercise, sleep and stress in the twin beside trials in people: python -m scripts.physiology --out DIR"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.exercise import targets as exercised
from experiments.exercise.fit import fit
from experiments.exercise.trials import Trials as Exercise
from experiments.sleep import targets as slept
from experiments.sleep.trials import Trials as Sleep
from experiments.trials.table import write
from experiments.trials.target import compare
from twins.bodies import exercise


def main(argv: Sequence[str] | None = None) -> int:
    """Write tables and figures of all targets, or fit those of exercise anew."""
    parser = command.parser(__doc__ or "", "python -m scripts.physiology --out results/physiology")
    parser.add_argument("--out", metavar="DIR", help="where exercise.md, sleep.md and their figures go")
    parser.add_argument(
        "--fit", action="store_true", help="find the medians anew and print them; nothing is kept"
    )
    parser.add_argument("--glucagon", action="store_true", help="exercise with counter-regulation")
    args = parser.parse_args(argv)
    if not args.fit and not args.out:
        raise ValueError("nothing was asked for; give --out DIR for the comparison, or --fit")
    if args.fit:
        for name, value in zip(exercise.PARAMETERS, fit().tolist(), strict=False):
            print(f"{name}: {value:.3g}")
    if args.out:
        Path(args.out).mkdir(parents=True, exist_ok=True)
        typed = command.typed("physiology", argv)
        found = compare(exercised.TARGETS, Exercise(exercise.MEDIANS, args.glucagon))
        print(write(found, args.out, "exercise", exercised.HEAD, exercised.WORDS, typed))
        nights = compare(slept.TARGETS, Sleep())
        print(write(nights, args.out, "sleep", slept.HEAD, slept.WORDS, typed))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
