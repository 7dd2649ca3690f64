"""Write the cards of policies and protocols: python -m scripts.cards (--check: only say which are stale)"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.cards.policy_cards import stale, write_cards
from experiments.records.provenance import ROOT


def main(argv: Sequence[str] | None = None) -> int:
    """Write every card and print its path; with --check write nothing, and end with 1 where one is stale."""
    parser = command.parser(__doc__ or "", "python -m scripts.cards")
    parser.add_argument("--check", action="store_true", help="write nothing, name the cards that are stale")
    args = parser.parse_args(argv)
    paths = stale() if args.check else write_cards()
    for path in paths:
        print(path.relative_to(ROOT))
    return int(args.check and bool(paths))


if __name__ == "__main__":
    command.run(main)
