"""How the camera moved between successive frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from records import Image

Floats = NDArray[np.float64]

_MAX_SIDE = 320  # of the small picture in which corners are followed
_CORNERS = 150
_MIN_CORNERS = 12
_REST_PX = 0.35  # of the small picture: less is noise of a resting camera
_MIN_INLIER_SHARE = 0.3
_ZOOM_MEMORY_FRAMES = 750


class CameraMotion:
    """Estimates the similarity that carries points of one frame to the next; None while the camera rests.

    Corners outside of the boxes of people and vehicles are followed by sparse
    optical flow (Lucas and Kanade, pyramids) in a small grey picture, and a
    similarity is fitted by RANSAC, as BoT-SORT does.
    """

    def __init__(self) -> None:
        self._small: NDArray[Any] | None = None
        self._corners: NDArray[Any] | None = None

    def step(self, image_bgr: Image, boxes_xyxy: NDArray[Any]) -> Floats | None:
        """Take in one frame.

        Parameters
        ----------
        image_bgr : (H, W, 3) uint8; all frames of one size.
        boxes_xyxy : (N, 4) pixels, what moves by itself in this frame; N may be 0.

        Returns
        -------
        (2, 3) float64 that carries points of the last frame to this one, in pixels of the frame. None if the camera
        rests, for the first frame, and where too little can be followed to tell.
        """
        height, width = image_bgr.shape[:2]
        scale = min(1.0, _MAX_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.cvtColor(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        affine = self._follow(small)
        if affine is not None:
            affine[:, 2] /= scale
        self._small, self._corners = small, _find_corners(small, np.asarray(boxes_xyxy) * scale)
        return affine

    def _follow(self, small: NDArray[Any]) -> Floats | None:
        if self._small is None or self._small.shape != small.shape or self._corners is None:
            return None
        if len(self._corners) < _MIN_CORNERS:
            return None
        followed = cv2.calcOpticalFlowPyrLK(self._small, small, self._corners, None, winSize=(15, 15), maxLevel=3)  # type: ignore[call-overload]  # nextPts may be None
        is_found = followed[1][:, 0] == 1
        before, after = self._corners[is_found, 0], followed[0][is_found, 0]
        if len(before) < _MIN_CORNERS or np.median(np.linalg.norm(after - before, axis=1)) < _REST_PX:
            return None
        affine, inliers = cv2.estimateAffinePartial2D(
            before, after, method=cv2.RANSAC, ransacReprojThreshold=1.5, maxIters=300
        )
        if affine is None or inliers.sum() < max(10, _MIN_INLIER_SHARE * len(before)):
            return None
        fitted = before @ affine[:, :2].T + affine[:, 2]
        if np.median(np.linalg.norm(fitted - before, axis=1)) < _REST_PX:
            return None  # what moved was not the camera
        return np.asarray(affine, np.float64)


def _find_corners(small: NDArray[Any], boxes_xyxy: NDArray[Any]) -> NDArray[Any] | None:
    mask = np.full(small.shape, 255, np.uint8)
    for x1, y1, x2, y2 in np.maximum(boxes_xyxy, 0).astype(int):
        mask[y1 : y2 + 1, x1 : x2 + 1] = 0
    corners: NDArray[Any] | None = cv2.goodFeaturesToTrack(small, _CORNERS, 0.01, 7, mask=mask)
    return corners


def to_first_frame(affines: Sequence[Floats | None], *, width: int, height: int) -> Floats | None:
    """Chain steps of the camera to matrices that carry points of each frame to one common ground.

    The ground is the first frame as long as the camera does not zoom. Errors of the zoom multiply and would carry an
    hour's chain to scales of which floating point keeps no digits, so the zoom about the middle of the view fades back
    to 1 within some 30 seconds: the ground breathes by some pixels a second there, which is less than people move.
    Errors of the place only add up and cancel out, since all that is compared is seconds apart.

    Parameters
    ----------
    affines : F of them, from `CameraMotion.step`.
    width, height : of a frame, pixels.

    Returns
    -------
    (F, 3, 3) float64; None if the camera rested all the time.
    """
    if all(affine is None for affine in affines):
        return None
    middle = np.array([width / 2, height / 2, 1.0])
    fading = 1 / _ZOOM_MEMORY_FRAMES
    matrices = np.empty((len(affines), 3, 3))
    current = np.eye(3)
    for index, affine in enumerate(affines):
        if affine is not None:
            current = current @ np.linalg.inv(np.vstack([affine, [0.0, 0.0, 1.0]]))
            zoom = math.sqrt(abs(float(np.linalg.det(current[:2, :2])))) ** -fading
            centre = current[:2] @ middle
            current[:2, :2] *= zoom
            current[:2, 2] = centre + zoom * (current[:2, 2] - centre)
        matrices[index] = current
    return matrices
