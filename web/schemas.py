"""What the JSON API takes and gives; the OpenAPI document is made from here.

Answers are built in `web.present`; these describe and check their shape.
"""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, File, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range
from marshmallow import ValidationError, validates_schema

from records import Kind
from store.tables import IDENTITY_KINDS, KINDS, RENDER, RETRACK, STATES, TRACK

PRESETS = ("fast", "balanced", "accurate")
TRACKERS = ("recorded", "online", "deepsort")
DETECTORS = ("auto", "builtin", "hog", "yolox", "paddledet")
EMBEDDERS = ("auto", "builtin", "hsv_stripes", "paddle")
ANNOTATED_STATES = ("ready", "missing", "rendering")
MAX_RANGE_S = 120.0
MAX_PAGE = 200


def _about(description: str, **more: Any) -> dict[str, Any]:
    return {"description": description, **more}


def _time(description: str) -> String:
    return String(allow_none=True, metadata=_about(description, format="date-time"))


def _text(description: str, **options: Any) -> String:
    return String(metadata=_about(description), **options)


def _url(description: str, *, allow_none: bool = False) -> String:
    return String(allow_none=allow_none, metadata=_about(description, format="uri-reference"))


def _number(description: str, *, allow_none: bool = False) -> Float:
    return Float(allow_none=allow_none, metadata=_about(description))


def _count(description: str, *, allow_none: bool = False) -> Integer:
    return Integer(allow_none=allow_none, metadata=_about(description))


class Notice(Schema):
    """Something to know about a result."""

    code = _text("Stable name, e.g. `model.builtin_detector`.")
    message = _text("A sentence in the language of the request.")


class Camera(Schema):
    """A camera."""

    id = _count("Number of the camera.")
    name = _text("Its name, unique.")
    place = _text("Where it hangs; may be empty.")
    time_zone = _text("IANA name of its time zone.")
    clock_offset_s = _number("Seconds to add to its clock to get true time.")


class Cameras(Schema):
    """All cameras."""

    cameras = List(Nested(Camera))


class JobError(Schema):
    """Why a job failed."""

    code = _text("Stable name of the error.")
    message = _text("A sentence in the language of the request that says what to do.")


class Job(Schema):
    """The work on one video."""

    id = _text("32 hexadecimal digits.")
    url = _url("This object, for polling.")
    cancel_url = _url("POST here to cancel.")
    retry_url = _url("POST here to try again.")
    video_id = _text("The video it works on; null where it is about an identity, or all of them.", allow_none=True)
    video_name = _text("The name of the video or the identity.")
    video_url = _url("The page of that.")
    poster_url = _url("The video's picture.", allow_none=True)
    kind = String(
        validate=OneOf((*KINDS, *IDENTITY_KINDS)),
        metadata=_about(
            "`track`: all of the work; `retrack`: another tracker on what was detected before; `render`: the annotated "
            "video of the result; `embed`: another model's vectors; `reel`: the film of an identity; `evaluate`: a "
            "model judged by the confirmed identities."
        ),
    )
    state = String(validate=OneOf(STATES), metadata=_about("The last three are final."))
    stage = _text("E.g. `load`, `analyse`, `render`; empty before the start.")
    progress = _number("Share of the whole job that is done, 0 to 1.")
    fps = _number("Frames a second in this stage.", allow_none=True)
    eta_s = _number("Seconds left, where known.", allow_none=True)
    attempt = _count("How often it was started.")
    max_attempts = _count("How often it may be started.")
    cancel_requested = Boolean(metadata=_about("Whether somebody asked to cancel it."))
    error = Nested(JobError, allow_none=True, metadata=_about("Of a failed job."))
    notices = List(Nested(Notice), metadata=_about("What to know about the result."))
    created_at = _time("When it was queued.")
    started_at = _time("When its last attempt began.")
    finished_at = _time("When it reached a final state.")
    can_cancel = Boolean(metadata=_about("Whether it can be cancelled now."))
    can_retry = Boolean(metadata=_about("Whether it can be tried again now."))


class Jobs(Schema):
    """A part of the list of jobs, newest first."""

    jobs = List(Nested(Job))
    total = _count("How many there are in all.")


class Model(Schema):
    """A detector or embedder that ran."""

    name = _text("E.g. `yolox`, `hog`, `hsv_stripes`.")
    source = _text("File or folder of its weights; empty where it has none.")
    notices = List(Nested(Notice))


class Downloads(Schema):
    """Where the result's files are."""

    annotated = _url("MP4 with the boxes drawn in; null while there is none.", allow_none=True)
    mot = _url("MOTChallenge text.")
    csv = _url("All boxes as CSV.")
    json = _url("All tracks with their boxes as JSON.")


