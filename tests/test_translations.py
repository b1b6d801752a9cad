"""The catalogues: complete, current, and with the same placeholders in every language."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = sorted((ROOT / "translations").glob("*/LC_MESSAGES/messages.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)[sdfg]|\{\w+\}|%%")


@pytest.fixture(scope="module")
def sentences() -> set[str]:
    """Return every sentence marked for translation, singular forms."""
    mapping, options = parse_mapping_cfg(io.StringIO((ROOT / "babel.cfg").read_text("utf-8")))
    found = extract_from_dir(ROOT, mapping, options, keywords={**DEFAULT_KEYWORDS, "N_": None})
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def messages(path: Path) -> list[Message]:
    return [message for message in catalogue(path) if message.id]


def texts(value: str | tuple[str, ...] | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_chinese_is_there() -> None:
    assert [path.parts[-3] for path in CATALOGUES] == ["zh"]


def test_sentences_are_found_in_all_places(sentences: set[str]) -> None:
    from messages import MESSAGES

    assert set(MESSAGES.values()) <= sentences
    assert {"Videos", "Upload and track", "Person {number}"} <= sentences


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_no_sentence_lacks_a_translation(path: Path, sentences: set[str]) -> None:
    translated = {
        texts(message.id)[0] for message in messages(path) if all(texts(message.string)) and not message.fuzzy
    }
    assert sentences - translated == set(), "run `make messages` and translate what it added"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_no_translation_is_left_over(path: Path, sentences: set[str]) -> None:
    assert {texts(message.id)[0] for message in messages(path)} - sentences == set()


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_placeholders_agree(path: Path) -> None:
    for message in messages(path):
        wanted = sorted(PLACEHOLDER.findall(texts(message.id)[-1]))
        for text in texts(message.string):
            assert sorted(PLACEHOLDER.findall(text)) == wanted, message.id


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_translations_hold_no_markup_and_no_stray_percent_sign(path: Path) -> None:
    for message in messages(path):
        for text in texts(message.string):
            assert "<" not in text, message.id
            assert "%" not in PLACEHOLDER.sub("", text), message.id
