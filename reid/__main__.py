"""``python -m reid COMMAND``: what the library does from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType

from reid.terminal import run_command

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "train": ("reid.training.command", "train a network by a recipe: osnet, siamese, vehicle, rendered, …"),
        "evaluate": ("reid.evaluate_command", "judge a model on a data set: mAP, CMC, error rates, report"),
        "report": ("reid.report_command", "write the report of an earlier evaluation again"),
        "search": ("reid.search_command", "find who looks like a picture, in a folder or on a running site"),
        "lists": ("reid.datasets.lists_command", "write Paddle's list files for a folder of pictures"),
    }
)
"""Module and one line of help for each command. A module has ``add_arguments(parser)`` and ``run(options) -> int``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, 2 for what the user can mend, 130 after Ctrl-C."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m reid", description="Train and judge re-identification networks.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, help_text) in COMMANDS.items():
        command = commands.add_parser(name, help=help_text, description=help_text)
        if given[:1] == [name]:  # only what is asked for is imported
            import_module(module).add_arguments(command)
    options = parser.parse_args(given)
    return run_command(import_module(COMMANDS[options.command][0]).run, options)


if __name__ == "__main__":
    sys.exit(main())
