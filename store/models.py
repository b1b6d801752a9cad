"""The models that described tracks, and which of them searching uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from errors import RequestError
from store.search_tables import EmbeddingModel, Setting, TrackEmbedding
from store.tables import LIVE_STATES, Job, Track, Video

ACTIVE = "active_model"
_PLAIN = {"synchronize_session": False}


@dataclass(frozen=True)
class ActiveModel:
    """The model that searching uses.

    Attributes
    ----------
    name : as `EmbeddingModel.name`; empty until a worker has built what was chosen.
    choice : what a job asks for to get it; empty for what the site's settings say.
    """

    name: str
    choice: str


def active(session: Session) -> ActiveModel:
    """Return the model that searching uses; before anything was described both parts are empty."""
    chosen = session.get(Setting, ACTIVE)
    if chosen is None:
        return ActiveModel("", "")
    return ActiveModel(chosen.value["name"], chosen.value["choice"])


def activate(session: Session, name: str) -> EmbeddingModel:
    """Let searching use a model that has described tracks before.

    Raises
    ------
    RequestError
        ``request.not_found`` when there is none of that name.
    """
    model = session.get(EmbeddingModel, name)
    if model is None:
        raise RequestError("request.not_found", status=404)
    _set_active(session, ActiveModel(model.name, model.choice))
    return model


def activate_choice(session: Session, choice: str) -> None:
    """Let searching use what ``choice`` stands for; its name is known once a worker has built it."""
    _set_active(session, ActiveModel("", choice))


def note(session: Session, name: str, *, choice: str, dimension: int, now: datetime) -> None:
    """Note that a model describes tracks; the first one becomes the active one, as does the one just chosen."""
    if session.get(EmbeddingModel, name) is None:
        session.add(EmbeddingModel(name=name, choice=choice, dimension=dimension, created_at=now))
        session.flush()
    current = active(session)
    is_first = not (current.name or current.choice)
    if is_first or (not current.name and current.choice == choice):
        _set_active(session, ActiveModel(name, choice))


def known(session: Session) -> Sequence[EmbeddingModel]:
    """Return all models that have described tracks, the oldest first."""
    return session.scalars(select(EmbeddingModel).order_by(EmbeddingModel.created_at, EmbeddingModel.name)).all()


def calibration_of(session: Session, name: str) -> Mapping[str, Any] | None:
    """Return what was measured of a model; None where nothing was."""
    return session.scalar(select(EmbeddingModel.calibration).where(EmbeddingModel.name == name))


def set_calibration(session: Session, name: str, calibration: Mapping[str, Any] | None) -> None:
    """Keep what was measured of a model.

    Raises
    ------
    RequestError
        ``request.not_found`` when there is none of that name.
    """
    change = update(EmbeddingModel).where(EmbeddingModel.name == name)
    values = {"calibration": None if calibration is None else dict(calibration)}
    if session.scalar(change.values(values).returning(EmbeddingModel.name), execution_options=_PLAIN) is None:
        raise RequestError("request.not_found", status=404)


def described_tracks(session: Session) -> Mapping[str, int]:
    """Return how many tracks each model has described."""
    found: dict[str, int] = {}
    for column in (Track.embedder, TrackEmbedding.embedder):
        counts = select(column, func.count()).where(column != "").group_by(column)
        for name, count in session.execute(counts):
            found[name] = found.get(name, 0) + int(count)
    return found


def videos_without(session: Session, name: str) -> Sequence[str]:
    """Return the ids of the videos with tracks that a model has not described and that no live job is about.

    Parameters
    ----------
    name : of the model; empty: of one that has described nothing yet.
    """
    described = select(TrackEmbedding.track_id).where(
        TrackEmbedding.track_id == Track.id, TrackEmbedding.embedder == name
    )
    is_busy = select(Job.id).where(Job.video_id == Track.video_id, Job.state.in_(LIVE_STATES))
    query = (
        select(Track.video_id)
        .join(Video, Video.id == Track.video_id)
        .where(Track.embedder != name if name else Track.id > 0, ~described.exists(), ~is_busy.exists())
        .group_by(Track.video_id, Video.created_at)
        .order_by(Video.created_at.desc())
    )
    return session.scalars(query).all()


def _set_active(session: Session, model: ActiveModel) -> None:
    value = {"name": model.name, "choice": model.choice}
    row = session.get(Setting, ACTIVE)
    if row is None:
        session.add(Setting(name=ACTIVE, value=value))
    else:
        row.value = value
    session.flush()
