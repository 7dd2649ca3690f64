"""Write a page from a study, or from evaluations: python -m scripts.report STUDY --out page.html"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.page.findings import Findings
from experiments.report import write_report
from experiments.results import study_tables
from experiments.results.collect import collect
from experiments.results.evaluations import format_text


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of a study or of some evaluations and, with --out, write the page."""
    parser = command.parser(__doc__ or "", "python -m scripts.report results/NAME --out page.html")
    parser.add_argument("folders", nargs="+", help="the folder of a study, or folders of scripts.evaluate")
    parser.add_argument(
        "--run",
        action="append",
        default=[],
        help="folder of scripts.train, for the learning curve; FOLDER=AGENT names it",
    )
    parser.add_argument("--diary", action="append", default=[], help="evaluation on recorded days")
    parser.add_argument("--title", help="title of the page")
    parser.add_argument(
        "--tables", metavar="DIR", help="keep the tidy tables of the evaluations in this folder"
    )
    parser.add_argument("--out", metavar="FILE", help="the page (HTML); without it only the table is printed")
    args = parser.parse_args(argv)
    if len(args.folders) == 1 and (Path(args.folders[0]) / "study.json").is_file():
        study = study_tables.read(args.folders[0])
    else:
        runs = {folder: agent for folder, _, agent in (run.partition("=") for run in args.run)}
        made = shlex.join(command.typed("report", argv))
        study = collect([*args.folders, *args.diary], runs, command=made)
    print(format_text(Findings(study).rows))
    if args.tables:
        study.write(args.tables)
    if args.out:
        print(write_report(args.out, study, title=args.title))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
