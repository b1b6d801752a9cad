"""Measure one whole job in this process: frames a second, processor time, shares, memory.

``python -m bench.measure`` prints JSON; `bench.job` starts one such process for
each configuration, so that peak memory and thread pools are that job's own.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from bench.mot import sequence_in
from model.protocols import Embedder
from model.registry import build_detector, build_embedder
from pipeline.analyse import BEST_CROPS, EMBED_POLICIES, GPU_BATCH, BatchLimits
from pipeline.models import ModelChoice, Models, build_models, weak_score_of, with_descriptor
from pipeline.presets import DEFAULT_PRESET, PRESETS, preset_of
from pipeline.run import TrackingResult, TrackRequest, VideoSource, track_video
from pipeline.threads import available_cores, limit_thread_pools, plan_threads
from pipeline.tracking import RECORDED, TRACKERS, TrackingOptions
from points import PointTable, mot_lines
from records import Kind, Progress
from video.decode import open_video

_SAMPLE_EVERY_S = 60.0
UNTRAINED_RESNET = "resnet101_vd_untrained"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One job.

    Attributes
    ----------
    seconds : wall clock of both passes, models loaded before; cpu_seconds of all threads meanwhile.
    memory : (stage, minute of video, resident MiB), once a minute of video and at each stage's end.
    mot_text : the people's tracks in MOT format, of a sequence that can be judged; else empty.
    """

    detector: str
    embedder: str
    frames: int
    tracks: int
    boxes: int
    detected_boxes: int
    embedded_boxes: int
    detections_mib_per_hour: float
    seconds: float
    cpu_seconds: float
    load_seconds: float
    stage_seconds: dict[str, float]
    peak_mib: float
    memory: list[tuple[str, float, float]]
    mot_text: str = ""


class MemorySampler:
    """Notes resident memory once a minute of video; give it to `track_video` as ``on_progress``."""

    def __init__(self, frame_rate: float) -> None:
        self._frames_apart = max(1, round(frame_rate * _SAMPLE_EVERY_S))
        self._frame_rate = frame_rate
        self.samples: list[tuple[str, float, float]] = []

    def note(self, progress: Progress) -> None:
        """Sample at whole minutes and at the end of a stage."""
        if progress.frames_done % self._frames_apart == 0 or progress.frames_done == progress.frames_total:
            minute = progress.frames_done / self._frame_rate / 60
            self.samples.append((progress.stage, round(minute, 2), round(resident_mib(), 1)))


