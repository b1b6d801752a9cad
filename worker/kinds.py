"""What a job of each kind does, between its claim and its publication."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from config import Settings
from errors import ResightError
from model.protocols import Detector, Embedder
from model.stored_name import repeatable_choice, stored_name
from pipeline.analyse import GPU_BATCH, BatchLimits
from pipeline.models import ModelChoice, build_models, with_descriptor
from pipeline.presets import preset_of
from pipeline.render import track_label
from pipeline.retrack import retrack
from pipeline.run import TrackingResult, TrackRequest, render_annotated, track_video
from pipeline.threads import available_cores, limit_thread_pools, plan_threads
from pipeline.tracking import TrackingOptions
from points import PointTable
from records import Kind, Progress, TrackSummary
from store import jobs, results
from store.files import AttemptFiles, Storage
from store.tables import Track
from video.decode import open_video

Pair = tuple[Detector, Embedder]
BuildModels = Callable[[Settings, Mapping[str, Any], int], Pair]
OnProgress = Callable[[Progress], None]


def models_of_job(settings: Settings, wishes: Mapping[str, Any], threads: int) -> Pair:
    """Return the detector and the embedder that a job asks for, or else the settings.

    Parameters
    ----------
    wishes : the job's settings; ``detector``, ``embedder``, ``threshold`` and ``preset`` are looked at.
    """
    choice = ModelChoice(
        detector=wishes.get("detector") or settings.detector,
        det_model_dir=settings.det_model_dir,
        threshold=_threshold(settings, wishes),
        embedder=wishes.get("embedder") or settings.embedder,
        emb_model_dir=settings.emb_model_dir,
        use_gpu=settings.use_gpu,
        preset=_preset_name(settings, wishes),
    )
    models = build_models(choice, threads=threads)
    return models.detector, models.embedder


def track_job(
    held: jobs.Claim,
    files: AttemptFiles,
    storage: Storage,
    settings: Settings,
    build: BuildModels,
    on_progress: OnProgress,
) -> results.JobResult:
    """Do all of the work on a video."""
    plan = limit_thread_pools(plan_threads(available_cores(), requested=settings.cpu_threads))
    models = with_descriptor(*build(settings, held.settings, plan.networks))
    name = _preset_name(settings, held.settings)
    preset, tracking = preset_of(name), _tracking(settings, held.settings)
    asked = held.settings.get("embedder")
    request = TrackRequest(
        source=partial(open_video, storage.source_path(held.video_id), name=held.video_name),
        name=held.video_name,
        detector=models.detector,
        embedder=models.embedder,
        descriptor=models.descriptor,
        tracking=tracking,
        stride_at=preset.stride,
        crops_per_track=preset.crops_per_track,
        playback=files.playback,
        annotated=files.annotated,
        detections=files.detections,
        batch=GPU_BATCH if settings.use_gpu else BatchLimits(),
    )
    outcome = track_video(request, on_progress=on_progress)
    _write(outcome.points, outcome.tracks, files)
    return replace(
        _result(outcome, tracking),
        preset=name,
        detected_boxes=outcome.detected_boxes,
        embedded_boxes=outcome.embedded_boxes,
        described_by=results.Describer(
            name=stored_name(outcome.embedder),
            choice=repeatable_choice(outcome.embedder, asked or settings.embedder),
            is_default=not asked,
        ),
    )


def retrack_job(
    held: jobs.Claim, files: AttemptFiles, storage: Storage, settings: Settings, on_progress: OnProgress
) -> results.JobResult:
    """Track what an earlier attempt detected.

    Raises
    ------
    ResightError
        ``job.no_base`` where no result with detections is published.
    """
    base = base_files(held, storage)
    if not (base.detections.is_file() and base.playback.is_file()):
        raise ResightError("job.no_base")
    limit_thread_pools(plan_threads(available_cores(), requested=settings.cpu_threads))
    files.adopt(base)
    tracking = _tracking(settings, held.settings)
    outcome = retrack(files.detections, files.playback, tracking, on_progress=on_progress)
    _write(outcome.points, outcome.tracks, files)
    return _result(outcome, tracking)


def _result(outcome: TrackingResult, tracking: TrackingOptions) -> results.JobResult:
    """Return what every kind of tracking publishes; what it leaves out stays as it was."""
    return results.JobResult(
        tracks=outcome.tracks,
        detector=outcome.detector,
        embedder=outcome.embedder,
        frame_count=outcome.frame_count,
        playback_frame_rate=outcome.playback_frame_rate,
        stage_seconds=outcome.stage_seconds,
        tracker=tracking.mode,
    )


def render_job(
    held: jobs.Claim,
    files: AttemptFiles,
    storage: Storage,
    tracks: Iterable[Track],
    settings: Settings,
    on_progress: OnProgress,
) -> Mapping[str, float]:
    """Draw the published tracks into ``files.annotated``; return the seconds of each stage.

    Raises
    ------
    ResightError
        ``job.no_base`` where no result is published.
    """
    base = base_files(held, storage)
    if not base.points.is_file():
        raise ResightError("job.no_base")
    limit_thread_pools(plan_threads(available_cores(), requested=settings.cpu_threads))
    labels = {track.number: track_label(track.number, Kind(track.kind), track.class_name) for track in tracks}
    source = partial(open_video, storage.source_path(held.video_id), name=held.video_name)
    return render_annotated(source, PointTable.load(base.points), labels, files.annotated, on_progress=on_progress)


def base_files(held: jobs.Claim, storage: Storage) -> AttemptFiles:
    """Return the files that a job builds on.

    Raises
    ------
    ResightError
        ``job.no_base`` where no result is published.
    """
    if held.base is None:
        raise ResightError("job.no_base")
    return storage.attempt(held.video_id, held.base.job_id, held.base.number)


def _write(points: PointTable, tracks: Iterable[TrackSummary], files: AttemptFiles) -> None:
    points.save(files.points)
    for track in tracks:
        for place, jpeg in enumerate((track.crop_jpeg, *track.more_crops)):
            files.crop(track.number, place).write_bytes(jpeg)


def _tracking(settings: Settings, wishes: Mapping[str, Any]) -> TrackingOptions:
    threshold = _threshold(settings, wishes)
    mode = wishes.get("tracker") or settings.tracker
    return TrackingOptions(mode=mode) if threshold is None else TrackingOptions(mode=mode, deepsort_score=threshold)


def _threshold(settings: Settings, wishes: Mapping[str, Any]) -> float | None:
    threshold = wishes.get("threshold")
    return settings.det_threshold if threshold is None else float(threshold)


def _preset_name(settings: Settings, wishes: Mapping[str, Any]) -> str:
    name: str = wishes.get("preset") or settings.preset
    return name
