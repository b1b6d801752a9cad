"""What the library's commands share: flags that are read alike, sentences, and exit statuses."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from errors import ResightError
from messages import render
from records import Notice


def run_command(run: Callable[[argparse.Namespace], int | None], options: argparse.Namespace) -> int:
    """Run a command; return the exit status: its own or 0, 2 for what the user can mend, 130 after Ctrl-C."""
    try:
        return run(options) or 0
    except ResightError as error:
        tell(str(error))
    except (ValueError, OSError) as error:
        tell(f"This cannot be done: {error}.")
    except KeyboardInterrupt:
        tell("Stopped.")
        return 130
    return 2


def tell(sentence: str) -> None:
    """Print a sentence where it does not mix with results."""
    print(sentence, file=sys.stderr)  # noqa: T201


def tell_notice(notice: Notice) -> None:
    """Print what the user should know."""
    tell(render(notice.code, notice.params))


def add_switch(parser: argparse.ArgumentParser, name: str, *, default: bool, help_text: str) -> None:
    """Add a flag that is written ``--name True``, ``--name False`` or bare for True."""
    parser.add_argument(
        name,
        nargs="?",
        const=True,
        default=default,
        type=_boolean,
        metavar="True|False",
        help=f"{help_text} ({default})",
    )


def image_shape(text: str) -> tuple[int, int]:
    """Return (width, height) of ``3,height,width``."""
    sides = [int(part) for part in text.split(",")]
    if len(sides) != 3 or sides[0] != 3 or min(sides) < 1:
        raise argparse.ArgumentTypeError(f"3,height,width is wanted, not {text}")
    return sides[2], sides[1]


def positive(text: str) -> int:
    """Return a whole number from 1."""
    return _at_least(text, 1)


def natural(text: str) -> int:
    """Return a whole number from 0."""
    return _at_least(text, 0)


def _at_least(text: str, least: int) -> int:
    value = int(text)
    if value < least:
        raise argparse.ArgumentTypeError(f"{text} is below {least}")
    return value


def _boolean(text: str) -> bool:
    values: dict[str, Any] = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"True or False is wanted, not “{text}”")
    return bool(values[text.lower()])
