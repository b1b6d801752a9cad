"""Measure the whole job: decode, detect, embed, track, draw, encode.

``python -m bench.job --video FILE --detector yolox --det_model_dir FILE --embedder hsv_stripes``
prints frames a second, the share of each stage and peak memory, as Markdown.
With ``--data DIR`` instead of a video, the jobs run over the sequences in MOT
layout below DIR, and their tracks are judged, too: ``--presets`` then shows
what each preset costs and what it is worth. Each job runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from bench.machine import machine_line
from bench.measure import UNTRAINED_RESNET, Measured, add_job_flags
from bench.mot import FIGURES, find_sequences, judge, sequence_names
from pipeline.analyse import BEST_CROPS, EVERY_BOX
from pipeline.presets import PRESETS

_ROOT = Path(__file__).resolve().parent.parent
_JUDGED = ("HOTA", "IDF1", "switches")
_STAGES = ("decode", "detect", "describe", "embed", "track", "draw", "encode")


@dataclass(frozen=True)
class Row:
    """One configuration, over one video or several sequences.

    Attributes
    ----------
    jobs : by the name of the video or sequence.
    accuracy : mean figures of the sequences; empty where nothing was judged.
    """

    jobs: Mapping[str, Measured]
    accuracy: Mapping[str, float]


def measure_row(options: argparse.Namespace, **changes: str) -> Row:
    """Measure one configuration.

    Parameters
    ----------
    changes : flags that differ from ``options``.
    """
    if options.data is None:
        return Row({options.video.name: run_apart(options, video=str(options.video), **changes)}, {})
    sequences = find_sequences(options.data, options.sequences)
    jobs = {one.name: run_apart(options, sequence=str(one.folder), **changes) for one in sequences}
    judged = judge(sequences, {name: job.mot_text for name, job in jobs.items()})
    judged.pop("pooled")
    return Row(jobs, {figure: float(np.mean([one[figure] for one in judged.values()])) for figure in FIGURES})


def run_apart(options: argparse.Namespace, **changes: str) -> Measured:
    """Measure one job in a new process and return what it measured."""
    flags = {name: str(getattr(options, name)) for name in _JOB_VALUES if getattr(options, name) is not None}
    command = [sys.executable, "-m", "bench.measure"]
    command += [part for name, value in {**flags, **changes}.items() for part in (f"--{name}", value)]
    command += [f"--{name}" for name in ("playback", "use_gpu") if getattr(options, name)]
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    values = json.loads(done.stdout.splitlines()[-1])
    values["memory"] = [tuple(sample) for sample in values["memory"]]
    return Measured(**values)


_JOB_VALUES = (
    "detector", "det_model_dir", "embedder", "emb_model_dir", "max_frames", "thread_pools", "preset", "tracker",
    "embed",
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


def table(rows: Mapping[str, Row]) -> Iterator[str]:
    """Yield a Markdown table, a row a configuration; stages in milliseconds of work a frame."""
    is_judged = any(row.accuracy for row in rows.values())
    head = ["configuration", "frames", "**frames/s**", "CPU ms/frame", *(f"{s} ms" for s in _STAGES)]
    head += ["tracks", "embedded boxes", "peak MiB", *(_JUDGED if is_judged else ())]
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for name, row in rows.items():
        jobs = row.jobs.values()
        frames = sum(job.frames for job in jobs)
        stage_ms = {s: 1000 * sum(job.stage_seconds.get(s, 0.0) for job in jobs) / frames for s in _STAGES}
        cells = [
            name,
            str(frames),
            f"**{frames / sum(job.seconds for job in jobs):.1f}**",
            f"{1000 * sum(job.cpu_seconds for job in jobs) / frames:.1f}",
            *(f"{spent:.1f}" for spent in stage_ms.values()),
            str(sum(job.tracks for job in jobs)),
            f"{sum(job.embedded_boxes for job in jobs)} of {sum(job.detected_boxes for job in jobs)}",
            f"{max(job.peak_mib for job in jobs):.0f}",
            *(f"{row.accuracy[figure]:.1f}" for figure in _JUDGED if is_judged),
        ]
        yield f"| {' | '.join(cells)} |"


def memory_table(job: Measured) -> Iterator[str]:
    """Yield resident memory by minute of video."""
    yield "| stage | minute of video | resident MiB |"
    yield "|---|---|---|"
    for stage, minute, mib in job.memory:
        yield f"| {stage} | {minute:g} | {mib:.0f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the flags ask for and print it."""
    parser = argparse.ArgumentParser(
        prog="bench.job", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--video", type=Path)
    source.add_argument("--data", type=Path, help="folder of sequences in MOT layout; their tracks are judged")
    parser.add_argument("--sequences", type=sequence_names, default=(), metavar="A,B", help="only these of --data")
    add_job_flags(parser)
    parser.add_argument("--loop", type=float, metavar="MINUTES", help="play the file over and over for so long")
    parser.add_argument(
        "--resnet101_vd",
        action="store_true",
        help="also with ResNet101_vd on the best crops of tracks (untrained: timing only)",
    )
    parser.add_argument("--every_box", action="store_true", help="and on every box, for comparison")
    parser.add_argument(
        "--compare_threads", action="store_true", help="also with the thread pools as the libraries make them"
    )
    parser.add_argument("--presets", action="store_true", help="also with each preset")
    options = parser.parse_args(arguments)
    if options.loop and not options.video:
        parser.error("--loop wants a --video")
    machine = machine_line()  # the commit that runs, should another follow meanwhile
    with ExitStack() as cleanup:
        if options.loop:
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
            options.video = _looped(options.video, folder / "looped.mkv", options.loop)
        name = f"{options.detector} + {options.embedder}"
        rows = {name: measure_row(options)}
        if options.compare_threads:
            rows[f"{name}, thread pools as they are"] = measure_row(options, thread_pools="as_they_are")
        policies = {"the best crops": BEST_CROPS} if options.resnet101_vd or options.every_box else {}
        if options.every_box:
            policies["every box"] = EVERY_BOX
        if policies:
            export = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
            _export_resnet(export)
            for words, policy in policies.items():
                rows[f"{options.detector} + ResNet101_vd on {words} (untrained: timing only)"] = measure_row(
                    options, embedder=UNTRAINED_RESNET, emb_model_dir=str(export), embed=policy
                )
        for preset in PRESETS if options.presets else ():
            is_there = preset == options.preset
            rows[f"{name}, {preset}"] = rows[name] if is_there else measure_row(options, preset=preset)
    print(machine + "\n")
    print("\n".join(table(rows)))
    for source_name, job in rows[name].jobs.items():
        if options.playback:
            print(f"\nStored detections of {source_name}: {job.detections_mib_per_hour:.0f} MiB an hour")
        if options.loop:
            print("\n" + "\n".join(memory_table(job)))


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
