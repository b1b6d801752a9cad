"""Go over the tracks of a whole video: link broken ones, drop ghosts, fill gaps, smooth.

The tracker gives pieces of tracks (`PieceCutter`). They are linked into
identities by motion and appearance, identities that are nobody are dropped,
short gaps are filled and the boxes smoothed. All lengths are in seconds and in
heights of the box, so that one set of options fits every video.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deep_sort.axis_filter import cxcywh_to_xyxy, xyxy_to_cxcywh
from deep_sort.gap_filling import FillingOptions, fill_and_smooth
from deep_sort.ghosts import GhostOptions, doubles, is_somebody
from deep_sort.linking import Piece, link
from deep_sort.linking_options import LinkingOptions
from deep_sort.piece_ends import piece_ends
from deep_sort.pieces import FeatureSums

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

MIN_PIECE_BOXES = 2
"""A piece of fewer boxes tells too little to be linked."""


@dataclass(frozen=True, kw_only=True)
class RefineOptions:
    """The settings of `refine`, those of each of its steps."""

    linking: LinkingOptions = field(default_factory=LinkingOptions)
    filling: FillingOptions = field(default_factory=FillingOptions)
    ghosts: GhostOptions = field(default_factory=GhostOptions)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrackColumns:
    """What the tracker saw of objects of one kind: a row a box, in order of frame.

    Attributes
    ----------
    frames : (P,) int64 indices from 0, never falling; P may be 0.
    pieces : (P,) int64 from `PieceCutter.step`, each at most once a frame.
    boxes_xyxy : (P, 4) float32 pixels, the detector's own boxes rather than the tracker's: `refine` smooths
        better, since it sees what comes after.
    scores : (P,) of the boxes.
    features : of the pieces, by each embedder that the options have a scale for; may be fewer, also for some pieces:
        without any a piece is linked by motion alone.

    Raises
    ------
    ValueError
        for shapes that do not fit each other, boxes that are not finite, and frames that fall.
    """

    frames: Indices
    pieces: Indices
    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[Any]
    features: tuple[FeatureSums, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.frames)
        expected = {"frames": (count,), "pieces": (count,), "boxes_xyxy": (count, 4), "scores": (count,)}
        for name, shape in expected.items():
            if np.shape(getattr(self, name)) != shape:
                raise ValueError(f"{name} must have shape {shape}, not {np.shape(getattr(self, name))}")
        if not (np.isfinite(self.boxes_xyxy).all() and np.isfinite(self.scores).all()):
            raise ValueError("boxes_xyxy and scores must be finite")
        if count and (self.frames[0] < 0 or (np.diff(self.frames) < 0).any()):
            raise ValueError("frames must be 0 or more and in order")


@dataclass(frozen=True, eq=False, kw_only=True)
class RefinedColumns:
    """The final boxes, in order of frame, within a frame of track number.

    Attributes
    ----------
    frames : (Q,) int64.
    track_numbers : (Q,) int64: 1, 2, … in order of first appearance; each at most once a frame.
    boxes_xyxy : (Q, 4) float32 pixels; they may reach over the frame's border.
    rows : (Q,) int64 row of the input; −1 for a filled box.
    """

    frames: Indices
    track_numbers: Indices
    boxes_xyxy: NDArray[np.float32]
    rows: Indices


def refine(
    columns: TrackColumns,
    *,
    frame_times_s: NDArray[Any],
    frame_width: int,
    options: RefineOptions | None = None,
    to_first_frame: NDArray[Any] | None = None,
) -> RefinedColumns:
    """Return the tracks of a whole video, linked, cleaned, filled and smoothed.

    Parameters
    ----------
    frame_times_s : (F,) rising, of all frames.
    frame_width : pixels: who leaves on the left does not come back on the right.
    options : `RefineOptions()` if None.
    to_first_frame : (F, 3, 3) similarities that carry points of each frame to one common ground; None where the
        camera rests.

    Raises
    ------
    ValueError
        for times that do not rise, frames beyond them, matrices of another shape, and more embedders than scales.
    """
    options = RefineOptions() if options is None else options
    times_s = _checked_times(frame_times_s, columns.frames)
    boxes = np.asarray(columns.boxes_xyxy, np.float64)
    margins = options.linking.border_margin * (boxes[:, 3] - boxes[:, 1])
    is_at_border = (boxes[:, 0] <= margins) | (boxes[:, 2] >= frame_width - margins)
    ground = None if to_first_frame is None else _checked_matrices(to_first_frame, len(times_s))
    if ground is not None:
        boxes = carry(boxes, ground[columns.frames])
    min_boxes = min(MIN_PIECE_BOXES, (len(times_s) + 1) // 2)
    rows_of_pieces = [rows for rows in _rows_by_piece(columns.pieces) if len(rows) >= min_boxes]
    if len(columns.features) > len(options.linking.appearances):
        counts = f"{len(columns.features)} embedders and {len(options.linking.appearances)} scales"
        raise ValueError(f"each embedder wants a scale of its distances, there are {counts}")
    pieces = []
    for rows in rows_of_pieces:
        times = times_s[columns.frames[rows]]
        ends = piece_ends(times, boxes[rows], is_at_border[rows], end_s=options.linking.end_s)
        piece = int(columns.pieces[rows[0]])
        pieces.append(Piece(*ends, tuple(sums.of(piece) for sums in columns.features)))
    joined = [np.concatenate([rows_of_pieces[k] for k in members]) for members in link(pieces, options.linking)]
    identities = [
        rows for rows in joined if is_somebody(columns.frames[rows], columns.scores[rows], times_s, options.ghosts)
    ]
    filled = [fill_and_smooth(columns.frames[rows], boxes[rows], times_s, options.filling) for rows in identities]
    strengths = np.array([columns.scores[rows].sum() for rows in identities])
    dropped = doubles(filled, strengths, options.ghosts.max_overlap)
    kept = [index for index in range(len(filled)) if index not in dropped]
    return _numbered(columns.frames, [identities[k] for k in kept], [filled[k] for k in kept], ground)


def carry(boxes_xyxy: Floats, matrices: Floats) -> Floats:
    """Move (P, 4) boxes by (P, 3, 3) similarities: their centres, and their sides by the scale alone."""
    boxes = xyxy_to_cxcywh(boxes_xyxy)
    linear = matrices[:, :2, :2]
    boxes[:, :2] = np.einsum("pij,pj->pi", linear, boxes[:, :2]) + matrices[:, :2, 2]
    boxes[:, 2:] *= np.sqrt(np.abs(np.linalg.det(linear)))[:, None]
    return cxcywh_to_xyxy(boxes)


def _rows_by_piece(pieces: Indices) -> list[Indices]:
    """Return the rows of each piece, in order."""
    if not len(pieces):
        return []
    order = np.argsort(pieces, kind="stable")
    return list(np.split(order, np.flatnonzero(np.diff(pieces[order])) + 1))


def _numbered(
    seen_frames: Indices, identities: Sequence[Indices], filled: Sequence[tuple[Indices, Floats]], ground: Floats | None
) -> RefinedColumns:
    """Number the identities in order of their first frame and put their boxes in order of frame."""
    by_start = sorted(range(len(filled)), key=lambda k: (int(filled[k][0][0]), int(identities[k][0])))
    frames = np.concatenate([np.zeros(0, np.int64), *(filled[k][0] for k in by_start)])
    boxes = np.concatenate([np.zeros((0, 4)), *(filled[k][1] for k in by_start)])
    numbers = np.repeat(np.arange(1, len(by_start) + 1), [len(filled[k][0]) for k in by_start])
    rows = np.full(len(frames), -1, np.int64)
    start = 0
    for k in by_start:
        rows[start + np.searchsorted(filled[k][0], seen_frames[identities[k]])] = identities[k]
        start += len(filled[k][0])
    if ground is not None:
        boxes = carry(boxes, np.linalg.inv(ground)[frames])
    order = np.argsort(frames, kind="stable")
    return RefinedColumns(
        frames=frames[order],
        track_numbers=numbers[order],
        boxes_xyxy=boxes[order].astype(np.float32),
        rows=rows[order],
    )


def _checked_times(frame_times_s: NDArray[Any], frames: Indices) -> Floats:
    times_s = np.asarray(frame_times_s, np.float64)
    if times_s.ndim != 1 or not np.isfinite(times_s).all() or (np.diff(times_s) <= 0).any():
        raise ValueError("frame_times_s must be one finite, rising time a frame")
    if len(frames) and frames[-1] >= len(times_s):
        raise ValueError(f"frame {frames[-1]} has no time; frame_times_s holds {len(times_s)}")
    return times_s


def _checked_matrices(to_first_frame: NDArray[Any], frame_count: int) -> Floats:
    matrices = np.asarray(to_first_frame, np.float64)
    if matrices.shape != (frame_count, 3, 3) or not np.isfinite(matrices).all():
        raise ValueError(f"to_first_frame must be finite, of shape ({frame_count}, 3, 3), not {matrices.shape}")
    return matrices
