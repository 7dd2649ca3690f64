"""Train a dosing policy: python -m scripts.train --people adult --seed 0 -P"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__" and not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experiments import command
from experiments.config import FLAGS, TrainConfig, train_settings
from experiments.records.config_files import build, load_yaml, show
from experiments.runs import RUNS, Run, run_folder
from experiments.train import ending, train


def main(argv: Sequence[str] | None = None) -> int:
    """Train, or go on with a run; prints the folder of the run."""
    parser = command.parser(__doc__ or "", "python -m scripts.train --person adult#001 --max-wall-s 60 -P")
    command.add_settings(parser, TrainConfig, FLAGS)
    parser.add_argument(
        "--conf-file", metavar="FILE", help="YAML file of settings, such as a run's config.yml"
    )
    parser.add_argument(
        "-f", "--log-folder", default=str(RUNS), metavar="DIR", help=f"where runs are kept ({RUNS})"
    )
    parser.add_argument("--out", metavar="DIR", help="the folder of this run itself (default: a new name)")
    parser.add_argument(
        "--study", default="train", help="name of the folder that groups runs (default: train)"
    )
    parser.add_argument(
        "--resume", metavar="RUN", help="go on with the run in this folder, with its own settings"
    )
    parser.add_argument("-P", "--progress", action="store_true", help="show a progress bar")
    args = vars(parser.parse_args(argv))
    given = {name: args[name] for name in FLAGS}
    if args["resume"] is not None:
        if args["conf_file"] or args["set"] or args["out"] or args["print_config"] or any(given.values()):
            raise ValueError(
                "--resume goes on with the settings of its run; give no others (or start a new run)"
            )
        folder = Path(args["resume"])
        with Run.resume(folder) as run:
            if met := run.manifest.get("given_people"):
                raise ValueError(
                    f"{folder} was trained on {', '.join(met)}, whom its settings do not name; go on with the command "
                    "that made it"
                )
            config = build(TrainConfig, load_yaml(folder / "config.yml"), "config.yml")
            train(config, run, args["progress"])
        print(ending(folder, config), file=sys.stderr)
        print(folder)
        return 0
    config = train_settings(given, args["conf_file"], args["set"])
    if args["print_config"]:
        print(show(config), end="")
        return 0
    whom = config.people if config.twin is None else (config.twin.resolve().name,)
    folder = run_folder(args["study"], config.env, config.algo, whom, config.seed, args["log_folder"])
    folder = Path(args["out"] or folder)
    typed = command.typed("train", argv)
    with Run.create(folder, config, typed, {"train": config.seed}, parent=config.init_from) as run:
        train(config, run, args["progress"])
    print(ending(folder, config), file=sys.stderr)
    print(folder)
    return 0


if __name__ == "__main__":
    command.run(main)
