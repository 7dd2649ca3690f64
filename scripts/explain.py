"""Explain one simulated day: what was decided, why, and what another dose would have done, as a page."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.load import NAMES, load
from experiments import command
from experiments.explain.day import explain, update_index, write_day
from experiments.explain.examples import write_examples
from experiments.protocol import load_protocol, protocols
from experiments.tune import gains_for


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page into --out and print its path."""
    parser = command.parser(
        __doc__ or "",
        "python -m scripts.explain --agent pid --protocol realistic --person adult#001 --day 2 --out DIR",
    )
    parser.add_argument("--agent", required=True, help=f"{', '.join(NAMES)}, or the folder of a policy")
    parser.add_argument(
        "--protocol", default="realistic", help=f"{', '.join(protocols())}, or a path ending in .yml"
    )
    parser.add_argument("--person", help="whose day, such as adult#001")
    parser.add_argument(
        "--day", type=int, help="which day of the episode, from 1; those of the warm-up are not shown"
    )
    parser.add_argument(
        "--shield", default="rule", help="rule (default), off, twin, or twin:floor_mg_dl=80,..."
    )
    parser.add_argument("--gains", metavar="FILE", help="gains of a tuned treatment (default: tune them)")
    parser.add_argument("--index", action="store_true", help="enter the page into index.json of --out")
    parser.add_argument(
        "--examples",
        action="store_true",
        help="of a folder of trained copies: the middle person of each age group, and the deletion test on everybody",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the page")
    args = parser.parse_args(argv)
    protocol, out, typed = load_protocol(args.protocol), Path(args.out), command.typed("explain", argv)
    if args.examples:
        if args.person or args.day or args.index or args.gains or args.shield != "rule":
            raise ValueError(
                "--examples chooses people and day itself, behind the rule shield; leave --person, --day, --index, "
                "--gains and --shield out"
            )
        print(*write_examples(args.agent, protocol, out, shlex.join(typed)), command.NOTICE, sep="\n")
        return 0
    if args.person is None or args.day is None:
        raise ValueError("--person and --day are missing; give both, such as --person adult#001 --day 2")
    agent = load(args.agent, lambda name: gains_for(name, args.gains, protocol, args.shield, None))
    one = explain(agent, args.agent, protocol, args.person, args.day, args.shield, shlex.join(typed))
    path = write_day(one, out)
    if args.index:
        update_index([(path.name, one)], out)
    print(path, one.words, command.NOTICE, sep="\n")
    return 0


if __name__ == "__main__":
    command.run(main)
