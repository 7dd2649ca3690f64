"""Fit a person's twin and judge it on days it has not seen: python -m scripts.fit_twin my_diary.csv --out DIR"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.personal.everybody import fit_everybody
from experiments.personal.fit import fit_person, words
from twins.inference.record import KG
from twins.units import GLUCOSE_MG_DL_PER_MMOL_L
from twins.world import readers


def main(argv: Sequence[str] | None = None) -> int:
    """Write the twin, its card and page, and print the card. A twin that is refused is written, too."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.fit_twin ../shared/data/azt1d --person 10 --out results/runs/twin"
    )
    parser.add_argument("source", help="a file, or the folder of a data set together with --person")
    parser.add_argument("--format", choices=list(readers.FORMATS), help="default: found out")
    parser.add_argument("--person", metavar="ID", help="one of a data set, or all")
    parser.add_argument(
        "--fit-days", type=int, default=10, help="from the first known basal rate on (default: 10)"
    )
    parser.add_argument(
        "--test-days", type=int, default=4, help="after these, to judge the twin on (default: 4)"
    )
    parser.add_argument("--weight-kg", type=float, default=KG, help=f"default: {KG:g}")
    parser.add_argument(
        "--correction-factor", type=float, help="of the person's pump: what 1 U lowers glucose by"
    )
    parser.add_argument(
        "--unit", choices=["mg/dL", "mmol/L"], default="mg/dL", help="of the correction factor"
    )
    parser.add_argument(
        "--update", metavar="DIR", help="folder of an earlier twin: all days but the last are fitted"
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="folder of the twin")
    args = parser.parse_args(argv)
    if args.person == "all":
        if args.correction_factor or args.weight_kg != KG or args.update:
            raise ValueError(
                "weight, correction factor and an earlier twin are one person's; leave them out for all"
            )
        typed = command.typed("fit_twin", argv)
        for line in fit_everybody(
            Path(args.source), args.format, Path(args.out), args.fit_days, args.test_days, typed
        ):
            print(line, flush=True)
        print(command.NOTICE)
        return 0
    per_unit = GLUCOSE_MG_DL_PER_MMOL_L if args.unit == "mmol/L" else 1.0
    factor = args.correction_factor and args.correction_factor * per_unit
    before = Path(args.update) if args.update else None
    diary = readers.read(args.source, args.format, args.person)
    fitted = fit_person(diary, Path(args.out), args.fit_days, args.test_days, args.weight_kg, factor, before)
    print(words(fitted.card))
    print(f"written: {args.out}/report.html, card.json, card.md, twin.json, overlay.svg, errors.svg")
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
