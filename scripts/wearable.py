"""The clock's phase from real light and movement, and simulated days beside real ones: python -m scripts.wearable"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.wearable import report
from twins.world.readers import needed_recordings


def main(argv: Sequence[str] | None = None) -> int:
    """Write table.md and figures into DIR and print the tables."""
    parser = command.parser(__doc__ or "", "python -m scripts.wearable --out results/wearable")
    parser.add_argument(
        "source", nargs="?", help="the folder of recordings, with t1d_uom and circadian_arcascope (default: "
        "HOMEOSTAT_DATA)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", required=True, help="where table.md and figures go")
    args = parser.parse_args(argv)
    folder = Path(args.source) if args.source else needed_recordings("the phase of real people")
    print(report.written(folder, Path(args.out), " ".join(command.typed("wearable", argv))))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
