"""People and vehicles on their way, and the recordings of a small world."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from bench.mot import find_sequences
from synth.__main__ import main
from synth.filming import film
from synth.videos import WORLD_FILE, write_world
from synth.worlds import Way, World, sample_world

SMALL = {"duration_s": 1.0, "frame_rate": 5, "people": 8, "vehicles": 3, "width": 192, "height": 108}


@pytest.fixture(scope="module")
def world() -> World:
    return sample_world(11, **SMALL)  # type: ignore[arg-type]  # numbers of two types


@pytest.fixture(scope="module")
def written(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world")
    write_world(out, world)
    return out


def test_a_way_is_walked_at_its_speed() -> None:
    way = Way(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]]), 2.0, 10.0)
    assert way.at(9.9) is None
    corner = way.at(11.5)
    assert corner is not None
    assert corner.place_m == pytest.approx((3, 0))
    later = way.at(12.5)
    assert later is not None
    assert later.place_m == pytest.approx((3, 2))
    assert later.heading_rad == pytest.approx(np.pi / 2)
    assert later.gone_m == 5
    assert way.at(13.6) is None


def test_who_stands_is_always_there() -> None:
    way = Way(np.array([[1.0, 2.0], [2.0, 2.0]]), 0.0, 5.0)
    poses = [way.at(time_s) for time_s in (-100.0, 0.0, 100.0)]
    assert [pose.place_m for pose in poses if pose is not None] == [(1.0, 2.0)] * 3


def test_identities_are_unique_in_the_whole_world(world: World) -> None:
    identities = [walker.identity for walker in world.walkers] + [driver.identity for driver in world.drivers]
    assert sorted(identities) == list(range(1, 12))


def test_the_same_seed_gives_the_same_recording(world: World) -> None:
    again = sample_world(11, **SMALL)  # type: ignore[arg-type]  # numbers of two types
    first, second = (next(iter(film(each, each.recordings[0]))) for each in (world, again))
    assert (first.image_bgr == second.image_bgr).all()
    assert (first.boxes_xyxy == second.boxes_xyxy).all()


def test_a_world_without_cameras_is_refused() -> None:
    with pytest.raises(ValueError, match="there must be a camera"):
        sample_world(1, cameras=0)


def test_people_stay_on_the_pavement(world: World) -> None:
    places = np.array([walker.way.points_m[0] for walker in world.walkers])
    assert not world.scene.allows(world.scene.is_road, places).any()


def test_recordings_are_sequences_in_mot_layout(written: Path, world: World) -> None:
    sequences = find_sequences(written)
    assert [sequence.name for sequence in sequences] == ["camera-1", "camera-2"]
    for sequence in sequences:
        with sequence.open() as reader:
            frames = list(reader)
        assert (len(frames), sequence.length, sequence.frame_rate) == (5, 5, 5.0)
        assert frames[0].image_bgr.shape == (108, 192, 3)
        rows = np.loadtxt(sequence.folder / "gt" / "gt.txt", delimiter=",", ndmin=2)
        assert rows.shape[1] == 9
        assert set(rows[:, 0]) <= set(range(1, 6))
        assert ((rows[:, 8] > 0) & (rows[:, 8] <= 1)).all()
        is_person = rows[:, 1] <= len(world.walkers)
        assert (rows[is_person, 6:8] == [1, 1]).all()
        assert (rows[~is_person, 6] == 0).all()


def test_truth_in_the_files_is_that_of_the_frames(written: Path, world: World) -> None:
    rows = np.loadtxt(written / "camera-2" / "gt" / "gt.txt", delimiter=",", ndmin=2)
    for frame in film(world, world.recordings[1]):
        here = rows[rows[:, 0] == frame.index + 1]
        assert here[:, 1].tolist() == frame.identities.tolist()
        assert np.allclose(here[:, 2:4], frame.boxes_xyxy[:, :2], atol=0.06)


def test_people_stand_where_the_calibration_says(world: World) -> None:
    recording = world.recordings[0]
    frame = next(iter(film(world, recording)))
    for walker in world.walkers:
        pose = walker.way.at(recording.start_s)
        rows = np.flatnonzero(frame.identities == walker.identity)
        if pose is None or not len(rows):
            continue
        foot = np.array([[*pose.place_m, 0.0], [*pose.place_m, walker.person.body.height_m]])
        (x, bottom), (_, top) = recording.camera.project(foot)[0]
        box = frame.boxes_xyxy[rows[0]]
        height = bottom - top
        assert abs((box[0] + box[2]) / 2 - x) < 0.25 * height + 2
        assert abs(box[3] - bottom) < 0.12 * height + 2
        assert abs(box[1] - top) < 0.2 * height + 2


def test_the_world_file_tells_clock_and_identities(written: Path, world: World) -> None:
    described = json.loads((written / WORLD_FILE).read_text("utf-8"))
    first, second = described["cameras"]
    gap_s = (datetime.fromisoformat(second["started_at"]) - datetime.fromisoformat(first["started_at"])).total_seconds()
    assert gap_s == pytest.approx(world.recordings[1].start_s - world.recordings[0].start_s, abs=1e-3)
    rows = np.loadtxt(written / "camera-1" / "gt" / "gt.txt", delimiter=",", ndmin=2)
    assert [seen["identity"] for seen in first["seen"]] == sorted({int(number) for number in rows[:, 1]})
    for seen in first["seen"]:
        frames = rows[rows[:, 1] == seen["identity"], 0] - 1
        assert (seen["first_frame"], seen["last_frame"]) == (frames.min(), frames.max())


def test_the_command_renders_one_camera_for_a_video(tmp_path: Path) -> None:
    flags = ["--duration_s", "0.4", "--frame_rate", "5", "--people", "2", "--vehicles", "1", "--size", "96", "64"]
    assert main(["video", "--out", str(tmp_path / "v"), "--seed", "2", *flags]) == 0
    assert [path.name for path in (tmp_path / "v").iterdir() if path.is_dir()] == ["camera-1"]


def test_the_command_says_what_cannot_be_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["world", "--out", str(tmp_path / "w"), "--duration_s", "-1"]) == 2
    assert "This cannot be done" in capsys.readouterr().err
