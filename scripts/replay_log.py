"""Check a log of decisions and decide again: python -m scripts.replay_log decisions.jsonl"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents.load import NAMES, load
from experiments import command
from experiments.decisions import logged_agent, logged_settings, replay
from experiments.records.decision_log import head_in_summary, read_log
from experiments.records.gains import load_gains
from experiments.tune import refuse_unused


def main(argv: Sequence[str] | None = None) -> int:
    """Say whether the chain holds and how many decisions come out again; 1 when not all do."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.replay_log decisions.jsonl --summary results/runs/x"
    )
    parser.add_argument("log", help="a file that scripts.evaluate --decision-log wrote")
    parser.add_argument(
        "--summary",
        metavar="DIR",
        help="folder of the evaluation, whose summary.json holds the hash of the log",
    )
    parser.add_argument(
        "--agent",
        help=f"the agent that decided: {', '.join(NAMES)}, module:Class, or the folder of a policy (default: the one "
        "that the log names, if it goes by a name)",
    )
    parser.add_argument("--gains", metavar="FILE", help="gains of a tuned treatment")
    parser.add_argument("--chain-only", action="store_true", help="check the chain and do not decide again")
    args = parser.parse_args(argv)
    log = read_log(args.log, head_in_summary(args.summary) if args.summary else None)
    whom = f"{len(log.decisions)} decisions of {log.opening.get('agent')}"
    print(f"the chain holds: {whom}, last hash {log.head}")
    if log.unfinished:
        print(f"not finished: {log.unfinished}")
    elif not args.summary:
        print("whether the whole log was written anew is not known; give --summary")
    if args.chain_only:
        return 1 if log.unfinished else 0
    logged_settings(log)  # before an agent is loaded
    word = args.agent or logged_agent(log, NAMES)
    refuse_unused(args.gains, word)
    agent = load(word, (lambda name: load_gains(Path(args.gains), name)) if args.gains else None)
    again = replay(log, agent)
    print(f"{again.same} of {again.logged} decisions came out again, bit for bit")
    if again.first_difference:
        print(f"the first that did not: {again.first_difference}")
    print(command.NOTICE)
    return 1 if log.unfinished or again.first_difference else 0


if __name__ == "__main__":
    command.run(main)
