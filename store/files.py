"""The files of the data folder. Names are made from ids alone, never from what a user sent.

Layout::

    incoming/<upload_id>.part, .json      uploads under way
    queries/<query_id>/<n>.picture, <n>.jpg, person-<n>.jpg    pictures to search by, as sent and as used
    reels/<job_id>/film.mp4, clip-<n>.mp4  the sightings of an identity: one after the other, and each alone
    search/<model>/                       vectors, made again from the database where they are gone
    videos/<video_id>/source<.ext>, poster.jpg
    videos/<video_id>/attempts/<job_id>-<claim>/playback.mp4, annotated.mp4, points.npz,
                                                        detections.npz, crops/<number>.jpg, <number>-1.jpg, …
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_ID = re.compile(r"[0-9a-f]{32}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
_REMOVED = ".removed-"
_NO_LINKS = (errno.EPERM, errno.EACCES, errno.EXDEV, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP)
"""How a file system says that it has no hard links, or none more for this file."""


@dataclass(frozen=True)
class AttemptFiles:
    """The files of one attempt, published or not."""

    folder: Path

    @property
    def playback(self) -> Path:
        """The normalised copy of the video."""
        return self.folder / "playback.mp4"

    @property
    def annotated(self) -> Path:
        """The video with boxes burned in."""
        return self.folder / "annotated.mp4"

    @property
    def points(self) -> Path:
        """The table of all boxes; see `points.PointTable`."""
        return self.folder / "points.npz"

    @property
    def detections(self) -> Path:
        """What the networks found, for another go at tracking without them; older results have none."""
        return self.folder / "detections.npz"

    def crop(self, number: int, place: int = 0) -> Path:
        """Return the path of a crop of track ``number``: 0 is the best, the others may not be there."""
        return self.folder / "crops" / (f"{int(number)}-{int(place)}.jpg" if place else f"{int(number)}.jpg")

    def crops(self, number: int) -> list[Path]:
        """Return the paths of all crops of track ``number``, the best first."""
        found, place = [], 0
        while (path := self.crop(number, place)).is_file():
            found.append(path)
            place += 1
        return found

    def create(self) -> None:
        """Make the folder, empty.

        Raises
        ------
        FileNotFoundError
            when the video's own folder is gone.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.parent.mkdir(exist_ok=True)
        self.folder.mkdir()
        (self.folder / "crops").mkdir()

    def adopt(self, previous: AttemptFiles) -> None:
        """Take what does not depend on the tracker, `playback` and `detections`, from another attempt.

        The files get a second name where the disk can do that, and are copied where it cannot. Nothing of
        ``previous`` changes, and either may be removed first.

        Raises
        ------
        FileNotFoundError
            when ``previous`` lacks one of them, or one of the folders is not there.
        """
        for mine, theirs in ((self.playback, previous.playback), (self.detections, previous.detections)):
            _link_or_copy(theirs, mine)

    def give_annotated(self, published: AttemptFiles) -> None:
        """Move `annotated` into another attempt's folder, at once and in the place of one that is there.

        May be repeated, as a transaction that it belongs to may be.

        Raises
        ------
        FileNotFoundError
            when neither has the file, or the other folder is not there.
        """
        try:
            self.annotated.replace(published.annotated)
        except FileNotFoundError:
            if not published.annotated.is_file():
                raise

    def remove(self) -> None:
        """Delete the folder, and the folders above it that this leaves empty."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self.folder.parent.rmdir()
            self.folder.parent.parent.rmdir()


@dataclass(frozen=True)
class QueryFiles:
    """The pictures of one search."""

    folder: Path

    def sent(self, picture: int) -> Path:
        """Return the path of a picture as it was sent; it goes when the worker has looked at it."""
        return self.folder / f"{int(picture)}.picture"

    def picture(self, picture: int) -> Path:
        """Return the path of a picture as it is searched by: upright, of bounded size, without its metadata."""
        return self.folder / f"{int(picture)}.jpg"

    def person(self, number: int) -> Path:
        """Return the path of the cut-out of somebody in the pictures."""
        return self.folder / f"person-{int(number)}.jpg"

    def remove(self) -> None:
        """Delete all of them."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class ReelFiles:
    """The film of an identity and its clips."""

    folder: Path

    @property
    def film(self) -> Path:
        """The clips one after the other."""
        return self.folder / "film.mp4"

    def clip(self, number: int) -> Path:
        """Return the path of a sighting's clip; they are numbered from 1 as the sightings are."""
        return self.folder / f"clip-{int(number):04d}.mp4"

    def clips(self) -> list[Path]:
        """Return the paths of all clips in their order."""
        return sorted(self.folder.glob("clip-*.mp4"))

    def remove(self) -> None:
        """Delete all of them."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Storage:
    """The data folder."""

    data_dir: Path

    @property
    def videos_dir(self) -> Path:
        """The folder that has a folder for each video."""
        return self.data_dir / "videos"

    @property
    def incoming_dir(self) -> Path:
        """The folder of uploads under way."""
        return self.data_dir / "incoming"

    def upload_path(self, upload_id: str) -> Path:
        """Return where the bytes of an unfinished upload lie."""
        return self.incoming_dir / f"{_checked(upload_id)}.part"

    def upload_info_path(self, upload_id: str) -> Path:
        """Return where the description of an unfinished upload lies."""
        return self.incoming_dir / f"{_checked(upload_id)}.json"

    @property
    def reels_dir(self) -> Path:
        """The folder of the films of identities."""
        return self.data_dir / "reels"

    def reel(self, job_id: str) -> ReelFiles:
        """Return the film that a job made, and its clips."""
        return ReelFiles(self.reels_dir / _checked(job_id))

    def reel_names(self) -> set[str]:
        """Return the ids of the jobs whose films are there."""
        return {folder.name for folder in _folders(self.reels_dir) if _ID.fullmatch(folder.name)}

    @property
    def search_dir(self) -> Path:
        """The folder of the vectors that searching reads."""
        return self.data_dir / "search"

    @property
    def queries_dir(self) -> Path:
        """The folder that has a folder for each search by picture."""
        return self.data_dir / "queries"

    def query(self, query_id: str) -> QueryFiles:
        """Return the files of a search by picture."""
        return QueryFiles(self.queries_dir / _checked(query_id))

    def remove_unknown_queries(self, known: Collection[str], *, min_age_s: float) -> None:
        """Delete the pictures of all searches but those with the given ids; younger ones may be arriving."""
        for folder in _folders(self.queries_dir):
            if folder.name not in known and time.time() - folder.stat().st_mtime >= min_age_s:
                shutil.rmtree(folder, ignore_errors=True)

    def video_dir(self, video_id: str) -> Path:
        """Return the folder of a video."""
        return self.videos_dir / _checked(video_id)

    def poster_path(self, video_id: str) -> Path:
        """Return the path of a video's poster picture."""
        return self.video_dir(video_id) / "poster.jpg"

    def source_path(self, video_id: str) -> Path:
        """Return the path of the file as it was uploaded.

        Raises
        ------
        FileNotFoundError
            when there is none.
        """
        folder = self.video_dir(video_id)
        for path in sorted(folder.glob("source*")):
            return path
        raise FileNotFoundError(f"no source file in {folder}")

    def take_source(self, video_id: str, path: Path, name: str) -> Path:
        """Move an uploaded file into the folder of its video and return its new path.

        Parameters
        ----------
        path : a file on the same disk, e.g. in `incoming_dir`.
        name : the user's name of the file; only a plain suffix of it is kept.
        """
        suffix = Path(name).suffix.lower()
        target = self.video_dir(video_id) / f"source{suffix if _SUFFIX.fullmatch(suffix) else ''}"
        target.parent.mkdir(parents=True, exist_ok=True)
        return path.replace(target)

    def attempt(self, video_id: str, job_id: str, claim: int) -> AttemptFiles:
        """Return the files of one attempt; ``claim`` is the job's `claim_count`."""
        return AttemptFiles(self._attempts_dir(video_id) / f"{_checked(job_id)}-{int(claim)}")

    def remove_other_attempts(self, kept: AttemptFiles) -> None:
        """Delete the folders of all other attempts at the same video."""
        for folder in _folders(kept.folder.parent):
            if folder != kept.folder:
                shutil.rmtree(folder, ignore_errors=True)

    def remove_video(self, video_id: str) -> None:
        """Delete all files of a video; its folder is gone at once, under its own name."""
        folder = self.video_dir(video_id)
        doomed = folder.with_name(_REMOVED + folder.name)
        shutil.rmtree(doomed, ignore_errors=True)
        with suppress(FileNotFoundError):
            folder.replace(doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def attempt_names(self) -> dict[str, set[str]]:
        """Return the names of the attempts' folders by the id of their video."""
        return {
            folder.name: {attempt.name for attempt in _folders(folder / "attempts")}
            for folder in _folders(self.videos_dir)
            if _ID.fullmatch(folder.name)
        }

    def remove_attempts(self, video_id: str, names: Collection[str]) -> None:
        """Delete some folders that `attempt_names` returned."""
        for name in names:
            AttemptFiles(self._attempts_dir(video_id) / Path(name).name).remove()

    def remove_remains(self) -> None:
        """Finish deletions that were interrupted."""
        for folder in _folders(self.videos_dir):
            if folder.name.startswith(_REMOVED):
                shutil.rmtree(folder, ignore_errors=True)

    def age_s(self, video_id: str) -> float:
        """Return the seconds since something was last put into or taken out of a video's folder; 0 where it is gone."""
        try:
            return time.time() - self.video_dir(video_id).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _attempts_dir(self, video_id: str) -> Path:
        return self.video_dir(video_id) / "attempts"


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)


def attempt_name(job_id: str, claim: int) -> str:
    """Return the name of an attempt's folder."""
    return f"{job_id}-{claim}"


def _checked(some_id: str) -> str:
    if not _ID.fullmatch(some_id):
        raise ValueError(f"an id has 32 hexadecimal digits, unlike {some_id[:64]!r}")
    return some_id


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
