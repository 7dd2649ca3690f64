"""Write the simulated diary that comes with the project: python -m scripts.simulate_diary"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.simulated_diary import COMMENT, simulated_diary
from twins.world.formats.plain import write_csv
from twins.world.readers import SIMULATED_DIARY


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file."""
    parser = command.parser(__doc__ or "", "python -m scripts.simulate_diary my_copy.csv")
    parser.add_argument("file", nargs="?", default=str(SIMULATED_DIARY), help="by default the shipped file")
    write_csv(simulated_diary(), parser.parse_args(argv).file, COMMENT)
    return 0


if __name__ == "__main__":
    command.run(main)
