"""The models that described tracks, and which of them searching uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from errors import RequestError
from store.base import Base
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
    is_chosen : whether a person chose it; otherwise it follows what jobs use by themselves.
    """

    name: str = ""
    choice: str = ""
    is_chosen: bool = False


def active(session: Session) -> ActiveModel:
    """Return the model that searching uses; before anything was described both parts are empty."""
    chosen = session.get(Setting, ACTIVE)
    if chosen is None:
        return ActiveModel()
    return ActiveModel(**chosen.value)


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
    _set_active(session, ActiveModel(model.name, model.choice, is_chosen=True))
    return model


def activate_choice(session: Session, choice: str) -> None:
    """Let searching use what ``choice`` stands for; its name is known once a worker has built it."""
    _set_active(session, ActiveModel("", choice, is_chosen=True))


def note(session: Session, name: str, *, choice: str, dimension: int, now: datetime, is_default: bool = False) -> bool:
    """Note that a model describes tracks; return whether it has become the active one by that.

    It does if it is what was just chosen on the page, or if nobody chose any and it is what jobs use by themselves.

    Parameters
    ----------
    is_default : whether the job took it since nothing else was asked for.
    """
    values = {"name": name, "choice": choice, "dimension": dimension, "created_at": now, "calibration": None}
    _insert_if_absent(session, EmbeddingModel, values)
    current = active(session)
    if current.is_chosen:
        is_it = not current.name and current.choice == choice
    else:
        is_it = current.name != name and (is_default or not current.name)
    if is_it:
        _set_active(session, ActiveModel(name, choice, current.is_chosen))
    return is_it


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
        .where(Track.embedder != name if name else true(), ~described.exists(), ~is_busy.exists())
        .group_by(Track.video_id, Video.created_at)
        .order_by(Video.created_at.desc())
    )
    return session.scalars(query).all()


def _set_active(session: Session, model: ActiveModel) -> None:
    value = asdict(model)
    _insert_if_absent(session, Setting, {"name": ACTIVE, "value": value})
    session.execute(update(Setting).where(Setting.name == ACTIVE).values(value=value))
    session.flush()
    session.expire_all()


def _insert_if_absent(session: Session, table: type[Base], values: Mapping[str, Any]) -> None:
    """Insert a row unless there is one; two workers may do so at once."""
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(make(table).values(dict(values)).on_conflict_do_nothing())
