"""What the part of the JSON API about searching, models and cameras takes and gives."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, File, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range

from records import Kind
from search.calibration import DECISIONS, FOLDER, POSSIBLE, PROBABLE, UNLIKELY
from store.tables import STATES
from web.schemas import EMBEDDERS, Camera, JobError, _about, _count, _number, _text, _time, _url

KIND_NAMES = tuple(kind.value for kind in Kind)
WORDS = ("", PROBABLE, POSSIBLE, UNLIKELY)
CONFIRM, REJECT = "confirm", "reject"
MAX_CLOCK_OFFSET_S = 400 * 24 * 3600.0


class SightIdentity(Schema):
    """Whose a track is."""

    id = _count("Number of the identity.")
    name = _text("Its name; empty where nobody gave one.")
    is_confirmed = Boolean(metadata=_about("Whether a person said so; otherwise it is a proposal."))


class Sight(Schema):
    """A track with where and when it was seen."""

    id = _count("Number of the track, among all videos.")
    video_id = _text("The video.")
    video_name = _text("The video's name.")
    number = _count("As drawn in the video.")
    kind = String(validate=OneOf(KIND_NAMES))
    class_name = _text("E.g. `person`, `car`.")
    camera = Nested(Camera)
    first_s = _number("Seconds from the first frame of the video.")
    last_s = _number("Seconds from the first frame of the video.")
    started_at = _time("True time of its first box, the camera's clock corrected; null where unknown.")
    ended_at = _time("True time of its last box; null where unknown.")
    crop_url = _url("Its best picture.")
    moment_url = _url("The page of the video at this track's beginning, with the track chosen.")
    search_url = _url("The page that searches by this track.")
    identity = Nested(SightIdentity, allow_none=True)


class QueryPerson(Schema):
    """Somebody or something in a picture."""

    id = _text("What to give as `person` to search by it.")
    number = _count("1 is the largest.")
    picture = _count("The picture's place, from 0.")
    kind = String(validate=OneOf(KIND_NAMES))
    score = _number("Detection score, 0 to 1.")
    box = List(Float(), metadata=_about("x1, y1, x2, y2 as fractions of the picture."))
    crop_url = _url("The cut-out.")
    search_url = _url("The page that searches by it.")


class Query(Schema):
    """Pictures to search by, and who is in them."""

    id = _text("32 hexadecimal digits.")
    url = _url("This object, for polling until the state is final.")
    page_url = _url("The page that shows it.")
    state = String(validate=OneOf(STATES), metadata=_about("The last three are final."))
    error = Nested(JobError, allow_none=True, metadata=_about("Of a failed one."))
    created_at = _time("When the pictures came.")
    expires_at = _time("When they are deleted.")
    picture_urls = List(String(), metadata=_about("The pictures as they are searched by."))
    people = List(Nested(QueryPerson), metadata=_about("The largest first; empty before it is done."))


class QueryFiles(Schema):
    """Pictures to search by."""

    file = File(required=True, metadata=_about("JPEG, PNG, WebP or BMP; several of one person may be sent."))  # type: ignore[no-untyped-call]  # flask-marshmallow has no types


class Asked(Schema):
    """Who is looked for; name tracks, people in pictures, an identity, or several of these that show the same one."""

    track = List(
        Integer(validate=Range(1, 2**62)),
        load_default=list,
        validate=Length(max=32),
        metadata=_about("Numbers of tracks, `id` of `Sight`."),
    )
    person = List(
        String(validate=Length(max=64)),
        load_default=list,
        validate=Length(max=32),
        metadata=_about("People in pictures, `id` of `QueryPerson`."),
    )
    identity = Integer(
        load_default=None,
        allow_none=True,
        validate=Range(1, 2**31),
        metadata=_about("An identity; that of the first track where none is named."),
    )


class SearchQuery(Asked):
    """Who is looked for, among which tracks."""

    camera = List(
        Integer(validate=Range(1, 2**31)),
        load_default=list,
        validate=Length(max=200),
        metadata=_about("Only these cameras."),
    )
    kind = String(
        load_default="",
        validate=OneOf(("", *KIND_NAMES)),
        metadata=_about("That of who is looked for."),
    )
    since = String(
        load_default=None,
        allow_none=True,
        validate=Length(max=64),
        metadata=_about("Only tracks seen at or after this time, ISO 8601."),
    )
    until = String(
        load_default=None,
        allow_none=True,
        validate=Length(max=64),
        metadata=_about("Only tracks seen at or before this time, ISO 8601."),
    )
    time_zone = String(
        load_default=None,
        allow_none=True,
        validate=Length(max=64),
        metadata=_about("IANA name for times without an offset; UTC."),
    )
    ways = Boolean(load_default=True, metadata=_about("Whether the ways between cameras count."))
    rerank = Boolean(load_default=False, metadata=_about("Whether the best are put in order once more."))
    least = Float(
        load_default=None,
        allow_none=True,
        allow_nan=False,
        validate=Range(-1, 1),
        metadata=_about("Least similarity of an answer."),
    )
    limit = Integer(load_default=48, validate=Range(1, 200), metadata=_about("How many at most."))
    offset = Integer(load_default=0, validate=Range(0, 1000), metadata=_about("How many to leave out."))


class SearchAnswer(Schema):
    """A track that may show who was looked for; a suggestion, never a fact."""

    track = Nested(Sight)
    similarity = _number("Cosine of the two descriptions, 1 for the same picture.")
    score = _number("What the order is by: the similarity with what the ways between cameras add.")
    word = String(
        validate=OneOf(WORDS), metadata=_about("By the model's calibration; empty while it was not calibrated.")
    )


class SearchSubject(Schema):
    """Who was looked for."""

    kind = String(validate=OneOf(("", *KIND_NAMES)))
    identity = Nested(SightIdentity, allow_none=True)
    tracks = List(Nested(Sight), metadata=_about("The tracks that were named."))
    people = List(Nested(QueryPerson), metadata=_about("The people in pictures that were named."))
    confirmed = List(Nested(Sight), metadata=_about("Confirmed tracks of the identity that helped."))


class Histogram(Schema):
    """How often each similarity was measured."""

    edges = List(Float(), metadata=_about("One more than the counts."))
    same = List(Integer(), metadata=_about("Pairs of the same one."))
    different = List(Integer(), metadata=_about("Pairs of two."))


class Calibration(Schema):
    """How far a model's similarities can be trusted here."""

    source = String(validate=OneOf((DECISIONS, FOLDER)))
    measured_at = _time("When.")
    same_pairs = _count("Measured pairs of the same one.")
    different_pairs = _count("Measured pairs of two.")
    equal_error_rate = _number("Where both kinds of error are as frequent, 0 to 1.")
    equal_error_similarity = _number("The threshold for that.")
    area_under_curve = _number("How often a same pair is more alike than a different one.")
    wanted_false_match_rate = _number("What “probable” was chosen for.")
    probable_from = _number("Least similarity of `probable`.")
    probable_false_match_rate = _number("As measured at that threshold.")
    probable_true_match_rate = _number("As measured at that threshold.")
    possible_from = _number("Least similarity of `possible`.")
    possible_false_match_rate = _number("As measured at that threshold.")
    possible_true_match_rate = _number("As measured at that threshold.")
    histogram = Nested(Histogram)


