"""All confirmed identities as a data set, in the layouts that the field's readers expect.

`MARKET1501` : pictures of tracks; half of the identities to train with, the others to judge by.
`MOT` : the boxes of each video, one number an identity in all of them.
`COCO` : the same boxes in one file, by frame of a video; the frames themselves are in the videos.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from boxes import xyxy_to_tlwh
from points import PointTable
from records import CLASS_NAMES
from store import sightings
from store.files import AttemptFiles, Storage
from store.sightings import Sighting
from store.tables import Track, Video

MARKET1501, MOT, COCO = "market1501", "mot", "coco"
FORMS = (MARKET1501, MOT, COCO)

Contents = Iterator[tuple[str, Iterable[bytes]]]
_PIECE_BYTES = 1 << 18
_MOT_CLASSES = {"person": 1, "car": 3, "bicycle": 4, "motorcycle": 5}
_MOT_OTHER = 6


def confirmed_sightings(session: Session) -> Sequence[Sighting]:
    """Return all sightings that a person confirmed, in the order of time, with all that `contents` reads."""
    query = select(Track.id).where(Track.is_confirmed.is_(True), Track.identity_id.is_not(None))
    return sightings.of_tracks(session, session.scalars(query.order_by(Track.id)).all())


def contents(confirmed: Sequence[Sighting], storage: Storage, form: str) -> Contents:
    """Yield the name and the bytes of each file of a data set; ``form`` is one of `FORMS`.

    Raises
    ------
    ValueError
        for another form.
    """
    if form not in FORMS:
        raise ValueError(f"a data set is one of {', '.join(FORMS)}, not {form!r}")
    write = {MARKET1501: _market1501, MOT: _mot, COCO: _coco}[form]
    return write(confirmed, storage)


def _market1501(confirmed: Sequence[Sighting], storage: Storage) -> Contents:
    """Yield pictures named ``<identity>_c<camera>s1_<frame>_<picture>.jpg``.

    Of the identities that several cameras saw every second one is to train with. Of the others all pictures are in the
    gallery, and the first by each camera is a query, too: the rule of Market-1501 leaves a query's own camera out.
    Identities that one camera saw are distractors; to train with they would teach little.
    """
    cameras_of: dict[int, set[int]] = {}
    for seen in confirmed:
        cameras_of.setdefault(_owner(seen), set()).add(seen.camera.id)
    crossing = sorted(owner for owner, cameras in cameras_of.items() if len(cameras) > 1)
    to_train = set(crossing[::2]) if len(crossing) > 1 else set()
    asked: set[tuple[int, int]] = set()
    for seen in confirmed:
        owner, files = _owner(seen), _files(seen.video, storage)
        for place, path in enumerate(files.crops(seen.track.number) if files is not None else []):
            name = f"{owner:04d}_c{seen.camera.id}s1_{seen.track.id:06d}_{place:02d}.jpg"
            pair = (owner, seen.camera.id)
            yield f"{'bounding_box_train' if owner in to_train else 'bounding_box_test'}/{name}", _read(path)
            if owner not in to_train and len(cameras_of[owner]) > 1 and pair not in asked:
                asked.add(pair)
                yield f"query/{name}", _read(path)


def _mot(confirmed: Sequence[Sighting], storage: Storage) -> Contents:
    for video, seen in _by_video(confirmed).items():
        files = _files(video, storage)
        if files is None or not files.points.is_file():
            continue
        name = _folder(video)
        yield f"{name}/gt/gt.txt", _mot_lines(PointTable.load(files.points), seen)
        lines = (
            "[Sequence]", f"name={name}", f"frameRate={video.frame_rate:g}",
            f"seqLength={video.result_job.frame_count if video.result_job else 0}",
            f"imWidth={video.width}", f"imHeight={video.height}",
        )  # fmt: skip
        yield f"{name}/seqinfo.ini", ["\n".join(lines).encode() + b"\n"]


def _mot_lines(points: PointTable, seen: Sequence[Sighting]) -> Iterator[bytes]:
    """Yield ``frame,identity,left,top,width,height,1,class,1``, frames from 1."""
    owners = {one.track.number: _owner(one) for one in seen}
    classes = {one.track.number: _MOT_CLASSES.get(one.track.class_name, _MOT_OTHER) for one in seen}
    rows = np.flatnonzero(np.isin(points.track_numbers, list(owners)))
    boxes = xyxy_to_tlwh(points.boxes_xyxy[rows])
    for row, (left, top, width, height) in zip(rows, boxes, strict=True):
        number = int(points.track_numbers[row])
        box = f"{left:.2f},{top:.2f},{width:.2f},{height:.2f}"
        yield f"{points.frames[row] + 1},{owners[number]},{box},1,{classes[number]},1\n".encode()


def _coco(confirmed: Sequence[Sighting], storage: Storage) -> Contents:
    yield "annotations.json", _coco_pieces(_by_video(confirmed), storage)


def _coco_pieces(by_video: Mapping[Video, Sequence[Sighting]], storage: Storage) -> Iterator[bytes]:
    """Yield one JSON object; ``file_name`` is ``<video>/<frame, from 1>.jpg``, as the frames are usually unpacked."""
    categories = [{"id": number, "name": name} for number, name in enumerate(CLASS_NAMES, start=1)]
    videos = [
        {"id": number, "name": _folder(video), "sha256": video.sha256, "camera": video.camera.name}
        for number, video in enumerate(by_video, start=1)
    ]
    yield f'{{"categories": {json.dumps(categories)},\n"videos": {json.dumps(videos, ensure_ascii=False)}'.encode()
    annotations: list[bytes] = []
    images, boxes = 0, 0
    yield b',\n"images": ['
    for number, (video, seen) in enumerate(by_video.items(), start=1):
        files = _files(video, storage)
        if files is None or not files.points.is_file():
            continue
        points = PointTable.load(files.points)
        tracks = {one.track.number: one for one in seen}
        rows = np.flatnonzero(np.isin(points.track_numbers, list(tracks)))
        image_of: dict[int, int] = {}
        for row in rows:
            frame = int(points.frames[row])
            if frame not in image_of:
                images += 1
                image_of[frame] = images
                yield _listed(_coco_image(images, number, video, frame), is_first=images == 1)
            boxes += 1
            annotation = _coco_box(
                boxes, image_of[frame], points.boxes_xyxy[row], tracks[int(points.track_numbers[row])]
            )
            annotations.append(_listed(annotation, is_first=boxes == 1))
    yield b'],\n"annotations": ['
    yield from annotations
    yield b"]}\n"


def _coco_image(image_id: int, video_id: int, video: Video, frame: int) -> dict[str, Any]:
    name = f"{_folder(video)}/{frame + 1:06d}.jpg"
    size = {"width": video.width, "height": video.height}
    return {"id": image_id, "file_name": name, **size, "video_id": video_id, "frame_id": frame}


def _coco_box(number: int, image_id: int, box_xyxy: Any, seen: Sighting) -> dict[str, Any]:
    left, top, right, bottom = (round(float(edge), 2) for edge in box_xyxy)
    width, height = round(right - left, 2), round(bottom - top, 2)
    return {
        "id": number,
        "image_id": image_id,
        "category_id": CLASS_NAMES.index(seen.track.class_name) + 1,
        "bbox": [left, top, width, height],
        "area": round(width * height, 2),
        "iscrowd": 0,
        "track_id": seen.track.number,
        "identity_id": _owner(seen),
    }


def _listed(item: Mapping[str, Any], *, is_first: bool) -> bytes:
    return (b"\n" if is_first else b",\n") + json.dumps(item, ensure_ascii=False).encode()


def _owner(seen: Sighting) -> int:
    return int(seen.track.identity_id or 0)


def _by_video(confirmed: Sequence[Sighting]) -> Mapping[Video, Sequence[Sighting]]:
    found: dict[Video, list[Sighting]] = {}
    for seen in confirmed:
        found.setdefault(seen.video, []).append(seen)
    return found


def _folder(video: Video) -> str:
    stem = re.sub(r"[^\w.-]+", "_", video.name.rpartition(".")[0] or video.name).strip("._")[:60]
    return f"{stem or 'video'}-{video.id[:8]}"


def _files(video: Video, storage: Storage) -> AttemptFiles | None:
    done = video.result_job
    return None if done is None else storage.attempt(video.id, done.id, done.claim_count)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
