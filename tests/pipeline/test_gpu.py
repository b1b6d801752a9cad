"""The same code on a GPU."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from model.hsv_stripes import HsvStripes
from pipeline.analyse import GPU_BATCH
from pipeline.models import ModelChoice, build_models
from pipeline.run import TrackRequest, track_video
from video.decode import open_video


@pytest.mark.gpu
def test_a_job_on_the_gpu_finds_what_the_processor_finds(vtest_avi: Path, yolox_onnx: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has no CUDA")
    choice = ModelChoice(detector="yolox", det_model_dir=yolox_onnx, embedder="hsv_stripes", emb_model_dir=Path())
    results = []
    for use_gpu in (False, True):
        models = build_models(replace(choice, use_gpu=use_gpu), threads=2)
        request = TrackRequest(
            source=partial(open_video, vtest_avi),
            detector=models.detector,
            embedder=HsvStripes(),
            max_frames=60,
            batch=GPU_BATCH,
        )
        results.append(track_video(request, on_progress=lambda progress: None))
    on_cpu, on_gpu = results
    assert on_gpu.detector.device == "gpu"
    assert len(on_gpu.tracks) == len(on_cpu.tracks)
    assert len(on_gpu.points) == pytest.approx(len(on_cpu.points), rel=0.02)
    assert np.isfinite(on_gpu.points.boxes_xyxy).all()
