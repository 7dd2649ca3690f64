"""Do a random part of the committed evaluations again: python -m scripts.verify_results (or: make verify-results)"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command, verify


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was done again; 1 when anything differs from what is committed."""
    parser = command.parser(__doc__ or "", "python -m scripts.verify_results --study realistic --share 0.05")
    parser.add_argument("--study", action="append", help="a committed study (default: all of them)")
    parser.add_argument(
        "--share", type=float, default=verify.SHARE, help="part of the evaluations (default: 0.05)"
    )
    parser.add_argument("--seed", type=int, help="of the random choice (default: another one each time)")
    parser.add_argument("--processes", type=int, help="evaluations at a time (default: one for each core)")
    args = parser.parse_args(argv)
    seed = time.time_ns() % 2**32 if args.seed is None else args.seed
    names = args.study or [study.name for study in verify.committed_studies()]
    if not names:
        raise ValueError("no study is committed in results/; run python -m scripts.study NAME --commit")
    wrong = 0
    for name in names:
        found = verify.verify(name, seed, args.share, processes=args.processes)
        how = "to the last digit" if found.exact else "within 1e-6 (another CPU model)"
        print(f"{name}: {len(found.cells)} evaluations done again (seed {seed}), compared {how}")
        for cell, fault in found.differing.items():
            print(f"  differs: {cell}: {fault}")
        wrong += len(found.differing)
    print("all of them agree" if not wrong else f"{wrong} differ")
    print(command.NOTICE)
    return 1 if wrong else 0


if __name__ == "__main__":
    command.run(main)
