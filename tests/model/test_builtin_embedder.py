from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from errors import ModelError
from model.builtin_embedder import WEIGHTS, BuiltinEmbedder
from model.registry import build_embedder
from synth.crops import CropsPlan, render_crops


def test_it_tells_rendered_people_apart_whom_it_never_saw() -> None:
    crops = list(render_crops(CropsPlan(identities=15, test_identities=0, cameras=2, per_camera=2, seed=90_210)))
    vectors = BuiltinEmbedder(threads=1).embed([np.ascontiguousarray(crop.image_rgb[..., ::-1]) for crop in crops])
    ids, cameras = (np.array([getattr(crop, name) for crop in crops]) for name in ("identity", "camera"))
    similarity, same = vectors @ vectors.T, ids[:, None] == ids
    one_camera = (cameras[:, None] == cameras) & ~np.eye(len(ids), dtype=bool)
    assert similarity[same & one_camera].mean() > similarity[~same & one_camera].mean() + 0.3


def test_vectors_have_unit_length_whatever_the_size_of_a_crop() -> None:
    rng = np.random.default_rng(0)
    sizes = [(1, 1), (300, 150), (40, 200), (128, 64)] + [(60, 30)] * 40
    vectors = BuiltinEmbedder(threads=1).embed([rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes])
    assert vectors.shape == (len(sizes), 128)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_no_crops_give_no_vectors() -> None:
    assert BuiltinEmbedder(threads=1).embed([]).shape == (0, 128)


def test_a_crop_gets_the_same_vector_alone_and_among_others() -> None:
    crops = list(np.random.default_rng(1).integers(0, 256, (3, 90, 40, 3), np.uint8))
    embedder = BuiltinEmbedder(threads=1)
    np.testing.assert_allclose(embedder.embed(crops)[1], embedder.embed(crops[1:2])[0], atol=1e-5)


def test_the_registry_knows_it_by_name_and_says_what_ran() -> None:
    embedder = build_embedder("builtin", Path("nowhere"), threads=1, use_gpu=False)
    assert (embedder.info.name, embedder.info.source, embedder.dimension) == ("builtin", str(WEIGHTS), 128)
    assert embedder.info.distances is not None


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.onnx"):
        BuiltinEmbedder(tmp_path / "nothing.onnx")
    with pytest.raises(ModelError, match="are wanted"):
        BuiltinEmbedder(WEIGHTS.parent / "detector.onnx", threads=1)


def test_the_weights_are_small() -> None:
    assert WEIGHTS.stat().st_size < 1 << 20
