"""Are posteriors calibrated for bodies of the twin's own family? python -m scripts.calibration --people 20 --out DIR"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.hidden import calibration
from experiments.tabled import tabled


def main(argv: Sequence[str] | None = None) -> int:
    """Make people, fit their twins, print the table and write it to DIR/table.md; 1 when people could not be done."""
    parser = command.parser(__doc__ or "", "python -m scripts.calibration --people 20 --out results/runs/M0")
    parser.add_argument("--people", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--seed", type=int, default=21, help="of people and days (default: 21)")
    command.add_workers(parser, "people")
    parser.add_argument("--out", metavar="DIR", required=True, help="where the work lies and goes on")
    args = parser.parse_args(argv)
    cells = calibration.cells(args.people, args.seed)
    folder = Path(args.out)
    typed = command.typed("calibration", argv)
    return tabled(
        cells, folder, command.workers(args), lambda names: calibration.words(calibration.read(folder, names), typed)
    )


if __name__ == "__main__":
    command.run(main)