def resident_mib() -> float:
    """Return this process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def measure(options: argparse.Namespace) -> Measured:
    """Run the job that the flags describe."""
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        started_s = time.perf_counter()
        models = _models(options)
        chosen = preset_of(options.preset)
        source, name = _source(options)
        with source() as reader:
            memory = MemorySampler(reader.facts.frame_rate)
        request = TrackRequest(
            source=source,
            name=name,
            detector=models.detector,
            embedder=models.embedder,
            descriptor=models.descriptor,
            tracking=TrackingOptions(mode=options.tracker),
            stride_at=chosen.stride,
            crops_per_track=chosen.crops_per_track,
            embed=options.embed,
            detections=folder / "detections.npz" if options.playback else None,
            playback=folder / "playback.mp4" if options.playback else None,
            annotated=folder / "annotated.mp4",
            max_frames=options.max_frames,
            batch=GPU_BATCH if options.use_gpu else BatchLimits(),
        )
        loaded_s, loaded_cpu_s = time.perf_counter(), time.process_time()
        result = track_video(request, on_progress=memory.note)
        return Measured(
            detector=result.detector.name,
            embedder=result.embedder.name,
            frames=result.frame_count,
            tracks=len(result.tracks),
            boxes=len(result.points),
            detected_boxes=result.detected_boxes,
            embedded_boxes=result.embedded_boxes,
            detections_mib_per_hour=_mib_per_hour(request.detections, result),
            seconds=time.perf_counter() - loaded_s,
            cpu_seconds=time.process_time() - loaded_cpu_s,
            load_seconds=loaded_s - started_s,
            stage_seconds=dict(result.stage_seconds),
            peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            memory=memory.samples,
            mot_text=_people_text(result) if options.sequence else "",
        )


def _people_text(result: TrackingResult) -> str:
    """Return the tracks of people in MOT format: the sequences have no ground truth of vehicles."""
    people = [track.number for track in result.tracks if track.kind is Kind.PERSON]
    points = result.points
    is_person = np.isin(points.track_numbers, people)
    of_people = PointTable(
        points.frame_pts_s,
        points.frames[is_person],
        points.track_numbers[is_person],
        points.boxes_xyxy[is_person],
        points.scores[is_person],
    )
    return "".join(mot_lines(of_people))


def _mib_per_hour(detections: Path | None, result: TrackingResult) -> float:
    """Return how large the stored detections of an hour of such a video are; 0 where none were stored."""
    if detections is None:
        return 0.0
    hours = result.frame_count / result.facts.frame_rate / 3600
    return detections.stat().st_size / 2**20 / hours


def _source(options: argparse.Namespace) -> tuple[VideoSource, str]:
    if options.sequence:
        return sequence_in(options.sequence).open, options.sequence.name
    return partial(open_video, options.video, name=options.video.name), options.video.name


def _models(options: argparse.Namespace) -> Models:
    """Build the networks as a job does, or with the thread pools that the libraries make."""
    if options.thread_pools == "shared_out":
        threads = limit_thread_pools(plan_threads(available_cores())).networks
        choice = ModelChoice(
            detector=options.detector,
            det_model_dir=options.det_model_dir,
            embedder="hsv_stripes" if options.embedder == UNTRAINED_RESNET else options.embedder,
            emb_model_dir=options.emb_model_dir,
            use_gpu=options.use_gpu,
            preset=options.preset,
        )
        models = build_models(choice, threads=threads)
    else:
        threads = 0
        detector = build_detector(
            options.detector,
            options.det_model_dir,
            threshold=weak_score_of(options.detector, options.det_model_dir),
            threads=threads,
            use_gpu=options.use_gpu,
        )
        models = with_descriptor(detector, _embedder(options, threads))
    if options.embedder == UNTRAINED_RESNET:
        models = with_descriptor(models.detector, _embedder(options, threads))
    return models


def _embedder(options: argparse.Namespace, threads: int) -> Embedder:
    if options.embedder != UNTRAINED_RESNET:
        return build_embedder(options.embedder, options.emb_model_dir, threads=threads, use_gpu=options.use_gpu)
    from model.paddle_embedder import PaddleEmbedder

    return PaddleEmbedder(options.emb_model_dir, threads=threads, use_gpu=options.use_gpu, allow_untrained=True)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that one measurement takes."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--video", type=Path)
    source.add_argument("--sequence", type=Path, help="folder in MOT layout, whose tracks are to be judged")
    add_job_flags(parser)


def add_job_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say how a job is done, whatever its video."""
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--det_model_dir", type=Path, default=Path("model/detection"))
    parser.add_argument(
        "--embedder",
        default="auto",
        help=f"a name of the registry, or {UNTRAINED_RESNET}: an export without training, for timing only",
    )
    parser.add_argument("--emb_model_dir", type=Path, default=Path("model/embedding"))
    parser.add_argument("--preset", choices=tuple(PRESETS), default=DEFAULT_PRESET)
    parser.add_argument("--tracker", choices=TRACKERS, default=RECORDED)
    parser.add_argument("--embed", choices=EMBED_POLICIES, default=BEST_CROPS)
    parser.add_argument("--max_frames", type=int)
    parser.add_argument("--playback", action="store_true", help="write the playback copy as well, as the worker does")
    parser.add_argument("--use_gpu", action="store_true")
    parser.add_argument("--thread_pools", choices=("shared_out", "as_they_are"), default="shared_out")


def main() -> None:
    """Measure once and print JSON."""
    parser = argparse.ArgumentParser(prog="bench.measure", description=__doc__)
    add_flags(parser)
    print(json.dumps(asdict(measure(parser.parse_args()))))


if __name__ == "__main__":
    main()
