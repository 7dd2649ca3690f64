"""What simulated days cost on this machine, and what more cores would give: python -m scripts.cost --out results"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, cost
from twins.files import atomic_write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the page and write it as cost.md into --out."""
    parser = command.parser(__doc__ or "", "python -m scripts.cost --share 0.2 --out results/runs/cost")
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the days of each measurement (default: 1)"
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="where cost.md is written")
    args = parser.parse_args(argv)
    if not 0 < args.share <= 1:
        raise ValueError(f"--share: {args.share} given; give a number above 0 and up to 1")
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    page = cost.words(
        cost.measure(args.share), *cost.scaling(args.share), " ".join(command.typed("cost", argv))
    )
    atomic_write_text(out / "cost.md", page)
    print(page, command.NOTICE, sep="\n")
    return 0


if __name__ == "__main__":
    command.run(main)
