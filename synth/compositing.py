"""People and vehicles put into a picture, far ones first, with what hides them, and the exact truth about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from records import FloatArray, Image, IntArray
from synth.render_scenes import blend_ellipse, overlap

_SEEN_ALPHA = 0.5


@dataclass(frozen=True, eq=False)
class Placed:
    """One sprite at its place in the picture, in its final size.

    Attributes
    ----------
    image_rgb : (H, W, 3) float32, 0 to 1; alpha : (H, W) float32.
    left, top : of its first pixel.
    depth_m : along the axis of view.
    foot_xy : pixel of the ground under its middle; ground_px : half widths of its contact shadow there.
    class_id : index into `CLASS_NAMES`; identity : in the whole world.
    reach_m : how far it comes from its middle towards the camera; what stands within that does not hide it, the
        ground before its feet above all.
    cast_xy : (N, 2) pixels around the shadow that it casts in the sun; None without one.
    """

    image_rgb: FloatArray
    alpha: FloatArray
    left: int
    top: int
    depth_m: float
    foot_xy: tuple[float, float]
    ground_px: tuple[float, float]
    class_id: int
    identity: int
    reach_m: float = 0.25
    cast_xy: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Composite:
    """A picture and its truth.

    Attributes
    ----------
    image_rgb : (H, W, 3) float32, 0 to 1.
    boxes_xyxy : (N, 4) float32: the smallest box around all of a thing's pixels, also those that are hidden or
        lie outside the picture.
    visibility : (N,) share of its pixels that are seen.
    class_ids, identities : (N,).
    """

    image_rgb: FloatArray
    boxes_xyxy: FloatArray
    visibility: FloatArray
    class_ids: IntArray
    identities: IntArray


def composite(
    backdrop_rgb: FloatArray,
    depth_m: FloatArray,
    placed: Sequence[Placed],
    *,
    shadow: float = 0.35,
    cast: float = 0.0,
) -> Composite:
    """Paste sprites into a backdrop.

    Parameters
    ----------
    backdrop_rgb : (H, W, 3) float32, 0 to 1; not changed.
    depth_m : (H, W) of the backdrop; nearer parts of it hide sprites.
    shadow : darkness of contact shadows; cast : of those that the sun casts.

    Returns
    -------
    the truth is in the order of ``placed``; a sprite without a solid pixel has visibility 0 and an empty box.
    """
    image = np.array(backdrop_rgb, np.float32)
    height, width = depth_m.shape
    owner = np.full((height, width), -1, np.int32)
    boxes, solid = np.zeros((len(placed), 4), np.float32), np.zeros(len(placed), np.int64)
    if cast > 0:
        _cast_shadows(image, [item.cast_xy for item in placed if item.cast_xy is not None], cast)
    order = sorted(range(len(placed)), key=lambda index: -placed[index].depth_m)
    for index in order:
        item = placed[index]
        if shadow > 0 and item.ground_px[0] >= 1:
            blend_ellipse(image, item.foot_xy, item.ground_px, shadow)
        boxes[index], solid[index] = _tight_box(item)
        inside = overlap((item.left, item.top, item.alpha.shape[1], item.alpha.shape[0]), width, height)
        if inside is None:
            continue
        rows, columns, part_rows, part_columns = inside
        cover = item.alpha[part_rows, part_columns] * (depth_m[rows, columns] > item.depth_m - item.reach_m)
        image[rows, columns] += (item.image_rgb[part_rows, part_columns] - image[rows, columns]) * cover[..., None]
        owner[rows, columns][cover > _SEEN_ALPHA] = index
    seen = np.bincount(owner[owner >= 0], minlength=len(placed))
    return Composite(
        image,
        boxes,
        (seen / np.maximum(solid, 1)).astype(np.float32),
        np.array([item.class_id for item in placed], np.int64),
        np.array([item.identity for item in placed], np.int64),
    )


def _cast_shadows(image: FloatArray, outlines: Sequence[FloatArray], darkness: float) -> None:
    """Darken what lies within the outlines, softly; where several fall together it is no darker."""
    shade = np.zeros(image.shape[:2], np.float32)
    for outline in outlines:
        cv2.fillConvexPoly(shade, np.round(outline).astype(np.int32), 1.0, cv2.LINE_AA)
    image *= (1 - darkness * cv2.blur(shade, (3, 3)))[..., None]


def _tight_box(item: Placed) -> tuple[FloatArray, int]:
    """Return the box around the solid pixels, x1, y1, x2, y2 half-open, and their number."""
    mask = item.alpha > _SEEN_ALPHA
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros(4, np.float32), 0
    corners = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    return np.array(corners, np.float32) + np.array([item.left, item.top] * 2, np.float32), int(mask.sum())


def place_sprite(
    rgba: Image,
    anchor_xy: tuple[float, float],
    scale: float,
    foot_xy: tuple[float, float],
    *,
    depth_m: float,
    class_id: int,
    identity: int = -1,
    gain: FloatArray | float = 1.0,
    flatness: float = 0.2,
    reach_m: float = 0.25,
) -> Placed:
    """Scale a sprite and put its anchor on a pixel.

    Parameters
    ----------
    gain : factors on its colours.
    flatness : height of the contact shadow over its width, the sine of the camera's pitch.
    """
    height, width = max(3, round(rgba.shape[0] * scale)), max(2, round(rgba.shape[1] * scale))
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    sized = cv2.resize(rgba, (width, height), interpolation=flags).astype(np.float32) * np.float32(1 / 255)
    alpha = np.ascontiguousarray(sized[..., 3])
    # Sprites are black where nothing is drawn: undo that at their soft edges.
    colours = sized[..., :3] if scale >= 1 else sized[..., :3] / np.maximum(alpha, 0.25)[..., None] ** 0.5
    colours = np.clip(colours * gain, 0, 1)
    left = round(foot_xy[0] - anchor_xy[0] * scale)
    top = round(foot_xy[1] - anchor_xy[1] * scale)
    half = width * 0.45
    shadow = (half, max(1.0, half * max(flatness, 0.08)))
    return Placed(colours, alpha, left, top, depth_m, foot_xy, shadow, class_id, identity, reach_m)
