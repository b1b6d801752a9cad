"""Draw boxes, numbers and trails on pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from records import FloatArray, Image, IntArray

TRACK_COLOURS: tuple[str, ...] = (
    "#FFD400", "#00D5FF", "#FF6B6B", "#7CFF4F", "#FF8BE0", "#FF9A1F",
    "#8FB4FF", "#2FF5B0", "#E0B0FF", "#E3FF3B", "#FFC1A8", "#9DF0FF",
)  # fmt: skip
"""Bright on any scene, black text readable on each; track ``n`` has colour ``n % 12``."""

_BASE_SIDE = 480
_TRAIL_FRAMES = 40


class Annotator:
    """Draw tracks on the frames of one video, in order; lines and letters grow with the picture.

    Parameters
    ----------
    width, height : of the frames, in pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        import supervision

        unit = min(width, height) / _BASE_SIDE
        thickness = max(1, round(1.6 * unit))
        colours = supervision.ColorPalette.from_hex(list(TRACK_COLOURS))
        by_track = supervision.ColorLookup.TRACK
        self._make_detections = supervision.Detections
        self._trails = supervision.TraceAnnotator(
            color=colours,
            position=supervision.Position.BOTTOM_CENTER,
            trace_length=_TRAIL_FRAMES,
            thickness=thickness,
            color_lookup=by_track,
        )
        self._boxes = supervision.BoxAnnotator(color=colours, thickness=thickness, color_lookup=by_track)
        self._labels = supervision.LabelAnnotator(
            color=colours,
            color_lookup=by_track,
            text_color=supervision.Color.BLACK,
            text_scale=max(0.3, 0.42 * unit),
            text_thickness=max(1, round(0.9 * unit)),
            text_padding=max(2, round(3 * unit)),
            smart_position=True,
        )

    def draw(self, image_bgr: Image, boxes_xyxy: FloatArray, track_numbers: IntArray, labels: Sequence[str]) -> Image:
        """Return a copy of the picture with its tracks drawn on it.

        Parameters
        ----------
        image_bgr : (height, width, 3) uint8; stays as it is.
        boxes_xyxy : (N, 4) float32 pixels; N may be 0.
        track_numbers : (N,) int64.
        labels : N texts; letters outside ASCII, for which there is no font, are drawn as ``?``.

        Raises
        ------
        ValueError
            when the lengths disagree.
        """
        if boxes_xyxy.shape != (len(track_numbers), 4) or len(labels) != len(track_numbers):
            raise ValueError(
                f"{len(track_numbers)} tracks want boxes of shape ({len(track_numbers)}, 4) and as many labels, "
                f"not {boxes_xyxy.shape} and {len(labels)}"
            )
        scene: Image = image_bgr.copy()
        if not len(track_numbers):
            return scene
        detections = self._make_detections(
            xyxy=np.asarray(boxes_xyxy, np.float32), tracker_id=np.asarray(track_numbers, np.int64)
        )
        texts = [label.encode("ascii", "replace").decode("ascii") for label in labels]
        scene = self._trails.annotate(scene, detections)
        scene = self._boxes.annotate(scene, detections)
        return np.asarray(self._labels.annotate(scene, detections, labels=texts), np.uint8)
