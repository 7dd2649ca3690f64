"""Make the committed results again and set them beside what is committed: python -m scripts.reference --out DIR"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, reference
from twins.files import atomic_write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Do what is left, print the page and write it into --out; 1 when something failed or came out otherwise."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.reference --only published sleep --out results/runs/reference"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="STEP",
        help=f"{', '.join(step.name for step in reference.STEPS)} (default: all)",
    )
    command.add_workers(parser, "commands")
    parser.add_argument("--list", action="store_true", help="show the commands and stop")
    parser.add_argument("--out", metavar="DIR", help="where the work lies and goes on")
    args = parser.parse_args(argv)
    if args.list:
        print("\n".join(f"{step.name:12} {step.typed}" for step in reference.STEPS))
        return 0
    if args.out is None:
        raise ValueError("give --out DIR, where the work lies and goes on")
    page, good = reference.rebuild(Path(args.out), args.only, command.workers(args))
    atomic_write_text(Path(args.out) / "table.md", page)
    print(page, command.NOTICE, sep="\n")
    return 0 if good else 1


if __name__ == "__main__":
    command.run(main)
