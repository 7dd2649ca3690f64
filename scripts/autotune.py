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
    for name in ("correction_factor", "carb_ratio", "days"):
        value = getattr(args, name)
        if value is not None and not value > 0:
            raise ValueError(f"--{name.replace('_', '-')} is {value:g}; give a number above 0")
    per_unit = GLUCOSE_MG_DL_PER_MMOL_L if args.unit == "mmol/L" else 1.0
    known = record(readers.read(args.source, args.format, args.person))
    pump = autotuned.settings_of(
        known, args.correction_factor and args.correction_factor * per_unit, args.carb_ratio
    )
    text = autotuned.words(autotuned.tuned(known, pump, args.days))
    folder = Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write_text(folder / "autotune.md", text)
    print(text)
    return 0


if __name__ == "__main__":
    command.run(main)