class Annotated(Schema):
    """The video with the boxes drawn in."""

    state = String(
        validate=OneOf(ANNOTATED_STATES),
        metadata=_about("`missing` after tracking again, until a job of the kind `render` has made it."),
    )
    url = _url("The file; null while there is none.", allow_none=True)


class Result(Schema):
    """What the last finished job found."""

    job_id = _text("The job that made it.")
    playback_url = _url("The video as H.264 MP4 with a constant frame rate; takes ranges.")
    annotated_url = _url("The same with the boxes drawn in; null while there is none.", allow_none=True)
    annotated = Nested(Annotated)
    frame_rate = _number("Frames a second of these files.")
    frame_count = _count("Frames of the uploaded video.")
    track_count = _count("Tracks found.")
    preset = _text("The preset; empty where unknown.")
    tracker = _text("The tracker; empty where unknown.")
    detected_boxes = _count("Boxes that the detector found.", allow_none=True)
    embedded_boxes = _count("How many of them a network embedded.", allow_none=True)
    stage_seconds = Dict(
        keys=String(), values=Float(), metadata=_about("Seconds that each stage worked; stages overlap.")
    )
    can_retrack = Boolean(metadata=_about("Whether its detections are kept, so that `retrack` is possible."))
    detector = Nested(Model)
    embedder = Nested(Model)
    downloads = Nested(Downloads)


class Video(Schema):
    """An uploaded video."""

    id = _text("32 hexadecimal digits.")
    url = _url("This object.")
    name = _text("The file's name as uploaded.")
    camera = Nested(Camera)
    started_at = _time("True time of the first frame, the camera's clock corrected, in UTC; null where unknown.")
    clock_started_at = _time("The same by the camera's own clock, as it was given.")
    created_at = _time("When it was uploaded.")
    duration_s = _number("Length in seconds.")
    width = _count("Pixels, rotation applied.")
    height = _count("Pixels, rotation applied.")
    frame_rate = _number("Average frames a second.")
    codec = _text("Of the uploaded file.")
    bytes = _count("Size of the uploaded file.")
    sha256 = _text("Of the uploaded file, hexadecimal.")
    poster_url = _url("A picture of it.", allow_none=True)
    page_url = _url("Its page.")
    job = Nested(Job, allow_none=True, metadata=_about("The live job, else the latest."))
    result = Nested(Result, allow_none=True, metadata=_about("Null until a job is done."))


class Videos(Schema):
    """A part of the list of videos, newest first."""

    videos = List(Nested(Video))
    total = _count("How many there are in all.")


class TrackIdentity(Schema):
    """Whose a track is."""

    id = _count("Number of the identity.")
    name = _text("Empty while nobody gave one.")
    is_confirmed = Boolean(metadata=_about("Whether a person said so; otherwise it is proposed."))
    page_url = _url("The page of the identity.")


class Track(Schema):
    """One person or vehicle in one video."""

    id = _count("Its number among the tracks of all videos; stays when the video is tracked again.")
    number = _count("As drawn.")
    kind = String(validate=OneOf([kind.value for kind in Kind]))
    class_name = _text("E.g. `person`, `car`.")
    first_frame = _count("Index from 0.")
    last_frame = _count("Index, inclusive.")
    first_s = _number("Seconds from the first frame of the video.")
    last_s = _number("Seconds from the first frame of the video.")
    point_count = _count("Boxes it has.")
    mean_score = _number("Mean detection score, 0 to 1.")
    crop_url = _url("Its best picture.")
    search_url = _url("The page that searches by it.")
    started_at = _time("True time of its first box; null where the video's is unknown.")
    track_id = _count("Number of the track in this site; stays when the video is tracked again.")
    identity = Nested(TrackIdentity, allow_none=True, metadata=_about("Whose it is; null where nothing says so."))


class Tracks(Schema):
    """All tracks of a video by number."""

    tracks = List(Nested(Track))


class BoxFrames(Schema):
    """The frames of the range."""

    first = _count("Index of the first one.")
    pts_s = List(Float(), metadata=_about("The time of each, in seconds."))


class BoxPoints(Schema):
    """The boxes, in columns of equal length."""

    frame = List(Integer(), metadata=_about("Frame indices, not falling."))
    track = List(Integer(), metadata=_about("Track numbers."))
    x1 = List(Float(), metadata=_about("Left edge as a fraction of the width."))
    y1 = List(Float(), metadata=_about("Upper edge as a fraction of the height."))
    x2 = List(Float(), metadata=_about("Right edge as a fraction of the width."))
    y2 = List(Float(), metadata=_about("Lower edge as a fraction of the height."))
    score = List(Float(), metadata=_about("Detection scores, 0 to 1."))


class Boxes(Schema):
    """The boxes of a range of time, `from_s <= time < to_s`."""

    from_s = _number("Start of the range.")
    to_s = _number("End of the range.")
    frames = Nested(BoxFrames)
    points = Nested(BoxPoints)


