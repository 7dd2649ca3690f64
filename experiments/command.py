"""What all command lines share: settings from file and flags, errors without a traceback, exit codes."""

import argparse
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from agents.frozen import NOTICE as NOTICE
from experiments.crew import Workers
from experiments.records.config_files import Config, apply_overrides, descriptions
from experiments.records.provenance import ROOT
from twins.words import near_miss

_Settings = TypeVar("_Settings", bound=Config)
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


class _Parser(argparse.ArgumentParser):
    """Answers a wrong command line in one line, with the nearest flag."""

    def error(self, message: str) -> NoReturn:
        unknown = "unrecognized arguments: "
        words = message.removeprefix(unknown).split() if message.startswith(unknown) else []
        hint = near_miss(words[0].partition("=")[0], self._option_string_actions) if words else ""
        self.exit(2, f"error: {message}{hint} (see --help)\n")


def parser(description: str, example: str) -> argparse.ArgumentParser:
    """A parser that shows an example and says what this software is not."""
    return _Parser(
        description=description,
        epilog=f"example: {example}\n{NOTICE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def typed(script: str, argv: Sequence[str] | None) -> list[str]:
    """The command for the record; paths within the checkout begin there, so that it names no folder of a machine."""
    words = sys.argv[1:] if argv is None else argv
    return ["python", "-m", f"scripts.{script}", *(word.replace(f"{ROOT}/", "") for word in words)]


def add_workers(parser: argparse.ArgumentParser, what: str = "cells") -> None:
    """Flags for who does the work, see `workers`. what: it is made of."""
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--processes", type=int, help=f"{what} done at a time (default: one for each core)")
    who.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="of a Ray cluster that does them instead; auto: one started here",
    )


def workers(args: argparse.Namespace) -> Workers:
    """Who does the work, as `experiments.fleet.run` takes it."""
    chosen: Workers = args.processes if args.address is None else args.address
    return chosen


def add_settings(
    parser: argparse.ArgumentParser, of: type[Config], flags: Mapping[str, Sequence[str]]
) -> None:
    """Flags for some settings, by name; the help of each is the setting's own description."""
    for name, words in flags.items():
        parser.add_argument(*words, dest=name, metavar=name.upper(), help=descriptions(of)[name])
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="any setting, by its name"
    )
    parser.add_argument("--print-config", action="store_true", help="show the settings and stop")


def with_settings(
    config: _Settings, flags: Mapping[str, Sequence[str]], args: Mapping[str, Any]
) -> _Settings:
    """Settings with what was given by the flags of `add_settings`, then by --set. Raises ConfigError: by which."""
    for name, words in flags.items():
        if args[name] is not None:
            config = apply_overrides(config, [f"{name}={args[name]}"], words[0])
    return apply_overrides(config, args["set"])
