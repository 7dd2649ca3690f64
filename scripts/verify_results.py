"""Do a random part of the committed evaluations again: python -m scripts.verify_results (or: make verify-results)"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, verify
from twins.kernels import kernel_hash


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was done again; 1 when anything differs from what is committed."""
    parser = command.parser(__doc__ or "", "python -m scripts.verify_results --study realistic --share 0.05")
    parser.add_argument("--study", action="append", help="a committed study (default: all of them)")
    parser.add_argument(
        "--share", type=float, default=verify.SHARE, help="part of the evaluations (default: 0.05)"
    )
    parser.add_argument("--seed", type=int, help="of the random choice (default: another one each time)")
    command.add_workers(parser, "evaluations")
    parser.add_argument(
        "--adopt", action="store_true", help="where all agree, list this simulator as giving the same results"
    )
    args = parser.parse_args(argv)
    if args.adopt and (args.study or args.share < verify.SHARE):
        raise ValueError(
            f"--adopt needs all studies and a share of {verify.SHARE} or more; leave --study out"
        )
    seed = time.time_ns() % 2**32 if args.seed is None else args.seed
    if args.adopt:
        seed = int(kernel_hash()[:8], 16)  # one try for these sources: no other choice of evaluations
    names = args.study or [study.name for study in verify.committed_studies()]
    if not names:
        raise ValueError("no study is committed in results/; run python -m scripts.study NAME --commit")
    done = {}
    for name in names:
        done[name] = found = verify.verify(name, seed, args.share, workers=command.workers(args), each=args.adopt)
        how = "to the last digit" if found.exact else "within 1e-6 (another CPU model)"
        print(f"{name}: {len(found.cells)} evaluations done again (seed {seed}), compared {how}")
        for cell, fault in found.differing.items():
            print(f"  differs: {cell}: {fault}")
    wrong = sum(len(found.differing) for found in done.values())
    print("all of them agree" if not wrong else f"{wrong} differ")
    if args.adopt and not wrong:
        print(f"this simulator is listed as giving the results of {verify.adopt(done, seed)[:12]}")
    print(command.NOTICE)
    return 1 if wrong else 0


if __name__ == "__main__":
    command.run(main)
