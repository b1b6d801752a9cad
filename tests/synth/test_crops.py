from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from synth.__main__ import main
from synth.crops import GALLERY, QUERY, TRAIN, CropsPlan, render_crops, write_crops

SMALL = CropsPlan(identities=3, test_identities=2, cameras=3, per_camera=2, seed=5)


def test_the_same_plan_gives_the_same_crops_and_another_seed_others() -> None:
    first, second = list(render_crops(SMALL)), list(render_crops(SMALL))
    assert [crop.name for crop in first] == [crop.name for crop in second]
    assert all(np.array_equal(one.image_rgb, two.image_rgb) for one, two in zip(first, second, strict=True))
    other = next(iter(render_crops(replace(SMALL, seed=6))))
    assert not np.array_equal(first[0].image_rgb, other.image_rgb)


def test_identities_of_training_and_test_differ_and_each_query_has_an_answer_in_another_camera() -> None:
    crops = list(render_crops(SMALL))
    ids = {folder: {crop.identity for crop in crops if crop.folder == folder} for folder in (TRAIN, QUERY, GALLERY)}
    assert ids == {TRAIN: {1, 2, 3}, QUERY: {4, 5}, GALLERY: {4, 5}}
    gallery = {(crop.identity, crop.camera) for crop in crops if crop.folder == GALLERY}
    for query in (crop for crop in crops if crop.folder == QUERY):
        assert any(identity == query.identity and camera != query.camera for identity, camera in gallery)
    assert len({crop.name for crop in crops}) == len(crops)


def test_masks_say_where_the_person_is() -> None:
    crops = list(render_crops(replace(SMALL, crowding=0.0)))
    for crop in crops:
        assert crop.image_rgb.shape == (128, 64, 3)
        assert crop.image_rgb.dtype == np.uint8
        assert crop.mask.shape == (128, 64)
        assert crop.mask.min() >= 0
        assert crop.mask.max() <= 1
    mean = np.mean([crop.mask for crop in crops], axis=0)
    assert mean[40:90, 24:40].mean() > 2 * mean[40:90, :6].mean()


def test_the_command_writes_the_layout_of_market_1501(tmp_path: Path) -> None:
    flags = ["--identities", "1", "--test_identities", "1", "--cameras", "2", "--per_camera", "2", "--masks"]
    assert main(["crops", "--out", str(tmp_path), *flags]) == 0
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.jpg"))
    assert [name.rpartition("/")[0] for name in names] == [GALLERY] * 2 + [TRAIN] * 4 + [QUERY] * 2
    assert all(re.fullmatch(r".*/\d{4}_c[12]s1_\d{6}_\d{2}\.jpg", name) for name in names)
    for name in names:
        mask = cv2.imread(str(tmp_path / "masks" / name.replace(".jpg", ".png")), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        assert mask.shape == (128, 64)


def test_crops_that_are_there_already_are_not_mixed_with_new_ones(tmp_path: Path) -> None:
    plan = CropsPlan(identities=1, test_identities=0, cameras=2, per_camera=1)
    write_crops(plan, tmp_path)
    with pytest.raises(ValueError, match="is not empty"):
        write_crops(plan, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"), [("identities", 10_000), ("cameras", 1), ("cameras", 10), ("per_camera", 0)]
)
def test_a_plan_that_cannot_be_named_is_refused(name: str, value: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        replace(SMALL, **{name: value})
