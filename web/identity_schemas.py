"""What the JSON API of identities takes and gives; answers are built in `web.identity_present`."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range

from records import Kind
from store.identity_changes import EVENT_KINDS
from store.identity_tables import ACTORS, MAX_NAME_LENGTH, MAX_NOTE_LENGTH
from store.sightings import CERTAINTIES, SHOWN, VISIBILITIES
from web.schemas import Camera, Job, PageQuery, _about, _count, _number, _text, _time, _url

MAX_CHOICE = 2000
IDENTITY_ACTIONS = ("merge", "confirm", "hide", "show", "delete", "keep_apart", "forget")
TRACK_ACTIONS = ("confirm", "reject", "split", "move")
_KINDS = [kind.value for kind in Kind]


def _ids(description: str) -> List[int]:
    return List(
        Integer(validate=Range(1, 2**31 - 1)),
        required=True,
        validate=Length(1, MAX_CHOICE),
        metadata=_about(description),
    )


def _togetherness() -> Boolean:
    return Boolean(
        load_default=False,
        metadata=_about(
            "Whether tracks that one camera saw at the same time may be one, as where a tracker followed somebody "
            "twice; otherwise that is refused with `identity.together`."
        ),
    )


class Sighting(Schema):
    """A track of an identity: where and when it was seen."""

    track_id = _count("Number of the track in this site; stays when its video is tracked again.")
    number = _count("Number of the track in its video, as drawn.")
    kind = String(validate=OneOf(_KINDS))
    video_id = _text("The video.")
    video_name = _text("Its name.")
    camera = Nested(Camera)
    first_s = _number("Seconds from the first frame of the video.")
    last_s = _number("Seconds from the first frame of the video.")
    began_at = _time("True moment of the first box; null where the video's start is unknown.")
    ended_at = _time("True moment of the last box.")
    is_confirmed = Boolean(metadata=_about("Whether a person said that it is the identity's; else it is proposed."))
    point_count = _count("Boxes it has.")
    mean_score = _number("Mean detection score, 0 to 1.")
    crop_url = _url("Its best picture.")
    page_url = _url("The playback at its start, with the track followed.")


class Identity(Schema):
    """A person or vehicle, as far as is known."""

    id = _count("Its number, never used again.")
    url = _url("This object.")
    page_url = _url("Its page.")
    kind = String(validate=OneOf(_KINDS))
    name = _text("Empty while nobody gave one.")
    note = _text("A person's words; may be empty.")
    is_hidden = Boolean(metadata=_about("Whether lists leave it out."))
    is_confirmed = Boolean(metadata=_about("Whether a person confirmed a track of it; else all is proposed."))
    created_at = _time("When it was made.")
    track_count = _count("Tracks it has.")
    confirmed_count = _count("How many of them a person confirmed.")
    cameras = List(String(), metadata=_about("Names of the cameras that saw it."))
    first_at = _time("When it was first seen; null where unknown.")
    last_at = _time("When it was last seen.")
    crop_urls = List(String(), metadata=_about("Its best pictures, at most four."))


class IdentityDetail(Identity):
    """An identity with its sightings."""

    sightings = List(Nested(Sighting), metadata=_about("In the order of time; those of unknown time last."))


class Identities(Schema):
    """A part of the list of identities, those with most tracks first."""

    identities = List(Nested(Identity))
    total = _count("How many there are in all.")


class DuplicatePair(Schema):
    """Two identities that may be one."""

    first = Nested(Identity)
    second = Nested(Identity)
    similarity = _number("Average similarity of their tracks, -1 to 1.")


class Duplicates(Schema):
    """Pairs of identities that may be one, the most alike first."""

    model = _text("The model that was compared by; empty where none described anything yet.")
    pairs = List(Nested(DuplicatePair))


class Event(Schema):
    """A change of identities."""

    id = _count("Its number.")
    kind = String(validate=OneOf(EVENT_KINDS))
    actor = String(validate=OneOf(ACTORS), metadata=_about("A person at the site, or the program's proposals."))
    params = Dict(keys=String(), metadata=_about("What goes with it: `tracks`, `name`, `into`, `others`, `lost`, …"))
    identities = List(Integer(), metadata=_about("Whom it is about; some may be gone."))
    created_at = _time("When.")
    undone_at = _time("When it was undone; null while it is in force.")
    can_undo = Boolean(metadata=_about("Whether undoing it may be tried."))
    can_redo = Boolean(metadata=_about("Whether doing it again may be tried."))
    undo_url = _url("POST here to undo it.")
    redo_url = _url("POST here to do it again.")


class Events(Schema):
    """A part of the history of identities, the latest first."""

    events = List(Nested(Event))
    total = _count("How many there are in all.")


class Done(Schema):
    """What was done."""

    identity_id = _count("The identity that it led to; null where it was about several.", allow_none=True)
    event_id = _count("To undo it by; null where nothing had to be changed.", allow_none=True)


class IdentitiesQuery(PageQuery):
    """Which identities."""

    text = String(load_default="", validate=Length(max=200), metadata=_about("A part of the name, or a number."))
    kind = String(load_default="", validate=OneOf(["", *_KINDS]))
    camera_id = Integer(load_default=None, validate=Range(1), metadata=_about("Seen by this camera."))
    certainty = String(load_default="", validate=OneOf(["", *CERTAINTIES]))
    visibility = String(load_default=SHOWN, validate=OneOf(VISIBILITIES))


class EventsQuery(PageQuery):
    """Which events."""

    identity_id = Integer(load_default=None, validate=Range(1), metadata=_about("Only those about this identity."))


class DuplicatesQuery(Schema):
    """How many pairs."""

    limit = Integer(load_default=12, validate=Range(1, 50))


class NewIdentity(Schema):
    """Tracks that are one and the same."""

    tracks = _ids("Their ids (`track_id`, not the numbers in their videos).")
    name = String(load_default="", validate=Length(max=MAX_NAME_LENGTH))
    allow_together = _togetherness()


class IdentityChange(Schema):
    """What to change; what is left out stays."""

    name = String(validate=Length(max=MAX_NAME_LENGTH))
    note = String(validate=Length(max=MAX_NOTE_LENGTH))


class IdentitiesAction(Schema):
    """Something to do with several identities at once."""

    action = String(
        required=True,
        validate=OneOf(IDENTITY_ACTIONS),
        metadata=_about(
            "`merge`: into the first one. `confirm`: all tracks that are proposed for them. `keep_apart`: the first "
            "two are not one. `forget`: delete them with vectors, pictures and names; that cannot be undone."
        ),
    )
    identities = _ids("Their numbers.")
    allow_together = _togetherness()


class TracksAction(Schema):
    """Something to do with tracks of an identity, or for it."""

    action = String(
        required=True,
        validate=OneOf(TRACK_ACTIONS),
        metadata=_about(
            "`confirm`: they are its. `reject`: they are not, and never come back. `split`: they are another one, "
            "a new identity. `move`: they are that of `to`."
        ),
    )
    tracks = _ids("Their ids (`track_id`, not the numbers in their videos).")
    to = Integer(load_default=None, allow_none=True, validate=Range(1), metadata=_about("For `move`."))
    allow_together = _togetherness()


class EvaluationWish(Schema):
    """Which model to judge."""

    model = String(load_default="", validate=Length(max=200), metadata=_about("Empty for the one that searching uses."))


class Evaluation(Schema):
    """What a model reached on the confirmed identities."""

    job = Nested(Job)
    model = _text("The model that was asked for; empty for the one that searching used.")
    outcome = Dict(
        keys=String(),
        allow_none=True,
        metadata=_about("`model` and `kinds`, each with mAP, Rank-1, CMC and counts; null until the job is done."),
    )


class Evaluations(Schema):
    """What models reached, the latest first."""

    evaluations = List(Nested(Evaluation))
    models = List(String(), metadata=_about("The models that have described tracks."))
    active_model = _text("The one that searching uses; may be empty.")