class Presence(Schema):
    """The most people and vehicles that one frame of each bin shows."""

    bin_s = _number("Seconds of a bin.")
    person = List(Integer())
    vehicle = List(Integer())


class Worker(Schema):
    """A background worker."""

    name = _text("Host and process.")
    queue = _text("What it works on: `jobs`, or the searches by picture, `queries`.")
    seen_at = _time("When it last reported.")
    is_alive = Boolean(metadata=_about("Whether it reported lately."))


class Health(Schema):
    """How the site is."""

    status = String(validate=OneOf(["ok", "no_worker"]))
    version = _text("Of this program.")
    free_bytes = _count("Left on the disk of the data folder.")
    jobs = Dict(keys=String(), values=Integer(), metadata=_about("How many jobs are in each state."))
    workers = List(Nested(Worker))


class PageQuery(Schema):
    """Which part of a list."""

    limit = Integer(load_default=50, validate=Range(1, MAX_PAGE), metadata=_about("How many at most."))
    offset = Integer(load_default=0, validate=Range(0, 2**31), metadata=_about("How many to leave out."))


class JobsQuery(PageQuery):
    """Which part of the list of jobs."""

    state = String(load_default=None, validate=OneOf(STATES), metadata=_about("Only jobs in this state."))


class BoxesQuery(Schema):
    """Which range of time; at most 120 seconds."""

    from_s = Float(load_default=0.0, allow_nan=False, validate=Range(0, 1e9), metadata=_about("Start, inclusive."))
    to_s = Float(
        load_default=None, allow_nan=False, validate=Range(0, 1e9), metadata=_about("End, exclusive; start + 120.")
    )


class PresenceQuery(Schema):
    """How finely."""

    bins = Integer(load_default=200, validate=Range(1, 2000), metadata=_about("How many bins."))


def _choice(names: tuple[str, ...], description: str) -> String:
    return String(load_default=None, allow_none=True, validate=OneOf(("", *names)), metadata=_about(description))


class JobSettings(Schema):
    """How to work on a video; what is left out comes from the site's settings."""

    preset = _choice(PRESETS, "How thoroughly. The other choices win over it.")
    detector = _choice(DETECTORS, "What finds people and vehicles.")
    embedder = _choice(EMBEDDERS, "What tells them apart.")
    tracker = _choice(
        TRACKERS, "`recorded` looks at the whole video, `online` never ahead, `deepsort` is the published DeepSORT."
    )


class RunSettings(JobSettings):
    """What to do with a video again."""

    kind = String(
        load_default=TRACK,
        validate=OneOf((TRACK, RETRACK, RENDER)),
        metadata=_about(
            f"`{TRACK}`: everything. `{RETRACK}`: track again what was detected, in seconds; only `tracker` is "
            f"looked at. `{RENDER}`: make the annotated video of the result; takes no choices."
        ),
    )

    @validates_schema
    def check_choices(self, fields: dict[str, Any], **_: Any) -> None:
        """Refuse a choice that the kind of the job would not look at."""
        looked_at = {TRACK: tuple(fields), RETRACK: ("tracker",), RENDER: ()}[fields["kind"]]
        for name, chosen in fields.items():
            if chosen and name != "kind" and name not in looked_at:
                raise ValidationError(f"has no meaning for a job of the kind {fields['kind']}", name)


class VideoDetails(JobSettings):
    """What is known about a video besides its file."""

    camera = String(
        required=True, validate=Length(1, 200), metadata=_about("Name of the camera; a new name makes a new camera.")
    )
    started_at = String(
        load_default=None,
        allow_none=True,
        validate=Length(max=64),
        metadata=_about("Wall-clock time of the first frame, ISO 8601.", format="date-time"),
    )
    time_zone = String(
        load_default=None,
        allow_none=True,
        validate=Length(max=64),
        metadata=_about("IANA name; `started_at` without an offset is read in it, else in the camera's zone."),
    )


class VideoFromUpload(VideoDetails):
    """A video whose file came by a resumable upload."""

    upload_id = String(required=True, validate=Length(1, 64), metadata=_about("The finished upload."))


class VideoFile(VideoDetails):
    """A video with its file."""

    file = File(required=True, metadata=_about("The video file; send it last."))  # type: ignore[no-untyped-call]  # flask-marshmallow has no types


class VideoChange(Schema):
    """What to change of a video; what is left out stays."""

    name = String(validate=Length(1, 255))
    camera = String(validate=Length(1, 200), metadata=_about("Name of the camera; a new name makes a new camera."))
    started_at = String(
        allow_none=True,
        validate=Length(max=64),
        metadata=_about("Wall-clock time of the first frame, ISO 8601; null for unknown.", format="date-time"),
    )
    time_zone = String(validate=Length(max=64), metadata=_about("IANA name for `started_at` without an offset."))
