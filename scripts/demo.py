"""From a diary to a twin, a policy and a page: python -m scripts.demo (or: make demo)"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.demo import demo
from experiments.runs import RUNS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; prints what the policies do and where the page is."""
    parser = command.parser(__doc__ or "", "python -m scripts.demo --person simulated")
    parser.add_argument(
        "--person",
        help="whose diary, such as azt1d/10 (default: that one where the recordings are), or simulated",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1], help="training seeds (default: 0 1)")
    parser.add_argument(
        "--out", default=str(RUNS / "demo"), help=f"folder of the results (default: {RUNS / 'demo'})"
    )
    args = parser.parse_args(argv)
    demo(args.out, args.seeds, args.person)
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
