"""The settings: read from the environment, and all of them documented."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from config import Settings, settings_table
from tests.conftest import ROOT


def test_every_setting_is_documented() -> None:
    documented = (ROOT / "docs" / "SETTINGS.md").read_text("utf-8")
    assert settings_table() in documented, "run `python config.py` and put its table into docs/SETTINGS.md"
    for item in fields(Settings):
        assert f"| `{item.metadata['variable']}` |" in documented


def test_no_documented_variable_is_unknown() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "SETTINGS.md").read_text("utf-8"), re.M))
    assert documented == {item.metadata["variable"] for item in fields(Settings)}


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()


def test_a_blank_variable_counts_as_unset() -> None:
    assert Settings.from_env({"RESIGHT_PORT": "  "}).port == Settings().port


def test_each_type_of_value_is_read() -> None:
    settings = Settings.from_env(
        {
            "RESIGHT_DATA_DIR": "/srv/resight",
            "RESIGHT_PORT": "8080",
            "RESIGHT_LEASE_S": "2.5",
            "RESIGHT_USE_GPU": "True",
            "RESIGHT_TRUSTED_HOSTS": "cameras.example, 10.0.0.7 ,",
            "RESIGHT_DET_THRESHOLD": "0.35",
        }
    )
    assert settings.data_dir == Path("/srv/resight")
    assert settings.port == 8080
    assert settings.lease_s == 2.5
    assert settings.use_gpu is True
    assert settings.trusted_hosts == ("cameras.example", "10.0.0.7")
    assert settings.det_threshold == 0.35


@pytest.mark.parametrize(
    ("variable", "text"), [("RESIGHT_PORT", "eighty"), ("RESIGHT_LEASE_S", "soon"), ("RESIGHT_USE_GPU", "perhaps")]
)
def test_a_value_that_cannot_be_read_is_named(variable: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"{variable} is “{text}”"):
        Settings.from_env({variable: text})


def test_the_secret_key_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    key = settings.resolved_secret_key()
    assert len(key) == 64
    assert settings.resolved_secret_key() == key
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o077 == 0


def test_no_secret_has_a_default() -> None:
    assert Settings().secret_key == ""


def test_only_config_reads_the_environment() -> None:
    rooms = ("*.py", "deep_sort/*.py", "model/*.py", "video/*.py", "pipeline/*.py", "store/*.py", "web/*.py")
    readers = {
        path.name
        for pattern in rooms
        for path in ROOT.glob(pattern)
        if re.search(r"os\.environ|os\.getenv", path.read_text("utf-8"))
    }
    assert readers <= {"config.py"}