class SearchAnswers(Schema):
    """A part of the ranking."""

    subject = Nested(SearchSubject)
    answers = List(Nested(SearchAnswer))
    total = _count("How many tracks were compared, after filters.")
    has_more = Boolean(metadata=_about("Whether there is a next part."))
    described = _count("How many tracks the model has described in all.")
    model = _text("The model that was used.")
    calibration = Nested(Calibration, allow_none=True)


class Decision(Asked):
    """What somebody says about an answer."""

    answer = Integer(required=True, validate=Range(1, 2**62), metadata=_about("The answer's track."))
    decision = String(required=True, validate=OneOf((CONFIRM, REJECT)))


class Decided(Schema):
    """What came of it."""

    identity = _count("The identity that the decision is about; name it in the next search.")
    event_id = _count("What to undo it by; null where nothing had to be changed.", allow_none=True)
    undo_url = _url("POST here to undo it.", allow_none=True)
    search_url = _url("The page that goes on with this identity.")


class EmbeddingModel(Schema):
    """A model that described tracks, or that can be chosen to."""

    name = _text("Its name; empty for one that has described nothing yet.")
    choice = _text("What to choose to get it.")
    is_active = Boolean(metadata=_about("Whether searching uses it."))
    described = _count("How many tracks it has described.")
    dimension = _count("Numbers in a description; null while unknown.", allow_none=True)
    calibration = Nested(Calibration, allow_none=True)


class EmbeddingModels(Schema):
    """All models that searching can use."""

    models = List(Nested(EmbeddingModel))
    videos_left = _count("Videos whose tracks the active model has not all described.")


class ModelChoice(Schema):
    """The model that searching is to use."""

    name = String(load_default="", validate=Length(max=200), metadata=_about("One that described tracks before."))
    choice = String(load_default="", validate=OneOf(("", *EMBEDDERS)), metadata=_about("Or a new one."))


class CalibrationWish(Schema):
    """How to calibrate."""

    false_match_rate = Float(
        load_default=0.01,
        allow_nan=False,
        validate=Range(1e-6, 0.5),
        metadata=_about("How often “probable” may be wrong, as a share of pairs of two."),
    )


class CameraChange(Schema):
    """What to change of a camera; what is left out stays."""

    name = String(validate=Length(1, 200))
    place = String(validate=Length(max=500))
    time_zone = String(validate=Length(max=64), metadata=_about("IANA name; empty for unknown."))
    clock_offset_s = Float(
        allow_nan=False,
        validate=Range(-MAX_CLOCK_OFFSET_S, MAX_CLOCK_OFFSET_S),
        metadata=_about("Seconds to add to this camera's clock to get true time."),
    )


class CameraWay(Schema):
    """How one camera follows another."""

    from_camera = Nested(Camera)
    to_camera = Nested(Camera)
    passages = _count("How often it was confirmed.")
    is_possible = Boolean(metadata=_about("False where a person said that there is no such way."))
    is_edited = Boolean(metadata=_about("Whether a person gave the times."))
    is_used = Boolean(metadata=_about("Whether searching looks at it."))
    least_s = _number("Sooner than this is implausible; impossible where a person said so.")
    median_s = _number("As learnt; null where nothing was.", allow_none=True)
    most_s = _number("Later than this says little.")


class CameraWays(Schema):
    """All ways between cameras that are known."""

    ways = List(Nested(CameraWay))


class CameraWayChange(Schema):
    """What a person says about the way from one camera to another."""

    is_possible = Boolean(load_default=True)
    least_s = Float(load_default=0.0, allow_nan=False, validate=Range(0, 1e8))
    most_s = Float(load_default=3600.0, allow_nan=False, validate=Range(0, 1e8))
