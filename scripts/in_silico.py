"""Judge the causal twin on hidden people whose bodies are known: python -m scripts.in_silico --people 12 --seed 3"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, fleet
from experiments.hidden import bars
from twins.files import atomic_write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Make people, fit their twins, print the table (and write it to DIR/table.md); 1 when people could not be done."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.in_silico --people 12 --seed 3 4 5 --out results/runs/in_silico"
    )
    parser.add_argument("--people", type=int, default=12, help="of each seed (default: 12)")
    parser.add_argument("--seed", type=int, nargs="+", default=[3], help="of people and days (default: 3)")
    parser.add_argument(
        "--rule", choices=list(bars.WORLDS), default="delivered",
        help="the daily insulin for which the clinical rule is right on average (default: delivered)",
    )  # fmt: skip
    parser.add_argument("--processes", type=int, help="people done at a time (default: one for each core)")
    parser.add_argument("--out", metavar="DIR", help="where the work lies and goes on")
    args = parser.parse_args(argv)
    cells = bars.cells(args.people, args.seed, args.rule)
    with tempfile.TemporaryDirectory() as spare:
        folder = Path(args.out or spare)
        flow = fleet.run(cells, folder, args.processes)
        if flow.failed:
            print("\n".join(f"{name}: {reason}" for name, reason in flow.failed.items()))
            return 1
        people, what_ifs = bars.read(folder, [cell.name for cell in cells])
        text = bars.words(people, what_ifs, args.rule, command.typed("in_silico", argv))
        atomic_write_text(folder / "table.md", text)
    print(text)
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
