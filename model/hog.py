"""OpenCV's HOG detector of standing people: needs no weights, misses many, sees no vehicles."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from boxes import clip_to_frame, iou, non_maximum_suppression
from records import Detections, FloatArray, Image, ModelInfo

DEFAULT_THRESHOLD = 0.5

DEFAULT_WORKING_SIDE = 1104
_MAX_ENLARGEMENT = 2.0
_WINDOW_WIDTH, _WINDOW_HEIGHT = 64, 128
_BODY_WIDTH, _BODY_HEIGHT = 0.70, 0.84
_PYRAMID_STEP = 1.08  # 1.05 finds as much in twice the time
_MAX_IOU = 0.45
_CLUSTER_IOU = 0.5


class HogDetector:
    """Find standing people with histograms of oriented gradients and a linear SVM.

    The window is 64×128 pixels around a person of about 100, so people of
    surveillance pictures, who are smaller, are missed at the native size. Every
    picture is therefore scaled so that its longer side has ``working_side``
    pixels, at most twice its own.

    The many hits around one person are clustered: the best hit names the
    cluster, its box is the mean of the hits weighted by their margins, and hits
    that agree raise the score.

    Parameters
    ----------
    threshold : lowest score, 0 to 1, of a box that is returned.
    threads : threads of OpenCV; set for the whole process.
    working_side : the larger, the smaller the people that are found, and the longer it takes.
    """

    def __init__(
        self,
        *,
        threshold: float = DEFAULT_THRESHOLD,
        threads: int = 0,
        working_side: int = DEFAULT_WORKING_SIDE,
        info: ModelInfo | None = None,
    ) -> None:
        self.info = info or ModelInfo("hog")
        self._threshold = threshold
        self._working_side = working_side
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector(), np.float32))
        if threads > 0:
            cv2.setNumThreads(threads)

    def detect(self, images_bgr: Sequence[Image]) -> list[Detections]:
        """Return the people in each picture; see `Detector.detect`."""
        return [self._detect_one(image) for image in images_bgr]

    def _detect_one(self, image_bgr: Image) -> Detections:
        height, width = image_bgr.shape[:2]
        scale = min(_MAX_ENLARGEMENT, self._working_side / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if size[0] < _WINDOW_WIDTH or size[1] < _WINDOW_HEIGHT:
            return Detections.empty()
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        hits_tlwh, margins = self._hog.detectMultiScale(
            cv2.resize(image_bgr, size, interpolation=method),
            hitThreshold=0.0,
            winStride=(8, 8),
            padding=(8, 8),
            scale=_PYRAMID_STEP,
            groupThreshold=0,  # the hits themselves; clustered below
        )
        if not len(margins):
            return Detections.empty()
        rows = np.column_stack([hits_tlwh, margins]).astype(np.float32)
        rows = rows[np.lexsort(rows.T)]  # OpenCV's threads deliver them in any order; results must not depend on it
        boxes_xyxy, strengths = _cluster(_bodies(rows[:, :4]) / np.float32(scale), rows[:, 4])
        scores = _score(strengths)
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= self._threshold]
        return Detections(
            clip_to_frame(boxes_xyxy[order], width, height), scores[order], np.zeros(len(order), np.int64)
        )


def _bodies(hits_tlwh: FloatArray) -> FloatArray:
    """Return (N, 4) boxes x1, y1, x2, y2 without the margin that the window keeps around a person."""
    centres = hits_tlwh[:, :2] + hits_tlwh[:, 2:] / 2
    halves = hits_tlwh[:, 2:] / 2 * np.array([_BODY_WIDTH, _BODY_HEIGHT], np.float32)
    return np.concatenate([centres - halves, centres + halves], axis=1)


def _cluster(hits_xyxy: FloatArray, margins: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (K, 4) mean boxes and (K,) strengths m·log(1 + Σm / m), m being a cluster's best margin."""
    best = non_maximum_suppression(hits_xyxy, margins, np.zeros(len(margins), np.int64), _MAX_IOU)
    overlaps = iou(hits_xyxy[best], hits_xyxy)
    belongs = (overlaps.argmax(axis=0) == np.arange(len(best))[:, None]) & (overlaps >= _CLUSTER_IOU)
    weights = belongs * margins
    sums = weights.sum(axis=1)
    boxes_xyxy = (weights @ hits_xyxy) / sums[:, None]
    strengths = margins[best] * np.log1p(sums / margins[best])
    return boxes_xyxy.astype(np.float32), strengths.astype(np.float32)


def _score(strengths: FloatArray) -> FloatArray:
    """Map strengths to [0, 1]; 0.5 is a strength of 1, near the best F1 over three real sequences."""
    scores: FloatArray = (1 / (1 + np.exp(2 - 2 * strengths))).astype(np.float32)
    return scores
