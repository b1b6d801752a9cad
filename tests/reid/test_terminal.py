from __future__ import annotations

import argparse

import pytest

from errors import DataError
from records import Notice
from reid.terminal import add_switch, image_shape, natural, positive, run_command, tell_notice


def _raise(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (DataError("data.no_match", queries=3), 2, "None of the 3 query pictures"),
        (ValueError("a batch of 3 is too small"), 2, "This cannot be done: a batch of 3 is too small."),
        (FileNotFoundError(2, "No such file", "x"), 2, "This cannot be done:"),
        (KeyboardInterrupt(), 130, "Stopped."),
    ],
)
def test_what_a_command_raises_becomes_a_sentence_and_a_status(
    error: BaseException, status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(lambda options: _raise(error), argparse.Namespace()) == status
    assert sentence in capsys.readouterr().err


def test_a_command_may_have_a_status_of_its_own() -> None:
    assert run_command(lambda options: None, argparse.Namespace()) == 0
    assert run_command(lambda options: 3, argparse.Namespace()) == 3


def test_faults_of_the_program_are_not_hidden() -> None:
    with pytest.raises(KeyError):
        run_command(lambda options: _raise(KeyError("x")), argparse.Namespace())


def test_notices_are_printed_as_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    tell_notice(Notice("train.no_gpu", {"runtime": "Paddle"}))
    assert "Paddle can use no GPU here" in capsys.readouterr().err


def test_values_of_flags_are_read_as_the_original_writes_them() -> None:
    assert image_shape("3,256,128") == (128, 256)
    assert (natural("0"), positive("1")) == (0, 1)
    for read, text in ((image_shape, "1,256,128"), (image_shape, "3,0,128"), (natural, "-1"), (positive, "0")):
        with pytest.raises(argparse.ArgumentTypeError, match=text):
            read(text)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [([], False), (["--x"], True), (["--x", "False"], False), (["--x=true"], True), (["--x=0"], False)],
)
def test_switches_are_written_out_or_bare(arguments: list[str], value: bool) -> None:
    parser = argparse.ArgumentParser()
    add_switch(parser, "--x", default=False, help_text="a switch")
    assert parser.parse_args(arguments).x is value
