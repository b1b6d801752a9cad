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
_SURE_REST_PX = 0.15  # less than this, by the brightness at the corners alone, is not looked into
_MIN_INLIER_SHARE = 0.3
_KEY_FRAMES = 25  # a key picture is taken anew after so many
_PATCH = np.arange(-2, 3)
_ZOOM_MEMORY_FRAMES = 750


class CameraMotion:
    """Estimates the similarity that carries points of one frame to the next; None while the camera rests.

    Corners outside of the boxes of people and vehicles are followed by sparse
    optical flow (Lucas and Kanade, pyramids) in a small grey picture, and a
    similarity is fitted by RANSAC, as BoT-SORT does. They are followed from a
    key picture, not from the last one: a pan too slow to be seen from frame to
    frame adds up until it is seen. Most cameras rest, and that is told without
    following, from the brightness around the corners.
    """

    def __init__(self) -> None:
        self._key: _KeyPicture | None = None
        self._key_age = 0

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
        small, scale = _small_grey(image_bgr)
        boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4) * scale
        key, self._key_age = self._key, self._key_age + 1
        affine = None
        if key is not None and key.small.shape == small.shape:
            is_free = ~_are_inside(key.corners, boxes)
            if self._key_age < _KEY_FRAMES and key.surely_rests(small, is_free):
                return None
            affine, is_resting = key.motion_to(small, is_free)
            if is_resting and self._key_age < _KEY_FRAMES:
                return None
        self._key, self._key_age = _KeyPicture(small, boxes), 0
        if affine is not None:
            affine[:, 2] /= scale
        return affine


class _KeyPicture:
    """A small picture, the corners to be found again in later ones, and how bright it is around them.

    Attributes
    ----------
    small : (h, w) uint8. corners : (C, 2) float32; C may be 0.
    """

    def __init__(self, small: NDArray[Any], boxes_xyxy: Floats) -> None:
        self.small = small
        self.corners = _find_corners(small, boxes_xyxy)
        self._patches = self._around_corners(small)
        across, down = (
            self._around_corners(cv2.Sobel(small, cv2.CV_32F, *order, ksize=1)) for order in ((1, 0), (0, 1))
        )
        self._slopes = (np.abs(across) + np.abs(down)).sum(axis=1) / 2  # the kernel −1, 0, 1 is twice the slope

    def surely_rests(self, small: NDArray[Any], is_free: NDArray[np.bool_]) -> bool:
        """Tell that the camera did not move, without following corners.

        A shift by d changes the brightness by d times its slope, so that the ratio of both, here the median over the
        corners with the change of the light taken out, is a bound of the shift.

        Parameters
        ----------
        is_free : (C,) bool, corners that nobody stands before.
        """
        if is_free.sum() < _MIN_CORNERS:
            return False
        changes = (self._around_corners(small) - self._patches)[is_free]
        changes -= changes.mean(axis=1, keepdims=True)
        shifts = np.abs(changes).sum(axis=1) / np.maximum(self._slopes[is_free], 1.0)
        return bool(np.median(shifts) < _SURE_REST_PX)

    def motion_to(self, small: NDArray[Any], is_free: NDArray[np.bool_]) -> tuple[Floats | None, bool]:
        """Return the (2, 3) similarity to a later picture, None if at rest or not to be told; and whether it rests."""
        corners = self.corners[is_free]
        if len(corners) < _MIN_CORNERS:
            return None, False
        followed = cv2.calcOpticalFlowPyrLK(self.small, small, corners[:, None], None, winSize=(15, 15), maxLevel=3)  # type: ignore[call-overload]  # nextPts may be None
        is_found = followed[1][:, 0] == 1
        before, after = corners[is_found], followed[0][is_found, 0]
        if len(before) < _MIN_CORNERS:
            return None, False
        if np.median(np.linalg.norm(after - before, axis=1)) < _REST_PX:
            return None, True
        affine, inliers = cv2.estimateAffinePartial2D(
            before, after, method=cv2.RANSAC, ransacReprojThreshold=1.5, maxIters=300
        )
        if affine is None or inliers.sum() < max(10, _MIN_INLIER_SHARE * len(before)):
            return None, False
        fitted = before @ affine[:, :2].T + affine[:, 2]
        if np.median(np.linalg.norm(fitted - before, axis=1)) < _REST_PX:
            return None, True  # what moved was not the camera
        return np.asarray(affine, np.float64), False

    def _around_corners(self, picture: NDArray[Any]) -> NDArray[np.float32]:
        """Return the (C, 25) values of the 5×5 pixels around each corner."""
        height, width = picture.shape
        x, y = self.corners.astype(np.int64).T[..., None, None]
        columns, rows = np.clip(x + _PATCH, 0, width - 1), np.clip(y + _PATCH[:, None], 0, height - 1)
        patches: NDArray[np.float32] = picture[rows, columns].astype(np.float32)
        return patches.reshape(len(self.corners), _PATCH.size**2)


def _small_grey(image_bgr: Image) -> tuple[NDArray[Any], float]:
    """Return the picture in grey, its long side at most `_MAX_SIDE`, and by what it was scaled.

    It is halved by exact means, which is fast, and the rest of the way is short enough for two-by-two pixels.
    """
    height, width = image_bgr.shape[:2]
    scale = min(1.0, _MAX_SIDE / max(height, width))
    image: NDArray[Any] = image_bgr
    while max(image.shape[:2]) >= 4 * _MAX_SIDE and min(image.shape[:2]) > 1:
        image = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2GRAY), scale


def _find_corners(small: NDArray[Any], boxes_xyxy: Floats) -> NDArray[np.float32]:
    """Return (C, 2) corners outside of the boxes; C may be 0."""
    mask = np.full(small.shape, 255, np.uint8)
    for x1, y1, x2, y2 in np.maximum(boxes_xyxy, 0).astype(int):
        mask[y1 : y2 + 1, x1 : x2 + 1] = 0
    corners: NDArray[Any] | None = cv2.goodFeaturesToTrack(small, _CORNERS, 0.01, 7, mask=mask)
    return np.zeros((0, 2), np.float32) if corners is None else np.asarray(corners[:, 0], np.float32)


def _are_inside(points: NDArray[np.float32], boxes_xyxy: Floats) -> NDArray[np.bool_]:
    """Return (C,) whether each of the points (C, 2) lies in any of the boxes (N, 4)."""
    x, y = points[:, :1], points[:, 1:]
    x1, y1, x2, y2 = boxes_xyxy.T
    inside: NDArray[np.bool_] = ((x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)).any(axis=1)
    return inside


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
