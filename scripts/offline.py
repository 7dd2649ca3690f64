"""Learn from logged days alone, and say what that is worth: python -m scripts.offline --train --out DIR"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agents import frozen
from experiments import command
from experiments.offline import minari, study
from experiments.offline.logged import DECISION_MIN
from twins.files import check_writable

TABLE = "worth.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Train a policy, write a table of what a log says of one, or export a log as a Minari dataset."""
    parser = command.parser(
        __doc__ or "", "python -m scripts.offline --worth agents/policies/td3-bc-emerson2023/seed0 --out DIR"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--train", action="store_true", help="learn TD3-BC from a log and write the policy into --out"
    )
    what.add_argument("--worth", metavar="FOLDER", help="what a log says of this policy, and what is true")
    what.add_argument("--export", action="store_true", help="write a log as a Minari dataset into --out")
    parser.add_argument("--seed", type=int, default=0, help="of days, noise and learning (default: 0)")
    parser.add_argument("--replicas", type=int, help="logged episodes a person (default: 21; of --worth 12)")
    parser.add_argument("--out", required=True, metavar="DIR", help="where results are written")
    args = parser.parse_args(argv)
    out = Path(args.out)
    for name, given, least in (("seed", args.seed, 0), ("replicas", args.replicas, 2)):
        if given is not None and given < least:
            raise ValueError(f"--{name}: {given} given; give {least} or more")
    if args.train:
        if (out / frozen.MANIFEST).exists():
            raise FileExistsError(f"{out} holds a policy, and nothing saved is lost; give a new folder")
        check_writable(out, 10.0)
        study.train(out, args.seed, replicas=args.replicas or study.REPLICAS)
        print(f"{out}: judge it with python -m scripts.published --protocol {study.PROTOCOL} --agent {out}")
    elif args.export:
        where = minari.new_folder(out, study.PROTOCOL, args.seed)
        log, _ = study.log(args.seed, args.replicas or study.REPLICAS)
        minari.export(log, where)
        print(
            f"{where}: {len(log.person)} episodes, {log.valid.sum():,} decisions; MINARI_DATASETS_PATH={out}"
        )
    else:
        policy = frozen.load(args.worth)
        held = policy.manifest
        plain = (held.action, held.decision_min, held.algo == "recurrent_ppo", held.history, held.oracle)
        if plain != ("hybrid", DECISION_MIN, False, False, False):
            raise ValueError(
                f"{args.worth} is {held.algo} deciding {held.action} every {held.decision_min} min (history "
                f"{held.history}, oracle {held.oracle}); the log is of hybrid every {DECISION_MIN} min without memory, "
                "history or oracle, as of python -m scripts.offline --train"
            )
        check_writable(out, 1.0)
        table, robust = study.judge(policy, args.replicas or study.WORTH_REPLICAS, args.seed)
        study.write(table, robust, out / TABLE, args.worth, " ".join(command.typed("offline", argv)))
        print((out / TABLE).read_text("utf-8"))
    print(command.NOTICE)
    return 0


if __name__ == "__main__":
    command.run(main)
