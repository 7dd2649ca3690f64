"""Judge an agent on a protocol: python -m scripts.evaluate --agent basal-bolus --out results/runs/bb"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.load import NAMES, load
from experiments import command, people
from experiments.evaluate import check_out, evaluate
from experiments.page.findings import Findings
from experiments.protocol import ProtocolConfig, load_protocol, protocols
from experiments.records.config_files import show
from experiments.results.against_committed import against_committed
from experiments.results.collect import collect
from experiments.results.evaluations import format_text
from experiments.tune import gains_for, refuse_unused

_FLAGS = {
    "people": ("--person", "--people"),
    "seed": ("--seed",),
    "days": ("--days",),
    "replicas": ("--replicas",),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Judge and print the table; writes episodes.csv, traces.csv and summary.json into --out."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.evaluate --agent pid-tuned --person adult#001 --out DIR"
    )
    parser.add_argument(
        "--agent", required=True, help=f"{', '.join(NAMES)}, module:Class, or the folder of a policy"
    )
    parser.add_argument(
        "--protocol", default="simglucose-default", help=f"{', '.join(protocols())}, or a path ending in .yml"
    )
    parser.add_argument(
        "--shield", default="rule", help="rule (default), off, twin, or twin:floor_mg_dl=80,..."
    )
    command.add_settings(parser, ProtocolConfig, _FLAGS)
    parser.add_argument(
        "--fold", type=int, help="judge only whom policies of this fold have not met (default: everybody)"
    )
    parser.add_argument("--trace-replicas", type=int, help="replicas per person in traces.csv (default: all)")
    parser.add_argument("--gains", metavar="FILE", help="gains of a tuned treatment (default: tune them)")
    parser.add_argument(
        "--decision-log",
        metavar="FILE",
        help="write every decision into this new file, for scripts.replay_log",
    )
    parser.add_argument("--out", metavar="DIR", help="a new folder for the results")
    args = vars(parser.parse_args(argv))
    frozen = load_protocol(args["protocol"])
    protocol = command.with_settings(frozen, _FLAGS, args)
    if args["print_config"]:
        print(show(protocol), end="")
        return 0
    if args["out"] is None:
        raise ValueError("--out is missing; give a new folder for the results")
    check_out(args["out"])  # before a tuning that takes minutes
    shield, fold = args["shield"], args["fold"]
    agent = load(args["agent"], lambda name: gains_for(name, args["gains"], protocol, shield, fold))
    refuse_unused(args["gains"], args["agent"])
    done = evaluate(
        agent,
        args["agent"],
        protocol,
        args["out"],
        shield=shield,
        modified=protocol != (load_protocol(frozen.name) if frozen.name in protocols() else frozen),
        trace_replicas=args["trace_replicas"],
        argv=command.typed("evaluate", argv),
        cohort=people.judged(protocol, fold),
        fold=fold,
        decision_log=args["decision_log"],
    )
    print(
        format_text(Findings(collect([done.folder])).rows), against_committed(done), command.NOTICE, sep="\n"
    )
    return 0


if __name__ == "__main__":
    command.run(main)
