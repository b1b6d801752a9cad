"""How well a model finds this installation's confirmed identities across its own cameras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from errors import ResightError
from records import Kind, Progress
from reid.labelled import LabelledFeatures
from reid.metrics import evaluate
from store import models, vectors
from store.tables import Track, Video

OnProgress = Callable[[Progress], None]


def judge(sessions: sessionmaker[Session], model: str, on_progress: OnProgress) -> dict[str, Any]:
    """Judge a model by the vectors that it made of confirmed tracks.

    Market-1501's rule: each track looks for the tracks of its identity by other cameras among all confirmed
    tracks of its kind.

    Parameters
    ----------
    model : as `store.tables.Track.embedder`; empty for the one that searching uses.

    Returns
    -------
    ``model`` and, for each kind with something to find, what `reid.metrics.Evaluation.as_json` gives, with the
    number of ``identities``.

    Raises
    ------
    ResightError
        ``identity.nothing_to_judge`` where no confirmed identity was described in two cameras.
    """
    with sessions() as session:
        name = model or models.active(session).name
        found = {kind.value: _features(session, name, kind) for kind in Kind}
    judged: dict[str, Any] = {}
    for step, (kind, features) in enumerate(found.items(), start=1):
        if features is not None:
            figures = evaluate(features, features).as_json()
            judged[kind] = {**figures, "identities": len(np.unique(features.identities))}
        on_progress(Progress("analyse", step / len(found), step, len(found), None, None))
    if not judged:
        raise ResightError("identity.nothing_to_judge", model=name)
    return {"model": name, "kinds": judged}


def _features(session: Session, model: str, kind: Kind) -> LabelledFeatures | None:
    """Return the confirmed tracks of a kind; None where no identity among them was seen by two cameras."""
    query = (
        select(Track.id, Track.identity_id, Video.camera_id)
        .join(Video, Video.id == Track.video_id)
        .where(Track.is_confirmed.is_(True), Track.identity_id.is_not(None), Track.kind == kind.value)
        .order_by(Track.id)
    )
    rows = session.execute(query).all()
    known = vectors.of_tracks(session, [track_id for track_id, _, _ in rows], model)
    kept = [(track_id, int(owner or 0), camera) for track_id, owner, camera in rows if track_id in known]
    cameras_of: dict[int, set[int]] = {}
    for _, owner, camera in kept:
        cameras_of.setdefault(owner, set()).add(camera)
    if not any(len(cameras) > 1 for cameras in cameras_of.values()):
        return None
    return LabelledFeatures(
        np.stack([known[track_id] for track_id, _, _ in kept]).astype(np.float32),
        np.array([owner for _, owner, _ in kept], np.int64),
        np.array([camera for _, _, camera in kept], np.int64),
    )
