from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from errors import DataError
from model.hsv_stripes import HsvStripes
from records import FloatArray, Image, ModelInfo
from reid.datasets.crops import read_picture
from reid.flipping import FlippingEmbedder
from reid.gallery import open_gallery
from reid.vehicle_search import (
    VehicleMatch,
    embed_vehicles,
    filter_matches,
    load_gallery_embeddings,
    load_model,
    score_candidates,
)


class CountingEmbedder:
    """The colour descriptor, and how many crops it has seen."""

    def __init__(self, name: str = "counting") -> None:
        self._embedder = HsvStripes()
        self.dimension = self._embedder.dimension
        self.max_cosine_distance = self._embedder.max_cosine_distance
        self.info = ModelInfo(name)
        self.seen = 0

    def embed(self, crops_bgr: Sequence[Image]) -> FloatArray:
        self.seen += len(crops_bgr)
        return self._embedder.embed(crops_bgr)


COLOURS = {"red": (20, 20, 200), "green": (20, 180, 20), "blue": (200, 40, 20)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a gallery of three identities with four pictures each, and one picture of nobody known."""
    for name in COLOURS:
        for number in range(4):
            write_picture(tmp_path / "gallery" / name / f"{number}.png", name, seed=number)
    write_picture(tmp_path / "gallery" / "loose.png", "red", seed=9)
    return tmp_path / "gallery"


def write_picture(path: Path, colour: str, *, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(0, 25, (64, 32, 3))
    cv2.imwrite(str(path), (noise + COLOURS[colour]).clip(0, 255).astype(np.uint8))
    return path


def test_the_most_alike_come_first_with_their_identity(folder: Path, tmp_path: Path) -> None:
    embedder = HsvStripes()
    query = embedder.embed([read_picture(write_picture(tmp_path / "q.png", "green", seed=50))])
    answers = open_gallery(folder, embedder).search(query, top=5)
    assert [answer.picture.identity for answer in answers[:4]] == ["green"] * 4
    assert answers[4].picture.identity != "green"
    scores = [answer.score for answer in answers]
    assert scores == sorted(scores, reverse=True)


def test_pictures_directly_in_the_gallery_have_no_identity(folder: Path) -> None:
    gallery = open_gallery(folder, HsvStripes())
    assert [picture.identity for picture in gallery.pictures if picture.path.name == "loose.png"] == [""]
    assert len(gallery.pictures) == 13


def test_several_queries_are_asked_for_as_one(folder: Path) -> None:
    gallery = open_gallery(folder, HsvStripes())
    queries = gallery.features[[0, 4]]
    mean = queries.mean(axis=0)
    best = gallery.search(queries, top=1)[0]
    assert best.score == pytest.approx(float((gallery.features @ mean / np.linalg.norm(mean)).max()), abs=1e-6)
    with pytest.raises(ValueError, match="queries must have shape"):
        gallery.search(np.zeros((0, gallery.features.shape[1]), np.float32))


def test_low_scores_and_more_than_the_wanted_number_are_left_out(folder: Path) -> None:
    gallery = open_gallery(folder, HsvStripes())
    query = gallery.features[:1]
    assert len(gallery.search(query, top=3)) == 3
    assert len(gallery.search(query, top=100)) == 13
    assert all(answer.score >= 0.9 for answer in gallery.search(query, min_score=0.9))
    assert gallery.search(query, min_score=1.1) == []


def test_reranked_answers_are_the_same_pictures_in_another_order(folder: Path) -> None:
    gallery = open_gallery(folder, HsvStripes())
    plain, reranked = gallery.search(gallery.features[:1]), gallery.search_reranked(gallery.features[:1])
    assert {answer.picture for answer in plain} == {answer.picture for answer in reranked}
    assert [answer.picture.identity for answer in reranked[:4]] == ["blue"] * 4


def test_embeddings_are_made_once_and_kept(folder: Path) -> None:
    embedder = CountingEmbedder()
    first = open_gallery(folder, embedder)
    again = open_gallery(folder, embedder)
    assert (first.embedded, again.embedded, embedder.seen) == (13, 0, 13)
    assert (again.features == first.features).all()


def test_only_pictures_that_changed_are_embedded_anew(folder: Path) -> None:
    embedder = CountingEmbedder()
    open_gallery(folder, embedder)
    write_picture(folder / "red/0.png", "blue", seed=70)
    os.utime(folder / "red/1.png", ns=(1, 1))
    (folder / "red/2.png").unlink()
    write_picture(folder / "black/new.png", "red", seed=71)
    gallery = open_gallery(folder, embedder)
    assert gallery.embedded == 3
    assert len(gallery.pictures) == 13
    fresh = HsvStripes().embed([read_picture(picture.path) for picture in gallery.pictures])
    assert gallery.features == pytest.approx(fresh, abs=1e-6)
    assert open_gallery(folder, embedder).embedded == 0


def test_another_model_never_gets_kept_embeddings(folder: Path, tmp_path: Path) -> None:
    open_gallery(folder, CountingEmbedder())
    assert open_gallery(folder, CountingEmbedder("other")).embedded == 13
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"1")
    embedder = CountingEmbedder()
    embedder.info = ModelInfo("net", str(weights))
    assert [open_gallery(folder, embedder).embedded for _ in range(2)] == [13, 0]
    weights.write_bytes(b"22")
    assert open_gallery(folder, embedder).embedded == 13


def test_files_that_are_no_pictures_are_named_and_left_out(folder: Path) -> None:
    (folder / "red/broken.png").write_bytes(b"no picture")
    (folder / "red/.hidden.png").write_bytes(b"no picture")
    gallery = open_gallery(folder, HsvStripes())
    assert gallery.unreadable == (folder / "red/broken.png",)
    assert len(gallery.pictures) == len(gallery.features) == 13


def test_a_damaged_cache_is_made_anew(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    embedder = CountingEmbedder()
    open_gallery(folder, embedder)
    (cache,) = folder.glob(".embeddings-*.npz")
    cache.write_bytes(cache.read_bytes()[:100])
    assert open_gallery(folder, embedder).embedded == 13
    assert "made anew" in caplog.text
    assert open_gallery(folder, embedder).embedded == 0


def test_a_gallery_without_pictures_is_an_error_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing"):
        open_gallery(tmp_path / "missing", HsvStripes())
    with pytest.raises(DataError, match="No picture"):
        open_gallery(tmp_path, HsvStripes())
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(DataError, match="No picture"):
        open_gallery(tmp_path, HsvStripes())


def test_flipped_embeddings_are_the_sum_of_both_sides() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 20, 3)).astype(np.uint8)
    plain = HsvStripes()
    total = plain.embed([image])[0] + plain.embed([np.ascontiguousarray(image[:, ::-1])])[0]
    flipping = FlippingEmbedder(plain)
    assert flipping.embed([image])[0] == pytest.approx(total / np.linalg.norm(total), abs=1e-6)
    assert flipping.embed([image])[0] == pytest.approx(flipping.embed([image[:, ::-1]])[0], abs=1e-6)
    assert flipping.embed([]).shape == (0, plain.dimension)
    assert flipping.info.name == "hsv_stripes+flip"


def test_a_vehicle_is_found_by_its_plate_s_gallery(folder: Path, tmp_path: Path) -> None:
    model = load_model("hsv_stripes")
    gallery = load_gallery_embeddings(folder, "red", model)
    assert gallery.shape == (4, model.dimension)
    crops = [
        read_picture(write_picture(tmp_path / f"{number}.png", name, seed=80 + number))
        for number, name in enumerate(["red", "blue", "red", "green"])
    ]
    scores = score_candidates(crops, gallery, model)
    assert scores == pytest.approx((embed_vehicles(crops, model) @ gallery.T).max(axis=1))
    matches = filter_matches(scores, np.array([1, 1, 2, 2]), min_score=0.9)
    assert [(match.frame, match.candidate) for match in matches] == [(1, 0), (2, 2)]


def test_matches_are_the_best_of_each_frame_above_the_least_score() -> None:
    scores = np.array([0.9, 0.7, 0.95, 0.59, 0.6], np.float32)
    frames = np.array([5, 5, 5, 5, 2])
    assert filter_matches(scores, frames, top_k=2) == [
        VehicleMatch(2, 4, pytest.approx(0.6)),
        VehicleMatch(5, 2, pytest.approx(0.95)),
        VehicleMatch(5, 0, pytest.approx(0.9)),
    ]
    assert len(filter_matches(scores, frames)) == 4
    assert filter_matches(np.zeros(0, np.float32), np.zeros(0, np.int64)) == []


def test_plates_lead_to_no_other_folder(folder: Path) -> None:
    model = load_model("hsv_stripes")
    for plate in ("../gallery/red", "", "red/..", "/etc", "nobody"):
        with pytest.raises(DataError):
            load_gallery_embeddings(folder, plate, model)
    with pytest.raises(ValueError, match="cpu or cuda"):
        load_model("hsv_stripes", device="tpu")
    with pytest.raises(ValueError, match="gallery must have shape"):
        score_candidates([], np.zeros((0, model.dimension), np.float32), model)
