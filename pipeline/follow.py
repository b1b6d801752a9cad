"""Track what was found, frame by frame, and keep what the end of the video needs: for a first run and a later one."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

from deep_sort.pieces import FeatureSums, PieceCutter, split_gap_s
from deep_sort.refine import MIN_PIECE_BOXES
from pipeline.columns import BoxColumns
from pipeline.detections import Affine, FoundBoxes
from pipeline.finishing import Embedded, FinalTracks, TrackedVideo, final_tracks, summaries
from pipeline.tracking import KIND_OF_CLASS, KINDS, RECORDED, Appearances, FrameTracks, KindTrackers, TrackingOptions
from records import IntArray, Kind, MediaFacts, TrackSummary


@dataclass(frozen=True, eq=False)
class Followed:
    """The tracks of one analysed frame.

    Attributes
    ----------
    pieces : (M,) int64 the piece that each track is in; see `deep_sort.pieces`.
    first_detection : row, in all detections of the video, of the frame's first one.
    """

    tracks: FrameTracks
    pieces: IntArray
    first_detection: int


class Follower:
    """Takes in the analysed frames of one video, in order.

    Parameters
    ----------
    stride : every so manieth frame of the video is analysed.
    """

    def __init__(self, options: TrackingOptions, appearances: Appearances, facts: MediaFacts, *, stride: int) -> None:
        rate = facts.frame_rate / stride
        self._options = options
        self._appearances = appearances
        self._facts = facts
        self._stride = stride
        self._trackers = KindTrackers(options, appearances, frame_rate=rate, width=facts.width, height=facts.height)
        self.max_gap_s = split_gap_s(rate)
        self._cutter = PieceCutter(self.max_gap_s)
        self._sums = FeatureSums()
        self._columns = BoxColumns()
        self._affines: list[Affine | None] = []
        self._frame_pts_s = array("d")
        self.detected_boxes = 0

    @property
    def frame_count(self) -> int:
        """How many frames the video has so far, analysed or not."""
        return len(self._frame_pts_s)

    def add_time(self, pts_s: float) -> None:
        """Take in the time of a frame, analysed or not; before `follow`."""
        self._frame_pts_s.append(pts_s)

    def follow(self, found: FoundBoxes) -> Followed:
        """Track the frame whose time came last."""
        tracks = self._trackers.step(found)
        pieces = self._cutter.step(tracks.track_numbers, self._frame_pts_s[-1])
        rows, detections = tracks.detection_indices, found.detections
        if len(rows):
            self._sums.add(pieces, found.descriptors[rows], detections.scores[rows])
        kept = tracks
        if self._options.mode == RECORDED:  # smoothed later, from what was seen before and after
            kept = FrameTracks(tracks.track_numbers, detections.boxes_xyxy[rows], rows)
        self._columns.add_frame(found, kept, pieces)
        self._affines.append(found.camera_affine)
        first = self.detected_boxes
        self.detected_boxes += len(detections)
        return Followed(tracks, pieces, first)

    @property
    def asks_the_network(self) -> bool:
        """Whether a network has a say in who is who: then `linkable_pieces` are to be embedded first."""
        return self._options.mode == RECORDED and self._appearances.network is not None

    def linkable_pieces(self) -> IntArray:
        """Return the pieces of people so far that may be linked to others, in order: those of a single box are not."""
        boxes = self._columns.table()
        is_person = KIND_OF_CLASS[boxes.class_ids] == KINDS.index(Kind.PERSON)
        return np.flatnonzero(np.bincount(boxes.pieces[is_person], minlength=1) >= MIN_PIECE_BOXES)

    def final_tracks(self, early: Embedded | None = None) -> FinalTracks:
        """Return the tracks of the whole video: there are no more frames.

        Parameters
        ----------
        early : what a network that has a say made of the `linkable_pieces`.
        """
        video = TrackedVideo(
            boxes=self._columns.table(),
            descriptor_sums=self._sums,
            early=early,
            affines=self._affines,
            frame_pts_s=np.array(self._frame_pts_s, np.float64),
            stride=self._stride,
            facts=self._facts,
        )
        return final_tracks(video, self._options, self._appearances)

    def summaries(self, final: FinalTracks, embedded: Embedded | None) -> tuple[TrackSummary, ...]:
        """Return a summary of each track, still without crops; see `pipeline.finishing.summaries`."""
        return summaries(final, embedded, self._sums)
