"""``python -m synth COMMAND``: render people, vehicles and places with exact truth."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "crops": ("synth.crops", "pictures of single people by identity and camera, in Market-1501's layout"),
        "embedder": ("synth.embedder.train", "train our own embedder on rendered people, and export it"),
        "pictures": ("synth.coco", "street scenes with boxes, in COCO's layout"),
        "video": ("synth.videos", "one camera's recording, with truth in MOT's layout"),
        "world": ("synth.videos", "several cameras on one clock, with identities over all of them"),
    }
)
"""Module and one line of help for each command. A module has ``add_arguments(parser)`` and ``run(options)``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, or 2 for what the user can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m synth", description="Render data with exact truth.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, help_text) in COMMANDS.items():
        command = commands.add_parser(name, help=help_text)
        if given[:1] == [name]:  # only what is asked for is imported
            import_module(module).add_arguments(command)
    options = parser.parse_args(given)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        import_module(COMMANDS[options.command][0]).run(options)
    except (ValueError, OSError) as error:
        print(f"This cannot be done: {error}.", file=sys.stderr)  # noqa: T201  # the command line's own output
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
