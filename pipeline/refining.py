"""The second look at a recording's tracks, kind by kind, and the numbers that tracks have in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deep_sort.linking_options import AppearanceScale, LinkingOptions
from deep_sort.pieces import FeatureSums
from deep_sort.refine import RefineOptions, TrackColumns, refine
from pipeline.columns import TrackedBoxes
from pipeline.detections import Affine
from pipeline.tracking import KIND_OF_CLASS, KINDS
from records import FloatArray, IntArray, Kind, MediaFacts
from video.camera_motion import to_first_frame


@dataclass(frozen=True, eq=False)
class FinalBoxes:
    """The boxes of final tracks, a row each.

    Attributes
    ----------
    frames, numbers : (Q,) int64 analysed frame and track.
    boxes_xyxy : (Q, 4) float32.
    rows : (Q,) int64 row of the `TrackedBoxes`; −1 for a box that nothing was detected for.
    """

    frames: IntArray
    numbers: IntArray
    boxes_xyxy: FloatArray
    rows: IntArray

    def select(self, rows: IntArray | NDArray[np.bool_]) -> FinalBoxes:
        """Return the chosen rows."""
        return FinalBoxes(self.frames[rows], self.numbers[rows], self.boxes_xyxy[rows], self.rows[rows])


def refined(
    boxes: TrackedBoxes,
    looks: Mapping[Kind, Sequence[tuple[FeatureSums, AppearanceScale]]],
    *,
    frame_times_s: NDArray[np.float64],
    affines: Sequence[Affine | None],
    facts: MediaFacts,
) -> FinalBoxes:
    """Return the boxes of the refined tracks; people and vehicles never share one.

    Parameters
    ----------
    looks : by kind, what each embedder saw of the pieces of ``boxes``, and what its distances mean.
    frame_times_s, affines : of the analysed frames; see `deep_sort.refine` and `video.camera_motion`.
    """
    ground = to_first_frame(affines, width=facts.width, height=facts.height)
    parts: list[FinalBoxes] = []
    for kind_index in range(len(KINDS)):
        rows = np.flatnonzero(KIND_OF_CLASS[boxes.class_ids] == kind_index)
        if not len(rows):
            continue
        seen = boxes.select(rows)
        features, scales = zip(*looks[KINDS[kind_index]], strict=True)
        columns = TrackColumns(
            frames=seen.frames,
            pieces=seen.pieces,
            boxes_xyxy=seen.boxes_xyxy,
            scores=seen.scores,
            features=features,
        )
        final = refine(
            columns,
            frame_times_s=frame_times_s,
            frame_width=facts.width,
            options=RefineOptions(linking=LinkingOptions(appearances=scales)),
            to_first_frame=ground,
        )
        before = parts[-1].numbers.max(initial=0) if parts else 0
        own_rows = np.where(final.rows >= 0, rows[final.rows], -1)
        parts.append(FinalBoxes(final.frames, final.track_numbers + before, final.boxes_xyxy, own_rows))
    return _joined(parts)


def in_order_of_appearance(final: FinalBoxes) -> FinalBoxes:
    """Return the boxes in order of frame, and the tracks numbered 1, 2, … by their first frame."""
    final = final.select(np.lexsort((final.numbers, final.frames)))
    numbers, first, inverse = np.unique(final.numbers, return_index=True, return_inverse=True)
    ranks = np.empty(len(numbers), np.int64)
    ranks[np.argsort(first)] = np.arange(1, len(numbers) + 1)
    return FinalBoxes(final.frames, ranks[inverse], final.boxes_xyxy, final.rows)


def _joined(parts: Sequence[FinalBoxes]) -> FinalBoxes:
    none = np.zeros(0, np.int64)
    return FinalBoxes(
        np.concatenate([none, *(part.frames for part in parts)]),
        np.concatenate([none, *(part.numbers for part in parts)]),
        np.concatenate([np.zeros((0, 4), np.float32), *(part.boxes_xyxy for part in parts)]),
        np.concatenate([none, *(part.rows for part in parts)]),
    )
