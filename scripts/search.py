"""Search for better hyperparameters: python -m scripts.search --algo sac --storage sac.journal --trials 30"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.config import FLAGS, TrainConfig, train_settings
from experiments.records.config_files import show
from experiments.search import search

_FLAGS = {name: words for name, words in FLAGS.items() if name not in ("save_freq", "init_from")}
_EXAMPLE = "python -m scripts.search --algo sac --storage results/runs/sac.journal --trials 30 -n 600000"


def main(argv: Sequence[str] | None = None) -> int:
    """Work on a study; prints the settings of its best trial, for scripts.train --conf-file."""
    parser = command.parser(
        f"{__doc__}\nStart it in several processes with the same file to share the work; start it again to go on.",
        _EXAMPLE,
    )
    command.add_settings(parser, TrainConfig, _FLAGS)
    parser.add_argument("--conf-file", metavar="FILE", help="YAML file of settings of every trial")
    parser.add_argument("--storage", metavar="FILE", help="journal of the study; made if needed")
    parser.add_argument(
        "--study-name", metavar="NAME", help="study within that file (default: the algorithm)"
    )
    parser.add_argument("--trials", type=int, default=30, help="trials of the study in all (default: 30)")
    args = vars(parser.parse_args(argv))
    config = train_settings({name: args[name] for name in _FLAGS}, args["conf_file"], args["set"])
    if args["print_config"]:
        print(show(config), end="")
        return 0
    if args["storage"] is None or args["trials"] < 1:
        raise ValueError("give --storage FILE (the journal of the study) and --trials of at least 1")
    print(show(search(config, args["storage"], args["study_name"] or config.algo, args["trials"])), end="")
    return 0


if __name__ == "__main__":
    command.run(main)
