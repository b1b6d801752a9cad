"""Identities that are proposed: over-split, never two at once, never over a person's word."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from records import FloatArray, Kind
from search import proposals
from search.calibration import FOLDER, Calibration
from search.proposals import propose
from store import events, identities, models
from store.tables import Track
from tests.databases import NOON, database_url, engine, sessions
from tests.store.identity_scene import DIMENSION, Sessions, add_tracks, owner_of, state_of

__all__ = ["database_url", "engine", "sessions"]

pytestmark = pytest.mark.filterwarnings("error")


def person(number: int, *, away: float = 0.0) -> FloatArray:
    """Return the vector of a person; ``away`` turns it by an angle towards what nobody looks like."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[number], vector[-1] = np.cos(away), np.sin(away)
    return vector


def run(sessions: Sessions, threshold: float = 0.9) -> int:
    return propose(sessions, NOON, threshold=lambda embedder: threshold)


def owners(sessions: Sessions, track_ids: list[int]) -> list[int | None]:
    return [owner_of(sessions, track_id)[0] for track_id in track_ids]


def test_the_same_vectors_of_two_cameras_are_proposed_as_one_and_others_stay_alone(sessions: Sessions) -> None:
    gate = add_tracks(sessions, "Gate", [(0, 1), (2, 3)], vectors=[person(0), person(1)])
    assert run(sessions) == 2
    hall = add_tracks(sessions, "Hall", [(0, 1), (2, 3)], vectors=[person(1), person(2)])
    assert run(sessions) == 2
    assert run(sessions) == 0
    first, second = owners(sessions, gate)
    third, fourth = owners(sessions, hall)
    assert (third, len({first, second, fourth})) == (second, 3)
    assert owner_of(sessions, gate[0])[1] is False


def test_two_that_were_seen_together_are_never_one(sessions: Sessions) -> None:
    same = [person(0), person(0)]
    gate = add_tracks(sessions, "Gate", [(0, 2), (1.9, 3)], vectors=same)
    assert run(sessions) == 2
    assert len(set(owners(sessions, gate))) == 2
    later = NOON + timedelta(seconds=1)
    other_file = add_tracks(sessions, "Gate", [(0, 3)], began_at=later, vectors=same[:1])
    run(sessions)
    assert owners(sessions, other_file)[0] not in owners(sessions, gate)


def test_a_chain_of_likenesses_does_not_join_its_ends(sessions: Sessions) -> None:
    chain = [person(0, away=0.4 * step) for step in range(4)]
    tracks = add_tracks(sessions, "Gate", [(2 * step, 2 * step + 1) for step in range(4)], vectors=chain)
    run(sessions, threshold=np.cos(0.45))
    found = owners(sessions, tracks)
    assert found[0] == found[1] != found[3]


def test_models_and_kinds_do_not_mix(sessions: Sessions) -> None:
    vectors = [person(0)]
    tracks = [
        *add_tracks(sessions, "Gate", [(0, 1)], vectors=vectors),
        *add_tracks(sessions, "Hall", [(0, 1)], vectors=vectors, embedder="another"),
        *add_tracks(sessions, "Yard", [(0, 1)], vectors=vectors, kind=Kind.VEHICLE),
    ]
    run(sessions)
    assert len(set(owners(sessions, tracks))) == 3


def test_a_rejected_track_is_not_proposed_again_and_confirmed_ones_stay(sessions: Sessions) -> None:
    gate = add_tracks(sessions, "Gate", [(0, 1)], vectors=[person(0)])
    with sessions.begin() as session:
        made = identities.confirm(session, gate, None, NOON).identity_id or 0
    hall = add_tracks(sessions, "Hall", [(0, 1), (5, 6)], vectors=[person(0), person(0)])
    with sessions.begin() as session:
        identities.reject(session, made, hall[:1], NOON)
    run(sessions)
    assert owner_of(sessions, gate[0]) == (made, True)
    assert owner_of(sessions, hall[0])[0] != made
    assert owner_of(sessions, hall[1])[0] in (made, owner_of(sessions, hall[0])[0])


def test_tracks_of_few_boxes_or_without_a_vector_get_none(sessions: Sessions) -> None:
    (short,) = add_tracks(sessions, "Gate", [(0, 0.1)])
    assert run(sessions) == 0
    assert owner_of(sessions, short) == (None, False)
    with sessions() as session:
        assert session.scalars(select(Track.is_considered)).all() == [True]


def test_proposals_are_one_event_that_is_undone(sessions: Sessions) -> None:
    add_tracks(sessions, "Gate", [(0, 1), (2, 3)], vectors=[person(0), person(1)])
    before = state_of(sessions)
    run(sessions)
    with sessions.begin() as session:
        (event,), total = events.page(session)
        assert (event.kind, event.actor, total) == ("propose", "program", 1)
        events.undo(session, event.id, NOON)
    assert state_of(sessions) == before
    assert run(sessions) == 0


def test_batches_give_what_one_would(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "BATCH", 2)
    monkeypatch.setattr(proposals, "BLOCK", 2)
    vectors = [person(number % 3) for number in range(9)]
    tracks = add_tracks(sessions, "Gate", [(2 * start, 2 * start + 1) for start in range(9)], vectors=vectors)
    assert run(sessions) == 9
    found = owners(sessions, tracks)
    assert len(set(found)) == 3
    assert found[:3] == found[3:6] == found[6:]


def test_defaults_are_strict_and_unknown_models_are_handled(sessions: Sessions) -> None:
    with sessions() as session:
        assert proposals.threshold_of(session, "hsv_stripes") == proposals.DEFAULT_THRESHOLDS["hsv_stripes"]
        assert proposals.threshold_of(session, "something") == proposals.UNKNOWN_THRESHOLD


def test_a_calibration_of_this_installation_decides_strictly(sessions: Sessions) -> None:
    different = [900, 90, 9, 1, 0]
    measured = Calibration(
        source=FOLDER, measured_at="", same_pairs=10, different_pairs=1000, equal_error_rate=0.1,
        equal_error_similarity=0.3, area_under_curve=0.9, wanted_false_match_rate=0.01, probable_from=0.45,
        probable_false_match_rate=0.01, probable_true_match_rate=0.5, possible_from=0.2,
        possible_false_match_rate=0.1, possible_true_match_rate=0.8, edges=[0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
        same=[0, 0, 1, 4, 5], different=different,
    )  # fmt: skip
    assert proposals.strict_threshold(measured) == 0.6
    with sessions.begin() as session:
        models.note(session, "hsv_stripes", choice="hsv_stripes", dimension=DIMENSION, now=NOON)
        models.set_calibration(session, "hsv_stripes", measured.as_json())
        assert proposals.threshold_of(session, "hsv_stripes") == 0.6
