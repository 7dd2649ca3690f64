"""Build the site over everything that is committed: python -m scripts.site --out results/runs/site"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.site.build import build


def main(argv: Sequence[str] | None = None) -> int:
    """Write the site and print the path of its overview. Nothing is simulated or trained."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.site --out results/runs/site --beside my/evaluation"
    )
    parser.add_argument(
        "--out", metavar="DIR", default="results/runs/site", help="the site's folder (default: %(default)s)"
    )
    parser.add_argument(
        "--beside",
        nargs="+",
        default=[],
        metavar="DIR",
        help="folders of scripts.evaluate to set beside the committed",
    )
    args = parser.parse_args(argv)
    pages = build(args.out, beside=args.beside, command=shlex.join(command.typed("site", argv)))
    print(f"{pages[0]} and {len(pages) - 1} more pages")
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
