"""Real bouts of T1D-UOM under twins that know of exercise and that do not: python -m scripts.bouts FOLDER --out DIR"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.exercise import recorded
from twins.files import atomic_write_text, check_writable


def main(argv: Sequence[str] | None = None) -> int:
    """Fit everybody who wore a watch, print the table and write it to DIR/bouts.md; 1 when nobody could be followed."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.bouts ../shared/data/t1d_uom --out results/runs/bouts"
    )
    parser.add_argument("source", help="the folder of T1D-UOM")
    parser.add_argument("--out", metavar="DIR", required=True, help="where bouts.md goes")
    args = parser.parse_args(argv)
    check_writable(Path(args.out), 5.0)
    people, left_out = [], []
    for one in recorded.everybody(Path(args.source)):
        print(one if isinstance(one, str) else f"{one.who}: {len(one.change)} bouts", flush=True)
        left_out += [one] if isinstance(one, str) else []
        people += [] if isinstance(one, str) else [one]
    if not people:
        print(
            f"nobody with a watch and a diary is in {args.source}; needed are glucose, insulin, nutrition and sleep"
        )
        return 1
    typed = " ".join(command.typed("bouts", argv))
    head = f"# Real bouts under the twin\n\nMade by `{typed}`. {command.NOTICE}\n"
    text = head + recorded.table(people, left_out)
    atomic_write_text(Path(args.out) / "bouts.md", text)
    print(text)
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
