"""What autotune asks of a person's settings, from their diary: python -m scripts.autotune my_diary.csv --out DIR"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.personal import autotuned
from twins.files import atomic_write_text
from twins.inference.record import record
from twins.units import GLUCOSE_MG_DL_PER_MMOL_L
from twins.world import readers


def main(argv: Sequence[str] | None = None) -> int:
    """Print the relative changes and write them into --out."""
    parser = command.parser(
        __doc__ or "",
        "python -m scripts.autotune ../shared/data/azt1d --person 10 --days 10 --out results/runs/tuned",
    )
    parser.add_argument("source", help="a file, or the folder of a data set together with --person")
    parser.add_argument("--format", choices=list(readers.FORMATS), help="default: found out")
    parser.add_argument("--person", metavar="ID", help="one of a data set")
    parser.add_argument("--days", type=int, help="from the first known basal rate on (default: all)")
    parser.add_argument(
        "--correction-factor", type=float, help="of the person's pump (default: 1700 over the daily insulin)"
    )
    parser.add_argument(
        "--unit", choices=["mg/dL", "mmol/L"], default="mg/dL", help="of the correction factor"
    )
    parser.add_argument(
        "--carb-ratio", type=float, help="of the pump, g/U (default: 500 over the daily insulin)"
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="where autotune.md is written")
    args = parser.parse_args(argv)
    if args.unit != "mg/dL" and args.correction_factor is None:
        raise ValueError(f"--unit {args.unit} is of --correction-factor, which is not given; give both")
    per_unit = GLUCOSE_MG_DL_PER_MMOL_L if args.unit == "mmol/L" else 1.0
    factor = args.correction_factor and args.correction_factor * per_unit
    for name, value, (low, high), unit in (
        ("correction-factor", factor, autotuned.FACTORS, "mg/dL per U"),
        ("carb-ratio", args.carb_ratio, autotuned.RATIOS, "g per U"),
    ):
        if value is not None and not low <= value <= high:
            raise ValueError(f"--{name} is {value:g} {unit}; allowed is {low:g} to {high:g}. See --unit")
    if args.days is not None and args.days < 1:
        raise ValueError(f"--days is {args.days}; give 1 or more")
    known = record(readers.read(args.source, args.format, args.person))
    pump = autotuned.settings_of(known, factor, args.carb_ratio)
    text = autotuned.words(autotuned.tuned(known, pump, args.days))
    folder = Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write_text(folder / "autotune.md", text)
    print(text)
    return 0


if __name__ == "__main__":
    command.run(main)
