"""Do a study, or what is left of it: python -m scripts.study realistic"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, fleet
from experiments.cards.policy_cards import write_cards
from experiments.committed import markdown
from experiments.results import study_tables
from experiments.results.against_committed import RESULTS
from experiments.runs import RUNS
from experiments.studies import added, plan, study
from experiments.studies.settings import load_study, studies


def main(argv: Sequence[str] | None = None) -> int:
    """Train, tune, judge, write the tables and the page; 1 when a cell failed."""
    parser = command.parser(__doc__ or "", "python -m scripts.study simglucose-default --processes 2")
    parser.add_argument("study", help=f"{', '.join(studies())}, or a path ending in .yml")
    command.add_workers(parser)
    parser.add_argument(
        "--folder", metavar="DIR", help=f"where the work lies and goes on (default: {RUNS}/STUDY)"
    )
    parser.add_argument(
        "--only", metavar="PREFIX", help="only cells whose names begin so, such as train/; no tables"
    )
    parser.add_argument("--cell", metavar="NAME", help="only this cell and what it needs; no tables")
    parser.add_argument("--list", action="store_true", help="show the names of the cells and stop")
    parser.add_argument(
        "--commit", action="store_true", help="also keep tables, page, gains and policies in the tree"
    )
    parser.add_argument(
        "--add", action="store_true", help="judge treatments alone that the committed tables lack, and set them beside"
    )
    args = parser.parse_args(argv)
    if args.add and (args.only or args.cell):
        raise ValueError("--add takes all that is lacking; leave --only and --cell out")
    asked = load_study(args.study)
    folder = Path(args.folder or RUNS / asked.name)
    cells = plan.cells(asked)
    if args.list:
        print("\n".join(cell.name for cell in cells))
        return 0
    if args.only or args.cell:
        flow = fleet.run(plan.part(cells, args.cell, args.only), folder, command.workers(args))
    else:
        if args.add:
            held = study_tables.read(RESULTS / asked.name)
            tables, flow = added.add(asked, folder, held, command.workers(args))
        else:
            tables, flow = study.run(asked, folder, command.workers(args))
        out, policies = study.places(asked, folder, args.commit)
        print(markdown(study.commit(asked, tables, folder, out, policies)))
        print(f"the page: {out / 'report.html'}")
        if args.commit:
            write_cards()
    for word, lost in (("failed", flow.failed), ("refused", flow.refused)):
        for name, reason in lost.items():
            print(f"{word}: {name}: {reason}")
    print(command.NOTICE)
    return 1 if flow.failed or flow.refused else 0


if __name__ == "__main__":
    command.run(main)
