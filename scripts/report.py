"""Write a page from evaluations and training runs: python -m scripts.report EVALUATION... --run RUN --out page.html"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.compare import format_text, read_evaluation, results_table
from experiments.report import write_report


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of some evaluations and, with --out, write the page."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.report results/runs/demo/evaluations/* --out page.html"
    )
    parser.add_argument("evaluations", nargs="+", help="folders of scripts.evaluate")
    parser.add_argument(
        "--run", action="append", default=[], help="folder of scripts.train, for the learning curve"
    )
    parser.add_argument("--diary", action="append", default=[], help="evaluation on recorded days")
    parser.add_argument("--title", default="Learned insulin dosing on virtual people")
    parser.add_argument("--out", metavar="FILE", help="the page (HTML); without it only the table is printed")
    args = parser.parse_args(argv)
    print(format_text(results_table([read_evaluation(folder) for folder in args.evaluations])))
    if args.out:
        print(write_report(args.out, args.evaluations, args.run, args.diary, args.title))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
