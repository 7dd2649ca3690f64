"""What all command lines share: settings from file and flags, errors without a traceback, exit codes."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence

from experiments.config import TrainConfig
from experiments.config_files import Config, apply_overrides, build, descriptions, load_yaml

NOTICE = "Research software, not a medical device."
USER_ERRORS = (ValueError, TypeError, OSError)
"""Errors whose message is meant for the user; others are faults of the program and keep their traceback."""


def run(main: Callable[[Sequence[str]], int]) -> None:
    """Run `main` with the command line and exit: 0 done, 1 refused with a message, 130 interrupted."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    try:
        code = main(sys.argv[1:])
    except USER_ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    sys.exit(code)


def parser(description: str, example: str) -> argparse.ArgumentParser:
    """A parser that shows an example and says what this software is not."""
    return argparse.ArgumentParser(
        description=description,
        epilog=f"example: {example}\n{NOTICE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_setting(
    parser: argparse.ArgumentParser, *flags: str, of: type[Config], name: str, metavar: str
) -> None:
    """A flag for one setting; its help is the setting's own description."""
    parser.add_argument(*flags, dest=name, metavar=metavar, default=None, help=descriptions(of)[name])


def train_settings(
    given: dict[str, str | None], conf_file: str | None, overrides: Sequence[str]
) -> TrainConfig:
    """Training settings: the defaults, then the file, then flags, then --set."""
    base = build(TrainConfig, load_yaml(conf_file), conf_file) if conf_file else TrainConfig()
    flags = [f"{name}={value}" for name, value in given.items() if value is not None]
    return apply_overrides(base, [*flags, *overrides])
