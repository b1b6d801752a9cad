from __future__ import annotations

import numpy as np
import pytest

from errors import DataError
from model.embedding_spec import Preprocessing
from records import FloatArray
from reid.datasets.crops import CropArrays
from reid.training.judging import HeldOut, embed_crops, judge, summary
from tests.reid.training.figures import SIZE_WH, draw_crops

PREPROCESSING = Preprocessing(sizes_wh=(SIZE_WH,))


def colours(images: FloatArray) -> FloatArray:
    """Embed pictures by their mean colours in three stripes."""
    return np.concatenate([part.mean(axis=(2, 3)) for part in np.array_split(images, 3, axis=2)], axis=1)


def pixels(count: int) -> np.ndarray:
    return np.zeros((count, 4, 2, 3), np.uint8)


def test_embeddings_come_in_the_order_of_the_crops_whatever_the_batch() -> None:
    crops = draw_crops(range(1, 4), each=3)
    by_two = embed_crops(colours, crops, PREPROCESSING, batch_size=2)
    at_once = embed_crops(colours, crops, PREPROCESSING)
    np.testing.assert_allclose(by_two.features, at_once.features, atol=1e-6)
    assert by_two.identities.tolist() == crops.identities.tolist()


def test_without_a_gallery_all_pictures_are_searched() -> None:
    evaluation = judge(colours, HeldOut(draw_crops(range(1, 9))), PREPROCESSING)
    assert set(summary(evaluation)) == {"recall_1", "mAP"}
    assert evaluation.rank(1) > 0.5


def test_with_a_gallery_the_rule_of_cameras_holds() -> None:
    crops = draw_crops(range(1, 9))
    evaluation = judge(colours, HeldOut(crops, crops), PREPROCESSING)
    assert set(summary(evaluation)) == {"rank_1", "rank_5", "mAP"}
    assert evaluation.judged_queries == len(crops)


@pytest.mark.parametrize(
    ("query", "gallery"),
    [
        (CropArrays(pixels(2), np.array([1, 2])), None),
        (CropArrays(pixels(1), np.array([1]), np.array([1])), CropArrays(pixels(1), np.array([1]), np.array([1]))),
        (CropArrays(pixels(1), np.array([1]), np.array([1])), CropArrays(pixels(1), np.array([2]), np.array([2]))),
    ],
)
def test_what_cannot_be_measured_is_told_at_once(query: CropArrays, gallery: CropArrays | None) -> None:
    with pytest.raises(DataError, match="query pictures has a picture of the same identity to be found"):
        HeldOut(query, gallery)
