"""Settings. The only file that reads the environment.

Every setting is a field of `Settings` with its type, default and help; its
variable is named in the field's metadata. docs/SETTINGS.md is written from
here (``python config.py``), and a test compares the two.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

_GIB = 1024**3


def _setting(default: Any, variable: str, help_text: str) -> Any:
    return field(default=default, metadata={"variable": variable, "help": help_text})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of the web site, the worker and the commands."""

    data_dir: Path = _setting(
        Path("data"), "RESIGHT_DATA_DIR", "Folder of the database, the videos, the results and the file queue."
    )
    database_url: str = _setting(
        "",
        "DATABASE_URL",
        "SQLAlchemy URL, e.g. `postgresql+psycopg://user@host/resight`; empty: SQLite in the data folder.",
    )
    redis_url: str = _setting(
        "",
        "REDIS_URL",
        "Redis that carries the queue, e.g. `redis://localhost:6379/0`; empty: files in the data folder.",
    )
    secret_key: str = _setting(
        "", "SECRET_KEY", "Key that signs sessions and form tokens; empty: one is made and kept in the data folder."
    )
    host: str = _setting(
        "127.0.0.1",
        "RESIGHT_HOST",
        "Address that `python app.py` listens on. There are no accounts: keep it on loopback, or put a proxy with a login before it.",
    )
    port: int = _setting(8000, "RESIGHT_PORT", "Port that `python app.py` listens on.")
    trusted_hosts: tuple[str, ...] = _setting(
        (),
        "RESIGHT_TRUSTED_HOSTS",
        "Host names, with commas, that the site answers to besides loopback names and `RESIGHT_HOST`.",
    )
    proxy_count: int = _setting(
        0, "RESIGHT_PROXY_COUNT", "How many reverse proxies stand before the site and set `X-Forwarded-*` headers."
    )
    default_language: str = _setting(
        "en", "RESIGHT_DEFAULT_LANGUAGE", "`en` or `zh`, for browsers that ask for neither."
    )
    log_level: str = _setting("INFO", "RESIGHT_LOG_LEVEL", "`DEBUG`, `INFO`, `WARNING` or `ERROR`.")

    max_upload_bytes: int = _setting(8 * _GIB, "RESIGHT_MAX_UPLOAD_BYTES", "Largest video file, in bytes.")
    max_duration_s: int = _setting(24 * 3600, "RESIGHT_MAX_DURATION_S", "Longest video, in seconds.")
    max_pixels: int = _setting(7680 * 4320, "RESIGHT_MAX_PIXELS", "Largest picture, width times height.")
    probe_timeout_s: int = _setting(60, "RESIGHT_PROBE_TIMEOUT_S", "Seconds that examining an uploaded file may take.")
    upload_expiry_s: int = _setting(
        24 * 3600, "RESIGHT_UPLOAD_EXPIRY_S", "Seconds after which an unfinished upload is deleted."
    )

    max_picture_bytes: int = _setting(
        20 * 1024**2, "RESIGHT_MAX_PICTURE_BYTES", "Largest picture to search by, in bytes."
    )
    max_picture_pixels: int = _setting(
        40_000_000, "RESIGHT_MAX_PICTURE_PIXELS", "Largest picture to search by, width times height."
    )
    query_expiry_s: int = _setting(
        24 * 3600, "RESIGHT_QUERY_EXPIRY_S", "Seconds after which pictures that were searched by are deleted."
    )

    detector: str = _setting(
        "auto",
        "RESIGHT_DETECTOR",
        "`auto`, `builtin`, `hog`, `yolox` or `paddledet`; `auto` takes the best one whose weights are present.",
    )
    det_model_dir: Path = _setting(
        Path("model/detection"),
        "RESIGHT_DET_MODEL_DIR",
        "Detector weights: a PaddleDetection export's folder, a YOLOX `.onnx` file, or a folder that holds one.",
    )
    det_threshold: float | None = _setting(
        None, "RESIGHT_DET_THRESHOLD", "Lowest score of a box, 0 to 1; empty: what suits the detector."
    )
    embedder: str = _setting(
        "auto",
        "RESIGHT_EMBEDDER",
        "`auto`, `builtin`, `hsv_stripes` or `paddle`; `auto` takes a Paddle export where present, else the built-in one.",
    )
    emb_model_dir: Path = _setting(
        Path("model/embedding"), "RESIGHT_EMB_MODEL_DIR", "Embedding weights: the folder of an exported Paddle model."
    )
    preset: str = _setting(
        "balanced",
        "RESIGHT_PRESET",
        "`fast`, `balanced` or `accurate`: what decides where a job chooses no models, frames or crops of its own.",
    )
    tracker: str = _setting(
        "recorded",
        "RESIGHT_TRACKER",
        "`recorded` looks at finished tracks once more, `online` does not, `deepsort` is DeepSORT as published.",
    )
    use_gpu: bool = _setting(False, "RESIGHT_USE_GPU", "Run the networks on the GPU (`true` or `false`).")
    cpu_threads: int = _setting(0, "RESIGHT_CPU_THREADS", "Threads of the networks; 0: one for each core.")

    lease_s: float = _setting(
        90.0, "RESIGHT_LEASE_S", "Seconds without progress after which a running job counts as abandoned."
    )
    max_attempts: int = _setting(
        3, "RESIGHT_MAX_ATTEMPTS", "How often an abandoned job is started again before it fails."
    )
    sweep_s: float = _setting(5.0, "RESIGHT_SWEEP_S", "Seconds between two looks for abandoned and forgotten jobs.")
    job_time_limit_s: int = _setting(
        48 * 3600, "RESIGHT_JOB_TIME_LIMIT_S", "Seconds after which a single job is ended by force."
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from ``environ`` (the process's own by default).

        Raises
        ------
        ValueError
            for a value that cannot be read; names the variable, the value and what is wanted.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for item in fields(cls):
            text = environ.get(item.metadata["variable"], "").strip()
            if text:
                values[item.name] = _parse(item.metadata["variable"], str(item.type), text)
        return cls(**values)

    def resolved_database_url(self) -> str:
        """Return the URL of the database, that of the SQLite file where none is set."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'resight.db').absolute()}"

    def resolved_secret_key(self) -> str:
        """Return the secret key; make and keep one in the data folder where none is set."""
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / "secret_key"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text("ascii").strip()
        with os.fdopen(handle, "w", encoding="ascii") as file:
            key = secrets.token_hex(32)
            file.write(key)
        return key


def _parse(variable: str, type_name: str, text: str) -> Any:
    try:
        if type_name == "bool":
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
        if type_name == "int":
            return int(text)
        if type_name.startswith("float"):
            return float(text)
    except (ValueError, KeyError):
        wanted = {"bool": "true or false", "int": "a whole number"}.get(type_name, "a number")
        raise ValueError(f"{variable} is “{text}”, but {wanted} is wanted; correct it or leave it unset") from None
    if type_name == "Path":
        return Path(text).expanduser()
    if type_name.startswith("tuple"):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def settings_table() -> str:
    """Return all settings as a Markdown table, for docs/SETTINGS.md."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for item in fields(Settings):
        default = (
            ""
            if item.default in ("", None, ())
            else f"`{str(item.default).lower() if item.default in (True, False) and isinstance(item.default, bool) else item.default}`"
        )
        rows.append(f"| `{item.metadata['variable']}` | {default} | {item.metadata['help']} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(settings_table())
