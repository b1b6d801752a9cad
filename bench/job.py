"""Measure the whole job: decode, detect, embed, track, draw, encode.

``python -m bench.job --video FILE --detector yolox --det_model_dir FILE --embedder hsv_stripes``
prints frames a second, the share of each stage and peak memory, as Markdown.
Each configuration runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av

from bench.machine import machine_line
from bench.measure import UNTRAINED_RESNET, Measured, add_flags
from pipeline.analyse import BEST_CROPS, EVERY_BOX
from pipeline.presets import PRESETS

_ROOT = Path(__file__).resolve().parent.parent
_STAGES = ("decode", "detect", "describe", "embed", "track", "draw", "encode")


def run_apart(options: argparse.Namespace, **changes: str) -> Measured:
    """Measure in a new process and return what it measured.

    Parameters
    ----------
    changes : flags that differ from ``options``.
    """
    flags = {
        name: str(value)
        for name, value in {**vars(options), **changes}.items()
        if name in _MEASURE_VALUES and value is not None
    }
    command = [sys.executable, "-m", "bench.measure"]
    command += [part for name, value in flags.items() for part in (f"--{name}", value)]
    command += [f"--{name}" for name in ("playback", "use_gpu") if getattr(options, name)]
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    values = json.loads(done.stdout.splitlines()[-1])
    values["memory"] = [tuple(sample) for sample in values["memory"]]
    return Measured(**values)


_MEASURE_VALUES = (
    "video", "detector", "det_model_dir", "embedder", "emb_model_dir", "max_frames", "thread_pools", "preset",
    "tracker", "embed",
)  # fmt: skip


def loop_video(source: Path, target: Path, times: int) -> None:
    """Write ``source`` ``times`` times after itself into a Matroska file, without decoding it."""
    with av.open(str(target), "w", format="matroska") as output:
        stream = None
        offset = 0
        for _ in range(times):
            with av.open(str(source)) as container:
                video = container.streams.video[0]
                stream = stream or output.add_stream_from_template(video)
                rate, time_base = video.average_rate or Fraction(25), video.time_base or Fraction(1, 1000)
                step = max(1, round(1 / (rate * time_base)))
                end = 0
                for packet in container.demux(video):
                    if packet.size == 0:
                        continue
                    dts = packet.dts if packet.dts is not None else end
                    pts = packet.pts if packet.pts is not None else dts
                    end = max(end, dts + step, pts + step)
                    packet.dts, packet.pts, packet.stream = dts + offset, pts + offset, stream
                    output.mux(packet)
                offset += end


def table(measured: dict[str, Measured]) -> Iterator[str]:
    """Yield a Markdown table, a row a configuration; stages in milliseconds of work a frame."""
    head = [
        "configuration",
        "frames",
        "**frames/s**",
        "CPU ms/frame",
        *(f"{s} ms" for s in _STAGES),
        "tracks",
        "embedded boxes",
        "peak MiB",
    ]
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for name, job in measured.items():
        cells = [
            name,
            str(job.frames),
            f"**{job.frames / job.seconds:.1f}**",
            f"{1000 * job.cpu_seconds / job.frames:.1f}",
            *(f"{1000 * job.stage_seconds.get(stage, 0.0) / job.frames:.1f}" for stage in _STAGES),
            str(job.tracks),
            f"{job.embedded_boxes} of {job.detected_boxes}",
            f"{job.peak_mib:.0f}",
        ]
        yield f"| {' | '.join(cells)} |"


def memory_table(job: Measured) -> Iterator[str]:
    """Yield resident memory by minute of video."""
    yield "| stage | minute of video | resident MiB |"
    yield "|---|---|---|"
    for stage, minute, mib in job.memory:
        yield f"| {stage} | {minute:g} | {mib:.0f} |"


def main() -> None:
    """Measure what the flags ask for and print it."""
    parser = argparse.ArgumentParser(prog="bench.job", description=__doc__)
    add_flags(parser)
    parser.add_argument("--loop", type=float, metavar="MINUTES", help="play the file over and over for so long")
    parser.add_argument(
        "--resnet101_vd",
        action="store_true",
        help="also with ResNet101_vd, on the best crops of tracks and on every box (untrained: timing only)",
    )
    parser.add_argument(
        "--compare_threads", action="store_true", help="also with the thread pools as the libraries make them"
    )
    parser.add_argument("--presets", action="store_true", help="also with each preset")
    options = parser.parse_args()
    machine = machine_line()  # the commit that runs, should another follow meanwhile
    with ExitStack() as cleanup:
        if options.loop:
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
            options.video = _looped(options.video, folder / "looped.mkv", options.loop)
        name = f"{options.detector} + {options.embedder}"
        measured = {name: run_apart(options)}
        if options.compare_threads:
            measured[f"{name}, thread pools as they are"] = run_apart(options, thread_pools="as_they_are")
        if options.resnet101_vd:
            export = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
            _export_resnet(export)
            for words, policy in (("the best crops", BEST_CROPS), ("every box", EVERY_BOX)):
                measured[f"{options.detector} + ResNet101_vd on {words} (untrained: timing only)"] = run_apart(
                    options, embedder=UNTRAINED_RESNET, emb_model_dir=str(export), embed=policy
                )
        if options.presets:
            for preset in PRESETS:
                measured[f"{name}, {preset}"] = run_apart(options, preset=preset)
    print(machine + "\n")
    print("\n".join(table(measured)))
    if options.playback:
        print(f"\nStored detections: {measured[name].detections_mib_per_hour:.0f} MiB an hour of this video")
    if options.loop:
        print("\n" + "\n".join(memory_table(measured[name])))


def _export_resnet(folder: Path) -> None:
    """Export a network without training, in a process of its own: exporting takes more memory than the job."""
    flags = ["--arch", "ResNet101_vd", "--untrained", "--embedding_size", "128", "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "model.export", *flags], cwd=_ROOT, check=True)


def _looped(source: Path, target: Path, minutes: float) -> Path:
    with av.open(str(source)) as container:
        video = container.streams.video[0]
        length_s = float((video.duration or 0) * (video.time_base or 0)) or 1.0
    loop_video(source, target, max(1, round(minutes * 60 / length_s)))
    return target


if __name__ == "__main__":
    main()
