"""What is kept of each track."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.summaries import RunningSummary
from records import FloatArray, Kind

_CROP = np.random.default_rng(0).integers(0, 256, (60, 30, 3), dtype=np.uint8)


def _add(
    running: RunningSummary,
    frame: int,
    *,
    class_id: int = 0,
    score: float = 0.5,
    rating: float = 0.5,
    embedding: FloatArray | None = None,
) -> None:
    running.add(
        frame=frame,
        pts_s=frame / 10,
        class_id=class_id,
        score=score,
        rating=rating,
        embedding=embedding,
        crop_bgr=_CROP,
    )


def test_one_box_makes_a_track() -> None:
    running = RunningSummary(4, Kind.PERSON)
    _add(running, 7, score=0.6, embedding=np.array([0, 1], np.float32))
    summary = running.summary()
    assert (summary.number, summary.kind, summary.class_name) == (4, Kind.PERSON, "person")
    assert (summary.first_frame, summary.last_frame, summary.point_count) == (7, 7, 1)
    assert (summary.first_s, summary.last_s) == (0.7, 0.7)
    assert summary.mean_score == pytest.approx(0.6)
    assert summary.embedding is not None
    assert summary.embedding.tolist() == [0, 1]
    assert summary.crop_frame == 7
    assert summary.crop_jpeg.startswith(b"\xff\xd8")


def test_a_track_that_begins_with_the_video_starts_at_frame_0() -> None:
    running = RunningSummary(1, Kind.PERSON)
    _add(running, 0)
    _add(running, 1)
    assert (running.summary().first_frame, running.summary().first_s) == (0, 0.0)


def test_the_class_is_the_one_most_boxes_have() -> None:
    running = RunningSummary(1, Kind.VEHICLE)
    for frame, class_id in enumerate((5, 2, 2, 5, 2)):
        _add(running, frame, class_id=class_id)
    assert running.summary().class_name == "car"


def test_the_embedding_is_a_mean_weighed_by_rating_of_unit_length() -> None:
    running = RunningSummary(1, Kind.PERSON)
    _add(running, 0, rating=0.9, embedding=np.array([1, 0], np.float32))
    _add(running, 1, rating=0.3, embedding=np.array([0, 1], np.float32))
    embedding = running.summary().embedding
    assert embedding is not None
    assert embedding.dtype == np.float32
    np.testing.assert_allclose(embedding, np.array([3, 1]) / np.sqrt(10), rtol=1e-6)


def test_without_an_embedder_there_is_no_embedding() -> None:
    running = RunningSummary(1, Kind.PERSON)
    _add(running, 0)
    assert running.summary().embedding is None


def test_embeddings_that_cancel_out_have_no_direction() -> None:
    running = RunningSummary(1, Kind.PERSON)
    _add(running, 0, embedding=np.array([1, 0], np.float32))
    _add(running, 1, embedding=np.array([-1, 0], np.float32))
    assert running.summary().embedding is None


def test_adding_does_not_change_the_embedding_given() -> None:
    running = RunningSummary(1, Kind.PERSON)
    given = np.array([1, 0], np.float32)
    _add(running, 0, embedding=given)
    _add(running, 1, embedding=given)
    assert given.tolist() == [1, 0]


def test_a_track_without_a_box_has_no_summary() -> None:
    with pytest.raises(ValueError, match="track 3 has no box"):
        RunningSummary(3, Kind.PERSON).summary()
